#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The full screen: conversations, the composer, consent, search, scrolling,
# sizes, and a terminal that is always put back.

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
	has_on_screen alice '●?.*bob'
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
