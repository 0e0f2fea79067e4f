#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A disk that is full, or that fails: what goes on, what is refused, and that
# nothing that was accepted is lost.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/disk
load lib/fault

setup_file()
{
	people alice bob carol
}

tear_down()
{
	disk_gone
}

# usage: try_to_send TEXT ; from alice to bob; what is accepted is in ${sent[@]}
try_to_send()
{
	new_id
	as alice send id="$id" to=bob text="$1" >/dev/null || return
	accepted 2>/dev/null || return
	sent+=("$1")
}

# usage: bob_has ; exactly what was accepted, in that order
bob_has()
{
	same "${sent[*]}" \
		"$(sync bob | sed -n 's/^alice: //p' | xargs)" 'what bob has'
	sent=()
}

# usage: serves NAME ; the store answers again
serves()
{
	as "$1" live mail:=0 room:=0 >/dev/null && accepted
} 2>/dev/null

# usage: reserve_whole ; all of it is there again
reserve_whole()
{
	[ "$(stat -c %s "$state/chatd.reserve")" -eq 8388608 ]
}

@test "a full disk: all but what adds goes on, and comes back by itself" {
	disk_small 32m
	centre_start 'accounts: { registration = "open"; };'
	linkable alice 40001
	linkable bob 40002
	sent=()
	try_to_send before
	# Twice: the reserve is made anew.
	for round in 1 2; do
		disk_fill
		for i in {1..500}; do
			try_to_send "$round.$i" || break
		done
		refused read-only
		says '.retry_after > 0'
		# A repetition is answered as it was.
		as alice broadcast id="broadcast-number-$round" text=hi
		refused read-only
		ask register user=dave password=dave-secret
		refused read-only
		as alice ask to=bob
		refused read-only
		run user_add dave
		same 1 "$status"
		holds "$output" 'disk is full'
		# What reads and what deletes goes on, and logins do.
		login carol
		as carol block user=alice
		accepted
		brief carol online
		accepted
		logout carol
		bob_has
		holds "$(ctl status)" 'FULL since'
		holds "$(ctl metrics)" 'chatd_read_only 1'
		disk_clear
		wait_for try_to_send "after.$round"
		wait_for reserve_whole
		! ctl status | grep FULL || fail 'status says that it is full'
		holds "$(ctl metrics)" 'chatd_read_only 0'
	done
	bob_has
	same 2 "$(grep -c 'the disk is full' "$log")"
	same 2 "$(grep -c 'there is space on the disk again' "$log")"
	! grep 'the store ended' "$log" || fail 'the store ended'
}

@test "what was accepted before the disk was full is answered as then" {
	disk_small 32m
	centre_start
	login alice
	tell alice bob hello
	first=$reply
	disk_fill
	sent=()
	for i in {1..500}; do
		try_to_send "$i" || break
	done
	as alice send id="id$BATS_TEST_NUMBER-000000000001" to=bob text=hello
	same "$first" "$reply"
	as alice send id=nobody-nobody-nobody to=nobody text=hello
	refused no-such-user
	disk_clear
}

@test "a mailbox and an account are deleted on a full disk" {
	disk_small 32m
	centre_start
	login alice
	login bob
	for i in {1..20}; do
		tell alice bob "$(printf '%08000d' "$i")" >/dev/null
	done
	disk_fill
	sent=()
	for i in {1..500}; do
		try_to_send "$i" || break
	done
	refused read-only
	ctl user delete bob
	as alice send id=nobody-nobody-nobody to=bob text=hello
	refused no-such-user
	ctl user delete alice
	! grep 'the store ended' "$log" || fail 'the store ended'
	disk_clear
}

@test "a disk without space for a reserve is read-only from the start" {
	disk_small 4m
	centre_start
	has_line "$log" 'the disk is full'
	login alice
	send alice bob hi
	refused read-only
	logout alice
}

@test "where even the reserve is used up nothing accepted is lost" {
	disk_small 32m
	centre_start
	login alice
	login bob
	sent=()
	# Somebody takes at once whatever is given away.
	for i in {1..1000}; do
		disk_fill
		try_to_send "$i" || true
		login carol || break
	done >"$dir/talk" 2>&1
	# Now what grows is refused as well, and nothing else is.
	refused read-only
	as alice block user=bob
	refused read-only
	serves alice
	bob_has
	# Nor is its end, at any time, one for good.
	centre_kill store
	wait_for serves alice
	centre_stop
	: >"$state/chatd.reserve"
	disk_fill
	centre_again
	serves alice
	peek bob
	accepted
	! grep 'database or disk is full' "$log" || fail 'it could not write'
	disk_clear
	wait_for serves alice
	wait_for try_to_send last
	bob_has
	wait_for reserve_whole
	centre_stop
	same ok "$(sql 'PRAGMA integrity_check')"
}

# usage: pour COUNT ; so many long texts from alice to bob, until one is refused
pour()
{
	local line
	request send token="$(<"$dir/alice.token")" id=@ to=bob \
		text="$(printf '%08000d' 0)"
	for ((i = 0; i < $1; i++)); do
		new_id
		printf '%s%s%s\n' "${line%%@*}" "$id" "${line#*@}"
	done | wire --ca "$state/ca.pem" >"$dir/poured"
	ids=$((ids + $1))
	! has_line "$dir/poured" read-only
}

@test "a disk that the centre itself has filled has room once that is read" {
	disk_small 40m
	centre_start
	login alice
	login bob
	sent=()
	for round in {1..20}; do
		pour 250 || break
	done
	has_line "$log" 'the disk is full'
	sends_in_vain 'too early'
	refused read-only
	# All of it at once, as if bob had stored it.
	as bob live mail:=0 room:=0
	cursor_of >"$dir/bob.cursor"
	sync bob
	wait_for try_to_send 'in the room of what was read'
	bob_has
	has_line "$log" 'there is space on the disk again'
	! grep 'the store ended' "$log" || fail 'the store ended'
	centre_stop
	same ok "$(sql 'PRAGMA integrity_check')"
}

# usage: sends_in_vain TEXT ; it is not accepted
sends_in_vain()
{
	! try_to_send "$1" || fail "$1 was accepted"
}

@test "a sync that fails ends the store, and nothing accepted is lost" {
	faults_ready
	centre_start
	login alice
	login bob
	sent=()
	try_to_send one
	system_fails s
	sends_in_vain two
	wait_for has_line "$log" 'the store ended with status 74'
	has_line "$log" 'disk I/O error'
	sends_in_vain three
	system_fails -
	wait_for serves alice
	try_to_send four
	# What was not accepted may have been stored: a client says it again.
	events=$(sync bob)
	holds "$events" 'alice: one'
	holds "$events" 'alice: four'
	centre_stop
	same ok "$(sql 'PRAGMA integrity_check')"
}

@test "a write that fails likewise, and it is not tried without a pause" {
	faults_ready
	centre_start
	login alice
	login bob
	sent=()
	try_to_send one
	system_fails w
	sends_in_vain two
	wait_for has_line "$log" 'the store ended with status 74'
	# It could not start again for a while.
	ends=$(grep -c 'the store ended' "$log")
	wait_for ended_more "$ends"
	[ "$(grep -c 'the store ended' "$log")" -lt 20 ]
	system_fails -
	wait_for serves alice
	try_to_send three
	bob_has
}

# usage: ended_more COUNT ; the store has ended more often than that
ended_more()
{
	[ "$(grep -c 'the store ended' "$log")" -gt "$1" ]
}

@test "a log on a full disk says how many lines are missing" {
	disk_small 32m
	rm -f "$conf"
	centre_start "log: { to = \"$disk/to.log\"; level = \"debug\"; };"
	# The store says of each that it takes over.
	login alice
	for i in 1 2 3; do
		disk_fill
		# The last page of the log, too.
		head -c 5000 /dev/zero >>"$disk/to.log" 2>/dev/null || true
		login alice
	done
	disk_clear
	login alice
	wait_for has_line "$disk/to.log" 'lines of the log are lost'
}
