#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Eight people chat while the processes of their centre are killed at random
# moments, the master too.  What they typed is shown exactly once, to whom it
# was for, in order; and nobody has to log in again.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

names=(anna bert cleo dora emil fred gina hugo)

setup_file()
{
	people anna bert cleo dora emil fred gina hugo
}

# usage: everybody_types ; each a message to two others, one of them to all
everybody_types()
{
	local i from to
	for ((i = 0; i < ${#names[@]}; i++)); do
		from=${names[i]}
		for to in "${names[(i + 1 + RANDOM % 7) % 8]}" \
			"${names[(i + 1 + RANDOM % 7) % 8]}"; do
			sent[$from>$to]=$((${sent[$from>$to]:-0} + 1))
			types "$from" "message $to $from>$to ${sent[$from>$to]}"
		done
	done
	from=${names[RANDOM % 8]}
	sent[$from>all]=$((${sent[$from>all]:-0} + 1))
	types "$from" "broadcast $from>all ${sent[$from>all]}"
}

# usage: find_worker ; sets worker to one that is at work, if there is one soon
find_worker()
{
	local until=$((SECONDS + 3)) children title
	# A worker lives for milliseconds: nothing is forked to find it.
	while [ "$SECONDS" -lt "$until" ]; do
		read -r -a children <"/proc/$MASTER/task/$MASTER/children" ||
			true
		for worker in "${children[@]}"; do
			title=
			read -r -d '' title <"/proc/$worker/cmdline" || true
			[ "$title" != 'chatd: worker' ] || return 0
		done
	done 2>/dev/null
	return 1
}

# usage: kill_worker ; there is one every few milliseconds
kill_worker()
{
	local worker
	find_worker || return 0
	kill -KILL "$worker" 2>/dev/null || return 0
	killed[worker]=$((killed[worker] + 1))
}

# usage: kill_lasting store|keeper ; it may be away just now
kill_lasting()
{
	local pid
	pid=$(centre_pid "$1") || return 0
	kill -KILL "$pid" 2>/dev/null || return 0
	killed[$1]=$((killed[$1] + 1))
}

# usage: kill_master ; and start the next one, on the same port and directory
kill_master()
{
	kill -KILL "$MASTER"
	wait "$MASTER" || true
	MASTER=''
	killed[master]=$((killed[master] + 1))
	centre_again
}

# usage: kill_somebody
kill_somebody()
{
	case $((RANDOM % 10)) in
	[0-2]) kill_lasting store ;;
	[3-4]) kill_lasting keeper ;;
	[5-7]) kill_worker ;;
	*) kill_master ;;
	esac
}

# usage: wanted NAME ; prints what NAME must have been shown, by sender
wanted()
{
	local from
	for from in "${names[@]}"; do
		[ "$from" != "$1" ] || continue
		# shellcheck disable=SC2086 # nothing is no number
		seq -f "$from: $from>$1 %.0f" 1 ${sent[$from>$1]:-0}
		# shellcheck disable=SC2086
		seq -f "$from (to all): $from>all %.0f" 1 \
			${sent[$from>all]:-0}
	done
}

# usage: all_shown ; as many lines as there must be
all_shown()
{
	local name
	for name in "${names[@]}"; do
		[ "$(grep -c '>' "$dir/$name.out")" -ge \
			"$(wanted "$name" | wc -l)" ] || return
	done
}

@test "20 rounds: nothing lost, nothing twice, nothing to the wrong person" {
	declare -A sent=() killed=([store]=0 [keeper]=0 [worker]=0 [master]=0)
	seed=${CHAT_SEED:-$((SRANDOM % 32768))}
	echo "CHAT_SEED=$seed"
	RANDOM=$seed
	may_crash=yes
	# So that nobody waits long, and nobody falls silent by being retried.
	centre_start 'session: { heartbeat = 1; timeout = 600; };'
	for name in "${names[@]}"; do
		person "$name"
	done
	for _ in {1..20}; do
		everybody_types
		for _ in 1 2 3; do
			sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
			kill_somebody
		done
	done
	echo "killed: $(declare -p killed)"
	for who in store keeper worker master; do
		[ "${killed[$who]}" -gt 0 ] || fail "no $who was killed"
	done
	patience=90 wait_for all_shown || true
	# What may still come twice comes now.
	for name in "${names[@]}"; do
		types "$name" "message $name-nobody now"
		sees "$name" "There is no user $name-nobody."
	done
	for name in "${names[@]}"; do
		for from in "${names[@]}"; do
			[ "$from" != "$name" ] || continue
			same "$(wanted "$name" | grep "^$from: ")" \
				"$(pair "$from" "$name" "$name")" \
				"what $name was shown of $from"
			same "$(wanted "$name" | grep "^$from (to all): ")" \
				"$(pair "$from" all "$name")" \
				"what $name was shown of $from, to all"
		done
		same "$(wanted "$name" | wc -l)" \
			"$(grep -c '>' "$dir/$name.out")" "lines of $name"
		# One login, and that is all.
		sees_once "$name" "Welcome, $name."
		saw_nothing_of "$name" 'has logged out'
		saw_nothing_of "$name" 'session has ended'
		kill -0 "${client[$name]}"
	done
	same 8 "$(ctl status --json | jq .online)"
}

# usage: pair FROM TO NAME ; prints the lines of that pair that NAME was shown
pair()
{
	grep "$1>$2 " "$dir/$3.out" | sed 's/ (20[^)]*)//'
}
