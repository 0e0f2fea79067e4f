#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How a person gets in, and how one is put out: passwords, lockout, takeover,
# the centre's identity.

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

# usage: asks PASSWORD... ; the client as alice, passwords on standard input
asks()
{
	chat_of alice
	local words=("${chat[@]}") i
	for ((i = 0; i < ${#words[@]}; i++)); do
		[ "${words[i]}" != --password-file ] || break
	done
	unset 'words[i]' 'words[i+1]'
	printf '%s\n' "$@" |
		timeout "$patience" "${words[@]}" 2>"$dir/alice.err" 3>&-
}

@test "a wrong password, the prompt again, then the right one" {
	run -0 asks wrong alice-secret quit
	same 'Invalid password. Please try again.
Welcome, alice.
1 failed login since your last one.
Goodbye.' "$output"
}

@test "a wrong password and no other one: one message" {
	run -77 asks wrong
	same 'Invalid password. Please try again.' "$output"
	same '' "$(<"$dir/alice.err")"
}

@test "failed logins since the last one are told" {
	person alice
	leaves alice
	ask login user=alice password=wrong
	ask login user=alice password=wrong
	person alice
	sees alice '2 failed logins since your last one.'
	leaves alice
	person alice
	leaves alice
	saw_nothing_of alice 'failed'
}

@test "the third wrong one blocks" {
	run -77 asks wrong wronger wrongest alice-secret
	same 'Invalid password. Please try again.
Invalid password. Please try again.
Invalid password. Your account has been blocked. Please try again in 60 seconds.' \
		"$output"
}

@test "a login while locked" {
	for i in 1 2 3; do
		ask login user=alice password=wrong
	done
	run -77 asks alice-secret
	[[ $output =~ ^'Due to multiple login failures, your account has been blocked. Please try again in '([0-9]+)' seconds.'$ ]]
	[ "${BASH_REMATCH[1]}" -gt 40 ]
	[ "${BASH_REMATCH[1]}" -le 60 ]
}

@test "a password from a file or a command is tried once" {
	password alice wrong
	comes alice
	ends alice 77
	same 'Invalid password. Please try again.' "$(<"$dir/alice.out")"
	ask login user=alice password=wrong
	says .attempts_left 1
	chat_of alice --password-command 'echo alice-secret'
	for ((i = 0; i < ${#chat[@]}; i++)); do
		[ "${chat[i]}" != --password-file ] || break
	done
	unset 'chat[i]' 'chat[i+1]'
	run -0 timeout "$patience" "${chat[@]}" </dev/null 3>&-
	holds "$output" 'Welcome, alice.'
}

@test "a password file that is missing or empty" {
	password alice ''
	comes alice
	ends alice 78
	holds "$(<"$dir/alice.err")" "$dir/alice.password"
	rm "$dir/alice.password"
	chat_of bob --password-file "$dir/nowhere"
	run -78 timeout "$patience" "${chat[@]}" </dev/null 3>&-
	holds "$output" "$dir/nowhere"
}

@test "an open session is told of failures elsewhere" {
	person alice
	for i in 1 2 3; do
		ask login user=alice password=wrong
	done
	sees_like alice \
		'Notice: . failed logins? for your account, the last from 127.0.0.1.'
	types alice 'block bob'
	sees alice 'User bob has been blocked.'
}

@test "taken over: told from where, exit 1, and not back by itself" {
	person bob
	person alice
	SOURCE=127.0.0.2 login alice
	sees alice 'You have been logged out: alice logged in from 127.0.0.2.'
	ends alice 1
	as alice live mail:=0 room:=0
	accepted
	tell alice bob 'it is me'
	sees bob 'alice: it is me'
	saw_nothing_of bob 'alice has logged out.'
}

@test "ended by the administrator" {
	person alice
	ctl session end alice
	sees alice 'Your session has ended; start chat again to log in.'
	ends alice 77
}

@test "the centre's identity: an authority of one's own, or the key" {
	password alice
	pin=$(ctl cert show | sed -n 's/^pin: //p')
	base=(timeout "$patience" chat --line --state "$dir/alice.state"
		--password-file "$dir/alice.password")
	run -76 "${base[@]}" "alice@127.0.0.1:$PORT" </dev/null 3>&-
	holds "$output" "--pin $pin"
	run -0 "${base[@]}" --pin "$pin" "alice@127.0.0.1:$PORT" \
		</dev/null 3>&-
	holds "$output" 'Welcome, alice.'
	wrong="sha256//$(printf '%043d' 0)="
	run -76 "${base[@]}" --pin "$wrong" "alice@127.0.0.1:$PORT" \
		</dev/null 3>&-
	holds "$output" "$pin"
	mkdir "$dir/other"
	"$CHAT_SRC/certs/authority.sh" "$dir/other" >/dev/null
	run -76 "${base[@]}" --ca "$dir/other/ca.pem" \
		"alice@127.0.0.1:$PORT" </dev/null 3>&-
	# The name counts, too: the certificate is for this address alone.
	"$CHAT_SRC/certs/server.sh" "$state" --force chat.example.org \
		>/dev/null
	ctl reload
	run -76 "${base[@]}" --ca "$state/ca.pem" "alice@127.0.0.1:$PORT" \
		</dev/null 3>&-
	"$CHAT_SRC/certs/server.sh" "$state" --force 127.0.0.1 >/dev/null
	ctl reload
	# No password went to any of them.
	ask login user=alice password=wrong
	says .attempts_left 2
}

@test "each login is judged by what its own face trusts" {
	local ours other trust
	other="sha256//$(printf '%043d' 0)="
	password alice
	pin=$(ctl cert show | sed -n 's/^pin: //p')
	base=(timeout "$patience" chat --state "$dir/alice.state"
		--password-file "$dir/alice.password")
	# An agent that was started without a word about that, and stays.
	run -0 "${base[@]}" --account "alice@127.0.0.1:$PORT" agent 3>&-
	coproc stays { exec nc -U "$output" 3>&-; }
	ours=$stays_PID
	echo '{"do":"status","tag":1}' >&"${stays[1]}"
	read -r -t "$patience" -u "${stays[0]}" line
	holds "$line" '"session":"out"'
	for trust in "--pin $other" "--ca $CHAT_SRC/README.md" ''; do
		# shellcheck disable=SC2086 # an option and its value, or nothing
		run "${base[@]}" --line $trust "alice@127.0.0.1:$PORT" \
			</dev/null 3>&-
		[[ $status == 7[68] ]] || fail "with '$trust': $status, $output"
	done
	run -0 "${base[@]}" --line --pin "$pin" "alice@127.0.0.1:$PORT" \
		</dev/null 3>&-
	holds "$output" 'Welcome, alice.'
	run -0 "${base[@]}" --line --ca "$state/ca.pem" \
		"alice@127.0.0.1:$PORT" </dev/null 3>&-
	holds "$output" 'Welcome, alice.'
	kill "$ours"
	wait "$ours" || true
	# No password went anywhere but here.
	ask login user=alice password=wrong
	says .attempts_left 2
}

@test "nobody there" {
	chat_of alice
	centre_stop
	run -69 timeout 60 "${chat[@]}" </dev/null 3>&-
	holds "$output" "The centre 127.0.0.1:$PORT cannot be reached"
	centre_again
}

@test "who leaves at a question is not said goodbye to" {
	command -v script >/dev/null || skip 'script is not installed'
	# Ctrl-C goes to all who run there: a shell would die of it.
	typed="exec chat --line --state $dir/alice.state --ca $state/ca.pem"
	typed="$typed alice@127.0.0.1:$PORT"
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "$typed" /dev/null \
		<"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	wait_for has_line "$dir/screen.out" 'Password: '
	printf '\003' >&"$keys"
	wait $terminal
	exec {keys}>&-
	run ! grep Goodbye "$dir/screen.out"
}

@test "prompts on a terminal, the password without an echo" {
	command -v script >/dev/null || skip 'script is not installed'
	chat_of alice
	typed="chat --line --state $dir/alice.state --ca $state/ca.pem"
	typed="$typed 127.0.0.1:$PORT"
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "$typed" /dev/null \
		<"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	wait_for has_line "$dir/screen.out" 'Username: '
	echo alice >&"$keys"
	wait_for has_line "$dir/screen.out" 'Password: '
	echo wrong >&"$keys"
	wait_for has_line "$dir/screen.out" 'Invalid password. Please try again.'
	echo alice-secret >&"$keys"
	wait_for has_line "$dir/screen.out" 'Welcome, alice.'
	echo online >&"$keys"
	wait_for has_line "$dir/screen.out" 'Nobody else is online.'
	echo logout >&"$keys"
	wait_for has_line "$dir/screen.out" 'Goodbye.'
	exec {keys}>&-
	wait $terminal
	! has_line "$dir/screen.out" alice-secret ||
		fail 'the password was shown'
}
