#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A centre that stands in the open: who does wrong is refused for a while,
# who has proved nothing gives way, requests have a rate, and a shortage of
# descriptors or processes passes.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/fault

setup_file()
{
	people alice bob carol
}

# usage: from ADDRESS OP [MEMBER]... ; asks from there
from()
{
	local SOURCE=$1
	ask "${@:2}"
}

# usage: shut_out ADDRESS ; nobody is served there
shut_out()
{
	! from "$1" hello >/dev/null 2>&1
}

# usage: let_in ADDRESS
let_in()
{
	from "$1" hello >/dev/null && accepted
}

# usage: again_until_out ADDRESS COMMAND... ; as often as it takes, not often
again_until_out()
{
	local i
	for ((i = 0; i < 60; i++)); do
		! shut_out "$1" || return 0
		SOURCE=$1 "${@:2}" >/dev/null 2>&1 || true
	done
	fail "$1 is still served"
}

# usage: in_status FILTER WANTED ; what the centre says of itself
in_status()
{
	[ "$(ctl status --json | jq "$1")" = "$2" ]
}

# usage: metric NAME ; its value
metric()
{
	ctl metrics | awk -v name="chatd_$1" '$1 == name { print $2 }'
}

garbage()
{
	wire <<<'no request'
}

@test "an address that sends garbage is refused, others are not" {
	centre_start 'limits: { exempt = []; };'
	garbage_from() { SOURCE=127.0.0.9 garbage; }
	for i in {1..5}; do
		garbage_from >/dev/null
	done
	let_in 127.0.0.9
	again_until_out 127.0.0.9 garbage
	let_in 127.0.0.8
	in_status .addresses_refused 1
	[ "$(metric 'connections_refused_total{reason="penalty"}')" -ge 1 ]
	has_line "$log" '127.0.0.9 is refused for a while: a request'
	ctl status >"$dir/status"
	has_line "$dir/status" 'addresses refused  1'
}

@test "failed logins count for their address" {
	centre_start 'limits: { exempt = []; };' 'login: { attempts = 100; };'
	again_until_out 127.0.0.9 ask login user=alice password=wrong
	has_line "$log" '127.0.0.9 is refused for a while: a failed login'
	SOURCE=127.0.0.8 login alice
}

# usage: makes_accounts ; one more from 127.0.0.9, under a name of its own
makes_accounts()
{
	ask register user="many-$((++made))" password=secret
}

@test "accounts count for the address that makes them" {
	centre_start 'limits: { exempt = []; };' \
		'accounts: { registration = "open"; };'
	again_until_out 127.0.0.9 makes_accounts
	has_line "$log" '127.0.0.9 is refused for a while: an account made'
	[ "$made" -ge 15 ]
	let_in 127.0.0.8
}

@test "a crash is enough, for the address whose worker it was" {
	may_crash=yes
	centre_start 'limits: { exempt = []; };'
	SOURCE=127.0.0.9 hold
	wait_for workers 1
	kill -ABRT "$(centre_pid worker)"
	wait_for shut_out 127.0.0.9
	let_in 127.0.0.8
	has_line "$log" '127.0.0.9 is refused for a while: a crash'
}

@test "two who let their deadline pass are enough" {
	centre_start 'limits: { exempt = []; handshake_seconds = 1; };'
	SOURCE=127.0.0.9 hold --plain
	SOURCE=127.0.0.9 hold --plain
	wait_for shut_out 127.0.0.9
	let_in 127.0.0.8
	[ "$(metric connections_silent_total)" -eq 2 ]
}

# usage: half_hello ; begins a handshake, and waits for its end
half_hello()
{
	printf '\x16\x03\x01\x02\x00\x01' | wire --plain --raw --hold
}

@test "a handshake that never ends is a deadline, too, and two are enough" {
	centre_start 'limits: { exempt = []; handshake_seconds = 1; };'
	SOURCE=127.0.0.9 half_hello || true
	wait_for workers 0
	holds "$(ctl metrics)" 'worker_exits_total{how="timed out"} 1'
	let_in 127.0.0.9
	SOURCE=127.0.0.9 half_hello || true
	wait_for shut_out 127.0.0.9
	let_in 127.0.0.8
	has_line "$log" '127.0.0.9 is refused for a while: a deadline'
	[ "$(metric connections_silent_total)" -eq 0 ]
}

@test "a session that dawdles is not refused" {
	centre_start 'limits: { exempt = []; request_seconds = 1; };'
	SOURCE=127.0.0.9 login alice
	request live token="$(<"$dir/alice.token")" mail:=0 room:=0
	for i in 1 2 3; do
		SOURCE=127.0.0.9 wire --hold <<<"$line" >"$dir/held.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	let_in 127.0.0.9
	in_status .addresses_refused 0
}

@test "an address that locks three accounts is refused" {
	centre_start 'limits: { exempt = []; };' 'login: { attempts = 1; };'
	for name in alice nobody; do
		from 127.0.0.9 login user=$name password=wrong
		refused login-failed
	done
	let_in 127.0.0.9
	from 127.0.0.9 login user=carol password=wrong
	refused login-failed
	wait_for shut_out 127.0.0.9
	has_line "$log" '127.0.0.9 is refused for a while: three accounts'
	# Their owners are locked out, but not shut out.
	from 127.0.0.8 login user=alice password=alice-secret
	refused login-blocked
	SOURCE=127.0.0.8 login bob
}

# usage: judged_wrong ; 127.0.0.9 guesses at alice, who is not locked just now
judged_wrong()
{
	from 127.0.0.9 login user=alice password=wrong
	[ "$(value .error)" = login-failed ]
}

@test "one account that it locks again and again is one" {
	centre_start 'limits: { exempt = []; };' \
		'login: { attempts = 1; block_seconds = 1; };'
	for i in 1 2 3; do
		wait_for judged_wrong
	done
	let_in 127.0.0.9
	in_status .addresses_refused 0
}

# usage: guesses COUNT ; so many logins for as many names on one connection
guesses()
{
	local i
	for ((i = 1; i <= $1; i++)); do
		request login user="name$i" password=wrong
		echo "$line"
	done | wire
}

@test "connections that are open end as well when an address is refused" {
	centre_start 'limits: { exempt = []; };' 'login: { attempts = 1; };'
	SOURCE=127.0.0.9 login alice
	request live token="$(<"$dir/alice.token")" mail:=0 room:=0
	SOURCE=127.0.0.9 wire --hold <<<"$line" >"$dir/alice.live" 3>&- &
	held+=($!)
	wait_for has_line "$dir/alice.live" '"ok":true'
	proved=$(centre_pid worker)
	SOURCE=127.0.0.9 hold --plain
	SOURCE=127.0.0.9 hold
	SOURCE=127.0.0.8 hold
	wait_for workers 3
	wait_for in_status .connections_waiting 1
	SOURCE=127.0.0.9 guesses 20 >"$dir/replies" || true
	[ "$(grep -c login-failed "$dir/replies")" -ge 3 ]
	from 127.0.0.8 login user=name20 password=wrong
	refused login-failed
	# Who has proved something stays, and so does everybody else.
	wait_for workers 2
	wait_for in_status .connections_waiting 0
	run ! gone "$proved"
}

@test "an exempt address may do all that" {
	centre_start 'login: { attempts = 1; };' \
		'limits: { requests_per_second = 1; request_burst = 2; };'
	for name in alice bob carol; do
		from 127.0.0.9 login user=$name password=wrong
		refused login-failed
	done
	for i in {1..20}; do
		SOURCE=127.0.0.9 garbage >/dev/null
	done
	let_in 127.0.0.9
	in_status .addresses_refused 0
}

@test "a connection that says nothing has no worker" {
	centre_start
	for i in {1..5}; do
		hold --plain
	done
	wait_for in_status .connections_waiting 5
	workers 0
	release
	wait_for in_status .connections_waiting 0
}

@test "when all are busy those who have proved nothing give way" {
	centre_start 'limits: { workers = 3; request_seconds = 60;
		connection_seconds = 120; };'
	login alice
	request live token="$(<"$dir/alice.token")" mail:=0 room:=0
	wire --hold --timeout 100 <<<"$line" >"$dir/alice.live" 3>&- &
	held+=($!)
	wait_for has_line "$dir/alice.live" '"ok":true'
	proved=$(centre_pid worker)
	hold
	hold
	wait_for workers 3
	for i in {1..6}; do
		ask hello >/dev/null
		accepted
		hold
	done
	login bob
	# Whoever has shown a token stays all the while.
	run ! gone "$proved"
	[ "$(metric workers_gave_way_total)" -ge 6 ]
	wait_for has_line "$log" 'all 3 workers are busy'
}

@test "who has held workers for nothing comes after all others" {
	centre_start 'limits: { exempt = []; workers = 4; request_seconds = 60;
		connection_seconds = 120; };'
	SOURCE=127.0.0.9
	for _ in {1..4}; do
		hold
	done
	wait_for workers 4
	# The oldest gives way to somebody new, and that is written down.
	from 127.0.0.8 hello >/dev/null
	wait_for gave_way 1
	release
	wait_for workers 0
	# From then on there is place for all but the doubted.
	for _ in {1..6}; do
		hold
	done
	wait_for in_status .connections_waiting 4
	workers 2
	for _ in {1..8}; do
		from 127.0.0.8 hello >/dev/null
		accepted
	done
	# Somebody who logs in there ends it, when all have been charged.
	release
	wait_for in_status '.connections_waiting + .workers' 0
	login alice
	hold
	hold
	hold
	wait_for workers 3
}

# usage: gave_way COUNT ; so many workers, at least
gave_way()
{
	[ "$(metric workers_gave_way_total)" -ge "$1" ]
}

@test "a session has its rate, an address without one likewise" {
	centre_start 'limits: { exempt = []; requests_per_second = 1;
		request_burst = 4; };' 'login: { attempts = 100; };'
	SOURCE=127.0.0.9 login alice
	request live token="$(<"$dir/alice.token")" mail:=0 room:=0
	for i in {1..40}; do
		echo "$line"
	done | SOURCE=127.0.0.9 wire >"$dir/replies" || true
	[ "$(grep -c '"ok":true' "$dir/replies")" -ge 4 ]
	reply=$(tail -n 1 "$dir/replies")
	refused rate-limited
	says '.retry_after >= 1 and .retry_after <= 2'
	# The order holds: nothing was answered behind it.
	same 1 "$(grep -c rate-limited "$dir/replies")"
	request login user=alice password=wrong
	for i in {1..40}; do
		echo "$line"
	done | SOURCE=127.0.0.8 wire >"$dir/replies" || true
	[ "$(grep -c login-failed "$dir/replies")" -ge 4 ]
	reply=$(tail -n 1 "$dir/replies")
	refused rate-limited
	SOURCE=127.0.0.7 login bob
	SOURCE=127.0.0.9 wait_for alive alice
}

# usage: alive NAME ; its session is answered
alive()
{
	as "$1" live mail:=0 room:=0 >/dev/null && accepted
} 2>/dev/null

@test "what is answered without the store has a measure" {
	centre_start 'limits: { exempt = [ "127.0.0.8/32" ]; };'
	for i in {1..40}; do
		echo '{"op":"hello"}'
	done >"$dir/lines"
	SOURCE=127.0.0.9 wire <"$dir/lines" >"$dir/replies" || true
	same 16 "$(grep -c '"ok":true' "$dir/replies")"
	reply=$(tail -n 1 "$dir/replies")
	refused rate-limited
	says '.retry_after >= 1'
	same 17 "$(wc -l <"$dir/replies")"
	# Each that the store has answered makes room for one.
	SOURCE=127.0.0.9 login alice
	request live token="$(<"$dir/alice.token")" mail:=0 room:=0
	sed "s/.*/$line\n&/" "$dir/lines" >"$dir/both"
	same 80 "$(SOURCE=127.0.0.9 wire --count <"$dir/both")"
	same 40 "$(SOURCE=127.0.0.8 wire --count <"$dir/lines")"
}

@test "connections without a token have a rate, and are closed beyond it" {
	centre_start 'limits: { exempt = []; requests_per_second = 1;
		request_burst = 5; };'
	SOURCE=127.0.0.9 login alice
	# With a token they do not count.
	for i in {1..4}; do
		SOURCE=127.0.0.9 wait_for alive alice
	done
	again_until_out 127.0.0.8 ask hello
	[ "$(metric 'connections_refused_total{reason="rate"}')" -ge 1 ]
	wait_for let_in 127.0.0.8
}

# usage: knock ADDRESS NAME GATE ; logs in once the gate is there, $replied is
# where the reply is
knock()
{
	local line
	request login user="$2" password="$2-secret"
	replied=$dir/$2.reply
	GATE=$dir/$3 SOURCE=$1 wire --timeout "$patience" <<<"$line" \
		>"$replied" 3>&- &
	held+=($!)
}

@test "strangers leave half of the passwords' queue to known addresses" {
	centre_start 'limits: { exempt = []; request_seconds = 60;
		connection_seconds = 60; };'
	SOURCE=127.0.0.9 login alice
	for i in {1..17}; do
		knock "127.0.0.$((i % 2 + 7))" "stranger$i" all
	done
	knock 127.0.0.6 carol late
	stranger=$replied
	knock 127.0.0.9 bob late
	wait_for met "$dir/all" 17
	wait_for met "$dir/late" 2
	# It cannot sign now, nor say whose password is right.
	kill -STOP "$(centre_pid keeper)"
	touch "$dir/all"
	wait_for in_status .hashes 17
	touch "$dir/late"
	wait_for has_line "$stranger" '"error":"busy"'
	wait_for in_status .hashes 18
	same '' "$(<"$replied")"
	kill -CONT "$(centre_pid keeper)"
	wait_for has_line "$replied" '"ok":true'
}

# usage: descriptors LIMIT ; of the master, from now on
descriptors()
{
	prlimit --pid "$MASTER" --nofile="$1:$hard" 2>/dev/null ||
		skip 'limits of another process cannot be set here'
}

@test "without descriptors there is a pause, and one line in the log" {
	centre_start
	login alice
	read -r soft hard < <(prlimit --pid "$MASTER" --nofile \
		--noheadings --output SOFT,HARD)
	descriptors 3
	for i in {1..10}; do
		as alice live mail:=0 room:=0 >"$dir/live.$i" &
		pids+=($!)
	done
	wait_for has_line "$log" 'Too many open files'
	descriptors "$soft"
	wait "${pids[@]}"
	same 10 "$(cat "$dir"/live.* | grep -c '"ok":true')"
	same 1 "$(grep -c 'Too many open files' "$log")"
	wait_for has_line "$log" 'connections are served again'
	same 1 "$(ctl status --json | jq '.shortages > 0 | if . then 1 else 0 end')"
}

# usage: limit_with_one_free ; above all descriptors of the master, in $limit
limit_with_one_free()
{
	local free=0
	[ -r "/proc/$MASTER/fd" ] || skip 'nobody may look into the master'
	for ((limit = 0; ; limit++)); do
		[ ! -L "/proc/$MASTER/fd/$limit" ] || continue
		free=$((free + 1))
		[ $free -eq 1 ] || return 0
	done
}

@test "a keeper that could not be joined with the store is started again" {
	centre_start
	login alice
	read -r soft hard < <(prlimit --pid "$MASTER" --nofile \
		--noheadings --output SOFT,HARD)
	# With that of the old keeper's channel: enough to start a new one.
	limit_with_one_free
	descriptors "$limit"
	centre_kill keeper
	wait_for has_line "$log" 'cannot join store and keeper'
	descriptors "$soft"
	wait_for login bob
}

# usage: starved KIND SENTENCE ; ten ask while the centre has none, wait, and
# are served; the log says it once
starved()
{
	faults_ready
	centre_start
	login alice
	system_fails "$1"
	for i in {1..10}; do
		as alice live mail:=0 room:=0 >"$dir/live.$i" &
		pids+=($!)
	done
	wait_for has_line "$log" "$2"
	system_fails -
	wait "${pids[@]}"
	same 10 "$(cat "$dir"/live.* | grep -c '"ok":true')"
	same 1 "$(grep -c "$2" "$log")"
	wait_for has_line "$log" 'connections are served again'
}

@test "without processes there is a pause, and full service after it" {
	starved p 'cannot start a worker: Resource temporarily unavailable'
}

@test "without memory likewise" {
	starved m 'cannot accept a connection: Cannot allocate memory'
}

# usage: highest_score ; among the workers
highest_score()
{
	local pid
	for pid in $(pgrep -P "$MASTER" -f '^chatd: worker'); do
		cat "/proc/$pid/oom_score_adj"
	done | sort -n | tail -n 1
}

@test "when memory ends a worker goes first" {
	centre_start
	# One that comes by itself, and each where there are many.
	hold
	wait_for workers 1
	score=$(highest_score)
	[ "$score" -eq 1000 ] || skip 'the system does not allow it here'
	for _ in {1..9}; do
		hold
	done
	wait_for workers 10
	for pid in $(centre_pid worker); do
		scores+=("$(<"/proc/$pid/oom_score_adj")")
	done
	[ "$(printf '%s\n' "${scores[@]}" | grep -c '^1000$')" -ge 3 ]
	[ "$(cat "/proc/$(centre_pid store)/oom_score_adj")" -lt 1000 ]
	[ "$(cat "/proc/$MASTER/oom_score_adj")" -lt 1000 ]
}
