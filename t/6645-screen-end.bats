#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How the full screen ends: signals, a stop, a takeover, an agent that is gone,
# a fault.  The terminal is put back each time.  And where lines are instead.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/terminal
load lib/screen

setup_file()
{
	people alice bob
}

set_up()
{
	command -v tmux >/dev/null || skip 'tmux is not installed'
	chat -V | grep -q 'full screen: ncurses' ||
		skip 'built without the full screen'
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: begins NAME ; in a shell that is open, after noting its modes
begins()
{
	says_line "$1" "clear; stty -a >$dir/before; $dir/$1.chat; echo \"status \$?\""
	has_on_screen "$1" '\| reachable'
}

# usage: is_put_back NAME ; the shell and its modes are as before
is_put_back()
{
	says_line "$1" "stty -a >$dir/after; echo put back"
	shows "$1" 'put back'
	same "$(<"$dir/before")" "$(<"$dir/after")" 'the modes of the terminal'
	same 0 "$(at_tmux display-message -p -t "$1" '#{alternate_on}')"
	same 1 "$(at_tmux display-message -p -t "$1" '#{cursor_flag}')"
}

@test "the terminal is put back, however it ends" {
	watches alice
	says_line alice /quit
	shows alice 'status 0'
	for signal in QUIT TERM HUP INT; do
		begins alice
		writes alice ''
		kill -$signal "$(face_of alice)"
		shows alice 'Goodbye\.'
		shows alice 'status 0'
		is_put_back alice
	done
	begins alice
	writes alice 'half'
	has_on_screen alice 'everybody> half'
	keys alice C-c
	has_on_screen alice 'everybody> *$'
	keys alice C-d
	shows alice 'Goodbye\.'
	is_put_back alice
}

@test "a fault puts it back as well" {
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a sanitizer takes the signal'
	watches alice
	says_line alice /quit
	shows alice 'status 0'
	for signal in SEGV ABRT; do
		begins alice
		kill -$signal "$(face_of alice)"
		shows alice 'status 1(39|34)'
		is_put_back alice
	done
}

@test "a terminal that goes away sends nothing of what stood there" {
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a leak checker may hang then'
	person bob
	watches alice
	says_line alice '/message bob hi'
	sees bob 'alice: hi'
	writes alice 'never'
	has_on_screen alice 'bob> never'
	at_tmux new-session -d -s other cat
	at_tmux kill-session -t alice
	sees bob 'alice has logged out.'
	saw_nothing_of bob never
}

@test "stopped and brought back, all is there again" {
	person bob
	watches alice
	says_line alice '/message bob hi'
	sees bob 'alice: hi'
	writes alice 'half'
	has_on_screen alice 'bob> half'
	keys alice C-z
	has_on_screen alice 'Stopped'
	types bob 'message alice meanwhile'
	sized alice 70 20
	says_line alice 'clear; fg'
	has_on_screen alice "$now bob: meanwhile"
	has_on_screen alice 'bob> half'
	says_line alice ' a line'
	sees bob 'alice: half a line'
	kill -STOP "$(face_of alice)"
	has_on_screen alice 'Stopped'
	says_line alice 'clear; fg'
	has_on_screen alice 'bob>'
	says_line alice 'more'
	sees bob 'alice: more'
}

@test "a login elsewhere ends it, and says so" {
	watches alice
	person alice --state "$dir/elsewhere"
	has_on_screen alice 'You have been logged out: alice logged in from 127\.0\.0\.1\.'
	shows alice 'status 1'
}

@test "an agent that is gone ends it, and says so" {
	watches alice
	kill -KILL "$(agent_of alice)"
	has_on_screen alice 'the agent has ended; start chat again'
	shows alice 'status 75'
}

@test "detached, and gone on with" {
	watches alice
	says_line alice /detach
	shows alice 'You stay logged in\.'
	shows alice 'status 0'
	says_line alice "clear; $dir/alice.chat"
	has_on_screen alice '\| reachable'
	says_line alice /logout
	shows alice 'Goodbye\.'
}

@test "lines where it is asked for, where it is dumb or too small" {
	watches alice
	says_line alice /quit
	shows alice 'status 0'
	says_line alice "clear; $dir/alice.chat --line"
	shows alice 'Welcome, alice\.'
	edits alice 'alice>'
	says_line alice quit
	shows alice 'Goodbye\.'
	says_line alice "clear; TERM=dumb $dir/alice.chat"
	has_on_screen alice 'the terminal is a dumb one; here are lines'
	says_line alice quit
	shows alice 'Goodbye\.'
	sized alice 60 5
	says_line alice "clear; $dir/alice.chat"
	has_on_screen alice 'smaller than 20 columns and 6 rows'
	says_line alice quit
	shows alice 'Goodbye\.'
}
