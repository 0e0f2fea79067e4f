# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# People who sit at a terminal: a shell in a tmux of the test's own, and in it
# the line face of chat(1).  For tests that have loaded person.bash.
#
#	sits alice
#	writes alice 'message bob hi'
#	keys alice Enter
#	shows bob "$now alice: hi"
#
# What is waited for are whole lines on the screen, as regular expressions; a
# prompt at the end of a line has lost its blank.

tmux_server=
now='[0-2][0-9]:[0-5][0-9]' # before what was said today
width=80 height=24

# usage: at_tmux COMMAND... ; of this test's own server
at_tmux()
{
	tmux -S "$dir/tmux" -u -f "$dir/tmux.conf" "$@"
}

# usage: opens NAME [VARIABLE=VALUE]... ; a shell in a terminal
opens()
{
	cat >"$dir/tmux.conf" <<-END
		set -g default-terminal screen-256color
		set -g status off
		set -g escape-time 0
	END
	(
		descriptors_close
		exec tmux -S "$dir/tmux" -u -f "$dir/tmux.conf" new-session -d \
			-s "$1" -x "$width" -y "$height" \
			env "${@:2}" PS1='$ ' bash --norc --noprofile -i
	) </dev/null >"$dir/tmux.out" 2>&1 3>&-
	tmux_server=$(at_tmux display-message -p '#{pid}')
	shows "$1" '\$'
}

# usage: sits NAME [VARIABLE=VALUE]... [OPTION]... ; opens, and logs in
sits()
{
	local chat name=$1 variables=()
	shift
	while [[ ${1-} == [A-Z]*=* ]]; do
		variables+=("$1")
		shift
	done
	chat_of "$name" "$@"
	printf '#!/bin/bash\nexec%s "$@"\n' "$(printf ' %q' "${chat[@]}")" \
		>"$dir/$name.chat"
	chmod +x "$dir/$name.chat"
	opens "$name" "${variables[@]}"
	writes "$name" "$dir/$name.chat; echo \"status \$?\""
	keys "$name" C-l Enter
	shows "$name" "Welcome, $name\\."
	# Any but a dumb one has a prompt.
	[[ " ${variables[*]} " == *' TERM=dumb '* ]] || shows "$name" "$name>"
}

# usage: keys NAME KEY... ; as tmux names them: Enter, C-c, M-Enter, Left
keys()
{
	at_tmux send-keys -t "$1" "${@:2}"
}

# usage: writes NAME TEXT ; without Enter
writes()
{
	at_tmux send-keys -l -t "$1" "$2"
}

# usage: says_line NAME TEXT ; with Enter
says_line()
{
	writes "$1" "$2"
	keys "$1" Enter
}

# usage: pastes NAME TEXT ; as a terminal with bracketed paste does
pastes()
{
	at_tmux set-buffer -- "$2"
	at_tmux paste-buffer -p -t "$1"
}

# usage: screen NAME ; prints what stands there
screen()
{
	at_tmux capture-pane -p -t "$1"
}

# usage: has_shown NAME REGEX
has_shown()
{
	screen "$1" | grep -qxE -e "$2"
}

# usage: shows NAME REGEX ; waits for such a line
shows()
{
	wait_for has_shown "$@" || {
		echo "--- the screen of $1:"
		screen "$1"
		return 1
	} >&2
}

# usage: last_line NAME ; prints the last line that is not empty
last_line()
{
	screen "$1" | sed '/^$/d' | tail -n 1
}

# usage: row NAME ; prints the number of that line, from 0
row()
{
	echo $(($(screen "$1" | sed '/^$/d' | wc -l) - 1))
}

# usage: edits NAME REGEX ; waits until the last line is this
edits()
{
	wait_for has_edited "$@" || {
		echo "--- the screen of $1:"
		screen "$1"
		return 1
	} >&2
}

has_edited()
{
	last_line "$1" | grep -qxE -e "$2"
}

# usage: cursor_at NAME X,Y ; waits until the cursor is there
cursor_at()
{
	wait_for has_cursor "$@" || {
		echo "--- the cursor is at $(cursor "$1"), the screen is:"
		screen "$1"
		return 1
	} >&2
}

cursor()
{
	at_tmux display-message -p -t "$1" '#{cursor_x},#{cursor_y}'
}

has_cursor()
{
	[ "$(cursor "$1")" = "$2" ]
}

# usage: seated ; prints the ids of this test's faces at terminals
seated()
{
	local pid
	for pid in $(chats); do
		[[ $(readlink "/proc/$pid/fd/0") != /dev/pts/* ]] || echo "$pid"
	done
}

# usage: screens_close ; for teardown: no server is left
screens_close()
{
	local pids
	[ -n "$tmux_server" ] || return 0
	# Softly: where the terminal goes away the kernel sends SIGCONT, and a
	# leak checker that is at work just then waits for ever.
	mapfile -t pids < <(seated)
	[ ${#pids[@]} -eq 0 ] || {
		kill -TERM "${pids[@]}"
		wait_for gone "${pids[@]}"
	}
	at_tmux kill-server
	wait_for gone "$tmux_server"
}
