#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Who is online, and who hears of it: once, not twice within seconds, not what
# was before the own login.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol dave
}

@test "a login and a logout are told once, to all others" {
	centre_start
	in_session alice bob
	login carol
	hears alice 'carol has logged in.'
	hears bob 'carol has logged in.'
	hears carol
	logout carol
	hears alice 'carol has logged out (asked).'
	hears bob 'carol has logged out (asked).'
	hears alice
}

@test "events in full" {
	centre_start
	in_session alice
	login bob
	logout bob
	sync alice
	mapfile -t events <"$dir/alice.events"
	reply=${events[0]}
	says 'keys == ["room", "time", "type", "user"] and .type == "login"'
	reply=${events[1]}
	says 'keys == ["reason", "room", "time", "type", "user"]'
	says '[.type, .user, .reason] == ["logout", "bob", "asked"]'
}

@test "presence from before the own login is not told" {
	centre_start
	login alice
	login carol
	logout carol
	later 6
	login bob
	hears bob
	login carol
	hears bob 'carol has logged in.'
}

@test "a login within seconds of a logout takes both back" {
	centre_start
	in_session alice bob
	logout bob
	login bob
	hears alice
	as alice online
	says '[.users[].user] == ["bob"]'
}

@test "who has read of the logout reads of the login" {
	centre_start
	in_session alice bob carol
	logout bob
	hears alice 'bob has logged out (asked).'
	login bob
	hears alice 'bob has logged in.'
	# Carol was not looking all that while.
	hears carol
}

@test "a login later than that is news" {
	centre_start
	in_session alice bob
	logout bob
	later 6
	login bob
	hears alice 'bob has logged out (asked).' 'bob has logged in.'
}

@test "back and gone again: the logout is news" {
	centre_start
	in_session alice bob
	logout bob
	login bob
	logout bob
	hears alice 'bob has logged out (asked).'
}

@test "a takeover is no news" {
	centre_start
	in_session alice bob
	SOURCE=127.0.0.2 login bob
	login bob
	hears alice
	as alice online
	says '[.users[].user] == ["bob"]'
}

@test "since when somebody is online outlives takeover and restart" {
	centre_start
	in_session alice bob
	as alice online
	since=$(value '.users[0].since')
	login bob
	centre_restart
	as alice online
	says .users[0].since "$since"
	says '.users[0] | keys == ["since", "user"]'
}

@test "the one who blocks is not seen by the one blocked" {
	centre_start
	in_session alice bob
	as alice block user=bob
	logout alice
	login carol
	hears bob 'carol has logged in.'
	later 6
	login alice
	hears bob
	as bob online
	says '[.users[].user] == ["carol"]'
	as carol online
	says '[.users[].user] == ["alice", "bob"]'
	# The other way all is as it was.
	as alice online
	says '[.users[].user] == ["bob", "carol"]'
	logout bob
	hears alice 'bob has logged out (asked).'
}

@test "presence counts the blocks as they were when it was written" {
	centre_start
	in_session alice bob
	as alice block user=bob
	logout alice
	brief alice unblock user=bob
	later 6
	login alice
	hears bob 'alice has logged in.'
}

@test "online is sorted, without oneself, page by page" {
	centre_start
	for name in dave carol bob alice; do
		login $name
	done
	as bob online
	says '[.users[].user] == ["alice", "carol", "dave"]'
	says '.more == false'
	as bob online max:=1
	says '[.users[].user] == ["alice"] and .more == true'
	as bob online max:=1 after=alice
	says '[.users[].user] == ["carol"] and .more == true'
	as bob online max:=5 after=carol
	says '[.users[].user] == ["dave"] and .more == false'
	as bob online after=zoe
	says '.users == [] and .more == false'
	as bob online after=bz
	says '[.users[].user] == ["carol", "dave"]'
	as bob online max:=0
	refused bad-request
	as bob online after='no name'
	refused bad-request
}

@test "many people online come in pages that fit a line" {
	centre_configure 'session: { timeout = 3600; };'
	# One hash for all, or this would take a minute.
	sql "INSERT INTO users (name, hash, state, created, last_login, failed,
			mail_head, mail_count, mail_ack, room_ack)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n WHERE i < 1200)
		SELECT printf('user-%04d-%022d', i, 0), hash, state, created, 0,
			0, 0, 0, 0, 0 FROM n, users WHERE name = 'alice'"
	sql "INSERT INTO session (token, user_id, family, port, ip, since, used,
			login_room, online, ended, ended_at, ended_from)
		SELECT randomblob(32), id, 2, 1, zeroblob(16), created,
			4000000000000, 0, created, '', 0, ''
		FROM users WHERE name LIKE 'user-%'"
	centre_run
	login alice
	after='' total=0 pages=0
	while :; do
		as alice online after="$after" >/dev/null
		accepted
		[ ${#reply} -lt 65536 ]
		total=$((total + $(value '.users | length')))
		pages=$((pages + 1))
		after=$(value '.users[-1].user')
		[ "$(value .more)" = true ] || break
	done
	same 1200 $total
	[ $pages -gt 1 ]
	[ $pages -lt 5 ]
	broadcast alice 'hi all'
	says '.reached == 1200'
}
