#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The line face: what is typed and what is printed, word by word.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob carol
}

set_up()
{
	# So that nobody waits long for a poll.
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

@test "a message, an answer, under all its names" {
	person bob
	person alice
	sees bob 'alice has logged in.'
	types alice 'message bob hi'
	sees bob 'alice: hi'
	types bob 'msg alice hi yourself'
	sees alice 'bob: hi yourself'
	types alice 'send BOB  so long,  and "thanks"'
	sees bob 'alice: so long,  and "thanks"'
	leaves alice
	sees bob 'alice has logged out.'
	leaves bob
}

@test "a message to all" {
	person bob
	person carol
	person alice
	types alice 'broadcast hi all'
	sees bob 'alice (to all): hi all'
	sees carol 'alice (to all): hi all'
	types bob 'message alice done'
	sees alice 'bob: done'
	saw_nothing_of alice 'hi all'
}

@test "to somebody offline, and what was missed" {
	person alice
	types alice 'message bob are you there?'
	sees alice 'bob is offline; the message is kept and will be delivered at the next login.'
	types alice 'message bob second'
	sees alice 'bob is offline; the message is kept and will be delivered at the next login.'
	person bob
	sees_like bob 'alice \(20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]\): are you there\?'
	sees_like bob 'alice \(20.*\): second'
	types alice 'message bob third'
	sees bob 'alice: third'
}

@test "to nobody" {
	person alice
	types alice 'message dave hi'
	sees alice 'There is no user dave.'
	types alice 'block dave'
	sees alice 'There is no user dave.'
	types alice 'unblock dave'
	sees alice 'There is no user dave.'
}

@test "blocks" {
	person bob
	person alice
	types bob 'block alice'
	sees bob 'User alice has been blocked.'
	types alice 'message bob hi'
	sees alice 'Your message could not be delivered as the recipient has blocked you.'
	types alice 'broadcast hi all'
	sees alice 'Your message could not be delivered to some recipients.'
	types bob 'blocked'
	sees bob 'alice'
	types bob 'unblock alice'
	sees bob 'User alice is unblocked.'
	types alice 'message bob again'
	sees bob 'alice: again'
	saw_nothing_of bob 'alice: hi'
	saw_nothing_of bob 'hi all'
}

@test "who is online, one name a line, sorted, without oneself" {
	person carol
	person alice
	person bob
	types bob online
	sees bob alice
	sees bob carol
	types bob help
	sees_like bob 'help .*'
	same $'alice\ncarol' "$(grep -xE 'alice|bob|carol' "$dir/bob.out")"
	leaves alice
	leaves carol
	types bob online
	# Nobody: off a terminal that is no line.
	types bob nonsense
	sees bob 'Unknown command: nonsense. Type "help".'
	saw_nothing_of bob 'Nobody else'
}

@test "help, and what is no command" {
	person alice
	types alice help
	for word in message broadcast online block unblock blocked help logout
	do
		sees_like alice "$word .*"
	done
	types alice 'xyz'
	sees alice 'Unknown command: xyz. Type "help".'
	types alice 'Xyz bob hi'
	sees alice 'Unknown command: Xyz. Type "help".'
	types alice ''
	types alice '   '
	types alice 'message'
	sees_like alice 'Type "message USER TEXT".'
	types alice 'message bob'
	sees_like alice 'Type "message USER TEXT".'
	types alice 'block'
	sees_like alice 'Type "block USER".'
	types alice 'message no/name hi'
	sees_like alice '"no/name" is not a user name.'
	# With a slash before them the same words are known.
	types alice '/xyz'
	sees alice 'Unknown command: xyz. Type "help".'
}

@test "every way to leave says goodbye, and the centre knows at once" {
	person bob
	for word in logout quit exit; do
		person alice
		sees bob 'alice has logged in.'
		types alice $word
		sees alice 'Goodbye.'
		ends alice 0
		sees bob 'alice has logged out.'
		same 1 "$(ctl status --json | jq .online)"
	done
	person alice
	hangs_up alice
	sees alice 'Goodbye.'
	ends alice 0
	same 1 "$(ctl status --json | jq .online)"
	person alice
	kill -INT "${client[alice]}"
	sees alice 'Goodbye.'
	ends alice 0
	same 1 "$(ctl status --json | jq .online)"
}

@test "no message can look like another line" {
	person bob
	login alice
	tell alice bob $'hi\ncarol: forged\n\tindented'
	sees bob 'alice: hi'
	sees bob '  carol: forged'
	sees_like bob '  .*indented'
	new_id
	as alice send id="$id" to=bob text:='"a\u202eb\u200bc\ufeffd"'
	accepted
	sees bob $'alice: a\ufffdb\ufffdc\ufffdd'
}

@test "nothing but text comes out" {
	person bob
	types bob help
	login alice
	tell alice bob 'plain'
	sees bob 'alice: plain'
	leaves bob
	run ! grep -P '[\x00-\x08\x0b-\x1f\x7f]' "$dir/bob.out"
	run ! grep -qE 'Username|Password' "$dir/bob.out" "$dir/bob.err"
	[ ! -s "$dir/bob.err" ]
}

@test "a whole conversation out of a file" {
	person bob
	chat_of alice
	run -0 timeout "$patience" "${chat[@]}" <<-'END' 3>&-
		message bob one
		message dave two
		message carol three
		xyz
		broadcast four
	END
	same 'Welcome, alice.
There is no user dave.
carol is offline; the message is kept and will be delivered at the next login.
Unknown command: xyz. Type "help".
Goodbye.' "$output"
	sees bob 'alice: one'
	sees bob 'alice (to all): four'
	sees bob 'alice has logged out.'
}

@test "what is too long or holds a control character is not sent" {
	person bob
	person alice
	types alice "message bob $(printf '%08193d' 0)"
	sees_like alice 'The message is too long: 8193 bytes, at most 8192. .*'
	types alice $'message bob a\ab'
	sees_like alice 'The message holds a control character .* at byte 2. .*'
	types alice $'message bob a\xffb'
	sees_like alice 'The message holds a control character .* at byte 2. .*'
	types alice "message bob $(printf '%08192d' 0 | tr 0 x)"
	sees_like bob 'alice: x*'
}

@test "a notice is shown" {
	person bob
	ctl notice --to bob 'The centre will be restarted.'
	sees bob 'Notice: The centre will be restarted.'
}
