#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The beacon: who is answered and who is not, knocks, and what a restart, a
# move and a timeout do to it.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

set_up()
{
	holders=()
}

teardown_beacons()
{
	[ ${#holders[@]} -eq 0 ] || kill "${holders[@]}" 2>/dev/null || true
	holders=()
}

# The name by which lib/centre.bash lets go of clients.
everybody_leaves()
{
	teardown_beacons
}

# usage: beacon [OPTION]... COMMAND... ; the tool, at this test's centre
beacon()
{
	"$CHAT_BUILD/t/tool/beacon" --port "$PORT" "$@"
}

# usage: enters NAME [OPTION]... ; logs in, and keeps the beacon's keys
enters()
{
	reply=$(beacon "${@:2}" login "$dir/$1.beacon" "$1" "$1-secret")
	accepted || return
	value .token >"$dir/$1.token"
	value '[.epoch, .mail, .room] | join(" ")' >"$dir/$1.cursor"
}

# usage: lives NAME [OPTION]... ; sends one LIVE; the answer is in $heard
lives()
{
	heard=$(beacon "${@:2}" live "$dir/$1.beacon") || heard=''
}

# usage: silence NAME [OPTION]... ; a LIVE that nobody answers
silence()
{
	lives "$1" --wait 300 "${@:2}"
	same '' "$heard" "the answer to $*"
}

# usage: proves NAME [OPTION]... ; the address, and is answered
proves()
{
	lives "$@"
	[[ $heard == check\ * ]] || fail "not checked: $heard" || return
	lives "$@"
	[[ $heard == heads\ * ]] || fail "not answered: $heard"
}

# usage: holds_beacon NAME ; stays there and prints what comes
holds_beacon()
{
	: >"$dir/$1.heard"
	beacon hold "$dir/$1.beacon" >"$dir/$1.heard" 3>&- &
	holders+=($!)
	wait_for grep -q '^heads ' "$dir/$1.heard"
}

# usage: knocked NAME MAIL [TIMES] ; at least so often, with that mail
knocked()
{
	[ "$(grep -c "^knock $2 " "$dir/$1.heard")" -ge "${3:-1}" ]
}

# usage: dropped REASON COUNT ; so many were, for that
dropped()
{
	same "chatd_beacon_drops_total{reason=\"$1\"} $2" \
		"$(ctl metrics | grep "^chatd_beacon_drops_total{reason=\"$1\"}")"
}

@test "a LIVE is checked once, then answered with the heads" {
	centre_start
	enters alice
	in_session bob
	says '.beacon == null or true'
	proves alice
	same 'heads 0 2' "$heard"
	tell bob alice hi
	lives alice
	same 'heads 1 2' "$heard"
}
