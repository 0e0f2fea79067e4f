#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Limits: workers in all and per address, passwords at work.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

@test "over the limit per address a connection is closed at once" {
	centre_start 'limits: { workers_per_address = 3; exempt = [];
		request_seconds = 20; };'
	for i in 1 2 3; do
		hold
	done
	wait_for workers 3
	start=$SECONDS
	run wire <<<'{"op":"hello"}'
	[ "$status" -ne 0 ]
	[ $((SECONDS - start)) -lt 5 ]
	# Another address is served.
	SOURCE=127.0.0.2 ask hello
	accepted
	workers 3
	SOURCE=127.0.0.2 ctl status --json >"$dir/status"
	[ "$(jq .connections_refused "$dir/status")" -ge 1 ]
	release
	wait_for workers 0
	ask hello
	accepted
}

@test "addresses that are exempt have no limit of their own" {
	centre_start 'limits: { workers_per_address = 2;
		exempt = [ "127.0.0.1" ]; };'
	for i in 1 2 3 4 5; do
		hold
	done
	wait_for workers 5
	ask hello
	accepted
	release
}

@test "a network that is exempt" {
	centre_start 'limits: { workers_per_address = 1;
		exempt = [ "127.1.0.0/16" ]; };'
	for i in 1 2 3; do
		SOURCE=127.1.0.$i hold
		SOURCE=127.1.0.1 hold
	done
	wait_for workers 6
	release
}

@test "over the limit in all a connection waits for its turn" {
	centre_start 'limits: { workers = 2; request_seconds = 2;
		handshake_seconds = 2; };'
	hold
	hold
	wait_for workers 2
	# Served once one of them has had its time.
	ask hello
	accepted
	release
	wait_for has_line "$log" 'all 2 workers are busy'
	for i in {1..20}; do
		ask hello >"$dir/hello.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 20 "$(cat "$dir"/hello.* | grep -c '"ok":true')"
}

@test "over 34 passwords at work a login is told to try again, uncharged" {
	centre_start
	for i in {1..40}; do
		echo "{\"op\":\"login\",\"user\":\"user$i\",\"password\":\"x\"}" |
			GATE=$dir/gate wire --timeout 60 >"$dir/login.$i" &
		pids+=($!)
	done
	wait_for met "$dir/gate" 40
	kill -STOP "$(centre_pid keeper)"
	touch "$dir/gate"
	# Those who are too many hear of it although nothing is judged.
	wait_for busy_told 6
	same 6 "$(cat "$dir"/login.* | wc -l)"
	kill -CONT "$(centre_pid keeper)"
	wait "${pids[@]}"
	same 34 "$(cat "$dir"/login.* | grep -c '"attempts_left":2')"
	for i in {1..40}; do
		reply=$(<"$dir/login.$i")
		[[ $reply == *'"busy"'* ]] || continue
		refused busy
		ask login user="user$i" password=x
		says .attempts_left 2
	done
}

# usage: busy_told COUNT ; that many were told so
busy_told()
{
	[ "$(cat "$dir"/login.* | grep -c '"error":"busy"')" -eq "$1" ]
}

@test "a second chatd on the same directory is refused" {
	centre_start
	sed "s,^runtime_directory.*,runtime_directory = \"$dir/run2\";," \
		"$conf" >"$dir/second.conf"
	run -73 timeout "$patience" chatd -f -c "$dir/second.conf"
	same "chatd: another chatd holds $state; waiting 5 seconds for it to end
chatd: another chatd is running on $state" "$output"
	ask hello
	accepted
	# Nor in the background.
	run -73 timeout "$patience" chatd -c "$dir/second.conf" 3>&-
	holds "$output" "another chatd is running on $state"
	login alice
}

@test "a port that is taken is refused" {
	centre_start
	cp -r "$BATS_FILE_TMPDIR/state" "$dir/state2"
	cat >"$dir/second.conf" <<-END
		listen = [ "127.0.0.1:$PORT" ];
		user = "$(id -un)";
		state_directory = "$dir/state2";
		runtime_directory = "$dir/run2";
	END
	run -69 timeout "$patience" chatd -f -c "$dir/second.conf"
	holds "$output" "cannot listen on 127.0.0.1:$PORT"
	ask hello
	accepted
}
