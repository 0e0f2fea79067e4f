#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Private links between three machines, as far as one can have them: a network
# namespace for the centre and for each client, with a bridge between.  Where
# these cannot be made (no right to, no ip(8)), it is skipped.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private

setup_file()
{
	people alice bob carol
}

set_up()
{
	spaces=()
	machine=chat-$$
}

# usage: space NAME ; prints the namespace's name
space()
{
	echo "$machine-$1"
}

# usage: inside NAME COMMAND... ; in that namespace
inside()
{
	ip netns exec "$(space "$1")" "${@:2}"
}

# usage: spaces_make ; $net.1 is the centre, .2 alice, .3 bob, .4 carol
spaces_make()
{
	local name host=1
	net=10.214.7
	[ "$(id -u)" -eq 0 ] && command -v ip >/dev/null || return
	ip netns add "$(space centre)" 2>"$dir/ip.err" || return
	spaces=(centre)
	inside centre ip link set lo up &&
		inside centre ip link add middle type bridge 2>"$dir/ip.err" &&
		inside centre ip addr add "$net.1/24" dev middle &&
		inside centre ip link set middle up || return
	for name in alice bob carol; do
		host=$((host + 1))
		ip netns add "$(space "$name")" || return
		spaces+=("$name")
		inside centre ip link add "to-$name" type veth \
			peer name eth0 netns "$(space "$name")" &&
			inside centre ip link set "to-$name" master middle up &&
			inside "$name" ip link set lo up &&
			inside "$name" ip addr add "$net.$host/24" dev eth0 &&
			inside "$name" ip link set eth0 up || return
	done
}

tear_down()
{
	local name
	for name in "${spaces[@]}"; do
		ip netns del "$(space "$name")"
	done
}

# usage: wire [OPTION]... ; as ever, where the centre is
wire()
{
	inside centre "$CHAT_BUILD/t/tool/wire" -a "127.0.0.1:$PORT" "$@"
}

# usage: comes_from NAME ; the client in NAME's space, let in
comes_from()
{
	local fd
	password "$1"
	mkfifo "$dir/$1.in"
	(
		descriptors_close
		exec ip netns exec "$(space "$1")" chat --line \
			--state "$dir/$1.state" --pin "$pin" \
			--password-file "$dir/$1.password" "$1@$net.1:$PORT"
	) <"$dir/$1.in" >"$dir/$1.out" 2>"$dir/$1.err" 3>&- &
	client[$1]=$!
	exec {fd}>"$dir/$1.in"
	typing[$1]=$fd
	seen[$1]=0
	sees "$1" "Welcome, $1."
}

@test "three clients on machines of their own" {
	spaces_make || skip "no namespaces: $(cat "$dir/ip.err" 2>&1)"
	centre_in=(ip netns exec "$(space centre)")
	centre_start 'listen = [ "0.0.0.0:0" ];' \
		'session: { heartbeat = 1; timeout = 60; };'
	pin=$(ctl --json cert show | jq -r .pin)
	comes_from alice
	comes_from bob
	comes_from carol
	asks alice bob
	types bob 'accept alice'
	sees_like bob "You agreed: private messages to alice go to ${net//./\\.}\.2:[0-9]+\."
	sees_like alice "bob agreed: private messages go to ${net//./\\.}\.3:[0-9]+\."
	whispers alice bob 'from one to the other'
	whispers bob alice 'and back'
	linked carol alice
	whispers carol alice 'a third one'
	whispers alice carol 'hello'
	saw_nothing_of bob third
	# Bob's machine falls off the network.
	inside bob ip link set eth0 down
	types alice 'private bob are you there?'
	sees alice "bob $gone_text Type \"leave bob\" to leave it at the centre."
	whispers alice carol 'bob is gone'
	types alice 'leave bob'
	inside bob ip link set eth0 up
	sees_like bob 'alice.*: are you there\?'
}
