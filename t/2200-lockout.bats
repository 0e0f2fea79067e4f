#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Failed logins: counted by account name, locked at the limit, for a while.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: guess NAME [PASSWORD] ; a login that fails
guess()
{
	ask login user="$1" password="${2:-wrong}"
}

# usage: three_wrong NAME ; locks it
three_wrong()
{
	local left
	for left in 2 1 0; do
		guess "$1"
		refused login-failed
		says .attempts_left $left
	done
}

# usage: let_in NAME ; true once the right password opens
let_in()
{
	ask login user="$1" password="$1-secret" && accepted
} 2>/dev/null

@test "the third failure locks, the right password too is refused then" {
	centre_start
	three_wrong alice
	guess alice
	refused login-blocked
	says '.retry_after > 55 and .retry_after <= 60'
	ask login user=alice password=alice-secret
	refused login-blocked
	says 'has("attempts_left") | not'
	# Bob is somebody else.
	login bob
}

@test "a lock holds for every address" {
	centre_start
	guess alice
	SOURCE=127.0.0.2 guess alice
	says .attempts_left 1
	SOURCE=127.0.0.3 guess alice
	says .attempts_left 0
	SOURCE=127.0.0.4 ask login user=alice password=alice-secret
	refused login-blocked
}

@test "unknown names answer as known ones do" {
	centre_start
	guess alice
	known=$(jq -c . <<<"$reply")
	guess nobody
	same "$known" "$(jq -c . <<<"$reply")"
	guess nobody
	guess nobody
	says .attempts_left 0
	guess nobody
	refused login-blocked
	says '.retry_after > 55 and .retry_after <= 60'
	known=$(jq -r '[keys[], .text] | join(" ")' <<<"$reply")
	three_wrong bob
	guess bob
	same "$known" "$(value '[keys[], .text] | join(" ")')"
}

@test "attempts that are refused cost no hash and do not prolong a lock" {
	centre_start 'login: { block_seconds = 2; };'
	start=${EPOCHREALTIME/./}
	three_wrong alice
	while guess alice && says '.error == "login-blocked"' 2>/dev/null; do
		[ $((${EPOCHREALTIME/./} - start)) -lt $((patience * 1000000)) ]
	done
	# It ended though there was no pause, and counts afresh.
	[ $((${EPOCHREALTIME/./} - start)) -ge 2000000 ]
	refused login-failed
	says .attempts_left 2
	login alice
}

@test "a success clears the count" {
	centre_start
	guess alice
	guess alice
	says .attempts_left 1
	login alice
	guess alice
	says .attempts_left 2
}

@test "of twenty guesses at once three are judged" {
	centre_start
	pids=()
	for i in {1..20}; do
		guess alice "guess $i" >"$dir/guess.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same '0 1 2' "$(jq -r 'select(.error == "login-failed") |
		.attempts_left' "$dir"/guess.* | sort | xargs)"
	same 17 "$(jq -r 'select(.error == "login-blocked") |
		.error' "$dir"/guess.* | wc -l)"
	ask login user=alice password=alice-secret
	refused login-blocked
}

@test "a login is charged on the disk before its password is hashed" {
	centre_start
	keeper=$(centre_pid keeper)
	for i in 1 2 3; do
		GATE=$dir/gate guess alice >"$dir/guess.$i" &
		pids+=($!)
	done
	GATE=$dir/last guess alice >"$dir/guess.4" &
	last=$!
	wait_for met "$dir/gate" 3
	wait_for met "$dir/last" 1
	kill -STOP "$keeper"
	touch "$dir/gate"
	wait_for at_work 3
	# Nothing was judged, yet the name is locked.
	touch "$dir/last"
	wait $last
	reply=$(<"$dir/guess.4")
	refused login-blocked
	centre_kill store
	# Its successor gets no verdict that was meant for it.
	kill -CONT "$keeper"
	wait "${pids[@]}" || true
	# Guessing until it is so would make it so.
	wait_for store_serves
	guess alice
	refused login-blocked
	same 0 "$(jq -r 'select(.error == "login-failed") | .error' \
		"$dir"/guess.* | wc -l)"
}

# usage: store_serves ; it answers, without a guess
store_serves()
{
	ctl status >/dev/null 2>&1
}

# usage: at_work COUNT ; so many passwords are being judged
at_work()
{
	[ "$(ctl status --json | jq .hashes)" -eq "$1" ]
}

@test "a lock survives restarts, and the death of the store" {
	centre_start
	three_wrong alice
	guess nobody
	guess nobody
	centre_restart
	guess alice
	refused login-blocked
	says '.retry_after > 45 and .retry_after <= 60'
	guess nobody
	says .attempts_left 0
	centre_kill store
	wait_for store_serves
	guess alice
	refused login-blocked
	says '.retry_after > 30 and .retry_after <= 60'
	guess nobody
	refused login-blocked
}

@test "a flood of names drives out known and unknown ones alike" {
	centre_start
	three_wrong bob
	guess alice
	guess nobody
	centre_stop
	sql "WITH RECURSIVE c (n) AS
		(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 65533)
		INSERT INTO lock SELECT 'flood-' || n, 0, 1, 0,
		(SELECT max(time) FROM lock) + n FROM c"
	centre_again
	guess one-more
	guess and-more
	for name in alice nobody; do
		guess $name
		says .attempts_left 2
	done
	guess bob
	refused login-blocked
}

@test "what remains after a restart is at most the whole time" {
	centre_start
	three_wrong alice
	three_wrong bob
	centre_stop
	# The clock was an hour ahead, and an hour behind.
	sql "UPDATE lock SET until = until + 3600000 WHERE name = 'alice'"
	sql "UPDATE lock SET until = until - 3600000 WHERE name = 'bob'"
	centre_again
	guess alice
	refused login-blocked
	says '.retry_after > 50 and .retry_after <= 60'
	guess bob
	refused login-failed
	says .attempts_left 2
}

@test "an open session goes on and is told, in one notice" {
	centre_start
	in_session alice bob
	three_wrong alice
	as alice live mail:=0 room:=0
	accepted
	tell alice bob 'still here'
	hears alice \
		'notice: 3 failed logins for your account, the last from 127.0.0.1.'
	hears bob 'alice: still here'
}

@test "a brief login is charged alike" {
	centre_start
	for left in 2 1 0; do
		ask login user=alice password=wrong brief:=true
		refused login-failed
		says .attempts_left $left
	done
	ask login user=alice password=alice-secret brief:=true
	refused login-blocked
	ask login user=alice password=alice-secret
	refused login-blocked
}

@test "a change of the password is charged alike" {
	centre_start
	login alice
	as alice password old=wrong new=better
	refused login-failed
	says .attempts_left 2
	guess alice
	says .attempts_left 1
	as alice password old=wrong new=better
	says .attempts_left 0
	as alice password old=alice-secret new=better
	refused login-blocked
	ask login user=alice password=alice-secret
	refused login-blocked
	# The session is not touched by any of it.
	as alice live mail:=0 room:=0
	accepted
}

@test "limit and time are settings" {
	centre_start 'login: { attempts = 1; block_seconds = 1; };'
	guess alice
	refused login-failed
	says .attempts_left 0
	guess alice
	refused login-blocked
	says .retry_after 1
	wait_for let_in alice
}
