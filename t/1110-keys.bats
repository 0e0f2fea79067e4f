#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The key is the keeper's alone: what memory, log and database hold after
# many logins; a keeper that is killed; a key that is changed or unfit.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

# usage: hex ; standard input as hexadecimal digits
hex()
{
	od -An -v -tx1 | tr -d ' \n'
}

# usage: backwards HEX ; as a number's octets lie in this machine's memory
backwards()
{
	local i
	for ((i = ${#1} - 2; i >= 0; i -= 2)); do
		printf %s "${1:i:2}"
	done
}

# usage: key_secrets ; the private key, in all its shapes, as NAME HEX
key_secrets()
{
	local der scalar
	der=$(openssl pkey -in "$state/server.key" -outform DER | hex)
	scalar=$(openssl pkey -in "$state/server.key" -noout -text |
		sed -n '/^priv:/,/^pub:/p' | grep '^ ' | tr -d ' :\n')
	# A number that begins with zeros has fewer octets, or a zero more.
	scalar=$(printf '%064s' "${scalar#00}" | tr ' ' 0)
	echo "scalar ${scalar: -64}"
	echo "limbs $(backwards "${scalar: -64}")"
	echo "der $der"
	echo "pem $(sed -n 2p "$state/server.key" | tr -d '\n' | hex)"
}

# usage: text_secret NAME TEXT
text_secret()
{
	echo "$1 $(printf %s "$2" | hex)"
}

# usage: found PID ; which of $dir/secrets are in its memory
found()
{
	"$CHAT_BUILD/t/tool/memory" "$1" <"$dir/secrets"
}

# usage: first_worker ; the one that serves and stays, in $worker
first_worker()
{
	worker=$(centre_pid worker)
	[[ $worker =~ ^[0-9]+$ ]]
}

# usage: in_files TEXT ; which of the centre's files hold it
in_files()
{
	grep -rlaF -e "$1" "$state" "$log" "$dir/chatd.out" || true
}

@test "100 logins later only the keeper's memory holds the key" {
	[ -z "${CHAT_SANITIZE:-}" ] ||
		skip 'the sanitizer keeps what was freed'
	{
		key_secrets
		sql 'SELECT name, hash FROM users' | while IFS='|' read -r name hash; do
			text_secret "hash-$name" "$hash"
		done
	} >"$dir/secrets"
	centre_start 'log: { level = "debug"; };'
	login bob
	login carol
	for i in {1..10}; do
		for j in {1..10}; do
			echo '{"op":"login","user":"alice","password":"alice-secret"}'
		done | wire >"$dir/logins.$i"
	done
	same 100 "$(cat "$dir"/logins.* | grep -c '"ok":true')"
	# One that has shaken hands, logged in, and stays.
	request login user=alice password=alice-secret
	wire --hold <<<"$line" >"$dir/stays" 2>&1 3>&- &
	held+=($!)
	wait_for grep -q '"ok":true' "$dir/stays"
	wait_for first_worker
	{
		text_secret token-bob "$(<"$dir/bob.token")"
		text_secret token-carol "$(<"$dir/carol.token")"
		for name in alice bob carol; do
			text_secret "password-$name" "$name-secret"
		done
		cat "$dir"/logins.* | jq -r .token | while read -r token; do
			text_secret token-before "$token"
		done
	} >>"$dir/secrets"
	as bob live mail:=0 room:=0 >/dev/null
	accepted
	# The look works: what is there is found.
	run found "$(centre_pid keeper)"
	[ "$status" -ne 77 ] || skip 'this user may not read that memory'
	same 0 "$status"
	holds "$output" 'limbs'
	same '' "$(found "$worker")" 'what the worker holds'
	same '' "$(found "$MASTER")" 'what the master holds'
	# The store has the hashes, and forgets what it was told and tells.
	run -0 found "$(centre_pid store)"
	holds "$output" 'hash-alice'
	same '' "$(grep -v '^hash-' <<<"$output")" 'what else the store holds'
	token=$(jq -r .token "$dir/stays")
	text_secret token-alice "$token" >"$dir/secrets"
	same token-alice "$(found "$worker")" 'what the worker has to know'
	# Nor does anything that lasts: tokens are hashed, passwords too.
	for text in "$token" "$(<"$dir/bob.token")" bob-secret carol-secret; do
		same '' "$(in_files "$text")" 'the files that hold it'
	done
	grep -q 'serving' "$log"
}

@test "the keeper is killed: whoever comes meanwhile waits a moment" {
	centre_start
	for i in 1 2 3; do
		wait_for centre_whole
		centre_kill keeper
		ask hello
		accepted
	done
	run ! has_line "$log" 'did not sign'
}

@test "a keeper that does not answer: the handshake fails, in its time" {
	centre_start 'limits: { handshake_seconds = 1; };'
	keeper=$(centre_pid keeper)
	kill -STOP "$keeper"
	run -2 wire <<<'{"op":"hello"}'
	holds "$output" 'handshake refused'
	wait_for has_line "$log" 'the keeper did not sign'
	kill -CONT "$keeper"
	ask hello
	accepted
	# It was not the client's fault, and nobody crashed.
	[[ $(ctl metrics) == *'exits_total{how="fault"} 1'* ]]
}

@test "no process leaves a core" {
	centre_start
	hold
	wait_for workers 1
	for who in master store keeper worker; do
		core=$(sed -n 's/^Max core file size *//p' \
			"/proc/$(centre_pid "$who")/limits")
		[[ $core =~ ^0\ +0\  ]]
	done
}

@test "the store is killed: the keeper stays, and signs" {
	centre_start
	keeper=$(centre_pid keeper)
	centre_kill store
	ask hello
	accepted
	wait_for centre_whole
	same "$keeper" "$(centre_pid keeper)"
	wait_for judged
}

# usage: judged ; a password is, by the keeper that was there before
judged()
{
	ask login user=alice password=alice-secret >/dev/null && accepted
}

@test "a key that was replaced counts from the reload on, not before" {
	centre_start
	old=$(ctl cert show | sed -n 's/^pin: //p')
	"$CHAT_SRC/certs/server.sh" "$state" --force 127.0.0.1 >/dev/null
	# A keeper that starts now still gets the key in force.
	centre_kill keeper
	reply=$(wire --pin "$old" <<<'{"op":"hello"}')
	accepted
	ctl reload
	new=$(ctl cert show | sed -n 's/^pin: //p')
	[ "$old" != "$new" ]
	reply=$(wire --pin "$new" <<<'{"op":"hello"}')
	accepted
	wait_for centre_whole
	centre_kill keeper
	reply=$(wire --pin "$new" <<<'{"op":"hello"}')
	accepted
}

# usage: pair ARGUMENT... ; server.pem and server.key, by openssl req -newkey
pair()
{
	openssl req -x509 -nodes -newkey "$@" -subj /CN=x -days 90 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$state/server.key" \
		-out "$state/server.pem" 2>"$dir/said" || { cat "$dir/said"; return 1; }
}

@test "keys of every kind serve, others are refused in a sentence" {
	centre_start
	for kind in 'rsa:2048' 'ed25519' \
		'ec -pkeyopt ec_paramgen_curve:P-384'; do
		# shellcheck disable=SC2086 # words
		pair $kind
		ctl reload
		reply=$(wire --pin "$(ctl cert show | sed -n 's/^pin: //p')" \
			<<<'{"op":"hello"}')
		accepted
	done
	pair ec -pkeyopt ec_paramgen_curve:P-521
	run -78 ctl reload
	holds "$output" 'tls: '
	pair ed25519
	openssl genpkey -algorithm ed25519 -out "$state/server.key"
	run -78 ctl reload
	holds "$output" "$state/server.key: the key does not belong to the certificate"
	: >"$state/server.key"
	run -78 ctl reload
	holds "$output" "$state/server.key: it holds no such PEM block"
	ask_unverified
	[ "$(centre_pid keeper | wc -l)" -eq 1 ]
}

# usage: ask_unverified ; the centre still serves with what it had
ask_unverified()
{
	reply=$(wire <<<'{"op":"hello"}')
	accepted
	# What the end of the test asks is asked of our own authority's.
	rm "$state/server.pem" "$state/server.key"
	"$CHAT_SRC/certs/server.sh" "$state" 127.0.0.1 >/dev/null
	ctl reload
}

# usage: key_refused MODE WHY ; neither at the start nor later, by anybody
key_refused()
{
	local wanted
	centre_start
	chmod "$1" "$state/server.key"
	wanted="tls: $state/server.key: $2 (mode $1); chmod 600"
	run -78 ctl reload
	holds "$output" "$wanted"
	run -78 chatd -t -c "$conf"
	holds "$output" "$wanted"
	run -78 ctl check
	holds "$output" "error: $wanted"
	ask hello
	accepted
	centre_stop
	run -78 timeout "$patience" chatd -f -c "$conf"
	holds "$output" "$wanted"
	chmod 640 "$state/server.key"
	run -0 chatd -t -c "$conf"
}

@test "a key that everybody may read is not used" {
	key_refused 644 'others may read it'
}

# usage: ends_in DAYS ; a certificate for the key that is there
ends_in()
{
	openssl req -x509 -key "$state/server.key" -subj /CN=x -days "$1" \
		-addext subjectAltName=IP:127.0.0.1 -out "$state/server.pem"
}

@test "21 days before the certificate's end everybody is told" {
	ends_in 22
	centre_start
	run -0 ctl status
	run ! grep -q 'days left' <<<"$output"
	run ! has_line "$log" 'expires in'
	ends_in 20
	ctl reload
	run -0 ctl status
	holds "$output" 'only 19 days left: chatctl cert renew'
	has_line "$log" 'the certificate expires in 19 days; '
	run -0 ctl metrics
	[[ $output == *certificate_expires_soon\ 1* ]]
	run -0 chatd -t -c "$conf"
	holds "$output" 'chatd: warning: '
	holds "$output" 'the certificate expires in 19 days'
	openssl req -x509 -key "$state/server.key" -subj /CN=x -days 90 \
		-out "$state/server.pem"
	run -0 chatd -t -c "$conf"
	holds "$output" 'the certificate names no host'
	# For what the end of the test asks.
	"$CHAT_SRC/certs/server.sh" "$state" --renew 127.0.0.1 >/dev/null
	ctl reload
}

# usage: made SUBJECT [OPTION]... ; a certificate for the key that is there, on
# standard output
made()
{
	openssl req -x509 -key "$state/server.key" -subj "/CN=$1" "${@:2}"
}

@test "all that is wrong with a certificate is said, wherever it is checked" {
	centre_start
	made x -days 10 >"$state/server.pem"
	ctl reload
	for said in 'the certificate expires in 9 days; ' \
		'the certificate names no host; only who has pinned its key can log in'; do
		has_line "$log" "$said"
		run -0 chatd -t -c "$conf"
		holds "$output" "chatd: warning: $state/server.pem: $said"
		run -0 ctl check
		holds "$output" "warning: tls.certificate: $said"
	done
	# One that begins tomorrow; OpenSSL's own command knows no other way.
	tomorrow "$state/server.pem"
	ctl reload
	has_line "$log" 'the certificate is not valid yet'
	run -0 chatd -t -c "$conf"
	holds "$output" 'the certificate is not valid yet'
	run -0 ctl check
	holds "$output" 'warning: tls.certificate: the certificate is not valid yet'
	whole_again
}

# usage: tomorrow FILE ; a certificate for the key that is there
tomorrow()
{
	openssl req -new -key "$state/server.key" -subj /CN=x -out "$dir/x.csr"
	: >"$dir/ca.index"
	echo 01 >"$dir/ca.serial"
	cat >"$dir/ca.conf" <<-END
		[ca]
		default_ca = own
		[own]
		database = $dir/ca.index
		serial = $dir/ca.serial
		new_certs_dir = $dir
		default_md = sha256
		policy = any
		[any]
		commonName = supplied
	END
	openssl ca -batch -notext -config "$dir/ca.conf" -selfsign \
		-keyfile "$state/server.key" -in "$dir/x.csr" -out "$1" \
		-startdate "$(date -u -d tomorrow +%Y%m%d%H%M%SZ)" -days 90 \
		2>"$dir/said" || { cat "$dir/said"; return 1; }
}

# usage: whole_again ; for what the end of a test asks
whole_again()
{
	chmod 600 "$state/server.key"
	"$CHAT_SRC/certs/server.sh" "$state" --renew 127.0.0.1 >/dev/null
	ctl reload
}

@test "the chain behind a certificate ends too" {
	centre_start
	openssl req -x509 -nodes -newkey ed25519 -subj /CN=root -days 90 \
		-keyout "$dir/root.key" -out "$dir/root.pem" 2>/dev/null
	openssl req -new -key "$state/server.key" -subj /CN=middle |
		openssl x509 -req -CA "$dir/root.pem" -CAkey "$dir/root.key" \
			-CAcreateserial -days 5 -out "$dir/middle.pem" 2>/dev/null
	made x -days 90 -addext subjectAltName=IP:127.0.0.1 \
		>"$state/server.pem"
	cat "$dir/middle.pem" >>"$state/server.pem"
	# One that has signed itself is nobody's way to anything.
	made old -days 2 >>"$state/server.pem"
	ctl reload
	said='certificate 2 in the file expires in 4 days'
	has_line "$log" "$state/server.pem: $said"
	run -0 chatd -t -c "$conf"
	holds "$output" "$said"
	[[ $output != *'certificate 3'* ]]
	run -0 ctl check
	holds "$output" "warning: tls.certificate: $said"
	run -0 ctl status
	holds "$output" 'only 4 days left'
	whole_again
}

@test "a key that a group may change is not used" {
	key_refused 620 'a group may change it'
}

@test "a certificate that others may change is a warning" {
	said='others than its owner may change it (mode 666); chmod 644'
	chmod 666 "$state/server.pem"
	centre_start
	has_line "$log" "$state/server.pem: $said"
	run -0 chatd -t -c "$conf"
	holds "$output" "$said"
	run -0 ctl check
	holds "$output" "warning: tls.certificate: $said"
	chmod 664 "$state/server.pem"
	ctl reload
	has_line "$log" 'may change it (mode 664); chmod 644'
	chmod 644 "$state/server.pem"
	run -0 chatd -t -c "$conf"
	[[ $output != *'may change it'* ]]
}
