#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Messages to all: who is reached, who refuses, who gets them later.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob carol
}

@test "it reaches who is online, and not the sender" {
	centre_start
	in_session alice bob carol
	broadcast alice 'hi all'
	says '.reached == 2 and .refused == 0'
	hears bob 'alice (to all): hi all'
	hears carol 'alice (to all): hi all'
	hears alice
}

@test "an event in full" {
	centre_start
	in_session alice bob
	broadcast alice 'hi'
	sync bob
	reply=$(<"$dir/bob.events")
	says 'keys == ["from", "id", "room", "text", "time", "type"]'
	says .id "$id"
	cursor bob
	says .room "$room"
}

@test "who was offline does not get it" {
	centre_start
	in_session alice bob carol
	logout carol
	broadcast alice 'carol is away'
	says '.reached == 1'
	# Soon after a logout a login would take it back.
	later 6
	login carol
	broadcast alice 'carol is back'
	sync bob >"$dir/bob"
	hears carol 'alice (to all): carol is back'
	grep -qxF 'alice (to all): carol is away' "$dir/bob"
	grep -qxF 'alice (to all): carol is back' "$dir/bob"
}

@test "a new account gets none from before" {
	centre_start
	login alice
	broadcast alice 'before'
	user_add dave
	broadcast alice 'between'
	login dave
	hears dave
	broadcast alice 'after'
	hears dave 'alice (to all): after'
}

@test "what was sent while one was online is there at the next login" {
	centre_start
	in_session alice bob carol
	broadcast alice 'while online'
	logout bob
	broadcast alice 'while away'
	later 6
	login bob
	broadcast alice 'again online'
	# Broadcasts of that time, but no presence from before the login.
	hears bob 'alice (to all): while online' 'alice (to all): again online'
}

@test "a takeover loses no broadcast" {
	centre_start
	in_session alice bob
	broadcast alice one
	login bob
	broadcast alice two
	hears bob 'alice (to all): one' 'alice (to all): two'
	login bob
	hears bob
}

@test "the same again is answered as the first time and sent once" {
	centre_start
	in_session alice bob carol
	broadcast alice once
	first=$reply
	logout carol
	as alice broadcast id="$id" text=once
	same "$first" "$reply"
	as alice broadcast id="$id" text=other
	refused bad-request
	as alice send id="$id" to=bob text=once
	refused bad-request
	hears bob 'alice (to all): once' 'carol has logged out (asked).'
}

@test "with blocks, refused counts all who block the sender" {
	centre_start
	in_session alice bob carol
	as bob block user=alice
	broadcast alice one
	says '.reached == 1 and .refused == 1'
	hears bob
	hears carol 'alice (to all): one'
	# Also those who are offline.
	logout bob
	broadcast alice two
	says '.reached == 1 and .refused == 1'
	# Whom the sender blocks is reached all the same.
	as alice block user=carol
	broadcast alice three
	says '.reached == 1'
}

@test "a block counts from when it was set, until it was ended" {
	centre_start
	in_session alice bob carol
	broadcast alice one
	as bob block user=alice
	broadcast alice two
	as bob unblock user=alice
	broadcast alice three
	hears bob 'alice (to all): one' 'alice (to all): three'
	hears carol 'alice (to all): one' 'alice (to all): two' \
		'alice (to all): three'
}

@test "blocks set and ended by somebody offline, across a restart" {
	centre_start
	in_session alice bob
	broadcast alice one
	logout bob
	brief bob block user=alice
	centre_restart
	broadcast alice two
	later 6
	login bob
	broadcast alice three
	as bob unblock user=alice
	hears bob 'alice (to all): one'
	broadcast alice four
	hears bob 'alice (to all): four'
}

@test "a brief login may broadcast, and reaches all" {
	centre_start
	in_session bob carol
	brief alice broadcast id=0123456789abcdef text='from a script'
	says '.reached == 2 and .refused == 0'
	hears bob 'alice (to all): from a script'
}
