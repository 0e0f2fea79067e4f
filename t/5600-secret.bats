#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The centre never sees what is said privately: it is not in its database, not
# in its memory, and did not cross its sockets.  What is said by the centre is,
# so these searches would find it.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

open=marker-for-all-to-see secret=marker-of-the-two

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };' \
		'beacon: { enabled = false; };'
	spy alice
	PORT=$through person alice
	spy bob
	PORT=$through person bob
	linked alice bob
	whispers alice bob "$secret one"
	whispers bob alice "$secret two"
	# It stays in the mailbox of somebody who is not there.
	types alice "message carol $open"
	sees alice 'carol is offline; the message is kept and will be delivered at the next login.'
}

@test "not in its database" {
	grep -rlaqF "$open" "$state"
	run -1 grep -rlaF "$secret" "$state"
	same '' "$output"
}

@test "not on its sockets" {
	cat "$dir/alice.spied" "$dir/bob.spied" >"$dir/spied"
	grep -qF "$open" "$dir/spied"
	grep -q '"op":"ask"' "$dir/spied"
	run ! grep -F "$secret" "$dir/spied"
}

# usage: remembers PID... ; which of the two texts are in their memory
remembers()
{
	local pid
	for pid; do
		"$CHAT_BUILD/t/tool/memory" "$pid" <<-EOF || return
			open $(printf %s "$open" | od -An -v -tx1 | tr -d ' \n')
			secret $(printf %s "$secret" | od -An -v -tx1 | tr -d ' \n')
		EOF
	done
}

@test "not in its memory" {
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a sanitizer maps far too much'
	run remembers "$(centre_pid store)"
	[ "$status" -ne 77 ] || skip "no right to read it: $output"
	same 0 "$status"
	same open "$output"
	run -0 remembers "$MASTER" "$(centre_pid keeper)"
	same '' "$output"
	# It is where it belongs.
	run -0 remembers "$(agent_of bob)"
	same secret "$output"
}

@test "not even when a message that did not arrive is kept" {
	local pid
	pid=$(agent_of bob)
	kill -KILL "$pid"
	wait_for gone "$pid"
	ends bob 75
	types alice "private bob $secret three"
	sees alice "bob $gone_text Type \"leave bob\" to leave it at the centre."
	types alice "message carol after"
	sees alice 'carol is offline; the message is kept and will be delivered at the next login.'
	run ! grep -F "$secret" "$dir/alice.spied"
	run -1 grep -rlaF "$secret" "$state"
	types alice 'leave bob'
	wait_for has_line "$dir/alice.spied" "$secret three"
}
