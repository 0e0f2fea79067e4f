#!/bin/bash
# SPDX-License-Identifier: ISC
# `./run demo`: a centre on a free loopback port with a state of its own, and
# a conversation between real clients, shown line by line.  Every line that is
# waited for must come, or the demo fails.  On a terminal it then hands over
# to `chat`.  Ends what it started, by process id, and removes what it wrote.
#
# Environment: CHAT_BUILD (where the programs are), CHAT_SRC (the sources)

set -u
umask 077 # passwords are written
PATH=$CHAT_BUILD:$PATH
unset XDG_CONFIG_HOME XDG_STATE_HOME
wait_seconds=20
dir=$(mktemp -d "${TMPDIR:-/tmp}/chat-demo-XXXXXX") || exit 73
export HOME=$dir # nothing of the person who looks on is read or written
centre='' answers=''
declare -A client=() typing=() shown=() seen=()

# usage: fail SENTENCE ; with what the centre has logged
fail()
{
	echo "demo: $1" >&2
	[ ! -s "$dir/chatd.log" ] || {
		echo 'demo: the centre said:' >&2
		tail -n 20 "$dir/chatd.log" >&2
	}
	exit 1
}

# usage: end PID ; softly, then not
end()
{
	kill -TERM "$1" 2>/dev/null || return
	for _ in $(seq 70); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# usage: clean_up ; clients first, so that they can say goodbye
clean_up()
{
	local name
	trap '' INT TERM HUP
	[ -z "$answers" ] || end "$answers"
	for name in "${!client[@]}"; do
		leaves "$name"
	done
	[ -z "$centre" ] || end "$centre"
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# usage: tell SENTENCE ; what happens now
tell()
{
	printf '\n-- %s\n' "$1"
}

# ---- the centre

# usage: make_centre ; configuration, certificate, accounts
make_centre()
{
	local name
	"$CHAT_SRC/certs/authority.sh" "$dir/state" >/dev/null &&
		"$CHAT_SRC/certs/server.sh" "$dir/state" \
			localhost 127.0.0.1 >/dev/null ||
		fail 'cannot make a certificate.'
	cat >"$dir/chatd.conf" <<END
listen = [ "127.0.0.1:0" ];
user = "$(id -un)";
state_directory = "$dir/state";
runtime_directory = "$dir/run";
END
	mkdir -p "$dir/run"
	for name in alice bob carol; do
		head -c 12 /dev/urandom | base64 >"$dir/$name.password"
		chatctl -c "$dir/chatd.conf" user add "$name" \
			<"$dir/$name.password" ||
			fail "cannot make the account $name."
	done
}

# usage: start_centre ; sets $port once it serves
start_centre()
{
	local line ready
	mkfifo "$dir/ready" || fail 'cannot make a pipe.'
	chatd -c "$dir/chatd.conf" -f --ready-fd 3 \
		3>"$dir/ready" 2>"$dir/chatd.log" </dev/null &
	centre=$!
	exec {ready}<"$dir/ready"
	read -r -t "$wait_seconds" -u "$ready" line ||
		fail 'the centre did not start.'
	exec {ready}<&-
	port=${line##*:}
	echo "$line"
}

# ---- the people

# usage: client_of NAME [OPTION]... ; the client's command line, in $chat
client_of()
{
	chat=(chat --config /dev/null --state "$dir/$1.state"
		--ca "$dir/state/ca.pem"
		--password-file "$dir/$1.password" "${@:2}"
		"$1@127.0.0.1:$port")
}

# usage: arrives NAME ; starts the client and waits for its welcome
arrives()
{
	local fd
	client_of "$1" --line
	printf '\n%-5s $ chat --line %s\n' "$1" "${chat[-1]}"
	rm -f "$dir/$1.in"
	mkfifo "$dir/$1.in" || fail 'cannot make a pipe.'
	: >"$dir/$1.out"
	(
		# The others' input must end when we close it.
		for fd in "${typing[@]}"; do
			exec {fd}>&-
		done
		exec "${chat[@]}" <"$dir/$1.in" >"$dir/$1.out" 2>&1
	) &
	client[$1]=$!
	exec {fd}>"$dir/$1.in"
	typing[$1]=$fd
	shown[$1]=0 seen[$1]=0
	sees "$1" 'Welcome, '
}

# usage: types NAME LINE
types()
{
	printf '%-5s > %s\n' "$1" "$2"
	printf '%s\n' "$2" >&"${typing[$1]}"
}

# usage: show NAME ; the lines that were printed since the last time
show()
{
	local total
	total=$(wc -l <"$dir/$1.out")
	[ "$total" -gt "${shown[$1]}" ] || return
	sed -n "$((shown[$1] + 1)),${total}s/^/$(printf '%-5s' "$1") | /p" \
		"$dir/$1.out"
	shown[$1]=$total
}

# usage: found NAME TEXT ; in a line after the last one that was waited for
found()
{
	local at
	at=$(tail -n "+$((seen[$1] + 1))" "$dir/$1.out" |
		grep -nF -m 1 -e "$2") || return
	seen[$1]=$((seen[$1] + ${at%%:*}))
}

# usage: sees NAME TEXT ; waits for a line that has it
sees()
{
	local end=$((SECONDS + wait_seconds))
	until found "$1" "$2"; do
		[ "$SECONDS" -lt "$end" ] || {
			show "$1"
			fail "$1 did not see \"$2\"."
		}
		sleep 0.1
	done
	show "$1"
}

# usage: leaves NAME ; the client's input ends, as with Ctrl-D
leaves()
{
	local fd=${typing[$1]} pid=${client[$1]}
	exec {fd}>&-
	unset "client[$1]" "typing[$1]"
	for _ in $(seq 50); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	end "$pid"
}

# usage: quits NAME
quits()
{
	types "$1" 'quit'
	sees "$1" 'Goodbye.'
	leaves "$1"
}

# usage: answer NAME LINE ; as NAME, if the line is a message from somebody, or
# asks for a private link
answer()
{
	local from=${2%%:*} text=${2#*: } how=message
	case $from in
	alice | carol) ;;
	'alice (private)' | 'carol (private)')
		from=${from% *}
		how=private
		;;
	'alice wants to talk privately. '* | 'carol wants to talk privately. '*)
		printf 'accept %s\n' "${from%% *}" >&"${typing[$1]}"
		return
		;;
	*) return ;;
	esac
	case $text in
	[Hh]ello* | [Hh]i*) text="Hello $from! Nice that you are here." ;;
	*\?) text='Good question.' ;;
	*) text="You said \"$text\". Tell me more." ;;
	esac
	printf '%s %s %s\n' "$how" "$from" "$text" >&"${typing[$1]}"
}

# usage: friendly NAME ; answers whoever writes to NAME, until it is ended
friendly()
{
	local line lines
	trap - EXIT INT TERM HUP
	while sleep 0.3; do
		mapfile -t -s "${shown[$1]}" lines <"$dir/$1.out" || return
		for line in "${lines[@]}"; do
			answer "$1" "$line"
		done
		shown[$1]=$((shown[$1] + ${#lines[@]}))
	done
}

# ---- the conversation

conversation()
{
	tell 'Below, "alice > ..." is what alice types, "alice | ..." what she sees.'
	tell 'Three people log in; who is there hears of it.'
	arrives bob
	arrives carol
	arrives alice
	sees bob 'alice has logged in.'
	types alice 'online'
	sees alice 'carol'

	tell 'A message, and an answer.'
	types alice 'message bob Hi Bob, are you there?'
	sees bob 'alice: Hi Bob, are you there?'
	types bob 'message alice Always.'
	sees alice 'bob: Always.'

	tell 'A message to all.'
	types bob 'broadcast Tea is ready.'
	sees alice 'bob (to all): Tea is ready.'
	sees carol 'bob (to all): Tea is ready.'

	tell 'Carol goes; what is sent to her meanwhile is kept.'
	quits carol
	sees alice 'carol has logged out.'
	types alice 'message carol There is cake as well.'
	sees alice 'carol is offline; the message is kept'
	arrives carol
	sees carol ': There is cake as well.'

	tell 'Bob wants to hear nothing from Carol for a while.'
	types bob 'block carol'
	sees bob 'User carol has been blocked.'
	types carol 'message bob Bob?'
	sees carol 'as the recipient has blocked you.'
	types bob 'unblock carol'
	sees bob 'User carol is unblocked.'
	types carol 'message bob Bob?'
	sees bob 'carol: Bob?'

	tell 'Alice and Bob talk past the centre, once Bob has agreed to that.'
	types alice 'getaddress bob'
	sees alice 'Waiting for bob to agree.'
	sees bob 'alice wants to talk privately.'
	types bob 'accept alice'
	sees bob 'You agreed: private messages to alice go to '
	sees alice 'bob agreed: private messages go to '
	types alice 'private bob Nobody else hears this.'
	sees bob 'alice (private): Nobody else hears this.'
	types bob 'private alice Nor this.'
	sees alice 'bob (private): Nor this.'

	quits carol
	quits alice
	sees bob 'The private link with alice has ended: logged out.'
}

# usage: hand_over ; the terminal's user becomes alice
hand_over()
{
	local status
	tell 'Now you are alice; bob has written what to try (Alt-a goes there).'
	types bob "message alice Type one after the other: online, \
message bob hello, getaddress bob, private bob hello, quit. F1 helps."
	friendly bob &
	answers=$!
	client_of alice
	"${chat[@]}"
	status=$?
	end "$answers"
	answers=
	[ $status -eq 0 ] || echo "demo: chat ended with status $status"
}

make_centre
start_centre
conversation
if [ -t 0 ] && [ -t 1 ]; then
	hand_over
fi
quits bob
run=$(chatd -T -c /dev/null | sed -n 's/^runtime_directory = "\(.*\)";/\1/p')
tell 'That was the demo; its centre and its files are gone again.'
cat <<END

A real centre on this machine, as root, one line after the other (for a first
try, type localhost where this says chat.example.org):

  make -C "$CHAT_BUILD" install
  chatctl init --host chat.example.org  # prints the centre's fingerprint
  chatctl user add alice                # asks for her password, twice
  chatd                                 # stays, in the background

Then as anybody, here or on another machine that has chat installed:

  chat alice@chat.example.org           # "yes", if the fingerprint is that one

There, "detach" leaves and stays logged in.  From a shell or a script:

  echo hello | chat send bob            # and chat read, chat history, ...
  chat --help                           # lists the rest

To end the centre: kill \$(cat $run/chatd.pid).  More: man chatctl, man chat.
END
