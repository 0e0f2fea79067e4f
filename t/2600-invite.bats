#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Registration by invitation: codes that are made, spent, used up, expired and
# revoked, and what a wrong one tells.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice
}

invited='accounts: { registration = "invite"; };'

# usage: invite [OPTION]... ; makes one; the code is in $code
invite()
{
	code=$(ctl invite new "$@" 2>"$dir/invite.err")
	[[ $code =~ ^([0-9a-hjkmnp-tv-z]{4}-){6}[0-9a-hjkmnp-tv-z]{4}$ ]] ||
		fail "no code: $code"
}

# usage: register NAME [CODE]
register()
{
	ask register user="$1" password="$1-secret" ${2+invite="$2"}
}

# usage: used CODE ; prints how many uses are spent, of how many, and the state
used()
{
	ctl --json invite list | jq -r --arg code "${1:0:9}" \
		'select(.code == $code) | "\(.used)/\(.uses) \(.state)"'
}

@test "an invitation makes an account, once" {
	centre_start "$invited"
	ask hello
	says .registration invite
	invite
	same '' "$(<"$dir/invite.err")"
	same '0/1 open' "$(used "$code")"
	register bob "$code"
	accepted
	login bob
	same '1/1 used' "$(used "$code")"
	register carol "$code"
	refused not-allowed
	ask login user=carol password=carol-secret
	refused login-failed
	# Over a restart as well.
	centre_restart
	register carol "$code"
	refused not-allowed
	login bob
}

@test "a code is read as people type it" {
	centre_start "$invited"
	invite --uses 3
	register bob "${code^^}"
	accepted
	register carol "${code//-/}"
	accepted
	typed=${code//-/ }
	register dave "${typed//0/o}"
	accepted
	same '3/3 used' "$(used "$code")"
}

@test "wrong, missing, used up, expired, revoked: the same words" {
	centre_start "$invited"
	invite
	used_up=$code
	register bob "$used_up"
	accepted
	invite
	revoked=$code
	run -0 ctl invite revoke "${revoked:0:9}"
	same "The invitation ${revoked:0:9} has been revoked." "$output"
	invite --days 1
	expired=$code
	invite
	good=$code
	centre_stop
	sql "UPDATE invite SET ends = 1 WHERE hint = '$(tr -d - \
		<<<"${expired:0:9}")'"
	centre_again
	same '0/1 expired' "$(used "$expired")"
	wanted=''
	for bad in "$used_up" "$revoked" "$expired" "${good:0:33}" \
		"${good}0" '' 'no code' "$(printf '%0300d' 7)" "${good:0:9}"; do
		register carol "$bad"
		refused not-allowed
		[ -n "$wanted" ] || wanted=$reply
		same "$wanted" "$reply"
	done
	register carol
	same "$wanted" "$reply"
	# Nor do they tell who exists, or cost a hash.
	register alice "$used_up"
	same "$wanted" "$reply"
	register alice "$good"
	refused exists
	same '0/1 open' "$(used "$good")"
	register carol "$good"
	accepted
}

@test "as many uses as it has, however many ask at once" {
	centre_start "$invited"
	invite --uses 3
	pids=()
	for i in 1 2 3 4 5 6 7 8; do
		register "user$i" "$code" >"$dir/answer.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 3 "$(cat "$dir"/answer.* | grep -c '"ok":true')"
	same 5 "$(cat "$dir"/answer.* | grep -c '"error":"not-allowed"')"
	same 4 "$(ctl user list | wc -l)"
	same '3/3 used' "$(used "$code")"
}

@test "use and account are one transaction, whatever is killed" {
	centre_start "$invited"
	invite --uses 40
	for i in $(seq 1 12); do
		register "user$i" "$code" >"$dir/answer.$i" 2>&1 &
		pid=$!
		sleep "0.0$((i % 7))"
		centre_kill store
		wait "$pid" || true
		wait_for centre_whole
		wait_for centre_alive >/dev/null
	done
	made=$(ctl user list | grep -c '^user')
	same "$made/40 open" "$(used "$code")"
	accepted_ones=$(cat "$dir"/answer.* | grep -c '"ok":true' || true)
	[ "$accepted_ones" -le "$made" ]
}

@test "open ignores a code, closed refuses with any" {
	centre_start 'accounts: { registration = "open"; };'
	ask hello
	says .registration open
	register bob 'no code'
	accepted
	invite
	register carol "$code"
	accepted
	same '0/1 open' "$(used "$code")"
	centre_stop
	centre_configure
	sed -i "s/127.0.0.1:[0-9]*/127.0.0.1:0/" "$conf"
	centre_run
	ask hello
	says .registration closed
	register dave "$code"
	refused not-allowed
	holds "$reply" 'Registration is closed'
	invite
	holds "$(<"$dir/invite.err")" 'accounts.registration is "closed"'
}

@test "no code is stored, or logged" {
	centre_start "$invited" 'log: { level = "debug"; };'
	invite
	register bob "$code"
	accepted
	centre_stop
	for secret in "$code" "${code//-/}" "${code:10}"; do
		! grep -rqaF "$secret" "$state" "$log" ||
			fail 'the code is in a file'
	done
	same 32 "$(sql 'SELECT length(hash) FROM invite')"
}

invite_commands()
{
	run -0 --separate-stderr ctl invite new --uses 5 --days 2
	first=$output
	same 1 "${#lines[@]}"
	run -0 ctl --json invite new
	says_json()
	{
		jq -e "$1" <<<"$output" >/dev/null || fail "not so: $1: $output"
	}
	output=$(grep '^{' <<<"$output")
	says_json '.ok and .uses == 1 and (.ends | type) == "string"'
	second=$(jq -r .code <<<"$output")
	run -0 ctl invite list
	same "${first:0:9} ${second:0:9}" "$(awk '{ print $1 }' <<<"$output" |
		xargs)"
	run -0 ctl --json invite list
	holds "$output" '"uses":5'
	run -0 ctl invite revoke "$first"
	run -0 ctl invite revoke "${second:0:9}"
	run -1 ctl invite revoke "$second"
	holds "$output" 'There is no such invitation.'
	run -1 ctl invite revoke 'x;y'
	run -0 ctl invite list
	same '' "$output"
}

@test "the commands, with the centre running and stopped" {
	centre_configure
	invite_commands
	centre_start
	invite_commands
}

@test "many are listed in pages" {
	centre_configure "$invited"
	invite
	sql "WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c
		WHERE i < 449) INSERT INTO invite (hash, hint, uses, unused,
		made, ends) SELECT randomblob(32), printf('h%07d', i), 1, 1, 1,
		ends FROM c, invite"
	same 450 "$(ctl invite list | wc -l)"
	same 450 "$(ctl invite list | awk '{ print $1 }' | sort -u | wc -l)"
}

@test "options that make no sense" {
	centre_configure
	for bad in '--uses 0' '--uses -1' '--uses x' '--uses 1x' '--uses 100001' \
		'--days 0' '--days 3651' '--days 99999999999999999999' '--all'; do
		# shellcheck disable=SC2086 # two words
		run -64 ctl invite new $bad
	done
	run -64 ctl invite list --uses 3
	run -64 ctl invite revoke
	run -64 ctl invite
}

@test "what is past its end for a month is cleared away" {
	centre_start "$invited"
	invite
	centre_stop
	sql 'UPDATE invite SET ends = 1'
	centre_again
	nothing_listed()
	{
		[ -z "$(ctl invite list)" ]
	}
	wait_for nothing_listed
}
