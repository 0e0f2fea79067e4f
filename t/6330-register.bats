#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chat register: making an account oneself, where the centre allows it.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice
}

open='accounts: { registration = "open"; };'
invited='accounts: { registration = "invite"; };'

# usage: register STATUS INPUT WORD... ; with that on its input
register()
{
	printf '%b' "$2" >"$dir/typed"
	run "-$1" --separate-stderr timeout "$patience" chat \
		--state "$dir/state.new" --ca "$state/ca.pem" register \
		"${@:3}" <"$dir/typed" 3>&-
}

# usage: exists NAME PASSWORD ; that is an account now
exists()
{
	ask login user="$1" password="$2" brief:=true
	accepted
}

@test "an open centre: the name in the word, in options, or asked for" {
	centre_start "$open"
	register 0 'secret\n' "bob@127.0.0.1:$PORT"
	same "bob is registered at 127.0.0.1:$PORT." "$output"
	same '' "$stderr"
	exists bob secret
	register 0 'secret\n' -s "127.0.0.1:$PORT" -u Carol --json
	same "{\"centre\":\"127.0.0.1:$PORT\",\"registered\":true,\"user\":\"carol\"}" \
		"$output"
	exists carol secret
	register 0 'dave\nhis own\n' "127.0.0.1:$PORT"
	exists dave 'his own'
	password erin
	register 0 '' "erin@127.0.0.1:$PORT" \
		--password-file "$dir/erin.password"
	exists erin erin-secret
	# Nobody is logged in by it.
	same 0 "$(ctl status --json | jq .online)"
	run ! agent_of bob
}

@test "by invitation, once" {
	centre_start "$invited"
	code=$(ctl invite new)
	register 1 'secret\n' "bob@127.0.0.1:$PORT"
	same 'chat: An invitation is needed to register: give it with --invite.' \
		"$stderr"
	register 1 'secret\n' "bob@127.0.0.1:$PORT" --invite no-code
	holds "$stderr" 'neither used up nor expired nor revoked'
	register 1 'secret\n' "alice@127.0.0.1:$PORT" --invite "$code"
	same 'chat: The name alice is taken.' "$stderr"
	register 0 'secret\n' "bob@127.0.0.1:$PORT" --invite "$code"
	exists bob secret
	register 1 'secret\n' "carol@127.0.0.1:$PORT" --invite "$code"
	holds "$stderr" 'neither used up nor expired nor revoked'
}

@test "closed, a bad name, no password, nobody there" {
	centre_start
	register 1 'secret\n' "bob@127.0.0.1:$PORT"
	same 'chat: Registration is closed; ask the administrator.' "$stderr"
	register 64 'secret\n' "b/b@127.0.0.1:$PORT"
	register 64 'secret\n' bob
	holds "$stderr" '"bob" is no centre'
	register 64 'secret\n' "bob@127.0.0.1:$PORT" now
	reload "$open"
	register 1 '\n' "bob@127.0.0.1:$PORT"
	holds "$stderr" '1 to 512 octets'
	register 77 '' "bob@127.0.0.1:$PORT"
	centre_stop
	register 69 'secret\n' "bob@127.0.0.1:$PORT"
	holds "$stderr" 'cannot be reached'
	centre_again
}

@test "a centre that is not known: the pin to add, and nothing is sent" {
	centre_start "$open"
	run -76 --separate-stderr timeout "$patience" chat \
		--state "$dir/state.new" register "bob@127.0.0.1:$PORT" \
		< <(echo secret) 3>&-
	holds "$stderr" '--pin sha256//'
	ask login user=bob password=secret
	refused login-failed
}

@test "an answer that is lost: a login tells what came of it" {
	centre_start
	centre_stop
	hello='{"ok":true,"protocol":1,"registration":"open"}'
	taken='{"ok":false,"error":"exists"}'
	lies "$hello" q "$taken" '{"ok":true}'
	register 0 'secret\n' "bob@127.0.0.1:$PORT"
	lied
	rm "$dir"/lies.*
	lies "$hello" q "$taken" '{"ok":false,"error":"login-failed"}'
	register 1 'secret\n' "bob@127.0.0.1:$PORT"
	same 'chat: The name bob is taken.' "$stderr"
	lied
	centre_again
}

@test "asked on a terminal: trust, invitation, password twice" {
	command -v script >/dev/null || skip 'script is not installed'
	centre_start "$invited"
	code=$(ctl invite new)
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "chat --state $dir/state.new \
		register 127.0.0.1:$PORT" \
		/dev/null <"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	wait_for has_line "$dir/screen.out" 'Username: '
	echo bob >&"$keys"
	wait_for has_line "$dir/screen.out" 'Is that the right centre (yes/no)? '
	echo yes >&"$keys"
	wait_for has_line "$dir/screen.out" 'Invitation: '
	echo "$code" >&"$keys"
	wait_for has_line "$dir/screen.out" 'Password: '
	echo secret-one >&"$keys"
	wait_for has_line "$dir/screen.out" 'Repeat: '
	echo secret-one >&"$keys"
	wait_for has_line "$dir/screen.out" \
		"To log in, type: chat bob@127.0.0.1:$PORT"
	exec {keys}>&-
	wait $terminal
	! has_line "$dir/screen.out" secret-one ||
		fail 'the password was shown'
	exists bob secret-one
}
