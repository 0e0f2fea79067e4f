#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The window, chat-gtk: from the first page to a conversation, and its end.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/window

setup_file()
{
	people alice bob carol
}

set_up()
{
	window_wanted
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: session_of NAME ; prints how the agent's session is
session_of()
{
	once 0 "$1" status --json
	jq -r .session <<<"$output"
}

# usage: in_session_of NAME STATE
in_session_of()
{
	[ "$(session_of "$1")" = "$2" ]
}

@test "the first page: server, is that the right centre, name, password" {
	open_window alice
	fill Server "127.0.0.1:$PORT"
	fill Name alice
	fill Password alice-secret
	press 'Log in'
	window_shows 'Is that the right centre?'
	window_shows "$(chatctl -c "$conf" cert show |
		grep -om 1 'sha256//[^ ]*')"
	press 'Yes, trust it'
	window_shows Everybody
	titled "Chat - alice"
	same in "$(session_of alice)"
	has_line "$dir/alice.state/known_servers" 127.0.0.1
	# The next time only the password is asked for.
	key Control+q
	window_ends alice 0
	open_window alice
	window_shows "alice at 127.0.0.1:$PORT"
	fill Password alice-secret
	press 'Log in'
	window_shows Everybody
}

@test "an identity that is not trusted: nothing was sent" {
	open_window alice "$(account_of alice)"
	window_shows 'Is that the right centre?'
	press No
	window_shows 'Log in to a message centre'
	run ! has_line "$dir/alice.state/known_servers" 127.0.0.1
	run ! has_line "$log" 'alice has logged in'
}

@test "a wrong password, and the right one" {
	open_window alice "$(account_of alice)"
	press 'Yes, trust it'
	fill Password wrong
	press 'Log in'
	window_shows 'Invalid password. Please try again.'
	fill Password alice-secret
	press 'Log in'
	window_shows Everybody
}

@test "the third wrong password locks the name" {
	for try in 1 2; do
		ask login user=alice password="wrong $try"
		refused login-failed
	done
	open_window alice "$(account_of alice)"
	press 'Yes, trust it'
	fill Password 'wrong 3'
	press 'Log in'
	window_shows 'Your account has been blocked. Please try again in '
}

@test "the window goes, and the session with it; or it stays" {
	enters alice
	look close
	window_ends alice 0
	wait_for in_session_of alice out
	open_window alice "$(account_of alice)"
	fill Password alice-secret
	press 'Log in'
	window_shows Everybody
	press_in 'Main menu' 'Stay logged in when the window closes'
	wait_for has_line "$dir/alice.state/window.conf" 'stay=true'
	look close
	window_ends alice 0
	same in "$(session_of alice)"
	person bob
	types bob 'message alice while you were out'
	# Nothing is asked then.
	open_window alice "$(account_of alice)"
	window_shows 'while you were out'
	once 0 alice logout
	window_shows 'The session has ended'
}

@test "taken over by another login: told, and never again by itself" {
	enters alice
	chat=(chat --line --state "$dir/elsewhere" --ca "$state/ca.pem"
		--password-file "$dir/alice.password")
	password alice
	mkdir "$dir/elsewhere"
	timeout "$patience" "${chat[@]}" --account "$(account_of alice)" \
		login </dev/null 3>&-
	window_shows 'The session has ended'
	window_shows 'You have been logged out: alice logged in from 127.0.0.1.'
	timeout "$patience" "${chat[@]}" --account "$(account_of alice)" \
		logout </dev/null 3>&-
	window_shows 'Log in again'
}
