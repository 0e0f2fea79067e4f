#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The pictures of README.md: no test, but a conversation to look at.  Run by
# `make pictures`, which copies them to dist/pictures/.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/window

setup_file()
{
	people alice bob carol dave
}

# usage: conversation ; what has been said when the pictures are taken
conversation()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person carol
	person dave
	enters alice
	look size 860 600
	types dave 'message alice Is the harbour office open on Friday?'
	types carol 'broadcast Lunch at noon in the small kitchen?'
	types bob 'message alice Good morning! The boat is ready.'
	press bob
	window_shows 'bob: Good morning! The boat is ready., '
	answers 'Wonderful. When do we leave?'
	window_shows ', fetched by bob'
	types bob 'message alice At seven, while the wind holds. Shall I tell you the code of the gate?'
	types bob 'getaddress alice'
	window_shows 'bob wants to talk privately.'
}

# usage: answers TEXT [HOW] ; alice, in the open conversation
answers()
{
	fill "${2:-, through the centre}" "$1"
	press Send
}

# usage: agreed ; and writes privately
agreed()
{
	press Agree
	sees_like bob 'alice agreed: .*'
	types bob 'private alice The code is 4711. The centre never sees this line.'
	window_shows 'bob (private): The code is 4711'
	press Private
	answers 'Only I do. Thank you!' Privately
	window_shows 'You (private): Only I do.'
	window_shows ', fetched by bob'
	leaves dave
	window_shows 'dave, offline'
}

@test "light: a consent question, then a private conversation" {
	window_wanted
	conversation
	picture consent
	agreed
	window_lacks "You agreed"
	picture light
}

@test "dark" {
	window_wanted
	mkdir -p "$dir/alice.state"
	printf '[window]\nlook=dark\n' >"$dir/alice.state/window.conf"
	conversation
	agreed
	window_lacks "You agreed"
	picture dark
}
