#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How a private link lasts and ends at the centre, and that both are told each
# time; over a restart of the store as well, and in no backup.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: agreed ; alice has asked bob, who has agreed; $pass
agreed()
{
	linkable alice 40001
	linkable bob 40002
	asks alice bob
	agrees bob
	pass=$(value .pass)
}

# usage: link ; the same, and all that was told of it is read
link()
{
	agreed
	sync alice >/dev/null
	sync bob >/dev/null
}

# usage: told NAME LINE ; NAME is told that by some sync from now on
told()
{
	wait_for heard "$@"
}

heard()
{
	sync "$1" >>"$dir/$1.told"
	has_line "$dir/$1.told" "$2"
}

# usage: over ; the answer that made the link makes none now
over()
{
	as bob answer request="$request" accept:=true
	refused expired
}

@test "either hangs up" {
	centre_start
	link
	as alice hangup user=bob
	accepted
	hears alice 'the link with bob is over (hangup).'
	event alice hangup
	says 'keys == ["mail", "reason", "time", "type", "user"]'
	hears bob 'the link with alice is over (hangup).'
	over
	link
	as bob hangup user=alice
	accepted
	hears alice 'the link with bob is over (hangup).'
	hears bob 'the link with alice is over (hangup).'
	as bob hangup user=alice
	accepted
	hears alice
}

@test "a question is taken back" {
	centre_start
	linkable alice 40001
	linkable bob 40002
	sync alice >/dev/null
	asks alice bob
	as alice hangup user=bob
	accepted
	hears alice
	hears bob
	over
}

@test "a logout ends links and questions" {
	centre_start
	link
	logout alice
	told bob 'the link with alice is over (asked).'
	over
	link
	logout bob
	told alice 'the link with bob is over (asked).'
	linkable bob 40002
	sync alice >/dev/null
	asks alice bob
	logout bob
	told alice 'no link with bob (expired).'
	linkable bob 40002
	asks alice bob
	logout alice
	sync bob >"$dir/news"
	run -1 grep 'asks for a link' "$dir/news"
	over
}

@test "a takeover ends the link of the session, and what was for it" {
	centre_start
	link
	linkable alice 40001
	hears alice
	told bob 'the link with alice is over (replaced).'
	over
	asks alice bob
	# Not for the one who comes now, nor can it be answered by that one.
	linkable bob 40002
	sync bob >"$dir/news"
	run -1 grep 'asks for a link' "$dir/news"
	over
	told alice 'no link with bob (expired).'
}

@test "what was for a session goes with it, read or not" {
	centre_start
	link
	as bob hangup user=alice
	asks bob alice
	linkable alice 40001
	hears alice
	hears bob 'the link with alice is over (hangup).' \
		'no link with alice (expired).'
	asks alice bob
	as bob answer request="$request" accept:=false
	logout alice
	tell bob alice 'mail stays'
	linkable alice 40001
	hears alice 'bob: mail stays'
}

@test "the administrator and a new password end it" {
	centre_start
	link
	run -0 ctl session end alice
	told bob 'the link with alice is over (removed).'
	link
	brief alice password old=alice-secret new=alice-secret
	told bob 'the link with alice is over (removed).'
}

@test "silence ends it, for both" {
	centre_start 'session: { heartbeat = 1; timeout = 5; };'
	agreed
	told bob 'the link with alice is over (timeout).'
	as bob ask to=alice
	refused offline
	# The token is good: she comes back, and is told.
	sync alice >"$dir/news"
	grep -xF 'the link with bob is over (timeout).' "$dir/news"
	over
}

@test "a pass expires" {
	centre_start 'private: { pass_seconds = 2; };'
	agreed
	told alice 'the link with bob is over (expired).'
	told bob 'the link with alice is over (expired).'
	over
}

@test "a block by either ends it" {
	centre_start
	link
	as alice block user=bob
	hears alice 'the link with bob is over (blocked).'
	hears bob 'the link with alice is over (blocked).'
	as alice unblock user=bob
	over
	link
	brief bob block user=alice
	hears alice 'the link with bob is over (blocked).'
	hears bob 'the link with alice is over (blocked).'
}

@test "a new address of one it leads to ends it" {
	centre_start
	link
	SOURCE=127.0.0.9 hears bob 'the link with alice is over (address).'
	hears alice 'the link with bob is over (address).'
	over
	link
	SOURCE=127.0.0.9 hears alice 'the link with bob is over (address).'
	told bob 'the link with alice is over (address).'
	# A brief login is not the session.
	link
	SOURCE=127.0.0.9 brief bob online
	hears alice
}

@test "a place that only the beacon knows ends nothing" {
	centre_start
	linkable alice 40001
	reply=$("$CHAT_BUILD/t/tool/beacon" --port "$PORT" --key "$(key bob)" \
		login "$dir/bob.beacon" bob bob-secret)
	accepted
	value .token >"$dir/bob.token"
	value '[.epoch, .mail, .room] | join(" ")' >"$dir/bob.cursor"
	asks alice bob
	for _ in check heads; do
		"$CHAT_BUILD/t/tool/beacon" --port "$PORT" \
			--source 127.0.0.9 live "$dir/bob.beacon"
	done >"$dir/lives"
	grep -q '^heads ' "$dir/lives"
	agrees bob
	"$CHAT_BUILD/t/tool/beacon" --port "$PORT" --source 127.0.0.8 \
		live "$dir/bob.beacon"
	sync alice >"$dir/news"
	grep -xF 'bob is at 127.0.0.1:40000.' "$dir/news"
	run -1 grep 'is over' "$dir/news"
	agrees bob
}

@test "a request over the other family of addresses ends nothing" {
	[ -e /proc/net/if_inet6 ] || skip 'no IPv6'
	grep -q ' lo$' /proc/net/if_inet6 || skip 'no IPv6 on loopback'
	centre_start 'listen = [ "127.0.0.1:0", "[::]:0" ];'
	wait_for has_line "$log" 'ready on [::]:'
	six=$(sed -n 's/^chatd: ready on \[::\]://p' "$log")
	link
	CENTRE="[::1]:$six" hears bob
	CENTRE="[::1]:$six" agrees bob
	hears alice
	hears bob
	SOURCE=127.0.0.9 hears bob 'the link with alice is over (address).'
}

@test "who takes no links may be anywhere" {
	centre_start
	linkable alice 0
	linkable bob 40002
	sync alice >/dev/null
	asks alice bob
	agrees bob
	SOURCE=127.0.0.9 hears alice 'bob is at 127.0.0.1:40002.'
	agrees bob
	says '.port == null'
}

@test "the address is that of the last request" {
	centre_start
	SOURCE=127.0.0.8 linkable alice 40001
	linkable bob 40002
	SOURCE=127.0.0.9 asks alice bob
	centre_restart
	SOURCE=127.0.0.7 agrees bob
	says '.host == "127.0.0.9"'
	SOURCE=127.0.0.9 told alice 'bob is at 127.0.0.7:40002.'
}

@test "asking again renews the pass, without a question" {
	centre_start 'private: { pass_seconds = 100; };'
	link
	first=$request
	reload 'private: { pass_seconds = 5000; };'
	asks alice bob
	same "$first" "$request"
	says '.expires_in == 5000'
	hears bob 'alice is at 127.0.0.1:40001.'
	event bob address
	says .pass "$pass"
	says '.expires_in > 4900'
	hears alice 'bob is at 127.0.0.1:40002.'
	event alice address
	says .pass "$pass"
	# By the other one, too; of what was not read the newest is told.
	asks bob alice
	asks bob alice
	hears alice 'bob is at 127.0.0.1:40002.'
	hears bob 'alice is at 127.0.0.1:40001.'
	# The centre goes by the new end.
	agrees bob
	says '.expires_in > 4900'
}

@test "questions and links outlive the store" {
	centre_start
	linkable alice 40001
	linkable bob 40002
	sync alice >/dev/null
	asks alice bob
	centre_kill store
	wait_for centre_whole
	hears bob 'alice asks for a link.'
	event bob ask
	says .fingerprint "$(key alice)"
	agrees bob
	pass=$(value .pass)
	centre_kill store
	wait_for centre_whole
	hears alice 'bob is at 127.0.0.1:40002.'
	event alice address
	says .pass "$pass"
	agrees bob
	says .pass "$pass"
	centre_restart
	as alice hangup user=bob
	accepted
	hears bob 'the link with alice is over (hangup).'
	centre_restart
	hears alice 'the link with bob is over (hangup).'
	over
}

@test "over a restart nothing lasts longer than it had" {
	centre_start
	link
	centre_stop
	# As if the clock had been set back by a year meanwhile.
	sql 'UPDATE link SET ends = ends + 31536000000'
	centre_again
	agrees bob
	says '.expires_in <= 3600 and .expires_in > 3500'
	centre_stop
	sql 'UPDATE link SET ends = 5'
	centre_again
	told alice 'the link with bob is over (expired).'
	told bob 'the link with alice is over (expired).'
}

@test "a backup holds no keys, questions or passes" {
	centre_start
	link
	as alice hangup user=bob
	asks alice bob
	agrees bob
	ctl backup "$dir/a.backup"
	for secret in "$pass" "$(value .pass)" "$request" "$(key alice)" \
		hangup; do
		run ! grep -qaF -e "$secret" "$dir/a.backup"
	done
	grep -qaF -e "$request" "$state"/chatd.db*
	centre_stop
	run -0 ctl restore "$dir/a.backup"
	centre_again
	link
}

@test "status and metrics count questions and links" {
	centre_start
	link
	linkable alice 40001
	sync alice >/dev/null
	asks alice bob
	run -0 ctl --json status
	reply=$output
	says '[.questions, .links] == [1, 0]'
	agrees bob
	run -0 ctl --json status
	reply=$output
	says '[.questions, .links] == [0, 1]'
	run -0 ctl status
	grep -E '^private links +1, 0 questions waiting$' <<<"$output"
	run -0 ctl metrics
	for row in 'link_questions_total 2' 'links_total 2' 'links 1' \
		'link_questions 0' 'requests_total{op="ask"} 2' \
		'requests_total{op="answer"} 2'; do
		grep -xF "chatd_$row" <<<"$output"
	done
}
