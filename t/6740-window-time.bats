#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How long one waits for the window, and what the desktop is told.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/window

# What holds on a machine with nothing else to do; tests run on others, too.
busy=10
[ -z "${CHAT_SANITIZE:-}" ] || busy=50

setup_file()
{
	people alice bob
}

set_up()
{
	window_wanted
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: within MS WHAT TOOK ; says how long it took, wants it in that time
within()
{
	echo "# $2: $3 ms (wanted: $1 on a quiet machine)" >&3
	[ "$3" -le $((busy * $1)) ] || fail "$2 took $3 ms"
}

@test "the window is up within a second" {
	stage_begin
	look -r frame when '' >"$dir/when" 3>&- &
	looker=$!
	wait_for has_line "$dir/when" ready
	began=$(now_ms)
	opens_window alice "$(account_of alice)"
	wait "$looker"
	within 1000 'from its start to the window' \
		$(($(tail -n 1 "$dir/when") - began))
	window_shows 'Is that the right centre?'
}

# usage: watches SOCKET ; another face, whose lines go to $dir/watched with
# the time at which each came
watches()
{
	local fd line
	mkfifo "$dir/watch"
	(
		descriptors_close
		nc -N -U "$1" <"$dir/watch" | while read -r line; do
			echo "$(now_ms) $line"
		done
	) >"$dir/watched" 3>&- &
	exec {fd}>"$dir/watch"
	typing[the watcher]=$fd
	echo '{"do": "watch", "tag": 1}' >&"$fd"
	wait_for has_line "$dir/watched" '"tag":1'
}

@test "a message is shown within 100 ms of its arrival at the agent" {
	person bob
	enters alice
	once 0 alice status --json
	watches "$(jq -r .socket <<<"$output")"
	types bob 'message alice hi'
	press bob
	window_shows 'bob: hi, '
	look -r 'list item' when 'bob: quick, ' >"$dir/when" 3>&- &
	looker=$!
	wait_for has_line "$dir/when" ready
	types bob 'message alice quick'
	wait "$looker"
	wait_for has_line "$dir/watched" '"text":"quick"'
	came=$(grep -F '"text":"quick"' "$dir/watched" | cut -d' ' -f1)
	within 100 'from the agent to the window' \
		$(($(tail -n 1 "$dir/when") - came))
	fd=${typing[the watcher]}
	exec {fd}>&-
	unset 'typing[the watcher]'
}

@test "the desktop is told who writes, and what, unless that is hidden" {
	person bob
	stage_begin
	(
		descriptors_close
		exec "$CHAT_BUILD/t/tool/window" notices
	) >"$dir/notices" 3>&- &
	desktop=$!
	enters alice
	types bob 'message alice <b>hi</b>'
	wait_for grep -q '^bob|.*b.hi' "$dir/notices"
	run ! grep -F '<b>' "$dir/notices"
	key Control+comma
	look focus 'Hide what they say'
	key Return
	window_shows 'Hide what they say' checked
	key Escape
	wait_for has_line "$dir/alice.state/window.conf" 'hide-content=true'
	types bob 'message alice a secret'
	wait_for grep -q '^bob|A new message$' "$dir/notices"
	run ! grep -F 'secret' "$dir/notices"
	kill "$desktop"
	wait "$desktop" || true
}
