#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A client's listener in a crowd that says nothing: it takes no more of it than
# it bears, and the honest link works meanwhile.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person alice
	linked alice bob
	whispers alice bob hi
	port=$(port_of bob alice)
}

# usage: all_is_well ; the honest link works
all_is_well()
{
	whispers alice bob "well $((++well))"
	whispers bob alice "well $((++well))"
}

@test "a thousand connections that say nothing" {
	well=0
	mkfifo "$dir/crowd.in"
	(
		descriptors_close
		exec "$CHAT_BUILD/t/tool/peer" "$dir/stranger" silent \
			127.0.0.1 "$port" 1000
	) <"$dir/crowd.in" >"$dir/crowd.out" 2>&1 3>&- &
	crowd=$!
	exec {crowd_in}>"$dir/crowd.in"
	# While they come, when all are there, and when they have gone.
	all_is_well
	patience=60 wait_for has_line "$dir/crowd.out" ready
	all_is_well
	sockets=$(find "/proc/$(agent_of bob)/fd" -lname 'socket:*' | wc -l)
	[ "$sockets" -lt 100 ] || fail "$sockets sockets"
	exec {crowd_in}>&-
	wait "$crowd"
	all_is_well
}
