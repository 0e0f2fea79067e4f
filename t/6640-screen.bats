#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The full screen: conversations, the composer, consent, search, scrolling and
# sizes.  How it ends is in 6645-screen-end.bats.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/terminal
load lib/screen

setup_file()
{
	people alice bob carol
}

set_up()
{
	command -v tmux >/dev/null || skip 'tmux is not installed'
	chat -V | grep -q 'full screen: ncurses' ||
		skip 'built without the full screen'
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

@test "starts, lists, opens a conversation, sends, quits, and puts back" {
	person bob
	watches alice
	has_on_screen alice '● bob'
	says_line alice '/message bob hello'
	sees bob 'alice: hello'
	has_on_screen alice "$now alice: hello ✓✓"
	types bob 'message alice hi yourself'
	has_on_screen alice "$now bob: hi yourself"
	says_line alice 'how are you?'
	sees bob 'alice: how are you?'
	says_line alice '/quit'
	shows alice 'Goodbye\.'
	shows alice 'status 0'
	edits alice '\$'
	sees bob 'alice has logged out.'
}

@test "a screen of 80 columns and 24 rows" {
	person bob
	types bob 'message alice one'
	types bob $'broadcast all of you'
	watches alice
	has_on_screen alice '● bob +1│'
	keys alice M-a
	says_line alice 'two'
	looks_like alice <<-'END'
		   everybody        │bob, online
		>● bob              │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │
		                    │DAY
		                    │HH:MM bob: one
		                    │HH:MM alice: two ✓✓
		bob>
		alice@127.0.0.1:PORT | reachable | synced HH:MM | F1 help
	END
}

@test "a screen of 20 columns and 6 rows, and of less, and back" {
	person bob
	types bob 'message alice one two three four five six'
	watches alice
	keys alice M-a
	has_on_screen alice "$now bob: one two three four five six"
	writes alice 'half a line'
	sized alice 20 6
	looks_like alice <<-'END'
		bob, online
		HH:MM bob: one two
		        three four
		        five six
		> half a line
		alice | reachable |…
	END
	sized alice 15 5
	has_on_screen alice 'Too small'
	# What nobody sees is neither taken nor sent; this is drawn behind it.
	at_tmux pipe-pane -t alice "cat >>$dir/raw"
	writes alice ' unseen'
	pastes alice 'unseen'
	keys alice Enter F4 C-l
	wait_for has_line "$dir/raw" 'Too small'
	sized alice 20 6
	has_on_screen alice '^> half a line$'
	saw_nothing_of bob half
	keys alice F4
	has_on_screen alice '^everybody'
	cursor_at alice 0,2
	keys alice Up
	cursor_at alice 0,1
	keys alice Enter
	has_on_screen alice 'Welcome,'
	sized alice 80 24
	has_on_screen alice '>  everybody'
	keys alice M-a M-n
	has_on_screen alice 'bob> half a line'
}

@test "a long name leaves room for what is typed" {
	local long=a23456789012345678901234567890bc
	printf '%s\n' long-secret | ctl user add $long
	width=44 height=10
	person bob
	watches alice
	says_line alice "/message $long one"
	has_on_screen alice '^>$'
	writes alice 'two three four five'
	has_on_screen alice '^> two three four five'
	at_tmux resize-window -t alice -x 70 -y 10
	has_on_screen alice "^$long> two three four five"
}

@test "what is begun in one conversation is not sent to another" {
	person bob
	person carol
	watches alice
	says_line alice '/message carol hi'
	sees carol 'alice: hi'
	writes alice 'for carol'
	has_on_screen alice 'carol> for carol'
	types bob 'message alice hi'
	has_on_screen alice '● bob +1│'
	keys alice M-a
	has_on_screen alice 'bob> *$'
	says_line alice 'for bob'
	sees bob 'alice: for bob'
	keys alice M-n
	has_on_screen alice 'carol> for carol'
	keys alice Enter
	sees carol 'alice: for carol'
	saw_nothing_of bob 'for carol'
}

@test "several lines, pasted text, wide characters, what was typed before" {
	person bob
	watches alice
	says_line alice '/message bob 日本 ü'
	sees bob 'alice: 日本 ü'
	writes alice 'one'
	keys alice M-Enter
	writes alice 'two'
	has_on_screen alice '^     two'
	cursor_at alice 8,22
	keys alice Enter
	sees bob 'alice: one'
	sees bob '  two'
	pastes alice $'three\nfour\n'
	has_on_screen alice '^     four'
	writes alice '日本'
	cursor_at alice 9,22
	saw_nothing_of bob three
	keys alice BSpace BSpace Enter
	sees bob 'alice: three'
	sees bob '  four'
	keys alice Up
	has_on_screen alice '^     four'
	keys alice C-c
	has_on_screen alice '^bob> *$'
	writes alice '/mess'
	keys alice Tab
	has_on_screen alice 'command> /message *$'
	writes alice 'bo'
	keys alice Tab
	writes alice 'done'
	has_on_screen alice 'command> /message bob done'
	keys alice Enter
	sees bob 'alice: done'
}

@test "a control character that is pasted does nothing but go" {
	person bob
	watches alice
	says_line alice '/message bob hi'
	sees bob 'alice: hi'
	pastes alice $'a\003b\032c\034d\ne\017f\026g'
	has_on_screen alice 'bob> abcd'
	has_on_screen alice '^     efg'
	has_on_screen alice 'Left out: 5 characters that cannot be sent\.'
	keys alice Enter
	sees bob 'alice: abcd'
	sees bob '  efg'
}

@test "a command without a slash is one, a blank makes it a message" {
	person bob
	watches alice
	says_line alice 'message bob hello'
	sees bob 'alice: hello'
	writes alice 'block carol'
	has_on_screen alice 'command> block carol'
	keys alice Enter
	has_on_screen alice 'User carol has been blocked\.'
	says_line alice ' block carol'
	sees bob 'alice:  block carol'
	says_line alice '//help'
	sees bob 'alice: /help'
	says_line alice '/hepl'
	has_on_screen alice 'Unknown command: hepl\. Type "help"\.'
	says_line alice '/message dave hi'
	has_on_screen alice 'There is no user dave\.'
	says_line alice '/online'
	has_on_screen alice '^ .*│ +bob$'
}

@test "a question cannot be missed, and is answered with one key" {
	person bob
	watches alice
	writes alice 'half'
	at_tmux set -g bell-action none
	measures alice
	types bob 'getaddress alice'
	has_on_screen alice 'F2 yes, F3 no: bob wants to talk privately\.'
	has_on_screen alice '^sha256//[A-Za-z0-9+/]{43}='
	same 1 "$(tr -cd '\a' <"$dir/raw" | wc -c)" 'bells'
	writes alice ' yes no y n'
	has_on_screen alice 'everybody> half yes no y n'
	keys alice F3
	sees bob 'alice declined.'
	leaves_screen alice 'F2 yes'
	has_on_screen alice 'everybody> half yes no y n'
	types bob 'getaddress alice'
	has_on_screen alice 'F2 yes'
	keys alice F2
	seen_like bob 'alice agreed: .*' || sees_like bob 'alice agreed: .*'
	leaves_screen alice 'F2 yes'
	has_on_screen alice '● bob +private'
	types bob 'private alice psst'
	has_on_screen alice '● bob +private 1'
	keys alice M-a
	has_on_screen alice "$now bob \\(private\\): psst"
	has_on_screen alice 'bob, online, private link until'
	keys alice M-s
	has_on_screen alice 'bob \(private\)>'
	says_line alice 'yes?'
	sees bob 'alice (private): yes?'
	has_on_screen alice "$now alice \\(private\\): yes\\? ✓✓"
	says_line alice '/hangup bob'
	leaves_screen alice 'bob, online, private link until'
	says_line alice 'never'
	has_on_screen alice 'No private link with bob\.'
	saw_nothing_of bob never
}

@test "scrolls back into the history, finds words in it, and comes back" {
	person bob
	for i in $(seq 150); do
		types bob "message alice number $i."
	done
	types bob 'message alice a needle'
	for i in $(seq 151 260); do
		types bob "message alice number $i."
	done
	watches alice
	has_on_screen alice '● bob +261│'
	keys alice M-a
	has_on_screen alice 'bob: number 260\.'
	keys alice PPage
	has_on_screen alice 'scrolled back'
	types bob 'message alice meanwhile'
	has_on_screen alice '● bob +1│'
	leaves_screen alice 'bob: meanwhile'
	for _ in $(seq 16); do
		keys alice PPage
	done
	has_on_screen alice 'bob: number 1\.'
	has_on_screen alice 'day, [0-9]+ [A-Z].* 20'
	keys alice 'M->'
	has_on_screen alice 'bob: meanwhile'
	leaves_screen alice '● bob +1│'
	keys alice C-f
	writes alice 'needle'
	keys alice Enter
	has_on_screen alice '20[0-9-]+ [0-9:]+ bob: a needle'
	cursor_at alice 21,1
	keys alice Enter
	has_on_screen alice 'bob: number 151\.'
	has_on_screen alice 'bob: number 150\.'
	keys alice 'M->'
	has_on_screen alice 'bob: meanwhile'
}

@test "a key and a message are drawn with few octets" {
	person bob
	watches alice
	types bob 'message alice hi'
	has_on_screen alice '● bob +1│'
	keys alice M-a
	for i in $(seq 30); do
		types bob "message alice this is message $i"
	done
	has_on_screen alice 'message 30'
	has_on_screen alice 'reachable'
	measures alice
	writes alice x
	has_on_screen alice 'bob> x'
	wrote_at_most 100
	measures alice
	types bob 'message alice one more'
	has_on_screen alice 'bob: one more'
	wrote_at_most 2000
	run ! grep -q $'\033\\[2J\|\033\\[H\033\\[J' "$dir/raw"
}

@test "nothing that others write does anything to the terminal" {
	watches bob
	login alice
	new_id
	as alice send id="$id" to=bob text:='"a\u202eb\u200bc"'
	accepted
	tell alice bob $'one\nbob: forged'
	has_on_screen bob ' alice +2│'
	keys bob M-a
	has_on_screen bob "$now alice: a.b.c"
	has_on_screen bob '│        bob: forged'
}

@test "colours, unless NO_COLOR says no" {
	person bob
	watches alice
	types bob 'message alice hi'
	has_on_screen alice '● bob +1│'
	at_tmux capture-pane -p -e -t alice | grep -q $'\033\\[[0-9;]*38;5;[0-9]*m'
	says_line alice /quit
	shows alice 'status 0'
	says_line alice "clear; NO_COLOR=1 $dir/alice.chat"
	has_on_screen alice '● bob'
	run ! grep -q '38;5;' <(at_tmux capture-pane -p -e -t alice)
}

@test "marks of ASCII where the locale has no more, text as it is" {
	person bob
	watches alice LC_ALL=C
	says_line alice '/message bob 日本 ü'
	sees bob 'alice: 日本 ü'
	has_on_screen alice "$now alice: 日本 ü \\+\\+"
	has_on_screen alice '^>\* bob +\|$'
}

@test "where the locale has neither UTF-8 nor ASCII only ASCII is shown" {
	localedef -i en_US -f ISO-8859-1 "$dir/en_US.ISO-8859-1" 2>/dev/null ||
		skip 'there is no such locale to be made'
	# The C library loses memory when it looks there.
	watches alice LOCPATH="$dir" LC_ALL=en_US.ISO-8859-1 \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	login bob
	tell bob alice $'caf\u00e9 \u65e5 \u00db31m \u202e'
	has_on_screen alice '\* bob +1\|'
	keys alice M-a
	has_on_screen alice "$now bob: caf\\? \\?  \\?31m \\?"
	same '' "$(screen alice | LC_ALL=C grep '[^ -~]')"
}

@test "somebody's names are completed, and listed where there are more" {
	person bob
	person carol
	watches alice
	has_on_screen alice '● carol'
	writes alice '/block '
	keys alice Tab
	has_on_screen alice 'bob +carol'
	writes alice 'c'
	keys alice Tab
	has_on_screen alice 'command> /block carol'
}

@test "the centre goes away and comes back" {
	person bob
	watches alice
	says_line alice '/message bob hi'
	sees bob 'alice: hi'
	centre_kill master
	has_on_screen alice 'The centre cannot be reached; messages will be'
	has_on_screen alice 'OUT OF REACH'
	says_line alice 'later'
	has_on_screen alice "$now alice: later …"
	has_on_screen alice 'OUT OF REACH \| 1 queued'
	centre_again
	sees bob 'alice: later'
	has_on_screen alice "$now alice: later ✓✓"
	leaves_screen alice 'queued'
	has_on_screen alice '\| reachable'
}
