#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Logging in and out: what a login says, who is let in, what a token opens.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

@test "a login tells what the client must know" {
	centre_start
	ask login user=alice password=alice-secret
	accepted
	says .user alice
	says '.token | test("^[A-Za-z0-9_-]{43}$")'
	says '.time | test("^20..-..-..T..:..:..[.]...Z$")'
	says '[.heartbeat, .timeout] == [30, 90]'
	says '.beacon | test("^[0-9a-f]{16}$")'
	says '.epoch | test("^[0-9a-f]{16}$")'
	says '[.mail, .room, .room_spread] == [0, 0, 0]'
	says '.last_login == null and has("last_login")'
	says .failed_attempts 0
}

@test "hello needs no login" {
	centre_start
	ask hello tag:='{"any":["thing",1]}'
	accepted
	says '.tag == {"any":["thing",1]}'
	says .server chatd
	says '.version | test("^[0-9]+[.][0-9]+")'
	says .protocol 1
	says '.time | test("Z$")'
	says '[.heartbeat, .timeout] == [30, 90]'
	says .limits.message_bytes 8192
	says .registration closed
}

@test "names are folded, in the login and in messages" {
	centre_start
	ask login user=ALICE password=alice-secret
	accepted
	says .user alice
	login alice
	login bob
	send alice BoB hi
	accepted
	hears bob 'alice: hi'
}

@test "the last login and the failures since are told" {
	centre_start
	login alice
	ask login user=alice password=wrong
	refused login-failed
	ask login user=alice password=wrong
	refused login-failed
	ask login user=alice password=alice-secret
	accepted
	says .failed_attempts 2
	says '.last_login | test("^20..-..-..T..:..:..[.]...Z$")'
	ask login user=alice password=alice-secret
	says .failed_attempts 0
}

@test "a password that is none is malformed, not a failure" {
	centre_start
	ask login user=alice password=
	refused bad-request
	ask login user=alice password="$(printf '%0513d' 0)"
	refused bad-request
	ask login user=alice password="$(printf '%0512d' 0)"
	refused login-failed
	says .attempts_left 2
	ask login user='no name' password=x
	refused bad-request
	ask login user="$(printf '%033d' 0)" password=x
	refused bad-request
}

@test "a logout ends the token" {
	centre_start
	login alice
	logout alice
	as alice live mail:=0 room:=0
	refused session-expired
	as alice logout
	refused session-expired
}

@test "no token, a wrong one, one of the wrong form" {
	centre_start
	ask live mail:=0 room:=0
	refused bad-request
	holds "$(value .text)" '"token" is missing'
	ask send id=0123456789abcdef to=bob text=hi
	refused not-allowed
	ask online
	refused not-allowed
	ask live token="$(printf '%043d' 0)" mail:=0 room:=0
	refused session-expired
	ask live token=x mail:=0 room:=0
	refused session-expired
	ask live token= mail:=0 room:=0
	refused session-expired
	login alice
	ask live token="$(<"$dir/alice.token")x" mail:=0 room:=0
	refused session-expired
}

@test "a login elsewhere takes the session over and says from where" {
	centre_start
	login alice
	mv "$dir/alice.token" "$dir/old.token"
	SOURCE=127.0.0.2 login alice
	as old live mail:=0 room:=0
	refused session-replaced
	says .address 127.0.0.2
	says '.time | test("^20..-..-..T..:..:..[.]...Z$")'
	as old sync epoch=0123456789abcdef mail:=0 room:=0
	refused session-replaced
	as old send id=0123456789abcdef to=bob text=hi
	refused session-replaced
	as alice live mail:=0 room:=0
	accepted
}

@test "the reason of an ended session outlives a restart" {
	centre_start
	login alice
	mv "$dir/alice.token" "$dir/old.token"
	SOURCE=127.0.0.2 login alice
	login bob
	logout bob
	centre_restart
	as old live mail:=0 room:=0
	refused session-replaced
	says .address 127.0.0.2
	as bob live mail:=0 room:=0
	refused session-expired
	as alice live mail:=0 room:=0
	accepted
}

@test "a token from another address is roaming, not a login" {
	centre_start
	login alice
	login bob
	sync alice
	SOURCE=127.0.0.2 as alice live mail:=0 room:=0
	accepted
	SOURCE=127.0.0.3 tell alice bob 'from afar'
	hears bob 'alice: from afar'
	as alice live mail:=0 room:=0
	accepted
	# Nobody heard of a login or logout.
	hears bob
}

@test "peer_port is absent, 0 or a port that needs no rights" {
	centre_start
	ask login user=alice password=alice-secret peer_port=2000
	refused bad-request
	for port in 0 1024 65535; do
		ask login user=alice password=alice-secret peer_port:=$port
		accepted
	done
	for port in 1 1023 65536 -1 2000.5 true; do
		ask login user=alice password=alice-secret peer_port:=$port
		refused bad-request
	done
}
