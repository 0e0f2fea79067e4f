#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One-shot commands: through the agent that runs, or by a brief login that
# leaves nothing behind and disturbs nobody.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: pipes STATUS NAME TEXT WORD... ; the text on its input
pipes()
{
	once_of "$2"
	printf '%b' "$3" >"$dir/piped"
	run "-$1" --separate-stderr timeout "$patience" "${one[@]}" \
		"${@:4}" <"$dir/piped" 3>&-
}

@test "without an agent: a brief login, and nobody notices" {
	person bob
	once 0 alice send bob hi there
	same '' "$output$stderr"
	sees bob 'alice: hi there'
	once 0 alice send carol kept
	same 'carol is offline; the message is kept and will be delivered at the next login.' \
		"$output"
	once 0 alice broadcast to all
	sees bob 'alice (to all): to all'
	once 0 alice online
	same bob "$output"
	same '' "$stderr"
	run ! agent_of alice
	[ ! -e "$dir/alice.state/alice@127.0.0.1:$PORT/book.db" ]
	saw_nothing_of bob 'has logged'
	same 1 "$(ctl status --json | jq .online)"
}

@test "it ends no session" {
	person bob
	login alice
	once 0 alice send bob hi
	sees bob 'alice: hi'
	tell alice bob 'still here'
	sees bob 'alice: still here'
}

@test "with an agent: through it, without a password" {
	person bob
	person alice
	password alice wrong
	once 0 alice send bob hi
	same '' "$output$stderr"
	sees bob 'alice: hi'
	once 0 alice online
	same bob "$output"
	once 0 alice block bob
	same 'User bob has been blocked.' "$output"
	types alice blocked
	sees alice bob
	once 0 alice blocked
	same bob "$output"
	once 0 alice unblock bob
	same 'User bob is unblocked.' "$output"
	types bob 'message alice still there?'
	sees alice 'bob: still there?'
}

@test "refused: the reason on standard error, exit 1" {
	login bob
	as bob block user=alice
	once 1 alice send bob hi
	same '' "$output"
	same 'chat: Your message could not be delivered as the recipient has blocked you.' \
		"$stderr"
	once 1 alice send dave hi
	same 'chat: There is no user dave.' "$stderr"
	once 1 alice block dave
	same 'chat: There is no user dave.' "$stderr"
	person alice
	once 1 alice send bob hi
	same 'chat: Your message could not be delivered as the recipient has blocked you.' \
		"$stderr"
	sees alice 'Your message could not be delivered as the recipient has blocked you.'
	once 1 alice unblock dave
	same 'chat: There is no user dave.' "$stderr"
	once 1 alice send bob "$(printf '%08193d' 0)"
	holds "$stderr" 'too long: 8193 bytes, at most 8192'
}

@test "standard input as one message, or a line each" {
	person bob
	pipes 0 alice 'one\r\ntwo\r\n' send bob
	sees bob 'alice: one'
	sees bob '  two'
	pipes 0 alice 'first\n\nsecond' send bob --lines
	sees bob 'alice: first'
	sees bob 'alice: second'
	pipes 0 alice 'all\n' broadcast
	sees bob 'alice (to all): all'
	pipes 1 alice 'fine\nbad\033[1m' send bob
	holds "$stderr" 'at byte 4 of line 2'
	pipes 1 alice '' send bob
	holds "$stderr" 'no text'
	pipes 1 alice 'good\nb\001d\nmore\n' broadcast --lines
	holds "$stderr" 'at byte 2 of line 2'
	sees bob 'alice (to all): good'
	sees bob 'alice (to all): more'
	saw_nothing_of bob fine
}

@test "JSON, one object a line" {
	login bob
	once 0 alice send bob hi --json
	same 'accepted bob true' \
		"$(jq -r '"\(.state) \(.to) \(.online)"' <<<"$output")"
	once 0 alice --json online
	same bob "$(jq -r .user <<<"$output")"
	[[ $(jq -r .since <<<"$output") == 20* ]]
	once 0 alice block carol --json
	same '{"blocked":true,"user":"carol"}' "$output"
	once 0 alice blocked --json
	same carol "$(jq -r .user <<<"$output")"
	once 1 alice send --json dave hi
	same 'refused no-such-user' \
		"$(jq -r '"\(.state) \(.error)"' <<<"$output")"
	person alice
	once 0 alice send --json bob hi
	same 'accepted bob true' \
		"$(jq -r '"\(.state) \(.to) \(.online)"' <<<"$output")"
	once 0 alice broadcast --json hi
	same 'accepted 1' "$(jq -r '"\(.state) \(.reached)"' <<<"$output")"
}

@test "options anywhere, and -- ends them" {
	person bob
	once_of alice
	run -0 timeout "$patience" chat send bob "${one[@]:1}" -- -1 --json \
		</dev/null 3>&-
	sees bob 'alice: -1 --json'
	run -0 timeout "$patience" chat online -u alice -s "127.0.0.1:$PORT" \
		"${one[@]:1:6}" </dev/null 3>&-
	same bob "$output"
}

@test "the only account here needs no name, of two one has to be chosen" {
	person alice
	run -0 chat --state "$dir/alice.state" online </dev/null 3>&-
	same '' "$output"
	once 0 alice blocked
	mkdir "$dir/alice.state/carol@localhost:1"
	touch "$dir/alice.state/carol@localhost:1/book.db"
	run -64 chat --state "$dir/alice.state" online </dev/null 3>&-
	holds "$output" 'more than one account'
	run -64 chat --state "$dir/nowhere" online </dev/null 3>&-
	holds "$output" 'no centre is given'
}

@test "the centre is out of reach: 69, or kept by the agent" {
	person bob
	person alice
	centre_stop
	once 0 alice send bob kept
	same 'The centre cannot be reached; the message is kept and will be sent when it is back.' \
		"$stderr"
	once 0 alice send bob 'kept, too' --json
	same queued "$(jq -r .state <<<"$output")"
	once 69 carol send bob lost
	holds "$stderr" 'cannot be reached'
	once 69 alice online
	centre_again
	sees bob 'alice: kept'
	sees bob 'alice: kept, too'
	saw_nothing_of bob lost
}

@test "a login that is refused, a centre that is not trusted" {
	password alice wrong
	once 77 alice online
	same 'Invalid password. Please try again.' "$output"
	once_of alice
	run -77 --separate-stderr timeout "$patience" chat --state "$dir/s" \
		--ca "$state/ca.pem" "alice@127.0.0.1:$PORT" </dev/null 3>&-
	run -77 --separate-stderr timeout "$patience" chat --state "$dir/s" \
		--ca "$state/ca.pem" --account "alice@127.0.0.1:$PORT" online \
		< <(sleep 60) 3>&-
	same 'chat: no password: give it with --password-file' "$stderr"
	run -76 --separate-stderr timeout "$patience" chat --state "$dir/s" \
		--account "alice@127.0.0.1:$PORT" online </dev/null 3>&-
	holds "$stderr" '--pin sha256//'
	same '' "$output"
}

@test "words that are no command: the nearest is named" {
	run -64 chat sned bob hi </dev/null 3>&-
	holds "$output" 'did you mean "send"?'
	run -64 chat brodcast hi </dev/null 3>&-
	holds "$output" 'did you mean "broadcast"?'
	once 64 alice online now
	holds "$stderr" 'usage: chat [OPTIONS] online'
	once 64 alice send
	holds "$stderr" 'usage: chat [OPTIONS] send USER [TEXT...]'
	once 64 alice online --lines
	once 64 alice send bob --lines hi
	once 64 alice send no/name hi
	holds "$stderr" '"no/name" is not a user name'
}

@test "the centre before the command, and words as at the prompt" {
	person bob
	password alice
	as_alice=(chat --state "$dir/alice.state" --ca "$state/ca.pem"
		--password-file "$dir/alice.password")
	run -0 "${as_alice[@]}" "alice@127.0.0.1:$PORT" send bob one \
		</dev/null 3>&-
	same '' "$output"
	run -0 "${as_alice[@]}" "alice@127.0.0.1:$PORT" message bob two \
		</dev/null 3>&-
	sees bob 'alice: one'
	sees bob 'alice: two'
	run -64 chat alice@localhost sned bob x </dev/null 3>&-
	holds "$output" 'there is no command "sned": did you mean "send"?'
	run -64 chat alice@localhost register alice@localhost </dev/null 3>&-
	holds "$output" 'the centre is given twice'
	run -0 chat help
	same "$(chat --help)" "$output"
}

@test "what is wrong with the words comes before what is not known" {
	HOME=$dir/nobody run -64 chat send </dev/null 3>&-
	holds "$output" 'usage: chat [OPTIONS] send USER [TEXT...]'
	HOME=$dir/nobody run -64 chat history -n x </dev/null 3>&-
	holds "$output" '-n wants a number'
	HOME=$dir/nobody run -64 chat read --wait soon </dev/null 3>&-
	holds "$output" '--wait wants a number of seconds'
	HOME=$dir/nobody run -64 chat send bob x </dev/null 3>&-
	holds "$output" 'no centre is given'
}

@test "a text typed on a terminal, to Ctrl-D" {
	command -v script >/dev/null || skip 'script is not installed'
	person bob
	once_of alice
	mkfifo "$dir/keys"
	timeout "$patience" script -qec "${one[*]} send bob" /dev/null \
		<"$dir/keys" >"$dir/screen.out" 2>&1 3>&- &
	terminal=$!
	exec {keys}>"$dir/keys"
	printf 'one\ntwo\n\004' >&"$keys"
	sees bob 'alice: one'
	sees bob '  two'
	exec {keys}>&-
	wait $terminal
}

@test "output that cannot be written" {
	login bob
	once_of alice
	run -74 bash -c '"$@" online >/dev/full' - "${one[@]}" </dev/null 3>&-
}

@test "a message to many lines over many connections" {
	login bob
	pipes 0 alice "$(seq -s '\n' 1 300)" send bob --lines
	same '' "$stderr"
	sync bob >"$dir/heard"
	same 300 "$(grep -c '^alice: ' "$dir/heard")"
	same 'alice: 300' "$(tail -n 1 "$dir/heard")"
}
