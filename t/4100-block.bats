#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Blocks: set, ended, listed, durable, and what they do to messages.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol dave
}

@test "a blocked sender is refused and told why" {
	centre_start
	in_session alice bob
	as bob block user=alice
	accepted
	send alice bob hi
	refused blocked
	says .text 'The recipient has blocked you.'
	# One way only.
	tell bob alice 'I can'
	hears alice 'bob: I can'
	hears bob "alice has stored $id"
	as bob unblock user=alice
	tell alice bob again
	hears bob 'alice: again'
}

@test "mail from before the block is still there" {
	centre_start
	login alice
	tell alice bob before
	login bob
	as bob block user=alice
	hears bob 'alice: before'
}

@test "a block outlives a restart, and is set for somebody offline" {
	centre_start
	login bob
	as bob block user=alice
	accepted
	centre_restart
	login alice
	send alice bob hi
	refused blocked
	as bob blocked
	says '.users == ["alice"]'
}

@test "repeating is no error" {
	centre_start
	login bob
	as bob block user=alice
	as bob block user=Alice
	accepted
	as bob blocked
	says '.users == ["alice"]'
	as bob unblock user=alice
	as bob unblock user=alice
	accepted
	as bob blocked
	says '.users == []'
}

@test "nobody, and oneself" {
	centre_start
	login bob
	for op in block unblock; do
		as bob $op user=nobody
		refused no-such-user
		as bob $op user='no name'
		refused no-such-user
		as bob $op user=bob
		refused not-allowed
	done
}

@test "the list is sorted and comes in pages" {
	centre_start
	login bob
	for name in dave alice carol; do
		as bob block user=$name
	done
	as bob blocked
	says '.users == ["alice", "carol", "dave"] and .more == false'
	as bob blocked max:=2
	says '.users == ["alice", "carol"] and .more == true'
	as bob blocked max:=2 after=carol
	says '.users == ["dave"] and .more == false'
	as bob blocked after=bz
	says '.users == ["carol", "dave"]'
	as bob blocked max:=0
	refused bad-request
}

@test "two who block each other" {
	centre_start
	in_session alice bob carol
	as alice block user=bob
	as bob block user=alice
	send alice bob hi
	refused blocked
	send bob alice hi
	refused blocked
	broadcast carol 'hi all'
	broadcast alice 'hi all'
	says '.reached == 1 and .refused == 1'
	hears bob 'carol (to all): hi all'
	as bob online
	says '[.users[].user] == ["carol"]'
	as alice online
	says '[.users[].user] == ["carol"]'
}
