# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# A message centre of a test's own, and people who speak the protocol with it
# by hand, so that a test reads as a conversation.  Runs inside bats.  It never
# shares a directory or a port with another test, and ends only processes
# that it started, by their ids.
#
#	setup_file() { people alice bob; }
#	@test "what is said arrives" {
#		centre_start
#		login alice
#		login bob
#		tell alice bob 'hi'
#		hears bob 'alice: hi'
#	}
#
# What a test may look at: $dir (its directory), $state, $PORT, $MASTER (the
# master's process id), $log (the centre's), $reply (the last reply), $id (the
# last message's), and $patience (seconds that any wait may take).

bats_require_minimum_version 1.5.0
# Every wait here is bounded by this, so that a hang is a failure.
patience=${CHAT_PATIENCE:-20}
CHAT_SRC=${CHAT_SRC:-$BATS_TEST_DIRNAME/..}
[ -d "${CHAT_BUILD:-}" ] || {
	echo 'CHAT_BUILD is not set to the build directory' >&2
	exit 1
}
CHAT_BUILD=$(cd "$CHAT_BUILD" && pwd -P)
PATH=$CHAT_BUILD:$PATH
umask 077
# What script(1) starts commands with, whatever the caller's is.
export SHELL=/bin/sh
unset DISPLAY NOTIFY_SOCKET CHAT_SERVER XDG_STATE_HOME XDG_CONFIG_HOME NO_COLOR

# ---- for assertions

# usage: fail SENTENCE...
fail()
{
	printf '%s\n' "$*" >&2
	return 1
}

# usage: same WANTED GOT [WHAT] ; fails with both if they differ
same()
{
	[ "$1" = "$2" ] || fail "${3:-this} should have been:
$1
but was:
$2"
}

# usage: holds TEXT PART ; the text has the part in it
holds()
{
	[[ $1 == *"$2"* ]] || fail "\"$2\" is not in:
$1"
}

# usage: wait_for COMMAND... ; until it succeeds, within $patience seconds
wait_for()
{
	local end=$((SECONDS + patience))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "waited in vain for: $*" ||
			return
		sleep 0.05
	done
}

# usage: gone PID... ; none of them runs (a zombie does not)
gone()
{
	local pid
	for pid; do
		! grep -qsv '^[^)]*) Z' "/proc/$pid/stat" || return
	done
}

# usage: lines_of FILE TEXT ; how many lines are exactly the text
lines_of()
{
	grep -cxF -e "$2" "$1" || true
}

# usage: has_line FILE TEXT ; a part of some line
has_line()
{
	grep -qsF -e "$2" "$1"
}

# ---- what all tests of a file share: a certificate, a database with accounts

# usage: people NAME... ; in setup_file; each has the password NAME-secret
people()
{
	local name tls=$BATS_FILE_TMPDIR/state
	mkdir -p "$tls"
	"$CHAT_SRC/certs/authority.sh" "$tls" >/dev/null
	"$CHAT_SRC/certs/server.sh" "$tls" localhost 127.0.0.1 ::1 >/dev/null
	[ $# -gt 0 ] || return 0
	dir=$BATS_FILE_TMPDIR state=$tls run_dir=$BATS_FILE_TMPDIR/run
	centre_configure
	for name; do
		echo "$name $name-secret"
	done >"$dir/credentials.txt"
	chatctl -c "$conf" user import "$dir/credentials.txt" >"$dir/import" ||
		{ cat "$dir/import"; return 1; }
	rm -rf "$run_dir"
}

# usage: setup ; bats calls it before each test
setup()
{
	dir=$BATS_TEST_TMPDIR state=$dir/state run_dir=$dir/run
	log=$dir/chatd.log conf=$dir/chatd.conf
	MASTER='' PORT='' SESSIONS='' may_crash='' reply='' id='' ids=0
	held=()
	centre_in=() # what the centre is started by, if by anything
	# Known by it, whoever the parent is by then.
	export CHAT_TEST=$dir/.
	export HOME=$dir
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$dir/sanitizer"
	UBSAN_OPTIONS="print_stacktrace=1:log_path=$dir/sanitizer"
	export ASAN_OPTIONS UBSAN_OPTIONS
	! [ -d "$BATS_FILE_TMPDIR/state" ] ||
		cp -r "$BATS_FILE_TMPDIR/state" "$state"
	# Ended from outside it cleans up, too: bats does that when it exits.
	trap 'exit 143' TERM
	! declare -F set_up >/dev/null || set_up
}

# usage: teardown ; bats calls it after each test: is all well, all gone?
teardown()
{
	local failed=0
	release
	! declare -F screens_close >/dev/null || screens_close || failed=1
	! declare -F everybody_leaves >/dev/null ||
		everybody_leaves || failed=1
	! declare -F network_stop >/dev/null || network_stop || failed=1
	! declare -F spies_leave >/dev/null || spies_leave || failed=1
	if [ -n "$MASTER" ]; then
		centre_alive || failed=1
		centre_stop || failed=1
	fi
	nobody_left || failed=1
	! declare -F tear_down >/dev/null || tear_down || failed=1
	no_findings || failed=1
	[ -n "$may_crash" ] || ! has_line "$log" ' crashed: ' ||
		{ fail 'a worker crashed' || failed=1; }
	# Shown by bats only if the test fails.
	[ ! -s "$log" ] || { echo "--- $log"; tail -n 30 "$log"; }
	return $failed
}

# usage: ours ; prints the ids of all processes that this test has started.
# The centre's hide their program and environment, but not their session.
ours()
{
	local sid file pid
	for sid in $SESSIONS; do
		pgrep -s "$sid" || true
	done
	grep -lsF "CHAT_TEST=$CHAT_TEST" /proc/[0-9]*/environ |
		while read -r file; do
			pid=${file#/proc/}
			pid=${pid%/environ}
			case $(readlink "/proc/$pid/exe") in
			"$CHAT_BUILD"/*) echo "$pid" ;;
			esac
		done
}

# usage: nobody_left ; no process of this test is left (or it is ended)
nobody_left()
{
	local pid pids failed=0
	mapfile -t pids < <(ours | sort -u)
	for pid in "${pids[@]}"; do
		! gone "$pid" || continue
		fail "left running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" ||
			failed=1
		kill -KILL "$pid"
	done
	return $failed
}

# usage: no_findings ; the sanitizers, where they are built in, found nothing
no_findings()
{
	local file
	for file in "$dir"/sanitizer.*; do
		[ -s "$file" ] || continue
		cat "$file"
		fail 'a sanitizer has found something' || return
	done
	! grep -rlE 'ERROR: (Address|Leak)Sanitizer|runtime error: ' \
		--include='*.log' --include='*.out' --include='*.err' "$dir" ||
		fail 'a sanitizer has found something'
}

# ---- the centre

# usage: centre_configure [SETTING...] ; writes $conf; a setting is as in the
# file ("session: { timeout = 2; };"), and may replace one of ours
centre_configure()
{
	local all="$*"
	conf=$dir/chatd.conf
	{
		[[ $all == *listen\ =* ]] ||
			echo "listen = [ \"127.0.0.1:${PORT:-0}\" ];"
		[[ $all == *user\ =* ]] || echo "user = \"$(id -un)\";"
		echo "state_directory = \"$state\";"
		echo "runtime_directory = \"$run_dir\";"
		printf '%s\n' "$@"
	} >"$conf"
}

# usage: centre_start [SETTING...] ; until it says that it serves
centre_start()
{
	[ $# -eq 0 ] && [ -e "$conf" ] || centre_configure "$@"
	centre_run
}

# usage: centre_run ; starts it on the configuration that is there
centre_run()
{
	local fd line=''
	rm -f "$dir/ready"
	mkfifo "$dir/ready"
	# A session of its own, by which its processes are known for ever.
	(
		descriptors_close
		exec "${centre_in[@]}" setsid chatd -c "$conf" -f --ready-fd 9 9>"$dir/ready"
	) </dev/null >>"$dir/chatd.out" 2>>"$log" 3>&- &
	MASTER=$!
	SESSIONS="$SESSIONS $MASTER"
	exec {fd}<"$dir/ready"
	read -r -t "$patience" -u "$fd" line || true
	exec {fd}<&-
	if [[ $line != 'chatd: ready on '* ]]; then
		tail -n 20 "$log" >&2
		kill -KILL "$MASTER" 2>/dev/null || true
		wait "$MASTER" || status=$?
		MASTER=''
		fail "the centre did not start, exit status $status"
		return
	fi
	PORT=${line##*:}
}

# usage: descriptors_close ; what a child must not inherit of ours
descriptors_close()
{
	local fd
	# shellcheck disable=SC2154 # person.bash may have some
	for fd in "${typing[@]}"; do
		exec {fd}>&-
	done
}

# usage: centre_pid master|store|keeper ; prints the process id
centre_pid()
{
	if [ "$1" = master ]; then
		echo "$MASTER"
	else
		pgrep -P "$MASTER" -f "^chatd: $1"
	fi
}

# usage: centre_whole ; master, store and keeper run
centre_whole()
{
	[ -n "$(centre_pid store)" ] && [ -n "$(centre_pid keeper)" ]
}

# usage: centre_alive ; it still answers
centre_alive()
{
	ask hello >/dev/null && accepted
}

# usage: centre_kill master|store|keeper ; with SIGKILL, and waits for its end
centre_kill()
{
	local pid
	pid=$(centre_pid "$1")
	kill -KILL "$pid"
	if [ "$1" = master ]; then
		wait "$pid" || true
		MASTER=''
		# Store and keeper end by themselves when their master is gone.
		wait_for session_gone "$pid"
	else
		wait_for gone "$pid"
	fi
}

# usage: session_gone SID ; nobody of that session is left
session_gone()
{
	local pids
	mapfile -t pids < <(pgrep -s "$1")
	gone "${pids[@]}"
}

# usage: centre_stop ; as an administrator would; nothing of it may be left
centre_stop()
{
	local pid=$MASTER status=0
	MASTER=''
	kill -TERM "$pid"
	wait_for gone "$pid" || kill -KILL "$pid"
	wait "$pid" || status=$?
	same 0 $status "the centre's exit status" || return
	session_gone "$pid" || {
		pgrep -a -s "$pid"
		fail 'the centre left processes behind'
	}
}

# usage: centre_again ; starts it again, on the port that it had
centre_again()
{
	local try
	[ -z "$MASTER" ] || fail 'it runs'
	sed -i "s/\"127.0.0.1:[0-9]*\"/\"127.0.0.1:$PORT\"/" "$conf"
	# Somebody else's connection may have that port just now.
	for try in 1 2 3 4 5; do
		! centre_run 2>"$dir/again.$try" || return 0
		sleep 0.2
	done
	cat "$dir/again.$try"
	return 1
}

# usage: centre_restart
centre_restart()
{
	centre_stop && centre_again
}

# usage: ctl ARGUMENT... ; the administrator's command
ctl()
{
	chatctl -c "$conf" "$@"
}

# usage: user_add NAME [PASSWORD]
user_add()
{
	printf '%s\n' "${2:-$1-secret}" | ctl user add "$1"
}

# usage: reload [SETTING...] ; a new configuration, read again
reload()
{
	centre_configure "listen = [ \"127.0.0.1:0\" ];" "$@"
	ctl reload
}

# ---- requests and replies

# usage: wire [OPTION]... ; the raw client, from $SOURCE if that is set, to
# another listener if $CENTRE is; with $GATE it waits after its handshake until that file is there
wire()
{
	"$CHAT_BUILD/t/tool/wire" -a "${CENTRE:-127.0.0.1:$PORT}" \
		${SOURCE:+--source "$SOURCE"} ${GATE:+--gate "$GATE"} "$@"
}

# usage: met GATE COUNT ; so many clients wait there
met()
{
	[ -e "$1.met" ] && [ "$(wc -l <"$1.met")" -eq "$2" ]
}

# usage: hold [OPTION]... ; a client that connects and stays, until release
hold()
{
	"$CHAT_BUILD/t/tool/wire" -a "127.0.0.1:$PORT" \
		${SOURCE:+--source "$SOURCE"} --silent 120 "$@" \
		>"$dir/held" 2>&1 3>&- &
	held+=($!)
}

# usage: release ; all those go
release()
{
	# Without an id, wait would wait for the centre.
	[ ${#held[@]} -gt 0 ] || return 0
	kill "${held[@]}" 2>/dev/null || true
	wait "${held[@]}" 2>/dev/null || true
	held=()
}

# usage: workers COUNT ; so many run
workers()
{
	[ "$(centre_pid worker | wc -l)" -eq "$1" ]
}

# usage: json TEXT ; as a JSON string, in $quoted
json()
{
	quoted=${1//\\/\\\\}
	quoted=${quoted//\"/\\\"}
	quoted=${quoted//$'\n'/\\n}
	quoted=${quoted//$'\t'/\\t}
	quoted=\"$quoted\"
}

# usage: request OP [NAME=TEXT | NAME:=JSON]... ; as a line, in $line
request()
{
	local member
	json "$1"
	line="{\"op\":$quoted"
	shift
	for member; do
		case $member in
		*:=*)
			[[ ${member%%:=*} != *=* ]] && {
				line="$line,\"${member%%:=*}\":${member#*:=}"
				continue
			}
			;;&
		*)
			json "${member#*=}"
			line="$line,\"${member%%=*}\":$quoted"
			;;
		esac
	done
	line="$line}"
}

# usage: ask OP [MEMBER]... ; asks without a token; the reply is in $reply
ask()
{
	local line
	request "$@"
	reply=$(wire --ca "$state/ca.pem" <<<"$line") ||
		fail "no reply to $line: $reply" || return
	printf '%s\n' "$reply"
}

# usage: as NAME OP [MEMBER]... ; asks with the token of NAME's last login
as()
{
	ask "$2" token="$(<"$dir/$1.token")" "${@:3}"
}

# usage: brief NAME OP [MEMBER]... ; asks within a brief login
brief()
{
	local line first
	request login user="$1" password="$1-secret" brief:=true
	first=$line
	request "${@:2}"
	reply=$(printf '%s\n%s\n' "$first" "$line" |
		wire --one --ca "$state/ca.pem") ||
		fail "no replies: $reply" || return
	reply=${reply#*$'\n'}
	printf '%s\n' "$reply"
}

# usage: says FILTER [WANTED] ; of the last reply: is it true, is it WANTED?
says()
{
	local got
	if [ $# -eq 1 ]; then
		jq -e "$1" <<<"$reply" >/dev/null ||
			fail "not so: $1
in $reply"
	else
		got=$(jq -r "$1" <<<"$reply") &&
			same "$2" "$got" "$1 in $reply"
	fi
}

# usage: value FILTER ; of the last reply
value()
{
	jq -r "$1" <<<"$reply"
}

# usage: text_of MEMBER ; prints a string of the last reply that holds nothing
# to be escaped, for what is asked for so often that jq would take the time
text_of()
{
	local wanted="\"$1\":\"([^\"\\\\]*)\""
	[[ $reply =~ $wanted ]] || fail "no $1 in $reply" || return
	printf '%s\n' "${BASH_REMATCH[1]}"
}

# usage: cursor_of ; epoch, mail and room of the last reply, in a line
cursor_of()
{
	local epoch
	epoch=$(text_of epoch) || return
	[[ $reply =~ \"mail\":([0-9]+),\"room\":([0-9]+)[,}] ]] ||
		fail "no cursor in $reply" || return
	echo "$epoch ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
}

# usage: accepted ; the last reply says yes
accepted()
{
	[[ $reply == '{"ok":true'* ]] || fail "not accepted: $reply"
}

# usage: refused CODE ; the last reply says no, why, and that in a sentence
refused()
{
	local wanted="\"ok\":false,.*\"error\":\"$1\",.*\"text\":\"[A-Z][^\"]*"
	[[ $reply =~ $wanted ]] || fail "not refused with $1: $reply"
}

# ---- people

# usage: login NAME [MEMBER]... ; keeps token and cursors
login()
{
	ask login user="$1" password="$1-secret" "${@:2}"
	accepted || return
	text_of token >"$dir/$1.token" && cursor_of >"$dir/$1.cursor"
}

# usage: key NAME ; prints a fingerprint that is NAME's and nobody else's
key()
{
	printf 'sha256//%s' "$(printf '%s' "$1" |
		openssl dgst -sha256 -binary | base64)"
}

# usage: linkable NAME PORT ; logs in as one who takes private links there
linkable()
{
	login "$1" peer_port:="$2" peer_fingerprint="$(key "$1")"
}

# usage: asks NAME TO ; NAME asks for a private link; $request is its name
asks()
{
	as "$1" ask to="$2"
	accepted && request=$(text_of request)
}

# usage: agrees NAME ; NAME says yes to $request
agrees()
{
	as "$1" answer request="$request" accept:=true
	accepted
}

# usage: event NAME TYPE ; the last of that type of NAME's last sync, in $reply
event()
{
	reply=$(jq -c "select(.type == \"$2\")" "$dir/$1.events" | tail -n 1)
	[ -n "$reply" ] || fail "$1 was told of no $2"
}

# usage: logout NAME
logout()
{
	as "$1" logout
	accepted
}

# usage: in_session NAME... ; logs all of them in; what they hear of each
# other by that is not news any more
in_session()
{
	local name
	for name; do
		login "$name"
	done
	for name; do
		sync "$name"
	done
}

# usage: new_id ; in $id
new_id()
{
	ids=$((ids + 1))
	printf -v id '%s-%012d' "id$BATS_TEST_NUMBER" "$ids"
}

# usage: send NAME TO TEXT ; with a new $id
send()
{
	new_id
	as "$1" send id="$id" to="$2" text="$3"
}

# usage: tell NAME TO TEXT ; that must be accepted
tell()
{
	send "$@"
	accepted
}

# usage: broadcast NAME TEXT ; that must be accepted
broadcast()
{
	new_id
	as "$1" broadcast id="$id" text="$2"
	accepted
}

# What an event comes to, as a person would say it.
spoken='if .type == "message" then "\(.from): \(.text)"
	elif .type == "broadcast" then "\(.from) (to all): \(.text)"
	elif .type == "receipt" then "\(.to) has stored \(.ids | join(" "))"
	elif .type == "notice" then "notice: \(.text)"
	elif .type == "ask" then "\(.from) asks for a link."
	elif .type == "address" then "\(.user) is at \(.host):\(.port)."
	elif .type == "declined" then "no link with \(.user) (\(.reason))."
	elif .type == "hangup" then "the link with \(.user) is over (\(.reason))."
	elif .type == "login" then "\(.user) has logged in."
	elif .type == "logout" then "\(.user) has logged out (\(.reason))."
	else tojson end'

# usage: sync NAME [MEMBER]... ; fetches and acknowledges until nothing is
# left; prints the events one a line, keeps them in $dir/NAME.events
sync()
{
	local name=$1 epoch mail room cursor
	shift
	read -r epoch mail room <"$dir/$name.cursor"
	: >"$dir/$name.events"
	while :; do
		as "$name" sync epoch="$epoch" mail:="$mail" room:="$room" \
			"$@" >/dev/null
		accepted || return
		cursor=$(cursor_of) || return
		read -r epoch mail room <<<"$cursor"
		echo "$cursor" >"$dir/$name.cursor"
		[[ $reply != *'"events":[]'* ]] || break
		jq -c '.events[]' <<<"$reply" >>"$dir/$name.events"
	done
	[ ! -s "$dir/$name.events" ] || jq -r "$spoken" "$dir/$name.events"
}

# usage: hears NAME [LINE]... ; syncs, and exactly these are the news
hears()
{
	local name=$1
	shift
	same "$(printf '%s\n' "$@")" "$(sync "$name")" "what $name hears"
}

# usage: cursor NAME ; in $epoch, $mail, $room
cursor()
{
	# shellcheck disable=SC2034 # for the caller
	read -r epoch mail room <"$dir/$1.cursor"
}

# usage: peek NAME [MEMBER]... ; one sync from NAME's cursors, which stay
peek()
{
	local epoch mail room
	cursor "$1"
	as "$1" sync epoch="$epoch" mail:="$mail" room:="$room" "${@:2}"
}

# usage: later SECONDS ; as if that much time had passed since the last news
later()
{
	centre_stop && sql "UPDATE room SET time = time - $1 * 1000" &&
		centre_again
}

# usage: sql STATEMENT ; on the database of a centre that does not run
sql()
{
	"$CHAT_BUILD/t/tool/db" "$state/chatd.db" "$1"
}
