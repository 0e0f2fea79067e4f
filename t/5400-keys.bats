#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Whose key it is: a changed one, and a centre that lies about keys and
# addresses.  Refused in words, with both fingerprints, and nothing leaks.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

# Of no key that anybody has.
other='sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='

setup_file()
{
	people alice bob carol
}

# usage: begins ; bob, and alice behind a centre that may lie to her
begins()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };' \
		'beacon: { enabled = false; };'
	person bob
	spy alice
	PORT=$through person alice
}

# usage: sees_keys NAME NOW REMEMBERED ; both fingerprints
sees_keys()
{
	sees "$1" "  now:        $2"
	sees "$1" "  remembered: $3"
}

@test "a key that has changed is refused until it is trusted" {
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	person bob
	person alice
	linked alice bob
	whispers alice bob before
	old=$(key_of bob)
	leaves bob
	ended alice bob 'logged out'
	rm "$dir"/bob.state/*/peer.*
	person bob
	new=$(key_of bob)
	[ "$old" != "$new" ]
	asks alice bob
	types bob 'accept alice'
	sees alice 'The key of bob has changed; there is no private link.'
	sees_keys alice "$new" "$old"
	sees alice 'If bob says, by another way, that this is right, type "trust bob".'
	types alice 'private bob secret'
	sees alice 'The key of bob has changed; nothing was sent.'
	sees_keys alice "$new" "$old"
	once 1 alice private bob 'secret, too'
	holds "$stderr" "$new"
	holds "$stderr" "$old"
	once 0 alice trust
	holds "$output" "bob $old"
	holds "$output" "now $new"
	types alice 'trust bob'
	sees alice 'The new key of bob is trusted from now on.'
	whispers alice bob after
	saw_nothing_of bob secret
	once 1 alice trust bob
	same 'chat: bob has shown no other key.' "$stderr"
}

@test "a centre that gives a wrong fingerprint at the first link" {
	begins
	lies_to alice '("fingerprint":")[^"]*' "\"fingerprint\":\"$other"
	asks alice bob
	types bob 'accept alice'
	sees_like alice 'bob agreed: private messages go to .*'
	types alice 'private bob secret'
	sees alice 'Somebody else answers at the address of bob; the message was not sent.'
	sees_keys alice "$(key_of bob)" "$other"
	sees alice 'Type "leave bob" to leave it at the centre.'
	# The honest link beside it works.
	types bob 'message alice still there?'
	sees alice 'bob: still there?'
	saw_nothing_of bob secret
}

@test "a centre that gives a wrong fingerprint at the second link" {
	begins
	linked alice bob
	whispers alice bob before
	lies_to alice '("fingerprint":")[^"]*' "\"fingerprint\":\"$other"
	types alice 'getaddress bob'
	sees alice 'The key of bob has changed; there is no private link.'
	sees_keys alice "$other" "$(key_of bob)"
	types alice 'private bob secret'
	sees alice 'The key of bob has changed; nothing was sent.'
	wait_for once 1 alice private bob 'secret, too'
	saw_nothing_of bob secret
}

@test "a centre that gives another's address" {
	begins
	person carol
	linked bob carol
	lies_to alice '"port":[0-9]+' "\"port\":$(port_of carol bob)"
	asks alice bob
	types bob 'accept alice'
	sees alice "bob agreed: private messages go to 127.0.0.1:$(port_of carol bob)."
	types alice 'private bob secret'
	sees alice 'Somebody else answers at the address of bob; the message was not sent.'
	sees_keys alice "$(key_of carol)" "$(key_of bob)"
	# Hers works all the while.
	whispers bob carol 'not for alice'
	saw_nothing_of carol secret
	saw_nothing_of bob secret
	types alice 'leave bob'
	sees bob 'alice: secret'
}

@test "a centre that gives the address of a stranger who listens" {
	begins
	# Says nothing, and writes down what is said.
	listen_plain
	lies_to alice '"port":[0-9]+' "\"port\":$plain"
	asks alice bob
	types bob 'accept alice'
	sees alice "bob agreed: private messages go to 127.0.0.1:$plain."
	types alice 'private bob secret'
	sees alice "bob $gone_text Type \"leave bob\" to leave it at the centre."
	listened
	run ! grep -q secret "$dir/plain.out"
	pass=$(grep -o '"pass":"[^"]*' "$dir/alice.spied" | tail -n 1)
	[ -n "${pass#*:\"}" ]
	run ! grep -qF "${pass#*:\"}" "$dir/plain.out"
}

# usage: listen_plain ; somebody on the port $plain, who answers with noise
listen_plain()
{
	plain=$((20000 + RANDOM % 10000))
	(
		descriptors_close
		echo 'HTTP/1.1 400 What?' |
			exec timeout "$patience" nc -l 127.0.0.1 "$plain"
	) >"$dir/plain.out" 3>&- &
	listening=$!
	PORT=$plain wait_for listens
}

# usage: listened ; no more of that
listened()
{
	kill "$listening" 2>/dev/null || true
	wait "$listening" || true
}
