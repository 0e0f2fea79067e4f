#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Backup and restore: what is in one, that the centre serves meanwhile, and
# that nobody loses mail by it or sees any twice.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob carol
}

# usage: tear_down ; what the test of the full disk may have left
tear_down()
{
	! mountpoint -q "$dir/disk" || umount "$dir/disk"
}

# usage: in_file FILE SQL ; prints what it gives
in_file()
{
	"$CHAT_BUILD/t/tool/db" "$1" "$2"
}

# usage: sound FILE ; a whole backup, one file, of our eyes only
sound()
{
	same ok "$(in_file "$1" 'PRAGMA quick_check')" &&
		same 600 "$(stat -c %a "$1")" &&
		same 1 "$(find "$(dirname "$1")" -name "${1##*/}*" | wc -l)" \
			'files' &&
		same 0 "$(in_file "$1" 'SELECT count(*) FROM session')"
}

# usage: many_entries COUNT ; so many in the room log of a centre that is
# stopped, of 400 octets each
many_entries()
{
	sql "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c
		WHERE n < $1) INSERT INTO room SELECT n, 1, 'broadcast',
		$(date +%s)000, 0, 'alice', printf('entry-%012d', n),
		hex(randomblob(200)), 0 FROM c;
		INSERT INTO meta VALUES ('room_head', '$1')
		ON CONFLICT (key) DO UPDATE SET value = excluded.value;
		UPDATE users SET room_ack = $1"
}

@test "a backup holds accounts, mail and blocks, and no sessions" {
	centre_start
	in_session alice bob
	tell alice carol 'for carol'
	tell alice bob 'read and gone, a secret'
	sync bob
	as bob block user=carol
	run -0 ctl backup "$dir/a.backup"
	holds "$output" "3 users and their mail are in $dir/a.backup."
	sound "$dir/a.backup"
	same 'alice bob carol' "$(in_file "$dir/a.backup" \
		'SELECT name FROM users ORDER BY name' | xargs)"
	same 'for carol' "$(in_file "$dir/a.backup" 'SELECT body FROM mail
		WHERE type = '"'message'")"
	same 1 "$(in_file "$dir/a.backup" 'SELECT count(*) FROM block')"
	# Whoever was online falls silent in it, so that its log is true.
	same 'alice bob' "$(in_file "$dir/a.backup" "SELECT name FROM room
		WHERE type = 'logout' ORDER BY name" | xargs)"
	same "$(in_file "$dir/a.backup" 'SELECT max(n) FROM room')" \
		"$(in_file "$dir/a.backup" "SELECT value FROM meta
			WHERE key = 'room_head'")"
	! grep -qaF 'read and gone' "$dir/a.backup" || fail 'deleted mail'
	# Nothing stays behind, and the sessions go on.
	[ ! -e "$state/chatd.db.backup" ]
	as bob live mail:=0 room:=0
	accepted
	run -0 ctl --json backup "$dir/b.backup"
	same true "$(jq .ok <<<"$output")"
	same 3 "$(jq .users <<<"$output")"
}

@test "a backup of a centre that is stopped" {
	centre_start
	login alice
	tell alice bob hi
	centre_stop
	run -0 ctl backup "$dir/a.backup"
	sound "$dir/a.backup"
	same hi "$(in_file "$dir/a.backup" 'SELECT body FROM mail')"
	[ ! -e "$state/chatd.db.backup" ]
}

@test "nothing is overwritten, nothing half is left" {
	centre_start
	echo precious >"$dir/there"
	run -1 ctl backup "$dir/there"
	holds "$output" "$dir/there is there already"
	same precious "$(<"$dir/there")"
	ln -s nowhere "$dir/link"
	run -1 ctl backup "$dir/link"
	run -74 ctl backup "$dir/no/where"
	run -64 ctl backup
	# A copy that cannot be made.
	mkdir "$state/chatd.db.backup"
	run -1 ctl backup "$dir/a.backup"
	rmdir "$state/chatd.db.backup"
	run ! compgen -G "$dir/a.backup*"
	run -0 ctl backup "$dir/a.backup"
}

@test "the centre serves meanwhile, and the copy is of one moment" {
	centre_configure
	many_entries 150000
	centre_start
	in_session alice bob
	ctl backup "$dir/a.backup" >"$dir/backup.out" 2>&1 3>&- &
	backup=$!
	count=0 slowest=0
	while ! gone "$backup"; do
		begun=${EPOCHREALTIME/./}
		tell alice bob "message $((++count))"
		took=$(((${EPOCHREALTIME/./} - begun) / 1000))
		[ "$took" -le "$slowest" ] || slowest=$took
	done
	wait "$backup"
	echo "# $count sent meanwhile, the slowest in $slowest ms" >&3
	[ "$count" -ge 2 ]
	[ "$slowest" -lt 3000 ]
	sound "$dir/a.backup"
	same 150000 "$(in_file "$dir/a.backup" "SELECT count(*) FROM room
		WHERE type = 'broadcast'")"
	# The first ones and no gap: that of one moment.
	got=$(in_file "$dir/a.backup" "SELECT count(*), coalesce(max(n), 0)
		FROM mail WHERE type = 'message'")
	same "${got%|*}" "${got#*|}"
}

@test "interrupted, it leaves nothing" {
	centre_configure
	many_entries 150000
	centre_start
	setsid chatctl -c "$conf" backup "$dir/a.backup" >/dev/null \
		2>"$dir/a.err" 3>&- &
	backup=$!
	wait_for [ -e "$state/chatd.db.backup" ]
	# As from the keyboard: all of the group.
	kill -INT -- "-$backup"
	wait "$backup" && fail 'it said that it was done'
	has_line "$dir/a.err" interrupted
	run ! compgen -G "$dir/a.backup*"
	wait_for [ ! -e "$state/chatd.db.backup" ]
}

@test "where there is no room for it, the centre goes on" {
	mkdir "$dir/disk"
	mount -t tmpfs -o size=8m,mode=700 tmpfs "$dir/disk" 2>/dev/null ||
		skip 'no file system can be mounted here'
	cp -r "$state"/* "$dir/disk"
	state=$dir/disk
	centre_start
	run -1 ctl backup "$dir/a.backup"
	holds "$output" 'There is no room'
	run ! compgen -G "$dir/a.backup*"
	login alice
	tell alice bob hi
}

@test "what an administrator leaves behind is cleared away" {
	centre_configure
	many_entries 150000
	centre_start
	ctl backup "$dir/a.backup" >/dev/null 2>&1 3>&- &
	backup=$!
	wait_for [ -e "$state/chatd.db.backup" ]
	kill -KILL "$(pgrep -P "$backup" chatctl || true)" "$backup" || true
	wait "$backup" || true
	cleared()
	{
		[ ! -e "$state/chatd.db.backup" ]
	}
	wait_for cleared
	[ ! -e "$dir/a.backup" ]
	# And by a store that was killed at it.
	: >"$state/chatd.db.backup"
	centre_kill store
	wait_for centre_whole
	wait_for cleared
	run -0 ctl backup "$dir/a.backup"
}

@test "restore wants a centre that is stopped" {
	centre_start
	ctl backup "$dir/a.backup"
	login alice
	before=$(cut -d' ' -f1 <"$dir/alice.cursor")
	run -1 ctl restore "$dir/a.backup"
	holds "$output" 'the centre runs; end it first'
	login alice
	same "$before" "$(cut -d' ' -f1 <"$dir/alice.cursor")"
}

@test "what is no sound backup is refused, and nothing is changed" {
	centre_start
	login alice
	tell alice bob hi
	ctl backup "$dir/good"
	centre_stop
	before=$(sql 'SELECT * FROM meta, users' | sha256sum)
	head -c 30000 /dev/urandom >"$dir/noise"
	: >"$dir/empty"
	head -c 8192 "$dir/good" >"$dir/cut"
	cp "$state/chatd.db" "$dir/database"
	cp "$dir/good" "$dir/newer"
	in_file "$dir/newer" "UPDATE meta SET value = '99'
		WHERE key = 'version'"
	cp "$dir/good" "$dir/damaged"
	dd if=/dev/urandom of="$dir/damaged" bs=4096 seek=4 count=3 \
		conv=notrunc status=none
	for bad in noise empty cut database newer damaged; do
		run -1 ctl restore "$dir/$bad"
		holds "$output" "$dir/$bad: "
	done
	holds "$(ctl restore "$dir/newer" 2>&1 || true)" 'of a newer version'
	holds "$(ctl restore "$dir/database" 2>&1 || true)" 'no backup'
	run -74 ctl restore "$dir/nowhere"
	same "$before" "$(sql 'SELECT * FROM meta, users' | sha256sum)"
	run ! compgen -G "$state/chatd.db.*"
	run -0 ctl restore "$dir/good"
}

@test "restore: a new epoch, cursors of the login, mail as it was" {
	centre_start
	in_session alice bob
	tell alice bob one
	hears bob 'alice: one'
	tell alice bob two
	ctl backup "$dir/a.backup"
	tell alice bob three
	sync bob >"$dir/bob.heard"
	cp "$dir/bob.events" "$dir/bob.before"
	cursor bob
	old=$epoch
	centre_stop
	run -0 ctl restore "$dir/a.backup"
	holds "$output" '3 users and their mail are as they were at '
	holds "$output" "is kept in $state/chatd.db.before-restore-"
	kept=$(echo "$state"/chatd.db.before-restore-*)
	same 600 "$(stat -c %a "$kept")"
	same ok "$(in_file "$kept" 'PRAGMA quick_check')"
	[ ! -e "$state/chatd.db-wal" ] && [ ! -e "$state/chatd.db.restore" ]
	centre_again
	# No token of before opens anything.
	as bob sync epoch="$epoch" mail:="$mail" room:="$room"
	refused session-expired
	login bob
	cursor bob
	[ "$epoch" != "$old" ]
	# A cursor of the life before is not taken.
	as bob sync epoch="$old" mail:="$mail" room:="$room"
	refused bad-request
	# What was acknowledged then is gone, what was not comes again, with
	# the id by which the client knows it.
	sync bob >"$dir/bob.heard"
	same 'alice: two' "$(grep alice: "$dir/bob.heard")"
	same "$(jq -r 'select(.text == "two").id' "$dir/bob.before")" \
		"$(jq -r 'select(.text == "two").id' "$dir/bob.events")"
	login alice
	tell alice bob four
	holds "$(sync bob)" 'alice: four'
	centre_stop
	same '' "$(sql "SELECT value FROM meta WHERE key = 'backup'")"
}

@test "a former centre that was killed is kept whole, with its last commits" {
	centre_start
	ctl backup "$dir/a.backup"
	login alice
	tell alice bob 'only in the log'
	store=$(centre_pid store) master=$MASTER MASTER=''
	# The store first: it ends in good order when its master is gone.
	kill -STOP "$master"
	kill -KILL "$store" "$master"
	wait "$master" || true
	wait_for session_gone "$master"
	[ -s "$state/chatd.db-wal" ]
	run -0 ctl restore "$dir/a.backup"
	kept=$(echo "$state"/chatd.db.before-restore-*)
	same 'only in the log' "$(in_file "$kept" 'SELECT body FROM mail')"
	centre_again
	login bob
	hears bob ''
}

@test "a former database that is damaged, or missing" {
	centre_start
	ctl backup "$dir/a.backup"
	centre_stop
	head -c 20000 /dev/urandom >"$state/chatd.db"
	before=$(sha256sum <"$state/chatd.db")
	echo log >"$state/chatd.db-wal"
	run -0 ctl restore "$dir/a.backup"
	kept=$(compgen -G "$state/chatd.db.before-restore-*" | grep -v wal)
	same "$before" "$(sha256sum <"$kept")"
	same log "$(<"$kept-wal")"
	centre_again
	login alice
	centre_stop
	rm -f "$state"/chatd.db*
	run -0 ctl --json restore "$dir/a.backup"
	same null "$(jq .kept <<<"$output")"
	centre_again
	login alice
}

@test "a backup of an older version is brought up when chatd starts" {
	centre_start
	ctl backup "$dir/a.backup"
	centre_stop
	in_file "$dir/a.backup" "DROP TABLE invite; DROP TABLE link;
		DROP INDEX mail_passing;
		ALTER TABLE mail DROP COLUMN passing;
		ALTER TABLE session DROP COLUMN peer_port;
		ALTER TABLE session DROP COLUMN peer_key;
		ALTER TABLE session DROP COLUMN beacon;
		ALTER TABLE session DROP COLUMN keys;
		UPDATE meta SET value = '1' WHERE key = 'version'"
	run -0 ctl restore "$dir/a.backup"
	centre_again
	login alice
	has_line "$log" 'was of version 1 and is now of version'
}

@test "killed at any moment, restore leaves the one or the other" {
	centre_configure
	ctl backup "$dir/a.backup"
	in_file "$dir/a.backup" "UPDATE users SET name = 'other'
		WHERE name = 'bob'"
	for pause in 0.002 0.005 0.01 0.015 0.02 0.03 0.05 0.1; do
		chatctl -c "$conf" restore "$dir/a.backup" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$pause"
		kill -KILL "$pid" || true
		wait "$pid" || true
		names=$(sql 'SELECT name FROM users ORDER BY name' | xargs)
		[ "$names" = 'alice bob carol' ] ||
			[ "$names" = 'alice carol other' ] || fail "$names"
		same ok "$(sql 'PRAGMA quick_check')"
		sql "UPDATE users SET name = 'bob' WHERE name = 'other'"
	done
	run -0 ctl restore "$dir/a.backup"
	[ ! -e "$state/chatd.db.restore" ]
	ctl user list | grep -q '^other '
}

# usage: goes NAME ; leaves, and what was seen is kept in $dir/NAME.all
goes()
{
	leaves "$1" && cat "$dir/$1.out" >>"$dir/$1.all"
}

kept_for_bob='bob is offline; the message is kept and will be delivered at the next login.'

@test "real clients lose nothing by it, and see nothing twice" {
	centre_start
	person alice
	person bob
	types alice 'message bob before'
	sees bob 'alice: before'
	types alice 'broadcast to everybody'
	sees bob 'alice (to all): to everybody'
	types alice 'message carol kept for carol'
	sees alice "${kept_for_bob/bob/carol}"
	goes bob
	types alice 'message bob waits for bob'
	sees alice "$kept_for_bob"
	goes alice
	ctl backup "$dir/a.backup"
	ctl notice --to bob 'after the backup'
	# Read after the backup was made: the centre will offer it again.
	person bob
	sees_like bob 'alice .*: waits for bob'
	goes bob
	person alice
	centre_stop
	# Typed while there is no centre.
	types alice 'message bob from the dark'
	sees alice 'The centre cannot be reached; messages will be sent when it is back.'
	ctl restore "$dir/a.backup"
	centre_again
	# The client was there all the time; its session is gone, not its mail.
	sees alice 'Your session has ended; start chat again to log in.'
	ends alice 77
	cat "$dir/alice.out" >>"$dir/alice.all"
	person bob
	person carol
	person alice
	sees_like carol 'alice .*: kept for carol'
	sees bob 'alice: from the dark'
	types bob 'message alice indeed'
	sees alice 'bob: indeed'
	types alice 'broadcast hear hear'
	sees bob 'alice (to all): hear hear'
	goes bob
	goes carol
	goes alice
	# Once more, to be sure that nothing was left to come.
	person bob
	goes bob
	for said in before 'to everybody' 'waits for bob' 'from the dark' \
		'hear hear'; do
		same 1 "$(grep -c ": $said\$" "$dir/bob.all")" "times: $said"
	done
	same 1 "$(grep -c ': kept for carol$' "$dir/carol.all")"
	same 1 "$(grep -c ': indeed$' "$dir/alice.all")"
}
