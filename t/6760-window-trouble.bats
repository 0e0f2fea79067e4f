#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The window where private messages do not arrive: left at the centre, tried
# again, and a key that has changed.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private
load lib/window

setup_file()
{
	people alice bob
}

set_up()
{
	window_wanted
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: bob_agrees ; to a private link that alice's window asks for
bob_agrees()
{
	key Control+p
	sees_like bob 'alice wants to talk privately\..*'
	types bob 'accept alice'
	window_shows 'bob, online, (private)'
}

# usage: whispers_to_bob TEXT
whispers_to_bob()
{
	look fill 'Privately, straight to bob' "$1"
	press Send
}

# usage: bob_dies ; his agent does, without a word; he is in session still
bob_dies()
{
	local pid
	pid=$(agent_of bob)
	kill -KILL "$pid"
	wait_for gone "$pid"
	ends bob 75
}

@test "kept, tried again, and left at the centre" {
	person bob
	enters alice
	types bob 'message alice hi'
	press bob
	bob_agrees
	whispers_to_bob 'are you there?'
	sees bob 'alice (private): are you there?'
	bob_dies
	whispers_to_bob 'where are you?'
	window_shows 'Leave at the Centre'
	window_shows 'You (private): where are you?, '
	press 'Try Again'
	window_shows 'where are you?' editable
	fill 'Privately, straight to bob' ''
	press 'Leave at the Centre'
	window_shows 'left at the centre'
	window_lacks 'Leave at the Centre'
	person bob
	sees_like bob 'alice.*: where are you\?'
}

@test "another key of bob is trusted only when both were shown" {
	person bob
	enters alice
	types bob 'message alice hi'
	press bob
	bob_agrees
	old=$(key_of bob)
	leaves bob
	rm "$dir/bob.state"/*/peer.*
	person bob
	new=$(key_of bob)
	[ "$old" != "$new" ]
	types bob 'getaddress alice'
	press Agree
	window_shows 'another key'
	key Control+Shift+k
	window_shows 'The key of bob has changed'
	window_shows "$old"
	window_shows "$new"
	press 'Trust the New Key'
	window_shows 'The new key of bob is trusted from now on.'
	window_lacks 'another key'
}
