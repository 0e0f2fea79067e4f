# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2154
# A bad network between clients and the centre: t/tool/relay, on one port for
# TCP and UDP.  For tests that have loaded centre.bash.
#
#	network_start
#	via person bob
#	network drop
#	traffic && same 0 "$up"

network=''

# usage: network_start ; carries to the centre; $through is its port
network_start()
{
	mkfifo "$dir/network.in" "$dir/network.out"
	(
		! declare -p typing >/dev/null 2>&1 || descriptors_close
		exec "$CHAT_BUILD/t/tool/relay" "$PORT" "$BATS_TEST_NUMBER"
	) <"$dir/network.in" >"$dir/network.out" 3>&- &
	network=$!
	exec {network_in}>"$dir/network.in" {network_out}<"$dir/network.out"
	network_says
	through=$said
}

# usage: network_stop ; for teardown, when all who use it are gone
network_stop()
{
	[ -n "$network" ] || return 0
	exec {network_in}>&- {network_out}<&-
	# What else was started since then holds its input open.
	kill "$network"
	wait "$network" || true
	network=''
}

# usage: network_says ; the next line that it prints, in $said
network_says()
{
	read -r -t "$patience" -u "$network_out" said ||
		fail 'the network says nothing'
}

# usage: network COMMAND ; pass, drop, loss N, rebind, mute, speak: from now on
network()
{
	echo "$1" >&"$network_in"
	network_says
	[ "$1" = count ] || same "$1" "$said"
}

# usage: traffic ; in $calls, $up, $down: connections and datagrams so far
traffic()
{
	network count
	read -r calls up down <<<"$said"
}

# usage: more_up COUNT, more_down COUNT ; so many datagrams have passed by
more_up()
{
	traffic
	[ "$up" -ge "$1" ]
}

more_down()
{
	traffic
	[ "$down" -ge "$1" ]
}

# usage: via COMMAND... ; with this network in the place of the centre
via()
{
	PORT=$through "$@"
}
