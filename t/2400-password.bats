#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Changing the password, and making an account oneself.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

@test "a new password: the session that asked goes on" {
	centre_start
	login alice
	as alice password old=alice-secret new='better one'
	accepted
	as alice live mail:=0 room:=0
	accepted
	ask login user=alice password=alice-secret
	refused login-failed
	ask login user=alice password='better one'
	accepted
}

@test "a new password by a brief login ends the session" {
	centre_start
	in_session alice bob
	brief alice password old=alice-secret new=better
	accepted
	as alice live mail:=0 room:=0
	refused session-expired
	hears bob 'alice has logged out (removed).'
}

@test "the new password survives the store's death" {
	centre_start
	login alice
	as alice password old=alice-secret new=better
	accepted
	centre_kill store
	ask login user=alice password=better
	accepted
}

@test "an empty or endless new password is malformed" {
	centre_start
	login alice
	as alice password old=alice-secret new=
	refused bad-request
	as alice password old=alice-secret new="$(printf '%0513d' 0)"
	refused bad-request
	as alice password old=alice-secret new="$(printf '%0512d' 0)"
	accepted
}

@test "registration is closed unless the configuration opens it" {
	centre_start
	ask register user=dave password=dave-secret
	refused not-allowed
	says .text 'Registration is closed; ask the administrator.'
	ask login user=dave password=dave-secret
	refused login-failed
}

@test "open registration makes an account" {
	centre_start 'accounts: { registration = "open"; };'
	ask hello
	says .registration open
	ask register user=Dave password=dave-secret
	accepted
	login dave
	ask register user=dave password=other
	refused exists
	ask register user=alice password=other
	refused exists
	ask register user='no name' password=other
	refused bad-request
	ask register user=erin password=
	refused bad-request
	# Known from the first moment on: mail comes in.
	login bob
	ask register user=erin password=erin-secret
	accepted
	tell bob erin welcome
	login erin
	hears erin 'bob: welcome'
}

@test "of two who register one name at once one gets it" {
	centre_start 'accounts: { registration = "open"; };'
	for i in {1..6}; do
		ask register user=dave password="secret-$i" >"$dir/register.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 1 "$(cat "$dir"/register.* | grep -c '"ok":true')"
	same 5 "$(cat "$dir"/register.* | grep -c '"exists"')"
}

@test "a name that was locked while nobody had it is free once registered" {
	centre_start 'accounts: { registration = "open"; };'
	for left in 2 1 0; do
		ask login user=dave password=x
		says .attempts_left $left
	done
	ask register user=dave password=dave-secret
	accepted
	login dave
}
