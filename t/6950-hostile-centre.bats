#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The client against a centre that means harm (t/tool/hostile): it ends within
# its deadlines with a status that the manual has, and nothing of what the
# centre says reaches a screen as it is.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

# A reply may take 15 seconds, a logout after it 5.
bound=40
declare -gA hostile=() attacks=()

setup_file()
{
	people
}

# usage: everybody_leaves ; for teardown, before it looks who is left
everybody_leaves()
{
	local pid
	for pid in "${attacks[@]}" "${hostile[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	wait_for no_agents
}

# usage: centre_is NAME HOW [OP] ; one that is hostile in that way; its port
# is in $PORT_NAME
centre_is()
{
	"$CHAT_BUILD/t/tool/hostile" "$state/server.pem" "$state/server.key" \
		"${@:2}" >"$dir/$1.port" 2>"$dir/$1.hostile" 3>&- &
	hostile[$1]=$!
	wait_for has_line "$dir/$1.port" ''
}

# usage: meets CENTRE RUN WORD... ; alice's client, not waited for; everything
# of it is in $dir/CENTRE.RUN.*
meets()
{
	local name=$1.$2 port
	read -r port <"$dir/$1.port"
	shift 2
	timeout -k 1 $bound chat --state "$dir/$name.state" \
		--ca "$state/ca.pem" --password-file "$dir/alice.password" \
		--account "alice@127.0.0.1:$port" "$@" \
		</dev/null >"$dir/$name.out" 2>"$dir/$name.err" 3>&- &
	attacks[$name]=$!
}

# usage: harmless FILE... ; nothing in it but text
harmless()
{
	# Our own names for what was said are in ASCII, and so are the marks.
	! LC_ALL=C grep -lP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]' "$@"
}

# usage: survived NAME ; its client ended by itself, as the manual has it
survived()
{
	local status=0
	wait "${attacks[$1]}" || status=$?
	unset "attacks[$1]"
	case $status in
	0 | 1 | 69 | 75 | 76 | 77) ;;
	*) fail "$1: exit status $status: $(cat -v "$dir/$1.err")" || return ;;
	esac
	harmless "$dir/$1.out" "$dir/$1.err" ||
		fail "$1 printed: $(cat -v "$dir/$1.out" "$dir/$1.err")" ||
		return
	printf '%s' "$status" >"$dir/$1.status"
}

# usage: all_survived
all_survived()
{
	local name failed=0
	for name in "${!attacks[@]}"; do
		survived "$name" || failed=1
	done
	return $failed
}

# usage: status_is NAME STATUS...
status_is()
{
	local got
	got=$(<"$dir/$1.status")
	[[ " ${*:2} " == *" $got "* ]] ||
		fail "$1: $got: $(cat -v "$dir/$1.err")"
}

# usage: sits_at CENTRE [TERM [OPTIONS]] ; alice at a terminal, a dumb one with
# lines; $dir/CENTRE.screen
sits_at()
{
	local port
	read -r port <"$dir/$1.port"
	mkfifo "$dir/$1.keys"
	TERM=${2-dumb} timeout -k 1 $bound script -qec "stty columns 80 rows 24
		chat ${3---line} --state '$dir/$1.state' --ca '$state/ca.pem' \
		--password-file '$dir/alice.password' alice@127.0.0.1:$port" \
		/dev/null <"$dir/$1.keys" >"$dir/$1.screen" 2>&1 3>&- &
	attacks[$1]=$!
}

# usage: untouched CENTRE ; none of the centre's own controls is on the screen,
# whatever the face itself may need there
untouched()
{
	! LC_ALL=C grep -qP '\x1b\[2J|\x1b\]|[\x08\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b\xae]|\xe2\x81\xa6' \
		"$dir/$1.screen" || fail "$1: $(cat -v "$dir/$1.screen")"
}

# usage: tries OP NAME ; asks the centre of that name until it says "done"
tries()
{
	local words=("$1") port status
	read -r port <"$dir/$1.port"
	case $1 in
	hello) words=(blocked) ;;
	login | sync) words=(--line) ;;
	send) words=(send bob hi) ;;
	esac
	while ! has_line "$dir/$1.port" "done"; do
		rm -rf "$dir/$2.state"
		status=0
		timeout -k 1 $bound chat --state "$dir/$2.state" \
			--ca "$state/ca.pem" --account "alice@127.0.0.1:$port" \
			--password-file "$dir/alice.password" "${words[@]}" \
			</dev/null >"$dir/$2.one" 2>&1 3>&- || status=$?
		cat "$dir/$2.one" >>"$dir/$2.all"
		harmless "$dir/$2.one" || return
		case $status in
		0 | 1 | 69 | 75 | 76 | 77) ;;
		*) echo "status $status" >>"$dir/$2.all" && return 1 ;;
		esac
	done
}

@test "a centre that says nothing, or garbage, or breaks off" {
	password alice
	hows='mute noise hang-up half silent drip endless flood newlines long
		deep garbage cut patience refuse'
	for how in $hows; do
		centre_is "$how" "$how"
		meets "$how" face --line
		meets "$how" send send bob hi
		meets "$how" online online
		meets "$how" login login
	done
	all_survived
	for how in mute noise hang-up half silent drip endless long deep cut; do
		for run in face send online login; do
			status_is "$how.$run" 69
		done
	done
	for run in face send online login; do
		status_is "flood.$run" 69 75
		status_is "newlines.$run" 69 75
		status_is "garbage.$run" 1 69 75 77
		status_is "patience.$run" 75
		status_is "refuse.$run" 1 77
	done
	no_agents
}

@test "a centre that lies in the right form" {
	password alice
	for how in escape refuse-later replaced epochs more busy; do
		centre_is "$how" "$how"
		meets "$how" face --line
		meets "$how" send send bob hi
		meets "$how" online online
		meets "$how" blocked blocked --json
	done
	all_survived
	status_is escape.face 0
	# A message that no message can be is none; what can be is made safe.
	grep -qx 'bob: .abc..' "$dir/escape.face.out"
	run ! grep -q '^bob.*: .*31m' "$dir/escape.face.out"
	has_line "$dir/escape.face.out" '  bob: forged'
	run ! grep -q '^bob: forged' "$dir/escape.face.out"
	has_line "$dir/escape.online.out" bob
	status_is refuse-later.send 1
	# Whoever has left before the first question leaves in peace.
	status_is replaced.face 0 1
	for run in face send online; do
		status_is "busy.$run" 75
	done
	# However many pages, and a sync that never comes to its end.
	status_is more.online 0
	[ "$(wc -l <"$dir/more.online.out")" -lt 5000 ]
	status_is more.face 0
}

@test "wrong types for every member of every reply and event" {
	password alice
	ops='hello login send online blocked sync'
	# Each asks again and again, until the centre has tried everything.
	for op in $ops; do
		centre_is "$op" types "$op"
		for i in 1 2 3; do
			tries "$op" "$op$i" &
			attacks[$op$i]=$!
		done
	done
	for name in "${!attacks[@]}"; do
		wait "${attacks[$name]}" ||
			fail "$name: $(tail -n 5 "$dir/$name.all" | cat -v)"
		unset "attacks[$name]"
	done
}

@test "on a terminal: it says for what it waits, and shows no escape" {
	password alice
	for how in mute escape refuse replaced; do
		centre_is "$how" "$how"
		sits_at "$how"
		exec {keys}>"$dir/$how.keys"
		typing+=(["$how"]=$keys)
	done
	wait_for has_line "$dir/escape.screen" 'Notice: '
	types escape online
	wait_for has_line "$dir/escape.screen" abc
	types escape 'message bob hi'
	types escape quit
	wait_for has_line "$dir/escape.screen" Goodbye.
	for how in mute escape refuse replaced; do
		wait "${attacks[$how]}" || true
		unset "attacks[$how]"
		hangs_up "$how"
		untouched "$how"
	done
	read -r port <"$dir/mute.port"
	has_line "$dir/mute.screen" "Connecting to 127.0.0.1:$port..."
	has_line "$dir/mute.screen" 'the TLS handshake took too long'
	for how in escape refuse replaced; do
		run ! has_line "$dir/$how.screen" Connecting
	done
	has_line "$dir/replaced.screen" 'You have been logged out: alice'
}

# usage: quits_at CENTRE ; the full screen ends
quits_at()
{
	printf '/quit\r' >&"${typing[$1]}"
	wait_for gone "${attacks[$1]}"
}

@test "the full screen shows no escape either" {
	chat -V | grep -q 'full screen: ncurses' ||
		skip 'built without the full screen'
	password alice
	centre_is escape escape
	sits_at escape xterm-256color ''
	exec {keys}>"$dir/escape.keys"
	typing+=([escape]=$keys)
	# A notice, and a message that is open.
	wait_for has_line "$dir/escape.screen" Notice
	wait_for has_line "$dir/escape.screen" abc
	printf '\033a' >&"$keys" # to what is unread
	wait_for has_line "$dir/escape.screen" forged
	quits_at escape
	wait "${attacks[escape]}" || true
	unset 'attacks[escape]'
	hangs_up escape
	# Each has its mark, though curses would have dropped it.
	has_line "$dir/escape.screen" 'Notice: �[2J�]0;x��31m�abc�'
	# What curses itself needs to draw is none of these.
	! LC_ALL=C grep -qP '\x1b\]|\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8b\xae]|\xe2\x81\xa6' \
		"$dir/escape.screen" || fail "$(cat -v "$dir/escape.screen")"
}
