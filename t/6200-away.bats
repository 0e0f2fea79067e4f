#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a client does when something goes away: the centre, its store, the
# agent, the client itself.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

@test "the centre is away and comes back: messages are sent once, in order" {
	person bob
	person alice
	types alice 'message bob before'
	sees bob 'alice: before'
	centre_stop
	types alice 'message bob one'
	sees alice 'The centre cannot be reached; messages will be sent when it is back.'
	types alice 'message bob two'
	types alice 'broadcast three'
	sees bob 'The centre cannot be reached; messages will be sent when it is back.'
	centre_again
	sees alice 'The centre is back.'
	sees bob 'The centre is back.'
	sees bob 'alice: one'
	sees bob 'alice: two'
	sees bob 'alice (to all): three'
	# Nobody had to log in again.
	types bob 'message alice all there'
	sees alice 'bob: all there'
	for line in 'alice: one' 'alice: two' 'alice (to all): three'; do
		sees_once bob "$line"
	done
	sees_once bob 'alice has logged in.'
	saw_nothing_of bob 'has logged out'
}

@test "a short absence is not worth a word" {
	person bob
	person alice
	for i in 1 2 3; do
		wait_for centre_whole
		centre_kill store
		types alice "message bob number $i"
	done
	for i in 1 2 3; do
		sees bob "alice: number $i"
	done
	saw_nothing_of alice 'cannot be reached'
	saw_nothing_of bob 'cannot be reached'
}

@test "gone while the centre is away: what is left is kept for the next time" {
	person alice
	centre_stop
	types alice 'message bob kept'
	sees alice 'The centre cannot be reached; messages will be sent when it is back.'
	types alice quit
	sees alice 'Goodbye.'
	ends alice 0
	same '1 message is kept and will be sent at the next start.' \
		"$(<"$dir/alice.err")"
	wait_for no_agents
	centre_again
	person alice
	person bob
	sees_like bob 'alice( \(20.*\))?: kept'
	leaves bob
	same 1 "$(grep -c ': kept$' "$dir/bob.out")"
}

@test "the agent is killed: the face says so, and the next one goes on" {
	person bob
	person alice
	types alice 'message bob one'
	sees bob 'alice: one'
	types bob 'message alice two'
	sees alice 'bob: two'
	kill -KILL "$(agent_of alice)"
	ends alice 75
	holds "$(<"$dir/alice.err")" 'the agent has ended'
	types bob 'message alice three'
	# The session was not ended by that: no password, no takeover.
	person alice
	sees_like alice 'bob( \(20.*\))?: three'
	saw_nothing_of alice 'bob: two'
	sees_once bob 'alice has logged in.'
	saw_nothing_of bob 'has logged out'
	types alice 'message bob four'
	sees bob 'alice: four'
	sees_once bob 'alice: one'
}

@test "what was shown once is not shown again" {
	person bob
	login alice
	tell alice bob one
	sees bob 'alice: one'
	leaves bob
	tell alice bob two
	person bob
	sees_like bob 'alice \(20.*\): two'
	leaves bob
	saw_nothing_of bob ': one'
	person bob
	leaves bob
	saw_nothing_of bob ': two'
}

@test "a face that is killed takes the session with it" {
	person bob
	person alice
	sees bob 'alice has logged in.'
	kill -KILL "${client[alice]}"
	sees bob 'alice has logged out.'
	wait "${client[alice]}" || true
	hangs_up alice
	unset 'client[alice]'
	wait_for agent_gone alice
	person alice
	types alice 'message bob back'
	sees bob 'alice: back'
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

@test "a message that was typed is sent although the face ends at once" {
	person bob
	for i in 1 2 3; do
		chat_of alice
		echo "message bob number $i" |
			timeout "$patience" "${chat[@]}" >/dev/null 3>&-
		sees bob "alice: number $i"
	done
}

@test "two faces of one account share the session" {
	person bob
	person alice
	chat_of alice
	run -0 timeout "$patience" "${chat[@]}" <<<'message bob from the second' \
		3>&-
	holds "$output" 'Welcome, alice.'
	sees bob 'alice: from the second'
	types bob 'message alice for both'
	sees alice 'bob: for both'
	saw_nothing_of bob 'alice has logged out.'
	leaves alice
	sees bob 'alice has logged out.'
}

@test "the state is nobody else's" {
	person alice
	leaves alice
	same '' "$(find "$dir/alice.state" -perm /077)"
}
