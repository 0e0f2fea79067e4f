#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A client's listener, and who should not get in: strangers, passes that ended,
# garbage.  All refused in the same words; nothing is shown, and the
# honest link works meanwhile.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };' \
		'beacon: { enabled = false; };'
	person bob
	spy alice
	PORT=$through person alice
	linked alice bob
	whispers alice bob hi
	port=$(port_of bob alice)
	pass=$(grep -o '"pass":"[^"]*' "$dir/alice.spied" | tail -n 1)
	pass=${pass#*:\"}
	[ "${#pass}" -ge 16 ]
	alices=$(dirname "$dir"/alice.state/*/peer.key)
}

# usage: calls DIR HOW [PASS FROM ID TEXT...] ; bob's client, with the key that
# is in DIR; $output is what it says
calls()
{
	run timeout "$patience" "$CHAT_BUILD/t/tool/peer" "$1" "$2" \
		127.0.0.1 "$port" "${@:3}" </dev/null
	echo "$output"
}

# usage: gets_in TEXT ; with alice's key, pass and name: bob's client says yes,
# and waits for more
gets_in()
{
	local pid
	: >"$dir/in.out"
	(
		descriptors_close
		exec "$CHAT_BUILD/t/tool/peer" "$alices" say 127.0.0.1 \
			"$port" "$pass" alice 0123456789abcdef "$1"
	) </dev/null >"$dir/in.out" 2>&1 3>&- &
	pid=$!
	wait_for has_line "$dir/in.out" '{"ok":true'
	kill "$pid"
	wait "$pid" || true
}

# usage: turned_away ; the last call was, in the words that all are
turned_away()
{
	grep -q '^{"ok":false,"error":"not-allowed"' <<<"$output" ||
		fail "not turned away: $output"
	words=$(grep '"error"' <<<"$output")
	same "${away:=$words}" "$words" 'the words of a refusal'
}

# usage: all_is_well ; the honest link works, nothing else was shown
all_is_well()
{
	whispers alice bob "well $((++well))"
	whispers bob alice "well $((++well))"
	saw_nothing_of bob evil
	saw_nothing_of alice evil
}

@test "wrong in pass, key or name: one answer for all" {
	well=0 away=''
	id=0123456789abcdef
	calls "$dir/stranger" say "${pass//[a-z]/x}" alice "$id" evil
	turned_away
	calls "$dir/stranger" say "$pass" alice "$id" evil
	turned_away
	calls "$alices" say "${pass//[A-Z]/x}y" alice "$id" evil
	turned_away
	calls "$alices" say "$pass" carol "$id" evil
	turned_away
	calls "$alices" say "$pass" bob "$id" evil
	turned_away
	all_is_well
	# All that tells whoever keeps bob's client why.
	[ "$(grep -c . "$dir"/bob.state/*/agent.log)" -ge 1 ]
	run ! grep -rlF "$pass" "$dir"/bob.state/*/agent.log
	# With all of it right, the tool is let in.
	gets_in welcome
	sees bob 'alice (private): welcome'
}

@test "a line that is said again is shown once" {
	gets_in twice
	sees bob 'alice (private): twice'
	gets_in twice
	# The same words from a stranger get nowhere.
	calls "$dir/stranger" say "$pass" alice 0123456789abcdef twice
	away='' turned_away
	whispers alice bob end
	sees_once bob 'alice (private): twice'
}

@test "a pass that has ended" {
	types bob 'hangup alice'
	ended alice bob 'hung up'
	calls "$alices" say "$pass" alice 0123456789abcdef evil
	away='' turned_away
	linked alice bob
	well=0 all_is_well
	calls "$alices" say "$pass" alice 0123456789abcdef evil
	turned_away
	saw_nothing_of bob evil
}

@test "no client at all: garbage, half a line, another TLS" {
	well=0
	for how in garbage cut long noise no-certificate tls-1.2 no-alpn; do
		calls "$dir/stranger" "$how" "$pass" alice 0123456789abcdef evil
		heard=$output
		run ! grep -F '"ok":true' <<<"$heard"
		[ "$how" = cut ] || holds "$heard" 'end: '
	done
	all_is_well
}

@test "a peer that answers, but ill" {
	well=0
	cp -r "$(dirname "$dir"/bob.state/*/peer.key)" "$dir/bobs"
	# One that refuses is asked again for a quarter of a minute.
	for how in garbage busy close; do
		listens_ill "$how"
		lies_to alice '"port":[0-9]+' "\"port\":$ill"
		types alice 'getaddress bob'
		sees alice "bob agreed: private messages go to 127.0.0.1:$ill."
		once_of_alice private bob evil
		same 1 "$status"
		holds "$stderr" 'Type "leave bob" to leave it at the centre'
		[[ $stderr != *$'\033'* ]]
		wait_for has_line "$dir/ill.out" evil
		kill "$illness"
		wait "$illness" || true
	done
}

# usage: listens_ill HOW ; somebody who has bob's key does, at the port $ill
listens_ill()
{
	: >"$dir/ill.out"
	(
		descriptors_close
		exec "$CHAT_BUILD/t/tool/peer" "$dir/bobs" "listen-$1"
	) </dev/null >"$dir/ill.out" 2>&1 3>&- &
	illness=$!
	wait_for test -s "$dir/ill.out"
	ill=$(head -n 1 "$dir/ill.out")
}

# usage: once_of_alice WORD... ; as she goes through her spy
once_of_alice()
{
	PORT=$through once_of alice
	run --separate-stderr timeout 60 "${one[@]}" "$@" </dev/null 3>&-
}
