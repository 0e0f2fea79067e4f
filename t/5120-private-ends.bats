#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How a private link ends: both clients are told why, and refuse it from then
# on.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob
}

# usage: begins [SETTING]... ; alice and bob, linked
begins()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };' "$@"
	person bob
	person alice
	linked alice bob
	whispers alice bob hi
}

# usage: over_for NAME OTHER ; there is no link any more
over_for()
{
	types "$1" "private $2 more"
	sees "$1" "$(no_link "$2")"
}

@test "by hanging up" {
	begins
	types alice 'hangup bob'
	ended alice bob 'hung up'
	ended bob alice 'hung up'
	over_for alice bob
	over_for bob alice
	sees_once alice 'The private link with bob has ended: hung up.'
	types alice 'hangup bob'
	sees alice 'There is no private link with bob.'
	linked bob alice
	whispers alice bob again
	saw_nothing_of bob more
}

@test "by a block" {
	begins
	types bob 'block alice'
	ended alice bob blocked
	ended bob alice blocked
	wait_for has_line "$dir/bob.out" 'User alice has been blocked.'
	over_for alice bob
	over_for bob alice
	types alice 'getaddress bob'
	sees alice 'bob has blocked you.'
}

@test "by a logout" {
	begins
	leaves bob
	ended alice bob 'logged out'
	over_for alice bob
	# Neither does it come back.
	person bob
	over_for alice bob
	over_for bob alice
}

@test "by a login elsewhere" {
	begins
	login bob
	ended alice bob 'logged out'
	over_for alice bob
	ends bob 1
}

@test "by the end of its time" {
	begins 'private: { pass_seconds = 3; };'
	ended alice bob expired
	ended bob alice expired
	over_for alice bob
	over_for bob alice
	sees_once alice 'The private link with bob has ended: expired.'
}

@test "by the administrator, who ends the session" {
	begins
	ctl session end bob
	ended alice bob 'logged out'
	over_for alice bob
	ends bob 77
}

@test "by a new address" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };' \
		'beacon: { enabled = false; };'
	spy bob
	PORT=$through person bob
	person alice
	linked alice bob
	whispers alice bob hi
	lies_to bob from 127.0.0.9
	ended alice bob 'new address'
	ended bob alice 'new address'
	over_for alice bob
	# The next one leads to where he is now.
	asks alice bob
	types bob 'accept alice'
	sees_like alice 'bob agreed: private messages go to 127\.0\.0\.9:[0-9]+\.'
	whispers alice bob 'over there'
	whispers bob alice 'and here'
}
