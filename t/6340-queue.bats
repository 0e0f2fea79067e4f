#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# --queue: what a one-shot command could not send is kept, and sent once.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: book STATEMENT ; on what alice's client has, while nothing runs there
book()
{
	"$CHAT_BUILD/t/tool/db" "$dir/alice.state/alice@127.0.0.1:$PORT/book.db" \
		"$1"
}

kept='The message is kept and will be sent by the next chat that reaches the centre.'

@test "kept, and sent in order before the next one, once" {
	login bob
	centre_stop
	once 0 alice --queue send bob one
	same '' "$output"
	same "$kept" "${stderr_lines[1]}"
	once 0 alice --queue broadcast two --json
	same 'queued null' "$(jq -r '"\(.state) \(.to)"' <<<"$output")"
	once 0 alice status
	same "alice at 127.0.0.1:$PORT: not logged in, 2 messages wait" "$output"
	once 0 alice status --json
	same 2 "$(jq .queued <<<"$output")"
	# Without the word it is not.
	once 69 alice send bob lost
	centre_again
	once 0 alice send bob three
	same '' "$output$stderr"
	hears bob 'alice: one' 'alice (to all): two' 'alice: three'
	once 0 alice send bob four
	hears bob 'alice: four'
	once 0 alice history
	[[ ${lines[0]} == 'to bob ('*', accepted): one' ]]
	[[ ${lines[1]} == 'to all ('*', accepted): two' ]]
	[[ ${lines[2]} == 'to bob ('*', accepted): three' ]]
	[[ ${lines[3]} == 'to bob ('*', accepted): four' ]]
	same 4 "${#lines[@]}"
}

@test "what is sent without an agent stands in the history, and is fetched" {
	once 0 alice login
	once 0 alice logout
	wait_for no_agents
	once 0 alice send bob 'from cron'
	once 1 alice send dave 'to nobody'
	login bob
	hears bob 'alice: from cron'
	sync bob >/dev/null
	once 0 alice login
	once 0 alice read
	once 0 alice logout
	once 0 alice history
	[[ $output == 'to bob ('*', fetched): from cron' ]] || fail "$output"
	wait_for no_agents
	book 'CREATE TRIGGER no BEFORE INSERT ON history
		BEGIN SELECT RAISE(FAIL, "no room"); END'
	once 0 alice send bob more
	holds "$stderr" 'Warning: sent, but: '
	hears bob 'alice has logged in.' 'alice has logged out (asked).' \
		'alice: more'
}

@test "a damaged history stays where an agent has it, whoever sends" {
	once 0 alice login
	once 0 alice logout
	wait_for no_agents
	local at=$dir/alice.state/alice@127.0.0.1:$PORT
	printf '%9000s' nonsense >"$at/book.db"
	once 74 alice send bob lost
	[ ! -e "$at/book.db" ]
	printf '%9000s' nonsense >"$at/book.db"
	run -74 flock "$at/agent.lock" chat --state "$dir/alice.state" \
		--ca "$state/ca.pem" --password-file "$dir/alice.password" \
		--account "alice@127.0.0.1:$PORT" send bob lost
	holds "$output" 'an agent has it open'
	cmp "$at/book.db" <(printf '%9000s' nonsense)
}

@test "an agent sends them when it has logged in" {
	login bob
	centre_stop
	once 0 alice --queue send bob one
	once 0 alice --queue send bob two
	centre_again
	once 0 alice login
	wait_for nothing_waits
	once 0 alice logout
	once 0 alice send bob three
	sync bob >"$dir/heard"
	same $'one\ntwo\nthree' "$(sed -n 's/^alice: //p' "$dir/heard")"
}

# usage: nothing_waits ; at alice's agent
nothing_waits()
{
	once 0 alice status --json
	same 0 "$(jq .queued <<<"$output")" 2>/dev/null
}

@test "in reach, it is sent at once, and nothing is kept" {
	login bob
	once 0 alice --queue send bob now
	same '' "$output$stderr"
	hears bob 'alice: now'
	[ ! -e "$dir/alice.state/alice@127.0.0.1:$PORT/book.db" ]
	once 1 alice --queue send dave now
	same 'chat: There is no user dave.' "$stderr"
	[ ! -e "$dir/alice.state/alice@127.0.0.1:$PORT/book.db" ]
}

@test "a refusal of what was kept is told, and the others go on" {
	login bob
	centre_stop
	once 0 alice --queue send dave one
	once 0 alice --queue send bob two
	centre_again
	once 0 alice send bob three
	same 'chat: a message to dave that was kept is refused: There is no user dave.' \
		"$stderr"
	hears bob 'alice: two' 'alice: three'
	once 0 alice send bob four
	same '' "$stderr"
}

@test "lines of standard input" {
	login bob
	centre_stop
	password alice
	run -0 --separate-stderr timeout "$patience" chat --queue \
		--state "$dir/alice.state" --ca "$state/ca.pem" \
		--account "alice@127.0.0.1:$PORT" send bob --lines \
		< <(seq 20) 3>&-
	same 21 "${#stderr_lines[@]}"
	centre_again
	once 0 alice broadcast over
	sync bob >"$dir/heard"
	same "$(seq 20)" "$(sed -n 's/^alice: //p' "$dir/heard")"
}

@test "not kept: a wrong password, a centre that is not the right one" {
	password alice wrong
	once 77 alice --queue send bob hi
	run -76 --separate-stderr timeout "$patience" chat \
		--state "$dir/alice.state" --queue \
		--account "alice@127.0.0.1:$PORT" send bob hi </dev/null 3>&-
	[ ! -e "$dir/alice.state/alice@127.0.0.1:$PORT/book.db" ]
	once 64 alice --queue online
	holds "$stderr" 'online takes no --queue'
}

# usage: greeted CONNECTIONS ; so many have been served, and none is left
greeted()
{
	[ "$(ctl metrics | sed -n 's/^chatd_connections_total //p')" -ge "$1" ] &&
		workers 0
}

@test "an agent that nobody is logged in at takes it" {
	login bob
	chat_of alice
	mkfifo "$dir/alice.in"
	chat --line --state "$dir/alice.state" --ca "$state/ca.pem" \
		"alice@127.0.0.1:$PORT" <"$dir/alice.in" >"$dir/alice.out" \
		2>"$dir/alice.err" 3>&- &
	client[alice]=$!
	exec {fd}>"$dir/alice.in"
	typing[alice]=$fd
	seen[alice]=0
	wait_for agent_of alice
	wait_for greeted 2
	centre_stop
	once 0 alice --queue send bob 'through the agent'
	same "$kept" "${stderr_lines[1]}"
	centre_again
	types alice alice-secret
	sees alice 'Welcome, alice.'
	leaves alice
	sync bob >"$dir/heard"
	same 1 "$(grep -c '^alice: through the agent$' "$dir/heard")"
}

@test "after 14 days it is given up" {
	login bob
	centre_stop
	once 0 alice --queue send bob old
	once 0 alice --queue send bob new
	book "UPDATE history SET time = time - 15 * 86400000 WHERE text = 'old'"
	centre_again
	once 0 alice send bob now
	holds "$stderr" 'could not be sent for 14 days'
	hears bob 'alice: new' 'alice: now'
}

@test "a book that is damaged, or cannot be written" {
	centre_stop
	once 0 alice --queue send bob one
	echo rubbish >"$dir/alice.state/alice@127.0.0.1:$PORT/book.db"
	once 74 alice --queue send bob two
	holds "$stderr" 'has been moved aside to'
	once 0 alice --queue send bob three
	centre_again
}

@test "twenty at once lose nothing" {
	login bob
	centre_stop
	password alice
	pids=()
	for i in $(seq 20); do
		timeout "$patience" chat --state "$dir/alice.state" \
			--ca "$state/ca.pem" --queue \
			--account "alice@127.0.0.1:$PORT" send bob "$i" \
			</dev/null 2>/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	centre_again
	once 0 alice login
	wait_for nothing_waits
	once 0 alice logout
	sync bob >"$dir/heard"
	same "$(seq 20 | sort)" "$(sed -n 's/^alice: //p' "$dir/heard" | sort)"
}
