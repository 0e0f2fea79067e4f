#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The client's database where the disk is not as it should be: damaged files
# are kept aside, a full disk ends the client, and neither loses mail.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
	book=$dir/bob.state/bob@127.0.0.1:$PORT/book.db
}

# usage: visit NAME ; comes and goes, nothing typed; everything in $output
visit()
{
	local chat
	chat_of "$1"
	run --separate-stderr timeout "$patience" "${chat[@]}" </dev/null 3>&-
}

# usage: aside ; prints the one file that was kept
aside()
{
	local files
	mapfile -t files < <(compgen -G "$book.damaged-*" |
		grep -v -e '-wal$' -e '-shm$')
	same 1 ${#files[@]} 'files kept aside' || return
	echo "${files[0]}"
}

# usage: a_book ; of bob's, with something in it, and mail for him
a_book()
{
	in_session alice
	tell alice bob first
	visit bob
	holds "$output" first
	tell alice bob second
	wait_for no_agents
	[ ! -e "$book-wal" ]
}

# usage: starts_afresh ; what the centre still holds is there
starts_afresh()
{
	visit bob
	same 0 $status
	holds "$output" second
	run ! grep -qF first <<<"$output"
	wait_for no_agents
	visit bob
	run ! grep -qF second <<<"$output"
}

@test "a book of garbage is kept aside, and no mail is lost" {
	a_book
	printf '%9000s' nonsense >"$book"
	cp "$book" "$dir/garbage"
	visit bob
	same 74 $status
	holds "$stderr" "has been moved aside to"
	holds "$stderr" "$(aside)"
	same '' "$output"
	cmp "$dir/garbage" "$(aside)"
	starts_afresh
}

@test "a book that was cut off is kept aside" {
	a_book
	truncate -s -8192 "$book"
	visit bob
	same 74 $status
	holds "$stderr" 'was damaged'
	aside
	starts_afresh
}

@test "a book of another program is kept aside, a newer one stays" {
	a_book
	"$CHAT_BUILD/t/tool/db" "$book" 'PRAGMA user_version = 99'
	visit bob
	same 74 $status
	holds "$stderr" 'was written by a newer chat'
	run -74 --separate-stderr chat --state "$dir/bob.state" \
		--account "bob@127.0.0.1:$PORT" history
	holds "$stderr" 'was written by a newer chat'
	"$CHAT_BUILD/t/tool/db" "$book" 'PRAGMA user_version = 2; PRAGMA application_id = 7'
	visit bob
	same 74 $status
	holds "$stderr" 'it is the database of another program'
	aside
	starts_afresh
}

# usage: agent_gone NAME ; it has ended
agent_gone()
{
	! agent_of "$1" >/dev/null
}

# usage: limited NAME KIB ; the client, whose files grow to that and no more
limited()
{
	local chat
	chat_of "$1"
	run --separate-stderr timeout "$patience" \
		bash -c "ulimit -f $2; exec \"\$@\"" - "${chat[@]}" 3>&-
}

# usage: fat NUMBER ; a text of 4,000 bytes that ends with the number
fat()
{
	printf 'fat %03990d' "$1"
}

# usage: all_there COUNT ; of the texts, before or after, in their order.  What
# was shown last, before that could be noted on the full disk, comes again.
all_there()
{
	local i twice
	for ((i = 1; i <= $1; i++)); do
		cat "$dir/before" "$dir/after" | grep -qF "$(fat "$i")" ||
			fail "text $i is lost" || return
	done
	twice=$(grep -oh 'fat 0.*' "$dir/before" "$dir/after" | sort | uniq -d |
		wc -l)
	[ "$twice" -lt 20 ] || fail "$twice texts came twice" || return
	grep -o 'fat 0.*' "$dir/after" | sort -cu
}

@test "no room for what comes in: it is not acknowledged, and comes again" {
	in_session alice
	for i in {1..40}; do
		tell alice bob "$(fat "$i")"
	done
	limited bob 100 <<<'message alice hi'
	same 74 $status
	holds "$stderr" 'a limit on the size of files'
	printf '%s\n' "$output" >"$dir/before"
	wait_for no_agents
	visit bob
	same 0 $status
	printf '%s\n' "$output" >"$dir/after"
	all_there 40
}

@test "no room for what is sent: what was not written down is not sent" {
	person bob
	for i in {1..40}; do
		echo "message bob $(fat "$i")"
	done >"$dir/typed"
	limited alice 180 <"$dir/typed"
	same 74 $status
	holds "$stderr" 'a limit on the size of files'
	wait_for agent_gone alice
	run -0 --separate-stderr timeout "$patience" chat --ca "$state/ca.pem" \
		--state "$dir/alice.state" \
		--password-file "$dir/alice.password" \
		"alice@127.0.0.1:$PORT" </dev/null 3>&-
	wait_for agent_gone alice
	run -0 chat --state "$dir/alice.state" \
		--account "alice@127.0.0.1:$PORT" export
	sent=$(grep -c 'fat 0' <<<"$output")
	[ "$sent" -gt 0 ] && [ "$sent" -lt 40 ]
	wait_for has_line "$dir/bob.out" "$(fat "$sent")"
	for ((i = 1; i <= sent; i++)); do
		sees_once bob "alice: $(fat "$i")"
	done
	saw_nothing_of bob "$(fat $((sent + 1)))"
}

@test "a file system that is full" {
	mkdir "$dir/full"
	mount -t tmpfs -o size=300k none "$dir/full" 2>"$dir/mount.err" ||
		skip "no small file system: $(<"$dir/mount.err")"
	tear_down() { umount -l "$dir/full"; }
	in_session alice
	for i in {1..80}; do
		tell alice bob "$(fat "$i")"
	done
	mkdir "$dir/full/state"
	ln -s full/state "$dir/bob.state"
	visit bob
	same 74 $status
	holds "$stderr" 'full'
	printf '%s\n' "$output" >"$dir/before"
	wait_for no_agents
	mount -o remount,size=4m "$dir/full"
	visit bob
	printf '%s\n' "$output" >"$dir/after"
	all_there 80
}
