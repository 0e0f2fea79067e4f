#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The beacon on a network of the kernel's own, where one may be made: a
# namespace in which the address changes under way, and in which datagrams
# are refused.  Else these tests are skipped.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	local name
	apart=''
	command -v ip nsenter >/dev/null &&
		unshare -rn ip link set lo up 2>/dev/null ||
		skip 'no network namespace can be made here'
	mkfifo "$dir/net.in" "$dir/net.out"
	# shellcheck disable=SC2016 # that shell expands it
	unshare -rn sh -c 'while read -r line; do
		eval "$line" && echo done || echo failed
	done' <"$dir/net.in" >"$dir/net.out" 2>"$dir/net.err" 3>&- &
	apart=$!
	exec {net_in}>"$dir/net.in" {net_out}<"$dir/net.out"
	net ip link set lo up
	# Everything of ours runs there.
	mkdir "$dir/bin"
	for name in chat chatd chatctl; do
		printf '#!/bin/sh\nexec nsenter -t %s %s "%s" "$@"\n' "$apart" \
			'-U -n --preserve-credentials' \
			"$CHAT_BUILD/$name" >"$dir/bin/$name"
		chmod +x "$dir/bin/$name"
	done
	PATH=$dir/bin:$PATH
}

# usage: centre_there HEARTBEAT ; starts it in the namespace
centre_there()
{
	centre_start 'user = "root";' \
		"session: { heartbeat = $1; timeout = 1800; };"
}

tear_down()
{
	[ -n "$apart" ] || return 0
	exec {net_in}>&- {net_out}<&-
	kill "$apart"
	wait "$apart" || true
}

# usage: net COMMAND... ; in the namespace, as its administrator
net()
{
	local said=''
	echo "$*" >&"$net_in"
	read -r -t "$patience" -u "$net_out" said || true
	same 'done' "$said" "$* $(<"$dir/net.err")"
}

# usage: wire [OPTION]... ; as in lib/centre.bash, but there
wire()
{
	nsenter -t "$apart" -U -n --preserve-credentials \
		"$CHAT_BUILD/t/tool/wire" -a "127.0.0.1:$PORT" "$@"
}

# usage: beacon_is NAME on|off|filtered
beacon_is()
{
	[ "$(chat --state "$dir/$1.state" --account "$1@127.0.0.1:$PORT" \
		status --json 3>&- | jq -r .beacon)" = "$2" ]
}

# usage: agent_log NAME TEXT ; how often it was said
agent_log()
{
	cat "$dir/$1.state"/*/agent.log | grep -cF -e "$2" || true
}

# usage: udp_from NAME ADDRESS ; the agent's datagrams leave from there now
udp_from()
{
	local fd
	for fd in "/proc/$(agent_of "$1")/fd"/*; do
		[[ $(readlink "$fd") == socket:* ]] || continue
		fd=$(readlink "$fd")
		fd=${fd#socket:[}
		grep -qi " $2:.* ${fd%]} " "/proc/$apart/net/udp" && return
	done
	return 1
}

@test "the machine moves to another address: the centre learns it at once" {
	# Not by the next LIVE, which comes after all patience is at its end.
	centre_there 600
	person bob
	person alice
	wait_for beacon_is bob on
	# 127.0.0.1, as the kernel writes it.
	udp_from bob 0100007F
	for last in 5 6; do
		net ip route replace local 127.0.0.1 dev lo table local \
			src "127.0.0.$last"
		wait_for udp_from bob "0${last}00007F"
		types alice "message bob from $last"
		sees bob "alice: from $last"
		wait_for beacon_is bob on
	done
	same 0 "$(agent_log bob 'going on over TLS')"
	sees_once bob 'alice has logged in.'
}

@test "a firewall refuses datagrams, then lets them through" {
	centre_there 1
	person bob
	person alice
	wait_for beacon_is bob on
	net ip rule add pref 10 table local
	net ip rule del pref 0
	net ip rule add pref 5 ipproto udp prohibit
	wait_for beacon_is bob filtered
	types alice 'message bob over TLS'
	sees bob 'alice: over TLS'
	net ip rule del pref 5
	wait_for beacon_is bob on
	types alice 'message bob knock, knock'
	sees bob 'alice: knock, knock'
	saw_nothing_of alice 'bob has logged out'
}
