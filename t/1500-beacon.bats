#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The beacon: who is answered and who is not, knocks, and what a restart, a
# move and a timeout do to it.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

set_up()
{
	holders=()
}

teardown_beacons()
{
	[ ${#holders[@]} -eq 0 ] || kill "${holders[@]}" 2>/dev/null || true
	holders=()
}

# The name by which lib/centre.bash lets go of clients.
everybody_leaves()
{
	teardown_beacons
}

# usage: beacon [OPTION]... COMMAND... ; the tool, at this test's centre
beacon()
{
	"$CHAT_BUILD/t/tool/beacon" --port "$PORT" "$@"
}

# usage: enters NAME [OPTION]... ; logs in, and keeps the beacon's keys
enters()
{
	reply=$(beacon "${@:2}" login "$dir/$1.beacon" "$1" "$1-secret")
	accepted || return
	value .token >"$dir/$1.token"
	value '[.epoch, .mail, .room] | join(" ")' >"$dir/$1.cursor"
}

# usage: lives NAME [OPTION]... ; sends one LIVE; the answer is in $heard
lives()
{
	heard=$(beacon "${@:2}" live "$dir/$1.beacon") || heard=''
}

# usage: silence NAME [OPTION]... ; a LIVE that nobody answers
silence()
{
	lives "$1" --wait 300 "${@:2}"
	same '' "$heard" "the answer to $*"
}

# usage: proves NAME [OPTION]... ; the address, and is answered
proves()
{
	lives "$@"
	[[ $heard == check\ * ]] || fail "not checked: $heard" || return
	lives "$@"
	[[ $heard == heads\ * ]] || fail "not answered: $heard"
}

# usage: holds_beacon NAME ; stays there and prints what comes
holds_beacon()
{
	: >"$dir/$1.heard"
	"$CHAT_BUILD/t/tool/beacon" --port "$PORT" hold "$dir/$1.beacon" \
		>"$dir/$1.heard" 3>&- &
	holders+=($!)
	wait_for grep -q '^heads ' "$dir/$1.heard"
}

# usage: knocked NAME MAIL [TIMES] ; at least so often, with that mail
knocked()
{
	[ "$(grep -c "^knock $2 " "$dir/$1.heard")" -ge "${3:-1}" ]
}

# usage: dropped REASON COUNT ; so many were, for that
dropped()
{
	same "chatd_beacon_drops_total{reason=\"$1\"} $2" \
		"$(ctl metrics | grep "^chatd_beacon_drops_total{reason=\"$1\"}")"
}

# usage: knocks_ever NAME ; how often it was knocked so far
knocks_ever()
{
	grep -c '^knock ' "$dir/$1.heard" || true
}

# usage: example ; the datagrams of the page's example: their line, then their
# octets, for each
example()
{
	sed -n 's/^\(C\|S\): \(LIVE\|HEADS\|KNOCK\|CHECK\) /\1 \2 /p; t next
		b
		:next
		n; h; n; H; n; H; g; s/[ \n]//g; p' "$CHAT_SRC/man/chat-protocol.7"
}

# usage: key NAME ; that of the example
key()
{
	sed -n "/^$1 key /{N; s/^$1 key//; s/[ \n]//g; p;}" \
		"$CHAT_SRC/man/chat-protocol.7"
}

@test "the example of chat-protocol(7) is right to the octet" {
	local -A types=([LIVE]=1 [HEADS]=2 [KNOCK]=3 [CHECK]=4)
	client=$(key client) centre=$(key centre) count=0
	while read -r end type counter mail room echo && read -r octets; do
		[ "$end" = C ] && key=$client || key=$centre
		PORT=0
		same "$octets" "$(beacon encode "$key" "${types[$type]}" \
			0123456789abcdef "$counter" "$mail" "$room" "$echo")"
		count=$((count + 1))
	done < <(example)
	same 5 $count datagrams
}

@test "a LIVE is checked once, then answered with the heads" {
	centre_start
	enters alice
	says '.beacon | test("^[0-9a-f]{16}$")'
	login bob
	proves alice
	same 'heads 0 2' "$heard"
	tell bob alice hi
	lives alice
	same 'heads 1 2' "$heard"
	ctl status --json >"$dir/status"
	same '[true,2,0,0]' "$(jq -c '[.beacon, .live_beacon, .live_tls,
		.dropped]' "$dir/status")"
	ctl status | grep -qxE 'signs of life +2 by beacon, 0 over TLS'
	ctl status | grep -qxE 'beacon +[1-9] knocks, 0 datagrams dropped'
}

@test "who does not verify is not answered" {
	centre_start
	enters alice
	proves alice
	for octets in 0 1 59 61 1400; do
		silence alice --octets "$octets"
	done
	dropped length 5
	for octet in 0 1 2 3; do
		silence alice --flip "$octet"
	done
	silence alice --type 2
	dropped form 5
	silence alice --id 0123456789abcdef
	dropped id 1
	for octet in 12 19 20 28 36 44 59; do
		silence alice --flip "$octet"
	done
	dropped code 7
	lives alice
	[[ $heard == heads\ * ]]
}

@test "a LIVE that was captured is worth nothing" {
	centre_start
	enters alice
	enters bob
	proves alice
	holds_beacon alice
	cp "$dir/alice.beacon" "$dir/mallory.beacon"
	# The same once more.
	silence mallory --counter 3 --source 127.0.0.2
	silence mallory --counter 2 --source 127.0.0.2
	dropped replay 2
	# One that never arrived: its sender is told to prove where it is.
	lives mallory --counter 60 --source 127.0.0.2
	[[ $heard == check\ * ]]
	silence mallory --counter 60 --source 127.0.0.2
	dropped replay 3
	tell bob alice hi
	wait_for knocked alice 1
}

@test "one who moves is answered and knocked where it is now" {
	centre_start
	enters alice
	enters bob
	proves alice
	proves alice --source 127.0.0.2
	lives alice --source 127.0.0.2 --echo 1
	[[ $heard == check\ * ]]
	holds_beacon alice
	same check "$(head -n 1 "$dir/alice.heard" | cut -d' ' -f1)"
	tell bob alice hi
	wait_for knocked alice 1
}

@test "mail knocks at once, and again until the client comes" {
	centre_start
	enters alice
	enters bob
	holds_beacon alice
	# Of bob's login, perhaps.
	sync alice
	for text in one two three four; do
		tell bob alice "$text"
	done
	wait_for knocked alice 4 3
	sync alice
	knocks=$(knocks_ever alice)
	# Its receipt is no reason to knock.
	holds_beacon bob
	sync bob
	tell alice bob hi
	wait_for knocked bob 2
	sync bob
	same "$knocks" "$(knocks_ever alice)" 'knocks'
}

@test "news of the room knock while few are online, but not at oneself" {
	centre_start
	enters alice
	holds_beacon alice
	sync alice
	same 0 "$(knocks_ever alice)" 'knocks of its own login'
	login bob
	wait_for knocked alice 0 1
	sync alice
	before=$(knocks_ever alice)
	more() { [ "$(knocks_ever alice)" -gt "$before" ]; }
	broadcast bob hi
	wait_for more
}

@test "keys outlive the store, echoes do not" {
	centre_start
	enters alice
	proves alice
	centre_kill store
	wait_for centre_whole
	# Waits in the socket if it must.
	lives alice --wait 10000
	[[ $heard == check\ * ]]
	lives alice
	[[ $heard == heads\ * ]]
	# Also the whole centre.
	centre_restart
	proves alice
	as alice live mail:=0 room:=0
	accepted
}

@test "with the session its beacon ends, and the client hears of it" {
	centre_start
	enters alice
	mv "$dir/alice.beacon" "$dir/first.beacon"
	holds_beacon first
	enters alice
	wait_for grep -q '^knock ' "$dir/first.heard"
	silence first --source 127.0.0.2
	dropped id 1
	proves alice
	logout alice
	silence alice
	dropped id 2
}

@test "a LIVE keeps one online, and brings one back" {
	centre_start 'session: { heartbeat = 1; timeout = 2; };'
	enters alice
	proves alice
	for i in 1 2 3 4 5 6; do
		lives alice
		[[ $heard == heads\ * ]]
		read -r -t 0.5 <>"$dir/ready" || true
	done
	same 1 "$(ctl status --json | jq .online)"
	same 0 "$(ctl metrics | sed -n 's/^chatd_timeouts_total //p')"
	wait_for offline
	lives alice
	[[ $heard == heads\ * ]]
	same 1 "$(ctl status --json | jq .online)"
}

# usage: offline ; nobody is online
offline()
{
	[ "$(ctl status --json | jq .online)" -eq 0 ]
}

@test "what comes while the store is busy waits" {
	centre_start
	enters alice
	proves alice
	pid=$(centre_pid store)
	kill -STOP "$pid"
	beacon --count 200 --wait 5000 live "$dir/alice.beacon" \
		>"$dir/all" 3>&- &
	live=$!
	wait_for udp_waits 200
	kill -CONT "$pid"
	wait "$live"
	same 200 "$(grep -c '^heads ' "$dir/all")" 'answers'
}

# usage: udp_waits COUNT ; so many datagrams were sent by alice
udp_waits()
{
	[ "$(cut -d' ' -f2 "$dir/alice.beacon")" -ge "$(($1 + 2))" ]
}

@test "an answer comes from the address that was asked" {
	centre_start 'listen = [ "0.0.0.0:0" ];'
	enters alice
	proves alice --address 127.0.0.7
	proves alice --address 127.0.0.9 --source 127.0.0.8
}

@test "over IPv6 as well" {
	[ -e /proc/net/if_inet6 ] || skip 'no IPv6'
	grep -q ' lo$' /proc/net/if_inet6 || skip 'no IPv6 on loopback'
	centre_start 'listen = [ "127.0.0.1:0", "[::]:0" ];'
	wait_for has_line "$log" 'ready on [::]:'
	six=$(sed -n 's/^chatd: ready on \[::\]://p' "$log")
	enters alice
	proves alice --address ::1 --port "$six"
	proves alice
}

@test "a backup holds no key" {
	centre_start
	enters alice
	key=$(cut -d' ' -f7 "$dir/alice.beacon" | cut -c1-16 |
		sed 's/../\\x&/g')
	LC_ALL=C grep -qaP "$key" "$state"/chatd.db*
	ctl backup "$dir/backup"
	run ! env LC_ALL=C grep -qaP "$key" "$dir/backup"
	logout alice
	centre_stop
	same 0 "$(sql 'SELECT count(*) FROM session WHERE length(keys) > 0')"
}

@test "without the beacon nothing is there" {
	centre_start 'beacon: { enabled = false; };'
	login alice
	says '.beacon == null and has("beacon")'
	same '' "$(grep -i ":$(printf '%04X' "$PORT") " /proc/net/udp)"
	ctl status | grep -qxE 'beacon +off'
	run reload 'beacon: { enabled = true; };'
	same 78 "$status"
	holds "$output" 'beacon.enabled: a change of it needs a restart'
}
