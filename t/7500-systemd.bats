#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The centre under a service manager: sockets that are handed over, a restart
# that refuses nobody, units that give little away.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: everybody_leaves ; the manager has its centre end first
everybody_leaves()
{
	deactivate
}

# usage: manager_start ; it has the sockets, at $PORT, and starts nothing yet
manager_start()
{
	mkfifo "$dir/orders" "$dir/answers"
	# For both ways, so that nobody waits for the other end.
	exec {orders}<>"$dir/orders" {answers}<>"$dir/answers"
	"$CHAT_BUILD/t/tool/activate" chatd -c "$dir/chatd.conf" -f \
		<&"$orders" >&"$answers" 2>>"$log" 3>&- &
	manager=$!
	read -r -t "$patience" -u "$answers" PORT
	centre_configure "$@"
}

# usage: activate ; the centre is started, or started again
activate()
{
	local pid
	echo start >&"$orders"
	read -r -t "$patience" -u "$answers" pid
	[[ $pid =~ ^[0-9]+$ ]] || fail "the manager says: $pid"
}

# usage: deactivate ; both end
deactivate()
{
	[ -n "${manager:-}" ] || return 0
	echo end >&"$orders"
	wait "$manager" || fail 'the last centre did not end in peace'
	manager=
	exec {orders}>&- {answers}<&-
}

@test "sockets that are handed over are used" {
	manager_start
	activate
	wait_for has_line "$log" "chatd: ready on 127.0.0.1:$PORT"
	ask hello
	accepted
	"$CHAT_BUILD/t/tool/beacon" --port "$PORT" \
		login "$dir/alice.beacon" alice alice-secret >/dev/null
	run -0 "$CHAT_BUILD/t/tool/beacon" --port "$PORT" \
		live "$dir/alice.beacon"
	[ -n "$output" ]
	run -1 has_line "$log" 'was handed over, but'
}

@test "a socket that listen does not name is let go, and named" {
	manager_start 'listen = [ "127.0.0.1:0" ];'
	activate
	wait_for has_line "$log" \
		'descriptor 3 was handed over, but is no socket that listen'
	has_line "$log" 'descriptor 4 was handed over'
	wait_for has_line "$log" 'chatd: ready on 127.0.0.1:'
	run -1 has_line "$log" "chatd: ready on 127.0.0.1:$PORT"
}

# usage: askers_run ; four clients, one connection after the other
askers_run()
{
	local i
	for i in 1 2 3 4; do
		asker $i 3>&- &
		askers+=($!)
	done
}

# usage: asker NUMBER ; notes what became of each, until told to stop
asker()
{
	trap - EXIT TERM
	while [ ! -e "$dir/enough" ]; do
		if ask hello >/dev/null 2>&1; then
			echo served
		else
			echo refused
		fi >>"$dir/asker.$1"
	done
}

# usage: served_more_than COUNT
served_more_than()
{
	[ "$(cat "$dir"/asker.? 2>/dev/null | wc -l)" -gt "$1" ]
}

@test "while it is started again no connection is refused" {
	askers=()
	manager_start
	activate
	askers_run
	for _ in 1 2 3; do
		count=$(cat "$dir"/asker.? 2>/dev/null | wc -l)
		wait_for served_more_than $((count + 8))
		activate
	done
	wait_for served_more_than $((count + 20))
	touch "$dir/enough"
	wait "${askers[@]}"
	same 4 "$(grep -c ': ended$' "$log" | awk '{ print $1 + 1 }')"
	same 0 "$(cat "$dir"/asker.? | grep -c refused)"
}

@test "what is said of another process is not believed" {
	LISTEN_PID=1 LISTEN_FDS=2 centre_start
	ask hello
	accepted
	run -1 has_line "$log" 'was handed over'
}

# usage: units ; makes them, in $units
units()
{
	[ -e "$CHAT_BUILD/Makefile" ] || skip 'this build has no Makefile'
	units=$dir/units
	mkdir "$units"
	for unit in chatd.service chatd.socket chatd-beacon.socket; do
		# For programs that are there.
		sed -e "s|SBINDIR|$CHAT_BUILD|" -e 's|SYSCONFDIR|/etc|' \
			-e 's|LOCALSTATEDIR|/var|' -e 's|RUNSTATEDIR|/run|' \
			-e '/^Documentation=/d' \
			"$CHAT_SRC/dist/systemd/$unit.in" >"$units/$unit"
	done
}

# usage: says UNIT SETTING ; prints what the unit says of it, line by line
says()
{
	sed -n "s/^$2=//p" "$units/$1"
}

@test "restarts leave the sockets open, a loop of failing starts does not" {
	units
	within=$(says chatd.service StartLimitIntervalSec)
	burst=$(says chatd.service StartLimitBurst)
	pause=$(says chatd.service RestartSec)
	[ "$pause" -ge 1 ] && [ "$within" -ge 1 ] ||
		fail "starts within $within s, a pause of $pause s"
	# Besides those after crashes one each second by hand.
	[ "$burst" -ge $((within / pause + within)) ] ||
		fail "$burst starts within $within s close the sockets"
	[ "$burst" -le $((5 * within)) ] ||
		fail "$burst starts within $within s close nothing"
}

@test "the socket units open what chatd listens on by default" {
	units
	: >"$dir/empty.conf"
	listen=$(chatd -T -c "$dir/empty.conf" |
		sed -n 's/^listen = \[ \(.*\) \];$/\1/p' | tr -d '",' |
		tr ' ' '\n' | sort)
	[ -n "$listen" ]
	same "$listen" "$(says chatd.socket ListenStream | sort)"
	same "$listen" "$(says chatd-beacon.socket ListenDatagram | sort)"
	# Room for datagrams is theirs alone: it would end TCP's own tuning.
	same '' "$(says chatd.socket '\(Receive\|Send\)Buffer')"
	[ -n "$(says chatd-beacon.socket ReceiveBuffer)" ]
}

@test "what only an administrator can mend is not tried again" {
	units
	again=$(sed -n 's/^RestartPreventExitStatus=//p' "$units/chatd.service")
	centre_configure 'tls: { certificate = "nowhere"; };'
	run timeout 20 "$CHAT_BUILD/chatd" -c "$conf" -f
	[[ " $again " = *" $status "* ]] || fail "ended with $status: $output"
	centre_configure
	head -c 8192 /dev/urandom >"$state/chatd.db"
	rm -f "$state/chatd.db"-*
	run timeout 20 "$CHAT_BUILD/chatd" -c "$conf" -f
	[[ " $again " = *" $status "* ]] || fail "ended with $status: $output"
}

@test "systemd finds no fault in the units" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze here'
	units
	run -0 systemd-analyze verify "$units"/*
	same '' "$output"
}

@test "the service is exposed by at most 1.2" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze here'
	systemd-analyze security --help | grep -q -e --offline ||
		skip 'this systemd-analyze knows no --offline'
	units
	run -0 systemd-analyze security --offline=yes --threshold=12 \
		"$units/chatd.service"
	holds "$output" 'Overall exposure level'
}
