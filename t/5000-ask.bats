#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Asking for a private link at the centre: who may, what the other one is
# asked, what both are told once it agrees, and what nobody is told before.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

# usage: in_reach [NAME PORT]... ; all log in, and read what is new
in_reach()
{
	local names=()
	while [ $# -gt 0 ]; do
		linkable "$1" "$2"
		names+=("$1")
		shift 2
	done
	for name in "${names[@]}"; do
		sync "$name" >/dev/null
	done
}

# usage: nothing_of_bob NAME ; no reply or event of NAME's names his place
nothing_of_bob()
{
	sync "$1" >/dev/null
	! grep -E '127\.0\.0\.7|40002|host|pass' "$dir/$1.events" ||
		fail "$1 has learned where bob is"
}

@test "a question, a yes, and what both are told" {
	centre_start
	SOURCE=127.0.0.6 linkable alice 40001
	SOURCE=127.0.0.7 linkable bob 40002
	sync alice >/dev/null
	SOURCE=127.0.0.6 asks alice bob
	says '.expires_in == 60 and (.request | length) == 22'
	says 'keys == ["expires_in", "ok", "request"]'
	SOURCE=127.0.0.7 hears bob 'alice asks for a link.'
	event bob ask
	says 'keys == ["expires_in", "fingerprint", "from", "mail", "request",
		"time", "type"]'
	says .request "$request"
	says .fingerprint "$(key alice)"
	says '.expires_in >= 20 and .expires_in <= 60'
	SOURCE=127.0.0.6 nothing_of_bob alice
	SOURCE=127.0.0.7 agrees bob
	says 'keys == ["expires_in", "fingerprint", "host", "ok", "pass",
		"port", "user"]'
	says '[.user, .host, .port] == ["alice", "127.0.0.6", 40001]'
	says .fingerprint "$(key alice)"
	says '.expires_in == 3600 and (.pass | test("^[A-Za-z0-9_-]{43}$"))'
	pass=$(value .pass)
	SOURCE=127.0.0.6 hears alice 'bob is at 127.0.0.7:40002.'
	event alice address
	says 'keys == ["expires_in", "fingerprint", "host", "mail", "pass",
		"port", "request", "time", "type", "user"]'
	says .request "$request"
	says .pass "$pass"
	says .fingerprint "$(key bob)"
	says '.expires_in >= 3500 and .expires_in <= 3600'
	# Told, it is not told again.
	SOURCE=127.0.0.6 hears alice
	SOURCE=127.0.0.7 hears bob
}

@test "the same answer again is replied to as before, another one is not" {
	centre_start
	in_reach alice 40001 bob 40002
	asks alice bob
	agrees bob
	first=$reply
	agrees bob
	same "$(jq -c 'del(.expires_in)' <<<"$first")" \
		"$(jq -c 'del(.expires_in)' <<<"$reply")"
	hears alice 'bob is at 127.0.0.1:40002.'
	as bob answer request="$request" accept:=false
	refused not-allowed
	hears alice
}

@test "a no is told, and nothing else" {
	centre_start
	in_reach alice 40001 bob 40002
	asks alice bob
	as bob answer request="$request" accept:=false
	accepted
	says 'keys == ["ok"]'
	as bob answer request="$request" accept:=false
	accepted
	hears alice 'no link with bob (declined).'
	event alice declined
	says 'keys == ["mail", "reason", "request", "time", "type", "user"]'
	says .request "$request"
	as bob answer request="$request" accept:=true
	refused declined
	nothing_of_bob alice
	hears bob
	# It may be asked anew.
	asks alice bob
	hears bob 'alice asks for a link.'
}

@test "who is refused, in that order" {
	centre_start
	linkable alice 40001
	as alice ask to=dave
	refused no-such-user
	as alice ask to='no name'
	refused no-such-user
	as alice ask to=alice
	refused not-allowed
	as alice ask to=bob
	refused offline
	brief bob block user=alice
	as alice ask to=bob
	refused blocked
	linkable bob 40002
	as alice ask to=bob
	refused blocked
	as bob unblock user=alice
	login bob
	as alice ask to=bob
	refused not-allowed
	says .text 'That user takes no private links.'
	linkable bob 0
	as alice ask to=bob
	refused not-allowed
	login bob peer_port:=40002
	as alice ask to=bob
	refused not-allowed
	linkable bob 40002
	as alice block user=bob
	as alice ask to=bob
	refused not-allowed
	as alice unblock user=bob
	login alice
	as alice ask to=bob
	refused not-allowed
	says .text 'This session gave no key for private links.'
	sync bob
	run -1 grep '"ask"' "$dir/bob.events"
}

@test "who takes no links may ask, and has no port" {
	centre_start
	in_reach alice 0 bob 40002
	asks alice bob
	agrees bob
	says '.port == null and .host == "127.0.0.1"'
	hears alice 'bob is at 127.0.0.1:40002.'
}

@test "a centre without private links arranges none" {
	centre_start 'private: { enabled = false; };'
	in_reach alice 40001 bob 40002
	as alice ask to=bob
	refused not-allowed
	as alice ask to=dave
	refused no-such-user
	# Asked before it was turned off, agreed to after.
	reload 'private: { enabled = true; };'
	asks alice bob
	reload 'private: { enabled = false; };'
	as bob answer request="$request" accept:=true
	refused not-allowed
	nothing_of_bob alice
}

@test "asking again while the question waits is no second one" {
	centre_start
	in_reach alice 40001 bob 40002
	asks alice bob
	first=$request
	for _ in 1 2 3 4 5 6 7 8; do
		asks alice bob
		same "$first" "$request"
	done
	hears bob 'alice asks for a link.'
	asks alice bob
	same "$first" "$request"
	hears bob
}

@test "a pair has five questions in five minutes" {
	centre_start
	in_reach alice 40001 bob 40002 carol 40003
	for _ in 1 2 3 4 5; do
		asks alice bob
		as bob answer request="$request" accept:=false
		accepted
	done
	as alice ask to=bob
	refused not-allowed
	says '.retry_after > 0 and .retry_after <= 60'
	says '.text | startswith("You have asked bob too often;")'
	# Others, and the other way, are not meant.
	asks alice carol
	asks carol bob
	asks bob alice
}

@test "a question expires, for both" {
	centre_start 'private: { ask_seconds = 1; };'
	in_reach alice 40001 bob 40002
	asks alice bob
	says '.expires_in == 1'
	expired()
	{
		sync alice | grep -qxF 'no link with bob (expired).'
	}
	wait_for expired
	hears bob
	as bob answer request="$request" accept:=true
	refused expired
	nothing_of_bob alice
	asks alice bob
	[ -n "$request" ]
}

@test "nobody answers for another" {
	centre_start
	in_reach alice 40001 bob 40002 carol 40003
	asks alice bob
	for name in carol alice; do
		as "$name" answer request="$request" accept:=true
		refused expired
		as "$name" answer request="$request" accept:=false
		refused expired
	done
	hears alice
	agrees bob
	as carol answer request="$request" accept:=true
	refused expired
	hears carol
}

@test "a block between the question and the answer" {
	centre_start
	in_reach alice 40001 bob 40002 carol 40003
	asks alice bob
	as alice block user=bob
	as bob answer request="$request" accept:=true
	refused blocked
	hears alice 'no link with bob (declined).'
	asks carol bob
	as bob block user=carol
	as bob answer request="$request" accept:=true
	refused blocked
	says .text 'You have blocked that user.'
	hears carol 'no link with bob (declined).'
}

@test "who asks back agrees" {
	centre_start
	in_reach alice 40001 bob 40002
	asks alice bob
	first=$request
	as bob ask to=alice
	accepted
	says .request "$first"
	hears alice 'bob is at 127.0.0.1:40002.'
	pass=$(event alice address && value .pass)
	hears bob 'alice is at 127.0.0.1:40001.'
	event bob address
	says .pass "$pass"
}

@test "members that make no sense" {
	centre_start
	ask login user=bob password=bob-secret peer_port:=40002 \
		peer_fingerprint=sha256//short
	refused bad-request
	ask login user=bob password=bob-secret peer_port:=40002 \
		peer_fingerprint="$(key bob | tr / _)"
	refused bad-request
	ask login user=bob password=bob-secret peer_fingerprint=
	refused bad-request
	ask login user=bob password=bob-secret peer_fingerprint:=7
	refused bad-request
	in_reach alice 40001 bob 40002
	for accept in accept:=1 accept=true accept:=null; do
		as bob answer request=aaaaaaaaaaaaaaaaaaaaaa "$accept"
		refused bad-request
	done
	for request in '' short aaaaaaaaaaaaaaaaaaaaaa \
		"' OR 1=1 -- -- -- -- --" "$(printf 'x%.0s' {1..4000})"; do
		as bob answer request="$request" accept:=true
		refused expired
	done
	as alice ask
	refused bad-request
	brief alice ask to=bob
	refused bad-request
	as alice hangup user=dave
	refused no-such-user
	as alice hangup user=alice
	accepted
	as alice hangup user=bob
	accepted
	hears bob
}

@test "questions do not fill a mailbox, and there is an end to them" {
	people_many=70
	centre_configure 'limits: { mailbox_messages = 1; };'
	# One hash for all, or this would take a minute.
	sql "INSERT INTO users (name, hash, state, created, last_login, failed,
			mail_head, mail_count, mail_ack, room_ack)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n WHERE i < $people_many)
		SELECT printf('user-%02d', i), hash, state, created, 0,
			0, 0, 0, 0, 0 FROM n, users WHERE name = 'alice'"
	key=$(key someone)
	for i in $(seq "$people_many"); do
		token=$(printf '%042d%s' "$i" A)
		echo "$token" >"$dir/user-$i.token"
		hash=$(printf '%s' "$token" | sha256sum | cut -d' ' -f1)
		echo "INSERT INTO session (token, user_id, family, port, ip,
			since, used, login_room, online, ended, ended_at,
			ended_from, peer_port, peer_key)
			SELECT x'$hash', id, 2, 1, zeroblob(16), created,
			4000000000000, 0, created, '', 0, '', 40000, '$key'
			FROM users WHERE name = printf('user-%02d', $i);"
	done >"$dir/sessions.sql"
	sql "$(cat "$dir/sessions.sql")"
	centre_run
	login alice
	linkable bob 40002
	for i in $(seq "$people_many"); do
		request ask token="$(<"$dir/user-$i.token")" to=bob
		echo "$line"
	done >"$dir/asks"
	wire --ca "$state/ca.pem" <"$dir/asks" >"$dir/replies"
	same 64 "$(grep -c '"ok":true' "$dir/replies")"
	same 6 "$(grep -c '"not-allowed"' "$dir/replies")"
	tell alice bob 'there is room'
	sync bob >"$dir/news"
	same 64 "$(grep -c 'asks for a link.' "$dir/news")"
	has_line "$dir/news" 'alice: there is room'
}

@test "a question knocks" {
	centre_start
	in_reach alice 40001 bob 40002
	as bob live mail:=0 room:=0
	before=$(value .mail)
	asks alice bob
	as bob live mail:=0 room:=0
	[ "$(value .mail)" -gt "$before" ]
}
