# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# A person with a window: chat-gtk on a display and a bus of the test's own,
# looked at and pressed through t/tool/window.  For tests that have loaded
# person.bash.  One window at a time; others use the line face.
#
#	open_window alice
#	enters alice
#	press "bob"
#	window_shows "bob: hi"
#	picture conversation
#
# Objects are named as a screen reader names them; a part of the name will do.
# A test calls window_wanted first, which skips it where something is missing.

declare -gA window=()
window_stage=
pictures=$CHAT_BUILD/t/pictures

# usage: window_wanted ; skips, and says why, where there can be no window
window_wanted()
{
	local tool
	[ -x "$CHAT_BUILD/chat-gtk" ] || skip 'chat-gtk is not built'
	[ -x "$CHAT_BUILD/t/tool/window" ] ||
		skip 'libatspi2.0-dev is not installed'
	for tool in Xvfb dbus-run-session; do
		command -v "$tool" >/dev/null || skip "there is no $tool"
	done
	[ -e /usr/share/dbus-1/accessibility-services/org.a11y.atspi.Registry.service ] ||
		skip 'at-spi2-core is not installed'
}

# usage: stage_begin ; a display and a bus, until stage_end or our own end
stage_begin()
{
	local fd
	export XDG_RUNTIME_DIR=$dir/x AT_SPI_BUS_ADDRESS=unix:path=$dir/x/bus
	export DBUS_SESSION_BUS_ADDRESS=$AT_SPI_BUS_ADDRESS
	mkdir "$dir/x"
	mkfifo "$dir/x/number" "$dir/x/seen" "$dir/x/up" "$dir/x/hold"
	# Nobody is started on it but who keeps the objects' tree.
	cat >"$dir/x/bus.conf" <<-END
		<busconfig>
		<type>session</type>
		<listen>$AT_SPI_BUS_ADDRESS</listen>
		<servicedir>/usr/share/dbus-1/accessibility-services</servicedir>
		<auth>EXTERNAL</auth>
		<policy context="default">
		<allow send_destination="*" eavesdrop="true"/>
		<allow eavesdrop="true"/>
		<allow own="*"/>
		</policy>
		<limit name="max_replies_per_connection">50000</limit>
		</busconfig>
	END
	(
		descriptors_close
		exec bash -c '
		Xvfb -displayfd 8 -screen 0 1100x800x24 -nolisten tcp \
			-noreset 8>"$0/number" &
		server=$!
		read -r number <"$0/seen"
		DISPLAY=:$number dbus-run-session \
			--config-file="$0/bus.conf" -- \
			sh -c "echo up >\"$0/up\"; read -r end <\"$0/hold\""
		kill $server
		wait $server' "$dir/x"
	) </dev/null >"$dir/stage.log" 2>&1 3>&- &
	window_stage=$!
	stage_number
	# Held by nobody but us: when we end, so do display and bus.
	exec {fd}>"$dir/x/hold"
	typing[the stage]=$fd
}

# usage: stage_number ; in $DISPLAY, and handed on
stage_number()
{
	local fd number=
	exec {fd}<>"$dir/x/number"
	read -r -t "$patience" -u "$fd" number || true
	exec {fd}<&-
	[ -n "$number" ] || fail "no display: $(<"$dir/stage.log")" || return
	export DISPLAY=:$number
	echo "$number" >"$dir/x/seen"
	exec {fd}<>"$dir/x/up"
	read -r -t "$patience" -u "$fd" number || true
	exec {fd}<&-
	[ "$number" = up ] || fail "no bus: $(<"$dir/stage.log")"
}

# usage: stage_end ; display and bus go
stage_end()
{
	local fd=${typing[the stage]:-} failed=0
	[ -n "$window_stage" ] || return 0
	unset 'typing[the stage]'
	[ -z "$fd" ] || exec {fd}>&-
	wait_for gone "$window_stage" || {
		pkill -KILL -P "$window_stage"
		kill -KILL "$window_stage"
		failed=1
	}
	wait "$window_stage" || true
	window_stage=
	return $failed
}

# usage: look [OPTION]... VERB [ARGUMENT]... ; see t/tool/window.c
look()
{
	# The libraries keep much until the end; other errors count.
	local -x ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	"$CHAT_BUILD/t/tool/window" -s "$patience" "$@" 3>&- || {
		local status=$?
		case " $* " in
		*' focused ' | *' nameless ') ;;
		*)
			echo '--- the window:'
			"$CHAT_BUILD/t/tool/window" -s 1 tree
			echo '--- its complaints:'
			cat "$dir"/*.window
		esac >&2
		return $status
	}
}

# usage: now_ms ; prints the wall clock, in milliseconds
now_ms()
{
	local now=$EPOCHREALTIME
	now=${now/[.,]/}
	echo "${now%???}"
}

# usage: opens_window NAME [OPTION]... ; starts it, waits for nothing
opens_window()
{
	[ -n "$window_stage" ] || stage_begin
	(
		descriptors_close
		export XDG_CACHE_HOME=$dir/cache XDG_DATA_HOME=$dir/data
		export GSK_RENDERER=cairo GDK_BACKEND=x11 GTK_A11Y=atspi
		export GSETTINGS_BACKEND=memory GIO_USE_VFS=local
		export ADW_DISABLE_PORTAL=1 GTK_USE_PORTAL=0
		# GTK keeps much until the end; other errors count.
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
		exec chat-gtk --state "$dir/$1.state" "${@:2}"
	) </dev/null >"$dir/$1.window" 2>&1 3>&- &
	window[$1]=$!
}

# usage: open_window NAME [OPTION]... ; until it can be seen
open_window()
{
	opens_window "$@"
	look -r frame wait ''
}

# usage: account_of NAME ; for chat-gtk and chat: whose, where
account_of()
{
	echo "$1@127.0.0.1:$PORT"
}

# usage: enters NAME ; a window for the account, through the trust question
# and the password, to the conversations
enters()
{
	open_window "$1" "$(account_of "$1")" "${@:2}"
	press 'Yes, trust it'
	fill Password "$1-secret"
	press 'Log in'
	window_shows Everybody
}

# usage: window_shows TEXT [STATE]... ; waits for it
window_shows()
{
	look wait "$@"
}

# usage: window_lacks TEXT [STATE]... ; waits until it is not there
window_lacks()
{
	look gone "$@"
}

# usage: titled TEXT ; waits until the window is called exactly so
titled()
{
	look -x -r frame wait "$1"
}

# usage: press NAME
press()
{
	look press "$1"
}

# usage: press_in MENU NAME ; opens that menu, once more where it has closed
# because something else took the keyboard meanwhile, and chooses from it
press_in()
{
	local until=$((SECONDS + patience))
	press "$1"
	while [ "$SECONDS" -lt "$until" ] &&
		! look -s 3 wait "$2" sensitive 2>/dev/null; do
		press "$1"
	done
	press "$2"
}

# usage: fill NAME TEXT ; into an entry
fill()
{
	look fill "$@"
}

# usage: key CHORD...
key()
{
	look key "$@"
}

# usage: type_text TEXT ; where the keyboard is
type_text()
{
	look type "$1"
}

# usage: picture NAME ; of the window, for people to look at
picture()
{
	mkdir -p "$pictures"
	look picture "$pictures/$1.png"
}

# usage: window_ends NAME STATUS ; by itself
window_ends()
{
	local status=0
	wait_for gone "${window[$1]}"
	wait "${window[$1]}" || status=$?
	unset "window[$1]"
	same "$2" $status "the exit status of $1's window" || {
		cat "$dir/$1.window" >&2
		return 1
	}
}

# usage: screens_close ; for teardown: no window and no display are left, and
# no toolkit has complained
screens_close()
{
	local name failed=0
	for name in "${!window[@]}"; do
		kill -TERM "${window[$name]}" 2>/dev/null || true
		wait_for gone "${window[$name]}" || {
			kill -KILL "${window[$name]}"
			failed=1
		}
		wait "${window[$name]}" || true
	done
	for name in "$dir"/*.window; do
		[ ! -s "$name" ] || { echo "--- $name"; cat "$name"; }
	done
	# There is no desktop here that would take a notification.
	! cat "$dir"/*.window 2>/dev/null | grep -v 'send notifications' |
		grep -E -- '-(CRITICAL|WARNING) ' ||
		{ fail 'the window has complained' || failed=1; }
	stage_end || failed=1
	return $failed
}
