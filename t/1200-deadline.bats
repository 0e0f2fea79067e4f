#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Clients that say nothing, or too little: each is let go at its deadline,
# others are served meanwhile.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice
}

# usage: ended_within FROM TO SECONDS ; the silent client's report is between
ended_within()
{
	awk -v from="$1" -v to="$2" -v got="$3" \
		'BEGIN { exit !(got >= from && got <= to) }' ||
		fail "ended after $3 s, not between $1 and $2"
}

# usage: trickle TEXT ; a byte each quarter of a second, until nobody reads
trickle()
{
	local i
	for ((i = 0; i < ${#1}; i++)); do
		printf '%s' "${1:i:1}" 2>/dev/null || return 0
		sleep 0.25
	done
}

# usage: stranger ; sends what comes, as it comes; ends with the connection
stranger()
{
	timeout "$patience" openssl s_client -connect "127.0.0.1:$PORT" \
		-alpn chat/1 -quiet -no_ign_eof 2>/dev/null || true
}

@test "a connection without a handshake" {
	centre_start 'limits: { handshake_seconds = 1; };'
	wire --plain --silent 20 >"$dir/end" &
	silent=$!
	ask hello
	accepted
	wait $silent
	ended_within 0.9 4 "$(<"$dir/end")"
	# Waiting costs its worker, and that has ended.
	wait_for workers 0
}

@test "half a handshake" {
	centre_start 'limits: { handshake_seconds = 1; };'
	start=${EPOCHREALTIME/./}
	printf '\x16\x03\x01\x02\x00\x01' |
		wire --plain --raw --hold >/dev/null 2>&1 || true
	took=$((${EPOCHREALTIME/./} - start))
	[ $took -gt 900000 ]
	[ $took -lt 4000000 ]
}

@test "a handshake and no request" {
	centre_start 'limits: { request_seconds = 1; };'
	for i in 1 2 3 4; do
		wire --silent 20 >"$dir/end.$i" &
		pids+=($!)
	done
	ask hello
	accepted
	wait "${pids[@]}"
	for i in 1 2 3 4; do
		ended_within 0.9 4 "$(<"$dir/end.$i")"
	done
}

@test "a request, and then silence" {
	centre_start 'limits: { request_seconds = 1; };'
	start=${EPOCHREALTIME/./}
	reply=$(wire --hold <<<'{"op":"hello"}')
	accepted
	took=$((${EPOCHREALTIME/./} - start))
	[ $took -gt 900000 ]
	[ $took -lt 4000000 ]
}

@test "half a request" {
	centre_start 'limits: { request_seconds = 1; };'
	start=${EPOCHREALTIME/./}
	run -0 wire --raw --hold < <(printf '{"op":"hello"')
	took=$((${EPOCHREALTIME/./} - start))
	[ $took -gt 900000 ]
	[ $took -lt 4000000 ]
}

@test "a request that trickles in is not waited for byte by byte" {
	centre_start 'limits: { request_seconds = 1; };'
	start=${EPOCHREALTIME/./}
	reply=$(trickle '{"op":"hello","tag":"0123456789012345678"}' | stranger)
	same '' "$reply"
	took=$((${EPOCHREALTIME/./} - start))
	[ $took -gt 900000 ]
	[ $took -lt 5000000 ]
	ask hello
	accepted
}

@test "no connection outlives its whole time, busy as it may be" {
	centre_start 'limits: { connection_seconds = 2; request_seconds = 2;
		handshake_seconds = 1; };'
	start=${EPOCHREALTIME/./}
	while sleep 0.1; do
		echo '{"op":"hello"}' || break
	done 2>/dev/null | stranger >"$dir/replies"
	took=$((${EPOCHREALTIME/./} - start))
	[ $took -gt 1800000 ]
	[ $took -lt 6000000 ]
	[ "$(wc -l <"$dir/replies")" -gt 5 ]
}

@test "one that does not read its replies does not stay" {
	centre_start 'limits: { connection_seconds = 2; request_seconds = 1;
		handshake_seconds = 1; };'
	pad=$(printf '%02000d' 0)
	for i in {1..256}; do
		echo "{\"op\":\"hello\",\"tag\":\"$pad\"}"
	done | wire --raw --cut 520000
	wait_for workers 0
	ask hello
	accepted
}

@test "many silent ones keep nobody out" {
	centre_start 'limits: { handshake_seconds = 3; };'
	for i in {1..40}; do
		hold --plain
	done
	for i in {1..10}; do
		ask hello >/dev/null
		accepted
	done
	login alice
	release
	wait_for workers 0
}
