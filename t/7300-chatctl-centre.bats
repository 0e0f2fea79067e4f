#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# chatctl(8) on the centre itself: init, status, metrics, reload, check, cert.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice
}

set_up()
{
	export CHAT_CERTS=$CHAT_SRC/certs
}

@test "status of a centre that runs, and of one that does not" {
	centre_configure
	run -3 ctl status
	same 'The centre does not run.' "$output"
	run -3 ctl --json status
	same false "$(jq .running <<<"$output")"
	centre_start
	login alice
	run -0 ctl status
	holds "$output" 'running, version'
	run -0 ctl --json status
	reply=$output
	says '.running == true'
	says '[.users, .sessions, .online] == [1, 1, 1]'
	says '.workers_limit == 256'
	says '.certificate_ends | test("Z$")'
}

@test "metrics are in the text format of Prometheus" {
	centre_start
	login alice
	ctl metrics >"$dir/metrics"
	grep -qx 'chatd_users 1' "$dir/metrics"
	grep -qx 'chatd_online 1' "$dir/metrics"
	grep -q '^chatd_requests_total{op="login"} ' "$dir/metrics"
	grep -q '^chatd_restarts_total{process="store"} 0$' "$dir/metrics"
	# Each has its help and type before it, and is named once.
	awk '/^# TYPE / { if (type[$3]++) bad = 1; next }
		/^# HELP / { next }
		/^chatd_[a-z_]+({[a-z]+="[^"]*"})? -?[0-9]+$/ {
			name = $1
			sub(/{.*/, "", name)
			if (!type[name] || seen[$1]++) bad = 1
			next
		}
		{ print "what is " $0; bad = 1 }
		END { exit bad }' "$dir/metrics"
	centre_stop
	run -1 ctl metrics
	run -1 ctl reload
	holds "$output" 'the centre does not run'
}

@test "init makes what is missing and overwrites nothing" {
	conf=$dir/etc/chatd.conf
	rm -r "$state"
	mkdir "$dir/etc"
	printf '%s\n' "state_directory = \"$state\";" "user = \"$(id -un)\";" \
		"runtime_directory = \"$run_dir\";" \
		'listen = [ "127.0.0.1:0" ];' >"$conf"
	run -0 ctl init --host chat.example.org --host 127.0.0.1
	holds "$output" "there configuration: $conf"
	holds "$output" "made state directory: $state"
	holds "$output" "made runtime directory: $run_dir"
	holds "$output" "made certificate: $state/server.pem"
	holds "$output" 'pin: sha256//'
	holds "$output" "user add NAME"
	same '700 755' "$(stat -c %a "$state" "$run_dir" | xargs)"
	same 600 "$(stat -c %a "$state/server.key")"
	before=$(cat "$conf" "$state"/* | sha256sum)
	run -0 ctl init --host other.example.org
	run ! grep -q '^made' <<<"$output"
	same "$before" "$(cat "$conf" "$state"/* | sha256sum)"
	run -0 ctl --json init
	same 'false' "$(jq .made <<<"$output" | sort -u)"
	# With that the centre runs.
	user_add bob
	centre_run
	login bob
}

@test "init writes a configuration with comments, which is one" {
	[ "$(id -u)" -ne 0 ] || skip 'root would get the user chatd made'
	conf=$dir/etc/chat/chatd.conf
	# The directories that it names are not for us to make.
	run ctl init
	grep -q '//' "$conf"
	run -0 chatd -T -c "$conf"
}

@test "check says whether the centre would start" {
	centre_configure
	run -0 ctl check
	holds "$output" 'is whole'
	run ! grep limits.workers <<<"$output"
	run -0 bash -c "ulimit -n 300 && chatctl -c '$conf' check"
	holds "$output" 'warning: limits.workers: 256 workers want 320'
	centre_start
	run -0 ctl check
	run -0 ctl --json check
	jq -e .ok <<<"${lines[0]}"
	centre_stop
	rm "$state/server.key"
	run -78 ctl check
	holds "$output" 'error: tls'
	centre_configure 'wokers = 3;'
	run -78 ctl check
	holds "$output" 'wokers'
}

@test "check finds a damaged database" {
	centre_configure
	ctl user list >/dev/null
	head -c 4096 /dev/urandom | dd of="$state/chatd.db" bs=1 seek=8192 \
		conv=notrunc status=none
	run -78 ctl check
	holds "$output" 'error:'
}

@test "cert new, cert renew, cert show" {
	centre_configure
	rm "$state"/server.* "$state"/ca.*
	run -0 ctl cert new --host 127.0.0.1 --host chat.example.org
	for part in "certificate: $state/server.pem" "key: $state/server.key" \
		"authority: $state/ca.pem" 'names: ' 'expires: ' \
		'pin: sha256//' 'chat --pin sha256//'; do
		holds "$output" "$part"
	done
	pin=$(sed -n 's/^pin: //p' <<<"$output")
	# Nothing is overwritten without --force.
	run -1 ctl cert new --host 127.0.0.1
	same "$pin" "$(ctl cert show | sed -n 's/^pin: //p')"
	centre_start
	reply=$(wire --pin "$pin" --ca "$state/ca.pem" <<<'{"op":"hello"}')
	accepted
	# A new certificate for the same key, at the next reload.
	serial=$(openssl x509 -noout -serial -in "$state/server.pem")
	run -0 ctl cert renew
	holds "$output" 'chatctl reload'
	[ "$serial" != "$(openssl x509 -noout -serial -in "$state/server.pem")" ]
	same "$pin" "$(ctl --json cert show | jq -r .pin)"
	ctl reload
	reply=$(wire --pin "$pin" --ca "$state/ca.pem" <<<'{"op":"hello"}')
	accepted
	run -0 ctl cert new --force --host 127.0.0.1
	[ "$pin" != "$(ctl cert show | sed -n 's/^pin: //p')" ]
	ctl reload
}

@test "a wrong name in a certificate" {
	centre_configure
	rm "$state"/server.*
	for bad in '' 'a b' '-x' 'a/b' '1.2.3' 'x..y'; do
		run ctl cert new --host "$bad"
		[ "$status" -eq 64 ] || fail "\"$bad\" gave $status: $output"
		[ ! -e "$state/server.pem" ]
	done
}

@test "a wrong configuration is 78 for every command" {
	centre_configure 'wokers = 3;'
	for command in 'user list' status reload 'cert show' check; do
		# shellcheck disable=SC2086 # words are meant
		run -78 ctl $command
		holds "$output" "$conf:5: wokers: unknown setting"
	done
	run -78 chatctl -c "$dir/nowhere" status
	holds "$output" 'chatctl init'
}

@test "two administrators at once" {
	centre_start
	for i in {1..8}; do
		user_add "user$i" >"$dir/add.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 9 "$(ctl user list | wc -l)"
	centre_stop
	pids=()
	for i in {11..14}; do
		user_add "user$i" >"$dir/add.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	same 13 "$(ctl user list | wc -l)"
}

@test "a reply that never comes, a socket with nobody behind it" {
	centre_start
	centre_kill master
	[ -S "$run_dir/control.sock" ]
	run -3 ctl status
	run -0 ctl user list
	centre_again
	run -0 ctl status
}
