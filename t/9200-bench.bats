#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The benchmark runs from end to end and says what it measured.

@test "a quick benchmark ends well and prints JSON" {
	run timeout 120 "$CHAT_BUILD/bench/bench" --quick \
		--dir "$BATS_TEST_TMPDIR" --json "$BATS_TEST_TMPDIR/figures" 3>&-
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	jq -e . "$BATS_TEST_TMPDIR/figures" >/dev/null
	for figure in live_cpu_to_floor send_open_gain store_memory_per_user; do
		jq -e "[.. | objects | select(has(\"$figure\"))] | length == 1" \
			"$BATS_TEST_TMPDIR/figures"
	done
}
