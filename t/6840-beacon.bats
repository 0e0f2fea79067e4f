#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The client's end of the beacon: knocks instead of polls, and what it does
# when datagrams are filtered, lost, or come from elsewhere.  Between client
# and centre stands t/tool/relay, on one port for TCP and UDP.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/network
load lib/person

setup_file()
{
	people alice bob
}

# usage: status_of NAME ; as JSON, in $status
status_of()
{
	status=$(chat --state "$dir/$1.state" --account "$1@127.0.0.1:$PORT" \
		status --json 3>&-)
}

# usage: beacon_is NAME on|off|filtered
beacon_is()
{
	status_of "$1"
	[ "$(jq -r .beacon <<<"$status")" = "$2" ]
}

# usage: becomes NAME on|off|filtered ; waits for it
becomes()
{
	wait_for beacon_is "$@" || fail "status: $status"
}

# usage: agent_log NAME TEXT ; how often it was said
agent_log()
{
	cat "$dir/$1.state"/*/agent.log | grep -cF -e "$2" || true
}

slow_beat='session: { heartbeat = 600; timeout = 1800; };'
quick_beat='session: { heartbeat = 1; timeout = 60; };'

@test "a knock brings a message, by one connection and no poll" {
	centre_start "$slow_beat"
	network_start
	via person bob
	via becomes bob on
	same 'the centre answers' "$(jq -r .beacon_why <<<"$status")"
	person alice
	sees bob 'alice has logged in.'
	traffic
	before=$calls
	types alice 'message bob hi'
	sees bob 'alice: hi'
	types alice 'broadcast to you all'
	sees bob 'alice (to all): to you all'
	traffic
	same $((before + 2)) "$calls" 'connections for two pieces of news'
	# It is the knocks: these are lost, also 1 and 5 seconds later, while a
	# poll would have brought it after 2.
	network drop
	types alice 'message bob anybody there?'
	wait_for more_down $((down + 3))
	saw_nothing_of bob 'anybody there'
	network pass
	types alice 'message bob hello?'
	sees bob 'alice: anybody there?'
	sees bob 'alice: hello?'
	via beacon_is bob on
}

@test "taken over: the old client is told at once" {
	centre_start "$slow_beat"
	person bob
	becomes bob on
	login bob
	sees bob 'You have been logged out: bob logged in from 127.0.0.1.'
	ends bob 1
}

@test "the centre starts again, and the keys go on" {
	centre_start "$quick_beat"
	person bob
	person alice
	becomes bob on
	becomes alice on
	for kill in store master; do
		wait_for centre_whole
		centre_kill $kill
		[ -n "$MASTER" ] || centre_again
		types alice "message bob after the $kill"
		sees bob "alice: after the $kill"
		becomes bob on
		becomes alice on
	done
	sees_once bob 'alice has logged in.'
	saw_nothing_of bob 'has logged out'
}

@test "the agent is killed, and the keys go on" {
	centre_start "$slow_beat"
	person bob
	becomes bob on
	person alice
	sees bob 'alice has logged in.'
	kill -KILL "$(agent_of bob)"
	wait_for gone "${client[bob]}"
	wait "${client[bob]}" || true
	unset 'client[bob]'
	hangs_up bob
	person bob
	becomes bob on
	same 1 "$(agent_log bob 'the session of before goes on')"
	types alice 'message bob welcome back'
	sees bob 'alice: welcome back'
	leaves bob
	same 0 "$(beacons_of bob)" 'keys after the logout'
}

# usage: beacons_of NAME ; prints how many the book has
beacons_of()
{
	"$CHAT_BUILD/t/tool/db" "$(echo "$dir/$1.state"/*/book.db)" \
		'SELECT count(*) FROM beacon'
}

@test "UDP is filtered: messages come over TLS, and knocks when it opens" {
	centre_start "$quick_beat"
	network_start
	network drop
	via person bob
	via becomes bob filtered
	same 'no answer over UDP' "$(jq -r .beacon_why <<<"$status")"
	run -0 chat --state "$dir/bob.state" --account "bob@127.0.0.1:$through" \
		status
	holds "$output" 'logged in, polling over TLS (no answer over UDP)'
	person alice
	types alice 'message bob hi'
	sees bob 'alice: hi'
	network pass
	via becomes bob on
	network drop
	via becomes bob filtered
	types alice 'message bob still there?'
	sees bob 'alice: still there?'
	saw_nothing_of bob 'cannot be reached'
	saw_nothing_of alice 'has logged out'
}

@test "the address changes under way: a NAT that forgot" {
	centre_start "$quick_beat"
	network_start
	via person bob
	via becomes bob on
	person alice
	for i in 1 2; do
		network rebind
		types alice "message bob number $i"
		sees bob "alice: number $i"
		traffic
		before=$up
		# LIVE, which is answered with CHECK, and LIVE again.
		wait_for more_up $((before + 2))
		via beacon_is bob on
	done
	same 0 "$(agent_log bob 'going on over TLS')"
}

@test "three datagrams in ten are lost: nobody is taken for gone" {
	centre_start 'session: { heartbeat = 1; timeout = 6; };'
	network_start
	network 'loss 30'
	person alice
	via person bob
	sees alice 'bob has logged in.'
	traffic
	# More than a timeout's worth of heartbeats.
	wait_for more_up $((up + 8))
	for i in 1 2 3; do
		types alice "message bob number $i"
		sees bob "alice: number $i"
	done
	for i in 1 2 3; do
		sees_once bob "alice: number $i"
	done
	saw_nothing_of alice 'bob has logged out'
	saw_nothing_of bob 'cannot be reached'
}

@test "turned off in chat.conf: not one datagram" {
	centre_start "$quick_beat"
	network_start
	mkdir -p "$dir/.config/chat"
	echo 'beacon = false;' >"$dir/.config/chat/chat.conf"
	via person bob
	person alice
	types alice 'message bob hi'
	sees bob 'alice: hi'
	via beacon_is bob off
	same 'chat.conf says so' "$(jq -r .beacon_why <<<"$status")"
	traffic
	same 0 "$up"
}

@test "turned off at the centre: polls, and says why" {
	centre_start "$quick_beat" 'beacon: { enabled = false; };'
	person bob
	person alice
	types alice 'message bob hi'
	sees bob 'alice: hi'
	beacon_is bob off
	same 'the centre has none' "$(jq -r .beacon_why <<<"$status")"
}
