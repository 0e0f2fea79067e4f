#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chat password: through an agent or without, on a terminal and off one.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: new_password STATUS INPUT [OPTION]... ; as alice, with that on its
# input
new_password()
{
	printf '%b' "$2" >"$dir/typed"
	run "-$1" --separate-stderr timeout "$patience" chat \
		--state "$dir/alice.state" --ca "$state/ca.pem" \
		--account "alice@127.0.0.1:$PORT" "${@:3}" password \
		<"$dir/typed" 3>&-
}

# usage: is_now PASSWORD ; that is alice's
is_now()
{
	ask login user=alice password="$1" brief:=true
	accepted
}

@test "without an agent: two lines of standard input" {
	login bob
	new_password 0 'alice-secret\nbetter one\n'
	same 'The password has been changed.' "$output"
	same '' "$stderr"
	is_now 'better one'
	new_password 0 'better one\r\nlast' --json
	same '{"changed":true,"user":"alice"}' "$output"
	is_now last
	# Nobody was logged in for it.
	hears bob
}

@test "the old one from a file or a command, the new one from the input" {
	password alice
	new_password 0 'better\n' --password-file "$dir/alice.password"
	is_now better
	new_password 0 'best\n' --password-command 'echo better'
	is_now best
}

@test "a wrong one is a failed login" {
	new_password 77 'wrong\nbetter\n'
	same 'Invalid password. Please try again.' "$output"
	new_password 77 'wrong\nbetter\n'
	new_password 77 'wrong\nbetter\n'
	same 'Invalid password. Your account has been blocked. Please try again in 60 seconds.' \
		"$output"
	new_password 77 'alice-secret\nbetter\n'
	holds "$output" 'Due to multiple login failures, your account has been blocked.'
}

@test "through the agent: its session goes on, and it takes a wrong one alike" {
	person bob
	person alice
	new_password 77 'wrong\nbetter\n'
	same 'Invalid password. Please try again.' "$output"
	new_password 0 'alice-secret\nbetter\n'
	same 'The password has been changed.' "$output"
	is_now better
	types alice 'message bob still here'
	sees bob 'alice: still here'
	new_password 77 'wrong\nx\n'
	new_password 77 'wrong\nx\n'
	new_password 77 'wrong\nx\n'
	same 'Invalid password. Your account has been blocked. Please try again in 60 seconds.' \
		"$output"
	new_password 77 'better\nx\n'
	holds "$output" 'Due to multiple login failures'
}

@test "what can be no password is not sent" {
	new_password 1 'alice-secret\n\n'
	holds "$stderr" '1 to 512 octets'
	new_password 1 "alice-secret\\n$(printf '%0513d' 0)\\n"
	holds "$stderr" '1 to 512 octets'
	new_password 1 'alice-secret\n\xff\n'
	holds "$stderr" 'not UTF-8'
	new_password 1 'alice-secret\n'
	holds "$stderr" 'no new password'
	new_password 77 ''
	holds "$stderr" 'no password: give it on standard input'
	new_password 77 '\nbetter\n'
	same 'Invalid password. Please try again.' "$output"
	new_password 0 "alice-secret\\n$(printf '%0512d' 0)\\n"
	# What never was sent counted as nothing.
	is_now "$(printf '%0512d' 0)"
	says .failed_attempts 0
}

@test "a centre that is out of reach, or not the right one" {
	centre_stop
	new_password 69 'alice-secret\nbetter\n'
	centre_again
	run -76 --separate-stderr timeout "$patience" chat \
		--state "$dir/s" --account "alice@127.0.0.1:$PORT" password \
		< <(printf 'alice-secret\nbetter\n') 3>&-
	holds "$stderr" '--pin sha256//'
	is_now alice-secret
}

hello='{"ok":true,"protocol":1,"registration":"open"}'
wrong='{"ok":false,"error":"login-failed","attempts_left":2}'

@test "an answer that is lost: a login tells what came of it" {
	centre_stop
	lies "$hello" '{"ok":true}' q "$wrong" '{"ok":true}'
	new_password 0 'alice-secret\nbetter\n'
	same 'The password has been changed.' "$output"
	lied
	rm "$dir"/lies.*
	# Now it was lost on the way there.
	lies "$hello" '{"ok":true}' q '{"ok":true}' '{"ok":true}'
	new_password 0 'alice-secret\nbetter\n'
	lied
	rm "$dir"/lies.*
	lies "$hello" '{"ok":true}' q "$wrong" "$wrong"
	new_password 77 'alice-secret\nbetter\n'
	lied
	centre_again
}

@test "asked on a terminal, without an echo" {
	command -v script >/dev/null || skip 'script is not installed'
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "chat --state $dir/alice.state \
		--ca $state/ca.pem -u alice -s 127.0.0.1:$PORT password" \
		/dev/null <"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	wait_for has_line "$dir/screen.out" 'Old password: '
	echo wrong >&"$keys"
	wait_for has_line "$dir/screen.out" 'New password: '
	echo better >&"$keys"
	wait_for has_line "$dir/screen.out" 'Repeat: '
	echo better >&"$keys"
	wait_for has_line "$dir/screen.out" 'Invalid password. Please try again.'
	wait_for asked_twice
	echo alice-secret >&"$keys"
	wait_for has_line "$dir/screen.out" 'The password has been changed.'
	exec {keys}>&-
	wait $terminal
	! has_line "$dir/screen.out" better || fail 'the password was shown'
	! has_line "$dir/screen.out" alice-secret ||
		fail 'the password was shown'
	is_now better
}

# usage: asked_twice ; for the old one
asked_twice()
{
	[ "$(grep -o 'Old password: ' "$dir/screen.out" | wc -l)" -eq 2 ]
}

@test "two that are not the same change nothing" {
	command -v script >/dev/null || skip 'script is not installed'
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "chat --state $dir/alice.state \
		--ca $state/ca.pem -u alice -s 127.0.0.1:$PORT password" \
		/dev/null <"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	wait_for has_line "$dir/screen.out" 'Old password: '
	echo alice-secret >&"$keys"
	wait_for has_line "$dir/screen.out" 'New password: '
	echo better >&"$keys"
	wait_for has_line "$dir/screen.out" 'Repeat: '
	echo bettre >&"$keys"
	wait_for has_line "$dir/screen.out" 'The two are not the same.'
	exec {keys}>&-
	status=0
	wait $terminal || status=$?
	same 1 $status
	is_now alice-secret
}
