#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chat read: what has come and was not shown yet, once, from a script.

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

tear_down()
{
	# A test that failed half-way leaves its reader behind.
	[ -z "${reader:-}" ] || gone "$reader" || kill -KILL "$reader"
}

# usage: follows NAME WORD... ; read --follow in the background, to $dir/NAME.out
follows()
{
	once_of "$1"
	seen[$1]=0
	(
		descriptors_close
		exec "${one[@]}" read --follow "${@:2}"
	) </dev/null >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	reader=$!
}

# usage: stops SIGNAL STATUS ; the reader ends by that, with that status
stops()
{
	local status=0
	kill "-$1" "$reader"
	wait_for gone "$reader"
	wait "$reader" || status=$?
	same "$2" $status 'the exit status of read'
}

# usage: agent_killed NAME ; at once
agent_killed()
{
	local pid
	pid=$(agent_of "$1")
	kill -KILL "$pid"
	wait_for gone "$pid"
}

@test "through the agent: what lies at the centre, and once" {
	login bob
	once 0 alice login
	tell bob alice one
	tell bob alice two
	once 0 alice read
	same $'bob: one\nbob: two' "$output"
	same '' "$stderr"
	once 0 alice read
	same '' "$output$stderr"
	broadcast bob three
	accepted
	once 0 alice read
	same 'bob (to all): three' "$output"
	once 0 alice logout
}

@test "a number of them, and the rest the next time" {
	login bob
	once 0 alice login
	for i in 1 2 3 4 5; do
		tell bob alice "$i"
	done
	once 0 alice read -n 2
	same $'bob: 1\nbob: 2' "$output"
	once 0 alice read -n 0
	same '' "$output"
	once 0 alice read -n 2
	same $'bob: 3\nbob: 4' "$output"
	once 0 alice read -n 9
	same 'bob: 5' "$output"
	once 0 alice logout
}

@test "many, with long lines" {
	login bob
	once 0 alice login
	long=$(printf '%04000d' 0)
	for i in $(seq 60); do
		tell bob alice "$i $long"
	done
	once 0 alice read -n 45
	same 45 "$(wc -l <<<"$output")"
	once 0 alice read
	same 15 "$(wc -l <<<"$output")"
	same "bob: 60 $long" "$(tail -n 1 <<<"$output")"
	once 0 alice logout
}

@test "JSON, one object a line" {
	login bob
	once 0 alice login
	tell bob alice $'two\nlines'
	logout bob
	once 0 alice read --json
	same 'message bob two\nlines' "$(jq -r \
		'select(.type == "message") | "\(.type) \(.from) \(.text | @json)"' \
		<<<"$output" | tr -d '"')"
	[[ $(jq -r 'select(.type == "message") | .time' <<<"$output") == 20* ]]
	same null "$(jq -r .row <<<"$output" | sort -u)"
	once 0 alice logout
}

@test "waiting: in vain, and not" {
	login bob
	once 0 alice login
	once 2 alice read --wait 0
	same '' "$output$stderr"
	once 2 alice read --wait 1
	same '' "$output$stderr"
	tell bob alice 'here already'
	once 0 alice read --wait 20
	same 'bob: here already' "$output"
	once_of alice
	"${one[@]}" read --wait "$patience" </dev/null >"$dir/waited" 3>&- &
	reader=$!
	tell bob alice later
	wait_for gone "$reader"
	wait "$reader"
	same 'bob: later' "$(<"$dir/waited")"
	once 0 alice logout
}

@test "following, until a signal: nothing is lost, nothing comes twice" {
	login bob
	once 0 alice login
	tell bob alice one
	follows alice
	sees alice 'bob: one'
	tell bob alice two
	sees alice 'bob: two'
	stops TERM 0
	tell bob alice three
	follows alice
	sees alice 'bob: three'
	stops INT 0
	saw_nothing_of alice two
	follows alice -n 1
	tell bob alice four
	wait_for gone "$reader"
	wait "$reader"
	same 'bob: four' "$(<"$dir/alice.out")"
	once 0 alice read
	same '' "$output"
	once 0 alice logout
}

@test "the session ends while it follows" {
	login bob
	once 0 alice login
	follows alice
	tell bob alice hi
	sees alice 'bob: hi'
	login alice
	sees alice 'You have been logged out: alice logged in from 127.0.0.1.'
	wait_for gone "$reader"
	status=0
	wait "$reader" || status=$?
	same 1 $status
	once 1 alice read
	same 'chat: Nobody is logged in here. Type "chat login" first.' \
		"$stderr"
}

@test "what cannot be written is not marked as shown" {
	login bob
	once 0 alice login
	tell bob alice precious
	once_of alice
	run -74 bash -c '"$@" read >/dev/full' - "${one[@]}" </dev/null 3>&-
	exec {pipe}> >(:)
	wait $!
	status=0
	"${one[@]}" read </dev/null >&"$pipe" 3>&- || status=$?
	same 74 $status 'the exit status where nobody reads'
	once 0 alice read
	same 'bob: precious' "$output"
	once 0 alice logout
}

@test "nobody has ever logged in here" {
	once 1 alice read
	same '' "$output"
	same 'chat: Nobody is logged in here. Type "chat login" first.' \
		"$stderr"
	run ! agent_of alice
}

@test "what the last session has left is shown without one, once" {
	login bob
	once 0 alice login
	tell bob alice left
	wait_for stored left
	once 0 alice logout
	wait_for no_agents
	tell bob alice 'not here yet'
	once 1 alice read
	[[ $output == 'bob'*': left' ]]
	same 'chat: Nobody is logged in here. Type "chat login" first.' \
		"$stderr"
	wait_for no_agents
	once 1 alice read --follow --wait 5
	same '' "$output"
	wait_for no_agents
}

# usage: stored TEXT ; alice's agent has fetched it
stored()
{
	once_of alice
	"${one[@]}" history </dev/null 3>&- | grep -q -e "$1"
}

@test "a session whose agent was killed goes on, without a password" {
	person bob
	once 0 alice login
	agent_killed alice
	types bob 'message alice while you were dead'
	password alice wrong
	once_of alice
	wait_for reads_something
	once 0 alice status
	same "alice at 127.0.0.1:$PORT: logged in, detached" "$output"
	[[ $heard == *'while you were dead' ]]
	saw_nothing_of bob 'alice has logged out.'
	agent_killed alice
	password alice
	login alice
	once 1 alice read
	same 'chat: Nobody is logged in here. Type "chat login" first.' \
		"$stderr"
	wait_for no_agents_but bob
}

# usage: reads_something ; what was read is in $heard
reads_something()
{
	heard=$("${one[@]}" read </dev/null 3>&-)
	[ -n "$heard" ]
}

# usage: no_agents_but NAME ; nobody else's runs
no_agents_but()
{
	[ "$(chats | wc -l)" -le 2 ]
}

@test "the centre is out of reach" {
	login bob
	once 0 alice login
	tell bob alice before
	wait_for stored before
	centre_stop
	once 69 alice read
	same 'bob: before' "$output"
	holds "$stderr" 'The centre cannot be reached'
	agent_killed alice
	once 69 alice read
	holds "$stderr" "The centre 127.0.0.1:$PORT cannot be reached"
	centre_again
	tell bob alice after
	once 0 alice read
	[[ $output == 'bob'*': after' ]]
	once 0 alice logout
}

@test "words and options that are none" {
	once 64 alice read bob
	once 64 alice read --wait soon
	holds "$stderr" '--wait wants a number of seconds'
	once 64 alice read -n -1
	once 64 alice online --follow
	holds "$stderr" 'online takes no --follow'
	once 64 alice send bob -n 3 hi
	holds "$stderr" 'send takes no -n'
}
