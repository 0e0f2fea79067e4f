#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The client where its surroundings are not as they should be: an agent that
# ends as one comes, a full disk, a reader that does not read, others' files.

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

# usage: connected PID ; it has a socket
connected()
{
	find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | grep -q .
}

# usage: opened PID FILE
opened()
{
	find "/proc/$1/fd" -lname "$2" 2>/dev/null | grep -q .
}

@test "an agent that ends as a second client comes" {
	person alice
	agent=$(agent_of alice)
	kill -STOP "$agent"
	chat_of alice
	timeout "$patience" "${chat[@]}" </dev/null \
		>"$dir/second.out" 2>"$dir/second.err" 3>&- &
	second=$!
	wait_for pgrep -P "$second" >/dev/null
	wait_for connected "$(pgrep -P "$second")"
	kill -KILL "$agent"
	ends alice 75
	wait "$second"
	same $'Welcome, alice.\nGoodbye.' "$(<"$dir/second.out")"
	[ ! -s "$dir/second.err" ]
}

@test "one client after another, as fast as they come" {
	chat_of alice
	for i in {1..25}; do
		run -0 timeout "$patience" "${chat[@]}" </dev/null 3>&-
		same $'Welcome, alice.\nGoodbye.' "$output"
	done
}

@test "a message to oneself" {
	person alice
	types alice 'message alice note to self'
	sees alice 'alice: note to self'
	leaves alice
	person alice
	leaves alice
	sees_once alice 'Welcome, alice.'
	saw_nothing_of alice 'note to self'
}

@test "a disk that is full, a reader that is gone" {
	chat_of alice
	status=0
	timeout "$patience" "${chat[@]}" </dev/null >/dev/full 2>&1 3>&- ||
		status=$?
	same 74 $status
	mkfifo "$dir/keys"
	timeout "$patience" "${chat[@]}" <"$dir/keys" 2>"$dir/err" 3>&- | true &
	exec {keys}>"$dir/keys"
	wait_for no_agents
	exec {keys}>&-
	person alice
}

@test "a reader that does not read holds nobody up" {
	mkfifo "$dir/slow"
	exec {slow}<>"$dir/slow"
	chat_of bob
	mkfifo "$dir/keys"
	"${chat[@]}" <"$dir/keys" >"$dir/slow" 2>"$dir/err" 3>&- &
	pid=$!
	exec {keys}>"$dir/keys"
	read -r -u "$slow" -t "$patience" first
	same 'Welcome, bob.' "$first"
	person alice
	# More than a pipe holds.
	for i in {1..20}; do
		types alice "message bob $i $(printf '%04000d' 0)"
	done
	types alice 'message bob last'
	types alice 'message alice here'
	sees alice 'alice: here'
	kill -TERM $pid
	wait_for gone $pid
	exec {keys}>&- {slow}>&-
	wait $pid || true
}

@test "a state directory in which others may write" {
	mkdir "$dir/alice.state"
	chmod 777 "$dir/alice.state"
	chat_of alice
	run -73 timeout "$patience" "${chat[@]}" </dev/null 3>&-
	holds "$output" 'others may write there'
	chmod 755 "$dir/alice.state"
	mkdir "$dir/elsewhere"
	ln -s "$dir/elsewhere" "$dir/alice.state/alice@127.0.0.1:$PORT"
	run -73 timeout "$patience" "${chat[@]}" </dev/null 3>&-
	holds "$output" 'not a directory of yours'
	rm "$dir/alice.state/alice@127.0.0.1:$PORT"
	umask 000
	person alice
	umask 077
	run find "$dir/alice.state" -mindepth 1 -perm /077 ! -type l
	same '' "$output"
	leaves alice
	run grep -raF -e alice-secret "$dir/alice.state"
	same '' "$output"
}

# usage: named PID NAME ; that is the name of the program that runs there
named()
{
	[ "$(</proc/"$1"/comm)" = "$2" ]
}

@test "a password that does not come keeps nobody from leaving" {
	mkfifo "$dir/never"
	exec {never}<>"$dir/never"
	chat_of alice --password-file "$dir/never"
	"${chat[@]}" </dev/null >"$dir/out" 2>&1 3>&- {never}>&- &
	pid=$!
	# The shell that becomes it has it open, too.
	wait_for named $pid chat
	wait_for opened $pid "$dir/never"
	kill -TERM $pid
	wait_for gone $pid
	wait $pid
	exec {never}>&-
	same '' "$(<"$dir/out")"
}
