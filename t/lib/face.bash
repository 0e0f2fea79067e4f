# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# Faces that are the test's own: lines of JSON to and from somebody's agent, as
# chat-agent(7) has them.  For tests that have loaded person.bash.
#
#	faces window alice
#	wishes window '{"do": "watch", "talks": true}'
#	gets window '.event == "message" and .text == "hi"'
#	wishes window "{\"do\": \"seen\", \"row\": $(jq .row <<<"$got")}"
#
# What a face has got once is not got again, as with sees().

# usage: faces FACE NAME ; attaches to the agent of NAME
faces()
{
	local fd
	rm -f "$dir/$1.in"
	mkfifo "$dir/$1.in"
	: >"$dir/$1.out"
	(
		descriptors_close
		# The path may be too long for a socket's address.
		cd "$dir/$2.state/$2@127.0.0.1:$PORT" || exit
		exec perl -MIO::Socket::UNIX -e '
			$| = 1;
			$s = IO::Socket::UNIX->new("agent.sock") or die "$!\n";
			if (!($p = fork)) {
				$0 = "face";
				print while <$s>;
				exit;
			}
			$s->printflush($_) while <STDIN>;
			shutdown $s, 1;
			waitpid $p, 0;'
	) <"$dir/$1.in" >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	client[$1]=$!
	exec {fd}>"$dir/$1.in"
	typing[$1]=$fd
	seen[$1]=0
}

# usage: wishes FACE JSON ; one line to the agent
wishes()
{
	types "$@"
}

# usage: got_line FACE FILTER ; among the newer lines; remembers it and how far
got_line()
{
	local all line i
	# The last line may be half of one.
	mapfile -t all <"$dir/$1.out"
	for ((i = seen[$1]; i < ${#all[@]}; i++)); do
		line=${all[i]}
		[[ $line == *'}' ]] || return 1
		[ "$(jq "$2" 2>/dev/null <<<"$line")" = true ] || continue
		seen[$1]=$((i + 1))
		got=$line
		return
	done
	return 1
}

# usage: gets FACE FILTER ; waits for a newer line of which this (as jq has it)
# is true: it is in $got then
gets()
{
	wait_for got_line "$1" "$2" || {
		echo "--- what $1 got:"
		cat "$dir/$1.out" "$dir/$1.err"
		return 1
	} >&2
}

# usage: answers FACE JSON FILTER ; asks, with a tag, and waits for the whole
# answer: of several pages the last
answers()
{
	local tag=$((RANDOM * 32768 + RANDOM))
	wishes "$1" "$(jq -c --argjson tag $tag '. + {$tag}' <<<"$2")"
	gets "$1" ".tag == $tag and (.more | not)"
	same true "$(jq "$3" <<<"$got")" "$3 of $got"
}

# usage: got_none FACE FILTER ; no line so far is like that
got_none()
{
	same '' "$(jq -c "select($2)" <"$dir/$1.out")" "what $1 got"
}
