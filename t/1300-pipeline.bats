#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Several requests on one connection: answered in order, up to a number, and
# not beyond one that must be tried again.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: sends COUNT ; that many from alice to bob as lines, numbered
sends()
{
	local i token
	token=$(<"$dir/alice.token")
	for ((i = 1; i <= $1; i++)); do
		request send token="$token" id="$(printf 'pipeline-%07d' $i)" \
			to=bob text="number $i" tag:=$i
		printf '%s\n' "$line"
	done
}

# usage: numbers COUNT ; what bob hears of them
numbers()
{
	seq -f 'alice: number %.0f' "$1"
}

@test "64 at once are answered in order and arrive in order" {
	centre_start
	login alice
	login bob
	sends 64 >"$dir/lines"
	wire <"$dir/lines" >"$dir/replies"
	same "$(seq 64)" "$(jq .tag "$dir/replies")"
	same 64 "$(grep -c '"state":"accepted"' "$dir/replies")"
	same "$(numbers 64)" "$(sync bob)"
}

@test "requests of all kinds keep their order" {
	centre_start
	login alice
	login bob
	cursor bob
	alice=$(<"$dir/alice.token")
	bob=$(<"$dir/bob.token")
	{
		request hello tag:=1
		echo "$line"
		request send token="$alice" id=0123456789abcdef to=bob text=hi \
			tag:=2
		echo "$line"
		request sync token="$bob" epoch="$epoch" mail:="$mail" \
			room:="$room" tag:=3
		echo "$line"
		request send token="$alice" id=0123456789abcdef to=dave \
			text=hi tag:=4
		echo "${line/cdef/cdeg}"
		request login user=bob password=bob-secret brief:=true tag:=5
		echo "$line"
		request online tag:=6
		echo "$line"
		request logout token="$alice" tag:=7
		echo "$line"
		request online tag:=8
		echo "$line"
		request live token="$alice" mail:=0 room:=0 tag:=9
		echo "$line"
	} | wire >"$dir/replies"
	same '1 2 3 4 5 6 7 8 9' "$(jq .tag "$dir/replies" | xargs)"
	same 'true true true false true true true true false' \
		"$(jq .ok "$dir/replies" | xargs)"
	reply=$(sed -n 3p "$dir/replies")
	says '[.events[].text] == ["hi"]'
	reply=$(sed -n 6p "$dir/replies")
	says '[.users[].user] == ["alice"]'
	reply=$(sed -n 8p "$dir/replies")
	says '.users == []'
}

@test "the connection ends after 256 requests" {
	centre_start
	for i in {1..300}; do
		echo "{\"op\":\"hello\",\"tag\":$i}"
	done >"$dir/lines"
	run -1 wire --count <"$dir/lines"
	same 256 "$output"
	head -n 256 "$dir/lines" | wire --hold >"$dir/replies"
	same 256 "$(wc -l <"$dir/replies")"
	same 256 "$(tail -n 1 "$dir/replies" | jq .tag)"
	head -n 255 "$dir/lines" | wire --one --count
}

@test "the 257th is not executed, and comes through on the next connection" {
	centre_start
	login alice
	login bob
	sends 300 >"$dir/lines"
	wire <"$dir/lines" >"$dir/replies" || true
	same 256 "$(wc -l <"$dir/replies")"
	same "$(numbers 256)" "$(sync bob)"
	tail -n +257 "$dir/lines" | wire >"$dir/replies"
	same 44 "$(wc -l <"$dir/replies")"
	same "$(numbers 300 | tail -n 44)" "$(sync bob)"
}

@test "refusals that are final do not end the connection" {
	centre_start
	login alice
	login bob
	as bob block user=alice
	{
		sends 1
		request login user=bob password=wrong
		echo "$line"
		request hello
		echo "$line"
	} | wire >"$dir/replies"
	same 'blocked login-failed null' "$(jq -r .error "$dir/replies" | xargs)"
}

@test "after busy nothing more is executed" {
	centre_start 'limits: { request_seconds = 1; };'
	login alice
	login bob
	sends 10 >"$dir/lines"
	kill -STOP "$(centre_pid store)"
	wire <"$dir/lines" >"$dir/replies" || true
	kill -CONT "$(centre_pid store)"
	same 1 "$(wc -l <"$dir/replies")"
	reply=$(<"$dir/replies")
	refused busy
	says '.retry_after == 1 and .tag == 1'
	# Tried again from the first unanswered, all arrive once, in order.
	wire <"$dir/lines" >"$dir/replies"
	same "$(seq 10)" "$(jq .tag "$dir/replies")"
	same "$(numbers 10)" "$(sync bob)"
}

@test "the store dies under a pipeline: the retry completes it" {
	centre_start
	login alice
	login bob
	sends 200 >"$dir/lines"
	for round in 1 2 3; do
		wire --timeout 10 <"$dir/lines" >"$dir/replies.$round" \
			2>/dev/null &
		pid=$!
		wait_for [ -s "$dir/replies.$round" ]
		kill -KILL "$(centre_pid store)" || true
		wait $pid || true
		# What came back is a beginning without holes.
		grep '"state":"accepted"' "$dir/replies.$round" | jq .tag \
			>"$dir/tags"
		same "$(seq "$(wc -l <"$dir/tags")")" "$(<"$dir/tags")"
		wait_for centre_whole
	done
	wait_for complete
	same "$(numbers 200)" "$(sync bob)"
}

# usage: complete ; all of them are accepted
complete()
{
	wire <"$dir/lines" >"$dir/replies" 2>/dev/null &&
		same 200 "$(grep -c '"state":"accepted"' "$dir/replies")"
} 2>/dev/null
