#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the processes of a running centre have given up: what each must not do
# is tried in t/unit/sandbox-test.c.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: everybody ; store, keeper and a worker are in variables
everybody()
{
	hold
	wait_for workers 1
	store=$(centre_pid store)
	keeper=$(centre_pid keeper)
	worker=$(centre_pid worker)
}

# usage: in_force PART ; status says so of the worker
in_force()
{
	ctl status --json >"$dir/status"
	jq -e --arg part "$1" '.sandbox.worker | index($part)' \
		"$dir/status" >/dev/null
}

# usage: proc_says PID KEY ; the value of a line of its status
proc_says()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

@test "no process has a capability, or gets a new one" {
	centre_start
	everybody
	for pid in "$MASTER" "$store" "$keeper" "$worker"; do
		same 1 "$(proc_says "$pid" NoNewPrivs)"
		for set in CapPrm CapEff CapInh CapAmb; do
			same 0000000000000000 "$(proc_says "$pid" "$set")"
		done
	done
}

# usage: calls_possible ; the build and the kernel have lists of system calls
calls_possible()
{
	ldd "$CHAT_BUILD/chatd" | grep -q libseccomp &&
		[ -z "${CHAT_SANITIZE:-}" ] && proc_says self Seccomp | grep -q .
}

@test "each process has a list of system calls, the worker one more" {
	calls_possible || skip 'not in this build, or not on this kernel'
	centre_start
	everybody
	in_force system-calls
	for pid in "$MASTER" "$store" "$keeper" "$worker"; do
		same 2 "$(proc_says "$pid" Seccomp)"
	done
	same 1 "$(proc_says "$MASTER" Seccomp_filters)"
	same 2 "$(proc_says "$worker" Seccomp_filters)"
}

# usage: descriptors PID ; how many it has
descriptors()
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

@test "a worker has at most five descriptors, wherever the log goes" {
	for to in stderr syslog "$dir/to.log"; do
		centre_start "log: { to = \"$to\"; };"
		everybody
		[ -r "/proc/$worker/fd" ] && [ -x "/proc/$worker/fd" ] ||
			skip 'only root may look into the processes of the centre'
		[ "$(descriptors "$worker")" -le 5 ] ||
			fail "$to: $(ls -l "/proc/$worker/fd")"
		release
		wait_for workers 0
		centre_stop
	done
}

# usage: hidden PID ; nobody but root looks into it
hidden()
{
	[ "$(stat -c %U "/proc/$1/environ")" = root ]
}

@test "nobody looks into a worker that may go first when memory ends" {
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'sanitizers trace'
	as=$(id -un)
	if [ "$(id -u)" -eq 0 ]; then
		id nobody >/dev/null 2>&1 || skip 'there is no user nobody'
		# Of a process of root everything belongs to root.
		as=nobody
		chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$dir"
		chown -R nobody "$state"
	fi
	centre_start "user = \"$as\";"
	for _ in {1..10}; do
		hold
	done
	wait_for workers 10
	mapfile -t pids < <(centre_pid worker)
	# One that has just begun is still on its way.
	for pid in "$MASTER" "${pids[@]}"; do
		wait_for hidden "$pid"
	done
	for pid in "${pids[@]}"; do
		cat "/proc/$pid/oom_score_adj"
	done >"$dir/scores"
	grep -qx 1000 "$dir/scores"
}

@test "status says what is in force, for each role" {
	centre_start
	ctl status --json >"$dir/status"
	same 'keeper master store worker' \
		"$(jq -r '.sandbox | keys | join(" ")' "$dir/status")"
	in_force privileges
	in_force capabilities
	if [ "$(id -u)" -eq 0 ]; then
		run -1 in_force user
		ctl status | grep -qE '^sandbox, worker .*; without: .*user'
	else
		in_force user
	fi
	ctl status | grep -qE '^sandbox, (store|keeper|master) +.*privileges'
}

@test "what a process may not do ends it, and the log says so" {
	may_crash=yes
	centre_start
	everybody
	# As the kernel would, if it had tried.
	kill -SYS "$worker"
	wait_for has_line "$log" \
		'crashed: Bad system call: its sandbox forbids what it tried'
	kill -SYS "$keeper"
	wait_for has_line "$log" \
		'the keeper was ended by a signal: Bad system call: its sandbox'
}
