#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Private links from the shell: one command at a time, through the agent that
# runs; and what stays of them in the history.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: both_in ; sessions without a face
both_in()
{
	once 0 bob login
	once 0 alice login
}

# usage: both_out
both_out()
{
	once 0 bob logout
	once 0 alice logout
}

# usage: accepts NAME OTHER ; once the question has come, at the shell
accepts()
{
	once_of "$1"
	wait_for try_accept "$2"
}

try_accept()
{
	"${one[@]}" accept "$1" </dev/null >"$dir/accepted" 2>&1 3>&-
}

@test "ask waits for the answer, and prints the address" {
	both_in
	once_of alice
	"${one[@]}" ask bob </dev/null >"$dir/asked" 2>"$dir/asked.err" 3>&- &
	asking=$!
	accepts bob alice
	holds "$(<"$dir/accepted")" 'You agreed: private messages to alice go to 127.0.0.1:'
	wait "$asking"
	grep -qxE 'bob agreed: private messages go to 127\.0\.0\.1:[0-9]+\.' \
		"$dir/asked"
	same '' "$(<"$dir/asked.err")"
	once 0 alice private bob 'from the shell'
	same '' "$output$stderr"
	once 0 bob read
	same 'alice (private): from the shell' "$(sed '/logged/d' <<<"$output")"
	once 0 alice hangup bob
	same 'The private link with bob has ended: hung up.' "$output"
	both_out
}

@test "declined, and what else is no" {
	both_in
	once_of alice
	"${one[@]}" ask bob </dev/null >"$dir/asked" 2>"$dir/asked.err" 3>&- &
	asking=$!
	once_of bob
	wait_for try_decline
	same 'You declined.' "$(<"$dir/declined")"
	status=0
	wait "$asking" || status=$?
	same 1 "$status"
	same 'chat: bob declined.' "$(<"$dir/asked.err")"
	same '' "$(<"$dir/asked")"
	once 1 alice ask carol
	same 'chat: carol is offline.' "$stderr"
	once 1 alice ask dave
	same 'chat: There is no user dave.' "$stderr"
	once 1 alice private bob hi
	same "chat: $(no_link bob)" "$stderr"
	once 1 alice accept bob
	same 'chat: bob has not asked to talk privately.' "$stderr"
	once 1 alice leave bob
	same 'chat: No private message to bob was left unsent.' "$stderr"
	once 1 alice hangup bob
	same 'chat: There is no private link with bob.' "$stderr"
	once 1 alice trust bob
	same 'chat: bob has shown no other key.' "$stderr"
	both_out
}

try_decline()
{
	"${one[@]}" decline alice </dev/null >"$dir/declined" 2>&1 3>&-
}

@test "who follows is told of questions, and what becomes of links" {
	both_in
	once_of bob
	"${one[@]}" read --follow </dev/null >"$dir/followed" 2>&1 3>&- &
	following=$!
	once_of alice
	"${one[@]}" ask bob </dev/null >"$dir/asked" 2>&1 3>&- &
	asking=$!
	wait_for has_line "$dir/followed" \
		'alice wants to talk privately. Type "accept alice" or "decline alice".'
	once 0 bob accept alice
	wait "$asking"
	wait_for grep -q '^You agreed: private messages to alice go to ' \
		"$dir/followed"
	once 0 alice hangup bob
	wait_for has_line "$dir/followed" \
		'The private link with alice has ended: hung up.'
	kill -TERM "$following"
	wait "$following"
	both_out
}

@test "nobody answers: as long as the question lives" {
	reload 'session: { heartbeat = 1; timeout = 60; };' \
		'private: { ask_seconds = 1; };' || skip 'not reloadable'
	both_in
	once 1 alice ask bob
	same 'chat: bob did not answer.' "$stderr"
	both_out
}

@test "without an agent there is no private link" {
	for words in 'ask bob' 'accept bob' 'decline bob' 'private bob hi' \
		'leave bob' 'hangup bob' 'trust'; do
		# shellcheck disable=SC2086 # words are meant
		once 1 alice $words
		same 'chat: Nobody is logged in here, and a private link needs a session. Type "chat login" first.' \
			"$stderr"
	done
	once 64 alice private
	once 64 alice private bob hi --queue
}

@test "texts from standard input, and as JSON" {
	person bob
	person alice
	linked alice bob
	once_of alice
	printf 'one\ntwo\n' | "${one[@]}" private bob 3>&-
	sees bob 'alice (private): one'
	sees bob '  two'
	printf 'first\n\nsecond\n' | "${one[@]}" --lines private bob 3>&-
	sees bob 'alice (private): first'
	sees bob 'alice (private): second'
	run -1 --separate-stderr "${one[@]}" private bob \
		< <(printf 'a\033b') 3>&-
	holds "$stderr" 'at byte 2 of line 1'
	once 0 alice --json private bob third
	same fetched "$(jq -r .state <<<"$output")"
	same bob "$(jq -r '.to // "bob"' <<<"$output")"
	[ "$(jq -r .id <<<"$output" | wc -c)" -ge 17 ]
	sees bob 'alice (private): third'
	once 0 bob --json history alice
	same 'private private private private' \
		"$(jq -r .type <<<"$output" | paste -sd ' ')"
}

@test "contacts: with whom, to where, until when, and the key" {
	person bob
	person alice
	linked alice bob
	types alice 'message carol hello'
	sees alice 'carol is offline; the message is kept and will be delivered at the next login.'
	port=$(port_of bob alice)
	key=$(key_of bob)
	once 0 alice contacts
	grep -qxE "bob linked to 127\.0\.0\.1:$port until [0-9: -]{16} ${key//+/\\+}" \
		<<<"$output"
	grep -qx carol <<<"$output"
	types alice contacts
	sees_like alice "bob linked to 127\.0\.0\.1:$port until .* ${key//+/\\+}"
	once 0 alice --json contacts
	same "127.0.0.1 $port $key" "$(jq -r 'select(.user == "bob") |
		"\(.host) \(.port) \(.fingerprint)"' <<<"$output")"
	once 0 alice trust
	grep -qE "^bob ${key//+/\\+} since [0-9: -]{16}\$" <<<"$output"
	types bob 'hangup alice'
	ended alice bob 'hung up'
	once 0 alice contacts
	holds "$output" "bob $key"
	run ! grep -q linked <<<"$output"
}

@test "the history says what was private, and how it fared" {
	person bob
	person alice
	linked alice bob
	whispers alice bob hi
	whispers bob alice hello
	types alice 'message bob openly'
	sees bob 'alice: openly'
	once 0 alice history bob
	date='20[0-9-]{8} [0-9:]{5}'
	grep -qxE "to bob \(private, $date, fetched\): hi" <<<"$output"
	grep -qxE "bob \(private, $date\): hello" <<<"$output"
	grep -qxE "to bob \($date, (accepted|fetched)\): openly" <<<"$output"
	once 0 alice history --search hello
	grep -qxE "bob \(private, $date\): hello" <<<"$output"
	# What was not shown comes at the next start.
	types bob detach
	ends bob 0
	types alice 'private bob while away'
	wait_for fetched
	person bob
	sees_like bob 'alice \(private(, .*)?\): while away'
	sees_once bob 'alice (private): hi' || true
}

fetched()
{
	once 0 alice history --search away
	[[ $output == *fetched* ]]
}
