#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chatd.conf(5): what is wrong is named with file, line, setting and remedy,
# all of it at once; every default serves.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people
}

# usage: settings LINE... ; as the configuration, behind what a test needs
settings()
{
	conf=$dir/chatd.conf
	{
		printf 'user = "%s"; state_directory = "%s"; ' "$(id -un)" \
			"$state"
		printf 'runtime_directory = "%s"; ' "$run_dir"
		echo 'listen = [ "127.0.0.1:0" ];'
		printf '%s\n' "$@"
	} >"$conf"
}

# usage: wrong SETTINGS MESSAGE... ; in line 2; -t says exactly these errors
wrong()
{
	local wanted='' message
	settings "$1"
	shift
	for message; do
		wanted="$wanted${wanted:+
}$conf:2: $message"
	done
	run -78 chatd -t -c "$conf"
	same "$wanted" "$output" 'what is wrong'
}

@test "a right one" {
	settings
	run -0 --separate-stderr chatd -t -c "$conf"
	same "$conf: no errors" "$output"
	# It opened no socket, took no lock, wrote nothing.
	[ ! -e "$run_dir" ]
	[ ! -e "$state/lock" ]
	[ ! -e "$state/chatd.db" ]
}

@test "while the centre runs the check can be made as well" {
	centre_start
	run -0 chatd -t -c "$conf"
	centre_alive
}

@test "the defaults are those of the manual" {
	: >"$dir/empty.conf"
	chatd -T -c "$dir/empty.conf" >"$dir/defaults"
	for line in 'heartbeat = 30;' 'timeout = 90;' 'lifetime_days = 30;' \
		'attempts = 3;' 'block_seconds = 60;' 'workers = 256;' \
		'workers_per_address = 16;' 'handshake_seconds = 5;' \
		'request_seconds = 10;' 'connection_seconds = 30;' \
		'message_bytes = 8192;' 'mailbox_messages = 10000;' \
		'requests_per_second = 20;' 'request_burst = 60;' \
		'exempt = [ "127.0.0.0/8", "::1" ];' \
		'registration = "closed";' 'engine = "sqlite";' \
		'keep_days = 7;' 'to = "stderr";' 'level = "info";' \
		'ask_seconds = 60;' 'pass_seconds = 3600;' 'enabled = true;' \
		'listen = [ "[::]:2428", "0.0.0.0:2428" ];' 'user = "chatd";'
	do
		has_line "$dir/defaults" "$line" || fail "$line is missing"
	done
}

@test "what -T prints is a configuration that comes to the same" {
	settings 'limits: { workers = 7; exempt = []; };' \
		'accounts: { registration = "open"; };'
	chatd -T -c "$conf" >"$dir/one.conf"
	chatd -T -c "$dir/one.conf" >"$dir/two.conf"
	cmp "$dir/one.conf" "$dir/two.conf"
	has_line "$dir/one.conf" 'workers = 7;'
	run -0 chatd -t -c "$dir/one.conf"
	: >"$dir/empty.conf"
	chatd -T -c "$dir/empty.conf" >"$dir/one.conf"
	chatd -T -c "$dir/one.conf" | cmp - "$dir/one.conf"
}

@test "unknown settings, with the nearest known one" {
	wrong 'limits: { wokers = 3; };' \
		'limits.wokers: unknown setting; did you mean "limits.workers"?'
	wrong 'login: { atempts = 3; };' \
		'login.atempts: unknown setting; did you mean "login.attempts"?'
	wrong 'lisen = [];' \
		'lisen: unknown setting; did you mean "listen"?'
	wrong 'xyzzy = 1;' 'xyzzy: unknown setting'
	wrong 'limits: { frobnicate = 1; };' 'limits.frobnicate: unknown setting'
}

@test "wrong types" {
	wrong 'login: { attempts = "3"; };' 'login.attempts: a number is wanted'
	wrong 'login: { attempts = 3.5; };' \
		'login.attempts: a whole number is wanted'
	wrong 'login: { attempts = true; };' 'login.attempts: a number is wanted'
	wrong 'login: { attempts = [ 3 ]; };' \
		'login.attempts: a number is wanted'
	wrong 'login = 3;' 'login: a group { } is wanted'
	wrong 'login: { attempts: { }; };' 'login.attempts: a number is wanted'
	wrong 'beacon: { enabled = 1; };' 'beacon.enabled: true or false is wanted'
	wrong 'log: { to = 3; };' 'log.to: a string is wanted'
	wrong 'limits: { exempt = [ 1, 2 ]; };' \
		'limits.exempt: a list of strings is wanted; entry 1 is none'
	wrong 'log: { level = "loud"; };' \
		'log.level: "loud" is not allowed; "debug", "info" or "warn" is'
	wrong 'accounts: { registration = "maybe"; };' \
		'accounts.registration: "maybe" is not allowed; "closed", "invite" or "open" is'
}

@test "numbers out of range, and those that overflow" {
	wrong 'login: { attempts = 0; };' \
		'login.attempts: 0 is out of range; 1 to 100 is allowed'
	wrong 'login: { attempts = 101; };' \
		'login.attempts: 101 is out of range; 1 to 100 is allowed'
	wrong 'login: { attempts = -3; };' \
		'login.attempts: -3 is out of range; 1 to 100 is allowed'
	wrong 'limits: { workers = 4294967297; };' \
		'limits.workers: 4294967297 is out of range; 1 to 16384 is allowed'
	wrong 'limits: { workers = 0x100000001; };' \
		'limits.workers: 0x100000001 is out of range; 1 to 16384 is allowed'
	settings 'limits: { workers = 18446744073709551617; };'
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:2: limits.workers: 18446744073709551617 is "
	settings 'limits: { message_bytes = 16385; };'
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:2: limits.message_bytes: 16385 is out of range"
}

@test "all errors at once, each with its line" {
	settings '' 'login: {' '	attempts = "many";' \
		'	block_secods = 5;' '};' '' 'log: { level = "loud"; };' \
		'limits: { workers = 99999999999; };'
	run -78 chatd -t -c "$conf"
	same 4 "${#lines[@]}"
	holds "$output" "$conf:4: login.attempts: "
	holds "$output" "$conf:5: login.block_secods: "
	holds "$output" 'did you mean "login.block_seconds"?'
	holds "$output" "$conf:8: log.level: "
	holds "$output" "$conf:9: limits.workers: "
	# The centre itself says the same and does not start.
	wanted=$output
	run -78 timeout "$patience" chatd -f -c "$conf" 3>&-
	same "$wanted" "$output"
	run -78 timeout "$patience" chatd -c "$conf" 3>&-
	same "$wanted" "$output"
	run -78 chatd -T -c "$conf"
}

@test "settings that do not fit together" {
	wrong 'session: { heartbeat = 30; timeout = 30; };' \
		'session.timeout: 30 must be more than session.heartbeat (30)'
	wrong 'limits: { request_seconds = 60; };' \
		'limits.request_seconds: 60 must be at most limits.connection_seconds (30)'
	wrong 'limits: { handshake_seconds = 60; };' \
		'limits.handshake_seconds: 60 must be at most limits.connection_seconds (30)'
	wrong 'limits: { requests_per_second = 100; };' \
		'limits.request_burst: 60 must be at least limits.requests_per_second (100)' ||
		holds "$output" 'limits.request_burst: 60 must be at least'
}

@test "addresses" {
	for bad in localhost:2428 127.0.0.1 127.0.0.1:65536 ::1:2428 \
		'[::1]' 1.2.3:4 :2428 127.0.0.1:x; do
		conf=$dir/chatd.conf
		echo "listen = [ \"$bad\" ];" >"$conf"
		run -78 chatd -t -c "$conf"
		holds "$output" "$conf:1: listen: \"$bad\" is not ADDRESS:PORT"
	done
	echo 'listen = [];' >"$conf"
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:1: listen: "
	for bad in localhost 127.0.0.1/33 ::1/129 127.0.0.0/x 10.0.0; do
		wrong "limits: { exempt = [ \"$bad\" ]; };" \
			"limits.exempt: \"$bad\" is not ADDRESS or ADDRESS/BITS, in numbers"
	done
}

@test "files that are missing, with the remedy" {
	rm "$state/server.pem" "$state/server.key"
	settings
	run -78 chatd -t -c "$conf"
	same 2 "${#lines[@]}"
	holds "$output" 'tls.certificate: '"$state/server.pem: No such file"
	holds "$output" 'tls.key: '"$state/server.key: No such file"
	holds "$output" 'chatctl cert new'
}

@test "a key that does not fit its certificate" {
	mkdir "$dir/other"
	"$CHAT_SRC/certs/authority.sh" "$dir/other" >/dev/null
	"$CHAT_SRC/certs/server.sh" "$dir/other" 127.0.0.1 >/dev/null
	settings "tls: { certificate = \"$dir/other/server.pem\"; };"
	run -78 chatd -t -c "$conf"
	holds "$output" 'tls: '
	: >"$dir/other/server.pem"
	run -78 chatd -t -c "$conf"
	holds "$output" 'tls: '
}

@test "paths begin with a slash" {
	wrong 'log: { to = "chatd.log"; };' \
		'log.to: "chatd.log" is not "stderr", "syslog" or a path that begins with a slash'
	conf=$dir/chatd.conf
	printf '%s\n' 'state_directory = "here";' 'runtime_directory = "there";' \
		>"$conf"
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:1: state_directory: "
	holds "$output" "$conf:2: runtime_directory: "
}

@test "STATE_DIRECTORY stands for it" {
	settings 'log: { to = "STATE_DIRECTORY/chatd.log"; };'
	centre_run
	ask hello
	accepted
	wait_for has_line "$state/chatd.log" serves
	ctl cert show >/dev/null
}

@test "what is no configuration at all" {
	run -78 chatd -t -c "$dir/nowhere.conf"
	holds "$output" "$dir/nowhere.conf: No such file or directory"
	run -78 chatd -t -c "$dir"
	settings 'limits: { workers = ;'
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:2: "
	head -c 3000 /dev/urandom >"$dir/noise.conf"
	run -78 chatd -t -c "$dir/noise.conf"
	printf 'user = "x";\0' >"$dir/nul.conf"
	run -78 chatd -t -c "$dir/nul.conf"
	holds "$output" 'not a text file'
}

@test "a file that is included, and one that cannot be" {
	echo 'login: { atempts = 2; };' >"$dir/part.conf"
	settings "@include \"$dir/part.conf\""
	run -78 chatd -t -c "$conf"
	holds "$output" "$dir/part.conf:1: login.atempts: unknown setting"
	settings "@include \"$dir/missing.conf\""
	run -78 chatd -t -c "$conf"
	holds "$output" "$conf:2: "
	holds "$output" "missing.conf"
	settings "@include \"$conf\""
	run -78 chatd -t -c "$conf"
}

@test "a user that does not exist, with the line that makes it" {
	[ "$(id -u)" -eq 0 ] || skip 'only root takes on another user'
	conf=$dir/chatd.conf
	{
		echo 'user = "nobody-of-that-name";'
		echo "state_directory = \"$state\";"
		echo 'wokers = 3;'
	} >"$conf"
	run -78 chatd -t -c "$conf"
	sed -i '/wokers/d' "$conf"
	run -78 chatd -t -c "$conf"
	holds "$output" 'nobody-of-that-name'
	holds "$output" 'useradd'
}

@test "as root it becomes its user" {
	[ "$(id -u)" -eq 0 ] || skip 'this takes root'
	id nobody >/dev/null 2>&1 || skip 'there is no user nobody'
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$dir"
	chown -R nobody "$state"
	centre_start 'user = "nobody";'
	for pid in $(pgrep -s "$MASTER"); do
		same nobody "$(ps -o user= "$pid")"
		same "$(id -u nobody) $(id -u nobody) $(id -u nobody)" \
			"$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$pid/status")"
	done
	same nobody "$(stat -c %U "$run_dir/control.sock")"
	same nobody "$(stat -c %U "$state/chatd.db")"
	same 600 "$(stat -c %a "$run_dir/control.sock")"
	ask hello
	accepted
	same 0 "$(ctl status --json | jq .online)"
}

# usage: shown FILE ; what it comes to, without the paths of this build
shown()
{
	chatd -T -c "$1" | grep -v '"/'
}

@test "the configuration that is shipped is one, with every default" {
	: >"$dir/empty.conf"
	same "$(shown "$dir/empty.conf")" "$(shown "$CHAT_SRC/conf/chatd.conf")"
	for name in state_directory runtime_directory certificate key; do
		grep -qw "$name" "$CHAT_SRC/conf/chatd.conf"
	done
}
