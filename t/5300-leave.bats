#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A private message that does not get through: its sender is told, it is kept,
# and it goes through the centre only if the sender says so, once.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private
load lib/network

setup_file()
{
	people alice bob
}

# usage: bob_dies ; his agent does, without a word; he is in session still
bob_dies()
{
	local pid
	pid=$(agent_of bob)
	kill -KILL "$pid"
	wait_for gone "$pid"
	ends bob 75
}

# usage: history_has NAME REGEX ; one line of it
history_has()
{
	once 0 "$1" history
	grep -qxE "$2" <<<"$output" || fail "no \"$2\" in:
$output"
}

@test "told at once, kept, and left at the centre" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person alice
	linked alice bob
	whispers alice bob hi
	bob_dies
	types alice 'private bob where are you?'
	sees alice "bob $gone_text Type \"leave bob\" to leave it at the centre."
	types alice 'private bob and another'
	sees alice "bob $gone_text Type \"leave bob\" to leave it at the centre."
	once 0 alice history bob
	same 2 "$(grep -cE '^to bob \(private, .*, kept(: .*)?\): ' <<<"$output")"
	# Nothing went anywhere by itself.
	person bob
	types alice 'message bob first'
	sees_like bob 'alice.*: first'
	saw_nothing_of bob 'where are you?'
	types alice 'leave bob'
	sees alice '2 messages were left at the centre.'
	sees_like bob 'alice.*: where are you\?'
	sees_like bob 'alice.*: and another'
	wait_for history_has alice 'to bob \(.*(accepted|fetched)\): and another'
	types alice 'leave bob'
	sees alice 'No private message to bob was left unsent.'
	same 1 "$(grep -c 'where are you?$' "$dir/bob.out")"
	same 1 "$(grep -c 'and another$' "$dir/bob.out")"
}

@test "from the shell" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person alice
	linked alice bob
	bob_dies
	once 1 alice private bob hi
	same "chat: bob $gone_text Type \"leave bob\" to leave it at the centre." \
		"$stderr"
	once 1 alice --json private bob hi again
	same '"unreachable"' "$(jq -c .error <<<"$output")"
	once 0 alice leave bob
	same '' "$stderr"
	holds "$output" '2 messages were left at the centre.'
	once 1 alice leave bob
	person bob
	sees_like bob 'alice.*: hi'
	sees_like bob 'alice.*: hi again'
	same 1 "$(grep -c ': hi$' "$dir/bob.out")"
}

@test "only the answer was lost: left at the centre, it comes once" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };' \
		'beacon: { enabled = false; };'
	person bob
	spy alice
	PORT=$through person alice
	linked alice bob
	PORT=$(port_of bob alice) network_start
	network mute
	lies_to alice '"port":[0-9]+' "\"port\":$through"
	types alice 'getaddress bob'
	sees alice "bob agreed: private messages go to 127.0.0.1:$through."
	types alice 'private bob did you get that?'
	sees bob 'alice (private): did you get that?'
	sees alice 'No answer came from bob, who may or may not have the message. Type "leave bob" to leave it at the centre; it is shown once.'
	types alice 'leave bob'
	types alice 'message bob after it'
	sees bob 'alice: after it'
	same 1 "$(grep -c 'did you get that?$' "$dir/bob.out")"
	once 0 bob history alice
	same 1 "$(grep -c 'did you get that?$' <<<"$output")"
}

@test "the centre can be gone after the consent" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person alice
	linked alice bob
	centre_kill master
	whispers alice bob 'without it'
	whispers bob alice 'fine, too'
	whispers alice bob 'and again'
	centre_again
}
