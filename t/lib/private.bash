# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2154
# Private links between people with real clients, and spies at the centre.
# For tests that have loaded person.bash.
#
#	person alice
#	person bob
#	linked alice bob
#	whispers alice bob hi

spies=()

gone_text='can no longer be reached at that address; the message was not sent.'

# usage: no_link NAME ; what is said without consent
no_link()
{
	echo "No private link with $1. Type \"getaddress $1\" first."
}

# usage: asks NAME OTHER ; the other one sees the question
asks()
{
	types "$1" "getaddress $2"
	sees "$1" "Waiting for $2 to agree."
	sees "$2" "$1 wants to talk privately. Type \"accept $1\" or \"decline $1\"."
}

# usage: agrees OTHER NAME ; to what NAME has asked
agrees()
{
	types "$1" "accept $2"
	sees_like "$1" "You agreed: private messages to $2 go to .*:[0-9]+\\."
	sees_like "$2" "$1 agreed: private messages go to .*:[0-9]+\\."
}

# usage: linked NAME OTHER ; asks, and is agreed with
linked()
{
	asks "$1" "$2"
	agrees "$2" "$1"
}

# usage: whispers NAME OTHER TEXT ; the other one sees it
whispers()
{
	types "$1" "private $2 $3"
	sees "$2" "$1 (private): $3"
}

# usage: ended NAME OTHER WHY ; NAME is told
ended()
{
	sees "$1" "The private link with $2 has ended: $3."
}

# usage: port_of OTHER NAME ; where OTHER's client listens, as NAME's was told
port_of()
{
	sed -n "s/^$1 agreed: private messages go to .*:\([0-9]*\)\.$/\1/p" \
		"$dir/$2.out" | tail -n 1
}

# usage: key_of NAME ; the fingerprint of their client's key
key_of()
{
	local file
	for file in "$dir/$1".state/*/peer.key; do
		echo "sha256//$(openssl pkey -in "$file" -pubout -outform DER |
			openssl dgst -sha256 -binary | base64)"
	done
}

# usage: spy NAME ; between NAME's client and the centre; $through is its
# port.  What is said stands in $dir/NAME.spied from then on, replies are
# altered as spied() says.
spy()
{
	: >"$dir/$1.edits"
	: >"$dir/$1.spy"
	(
		descriptors_close
		exec "$CHAT_BUILD/t/tool/spy" "$state/server.pem" \
			"$state/server.key" "$PORT" "$dir/$1.spied" \
			"$dir/$1.edits"
	) </dev/null >"$dir/$1.spy" 3>&- &
	spies+=($!)
	wait_for test -s "$dir/$1.spy"
	through=$(<"$dir/$1.spy")
}

# usage: lies_to NAME [WHAT BY]... ; from now on this is put in the place of
# that, which is a regular expression; `from ADDRESS` is where NAME calls from
lies_to()
{
	local name=$1
	shift
	[ $# -eq 0 ] || printf '%s\t%s\n' "$@" >"$dir/$name.new"
	[ $# -gt 0 ] || : >"$dir/$name.new"
	mv "$dir/$name.new" "$dir/$name.edits"
}

# usage: spies_leave ; for teardown, when all whom they spied on are gone
spies_leave()
{
	[ ${#spies[@]} -gt 0 ] || return 0
	kill "${spies[@]}" 2>/dev/null || true
	wait "${spies[@]}" 2>/dev/null || true
	spies=()
}
