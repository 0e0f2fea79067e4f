# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# People with real clients: the line face of chat(1), fed through a pipe, its
# output in a file.  For tests that have loaded centre.bash.  What a person has
# seen once is not seen again: sees() looks at newer lines only.
#
#	person alice
#	types alice 'message bob hi'
#	sees bob 'alice: hi'
#	leaves alice
#
# For NAME there are $dir/NAME.out (what was printed), NAME.err and NAME.state
# (the client's own state directory).

declare -gA typing=() client=() seen=()

# usage: password NAME ; writes $dir/NAME.password
password()
{
	printf '%s\n' "${2-$1-secret}" >"$dir/$1.password"
}

# usage: chat_of NAME [OPTION]... ; the command line, in the array chat
chat_of()
{
	[ -e "$dir/$1.password" ] || password "$1"
	# shellcheck disable=SC2034 # for the caller, too
	chat=(chat --line --state "$dir/$1.state"
		--ca "$state/ca.pem" --password-file "$dir/$1.password"
		"${@:2}" "$1@127.0.0.1:$PORT")
}

# usage: once_of NAME ; the command line without a command, in the array one
once_of()
{
	[ -e "$dir/$1.password" ] || password "$1"
	# shellcheck disable=SC2034 # for the caller, too
	one=(chat --state "$dir/$1.state" --ca "$state/ca.pem"
		--password-file "$dir/$1.password"
		--account "$1@127.0.0.1:$PORT")
}

# usage: once STATUS NAME WORD... ; the command as NAME, nothing on its input
once()
{
	once_of "$2"
	run "-$1" --separate-stderr timeout "$patience" "${one[@]}" \
		"${@:3}" </dev/null 3>&-
}

# usage: comes NAME [OPTION]... ; starts the client, waits for nothing
comes()
{
	local chat fd
	chat_of "$@"
	rm -f "$dir/$1.in"
	mkfifo "$dir/$1.in"
	: >"$dir/$1.out"
	: >"$dir/$1.err"
	(
		descriptors_close
		exec "${chat[@]}"
	) <"$dir/$1.in" >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	client[$1]=$!
	exec {fd}>"$dir/$1.in"
	typing[$1]=$fd
	seen[$1]=0
}

# usage: person NAME [OPTION]... ; comes, and is let in
person()
{
	comes "$@"
	sees "$1" "Welcome, $1."
}

# usage: types NAME LINE
types()
{
	printf '%s\n' "$2" >&"${typing[$1]}"
}

# usage: seen_line NAME LINE ; among the newer lines; remembers how far
seen_line()
{
	local at
	at=$(tail -n "+$((seen[$1] + 1))" "$dir/$1.out" |
		grep -nxF -m 1 -e "$2") || return
	seen[$1]=$((seen[$1] + ${at%%:*}))
}

# usage: sees NAME LINE ; waits for a newer line that is exactly this
sees()
{
	wait_for seen_line "$1" "$2" || {
		echo "--- what $1 saw:"
		cat "$dir/$1.out" "$dir/$1.err"
		return 1
	} >&2
}

# usage: seen_like NAME REGEX ; likewise
seen_like()
{
	local at
	at=$(tail -n "+$((seen[$1] + 1))" "$dir/$1.out" |
		grep -nxE -m 1 -e "$2") || return
	seen[$1]=$((seen[$1] + ${at%%:*}))
}

# usage: sees_like NAME REGEX ; waits for a newer line that it matches whole
sees_like()
{
	wait_for seen_like "$1" "$2" || {
		echo "--- what $1 saw:"
		cat "$dir/$1.out" "$dir/$1.err"
		return 1
	} >&2
}

# usage: sees_once NAME LINE ; the line was printed once in all
sees_once()
{
	same 1 "$(lines_of "$dir/$1.out" "$2")" "how often $1 saw \"$2\""
}

# usage: saw_nothing_of NAME TEXT ; no line so far has that in it
saw_nothing_of()
{
	! has_line "$dir/$1.out" "$2" || fail "$1 saw \"$2\""
}

# usage: hangs_up NAME ; the input ends, as with Ctrl-D
hangs_up()
{
	local fd=${typing[$1]}
	exec {fd}>&-
	unset "typing[$1]"
}

# usage: ends NAME STATUS ; the client ends by itself, with that status
ends()
{
	local status=0
	wait_for gone "${client[$1]}"
	wait "${client[$1]}" || status=$?
	unset "client[$1]"
	[ -z "${typing[$1]:-}" ] || hangs_up "$1"
	same "$2" $status "the exit status of $1's client" || {
		cat "$dir/$1.out" "$dir/$1.err" >&2
		return 1
	}
}

# usage: leaves NAME ; says goodbye and goes
leaves()
{
	types "$1" quit
	sees "$1" 'Goodbye.'
	ends "$1" 0
}

# usage: chats ; prints the ids of this test's chat processes
chats()
{
	local file files pid
	mapfile -t files < <(grep -lsF "CHAT_TEST=$CHAT_TEST" \
		/proc/[0-9]*/environ)
	for file in "${files[@]}"; do
		pid=${file#/proc/}
		pid=${pid%/environ}
		[ "$(readlink "/proc/$pid/exe")" != "$CHAT_BUILD/chat" ] ||
			echo "$pid"
	done
}

# usage: agent_of NAME ; prints the process id of the agent
agent_of()
{
	local pid
	for pid in $(chats); do
		[ "$pid" != "${client[$1]:-}" ] || continue
		# Only the agent has the account's database open.
		find "/proc/$pid/fd" -lname "$dir/$1.state/*" 2>/dev/null |
			grep -q . || continue
		echo "$pid"
		return
	done
	return 1
}

# usage: everybody_leaves ; for teardown: nobody's client stays
everybody_leaves()
{
	local name failed=0
	for name in "${!client[@]}"; do
		hangs_up "$name"
	done
	for name in "${!client[@]}"; do
		wait_for gone "${client[$name]}" || {
			kill -KILL "${client[$name]}"
			failed=1
		}
		wait "${client[$name]}" || true
	done
	# Agents outlive their faces for as long as a logout takes.
	wait_for no_agents || failed=1
	for name in "$dir"/*.err; do
		[ ! -s "$name" ] || { echo "--- $name"; cat "$name"; }
	done
	return $failed
}

# usage: no_agents ; of this test
no_agents()
{
	local pid
	for pid in $(chats); do
		gone "$pid" || return
	done
}

# usage: lies ANSWER... ; in the place of the centre, which has been stopped:
# each request gets the next answer, a JSON object, or `q`: the connection ends
lies()
{
	mkfifo "$dir/lies.in" "$dir/lies.out"
	openssl s_server -accept "127.0.0.1:$PORT" -tls1_3 -alpn chat/1 \
		-cert "$state/server.pem" -key "$state/server.key" \
		<"$dir/lies.in" >"$dir/lies.out" 2>&1 3>&- &
	liar=$!
	(
		descriptors_close
		while read -r line; do
			[[ $line == '{'* ]] || continue
			[ $# -gt 0 ] || break
			[ "$1" = q ] && echo q || jq -c --argjson to "$line" \
				'. + {tag: $to.tag}' <<<"$1"
			shift
		done
	) >"$dir/lies.in" <"$dir/lies.out" 3>&- &
	wait_for listens
}

# usage: listens ; somebody, on $PORT
listens()
{
	grep -q " 0100007F:$(printf '%04X' "$PORT") 00000000:0000 0A" \
		/proc/net/tcp
}

# usage: lied ; no more of that
lied()
{
	kill "$liar"
	wait "$liar" || true
}
