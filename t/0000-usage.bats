#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Options that all programs have, what is wrong usage, and their exit status.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

# usage: misused PROGRAM [ARGUMENT]... ; exit 64, a word on standard error
misused()
{
	run -64 --separate-stderr timeout "$patience" "$@" </dev/null 3>&-
	same '' "$output" "what $* printed"
	[ -n "$stderr" ] || fail "$* said nothing"
}

# usage: helped PROGRAM... ; help and version, on standard output
helped()
{
	local program option
	for program; do
		for option in -h --help; do
			run -0 --separate-stderr "$program" $option
			holds "$output" "usage: $program"
			same '' "$stderr"
		done
		for option in -V --version; do
			run -0 --separate-stderr "$program" $option
			[[ ${lines[0]} =~ ^"$program "[0-9]+\.[0-9]+ ]]
			same '' "$stderr"
		done
	done
}

@test "help and version" {
	helped chatd chatctl chat
}

@test "chatd says its build options" {
	run -0 chatd -V
	holds "$output" 'OpenSSL'
	holds "$output" 'SQLite'
	holds "$output" 'chatd.conf'
}

@test "help names every option" {
	for option in --config --foreground --debug --test --show --help \
		--version --ready-fd; do
		holds "$(chatd --help)" "$option"
	done
	for option in --config --json --help --version; do
		holds "$(chatctl --help)" "$option"
	done
	for option in --server --user --account --password-file \
		--password-command --ca --pin --line --state -4 -6 --help \
		--version --json --lines --search -n; do
		holds "$(chat --help)" "$option"
	done
}

@test "chatd: options that do not exist, words, values that are missing" {
	misused chatd -x
	misused chatd --nonsense
	misused chatd start
	misused chatd -c
	misused chatd -f --ready-fd
	misused chatd -f --ready-fd x
	misused chatd -f --ready-fd -1
	misused chatd -f --ready-fd 1
	misused chatd -f --ready-fd 77
	misused chatd -f --ready-fd 99999999999999999999
}

@test "chatctl: the nearest command is named" {
	misused chatctl
	misused chatctl --nonsense status
	misused chatctl -c
	misused chatctl frobnicate
	misused chatctl user
	holds "$stderr" 'user add NAME'
	misused chatctl user ad alice
	holds "$stderr" 'did you mean "user add"?'
	misused chatctl statsu
	holds "$stderr" 'did you mean "status"?'
	misused chatctl user add
	holds "$stderr" 'usage: chatctl user add NAME'
	misused chatctl user add alice bob
	misused chatctl user add --host x alice
	misused chatctl status now
	misused chatctl status --force
	misused chatctl notice
}

@test "chat: words that name no centre" {
	misused chat
	misused chat --nonsense alice@localhost
	misused chat somewhere
	holds "$stderr" 'somewhere'
	misused chat alice@localhost bob@localhost
	misused chat alice@localhost:0
	misused chat alice@localhost:65536
	misused chat alice@localhost:http
	misused chat alice@
	misused chat 'al ice@localhost'
	misused chat alice@-localhost
	misused chat 'alice@[::1'
	misused chat --pin nonsense alice@localhost
	misused chat -u 'no name' localhost
}

@test "chat: an authority that cannot be read is a configuration error" {
	run -78 chat --state "$dir/state" --ca "$dir/nowhere" \
		alice@localhost </dev/null 3>&-
	holds "$output" "$dir/nowhere"
}

@test "chat: options may stand anywhere" {
	run -78 chat alice@localhost --state "$dir/s" --ca "$dir/nowhere" \
		</dev/null 3>&-
	run -78 chat --state "$dir/s" alice@localhost:1 --ca "$dir/nowhere" \
		</dev/null 3>&-
}

@test "output that cannot be written, descriptors that are closed" {
	: >"$dir/empty.conf"
	run -74 bash -c "chatd -T -c '$dir/empty.conf' >/dev/full"
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		run bash -c "chatd -h $closed"
		[ "$status" -lt 126 ]
		run bash -c "chat -V $closed"
		[ "$status" -lt 126 ]
	done
}
