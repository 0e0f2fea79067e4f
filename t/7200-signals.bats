#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Reload, drain, the log's reopening, the way into the background.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

@test "reload takes a new configuration, for everybody" {
	centre_start
	login alice
	old=$(centre_pid store)
	run -0 reload 'limits: { message_bytes = 5; };
		session: { heartbeat = 7; };'
	same 'The configuration was read again.' "$output"
	ask hello
	says '.limits.message_bytes == 5 and .heartbeat == 7'
	send alice bob 123456
	refused too-large
	same "$old" "$(centre_pid store)"
}

@test "SIGHUP does the same" {
	centre_start
	centre_configure 'listen = [ "127.0.0.1:0" ];
		session: { heartbeat = 7; };'
	kill -HUP "$MASTER"
	wait_for heartbeat_is 7
	wait_for has_line "$log" 'the configuration was read again'
}

# usage: heartbeat_is SECONDS ; says hello
heartbeat_is()
{
	ask hello >/dev/null && says ".heartbeat == $1" 2>/dev/null
}

@test "a wrong configuration changes nothing and names all errors" {
	centre_start
	run -78 reload 'session: { heartbeat = 7; timeout = 0; };' \
		'limits: { wokers = 3; message_bytes = "many"; };'
	holds "$output" "$conf:5: session.timeout: 0 is out of range"
	holds "$output" "$conf:6: limits.wokers: unknown setting"
	holds "$output" 'did you mean "limits.workers"?'
	holds "$output" "$conf:6: limits.message_bytes: "
	holds "$output" 'goes on with the old configuration'
	ask hello
	says '.heartbeat == 30 and .limits.message_bytes == 8192'
	# SIGHUP tells it to the log.
	kill -HUP "$MASTER"
	wait_for has_line "$log" 'the configuration stays as it was; 3 errors'
	has_line "$log" 'did you mean "limits.workers"?'
	ask hello
	says '.heartbeat == 30'
	# And a right one is taken afterwards.
	reload 'session: { heartbeat = 8; };'
	ask hello
	says '.heartbeat == 8'
}

@test "a reply with a wrong configuration, as JSON" {
	centre_start
	centre_configure 'listen = [ "127.0.0.1:0" ]; wokers = 3;'
	# It cannot be read by chatctl itself either.
	run -78 ctl --json reload
	holds "$output" 'wokers'
}

@test "what cannot change without a restart is refused" {
	centre_start
	run -78 reload "log: { to = \"$dir/other.log\"; };"
	holds "$output" 'log.to: a change of it needs a restart'
	[ ! -e "$dir/other.log" ]
}

@test "a certificate that is missing or broken changes nothing" {
	centre_start
	cp "$state/server.pem" "$dir/good.pem"
	echo nonsense >"$state/server.pem"
	run -78 ctl reload
	holds "$output" 'tls'
	ask hello
	accepted
	rm "$state/server.pem"
	run -78 ctl reload
	holds "$output" 'tls.certificate'
	ask hello
	accepted
	# Somebody else's certificate does not fit the key.
	mkdir "$dir/other"
	"$CHAT_SRC/certs/authority.sh" "$dir/other" >/dev/null
	"$CHAT_SRC/certs/server.sh" "$dir/other" 127.0.0.1 >/dev/null
	cp "$dir/other/server.pem" "$state/server.pem"
	run -78 ctl reload
	cp "$dir/good.pem" "$state/server.pem"
	run -0 ctl reload
	ask hello
	accepted
}

@test "a new certificate is shown to new connections" {
	centre_start
	login alice
	"$CHAT_SRC/certs/server.sh" --force "$state" 127.0.0.1 >"$dir/made" ||
		"$CHAT_SRC/certs/server.sh" "$state" --force 127.0.0.1 \
			>"$dir/made"
	pin=$(sed -n 's/^pin: //p' "$dir/made")
	run -2 wire --pin "$pin" <<<'{"op":"hello"}'
	ctl reload
	reply=$(wire --pin "$pin" <<<'{"op":"hello"}')
	accepted
	as alice live mail:=0 room:=0
	accepted
}

@test "what runs is answered before the end" {
	centre_start
	keeper=$(centre_pid keeper)
	GATE=$dir/gate ask login user=alice password=alice-secret \
		>"$dir/login" &
	client=$!
	wait_for met "$dir/gate" 1
	kill -STOP "$keeper"
	touch "$dir/gate"
	wait_for at_work
	pid=$MASTER
	MASTER=''
	kill -TERM "$pid"
	wait_for refused_now
	kill -CONT "$keeper"
	wait $client
	reply=$(<"$dir/login")
	accepted
	wait "$pid"
	wait_for session_gone "$pid"
	[ ! -e "$run_dir/chatd.pid" ]
	[ ! -e "$run_dir/control.sock" ]
	# It was committed: the token is good at the next start.
	value .token >"$dir/alice.token"
	centre_again
	as alice live mail:=0 room:=0
	accepted
}

# usage: at_work ; a password is being judged
at_work()
{
	[ "$(ctl status --json | jq .hashes)" -eq 1 ]
}

# usage: refused_now ; nobody listens any more
refused_now()
{
	wire --count <<<'{"op":"hello"}' >/dev/null 2>&1
	[ $? -eq 69 ]
}

# usage: connected COUNT ; so many clients, accepted or not
connected()
{
	[ "$(ss -Htn state established "dport = :$PORT" | wc -l)" -eq "$1" ]
}

@test "who is connected and was not accepted yet is served before the end" {
	centre_start
	pid=$MASTER
	kill -STOP "$pid"
	for i in {1..40}; do
		ask hello >"$dir/waiting.$i" 2>&1 &
		pids+=($!)
	done
	wait_for connected 40
	MASTER=''
	kill -TERM "$pid"
	kill -CONT "$pid"
	wait "${pids[@]}"
	same 40 "$(cat "$dir"/waiting.* | grep -c '"ok":true')"
	wait "$pid"
	wait_for session_gone "$pid"
}

@test "who does not come to an end is not waited for longer than 5 s" {
	centre_start 'limits: { request_seconds = 60;
		connection_seconds = 60; };'
	hold
	wait_for workers 1
	start=$SECONDS
	centre_stop
	[ $((SECONDS - start)) -ge 4 ]
	[ $((SECONDS - start)) -lt 12 ]
}

@test "SIGINT ends it as well, and twice does no harm" {
	centre_start
	pid=$MASTER
	MASTER=''
	# In a background job of a shell it would be ignored.
	kill -INT "$pid" || true
	kill -TERM "$pid" || true
	kill -TERM "$pid" || true
	wait "$pid"
	session_gone "$pid"
}

@test "SIGUSR1 opens the log file again" {
	centre_start "log: { to = \"$dir/to.log\"; level = \"debug\"; };"
	ask hello
	wait_for has_line "$dir/to.log" 'worker: debug: hello: done'
	mv "$dir/to.log" "$dir/to.log.1"
	kill -USR1 "$MASTER"
	wait_for [ -e "$dir/to.log" ]
	before=$(wc -l <"$dir/to.log.1")
	wait_for hello_logged
	# The store has let go of the old one, too.
	login alice
	login alice
	wait_for has_line "$dir/to.log" 'store: debug: alice logs in again'
	same "$before" "$(wc -l <"$dir/to.log.1")"
}

# usage: hello_logged ; in the new file
hello_logged()
{
	ask hello >/dev/null && has_line "$dir/to.log" 'worker: debug: hello: done'
}

@test "into the background: ready when it returns, with its process id" {
	centre_configure "log: { to = \"$dir/to.log\"; };"
	run -0 timeout "$patience" chatd -c "$conf" 3>&-
	pid=$(<"$run_dir/chatd.pid")
	SESSIONS="$pid $(ps -o sid= "$pid")"
	has_line <(echo "$output") 'chatd: ready on 127.0.0.1:'
	PORT=${output##*:}
	ask hello
	accepted
	# It keeps nothing of ours; only root may look.
	if [ "$(id -u)" -eq 0 ]; then
		same '' "$(find "/proc/$pid/fd" -lname "pipe:*")"
		same / "$(readlink "/proc/$pid/cwd")"
	fi
	same 'chatd: master' "$(ps -o args= "$pid" | sed 's/ *$//')"
	kill -TERM "$pid"
	wait_for gone "$pid"
	wait_for [ ! -e "$run_dir/chatd.pid" ]
	has_line "$dir/to.log" 'terminated: ending'
}

@test "into the background: what keeps it from starting is told" {
	centre_configure "log: { to = \"$dir/to.log\"; };"
	rm "$state/server.pem"
	run -78 timeout "$patience" chatd -c "$conf" 3>&-
	holds "$output" 'tls.certificate'
	[ ! -e "$run_dir/chatd.pid" ]
}

@test "one line for each listener, to standard error and to --ready-fd" {
	has_line /proc/net/if_inet6 '00000000000000000000000000000001' ||
		skip 'there is no ::1 here'
	centre_start 'listen = [ "127.0.0.1:0", "[::1]:0", "127.0.0.2:0" ];'
	same 3 "$(grep -c '^chatd: ready on ' "$log")"
	six=$(sed -n 's/^chatd: ready on \[::1\]:\([0-9]*\)$/\1/p' "$log")
	reply=$("$CHAT_BUILD/t/tool/wire" -a "[::1]:$six" \
		--ca "$state/ca.pem" <<<'{"op":"hello"}')
	accepted
	other=$(sed -n 's/^chatd: ready on 127.0.0.2:\([0-9]*\)$/\1/p' "$log")
	reply=$("$CHAT_BUILD/t/tool/wire" -a "127.0.0.2:$other" \
		<<<'{"op":"hello"}')
	accepted
}
