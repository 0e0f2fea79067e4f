#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chatctl(8) on accounts and sessions: the same with the centre running and
# stopped, as text and as JSON, with its exit statuses.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

# usage: both COMMAND... ; with the centre stopped, then running
both()
{
	centre_configure
	"$@"
	rm -r "$state"
	cp -r "$BATS_FILE_TMPDIR/state" "$state"
	centre_start
	"$@"
}

add_and_list()
{
	run -0 user_add Dave dave-secret
	same 'User dave has been added.' "$output"
	run -1 --separate-stderr user_add dave
	same '' "$output"
	[ -n "$stderr" ]
	run -1 user_add 'no name'
	run -0 ctl user list
	same 'alice bob dave' "$(awk '{ print $1 }' <<<"$output" | xargs)"
	same 'active active active' "$(awk '{ print $2 }' <<<"$output" | xargs)"
	run -0 ctl --json user list
	same 'alice bob dave' "$(jq -r .user <<<"$output" | xargs)"
	same 'active' "$(jq -r .state <<<"${lines[0]}")"
}

@test "user add, user list" {
	both add_and_list
	login dave
	run -0 ctl user list
	same online "$(awk '$1 == "dave" { print $NF }' <<<"$output")"
}

@test "passwords come on standard input, never from the command line" {
	centre_start
	run -64 ctl user add dave secret
	for bad in '' "$(printf '%0513d' 0)"; do
		run ctl user add dave <<<"$bad"
		[ "$status" -ne 0 ]
	done
	run ctl user add dave </dev/null
	[ "$status" -ne 0 ]
	printf 'no newline' | ctl user add dave
	ask login user=dave password='no newline'
	accepted
	printf 'crlf\r\n' | ctl user add erin
	ask login user=erin password=crlf
	accepted
	# Only the first line counts, and it may have blanks in it.
	printf ' a b \nsecond\n' | ctl user add frank
	ask login user=frank password=' a b '
	accepted
}

@test "user passwd ends the session and clears the lock" {
	centre_start
	in_session alice bob
	for i in 1 2 3; do
		ask login user=alice password=wrong
	done
	run -0 ctl user passwd alice <<<'new one'
	same 'User alice has a new password.' "$output"
	as alice live mail:=0 room:=0
	refused session-expired
	hears bob 'alice has logged out (removed).'
	ask login user=alice password='new one'
	accepted
	run -1 ctl user passwd nobody <<<x
}

@test "user passwd with the centre stopped" {
	centre_start
	login alice
	centre_stop
	ctl user passwd alice <<<'new one'
	centre_again
	as alice live mail:=0 room:=0
	refused session-expired
	ask login user=alice password='new one'
	accepted
}

@test "user delete removes mail, blocks and session; the name stays taken" {
	centre_start
	in_session alice bob
	tell alice bob 'to be deleted'
	as bob block user=alice
	as alice block user=bob
	run -0 ctl user delete bob
	same 'User bob has been deleted.' "$output"
	as bob live mail:=0 room:=0
	refused session-expired
	send alice bob hi
	refused no-such-user
	as alice blocked
	says '.users == []'
	ask login user=bob password=bob-secret
	refused login-failed
	run -1 user_add bob
	holds "$output" 'That name was deleted, and is not used again.'
	# Before a password is looked for.
	run -1 ctl user add bob </dev/null
	holds "$output" 'That name was deleted, and is not used again.'
	run -1 ctl user delete bob
	run -1 ctl user passwd bob <<<x
	same alice "$(ctl user list | awk '{ print $1 }' | xargs)"
	holds "$(ctl user list --all)" bob
	hears alice 'bob has logged out (removed).'
}

@test "a deleted name cannot be registered either" {
	centre_start 'accounts: { registration = "open"; };'
	ctl user delete bob
	ask register user=bob password=x
	refused exists
}

@test "user lock ends the session and forbids the login, until unlock" {
	centre_start
	in_session alice bob
	run -0 ctl user lock alice
	same 'User alice has been locked.' "$output"
	as alice live mail:=0 room:=0
	refused session-expired
	ask login user=alice password=alice-secret
	refused not-allowed
	ask login user=alice password=alice-secret brief:=true
	refused not-allowed
	ask login user=alice password=wrong
	refused login-failed
	# Mail is kept for her.
	tell bob alice hi
	same locked "$(ctl --json user list | jq -r \
		'select(.user == "alice") | .state')"
	centre_restart
	ask login user=alice password=alice-secret
	refused not-allowed
	run -0 ctl user unlock alice
	same 'User alice has been unlocked.' "$output"
	login alice
	hears alice 'bob: hi'
}

@test "user lock ends a brief login as well" {
	centre_start
	{
		echo '{"op":"login","user":"alice","password":"alice-secret","brief":true}'
		wait_for [ -s "$dir/first" ]
		ctl user lock alice >/dev/null
		echo '{"op":"online"}'
		wait_for [ -s "$dir/second" ]
	} | timeout "$patience" openssl s_client -quiet -no_ign_eof \
		-alpn chat/1 -connect "127.0.0.1:$PORT" 2>/dev/null |
		while read -r line; do
			[ ! -s "$dir/first" ] || echo "$line" >"$dir/second"
			[ -s "$dir/first" ] || echo "$line" >"$dir/first"
		done
	reply=$(<"$dir/first")
	accepted
	reply=$(<"$dir/second")
	refused not-allowed
}

@test "user unlock forgets failed logins" {
	centre_start
	for i in 1 2 3; do
		ask login user=alice password=wrong
	done
	same blocked "$(ctl user list | awk '$1 == "alice" { print $2 }')"
	ctl user unlock alice
	login alice
}

@test "user import, with a report of each line that is refused" {
	cat >"$dir/credentials.txt" <<-'END'
		dave dave-secret
		# a comment

		erin	a password with blanks
		alice already-there
		Frank folded
		no/name x
		lonely
		dave twice
		-x y
	END
	printf 'bad\xff utf8\n' >>"$dir/credentials.txt"
	import()
	{
		run -1 --separate-stderr ctl user import "$dir/credentials.txt"
		same '3 users added, 6 refused' "$output"
		same 6 "${#stderr_lines[@]}"
		for at in 5 7 8 9 10 11; do
			grep -q "^$dir/credentials.txt:$at: [A-Z].*\.$" \
				<<<"$stderr" || fail "line $at: $stderr"
		done
	}
	both import
	login dave
	ask login user=erin password='a password with blanks'
	accepted
	ask login user=frank password=folded
	accepted
	# From standard input, as JSON, and once more: all are taken now.
	run -1 --separate-stderr ctl --json user import - \
		<"$dir/credentials.txt"
	same 0 "$(tail -n 1 <<<"$output" | jq .added)"
	same 9 "$(tail -n 1 <<<"$output" | jq .refused)"
	run -1 ctl user import "$dir/nowhere"
}

@test "user import: of two lines with one name the first wins" {
	centre_start
	for name in u1 u2 u3 u4 u5 u6 u7 u8; do
		printf '%s first\n%s second\n' "$name" "$name"
	done >"$dir/twice.txt"
	run -1 --separate-stderr ctl user import "$dir/twice.txt"
	same '8 users added, 8 refused' "$output"
	same '2 4 6 8 10 12 14 16' \
		"$(grep -o 'txt:[0-9]*' <<<"$stderr" | cut -d: -f2 | xargs)"
	ask login user=u1 password=first
	accepted
}

@test "user import --dry-run says the same, and adds nobody" {
	cat >"$dir/credentials.txt" <<-'END'
		dave dave-secret
		alice already-there
		no/name x
		lonely
		Dave twice
	END
	dry()
	{
		run -1 --separate-stderr \
			ctl user import --dry-run "$dir/credentials.txt"
		same '1 user could be added, 4 would be refused' "$output"
		for at in 2 3 4 5; do
			grep -q "^$dir/credentials.txt:$at: [A-Z].*\.$" \
				<<<"$stderr" || fail "line $at: $stderr"
		done
		run ! grep -q dave <<<"$(ctl user list)"
	}
	both dry
	echo 'dave dave-secret' >"$dir/credentials.txt"
	run -0 ctl user import "$dir/credentials.txt"
	same '1 user added, 0 refused' "$output"
	run -64 ctl user list --dry-run
}

@test "user add refuses a name before it asks for the password" {
	asked()
	{
		for name in Alice no/name; do
			run -1 timeout "$patience" script -qec \
				"chatctl -c '$conf' user add $name" /dev/null \
				</dev/null
			[[ $output != *Password* ]] || fail "$output"
		done
		holds "$output" 'chatctl: '
	}
	both asked
}

@test "session list and session end" {
	centre_start
	run -0 ctl session list
	same '' "$output"
	login alice
	SOURCE=127.0.0.7 login bob
	run -0 ctl session list
	same 'alice 127.0.0.1 bob 127.0.0.7' \
		"$(awk '{ print $1, $2 }' <<<"$output" | xargs)"
	run -0 ctl --json session list
	same 'alice bob' "$(jq -r .user <<<"$output" | xargs)"
	same 'true true' "$(jq -r .online <<<"$output" | xargs)"
	sync alice
	run -0 ctl session end bob
	same 'The session of bob has been ended.' "$output"
	as bob live mail:=0 room:=0
	refused session-expired
	hears alice 'bob has logged out (removed).'
	run -1 ctl session end bob
	run -1 ctl session end nobody
}

# usage: columns WORD... ; in $dir/list each is above a column, and all fit
columns()
{
	local word at row
	tr -d '\r' <"$dir/list" >"$dir/lines"
	row=$(sed -n 2p "$dir/lines")
	[ "${#row}" -le 80 ] || fail "too wide: $row"
	for word; do
		at=$(awk -v word="$word" 'NR == 1 { print index($0, word) }' \
			"$dir/lines")
		[[ $at -eq 1 || "${row:at-3:3}" == '  '[^\ ] ]] ||
			fail "not below $word: $(cat "$dir/lines")"
	done
}

@test "lists have their columns below their heads on a terminal" {
	centre_start 'accounts: { registration = "invite"; };'
	login alice
	for list in 'user list' 'session list' 'invite list'; do
		[ "$list" != 'invite list' ] || ctl invite new >/dev/null
		timeout "$patience" script -qec "chatctl -c '$conf' $list" \
			/dev/null </dev/null >"$dir/list" 3>&-
		case $list in
		user*) columns NAME STATE 'LAST LOGIN' PRESENCE ;;
		session*) columns USER ADDRESS SINCE 'LAST HEARD' STATE ;;
		invite*) columns CODE STATE USED UNTIL ;;
		esac
	done
}

@test "sessions of a centre that is stopped" {
	centre_start
	login alice
	login bob
	centre_stop
	same 'alice bob' "$(ctl --json session list --all | jq -r .user | xargs)"
	ctl session end alice
	centre_again
	as alice live mail:=0 room:=0
	refused session-expired
	as bob live mail:=0 room:=0
	accepted
}

@test "notices, to one and to all" {
	centre_start
	login alice
	run -0 ctl notice --to alice Tea at five.
	same 'The notice went to 1 user.' "$output"
	run -0 ctl notice 'Everybody out.'
	same 'The notice went to 2 users.' "$output"
	hears alice 'notice: Tea at five.' 'notice: Everybody out.'
	# Also to who is offline.
	login bob
	sync bob | grep -qxF 'notice: Everybody out.'
	run -1 ctl notice --to nobody hi
	run -1 ctl notice $'beep\a'
}

@test "notices with the centre stopped" {
	centre_configure
	run -0 ctl notice 'See you.'
	same 'The notice went to 2 users.' "$output"
	centre_start
	login alice
	hears alice 'notice: See you.'
}
