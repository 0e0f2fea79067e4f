#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Is it the right centre?  A pin, authorities of one's own, those of the
# system, or the public key that was remembered: asked once, silent after a
# renewal, stopped by a change.  Nothing is sent to any other.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	# Whatever this machine trusts, nobody here is from there.
	export SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nowhere
	export CHAT_CERTS=${CHAT_CERTS:-$CHAT_SRC/certs}
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	password alice
	known=$dir/client/known_servers
}

# usage: talk [OPTION]... ; as alice, with nothing to say
talk()
{
	timeout "$patience" chat --line --state "$dir/client" \
		--password-file "$dir/alice.password" "$@" \
		"${host:-127.0.0.1}:$PORT" -u alice </dev/null 3>&-
}

# usage: pin ; prints the fingerprint of the centre's public key
pin()
{
	ctl cert show | sed -n 's/^pin: //p'
}

# usage: remember PIN ; as if alice had said yes to it, in line 2
remember()
{
	mkdir -p "${known%/*}"
	printf '%s\n' "elsewhere.example.org:2428 $other" \
		"127.0.0.1:$PORT $1" >"$known"
	chmod 600 "$known"
}
other=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

# usage: nothing_sent ; no password came to the centre
nothing_sent()
{
	ask login user=alice password=wrong
	says .attempts_left 2
}

# usage: certificate FROM TO ; a new one for the same key, with these dates
certificate()
{
	local made=$dir/made
	mkdir -p "$made"
	: >"$made/index"
	printf '%s\n' '[ca]' 'default_ca = x' '[x]' "database = $made/index" \
		"new_certs_dir = $made" 'rand_serial = yes' \
		'default_md = sha256' 'policy = p' 'copy_extensions = copy' \
		'unique_subject = no' '[p]' >"$made/ca.cnf"
	openssl req -new -key "$state/server.key" -subj /CN=x \
		-addext 'subjectAltName = IP:127.0.0.1' -out "$made/csr"
	openssl ca -batch -config "$made/ca.cnf" -cert "$state/ca.pem" \
		-keyfile "$state/ca.key" -in "$made/csr" -startdate "$1" \
		-enddate "$2" -notext -out "$made/pem" 2>"$made/said" ||
		{ cat "$made/said"; return 1; }
	cp "$made/pem" "$state/server.pem"
	ctl reload
}

# usage: expire ; the certificate, years ago
expire()
{
	certificate 20200101000000Z 20200301123000Z
}
expired="Warning: The centre's certificate has been expired since 2020-03-01 12:30 UTC."

# usage: new_key ; the centre gets another one
new_key()
{
	"$CHAT_SRC/certs/server.sh" "$state" --force "${1:-127.0.0.1}" >/dev/null
	ctl reload
}

# usage: sits ; alice on a terminal, what she types goes to $keys
sits()
{
	command -v script >/dev/null || skip 'script is not installed'
	local words="chat --line --state $dir/client"
	words="$words --password-file $dir/alice.password"
	rm -f "$dir/keys"
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "$words alice@127.0.0.1:$PORT" \
		/dev/null <"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
}

# usage: gets_up STATUS ; the client has ended
gets_up()
{
	local status=0
	exec {keys}>&-
	wait "$terminal" || status=$?
	same "$1" $status 'the exit status'
}

# usage: on_screen TEXT
on_screen()
{
	has_line "$dir/screen.out" "$1"
}

@test "the authorities of the system: nothing asked, nothing remembered" {
	SSL_CERT_FILE=$state/ca.pem run -0 talk
	same 'Welcome, alice.
Goodbye.' "$output"
	[ ! -e "$known" ]
}

@test "the authorities of the system: for that name alone" {
	new_key chat.example.org
	SSL_CERT_FILE=$state/ca.pem run -76 talk
	holds "$output" "The identity of 127.0.0.1:$PORT cannot be verified."
	holds "$output" "--pin $(pin)"
	new_key
	nothing_sent
}

@test "authorities of one's own: for that name alone" {
	run -0 talk --ca "$state/ca.pem"
	host=localhost run -0 talk --ca "$state/ca.pem"
	new_key chat.example.org
	run -76 talk --ca "$state/ca.pem"
	holds "$output" 'its certificate is for another name'
	host=localhost run -76 talk --ca "$state/ca.pem"
	holds "$output" 'its certificate is for another name'
	new_key
	nothing_sent
}

@test "authorities of one's own, and no other" {
	mkdir "$dir/other"
	"$CHAT_SRC/certs/authority.sh" "$dir/other" >/dev/null
	SSL_CERT_FILE=$state/ca.pem run -76 talk --ca "$dir/other/ca.pem"
	holds "$output" "its certificate is not from the authorities in $dir/other/ca.pem"
	holds "$output" "--pin $(pin)"
	# What was remembered counts as little.
	remember "$(pin)"
	run -76 talk --ca "$dir/other/ca.pem"
	run -78 talk --ca "$dir/nowhere.pem"
	holds "$output" "$dir/nowhere.pem: No such file"
	echo 'none' >"$dir/none.pem"
	run -78 talk --ca "$dir/none.pem"
	nothing_sent
}

@test "an expired certificate says since when" {
	expire
	run -76 talk --ca "$state/ca.pem"
	holds "$output" 'its certificate has been expired since 2020-03-01 12:30 UTC'
	SSL_CERT_FILE=$state/ca.pem run -76 talk
	holds "$output" 'cannot be verified. Its certificate has been expired since 2020-03-01 12:30 UTC.'
	new_key
	nothing_sent
}

@test "a certificate of the future says from when on" {
	certificate 20900101000000Z 20910101000000Z
	run -76 talk --ca "$state/ca.pem"
	holds "$output" 'its certificate is not valid before 2090-01-01 00:00 UTC; is the clock right?'
	new_key
	nothing_sent
}

@test "a pin: this key and no other, whoever vouches for it" {
	SSL_CERT_FILE=$state/ca.pem run -76 talk --pin "$other"
	holds "$output" "its public key is $(pin), not the pinned $other"
	run -76 talk --pin "$other" --ca "$state/ca.pem"
	remember "$(pin)"
	run -76 talk --pin "$other"
	nothing_sent
	run -0 talk --pin "$(pin)"
	run -64 talk --pin sha256//short
	holds "$output" 'is not a fingerprint'
}

@test "a pin outlives renewal silently, and expiry with a warning" {
	pin=$(pin)
	ctl cert renew
	ctl reload
	same "$pin" "$(pin)"
	run -0 --separate-stderr talk --pin "$pin"
	same '' "$stderr"
	expire
	run -0 --separate-stderr talk --pin "$pin"
	holds "$output" 'Welcome, alice.'
	same "$expired" "$stderr"
	new_key
	run -76 talk --pin "$pin"
	holds "$output" "$(pin)"
	holds "$output" "$pin"
}

@test "a pin is taken although another key is remembered" {
	remember "$other"
	run -0 talk --pin "$(pin)"
	holds "$output" 'Welcome, alice.'
	same "127.0.0.1:$PORT $other" "$(sed -n 2p "$known")"
}

@test "an agent that runs does not hide a wrong pin" {
	chat_of alice
	person alice
	run -76 timeout "$patience" "${chat[@]}" --pin "$other" </dev/null 3>&-
	holds "$output" "its public key is $(pin), not the pinned $other"
}

@test "off a terminal nobody is asked: the pin to add is printed" {
	run -76 --separate-stderr talk
	same '' "$output"
	same "The identity of 127.0.0.1:$PORT cannot be verified. If its public key is the right one, add: --pin $(pin)" \
		"$stderr"
	[ ! -e "$known" ]
	nothing_sent
}

@test "asked once on a terminal, and remembered" {
	sits
	wait_for on_screen 'Is that the right centre (yes/no)? '
	on_screen "The identity of 127.0.0.1:$PORT is not known yet."
	on_screen "$(pin)"
	nothing_sent
	echo yes >&"$keys"
	wait_for on_screen 'Welcome, alice.'
	echo quit >&"$keys"
	gets_up 0
	same "127.0.0.1:$PORT $(pin)" "$(<"$known")"
	same 600 "$(stat -c %a "$known")"
	run -0 talk
	holds "$output" 'Welcome, alice.'
	# Another port is another centre.
	sed -i "s/:$PORT /:1 /" "$known"
	run -76 talk
}

@test "whoever does not say yes is not trusted" {
	for answer in no N '' ; do
		sits
		wait_for on_screen 'Is that the right centre (yes/no)? '
		echo "$answer" >&"$keys"
		wait_for on_screen 'The centre is not trusted; nothing was sent.'
		gets_up 76
		[ ! -e "$known" ]
	done
	nothing_sent
}

@test "y is a yes in any case; anything else is asked about again" {
	sits
	wait_for on_screen 'Is that the right centre (yes/no)? '
	echo perhaps >&"$keys"
	wait_for on_screen 'Please answer yes or no.'
	nothing_sent
	echo Y >&"$keys"
	wait_for on_screen 'Welcome, alice.'
	echo quit >&"$keys"
	gets_up 0
	same "127.0.0.1:$PORT $(pin)" "$(<"$known")"
}

@test "an expired one is asked about with that" {
	expire
	sits
	wait_for on_screen 'Is that the right centre (yes/no)? '
	on_screen 'Its certificate has been expired since 2020-03-01 12:30 UTC.'
	echo no >&"$keys"
	gets_up 76
	new_key
}

@test "a remembered key outlives renewal silently, and expiry with a warning" {
	remember "$(pin)"
	run -0 --separate-stderr talk
	same '' "$stderr"
	ctl cert renew
	ctl reload
	run -0 --separate-stderr talk
	same '' "$stderr"
	expire
	run -0 --separate-stderr talk
	holds "$output" 'Welcome, alice.'
	same "$expired" "$stderr"
	new_key
}

@test "a changed key stops with both fingerprints, the file and the line" {
	old=$(pin)
	remember "$old"
	new_key
	run -76 --separate-stderr talk
	same '' "$output"
	same "The public key of 127.0.0.1:$PORT has changed; nothing was sent.
  now:        $(pin)
  remembered: $old ($known, line 2)
Delete that line if the change is right, or add: --pin $(pin)" "$stderr"
	nothing_sent
	# On a terminal neither is asked.
	sits
	wait_for on_screen "$known, line 2"
	gets_up 76
	! on_screen 'yes/no' || fail 'it asked'
	sed -i 2d "$known"
	run -76 talk
	holds "$output" 'cannot be verified'
}

@test "a changed key ends a session" {
	old=$(pin)
	mkdir "$dir/alice.state"
	printf '127.0.0.1:%s %s\n' "$PORT" "$old" \
		>"$dir/alice.state/known_servers"
	# The client of person.bash, without its authorities.
	chat_of()
	{
		chat=(chat --line --state "$dir/$1.state"
			--password-file "$dir/$1.password" "$1@127.0.0.1:$PORT")
	}
	person alice
	new_key
	# While datagrams do, it is the next connection that shows it.
	types alice online
	ends alice 76
	holds "$(cat "$dir/alice.out" "$dir/alice.err")" \
		"The public key of 127.0.0.1:$PORT has changed: it is now $(pin), and $old is remembered ($dir/alice.state/known_servers, line 1)."
}

@test "a changed key ends the session that a command wanted to use" {
	local once=(chat --state "$dir/client" -u alice -s "127.0.0.1:$PORT"
		--password-file "$dir/alice.password")
	old=$(pin)
	remember "$old"
	"${once[@]}" login 3>&-
	new_key
	run -76 --separate-stderr timeout "$patience" "${once[@]}" \
		send bob hello </dev/null 3>&-
	same '' "$output"
	same "chat: The public key of 127.0.0.1:$PORT has changed: it is now $(pin), and $old is remembered ($known, line 2).
  The message is kept, and is sent by the next chat that is let in." "$stderr"
	run -0 "${once[@]}" history
	[[ $output == 'to bob ('*', queued): hello' ]]
}

@test "what is remembered must not be others' to write" {
	remember "$(pin)"
	chmod 660 "$known"
	run -76 talk
	holds "$output" "others may write $known"
	chmod 644 "$known"
	run -0 talk
	# What cannot be read might hold another key.
	rm "$known"
	mkdir "$known"
	chmod 700 "$known"
	run -76 talk
	holds "$output" "$known: Is a directory"
}
