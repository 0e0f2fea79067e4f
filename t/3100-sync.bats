#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Cursors: only sync acknowledges; pages; what a wrong cursor or epoch gets.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

@test "nothing is acknowledged by being fetched" {
	centre_start
	login alice
	login bob
	tell alice bob hi
	for _ in 1 2 3; do
		peek bob
		says '.events[0].text == "hi" and (.events | length) == 1'
	done
	# Nor by live, whatever it says of cursors.
	as bob live mail:=1 room:=0
	says '.mail == 1'
	hears alice 'bob has logged in.'
	peek bob
	says '.events[0].text == "hi"'
}

@test "what the next cursor acknowledges is gone for good" {
	centre_start
	login alice
	login bob
	tell alice bob one
	tell alice bob two
	cursor bob
	as bob sync epoch="$epoch" mail:=1 room:="$room"
	says '[.events[].text] == ["two"]'
	# A cursor that goes back gets no more of it.
	as bob sync epoch="$epoch" mail:=0 room:="$room"
	says '[.events[].text] == ["two"]'
	says '.mail == 2'
}

@test "the login tells what was acknowledged" {
	centre_start
	login alice
	login bob
	tell alice bob one
	tell alice bob two
	cursor bob
	as bob sync epoch="$epoch" mail:=1 room:="$room"
	ask login user=bob password=bob-secret
	says '.mail == 1'
	login bob
	hears bob 'alice: two'
}

@test "max is how many events at most, and more says there are more" {
	centre_start
	login alice
	login bob
	for i in 1 2 3 4 5; do
		tell alice bob $i
	done
	peek bob max:=2
	says '[.events[].text] == ["1", "2"]'
	says '.more == true and .mail == 2'
	says '.gap == false'
	peek bob max:=5
	says '(.events | length) == 5 and .more == false and .mail == 5'
	peek bob max:=0
	refused bad-request
	peek bob max:=-1
	refused bad-request
	peek bob max:=100000
	accepted
	sync bob max:=1 >"$dir/bob"
	same 5 "$(wc -l <"$dir/bob")"
}

@test "a reply holds at most 60 KiB of events, at least one" {
	centre_start 'limits: { message_bytes = 16384; };'
	login alice
	login bob
	# Each of these octets takes two on the wire.
	for i in {1..6}; do
		tell alice bob "$(printf '%016000d' 0 | tr 0 '"')"
	done
	peek bob
	[ ${#reply} -lt 65536 ]
	says '(.events | length) == 1 and .more == true'
	for i in {1..6}; do
		tell alice bob "$(printf '%09900d' 0)"
	done
	sync bob >"$dir/bob"
	same 12 "$(wc -l <"$dir/bob")"
	for i in {1..12}; do
		tell alice bob "$(printf '%09900d' 0)"
	done
	peek bob
	[ ${#reply} -lt 65536 ]
	says '(.events | length) == 6 and .more == true'
}

@test "a cursor above the head is malformed" {
	centre_start
	login alice
	login bob
	tell alice bob hi
	cursor bob
	as bob sync epoch="$epoch" mail:=2 room:="$room"
	refused bad-request
	as bob sync epoch="$epoch" mail:=0 room:=99
	refused bad-request
	as bob sync epoch="$epoch" mail:=9223372036854775807 room:="$room"
	refused bad-request
	as bob sync epoch="$epoch" mail:=9223372036854775808 room:="$room"
	refused bad-request
	as bob sync epoch="$epoch" mail:=-1 room:="$room"
	refused bad-request
	as bob sync epoch="$epoch" mail:=0.5 room:="$room"
	refused bad-request
	# Nothing of it acknowledged anything.
	hears bob 'alice: hi'
}

@test "the epoch of another life is malformed" {
	centre_start
	login alice
	login bob
	tell alice bob hi
	cursor bob
	for bad in 0123456789abcdef '' "${epoch}0" "${epoch:1}" "${epoch^^}"; do
		[ "$bad" != "$epoch" ] || continue
		as bob sync epoch="$bad" mail:=1 room:="$room"
		refused bad-request
	done
	hears bob 'alice: hi'
}

@test "the epoch stays for the life of the database" {
	centre_start
	login bob
	cursor bob
	first=$epoch
	centre_restart
	login bob
	cursor bob
	same "$first" "$epoch"
	# It is not that of another centre.
	centre_stop
	rm "$state"/chatd.db*
	centre_again
	user_add bob
	login bob
	cursor bob
	[ "$first" != "$epoch" ]
}

@test "both logs come in the order of their time" {
	centre_start
	in_session alice bob carol
	tell alice bob one
	broadcast alice two
	tell carol bob three
	broadcast carol four
	hears bob 'alice: one' 'alice (to all): two' 'carol: three' \
		'carol (to all): four'
}

@test "live tells the heads" {
	centre_start
	in_session alice bob
	as bob live mail:=0 room:=0
	says 'keys == ["epoch", "mail", "ok", "room"]'
	before=$(value .room)
	tell alice bob hi
	broadcast alice hi
	as bob live mail:=0 room:=0
	says '.mail == 1'
	says ".room == $before + 1"
	cursor bob
	says .epoch "$epoch"
}

@test "the room log that was cleared away leaves a gap" {
	centre_start
	in_session alice bob
	broadcast alice old
	broadcast alice older
	centre_stop
	# Written eight days ago, seven are kept.
	sql 'UPDATE room SET time = time - 691200000'
	centre_again
	wait_for gap bob
	says '.events == []'
	broadcast alice new
	hears bob 'alice (to all): new'
	peek bob
	says '.gap == false'
}

# usage: gap NAME ; the log does not reach back to NAME's cursor any more
gap()
{
	peek "$1" >/dev/null && says '.gap == true' 2>/dev/null
}
