#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The benchmark runs from end to end and says what it measured.

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
