#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Private links: asking for one, agreeing, declining, and everything that
# stands in the way of it.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob carol
}

# usage: begins [SETTING]... ; a centre, alice and bob
begins()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };' "$@"
	person bob
	person alice
}

# usage: turned_off NAME ; a configuration without private links, in $off
turned_off()
{
	off=$dir/$1.conf
	echo 'private: { enabled = false; };' >"$off"
}

@test "asked, agreed, and messages go both ways" {
	begins
	types alice 'private bob too early'
	sees alice "$(no_link bob)"
	linked alice bob
	sees_once alice 'Waiting for bob to agree.'
	grep -qxE 'bob agreed: private messages go to 127\.0\.0\.1:[0-9]+\.' \
		"$dir/alice.out"
	whispers alice bob 'hi bob'
	whispers bob alice 'hi alice'
	types alice 'message bob and by the centre'
	sees bob 'alice: and by the centre'
	saw_nothing_of bob 'too early'
}

@test "what was typed at once is answered in its order" {
	begins
	types alice 'getaddress bob
private bob hi
hangup carol
accept carol'
	sees alice 'carol has not asked to talk privately.'
	same "Waiting for bob to agree.
$(no_link bob)
There is no private link with carol.
carol has not asked to talk privately." \
		"$(grep -E '^(Waiting|No private|There is|carol has not)' "$dir/alice.out")"
}

@test "with IPv6 the address stands in brackets" {
	local ipv6='listen = [ "127.0.0.1:0", "[::1]:0" ];' six
	grep -q ^0 /proc/net/if_inet6 || skip 'no IPv6 here'
	centre_start 'session: { heartbeat = 1; timeout = 60; };' "$ipv6"
	six=$(sed -n 's/.*ready on \[::1\]:\([0-9]*\)$/\1/p' "$log")
	chat_of alice
	password bob
	for name in bob alice; do
		comes_by "$name" "$name@[::1]:$six"
	done
	asks alice bob
	types bob 'accept alice'
	sees_like alice 'bob agreed: private messages go to \[::1\]:[0-9]+\.'
	whispers alice bob six
	whispers bob alice 'six, too'
}

# usage: comes_by NAME WORD ; the client, with another word for the centre
comes_by()
{
	local fd
	mkfifo "$dir/$1.in"
	(
		descriptors_close
		exec chat --line --state "$dir/$1.state" --ca "$state/ca.pem" \
			--password-file "$dir/$1.password" "$2"
	) <"$dir/$1.in" >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	client[$1]=$!
	exec {fd}>"$dir/$1.in"
	typing[$1]=$fd
	seen[$1]=0
	sees "$1" "Welcome, $1."
}

@test "declined" {
	begins
	asks alice bob
	types bob 'decline alice'
	sees bob 'You declined.'
	sees alice 'bob declined.'
	types alice 'private bob hi'
	sees alice "$(no_link bob)"
	types bob 'private alice hi'
	sees bob "$(no_link alice)"
	# That is not for ever.
	linked alice bob
}

@test "no answer" {
	begins 'private: { ask_seconds = 1; };'
	asks alice bob
	sees alice 'bob did not answer.'
	types bob 'accept alice'
	sees_like bob '(alice has not asked to talk privately|The question of alice has expired)\.'
	types alice 'private bob hi'
	sees alice "$(no_link bob)"
}

@test "who is offline, is nobody, or has blocked one, is not asked" {
	begins
	types alice 'getaddress carol'
	sees alice 'carol is offline.'
	types alice 'getaddress dave'
	sees alice 'There is no user dave.'
	types bob 'block alice'
	sees bob 'User alice has been blocked.'
	types alice 'ask bob'
	sees alice 'bob has blocked you.'
	types bob 'accept alice'
	sees bob 'alice has not asked to talk privately.'
	types bob 'unblock alice'
	sees bob 'User alice is unblocked.'
	saw_nothing_of bob 'wants to talk'
	linked alice bob
}

@test "who is blocked in between gets no address" {
	begins
	asks alice bob
	types bob 'block alice'
	sees bob 'User alice has been blocked.'
	types bob 'accept alice'
	sees bob 'You have blocked that user.'
	types alice 'private bob hi'
	sees alice "$(no_link bob)"
	saw_nothing_of alice 'bob agreed'
}

@test "asking again is no second question" {
	begins
	asks alice bob
	types alice 'getaddress bob'
	sees alice 'Waiting for bob to agree.'
	agrees bob alice
	sees_once bob 'alice wants to talk privately. Type "accept alice" or "decline alice".'
	# A link that lives goes on longer, and nobody is asked.
	types alice 'getaddress bob'
	sees alice 'Waiting for bob to agree.'
	sees_like alice 'bob agreed: private messages go to .*'
	sees_once bob 'alice wants to talk privately. Type "accept alice" or "decline alice".'
	whispers alice bob 'still here'
}

@test "turned off at the centre" {
	begins 'private: { enabled = false; };'
	types alice 'getaddress bob'
	sees alice 'This centre arranges no private links.'
	saw_nothing_of bob 'wants to talk'
	once 1 alice ask bob
	same 'chat: This centre arranges no private links.' "$stderr"
}

@test "turned off by whom one asks" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	turned_off bob
	person bob --config "$off"
	person alice
	types alice 'getaddress bob'
	sees alice 'That user takes no private links.'
	types bob 'getaddress alice'
	sees bob 'Private links are turned off here.'
	saw_nothing_of bob 'wants to talk'
	saw_nothing_of alice 'wants to talk'
	# Nobody listens there.
	same '' "$(listeners "$(agent_of bob)")"
	[ -n "$(listeners "$(agent_of alice)")" ]
}

# usage: listeners PID ; its sockets that listen, as /proc/net/tcp has them
listeners()
{
	local inode
	find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' |
		tr -dc '0-9\n' | while read -r inode; do
		awk -v inode="$inode" '$4 == "0A" && $10 == inode' \
			/proc/net/tcp /proc/net/tcp6
	done
}
