#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A session that goes on without a face: login, detach, logout, status.

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

@test "login, and all commands go through that session until the logout" {
	person bob
	once 0 alice login
	same 'Welcome, alice.' "$output"
	same '' "$stderr"
	sees bob 'alice has logged in.'
	agent_of alice
	once 0 alice status
	same "alice at 127.0.0.1:$PORT: logged in, detached" "$output"
	once 0 alice send bob hi
	sees bob 'alice: hi'
	once 0 alice login
	same 'Welcome, alice.' "$output"
	agent_of alice
	once 0 alice logout
	same 'Goodbye.' "$output"
	sees bob 'alice has logged out.'
	wait_for agent_gone alice
	sees_once bob 'alice has logged in.'
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

@test "nobody is logged in" {
	once 1 alice logout
	same 'chat: Nobody is logged in.' "$stderr"
	once 1 alice detach
	once 0 alice status
	same "alice at 127.0.0.1:$PORT: not logged in" "$output"
	once 0 alice status --json
	same out "$(jq -r .session <<<"$output")"
	agent_gone alice
	password alice wrong
	once 77 alice login
	wait_for agent_gone alice
}

@test "detached from the line face, attached again with what was missed" {
	person bob
	person alice
	types alice 'message bob on my way'
	types alice detach
	sees alice 'You stay logged in.'
	ends alice 0
	sees bob 'alice: on my way'
	types bob 'message alice while you were out'
	types bob online
	sees bob alice
	person alice
	sees_like alice 'bob: while you were out'
	saw_nothing_of bob 'has logged out'
	leaves alice
	sees bob 'alice has logged out.'
}

@test "detached from elsewhere: the face may be killed" {
	person bob
	person alice
	sees bob 'alice has logged in.'
	once 0 alice detach
	same 'You stay logged in.' "$output"
	kill -KILL "${client[alice]}"
	wait "${client[alice]}" || true
	hangs_up alice
	unset 'client[alice]'
	once 0 alice send bob 'still in'
	sees bob 'alice: still in'
	saw_nothing_of bob 'alice has logged out.'
	once 0 alice status --json
	same 'in true true 0' "$(jq -r \
		'"\(.session) \(.detached) \(.reachable) \(.queued)"' \
		<<<"$output")"
	once 0 alice logout
	sees bob 'alice has logged out.'
}

@test "a logout from elsewhere ends the faces" {
	person alice
	once 0 alice logout
	sees alice 'You have logged out.'
	ends alice 1
}

@test "status tells what waits" {
	once 0 alice login
	centre_stop
	once 0 alice send bob one
	once 0 alice send bob two
	once 0 alice status
	same "alice at 127.0.0.1:$PORT: logged in, detached, the centre cannot be reached, 2 messages wait" \
		"$output"
	once 0 alice logout
	same '2 messages are kept and will be sent at the next start.' "$stderr"
	wait_for agent_gone alice
	centre_again
}
