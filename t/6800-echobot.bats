#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The example of chat-agent(7), as it is shipped, with real people: a bot that
# is a face of the agent.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

bot=$CHAT_SRC/dist/examples/echobot.sh

setup_file()
{
	people alice robot droid
}

set_up()
{
	[[ $(nc -h 2>&1) == *-U* ]] || skip 'netcat-openbsd is not installed'
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: bot NAME ; starts one, and waits until it watches
bot()
{
	password "$1"
	# A group of its own, so that a terminal's Ctrl-C can be played.
	(
		descriptors_close
		exec setsid "$bot" --state "$dir/$1.state" --ca "$state/ca.pem" \
			--password-file "$dir/$1.password" \
			--account "$1@127.0.0.1:$PORT"
	) </dev/null >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	bots[$1]=$!
	SESSIONS="$SESSIONS $!"
	wait_for has_line "$dir/$1.out" "Welcome, $1."
}

# usage: end_bot NAME ; with SIGTERM; nothing of it may be left
end_bot()
{
	local pid=${bots[$1]}
	unset "bots[$1]"
	kill -TERM "$pid"
	wait_for session_gone "$pid"
	wait "$pid" || true
	wait_for agent_gone "$1"
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

# usage: once NAME WORD... ; a command as NAME, nothing on its input
once()
{
	timeout "$patience" chat --state "$dir/$1.state" \
		--account "$1@127.0.0.1:$PORT" "${@:2}" </dev/null 3>&-
}

# usage: said_between COUNT ; so many messages of robot and droid
said_between()
{
	[ "$(once robot history droid | wc -l)" -eq "$1" ]
}

declare -gA bots=()

tear_down()
{
	local name
	for name in "${!bots[@]}"; do
		end_bot "$name" || return
	done
}

@test "it is as short as it is said to be" {
	[ "$(grep -cvE '^[[:space:]]*(#|[{}]?$)' "$bot")" -le 30 ]
}

@test "the bot answers, before and after the centre's restart" {
	person alice
	bot robot
	sees alice 'robot has logged in.'
	# shellcheck disable=SC2016 # no shell may expand it
	said='"$(id)" `id` \n %s * '\''<>&| \u001b'
	types alice 'message robot help'
	types alice "message robot echo $said"
	types alice 'message robot echo -n'
	types alice 'message robot time'
	sees alice 'robot: I know: echo TEXT, time, help.'
	sees alice "robot: $said"
	sees alice 'robot: -n'
	sees_like alice "robot: .*$(date +%Y).*"
	centre_restart
	types alice 'message robot echo still here'
	sees alice 'robot: still here'
	end_bot robot
	sees alice 'robot has logged out.'
	leaves alice
}

@test "an agent that is killed is replaced, and each answer is given once" {
	person alice
	bot robot
	types alice 'message robot echo one'
	sees alice 'robot: one'
	kill -KILL "$(agent_of robot)"
	types alice 'message robot echo two'
	sees alice 'robot: two'
	sees_once alice 'robot: one'
	end_bot robot
}

@test "it answers neither itself nor another bot for ever" {
	person alice
	bot robot
	bot droid
	once robot send robot help
	once robot send droid hello
	# A hint, a hint to the hint, and nobody answers that one.
	wait_for said_between 3
	types alice 'message droid echo done'
	sees alice 'droid: done'
	types alice 'message robot echo done'
	sees alice 'robot: done'
	said_between 3
	end_bot droid
	end_bot robot
}

@test "somebody else becomes the bot: it gives way" {
	bot robot
	login robot
	wait_for session_gone "${bots[robot]}"
	status=0
	wait "${bots[robot]}" || status=$?
	unset 'bots[robot]'
	same 1 $status
	as robot live mail:=0 room:=0
	accepted
}
