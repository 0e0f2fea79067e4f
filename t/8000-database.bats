#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The database: of another version, damaged, not writable; what is in it after
# any end.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: refused_start STATUS TEXT ; the centre does not start, and says so
refused_start()
{
	centre_configure
	run "-$1" timeout "$patience" chatd -f -c "$conf" 3>&-
	holds "$output" "$2"
	nobody_left
}

@test "a database of a newer version is refused and not touched" {
	ours=$(sql "SELECT value FROM meta WHERE key = 'version'")
	sql "UPDATE meta SET value = '99' WHERE key = 'version'"
	before=$(sql 'SELECT * FROM meta, users' | sha256sum)
	refused_start 65 'version 99'
	holds "$output" 'install the newer chatd'
	same "$before" "$(sql 'SELECT * FROM meta, users' | sha256sum)"
	run ctl user list
	[ "$status" -ne 0 ]
	run ctl user add dave <<<secret
	[ "$status" -ne 0 ]
	same "$before" "$(sql 'SELECT * FROM meta, users' | sha256sum)"
	sql "UPDATE meta SET value = '$ours' WHERE key = 'version'"
	centre_start
	login alice
}

@test "what is no database is refused and not touched" {
	rm -f "$state"/chatd.db*
	head -c 20000 /dev/urandom >"$state/chatd.db"
	before=$(sha256sum <"$state/chatd.db")
	refused_start 65 'chatd.db'
	same "$before" "$(sha256sum <"$state/chatd.db")"
}

@test "a database that is damaged inside is not served from" {
	centre_start
	login alice
	tell alice bob hi
	centre_stop
	size=$(stat -c %s "$state/chatd.db")
	# All but the header.
	head -c $((size - 4096)) /dev/urandom | dd of="$state/chatd.db" bs=4096 \
		seek=1 conv=notrunc status=none
	refused_start 65 'damaged'
	holds "$output" 'chatctl restore FILE'
}

@test "a database that was cut off is refused, with what to do" {
	size=$(stat -c %s "$state/chatd.db")
	truncate -s $((size / 2 / 4096 * 4096)) "$state/chatd.db"
	before=$(sha256sum <"$state/chatd.db")
	refused_start 65 'chatctl restore FILE'
	same "$before" "$(sha256sum <"$state/chatd.db")"
}

@test "a database that has lost all its content is refused, with what to do" {
	[ -s "$state/chatd.reserve" ]
	: >"$state/chatd.db"
	refused_start 65 'chatctl restore FILE'
	same 0 "$(stat -c %s "$state/chatd.db")"
	run ctl user list
	[ "$status" -ne 0 ]
	# One that never had any is a new one.
	rm "$state/chatd.reserve"
	centre_start
}

@test "a centre that meets damage again and again ends, with what to do" {
	# Ids of messages: looked at a second after each start.
	page=$(sql "SELECT rootpage FROM sqlite_master WHERE name = 'accepted'")
	head -c 4096 /dev/urandom | dd of="$state/chatd.db" bs=4096 \
		seek=$((page - 1)) conv=notrunc status=none
	centre_start
	wait_for gone "$MASTER"
	ended=0
	wait "$MASTER" || ended=$?
	MASTER=''
	same 65 "$ended"
	same 3 "$(grep -c 'the store ended with status 65' "$log")"
	holds "$(tail -n 2 "$log")" 'chatctl restore FILE'
}

@test "an empty state directory gets a database" {
	rm -f "$state"/chatd.db*
	centre_start
	same 600 "$(stat -c %a "$state/chatd.db")"
	ask login user=alice password=alice-secret
	refused login-failed
	user_add alice
	ask login user=alice password=alice-secret
	accepted
}

@test "directories that cannot be made" {
	centre_configure
	sed -i "s,$state,$conf/state," "$conf"
	echo "tls: { certificate = \"$state/server.pem\"; key = \"$state/server.key\"; };" \
		>>"$conf"
	run -73 timeout "$patience" chatd -f -c "$conf" 3>&-
	holds "$output" "$conf/state"
	centre_configure
	: >"$run_dir"
	run -73 timeout "$patience" chatd -f -c "$conf" 3>&-
	holds "$output" "$run_dir"
}

@test "directories of somebody else" {
	[ "$(id -u)" -ne 0 ] || skip 'root may write everywhere'
	centre_configure
	chmod 500 "$state"
	run -77 timeout "$patience" chatd -f -c "$conf" 3>&-
	chmod 700 "$state"
}

@test "what a crash leaves behind is as it was accepted" {
	centre_start
	login alice
	login bob
	for i in {1..20}; do
		tell alice bob "number $i" >/dev/null
	done
	as bob block user=alice
	centre_kill master
	# The write-ahead log holds it, and survives.
	centre_again
	send alice bob hi
	refused blocked
	same 20 "$(sync bob | grep -c '^alice: number ')"
	centre_stop
	same ok "$(sql 'PRAGMA integrity_check')"
}

@test "the database is synchronous, and nobody else can open it meanwhile" {
	centre_start
	login alice
	run sql 'SELECT count(*) FROM users'
	[ "$status" -ne 0 ]
	holds "$output" 'locked'
}

@test "no password and no token is stored as it is" {
	centre_start
	login alice
	token=$(<"$dir/alice.token")
	centre_stop
	for secret in "$token" alice-secret bob-secret; do
		! grep -rqaF "$secret" "$state" || fail "$secret is in a file"
	done
	# shellcheck disable=SC2016 # dollars are dollars
	holds "$(sql 'SELECT hash FROM users')" '$argon2id$v=19$m=19456,t=2,p=1$'
}
