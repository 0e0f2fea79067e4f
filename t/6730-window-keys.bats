#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The window without a mouse and without eyes.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/window

setup_file()
{
	people alice bob carol
}

set_up()
{
	window_wanted
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: all_named ; whatever can have the keyboard has a name
all_named()
{
	run look nameless
	same '' "$output" 'what has no name'
}

@test "from the login to the goodbye on the keyboard alone" {
	person bob
	open_window alice
	window_shows Server focused
	type_text "127.0.0.1:$PORT"
	key Tab
	type_text alice
	key Tab
	type_text alice-secret
	key Return
	# The careful answer is the one that Return gives.
	window_shows No focused
	look focus 'Yes, trust it'
	key Return
	window_shows Everybody
	key Control+n
	window_shows 'With whom?'
	type_text bob
	key Return
	window_shows 'To bob, through the centre'
	key Control+l
	type_text 'first line'
	key Shift+Return
	type_text 'second: ä €'
	key Return
	sees bob 'alice: first line'
	sees bob '  second: ä €'
	window_shows 'first line second: ä €'
	types bob 'getaddress alice'
	window_shows 'bob wants to talk privately.'
	key Alt+y
	sees_like bob 'alice agreed: .*'
	window_shows 'bob, online, (private)'
	key Control+Shift+h
	window_shows 'The private link with bob has ended'
	key F1
	window_shows 'Keyboard shortcuts'
	key Escape
	key Control+q
	window_ends alice 0
	sees bob 'alice has logged out.'
}

@test "everything that can have the keyboard has a name" {
	person bob
	open_window alice "$(account_of alice)"
	window_shows 'Is that the right centre?'
	all_named
	press No
	window_shows 'Log in to a message centre'
	all_named
	fill Server "127.0.0.1:$PORT"
	fill Name alice
	fill Password alice-secret
	press 'Log in'
	press 'Yes, trust it'
	window_shows Everybody
	types bob 'message alice hi'
	types bob 'getaddress alice'
	press bob
	window_shows 'bob: hi, '
	window_shows 'bob wants to talk privately.'
	all_named
	key Control+f
	window_shows 'Words to search for' visible
	all_named
	key Escape
}

# usage: overhears ; what readers of the screen are told, in $dir/told
overhears()
{
	command -v dbus-monitor >/dev/null || skip 'there is no dbus-monitor'
	(
		descriptors_close
		exec dbus-monitor --address "$AT_SPI_BUS_ADDRESS" "type='signal',
			interface='org.a11y.atspi.Event.Object',
			member='PropertyChange'"
	) >"$dir/told" 2>&1 3>&- &
	overhearing=$!
	wait_for has_line "$dir/told" NameAcquired
}

@test "a screen reader is told what comes in" {
	person bob
	enters alice
	types bob 'message alice hi'
	press bob
	window_shows 'bob: hi, '
	overhears
	types bob 'message alice here is news'
	look -r 'status bar' wait 'bob: here is news, '
	wait_for has_line "$dir/told" '"bob: here is news, '
	kill "$overhearing"
	wait "$overhearing" || true
}

# usage: focused_on TEXT ; the keyboard comes to what is called so
focused_on()
{
	window_shows "$1" focused
}

@test "arrow keys in the list only move; Enter opens" {
	person bob
	person carol
	enters alice
	types bob 'message alice one'
	window_shows 'bob, online, 1 unread'
	types carol 'message alice hi'
	window_shows 'carol, online, 1 unread'
	press Everybody
	focused_on 'To everybody'
	key Alt+Left
	focused_on Everybody
	key Down
	focused_on carol
	key Down
	focused_on bob
	type_text 'to nobody'
	titled '(2) Chat - alice'
	key Return
	focused_on 'To bob, through the centre'
	window_shows 'bob: one, '
	# It moves up, and the keyboard finds it there.
	types bob 'message alice more'
	window_shows 'bob: more, '
	key Alt+Left
	focused_on bob
	key Return
	focused_on 'To bob, through the centre'
	# From the search it goes back to writing.
	key Control+f
	focused_on 'Words to search for'
	key Escape
	focused_on 'To bob, through the centre'
}

@test "a new conversation with what is no name: asked again" {
	enters alice
	# What is typed at once is for the dialog.
	look key Control+n b o b Return
	window_shows 'To bob, through the centre' editable
	key Control+n
	window_shows 'With whom?'
	type_text 'no name!'
	key Return
	window_shows 'A name is 1 to 32 of a-z 0-9 . _ -'
	window_shows 'no name!' editable
	fill Name bob2
	key Return
	window_shows 'To bob2, through the centre' editable
}
