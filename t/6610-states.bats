#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How one's own messages fare: queued, accepted, fetched, refused and why.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	book=$dir/alice.state/alice@127.0.0.1:$PORT/book.db
}

# usage: states ; prints "who state[ reason] text" of alice's own
states()
{
	chat --state "$dir/alice.state" --account "alice@127.0.0.1:$PORT" \
		export --json | jq -r 'select(.from == "alice")
		| [.to // "all", .state, .reason // empty, .text] | join(" ")'
}

# usage: has_states LINE... ; alice's own messages are exactly these
has_states()
{
	[ "$(printf '%s\n' "$@")" = "$(states)" ]
}

# usage: states_become LINE... ; waits for it
states_become()
{
	wait_for has_states "$@" || {
		states
		return 1
	} >&2
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

# usage: agent_killed NAME ; with its face
agent_killed()
{
	kill -KILL "$(agent_of "$1")"
	ends "$1" 75
}

@test "a message is accepted, then fetched, and a broadcast accepted" {
	person alice
	types alice 'message bob hi'
	types alice 'broadcast all of you'
	sees_like alice 'bob is offline.*'
	states_become 'bob accepted hi' 'all accepted all of you'
	person bob
	sees_like bob 'alice \(20.*\): hi'
	states_become 'bob fetched hi' 'all accepted all of you'
	run -0 chat --state "$dir/alice.state" \
		--account "alice@127.0.0.1:$PORT" history bob
	[[ $output =~ ^'to bob (20'[-0-9]+' '[0-9:]+', fetched): hi'$ ]]
	same 'Welcome, alice.' "$(head -n 1 "$dir/alice.out")"
	# Off a terminal a state is not worth a word.
	same 2 "$(grep -vc 'has logged in' "$dir/alice.out")"
}

@test "what is refused is so for a reason" {
	in_session bob
	as bob block user=alice
	person alice
	types alice 'message bob hi'
	sees alice 'Your message could not be delivered as the recipient has blocked you.'
	types alice 'message nobody hi'
	sees alice 'There is no user nobody.'
	states_become 'bob refused blocked hi' 'nobody refused no-such-user hi'
}

@test "what is typed while the centre is away outlives the agent" {
	person bob
	person alice
	centre_stop
	types alice 'message bob one'
	sees alice 'The centre cannot be reached; messages will be sent when it is back.'
	types alice 'message bob two'
	types alice 'broadcast three'
	states_become 'bob queued one' 'bob queued two' 'all queued three'
	agent_killed alice
	has_states 'bob queued one' 'bob queued two' 'all queued three'
	sees bob 'The centre cannot be reached; messages will be sent when it is back.'
	centre_again
	person alice
	sees bob 'alice: one'
	sees bob 'alice: two'
	sees bob 'alice (to all): three'
	states_become 'bob fetched one' 'bob fetched two' 'all accepted three'
	for line in 'alice: one' 'alice: two' 'alice (to all): three'; do
		sees_once bob "$line"
	done
}

@test "after 14 days a message is given up, with a sentence" {
	person alice
	centre_stop
	types alice 'message bob old'
	sees alice 'The centre cannot be reached; messages will be sent when it is back.'
	types alice 'broadcast old, too'
	types alice 'message carol young'
	states_become 'bob queued old' 'all queued old, too' 'carol queued young'
	agent_killed alice
	"$CHAT_BUILD/t/tool/db" "$book" "UPDATE history
		SET time = time - 14 * 86400000 - 60000 WHERE text LIKE 'old%'"
	"$CHAT_BUILD/t/tool/db" "$book" "UPDATE history
		SET time = time - 14 * 86400000 + 60000 WHERE text = 'young'"
	centre_again
	person alice
	sees alice 'The message to bob could not be sent for 14 days and was given up.'
	sees alice 'The message to all could not be sent for 14 days and was given up.'
	states_become 'bob refused expired old' 'all refused expired old, too' \
		'carol accepted young'
	person bob
	leaves bob
	saw_nothing_of bob old
}
