#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Sending: ids, retries, what is refused and in which order, offline mail.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

@test "a message reaches who it is for, and nobody else" {
	centre_start
	in_session alice bob carol
	tell alice bob 'hi bob'
	says .state accepted
	says .online true
	says '.time | test("^20..-..-..T..:..:..[.]...Z$")'
	hears bob 'alice: hi bob'
	hears carol
	hears alice "bob has stored $id"
	hears bob
}

@test "an event in full" {
	centre_start
	in_session alice bob
	tell alice bob $'two\nlines\tand "quotes" ✓'
	sync bob
	reply=$(<"$dir/bob.events")
	says 'keys == ["from", "id", "mail", "text", "time", "type"]'
	says .type message
	says .from alice
	says .id "$id"
	says '.mail == 1'
	says .text $'two\nlines\tand "quotes" ✓'
	says '.time | test("^20..-..-..T..:..:..[.]...Z$")'
}

@test "mail for somebody offline waits, through a restart" {
	centre_start
	login alice
	tell alice bob one
	says .online false
	tell alice bob two
	centre_restart
	tell alice bob three
	login bob
	hears bob 'alice: one' 'alice: two' 'alice: three'
	centre_restart
	hears bob
}

@test "what was accepted survives the store's death" {
	centre_start
	login alice
	login bob
	for i in 1 2 3 4 5; do
		tell alice bob "number $i"
		centre_kill store
		wait_for centre_alive
		wait_for served bob
	done
	hears bob 'alice: number 1' 'alice: number 2' 'alice: number 3' \
		'alice: number 4' 'alice: number 5'
}

# usage: served NAME ; the store answers again
served()
{
	as "$1" live mail:=0 room:=0 >/dev/null && accepted 2>/dev/null
}

@test "the same again is answered as the first time and stored once" {
	centre_start
	login alice
	tell alice bob once
	first=$reply
	login bob
	for _ in 1 2 3; do
		as alice send id="$id" to=bob text=once
		same "$first" "$reply"
	done
	centre_restart
	as alice send id="$id" to=bob text=once
	same "$first" "$reply"
	# A brief login is the same sender, and BOB the same recipient.
	brief alice send id="$id" to=BOB text=once
	same "$first" "$reply"
	hears bob 'alice: once'
	as alice send id="$id" to=bob text=once
	same "$first" "$reply"
	hears bob
}

@test "the same id for something else is refused" {
	centre_start
	login alice
	login bob
	tell alice bob once
	as alice send id="$id" to=bob text=twice
	refused bad-request
	as alice send id="$id" to=carol text=once
	refused bad-request
	# Send and broadcast share the ids.
	as alice broadcast id="$id" text=once
	refused bad-request
	# Another sender's ids are others.
	as bob send id="$id" to=carol text=once
	accepted
	hears bob 'alice: once'
}

@test "a refusal is not kept under its id" {
	centre_start
	in_session alice bob
	as bob block user=alice
	send alice bob hi
	refused blocked
	as bob unblock user=alice
	as alice send id="$id" to=bob text=hi
	accepted
	hears bob 'alice: hi'
}

@test "ids of the wrong form" {
	centre_start
	login alice
	for bad in 0123456789abcde "$(printf '%065d' 0)" 0123456789abcde. \
		'0123456789 abcdef' '' 0123456789abcdeä; do
		as alice send id="$bad" to=bob text=hi
		refused bad-request
	done
	for good in 0123456789abcdef "$(printf '%064d' 0)" Az09_-Az09_-Az09; do
		as alice send id="$good" to=bob text=hi
		accepted
	done
}

@test "nobody of that name" {
	centre_start
	login alice
	send alice dave hi
	refused no-such-user
	send alice 'no name' hi
	refused no-such-user
	send alice '' hi
	refused no-such-user
}

@test "the length of a text counts in bytes" {
	centre_start 'limits: { message_bytes = 10; };'
	login alice
	login bob
	tell alice bob 0123456789
	send alice bob 0123456789a
	refused too-large
	tell alice bob 'äöüßé'
	send alice bob 'äöüßéx'
	refused too-large
	send alice bob ''
	refused bad-request
	new_id
	as alice broadcast id="$id" text=0123456789a
	refused too-large
	hears bob 'alice: 0123456789' 'alice: äöüßé'
}

@test "8192 bytes by default, 16384 at most" {
	centre_start
	login alice
	login bob
	tell alice bob "$(printf '%08192d' 0)"
	send alice bob "$(printf '%08193d' 0)"
	refused too-large
	reload 'limits: { message_bytes = 16384; };'
	tell alice bob "$(printf '%016384d' 0)"
	send alice bob "$(printf '%016385d' 0)"
	refused too-large
	sync bob >"$dir/bob"
	same '8199 16391' "$(awk '{ print length }' "$dir/bob" | xargs)"
}

@test "control characters other than newline and tab are refused" {
	centre_start
	login alice
	login bob
	for bad in '\u0000' '\u0001' '\u0007' '\b' '\f' '\r' '\u001b' \
		'\u007f' '\u0080' '\u009b'; do
		new_id
		as alice send id="$id" to=bob text:="\"hi${bad}there\""
		refused bad-request
		as alice broadcast id="$id" text:="\"hi${bad}there\""
		refused bad-request
	done
	new_id
	as alice send id="$id" to=bob text:='"hi\n\tthere"'
	accepted
	new_id
	as alice send id="$id" to=bob text:='"\u00e4 \ud83d\ude00 \u202e"'
	accepted
	hears bob $'alice: hi\n\tthere' $'alice: ä 😀 \u202e'
}

@test "half a surrogate pair is malformed" {
	centre_start
	login alice
	for bad in '\ud83d' '\ude00' '\ud83dx'; do
		new_id
		as alice send id="$id" to=bob text:="\"$bad\""
		refused bad-request
	done
}

@test "a mailbox that is full refuses, and takes again once it was read" {
	centre_start 'limits: { mailbox_messages = 3; };'
	login alice
	for i in 1 2 3; do
		tell alice bob $i
	done
	send alice bob 4
	refused mailbox-full
	full=$id
	tell alice carol 'another box'
	login bob
	peek bob max:=2
	as alice send id="$full" to=bob text=4
	refused mailbox-full
	hears bob 'alice: 1' 'alice: 2' 'alice: 3'
	as alice send id="$full" to=bob text=4
	accepted
	hears bob 'alice: 4'
}

@test "refusals come in their order" {
	centre_start 'limits: { mailbox_messages = 1; };'
	in_session alice bob
	tell alice bob 1
	as bob block user=alice
	send alice bob 2
	refused blocked
	as bob unblock user=alice
	send alice bob 2
	refused mailbox-full
	send alice nobody 2
	refused no-such-user
}

@test "one may write to oneself" {
	centre_start
	in_session alice
	tell alice alice 'a note'
	says .online true
	first=$id
	hears alice 'alice: a note' "alice has stored $first"
}

@test "a deleted sender's mail stays, a deleted recipient is nobody" {
	centre_start
	login alice
	login bob
	tell alice bob 'before I go'
	ctl user delete alice
	hears bob 'alice: before I go' 'alice has logged out (removed).'
	send bob alice 'where are you?'
	refused no-such-user
}
