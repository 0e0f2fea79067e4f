#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Sessions that end, and what goes on without one: brief logins, the timeout,
# the lifetime of a token.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

@test "a brief login gives no token and replaces nobody" {
	centre_start
	login alice
	ask login user=alice password=alice-secret brief:=true
	accepted
	says '.token == null and has("token")'
	says .user alice
	as alice live mail:=0 room:=0
	accepted
}

@test "a brief login is no presence" {
	centre_start
	in_session bob
	brief alice online
	accepted
	says '[.users[].user] == ["bob"]'
	as bob online
	says '.users == []'
	hears bob
}

@test "a brief login is for this connection only" {
	centre_start
	brief alice online
	accepted
	ask online
	refused not-allowed
}

@test "what a brief login may do" {
	centre_start
	brief alice send id=0123456789abcdef to=bob text='from a script'
	accepted
	says '.state == "accepted" and .online == false'
	brief alice broadcast id=0123456789abcdeg text='to all'
	accepted
	for op in online blocked; do
		brief alice $op
		accepted
	done
	brief alice block user=bob
	accepted
	brief alice blocked
	says '.users == ["bob"]'
	brief alice unblock user=bob
	accepted
	login bob
	hears bob 'alice: from a script'
}

@test "what takes a session is refused to a brief login" {
	centre_start
	brief alice live mail:=0 room:=0
	refused bad-request
	brief alice sync epoch=0123456789abcdef mail:=0 room:=0
	refused bad-request
	brief alice logout
	refused bad-request
}

@test "several requests in one brief login, one of them another login" {
	centre_start
	replies=$(wire --one <<-'END'
		{"op":"login","user":"alice","password":"alice-secret","brief":true}
		{"op":"send","id":"0123456789abcde1","to":"carol","text":"one"}
		{"op":"login","user":"bob","password":"bob-secret","brief":true}
		{"op":"send","id":"0123456789abcde2","to":"carol","text":"two"}
	END
	)
	same 'true true true true' "$(jq -r .ok <<<"$replies" | xargs)"
	login carol
	hears carol 'alice: one' 'bob: two'
}

@test "a brief login leaves the last login as it was" {
	centre_start
	login alice
	ask login user=alice password=wrong
	brief alice online
	ask login user=alice password=alice-secret
	says '.failed_attempts == 1'
	says '.last_login != null'
}

@test "the timeout ends presence, not the token" {
	centre_start 'session: { heartbeat = 1; timeout = 2; };'
	in_session alice bob
	end=$((SECONDS + patience))
	# Bob stays and hears of it.
	until sync bob | grep -qxF 'alice has logged out (timeout).'; do
		[ $SECONDS -lt $end ]
	done
	as bob online
	says '.users == []'
	tell bob alice 'kept'
	says .online false
	# The next request puts her online again, here by roaming.
	SOURCE=127.0.0.2 as alice live mail:=0 room:=0
	accepted
	as bob online
	says '[.users[].user] == ["alice"]'
	sync alice >"$dir/alice"
	grep -qxF 'bob: kept' "$dir/alice"
}

@test "what a client asks for keeps it online" {
	centre_start 'session: { heartbeat = 1; timeout = 2; };'
	in_session alice bob
	end=$((SECONDS + 4))
	while [ $SECONDS -lt $end ]; do
		as alice live mail:=0 room:=0 >/dev/null
		as bob online >/dev/null
		says '[.users[].user] == ["alice"]'
	done
	hears bob
}

@test "a restart logs nobody out, however long it took" {
	centre_start 'session: { heartbeat = 1; timeout = 2; };'
	in_session alice bob
	centre_stop
	# As if both had been silent for a day.
	sql 'UPDATE session SET since = since - 86400000,
		online = online - 86400000'
	centre_again
	as alice online
	accepted
	says '[.users[].user] == ["bob"]'
	hears alice
}

@test "a token that was not used for its lifetime has ended" {
	centre_start 'session: { lifetime_days = 2; };'
	login alice
	login bob
	centre_stop
	sql "UPDATE session SET used = used - 172900000 WHERE user_id =
		(SELECT id FROM users WHERE name = 'alice')"
	sql "UPDATE session SET used = used - 170000000 WHERE user_id =
		(SELECT id FROM users WHERE name = 'bob')"
	centre_again
	# Alice's own request would be a use of it.
	wait_for bob_alone
	as alice live mail:=0 room:=0
	refused session-expired
	as bob live mail:=0 room:=0
	accepted
}

# usage: bob_alone ; he sees nobody online
bob_alone()
{
	as bob online >/dev/null && says '.users == []' 2>/dev/null
}
