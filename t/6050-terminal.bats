#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The line face on a terminal: keys, history, completion, paste, what arrives
# while a line is being typed, colours, and a terminal that is put back.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/terminal

setup_file()
{
	people alice bob carol
}

set_up()
{
	command -v tmux >/dev/null || skip 'tmux is not installed'
	[[ $BATS_TEST_DESCRIPTION == *dumb* ]] ||
		chat -V | grep -q 'editing: readline' ||
		skip 'built without readline'
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

@test "a line is edited, and sent" {
	person bob
	sits alice
	writes alice 'message bob hello wolrd'
	keys alice C-w
	writes alice 'world'
	keys alice C-a Escape f Escape f C-d
	writes alice ' '
	edits alice 'alice> message bob hello world'
	keys alice Enter
	sees bob 'alice: hello world'
	edits alice 'alice>'
}

@test "what arrives stands above a half-typed line" {
	person bob
	sits alice
	shows alice 'alice>'
	writes alice 'message bob half a'
	edits alice 'alice> message bob half a'
	types bob 'message alice one'
	shows alice "$now bob: one"
	edits alice 'alice> message bob half a'
	cursor_at alice "25,$(row alice)"
	types bob 'message alice two'
	shows alice "$now bob: two"
	edits alice 'alice> message bob half a'
	same 1 "$(screen alice | grep -c 'half a')"
	says_line alice ' line'
	sees bob 'alice: half a line'
}

@test "wide characters and emoji keep the cursor where it belongs" {
	person bob
	sits alice
	writes alice 'message bob 日本 😀 ü'
	edits alice 'alice> message bob 日本 😀 ü'
	cursor_at alice "28,$(row alice)"
	keys alice Left Left Left
	cursor_at alice "24,$(row alice)"
	keys alice BSpace BSpace
	edits alice 'alice> message bob 日😀 ü'
	types bob 'message alice 今日は 🎉'
	shows alice "$now bob: 今日は 🎉"
	edits alice 'alice> message bob 日😀 ü'
	cursor_at alice "21,$(row alice)"
	keys alice Enter
	sees bob 'alice: 日😀 ü'
}

@test "text is UTF-8 whatever the locale says" {
	person bob
	sits alice LC_ALL=C
	writes alice 'message bob 日本 ü'
	edits alice 'alice> message bob 日本 ü'
	cursor_at alice "25,$(row alice)"
	keys alice BSpace BSpace BSpace Enter
	sees bob 'alice: 日'
}

@test "where the locale has neither UTF-8 nor ASCII only ASCII is shown" {
	localedef -i en_US -f ISO-8859-1 "$dir/en_US.ISO-8859-1" 2>/dev/null ||
		skip 'there is no such locale to be made'
	# The C library loses memory when it looks there.
	sits bob LOCPATH="$dir" LC_ALL=en_US.ISO-8859-1 \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	listens bob
	login alice
	# The second octet of the third word alone would begin a sequence there.
	tell alice bob $'caf\u00e9 \u65e5 \u00db31m \u202e'
	shows bob "$now alice: caf\\? \\? \\?31m \\?"
	edits bob 'bob>'
	says_line bob quit
	shows bob 'status 0'
	once_of bob
	says_line bob "clear; ${one[*]} history; echo looked"
	shows bob 'alice .*: caf\? \? \?31m \?'
	says_line bob "${one[*]} history | cat"
	shows bob 'alice .*: café 日 Û31m �'
}

# usage: prompts_once NAME ; no half-drawn line is left on the screen
prompts_once()
{
	[ "$(screen "$1" | grep -c "$1> message")" = 1 ]
}

@test "a line that wraps in a narrow window, and a window that changes" {
	width=20
	person bob
	sits alice
	writes alice 'message bob one two three four five six'
	shows alice 'alice> message bob o'
	shows alice 'ne two three four fi'
	edits alice 've six'
	types bob 'message alice hello'
	shows alice "$now bob: hello"
	shows alice 'alice> message bob o'
	edits alice 've six'
	wait_for prompts_once alice
	at_tmux resize-window -t alice -x 30 -y 24
	shows alice 'alice> message bob one two thr'
	edits alice 'ee four five six'
	writes alice ' seven'
	edits alice 'ee four five six seven'
	# This terminal breaks lines anew; nothing that was said goes with them.
	shows alice "$now bob: hello"
	wait_for prompts_once alice
	at_tmux resize-window -t alice -x 25 -y 24
	shows alice 'alice> message bob one tw'
	shows alice 'o three four five six sev'
	edits alice en
	types bob 'message alice more'
	shows alice "$now bob: more"
	shows alice "$now bob: hello"
	keys alice Enter
	sees bob 'alice: one two three four five six seven'
}

@test "what was typed comes back, in this session and in the next" {
	person bob
	sits alice
	says_line alice 'message bob first'
	sees bob 'alice: first'
	says_line alice 'message bob second'
	sees bob 'alice: second'
	keys alice Up Up
	edits alice 'alice> message bob first'
	keys alice C-c
	edits alice 'alice>'
	says_line alice quit
	shows alice 'status 0'
	typed=$(echo "$dir"/alice.state/*/typed)
	same 600 "$(stat -c %a "$typed")"
	same $'message bob first\nmessage bob second\nquit' "$(<"$typed")"
	run ! grep -r alice-secret "$typed"
	says_line alice "clear; $dir/alice.chat"
	shows alice 'Welcome, alice\.'
	edits alice 'alice>'
	keys alice C-r
	writes alice 'firs'
	shows alice "\\(reverse-i-search\\)\`firs': message bob first"
	# What comes in the middle of a search does not end it.
	types bob 'message alice now'
	shows alice "$now bob: now"
	edits alice "\\(reverse-i-search\\)\`firs': message bob first"
	keys alice Enter
	sees bob 'alice: first'
}

@test "no more than 1000 lines are kept" {
	sits alice
	says_line alice quit
	shows alice 'status 0'
	typed=$(echo "$dir"/alice.state/*/typed)
	seq -f 'online %g' 1500 >"$typed"
	says_line alice "clear; $dir/alice.chat"
	edits alice 'alice>'
	says_line alice 'quit'
	shows alice '\$'
	wait_for has_left "$typed"
	same 'quit' "$(tail -n 1 "$typed")"
	same 'online 502' "$(head -n 1 "$typed")"
}

# usage: has_left FILE ; it has been cut to what is kept
has_left()
{
	[ "$(wc -l <"$1")" -eq 1000 ]
}

@test "commands and users are completed" {
	person bob
	sits alice
	writes alice mes
	keys alice Tab
	edits alice 'alice> message'
	writes alice bo
	keys alice Tab
	edits alice 'alice> message bob'
	writes alice hi
	edits alice 'alice> message bob hi'
	# No file, and no user, in a text.
	writes alice ' bo'
	keys alice Tab Tab
	writes alice .
	edits alice 'alice> message bob hi bo\.'
	keys alice C-u
	writes alice /unb
	keys alice Tab
	writes alice B
	keys alice Tab
	edits alice 'alice> /unblock bob'
	keys alice C-u
	writes alice bl
	keys alice Tab Tab Tab
	shows alice 'block +blocked *'
	edits alice 'alice> block'
	keys alice C-u
	# Neither who does not exist nor oneself.
	keys alice C-u
	says_line alice 'message bobby hi'
	shows alice 'There is no user bobby\.'
	says_line alice 'message alice hi'
	shows alice "$now alice: hi"
	writes alice 'msg bo'
	keys alice Tab
	edits alice 'alice> msg bob'
	keys alice C-u
	writes alice 'msg a'
	keys alice Tab Tab
	writes alice .
	edits alice 'alice> msg a\.'
	keys alice C-u
	# Who comes later is known, too.
	person carol
	shows alice 'carol has logged in\.'
	writes alice 'msg c'
	keys alice Tab
	edits alice 'alice> msg carol'
}

@test "the nearest command is named, and where the others are" {
	sits alice
	says_line alice hlep
	shows alice 'Unknown command: hlep\. Type "help"\. Did you mean "help"\?'
	says_line alice 'history bob'
	shows alice 'Unknown command: history\. Type "chat history" in the shell\.'
	says_line alice frobnicate
	shows alice 'Unknown command: frobnicate\. Type "help"\.'
}

@test "what is pasted sends nothing by itself, and goes as one message" {
	person bob
	sits alice
	writes alice 'message bob '
	pastes alice $'first\nsecond\n  third\n'
	edits alice '  third'
	types bob 'message alice not yet?'
	shows alice "$now bob: not yet\\?"
	shows alice 'alice> message bob first'
	shows alice 'second'
	same 0 "$(grep -c first "$dir/bob.out")"
	keys alice Enter
	sees bob 'alice: first'
	sees bob '  second'
	sees bob '    third'
	# As one it comes back, also in another session.
	says_line alice quit
	shows alice 'status 0'
	says_line alice "clear; $dir/alice.chat"
	edits alice 'alice>'
	keys alice Up Up
	shows alice 'second'
	shows alice 'alice> message bob first'
}

@test "a message of several lines is typed" {
	person bob
	sits alice
	writes alice 'message bob one'
	keys alice M-Enter
	writes alice 'two'
	edits alice 'two'
	keys alice Enter
	sees bob 'alice: one'
	sees bob '  two'
}

@test "Ctrl-C clears a line first, then leaves; so does Ctrl-D" {
	person bob
	sits alice
	writes alice 'message bob never'
	edits alice 'alice> message bob never'
	keys alice C-c
	edits alice 'alice>'
	keys alice C-c
	shows alice 'Goodbye\.'
	edits alice '\$'
	shows alice 'status 0'
	sees bob 'alice has logged out.'
	says_line alice "clear; $dir/alice.chat"
	edits alice 'alice>'
	writes alice 'message bob never'
	edits alice 'alice> message bob never'
	keys alice C-d C-u
	edits alice 'alice>'
	keys alice C-d
	shows alice 'Goodbye\.'
	saw_nothing_of bob never
}

@test "the terminal is put back, however it ends" {
	sits alice
	says_line alice quit
	shows alice 'status 0'
	for signal in QUIT TERM HUP; do
		says_line alice "clear; stty -a >$dir/before; $dir/alice.chat"
		edits alice 'alice>'
		writes alice 'message bob half'
		edits alice 'alice> message bob half'
		kill -$signal "$(chat_at alice)"
		edits alice '\$'
		says_line alice "clear; stty -a >$dir/after; echo done"
		shows alice 'done'
		same "$(<"$dir/before")" "$(<"$dir/after")"
		[ "$signal" = HUP ] || shows alice '\$'
	done
}

# usage: chat_at NAME ; the process id of the face in that terminal
chat_at()
{
	pgrep -f "^chat --line --state $dir/$1.state" -t \
		"$(at_tmux display-message -p -t "$1" '#{s|/dev/||:pane_tty}')"
}

@test "a terminal that goes away sends nothing of what stood there" {
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a leak checker may hang then'
	person bob
	sits alice
	writes alice 'message bob never'
	edits alice 'alice> message bob never'
	at_tmux new-session -d -s other cat
	at_tmux kill-session -t alice
	sees bob 'alice has logged out.'
	saw_nothing_of bob never
}

@test "a control character that was pasted is refused" {
	person bob
	sits alice
	writes alice 'message bob '
	pastes alice $'a\tb\001c'
	keys alice Enter
	shows alice 'The message holds a control character .* at byte 4\. .*'
	edits alice 'alice>'
	saw_nothing_of bob alice:
}

@test "stopped and brought back, the line is there again" {
	person bob
	sits alice
	writes alice 'message bob half'
	edits alice 'alice> message bob half'
	keys alice C-z
	edits alice '\$'
	shows alice '.*Stopped.*'
	says_line alice 'stty -a | grep -o -- -icanon; echo looked'
	shows alice looked
	run ! grep -x -- -icanon <<<"$(screen alice)"
	types bob 'message alice meanwhile'
	says_line alice 'clear; fg'
	shows alice "$now bob: meanwhile"
	edits alice 'alice> message bob half'
	says_line alice ' a line'
	sees bob 'alice: half a line'
	# Stopped in the hard way the shell has changed the terminal.
	writes alice 'message bob more'
	edits alice 'alice> message bob more'
	kill -STOP "$(chat_at alice)"
	edits alice '\$'
	says_line alice 'clear; fg'
	edits alice 'alice> message bob more'
	keys alice Enter
	sees bob 'alice: more'
}

@test "the prompt says when the centre is out of reach" {
	sits alice
	writes alice 'message bob half'
	centre_kill master
	shows alice 'The centre cannot be reached; messages will be sent when it is back\.'
	edits alice 'alice \(offline\)> message bob half'
	centre_again
	shows alice 'The centre is back\.'
	edits alice 'alice> message bob half'
}

@test "each person has a colour, unless NO_COLOR says no" {
	person bob
	person carol
	sits alice
	types bob 'message alice hi'
	types carol 'broadcast hi all'
	shows alice "$now bob: hi"
	shows alice "$now carol \\(to all\\): hi all"
	of_bob=$(colour_at alice bob)
	of_carol=$(colour_at alice carol)
	[ -n "$of_bob" ]
	[ "$of_bob" != "$of_carol" ]
	says_line alice quit
	shows alice 'status 0'
	says_line alice "clear; NO_COLOR=1 $dir/alice.chat"
	edits alice 'alice>'
	types bob 'message alice again'
	shows alice "$now bob: again"
	same '' "$(colour_at alice bob)"
}

# usage: colour_at NAME WHOM ; the sequence before that name
colour_at()
{
	at_tmux capture-pane -p -e -t "$1" |
		sed -n "s/^$now .*\\(\\[[0-9;]*m\\)$2.*/\\1/p" | tail -n 1
}

@test "a message rings the bell, a broadcast does not, nor where it is off" {
	person bob
	sits alice
	at_tmux set -g bell-action none
	listens alice
	types bob 'broadcast all'
	shows alice "$now bob \\(to all\\): all"
	types bob 'message alice hi'
	shows alice "$now bob: hi"
	wait_for has_line "$dir/raw" 'hi'
	same 1 "$(tr -cd '\a' <"$dir/raw" | wc -c)"
	says_line alice quit
	shows alice 'status 0'
	echo 'bell = false;' >"$dir/quiet.conf"
	says_line alice "clear; $dir/alice.chat --config $dir/quiet.conf"
	edits alice 'alice>'
	types bob 'message alice quiet'
	shows alice "$now bob: quiet"
	wait_for has_line "$dir/raw" 'quiet'
	same 1 "$(tr -cd '\a' <"$dir/raw" | wc -c)"
}

# usage: listens NAME ; what the terminal gets from now on goes to $dir/raw
listens()
{
	: >"$dir/raw"
	at_tmux pipe-pane -t "$1" "cat >>$dir/raw"
}

@test "a message cannot do anything to the terminal" {
	sits bob
	login alice
	new_id
	as alice send id="$id" to=bob text:='"a\u202eb\u200bc"'
	accepted
	shows bob "$now alice: a.b.c"
	tell alice bob $'one\nbob> forged'
	shows bob '  bob> forged'
	edits bob 'bob>'
}

# usage: filled COLUMNS TEXT ; a word and a blank that take up so many, then a
# text that a terminal would put at the beginning of a row
filled()
{
	printf '%s %s' "$(head -c $(($1 - 1)) /dev/zero | tr '\0' x)" "$2"
}

@test "a long message cannot look like another line" {
	width=40
	sits bob
	login alice
	# Behind "14:03 alice: " there are 27 columns.
	tell alice bob "$(filled 27 '14:03 carol: forged')"
	shows bob '  14:03 carol: forged'
	broadcast alice "$(filled 18 '14:03 carol: to all')"
	shows bob '  14:03 carol: to all'
	tell alice bob $'two\n'"$(filled 38 '14:03 carol: below')"
	shows bob '  14:03 carol: below'
	# Not every terminal makes one picture of a family, four wide ones.
	family=$'\U1f468\u200d\U1f469\u200d\U1f467\u200d\U1f466'
	tell alice bob "$family$family$family 14:03 carol: wide"
	shows bob '  14:03 carol: wide'
	run ! has_shown bob '14:03 carol: .*'
	# One word after the other, and the prompt below.
	tell alice bob 'one two three four five six seven eight'
	shows bob "$now alice: one two three four five six"
	shows bob '  seven eight'
	edits bob 'bob>'
	same 1 "$(screen bob | grep -c 'bob>')"
	# So do those that print and end, if they do it on a terminal.
	says_line bob quit
	shows bob 'status 0'
	once_of bob
	says_line bob "clear; ${one[*]} history; echo looked"
	shows bob looked
	shows bob '  carol: forged'
	run ! has_shown bob '14:03 carol: .*'
	once 0 bob history
	holds "$output" ": $(filled 27 '14:03 carol: forged')"
}

@test "a dumb terminal has plain lines" {
	person bob
	sits alice TERM=dumb
	listens alice
	says_line alice 'message bob hi'
	sees bob 'alice: hi'
	types bob 'message alice hi'
	shows alice "$now bob: hi"
	run ! grep -q $'\033' "$dir/raw"
	writes alice 'message bob never'
	keys alice C-c
	shows alice 'Goodbye\.'
	saw_nothing_of bob never
}
