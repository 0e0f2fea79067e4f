#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The benchmark runs from end to end and says what it measured.

# usage: at_least NAME NUMBER, at_most NAME NUMBER ; what a figure is
at_least() {
	[ "$(figure "$1")" -ge "$2" ] || { echo "$1: $(figure "$1")"; return 1; }
}

at_most() {
	[ "$(figure "$1")" -le "$2" ] || { echo "$1: $(figure "$1")"; return 1; }
}

@test "a quick benchmark ends well and prints JSON" {
	run timeout 120 "$CHAT_BUILD/bench/bench" --quick \
		--dir "$BATS_TEST_TMPDIR" --json "$BATS_TEST_TMPDIR/figures" 3>&-
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	jq -e . "$BATS_TEST_TMPDIR/figures" >/dev/null
	for figure in live_cpu_to_floor send_open_gain store_memory_per_user \
		beacon_to_floor knock_stored hostile_dropped herd_fetched; do
		jq -e "[.. | objects | select(has(\"$figure\"))] | length == 1" \
			"$BATS_TEST_TMPDIR/figures"
	done
	# Nobody is kept out, by a tenth of a flood on a machine that is busy.
	for siege in silent greeting leaving alone alone_greeting; do
		at_least flood_${siege}_known_served 90
		at_least flood_${siege}_strangers_served 90
	done
	for tries in wrong locking locked; do
		at_most login_${tries}_differ 0
		at_most login_${tries}_accuracy_percent 90
	done
	at_most login_hashes 80
}

# usage: figure NAME ; one of those that the run before has measured
figure() {
	jq "[.. | objects | select(has(\"$1\"))][0].$1.value | round" \
		"$BATS_TEST_TMPDIR/figures"
}

@test "a few hundred sessions go on by beacon, and the hostile get nowhere" {
	timeout 120 "$CHAT_BUILD/bench/bench" --quick --only beacon \
		--only hostile --only herd \
		--dir "$BATS_TEST_TMPDIR" --json "$BATS_TEST_TMPDIR/figures" 3>&-
	[ "$(figure beacon_unheard)" = 0 ]
	[ "$(figure beacon_lost)" = 0 ]
	[ "$(figure beacon_bad)" = 0 ]
	[ "$(figure beacon_timeouts)" = 0 ]
	[ "$(figure hostile_answered)" = 0 ]
	[ "$(figure hostile_dropped)" = "$(figure hostile_sent)" ]
	[ "$(figure hostile_unheard)" = 0 ]
	[ "$(figure herd_knocks)" = 0 ]
	[ "$(figure herd_fetched)" = "$(figure herd_learned)" ]
}
