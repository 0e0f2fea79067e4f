#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A long conversation in the window: scrolled from its last message to its
# first one.  With WINDOW_MESSAGES=100000 in the environment this is what
# `make bench-window` measures, on a machine that does nothing else.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/window

messages=${WINDOW_MESSAGES:-1500}
memory_kb=153600 # 150 MB

setup_file()
{
	people alice bob
}

set_up()
{
	window_wanted
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a sanitizer must be loaded first'
	centre_start
}

# usage: write_book BOOK SQL ; once nobody has it any more
write_book()
{
	"$CHAT_BUILD/t/tool/db" "$1" "$2" 2>"$dir/db.err"
}

# usage: has_talked NAME OTHER COUNT ; so many messages are in NAME's book
has_talked()
{
	local book
	once 0 "$1" login
	once 0 "$1" logout
	book=$(echo "$dir/$1.state"/*/book.db)
	wait_for write_book "$book" "
		BEGIN IMMEDIATE;
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n WHERE i < $3)
		INSERT INTO history (kind, state, time, author, recipient,
			id, text, shown)
		SELECT 0, iif(i % 3, 0, 3), 1700000000000 + i * 60000,
			iif(i % 3, '$2', '$1'), iif(i % 3, '$1', '$2'),
			printf('load-%016d', i),
			'message ' || i || ' ' || substr('is one of many that '
			|| 'were said, some of which are long enough to need '
			|| 'more than one line of the window in which they '
			|| 'are shown', 1, i * 7 % 124), 1 FROM n;
		UPDATE talk SET unread = 0, read = last;
		COMMIT;"
}

# usage: measured NAME ; prints that figure
measured()
{
	tr ' ' '\n' <"$dir/frames" | sed -n "s/^$1=//p"
}

@test "$messages messages scroll by without a pause, in little memory" {
	has_talked alice bob "$messages"
	stage_begin
	export FRAMES_TO=$dir/frames
	LD_PRELOAD=$CHAT_BUILD/t/tool/frames.so enters alice
	press bob
	window_shows "message $messages "
	patience=$((patience + messages / 50))
	kill -USR2 "${window[alice]}"
	wait_for test -s "$dir/frames"
	echo "# $messages messages: $(<"$dir/frames")" >&3
	window_shows 'message 1 '
	# On a busy machine a frame waits for others: what it works counts.
	[ "$(measured busy)" -eq 0 ] || fail 'a frame has worked over 50 ms'
	[ "$(measured rss_kb)" -le $memory_kb ] || fail 'over 150 MB'
	[ "$messages" -lt 100000 ] || [ "$(measured pauses)" -eq 0 ] ||
		fail 'a frame came over 50 ms after the one before'
}
