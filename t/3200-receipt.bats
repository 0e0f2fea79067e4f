#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Receipts: what the recipient's client has stored, one a sender and sync.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

@test "one receipt a sender and sync" {
	centre_start
	in_session alice bob carol
	tell alice bob one
	one=$id
	tell carol bob two
	two=$id
	tell alice bob three
	hears bob 'alice: one' 'carol: two' 'alice: three'
	hears alice "bob has stored $one $id"
	hears carol "bob has stored $two"
}

@test "a receipt comes with what was acknowledged, not with what was fetched" {
	centre_start
	in_session alice bob
	tell alice bob one
	one=$id
	tell alice bob two
	peek bob
	hears alice
	cursor bob
	as bob sync epoch="$epoch" mail:=1 room:="$room"
	hears alice "bob has stored $one"
	as bob sync epoch="$epoch" mail:=1 room:="$room"
	hears alice
	hears bob 'alice: two'
	hears alice "bob has stored $id"
}

@test "a receipt causes none, and is an event like others" {
	centre_start
	in_session alice bob
	tell alice bob hi
	sync bob
	sync alice
	reply=$(<"$dir/alice.events")
	says 'keys == ["ids", "mail", "time", "to", "type"]'
	says '.mail == 1'
	hears bob
	hears alice
}

@test "no receipt to somebody who is blocked" {
	centre_start
	in_session alice bob
	tell alice bob hi
	as bob block user=alice
	hears bob 'alice: hi'
	hears alice
}

@test "receipts do not fill a mailbox" {
	centre_start 'limits: { mailbox_messages = 2; };'
	login bob
	login carol
	login alice
	for i in 1 2 3; do
		tell alice bob $i
		sync bob
		tell alice carol $i
		sync carol
	done
	# Six receipts wait for alice, and two messages find their place.
	tell bob alice one
	tell carol alice two
	send bob alice three
	refused mailbox-full
	sync alice >"$dir/alice"
	same 6 "$(grep -c ' has stored ' "$dir/alice")"
	tell bob alice three
}

@test "many ids come in receipts that fit a line" {
	centre_start
	in_session alice bob
	token=$(<"$dir/alice.token")
	for i in {1..900}; do
		printf '{"op":"send","token":"%s","id":"%064d","to":"bob","text":"%d"}\n' \
			"$token" "$i" "$i"
		((i % 250)) || echo
	done >"$dir/lines"
	# As many as one connection takes, in each.
	awk -v RS='' '{ print > FILENAME "." NR }' "$dir/lines"
	for file in "$dir"/lines.*; do
		wire <"$file" >"$dir/replies"
		same "$(wc -l <"$file")" "$(grep -c '"ok":true' "$dir/replies")"
	done
	sync bob >"$dir/bob"
	same 900 "$(wc -l <"$dir/bob")"
	sync alice
	same 900 "$(jq -r '.ids[]' "$dir/alice.events" | sort -u | wc -l)"
	same 900 "$(jq -r '.ids[]' "$dir/alice.events" | wc -l)"
}
