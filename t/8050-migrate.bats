#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A database of an older version: copied aside, brought up, whole after any
# end in between.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: old_database ; the state directory's is of version 1 now
old_database()
{
	newest=$(version "$state/chatd.db")
	hash=$(sql "SELECT hash FROM users WHERE name = 'alice'")
	rm -f "$state"/chatd.db*
	: >"$state/chatd.db"
	sql "$(grep -v '^--' "$CHAT_SRC/t/lib/version-1.sql")"
	sql "UPDATE users SET hash = '$hash'"
}

# usage: version FILE ; prints the version
version()
{
	"$CHAT_BUILD/t/tool/db" "$1" \
		"SELECT value FROM meta WHERE key = 'version'"
}

# usage: tables FILE ; prints what it is made of
tables()
{
	"$CHAT_BUILD/t/tool/db" "$1" \
		'SELECT name, sql FROM sqlite_master ORDER BY name'
}

@test "an older database is brought up, after a copy" {
	fresh=$(tables "$state/chatd.db")
	old_database
	before=$(tables "$state/chatd.db")
	centre_start
	ask login user=bob password=alice-secret
	accepted
	says .epoch 0123456789abcdef
	value .token >"$dir/bob.token"
	value '[.epoch, .mail, .room] | join(" ")' >"$dir/bob.cursor"
	sync bob | grep -qxF 'alice: from the first version'
	has_line "$log" 'was of version 1 and is now of version'
	centre_stop
	same "$fresh" "$(tables "$state/chatd.db")" 'the tables'
	copies=("$state"/chatd.db.v1-*)
	same 1 "${#copies[@]}" 'copies'
	same 600 "$(stat -c %a "${copies[0]}")"
	same 1 "$(version "${copies[0]}")"
	same "$before" "$(tables "${copies[0]}")"
	[ ! -e "$state/chatd.db.part" ]
	# Once is enough.
	rm "${copies[0]}"
	centre_again
	run ! ls "$state"/chatd.db.v1-*
}

@test "chatctl brings it up as well, and check only says so" {
	old_database
	centre_configure
	run -0 ctl check
	holds "$output" 'version 1, is whole; chatd will bring it up'
	same 1 "$(version "$state/chatd.db")"
	run -0 ctl user list
	holds "$output" alice
	same "$newest" "$(version "$state/chatd.db")"
}

@test "where there is no room for the copy, nothing is changed" {
	old_database
	mkdir "$state/chatd.db.part"
	centre_configure
	run -74 timeout "$patience" chatctl -c "$conf" user list
	holds "$output" chatd.db.part
	rmdir "$state/chatd.db.part"
	same 1 "$(version "$state/chatd.db")"
}

@test "killed at any moment, it is brought up at the next start" {
	old_database
	sql "WITH RECURSIVE c(n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM c
		WHERE n < 60000) INSERT INTO room SELECT n, 1, 'broadcast',
		$(date +%s)000, 0, 'alice', 'i' || n, hex(randomblob(200)), 0 FROM c;
		UPDATE meta SET value = '60000' WHERE key = 'room_head'"
	centre_configure
	cp "$state/chatd.db" "$dir/old.db"
	# The later ones end after it was done.
	for pause in 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.15 0.2 0.3 0.5; do
		(
			exec setsid chatd -c "$conf" -f
		) >/dev/null 2>>"$dir/killed.log" 3>&- &
		pid=$!
		SESSIONS="$SESSIONS $pid"
		sleep "$pause"
		pkill -KILL -s "$pid" || true
		wait "$pid" || true
		wait_for session_gone "$pid"
		for copy in "$state"/chatd.db.v1-*; do
			[ -e "$copy" ] || continue
			# Whole, or it would not have that name.
			same 60000 "$("$CHAT_BUILD/t/tool/db" "$copy" \
				'SELECT count(*) FROM room')"
			rm "$copy"
		done
		# Once more, until the last.
		[ "$pause" = 0.5 ] || {
			rm -f "$state"/chatd.db-*
			cp "$dir/old.db" "$state/chatd.db"
		}
	done
	centre_start
	login_old=$(ask login user=bob password=alice-secret)
	holds "$login_old" '"ok":true'
	centre_stop
	same "$newest" "$(version "$state/chatd.db")"
	same ok "$(sql 'PRAGMA quick_check')"
	same 60000 "$(sql "SELECT count(*) FROM room WHERE type = 'broadcast'")"
}
