#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The processes of the centre: which there are, and what the death of each of
# them costs whom.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: served NAME ; the store answers NAME's session
served()
{
	as "$1" live mail:=0 room:=0 >/dev/null && accepted
} 2>/dev/null

# usage: judged ; the keeper judges passwords again
judged()
{
	ask login user=alice password=alice-secret >/dev/null && accepted
} 2>/dev/null

@test "idle there are three processes, each with its name" {
	centre_start
	wait_for centre_whole
	same 'chatd: keeper
chatd: master
chatd: store' "$(ps -o args= -s "$MASTER" | sed 's/ *$//' | sort)"
	same "$MASTER" "$(<"$run_dir/chatd.pid")"
}

@test "a connection is one worker more, and then not" {
	centre_start
	hold
	wait_for workers 1
	same "$MASTER" "$(ps -o ppid= "$(centre_pid worker)" | tr -d ' ')"
	release
	wait_for workers 0
}

@test "the store is killed: sessions, mail and service go on" {
	centre_start
	in_session alice bob
	tell alice bob before
	old=$(centre_pid store)
	centre_kill store
	wait_for served alice
	[ "$old" != "$(centre_pid store)" ]
	tell alice bob after
	hears bob 'alice: before' 'alice: after'
	wait_for has_line "$log" 'the store was ended by a signal: Killed'
	ctl status --json >"$dir/status"
	same 1 "$(jq .store_restarts "$dir/status")"
	same "$MASTER" "$(<"$run_dir/chatd.pid")"
}

@test "while the store is away a request is told to try again" {
	centre_start 'limits: { request_seconds = 1; };'
	login alice
	kill -STOP "$(centre_pid store)"
	as alice live mail:=0 room:=0
	refused busy
	says '.retry_after >= 1'
	kill -CONT "$(centre_pid store)"
	as alice live mail:=0 room:=0
	accepted
}

@test "the keeper is killed: logins under way are judged by its successor" {
	centre_start
	keeper=$(centre_pid keeper)
	GATE=$dir/gate ask login user=alice password=alice-secret \
		>"$dir/right" &
	pids=($!)
	GATE=$dir/gate ask login user=bob password=wrong >"$dir/wrong" &
	pids+=($!)
	wait_for met "$dir/gate" 2
	kill -STOP "$keeper"
	touch "$dir/gate"
	# Both have been charged.
	wait_for two_at_work
	kill -KILL "$keeper"
	wait "${pids[@]}"
	reply=$(<"$dir/right")
	accepted
	reply=$(<"$dir/wrong")
	refused login-failed
	says .attempts_left 2
	same 1 "$(ctl status --json | jq .keeper_restarts)"
}

# usage: two_at_work ; that many passwords are being judged
two_at_work()
{
	[ "$(ctl status --json | jq .hashes)" -eq 2 ]
}

@test "a keeper that hangs is killed, and its successor signs" {
	centre_start 'limits: { handshake_seconds = 1; };'
	keeper=$(centre_pid keeper)
	kill -STOP "$keeper"
	run -1 ask hello
	wait_for gone "$keeper"
	has_line "$log" 'the keeper does not answer; killing it'
	wait_for centre_alive
	same 1 "$(grep -c 'the keeper does not answer' "$log")"
	same 1 "$(ctl status --json | jq .keeper_restarts)"
}

@test "time in which everybody was stopped is not the keeper's" {
	centre_start 'limits: { handshake_seconds = 1; };'
	keeper=$(centre_pid keeper)
	kill -STOP "$keeper"
	# By then the keeper has been asked, or is about to be.
	run -1 ask hello
	kill -STOP "$MASTER"
	# So much has to pass, more than two handshakes have.
	sleep 3
	kill -CONT "$MASTER"
	# It serves, and has looked at its timers.
	hold
	wait_for workers 1
	kill -CONT "$keeper"
	ask hello
	accepted
	same "$keeper" "$(centre_pid keeper)"
	run ! has_line "$log" 'the keeper does not answer; killing it'
}

@test "the keeper again and again" {
	centre_start
	login bob
	for i in 1 2 3 4; do
		wait_for centre_whole
		centre_kill keeper
		# Whoever has a session does not notice.
		as bob live mail:=0 room:=0
		accepted
	done
	wait_for judged
}

@test "the store again and again" {
	centre_start
	login bob
	for i in 1 2 3 4; do
		wait_for centre_whole
		centre_kill store
	done
	wait_for served bob
	wait_for judged
}

@test "a worker is killed: its client alone is cut off" {
	may_crash=yes
	centre_start
	login bob
	hold
	wait_for workers 1
	kill -KILL "$(centre_pid worker)"
	wait "${held[@]}" || true
	as bob live mail:=0 room:=0
	accepted
	wait_for has_line "$log" 'worker for 127.0.0.1 crashed: Killed'
	[ "$(ctl status --json | jq .crashes)" -ge 1 ]
}

@test "the master is killed: the others end, the next one goes on" {
	centre_start
	in_session alice bob
	tell alice bob before
	# Waits until all of it is gone.
	centre_kill master
	centre_again
	as alice live mail:=0 room:=0
	accepted
	tell alice bob after
	hears bob 'alice: before' 'alice: after'
}

@test "the next one can be started at once" {
	centre_start
	login alice
	kill -KILL "$MASTER"
	wait "$MASTER" || true
	MASTER=''
	centre_again
	as alice live mail:=0 room:=0
	accepted
}

@test "200 users logged in and nothing said: no connection, three processes" {
	centre_start
	ctl user import <(for i in {1..200}; do echo "user$i secret$i"; done)
	for part in 0 50 100 150; do
		for ((i = part + 1; i <= part + 50; i++)); do
			echo "{\"op\":\"login\",\"user\":\"user$i\",\"password\":\"secret$i\"}"
		done | wire --timeout 60 >"$dir/logins.$part" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 200 "$(cat "$dir"/logins.* | grep -c '"token":"')"
	wait_for workers 0
	wait_for unconnected
	same 3 "$(pgrep -c -s "$MASTER")"
	same 200 "$(ctl status --json | jq .online)"
	# Nor has anybody an open descriptor of one.
	wait_for unconnected
}

# usage: unconnected ; no TCP connection to or from our port is established
unconnected()
{
	! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf \
		':%04X' "$PORT")" '$4 == "01" &&
		($2 ~ port "$" || $3 ~ port "$") { found = 1 }
		END { exit !found }'
}

@test "no process holds a descriptor that it has no use for" {
	centre_start
	hold
	wait_for workers 1
	worker=$(centre_pid worker)
	store=$(centre_pid store)
	keeper=$(centre_pid keeper)
	find "/proc/$store/fd" >/dev/null 2>&1 ||
		skip 'only root may look into the processes of the centre'
	# The listener is the master's, the database the store's.
	inode=$(awk -v port="$(printf ':%04X' "$PORT")" \
		'$2 ~ port "$" && $4 == "0A" { print $10 }' /proc/net/tcp)
	same "$MASTER" "$(holders "$inode")"
	for pid in "$MASTER" "$worker" "$keeper"; do
		same '' "$(find "/proc/$pid/fd" -lname "*/chatd.db*")"
	done
	find "/proc/$store/fd" -lname "*/chatd.db*" | grep -q .
	# Neither keeper nor worker can take another chatd's place.
	for pid in "$worker" "$keeper"; do
		same '' "$(find "/proc/$pid/fd" -lname "*/lock")"
	done
}

# usage: holders INODE ; prints who of the centre has that socket open
holders()
{
	local pid
	for pid in $(pgrep -s "$MASTER"); do
		! find "/proc/$pid/fd" -lname "socket:\[$1\]" | grep -q . ||
			echo "$pid"
	done
}
