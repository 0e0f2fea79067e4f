#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The agent's life: there is one, it is its owner's, and killed at any moment
# it loses nothing.

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
	place=$dir/alice.state/alice@127.0.0.1:$PORT
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

@test "eight faces at the same moment start one agent, and log in once" {
	in_session bob
	hears bob
	chat_of alice
	pids=()
	for i in {1..8}; do
		mkfifo "$dir/keys$i"
		timeout "$patience" "${chat[@]}" <"$dir/keys$i" \
			>"$dir/face$i.out" 2>"$dir/face$i.err" 3>&- &
		pids+=($!)
	done
	for i in {1..8}; do
		exec {fd}>"$dir/keys$i"
		keys+=("$fd")
	done
	for i in {1..8}; do
		wait_for has_line "$dir/face$i.out" 'Welcome, alice.'
	done
	same 1 "$(find /proc/[0-9]*/fd -lname "$place/agent.lock" \
		2>/dev/null | wc -l)" 'agents'
	hears bob 'alice has logged in.'
	same 1 "$(grep -c 'logged in' "$place/agent.log")" 'logins'
	tell bob alice 'to all eight'
	for i in {1..8}; do
		wait_for has_line "$dir/face$i.out" 'bob: to all eight'
	done
	for fd in "${keys[@]}"; do
		exec {fd}>&-
	done
	wait "${pids[@]}"
	wait_for agent_gone alice
	cat "$dir"/face?.err
	same 0 "$(cat "$dir"/face?.err | wc -c)"
	same 8 "$(cat "$dir"/face?.out | grep -c 'to all eight')"
}

@test "what a killed agent leaves behind is in nobody's way" {
	person alice
	same 600 "$(stat -c %a "$place/agent.sock")"
	same 700 "$(stat -c %a "$place")"
	kill -KILL "$(agent_of alice)"
	ends alice 75
	[ -S "$place/agent.sock" ]
	run -0 --separate-stderr chat --state "$dir/alice.state" \
		--account "alice@127.0.0.1:$PORT" status
	holds "$output" 'not logged in'
	person alice
	leaves alice
	wait_for agent_gone alice
	[ ! -e "$place/agent.sock" ]
}

@test "killed at any moment, agent and face lose nothing" {
	local round=0 typed=0 end=$((SECONDS + 6))
	person bob
	in_session alice
	logout alice
	while [ $SECONDS -lt $end ]; do
		round=$((round + 1))
		person alice
		for i in {1..5}; do
			typed=$((typed + 1))
			types alice "message bob number $typed."
			types bob "message alice answer $typed."
		done
		# What the face has handed over is safe from here on.
		wait_for written "$typed"
		sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
		kill -KILL "$(agent_of alice)"
		ends alice 75
		cat "$dir/alice.out" >>"$dir/alice.all"
	done
	person alice
	sees bob "alice: number $typed."
	wait_for answered "$typed"
	leaves alice
	cat "$dir/alice.out" >>"$dir/alice.all"
	echo "$round rounds, $typed messages each way"
	seq -f 'alice: number %g.' 1 $typed |
		diff - <(grep 'alice: number' "$dir/bob.out")
	# A line that was printed and could not be confirmed any more, since
	# the agent was killed just then, comes again; but none is missing.
	seq -f 'answer %g.' 1 $typed |
		diff - <(grep -o 'answer .*' "$dir/alice.all" | sort -Vu)
}

# usage: answered NUMBER ; one of alice's faces has shown it
answered()
{
	cat "$dir/alice.all" "$dir/alice.out" | grep -qF "answer $1."
}

# usage: written COUNT ; so many own messages are in alice's book
written()
{
	[ "$1" = "$(chat --state "$dir/alice.state" \
		--account "alice@127.0.0.1:$PORT" export |
		jq -r 'select(.from == "alice") | .id' | wc -l)" ]
}
