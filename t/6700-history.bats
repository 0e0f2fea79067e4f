#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What was said, read again: history, search, contacts, export.

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

# usage: reads STATUS WORD... ; a command as alice, without a password
reads()
{
	run "-$1" --separate-stderr timeout "$patience" chat \
		--state "$dir/alice.state" --account "alice@127.0.0.1:$PORT" \
		"${@:2}" </dev/null 3>&-
}

# usage: a_day ; what alice says and hears, with a centre that then is gone
a_day()
{
	login bob
	person alice
	types alice 'message bob the release notes are ready'
	types alice 'message carol lunch?'
	sees_like alice 'carol is offline.*'
	types alice 'message dave hi'
	sees alice 'There is no user dave.'
	types alice 'broadcast cake in the kitchen'
	tell bob alice $'notes:\nwhich release?'
	sees alice '  which release?'
	leaves alice
	wait_for no_agents
	centre_stop
}

when='\(20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]'

@test "history, of all, of one, the last ones" {
	a_day
	reads 0 history
	same '' "$stderr"
	[[ ${lines[0]} =~ ^'to bob '$when', accepted): the release notes are ready'$ ]] ||
		fail "${lines[0]}"
	[[ ${lines[1]} =~ ^'to carol '$when', accepted): lunch?'$ ]]
	[[ ${lines[2]} =~ ^'to dave '$when', refused: no-such-user): hi'$ ]]
	[[ ${lines[3]} =~ ^'to all '$when', accepted): cake in the kitchen'$ ]]
	[[ ${lines[4]} =~ ^'bob '$when'): notes:'$ ]]
	same '  which release?' "${lines[5]}"
	same 6 ${#lines[@]}
	reads 0 history bob
	same 3 ${#lines[@]}
	reads 0 history -n 1 bob
	same 2 ${#lines[@]}
	reads 0 history -n 1 --json
	same 'message bob received' \
		"$(jq -r '"\(.type) \(.from) \(.state)"' <<<"$output")"
	reads 0 history nobody
	same '' "$output"
	no_agents
}

@test "what only looks makes nothing for an account that was never used" {
	for word in history contacts export 'history bob --search x' \
		'status --json'; do
		# shellcheck disable=SC2086 # words
		reads 0 $word
		[ ! -e "$dir/alice.state" ] || fail "$word"
	done
	for word in read logout detach; do
		reads 1 $word
		holds "$stderr" 'Nobody is logged in'
		[ ! -e "$dir/alice.state" ] || fail "$word"
	done
}

@test "a search for words" {
	a_day
	reads 0 history --search 'RELEASE notes'
	same 3 ${#lines[@]}
	reads 0 history --search 'release notes' bob -n 1
	same 'bob' "$(jq -r .from < <(reads 0 history --json \
		--search 'which' bob; echo "$output"))"
	reads 0 history carol --search lunch
	same 1 ${#lines[@]}
	reads 0 history --search 'notes AND "lunch OR *'
	same '' "$output$stderr"
	reads 0 history --search asked
	same '' "$output"
	reads 0 history --search ' '
	same 6 ${#lines[@]}
}

# usage: finds COUNT WORDS ; a search gives so many lines, and no complaint
finds()
{
	reads 0 history --search "$2"
	same "$1" ${#lines[@]} "what \"$2\" finds" && same '' "$stderr"
}

@test "a search in other scripts, for emoji, for what is no word at all" {
	person alice
	types alice 'message carol 明日は日本語の会議です 🎂'
	types alice 'message carol Привет, Дёмин: кафе'
	types alice 'message carol a cake 🎂 for the café, in C++ :-)'
	types alice 'message carol วันนี้อากาศดี'
	types alice 'message carol text:NEAR(a b) it'"'"'s "quoted" -x ^y'
	leaves alice
	wait_for no_agents
	finds 1 日本
	finds 2 🎂
	finds 1 '🎂 CAKE'
	finds 1 '日本語 🎂'
	finds 0 '日本 cake'
	finds 1 привет
	finds 1 อากาศ
	finds 1 cafe
	finds 1 CAFÉ
	finds 1 ':-)'
	finds 1 c++
	finds 1 "it's"
	finds 1 '"quoted"'
	finds 1 'NEAR('
	finds 1 '-x ^y'
	for words in '"' '""' 'x"' 'a*b*' 'zz OR' 'AND zz' 'NOT' '{text}:zz' \
		'zz NEAR/2 y' '+zz' '%' '_' '(((' "';--"; do
		reads 0 history --search "$words"
		same '' "$stderr" "the complaint about $words"
	done
}

@test "contacts and export" {
	a_day
	# Not oneself, and nobody who does not exist.
	centre_again
	person alice
	types alice 'message alice note'
	sees alice 'alice: note'
	leaves alice
	wait_for no_agents
	centre_stop
	reads 0 contacts
	same $'bob\ncarol' "$output"
	reads 0 contacts --json
	same bob "$(jq -r .user <<<"${lines[0]}")"
	[[ $(jq -r .last <<<"${lines[0]}") == 20* ]]
	reads 0 export
	same 'message accepted the release notes are ready' "$(jq -r \
		'"\(.type) \(.state) \(.text)"' <<<"${lines[0]}")"
	same 1 "$(grep -c kitchen <<<"$output")"
	run ! grep -q '"tag"\|"ok"\|"more"' <<<"$output"
}

@test "while the agent runs, and where nothing was ever said" {
	person alice
	types alice 'message bob hi'
	sees_like alice 'bob is offline.*'
	reads 0 history
	same 1 ${#lines[@]}
	run -0 chat --state "$dir/s" --account "alice@127.0.0.1:$PORT" history
	same '' "$output"
	reads 64 history bob carol
	reads 64 history -n x
	reads 64 contacts --search x
	reads 64 export -n 1
}

@test "a history that is damaged is kept aside" {
	person alice
	leaves alice
	wait_for no_agents
	book=$dir/alice.state/alice@127.0.0.1:$PORT/book.db
	rm -f "$book"-*
	printf '%4096s' nonsense >"$book"
	reads 74 history
	holds "$stderr" 'has been moved aside to'
	compgen -G "$book.damaged-*"
	reads 0 history
}
