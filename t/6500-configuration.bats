#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chat.conf(5): which account is meant, what its settings do, what is wrong
# with them, and what others may not write or read.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

setup_file()
{
	people alice bob
}

set_up()
{
	own=$dir/.config/chat/chat.conf
	mkdir -p "${own%/*}"
}

# usage: settings LINE... ; as the user's own configuration
settings()
{
	printf '%s\n' "$@" >"$own"
}

# usage: account NAME [SETTING]... ; prints the group of one, at our centre
account()
{
	printf 'accounts: { %s: { server = "127.0.0.1:%s"; %s }; };\n' "$1" \
		"$PORT" "${*:2}"
}

# usage: trusted ; prints the settings of who trusts this centre
trusted()
{
	printf 'ca = "%s/ca.pem";' "$state"
}

# usage: talk [ARGUMENT]... ; the client, with nothing to say
talk()
{
	timeout "$patience" chat --line --state "$dir/client" "$@" \
		</dev/null 3>&-
}

# usage: wrong SETTINGS MESSAGE... ; in line 2; exactly these errors
wrong()
{
	local wanted='' message
	settings '' "$1"
	shift
	for message; do
		wanted="$wanted${wanted:+
}$own:2: $message"
	done
	run -78 talk alice@127.0.0.1:1
	same "$wanted" "$output" 'what is wrong'
}

@test "the only account is meant where no centre is named" {
	centre_start
	password alice
	settings "$(account home 'user = "alice";' "$(trusted)" \
		"password_file = \"~/alice.password\";")"
	run -0 talk
	same 'Welcome, alice.
Goodbye.' "$output"
	run -0 talk --account home
	holds "$output" 'Welcome, alice.'
	# Another file, and none at all.
	mv "$own" "$dir/other.conf"
	run -0 talk --config "$dir/other.conf"
	holds "$output" 'Welcome, alice.'
	run -64 talk --state "$dir/nowhere"
	holds "$output" 'no centre is given'
	mkdir -p "$dir/xdg/chat"
	mv "$dir/other.conf" "$dir/xdg/chat/chat.conf"
	XDG_CONFIG_HOME=$dir/xdg run -0 talk
	holds "$output" 'Welcome, alice.'
}

@test "of several accounts the default, or the one that is named" {
	centre_start
	password alice
	password bob
	accounts="accounts: {
		home: { server = \"127.0.0.1:$PORT\"; user = \"alice\";
			$(trusted) password_file = \"$dir/alice.password\"; };
		work: { server = \"127.0.0.1:$PORT\"; user = \"bob\";
			$(trusted) password_command = \"cat ~/bob.password\"; };
		};"
	settings 'default = "work";' "$accounts"
	run -0 talk
	holds "$output" 'Welcome, bob.'
	run -0 talk --account home
	holds "$output" 'Welcome, alice.'
	run -64 talk --account hoem
	holds "$output" 'there is no account "hoem" in '
	holds "$output" 'did you mean "home"?'
	settings "$accounts"
	run -64 talk
	holds "$output" 'home, work'
}

@test "an account serves where its centre and its user are typed" {
	centre_start
	password alice
	password bob
	settings "accounts: {
		away: { server = \"127.0.0.1:1\"; user = \"alice\";
			password_file = \"/nowhere\"; };
		work: { server = \"127.0.0.1:$PORT\"; user = \"bob\";
			$(trusted) password_file = \"$dir/bob.password\"; };
		home: { server = \"127.0.0.1:$PORT\"; user = \"alice\";
			$(trusted) password_file = \"~/alice.password\"; };
		};"
	run -0 talk "alice@127.0.0.1:$PORT"
	same 'Welcome, alice.
Goodbye.' "$output"
	run -0 talk -s "127.0.0.1:$PORT" -u bob
	holds "$output" 'Welcome, bob.'
	run -0 talk --account "bob@127.0.0.1:$PORT"
	holds "$output" 'Welcome, bob.'
	# Whom to trust, but nobody's password for anybody else.
	run -77 talk "carol@127.0.0.1:$PORT"
	holds "$output" 'no password'
	run -76 talk "alice@127.0.0.1:$PORT" --pin "sha256//$(printf 'A%.0s' {1..43})="
	run -78 talk "alice@127.0.0.1:$PORT" --password-file "$dir/none"
}

@test "the command line beats the file" {
	centre_start
	password alice
	password bob
	settings "$(account home 'user = "bob";' "$(trusted)" \
		"password_file = \"$dir/bob.password\";")"
	run -0 talk -u alice --password-file "$dir/alice.password"
	holds "$output" 'Welcome, alice.'
	# A password is for one user, and for one server.
	run -77 talk -u alice
	holds "$output" 'no password'
	ask login user=alice password=wrong
	says .attempts_left 2
	run -77 talk --account home --ca "$state/ca.pem" \
		"localhost:$PORT"
	holds "$output" 'no password'
	# A pin of the file does not stand beside authorities of the command's.
	pin="sha256//$(printf '%043d' 0)="
	settings "$(account home 'user = "bob";' "pin = \"$pin\";" \
		"password_file = \"$dir/bob.password\";")"
	run -76 talk
	run -0 talk --ca "$state/ca.pem"
	holds "$output" 'Welcome, bob.'
	run -0 talk --pin "$(ctl cert show | sed -n 's/^pin: //p')"
	holds "$output" 'Welcome, bob.'
	# By another name it is another centre.
	run -76 talk "bob@localhost:$PORT"
	holds "$output" 'cannot be verified'
}

@test "--account takes a centre, too" {
	centre_start
	password alice
	run -0 talk --account "alice@127.0.0.1:$PORT" --ca "$state/ca.pem" \
		--password-file "$dir/alice.password"
	holds "$output" 'Welcome, alice.'
}

@test "a pin of the file" {
	centre_start
	password alice
	settings "$(account home 'user = "alice";' \
		"pin = \"$(ctl cert show | sed -n 's/^pin: //p')\";" \
		"password_file = \"$dir/alice.password\";")"
	run -0 talk
	holds "$output" 'Welcome, alice.'
}

@test "unknown settings, with the nearest known one" {
	wrong 'defualt = "home";' \
		'defualt: unknown setting; did you mean "default"?'
	wrong 'accounts: { home: { server = "a.b"; sever = "c.d"; }; };' \
		'accounts.home.sever: unknown setting; did you mean "accounts.home.server"?'
	wrong 'private: { prot = 3; };' \
		'private.prot: unknown setting; did you mean "private.port"?'
	wrong 'xyzzy = 1;' 'xyzzy: unknown setting'
}

@test "wrong types and ranges" {
	wrong 'heartbeat = "30";' 'heartbeat: a number is wanted'
	wrong 'heartbeat = 0;' \
		'heartbeat: 0 is out of range; 1 to 3600 is allowed'
	wrong 'heartbeat = 4294967326;' \
		'heartbeat: 4294967326 is out of range; 1 to 3600 is allowed'
	wrong 'private: { port = 65536; };' \
		'private.port: 65536 is out of range; 0 to 65535 is allowed'
	wrong 'private: { port = 1023; };' \
		'private.port: 1023 is reserved; 0, or 1024 to 65535, is allowed'
	wrong 'private: { enabled = 1; };' \
		'private.enabled: true or false is wanted'
	wrong 'accounts = 3;' 'accounts: a group { } is wanted'
	wrong 'accounts: { home: { server = 3; }; };' \
		'accounts.home.server: a string is wanted'
}

@test "settings that cannot be" {
	wrong 'accounts: { home: { user = "alice"; }; };' \
		'accounts.home: it has no server'
	wrong 'accounts: { home: { server = "alice@a.b"; }; };' \
		'accounts.home.server: HOST[:PORT] is wanted; user is a setting of its own'
	wrong 'accounts: { home: { server = "a.b:99999"; }; };' \
		'accounts.home.server: "99999" is not a port: give a number from 1 to 65535'
	wrong 'accounts: { home: { server = "a.b"; pin = "sha1//x"; }; };' \
		'accounts.home.pin: "sha1//x" is not a fingerprint: sha256// and 44 characters of base64'
	wrong 'accounts: { home: { server = "a.b"; ca = "ca.pem"; }; };' \
		'accounts.home.ca: a path that begins with / or ~/ is wanted'
	wrong 'accounts: { home: { server = "a.b"; password_file = "/x"; password_command = "y"; }; };' \
		'accounts.home.password_file: only one of password_file and password_command can be given'
	wrong 'default = "hone"; accounts: { home: { server = "a.b"; }; };' \
		'default: there is no account "hone"; did you mean "home"?'
	wrong 'accounts: { home: { server = "a.b"; user = "a b"; }; };' \
		'accounts.home.user: "a b" is not a user name: 1 to 32 letters, digits, dots, hyphens or underscores, beginning with a letter or digit'
}

@test "all errors at once, each with its line" {
	settings 'heartbeat = 0;' 'accounts: {' '  home: {' \
		'    server = "a.b:0";' '    pni = "x";' '  };' '};' \
		'defualt = "home";'
	run -78 talk
	same 4 "${#lines[@]}"
	holds "$output" "$own:1: heartbeat: "
	holds "$output" "$own:4: accounts.home.server: "
	holds "$output" "$own:5: accounts.home.pni: "
	holds "$output" "$own:8: defualt: "
}

@test "a file that is missing, broken, or no file" {
	run -78 talk --config "$dir/nowhere.conf" a.b
	same "$dir/nowhere.conf: No such file or directory" "$output"
	run -78 talk --config "$dir" a.b
	settings 'accounts: {'
	run -78 talk a.b
	holds "$output" "$own:"
	run -78 talk --config <(echo 'heartbeat = 3;') a.b
	holds "$output" 'a file is wanted'
	run -64 talk --config /dev/null
	holds "$output" 'no centre is given'
	# What helps is there in any case.
	run -0 talk --help
}

@test "others must not write what says whom to trust" {
	settings 'heartbeat = 3;'
	chmod 666 "$own"
	run -64 talk
	settings 'accounts: { home: { server = "127.0.0.1:1"; user = "alice"; pin = "sha256//'"$(printf '%043d' 0)"'="; }; };'
	for mode in 620 602 666; do
		chmod "$mode" "$own"
		run -78 talk
		same "$own: others may write it, and it says whom to trust; run: chmod go-w '$own'" \
			"$output"
	done
	chmod 644 "$own"
	run -69 talk
	# Nor a part that is included.
	echo 'server = "127.0.0.1:1"; password_command = "true";' \
		>"$dir/part.conf"
	settings 'accounts: { home: {' "@include \"$dir/part.conf\"" '}; };'
	run -69 talk -u alice
	chmod 666 "$dir/part.conf"
	run -78 talk -u alice
	holds "$output" "chmod go-w '$dir/part.conf'"
}

@test "a file of another user" {
	[ "$(id -u)" -eq 0 ] || skip 'this takes root'
	id nobody >/dev/null 2>&1 || skip 'there is no user nobody'
	settings 'accounts: { home: { server = "127.0.0.1:1"; }; };'
	chown nobody "$own"
	run -78 talk
	holds "$output" "$own: it belongs to another user"
}

@test "a password that others can read gets a warning" {
	centre_start
	password alice
	chmod 644 "$dir/alice.password"
	run -0 --separate-stderr talk --ca "$state/ca.pem" \
		--password-file "$dir/alice.password" "alice@127.0.0.1:$PORT"
	holds "$output" 'Welcome, alice.'
	same "chat: warning: $dir/alice.password: others can read the password; run: chmod 600 '$dir/alice.password'" \
		"$stderr"
	chmod 600 "$dir/alice.password"
	run -0 --separate-stderr talk --ca "$state/ca.pem" \
		--password-file "$dir/alice.password" "alice@127.0.0.1:$PORT"
	same '' "$stderr"
}

@test "what the client keeps is closed to others" {
	centre_start
	password alice
	password bob
	umask 022
	settings "$(account home 'user = "alice";' "$(trusted)" \
		"password_file = \"$dir/alice.password\";")"
	run -0 talk
	same '' "$(find "$dir/client" -type f ! -perm 600)" 'open files'
	same '' "$(find "$dir/client" -type d ! -perm 700)" 'open directories'
}

@test "a password command that fails" {
	centre_start
	settings "$(account home 'user = "alice";' "$(trusted)" \
		'password_command = "echo alice-secret; exit 3";')"
	run -78 talk
	same 'chat: the password command failed with exit status 3' "$output"
	settings "$(account home 'user = "alice";' "$(trusted)" \
		'password_command = "kill -KILL $$";')"
	run -78 talk
	same 'chat: the password command was ended: Killed' "$output"
	settings "$(account home 'user = "alice";' "$(trusted)" \
		'password_command = "echo; echo alice-secret";')"
	run -78 talk
	holds "$output" 'the first line that the password command printed is empty'
	settings "$(account home 'user = "alice";' "$(trusted)" \
		"password_command = \"$dir/nowhere\";")"
	run -78 talk
	holds "$output" 'exit status 127'
	# None of them was a failed login.
	ask login user=alice password=wrong
	says .attempts_left 2
}

@test "a password command: its first line, tried once, not our input" {
	centre_start
	settings "$(account home 'user = "alice";' "$(trusted)" \
		'password_command = "echo wrong; echo >>~/calls";')"
	run -77 talk
	same 'Invalid password. Please try again.' "$output"
	same 1 "$(wc -l <"$dir/calls")" 'calls'
	settings "$(account home 'user = "alice";' "$(trusted)" \
		'password_command = "cat; echo alice-secret; seq 100000";')"
	run -0 timeout "$patience" chat --state "$dir/client" 3>&- <<<'online
quit'
	same 'Welcome, alice.
1 failed login since your last one.
Goodbye.' "$output"
}

@test "a password command has the terminal to ask on" {
	command -v tmux >/dev/null || skip 'tmux is not installed'
	centre_start
	settings "$(account home 'user = "alice";' "$(trusted)" \
		"password_command = \"printf 'Passphrase: ' >&2; read x && printf 'alice-%s\\\\n' \$x\";")"
	tmux=(tmux -S "$dir/tmux" -f /dev/null)
	"${tmux[@]}" new-session -d -x 100 -y 20 \
		"chat --line --state $dir/client 2>&1; read x" 3>&-
	wait_for on_screen 'Passphrase:'
	"${tmux[@]}" send-keys secret Enter
	wait_for on_screen 'Welcome, alice.'
	"${tmux[@]}" send-keys quit Enter
	wait_for on_screen 'Goodbye.'
	"${tmux[@]}" kill-server
}

# usage: on_screen TEXT ; of tmux
on_screen()
{
	"${tmux[@]}" capture-pane -p | grep -qF -e "$1"
}
