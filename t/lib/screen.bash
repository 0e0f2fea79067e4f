# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# People at the full screen of chat(1), in a tmux of the test's own.  For tests
# that have loaded person.bash and terminal.bash.
#
#	watches alice                      # in 80x24, or $width x $height
#	writes alice 'hi'; keys alice Enter
#	has_on_screen alice 'text'         # waits until it stands there
#	status_says alice 'reachable'

# usage: watches NAME [VARIABLE=VALUE]... [OPTION]... ; opens, and logs in
watches()
{
	local chat name=$1 variables=()
	shift
	while [[ ${1-} == [A-Z]*=* ]]; do
		variables+=("$1")
		shift
	done
	chat_of "$name" "$@"
	# All but --line, which comes first.
	printf '#!/bin/bash\nexec%s "$@"\n' \
		"$(printf ' %q' "${chat[0]}" "${chat[@]:2}")" \
		>"$dir/$name.chat"
	chmod +x "$dir/$name.chat"
	opens "$name" "${variables[@]}"
	writes "$name" "$dir/$name.chat; echo \"status \$?\""
	keys "$name" C-l Enter
	has_on_screen "$name" "Welcome, $name\\."
	has_on_screen "$name" 'reachable'
}

# usage: on_screen NAME REGEX ; somewhere in a line
on_screen()
{
	screen "$1" | grep -qE -e "$2"
}

# usage: has_on_screen NAME REGEX ; waits for it, somewhere in a line
has_on_screen()
{
	wait_for on_screen "$@" || {
		echo "--- the screen of $1:"
		screen "$1"
		return 1
	} >&2
}

off_screen()
{
	! on_screen "$@"
}

# usage: leaves_screen NAME REGEX ; waits until it stands nowhere any more
leaves_screen()
{
	wait_for off_screen "$@" || {
		echo "--- the screen of $1:"
		screen "$1"
		return 1
	} >&2
}

# usage: looks_like NAME <PICTURE ; waits until the whole screen is that
looks_like()
{
	local wanted
	wanted=$(cat)
	wait_for is_like "$1" "$wanted" || {
		echo "--- what $1 has instead:"
		diff <(echo "$wanted") <(pictured "$1")
		return 1
	} >&2
}

is_like()
{
	[ "$(pictured "$1")" = "$2" ]
}

# usage: pictured NAME ; the screen, times and ports as letters
pictured()
{
	screen "$1" | sed -E -e 's/[0-2][0-9]:[0-5][0-9]/HH:MM/g' \
		-e "s/:$PORT/:PORT/g" \
		-e 's/(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-9]+ [A-Z][a-z]+ 20[0-9][0-9]/DAY/' \
		-e 's/ +$//'
}

# usage: sized NAME COLUMNS ROWS ; resizes the terminal
sized()
{
	at_tmux resize-window -t "$1" -x "$2" -y "$3"
}

# usage: face_of NAME ; the process id of the face in that terminal
face_of()
{
	pgrep -f "^chat --state $dir/$1.state" -t \
		"$(at_tmux display-message -p -t "$1" '#{s|/dev/||:pane_tty}')"
}

# usage: measures NAME ; what is written to the terminal goes to $dir/raw
measures()
{
	at_tmux pipe-pane -t "$1"
	: >"$dir/raw"
	at_tmux pipe-pane -t "$1" "cat >>$dir/raw"
}

# usage: wrote_at_most OCTETS ; and something, since measures
wrote_at_most()
{
	local size
	wait_for test -s "$dir/raw"
	size=$(wc -c <"$dir/raw")
	[ "$size" -le "$1" ] || fail "$size octets were written: $(cat -v "$dir/raw")"
}
