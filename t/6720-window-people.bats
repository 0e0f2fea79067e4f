#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The window between people: messages and their states, presence, what is
# unread, private links, blocks, a centre that is lost, search.

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

# usage: writes_to TEXT ; into the open conversation, and sends it
writes_to()
{
	look fill "${3:-, through the centre}" "$1"
	press Send
}

@test "a message from bob, and the answer with its states" {
	person bob
	enters alice
	types bob 'message alice hi'
	press bob
	window_shows 'bob: hi, '
	writes_to 'hello bob'
	window_shows 'You: hello bob, '
	sees bob 'alice: hello bob'
	window_shows ', fetched by bob'
	# What is sent from elsewhere stands there as well.
	once 0 alice send bob 'from my shell'
	window_shows 'You: from my shell, '
	centre_stop
	window_shows 'The centre cannot be reached; messages will be sent when it is back.'
	writes_to 'are you there?'
	window_shows 'waiting to be sent'
	centre_again
	window_lacks 'The centre cannot be reached'
	sees bob 'alice: are you there?'
	window_lacks 'waiting to be sent'
}

@test "presence, what is unread, and the count in the title" {
	person carol
	enters alice
	types carol 'message alice one'
	window_shows 'carol, online, 1 unread'
	titled "(1) Chat - alice"
	types carol 'message alice two'
	types carol 'broadcast to all of you'
	window_shows 'carol, online, 2 unread'
	titled "(3) Chat - alice"
	key Alt+a
	window_shows 'carol (to all): to all of you, '
	titled "(2) Chat - alice"
	key Alt+a
	window_shows 'carol: two, '
	titled "Chat - alice"
	window_lacks unread
	leaves carol
	window_shows 'carol, offline'
	person carol
	window_shows 'carol, online'
}

@test "bob asks for a private link; alice agrees, and writes straight to him" {
	person bob
	enters alice
	types bob 'getaddress alice'
	window_shows 'bob wants to talk privately.'
	window_shows 'sha256//'
	press Agree
	sees_like bob 'alice agreed: private messages go to .*'
	window_lacks 'bob wants to talk privately.'
	press bob
	types bob 'private alice psst'
	window_shows 'bob (private): psst, '
	press Private
	writes_to 'I am all ears' '' Privately
	sees bob 'alice (private): I am all ears'
	window_shows 'You (private): I am all ears, '
	types bob 'hangup alice'
	window_shows 'There is no private link with bob.'
}

@test "alice says no" {
	person bob
	enters alice
	types bob 'getaddress alice'
	press Decline
	sees bob 'alice declined.'
	window_lacks 'bob wants to talk privately.'
}

@test "a block, and what it does to both" {
	person bob
	enters alice
	types bob 'message alice hi'
	press bob
	window_shows 'bob: hi, '
	key Control+Shift+b
	window_shows 'User bob has been blocked.'
	window_shows 'bob, blocked'
	types bob 'message alice do you hear me?'
	sees bob 'Your message could not be delivered as the recipient has blocked you.'
	key Control+Shift+u
	window_shows 'User bob is unblocked.'
	types bob 'message alice and now?'
	window_shows 'bob: and now?, '
	# The other way round.
	types bob 'block alice'
	sees bob 'User alice has been blocked.'
	writes_to 'bob?'
	window_shows 'Your message could not be delivered as the recipient has blocked you.'
}

@test "searched in what was said" {
	person bob
	enters alice
	for text in 'the harbour at noon' 'nothing' 'a noon gun'; do
		types bob "message alice $text"
	done
	press bob
	window_shows 'bob: a noon gun, '
	key Control+f
	window_shows 'Words to search for' focused
	type_text noon
	key Return
	window_shows '2 found.'
	key Escape
	window_shows 'bob: nothing, '
}

@test "what bob writes is shown, and never obeyed" {
	person bob
	enters alice
	types bob 'message alice <b>bold</b> & <span size="99999">big'
	types bob $'message alice red\u202eder'
	press bob
	window_shows 'bob: <b>bold</b> & <span size="99999">big, '
	window_shows red
	run ! look -s 1 wait $'\u202e'
}
