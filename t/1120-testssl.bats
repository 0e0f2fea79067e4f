#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a stranger's scanner and OpenSSL's own client find at the door: one
# version, three groups, nothing resumed, renegotiated or compressed.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people
}

set_up()
{
	centre_start
}

# usage: client [OPTION]... ; OpenSSL's own, whatever its defaults forbid
client()
{
	timeout "$patience" openssl s_client -connect "127.0.0.1:$PORT" \
		-alpn chat/1 "$@" </dev/null 2>&1 || true
}

# usage: shakes [OPTION]... ; it gets a connection, of whatever version
shakes()
{
	grep -q '^New, TLS' <<<"$(client "$@")"
}

@test "no version but TLS 1.3" {
	holds "$(client)" 'New, TLSv1.3'
	for version in tls1 tls1_1 tls1_2; do
		run ! shakes "-$version" -cipher ALL:@SECLEVEL=0
	done
}

@test "X25519, P-256 and P-384, and no other group" {
	for group in X25519 P-256 P-384; do
		shakes -groups "$group"
	done
	for group in P-521 X448 ffdhe2048 ffdhe3072; do
		run ! shakes -groups "$group"
	done
	# After a group that it has not, it asks for one that it has.
	shakes -groups P-521:P-384
}

@test "ciphers with authentication, of 128 bits and more" {
	for cipher in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 \
		TLS_CHACHA20_POLY1305_SHA256; do
		shakes -ciphersuites "$cipher"
	done
	for cipher in TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256; do
		run ! shakes -ciphersuites "$cipher"
	done
}

@test "no ticket, no early data, no renegotiation, no compression" {
	# Past the answer no ticket can be on its way: the centre hangs up.
	reload 'limits: { request_seconds = 1; };'
	said=$(timeout "$patience" openssl s_client -ign_eof -msg \
		-connect "127.0.0.1:$PORT" -alpn chat/1 \
		-sess_out "$dir/session" <<<'{"op":"hello"}' 2>&1 || true)
	holds "$said" 'New, TLSv1.3'
	holds "$said" '{"ok":true'
	run ! grep -q NewSessionTicket <<<"$said"
	[ ! -s "$dir/session" ]
	holds "$said" 'Compression: NONE'
	holds "$said" 'Early data was not sent'
	ask hello
	accepted
}

@test "testssl.sh finds nothing at MEDIUM or above" {
	program=$(command -v testssl || command -v testssl.sh) ||
		skip 'testssl.sh is not installed'
	cp "$program" "$dir/testssl"
	[ -d /etc/testssl ] || skip 'testssl.sh has its tables elsewhere'
	# It knows no way to offer a protocol of ours: put into its hands.
	sed -i -e 's,^\( *\)33\, 74\, 00\, 00",\100\, 10\, 00\, 09\, 00\, 07\, 06\, 63\, 68\, 61\, 74\, 2f\, 31",' \
		-e 's,^declare -r ALPN_PROTOs=.*,declare -r ALPN_PROTOs="chat/1",' \
		"$dir/testssl"
	cat >"$dir/openssl" <<'END'
#!/bin/sh
[ "$1" = s_client ] || exec openssl "$@"
shift
case " $* " in
*' -alpn '*) exec openssl s_client "$@" ;;
esac
exec openssl s_client -alpn chat/1 "$@"
END
	chmod +x "$dir/openssl"
	(
		cd "$dir"
		TESTSSL_INSTALL_DIR=/etc/testssl timeout 280 ./testssl --quiet \
			--color 0 --warnings off --openssl "$dir/openssl" \
			--ip one --add-ca "$state/ca.pem" --connect-timeout 10 \
			--openssl-timeout 10 --jsonfile "$dir/found.json" \
			-p -s -f -P -S -U "127.0.0.1:$PORT"
	) >"$dir/testssl.out" 2>&1 </dev/null 3>&- || true
	# It has spoken with the centre, and not with an alert.
	same final "$(jq -r '.[] | select(.id == "TLS1_3") | .finding' \
		"$dir/found.json" | sed 's/.*with //')"
	# Nobody revokes what an authority of one's own has signed.
	same '' "$(jq -r '.[] | select(.severity | IN("MEDIUM", "HIGH", "CRITICAL")) |
		select(.id != "cert_revocation") | "\(.id): \(.finding)"' \
		"$dir/found.json")"
}
