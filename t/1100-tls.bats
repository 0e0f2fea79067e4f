#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What comes before the first line: TLS 1.3, the ALPN, the certificate; and
# clients that bring something else.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people
}

set_up()
{
	centre_start
	store=$(centre_pid store)
}

# usage: untouched ; the store is the same, the next client is served
untouched()
{
	same "$store" "$(centre_pid store)" &&
		ask hello >/dev/null && accepted
}

# usage: stranger [OPTION]... ; another program speaks TLS; prints what it says
stranger()
{
	timeout "$patience" openssl s_client -connect "127.0.0.1:$PORT" "$@" \
		</dev/null 2>&1 || true
}

@test "TLS 1.3 with the ALPN of the protocol" {
	said=$(stranger -alpn chat/1 -CAfile "$state/ca.pem" \
		-verify_return_error -verify_ip 127.0.0.1)
	holds "$said" 'New, TLSv1.3'
	holds "$said" 'ALPN protocol: chat/1'
	holds "$said" 'Verify return code: 0 (ok)'
	# Among others that are offered, too.
	holds "$(stranger -alpn h2,chat/1)" 'ALPN protocol: chat/1'
	untouched
}

@test "the public key is the one that the certificate's maker printed" {
	pin=$("$CHAT_SRC/certs/server.sh" "$state" --renew | sed -n 's/^pin: //p')
	[[ $pin == sha256//* ]]
	reply=$(wire --pin "$pin" <<<'{"op":"hello"}')
	accepted
	run -2 wire --pin "sha256//$(printf '%043d' 0)=" <<<'{"op":"hello"}'
}

@test "no certificate is asked of the client, nothing is resumed early" {
	said=$(stranger -alpn chat/1)
	holds "$said" 'No client certificate CA names sent'
	run ! grep -q 'Acceptable client certificate' <<<"$said"
	echo '{"op":"hello"}' >"$dir/early"
	stranger -alpn chat/1 -sess_out "$dir/session" >/dev/null
	if [ -s "$dir/session" ]; then
		said=$(stranger -alpn chat/1 -sess_in "$dir/session" \
			-early_data "$dir/early")
		run ! grep -q 'Early data was accepted' <<<"$said"
	fi
	untouched
}

@test "TLS 1.2 is refused" {
	run -2 wire --tls12 <<<'{"op":"hello"}'
	holds "$output" 'handshake refused'
	holds "$output" 'refused our version of TLS'
	said=$(stranger -tls1_2 -alpn chat/1)
	holds "$said" 'alert number 70'
	untouched
}

@test "another ALPN is refused" {
	run -2 wire --alpn http/1.1 <<<'{"op":"hello"}'
	holds "$output" '(ALPN)'
	holds "$(stranger -alpn h2,http/1.1)" 'alert number 120'
	run -2 wire --alpn chat/11 <<<'{"op":"hello"}'
	run -2 wire --alpn chat/ <<<'{"op":"hello"}'
	run -2 wire --alpn chat-peer/1 <<<'{"op":"hello"}'
	untouched
}

@test "no ALPN is refused" {
	run -2 wire --no-alpn <<<'{"op":"hello"}'
	holds "$output" '(ALPN)'
	holds "$(stranger)" 'alert number 120'
	untouched
}

@test "plain text is closed at once" {
	start=$SECONDS
	for line in '{"op":"hello"}' 'GET / HTTP/1.1' 'EHLO there' ''; do
		run wire --plain --hold <<<"$line"
		[ "$status" -ne 3 ] || fail 'it was not closed'
		run ! grep -q '"ok"' <<<"$output"
	done
	[ $((SECONDS - start)) -lt 15 ]
	untouched
}

@test "binary noise instead of a handshake" {
	for i in {1..20}; do
		head -c $((i * 401)) /dev/urandom |
			wire --plain --raw >/dev/null 2>&1 || true
		# The beginning of a real one, then noise.
		{ printf '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
			head -c $((i * 101)) /dev/urandom; } |
			wire --plain --raw >/dev/null 2>&1 || true
	done
	untouched
}

@test "a client that is gone in the middle of its handshake" {
	for i in {1..20}; do
		printf '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' |
			wire --plain --raw --cut "$((i % 11 + 1))"
	done
	untouched
}
