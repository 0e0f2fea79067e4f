#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Guessing: many at once cost no more hashes than the limit allows, and
# hanging up early hides nobody.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: hashes ; passwords that the keeper has looked at
hashes()
{
	ctl metrics | awk '$1 == "chatd_password_checks_total" { print $2 }'
}

@test "of two hundred guesses at once three are hashed" {
	centre_start
	request login user=alice password=guess
	before=$(hashes)
	for i in {1..200}; do
		wire --timeout 60 <<<"$line" >"$dir/guess.$i" 2>/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 3 "$(cat "$dir"/guess.* | grep -c login-failed)" failed
	same 197 "$(cat "$dir"/guess.* | grep -c login-blocked)" blocked
	same 3 $(($(hashes) - before)) hashed
}

@test "who hangs up before the verdict is named all the same" {
	centre_start
	in_session alice
	request login user=alice password=guess
	GATE=$dir/gate SOURCE=127.0.0.9 wire --timeout 4 <<<"$line" &
	wait_for met "$dir/gate" 1
	kill -STOP "$(centre_pid keeper)"
	touch "$dir/gate"
	wait $! || true
	kill -CONT "$(centre_pid keeper)"
	wait_for hashed 1
	hears alice \
		'notice: 1 failed login for your account, the last from 127.0.0.9.'
}

# usage: hashed COUNT
hashed()
{
	[ "$(hashes)" -ge "$1" ]
}
