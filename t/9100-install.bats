#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What `make install` puts where, and that `make uninstall` takes it away.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

set_up()
{
	[ -e "$CHAT_BUILD/Makefile" ] || skip 'this build has no Makefile'
	root=$dir/root
	unset MAKEFLAGS MFLAGS MAKELEVEL
}

# usage: value_of VARIABLE ; of the build's Makefile, expanded
value_of()
{
	# shellcheck disable=SC2016 # make expands it
	printf 'include Makefile\nvalue-of:\n\t@echo $(%s)\n' "$1" |
		make -C "$CHAT_BUILD" -s --no-print-directory -f - value-of
}

@test "make install, with DESTDIR" {
	make -C "$CHAT_BUILD" -s install DESTDIR="$root" >"$dir/made" 2>&1 ||
		{ cat "$dir/made"; return 1; }
	sbin=$root$(value_of sbindir)
	bin=$root$(value_of bindir)
	mandir=$root$(value_of mandir)
	for file in "$sbin/chatd" "$sbin/chatctl" "$bin/chat"; do
		[ -x "$file" ] || fail "$file is missing"
	done
	for file in man1/chat.1 man5/chat.conf.5 man5/chatd.conf.5 \
		man7/chat-agent.7 man7/chat-protocol.7 man8/chatctl.8 man8/chatd.8; do
		[ -s "$mandir/$file" ] || fail "$file is missing"
	done
	if [ -x "$CHAT_BUILD/chat-gtk" ]; then
		share=$root$(value_of datadir)
		for file in "$bin/chat-gtk" "$mandir/man1/chat-gtk.1" \
			"$share/applications/internal.chatd.Chat.desktop" \
			"$share/metainfo/internal.chatd.Chat.metainfo.xml" \
			"$share/icons/hicolor/scalable/apps/internal.chatd.Chat.svg" \
			"$share/icons/hicolor/symbolic/apps/internal.chatd.Chat-symbolic.svg"; do
			[ -s "$file" ] || fail "$file is missing"
		done
	fi
	# They speak of this installation.
	run -1 grep -rnE 'SYSCONFDIR|STATEDIR|PKGDATADIR' "$mandir"
	grep -qF "$(value_of sysconfdir)/chat/chatd.conf" "$mandir/man8/chatd.8"
	! command -v mandoc >/dev/null ||
		mandoc -Tlint -Wwarning "$mandir"/man*/*
	certs=$root$(value_of certsdir)
	[ -x "$certs/authority.sh" ]
	[ -x "$certs/server.sh" ]
	[ -x "$root$(value_of docdir)/examples/echobot.sh" ]
	[ -s "$root$(value_of sysconfdir)/chat/chatd.conf.example" ]
	for name in chat chatctl chatd; do
		[ -s "$root$(value_of bash_completion_dir)/$name" ]
		[ -s "$root$(value_of zsh_completion_dir)/_$name" ]
		[ -s "$root$(value_of fish_completion_dir)/$name.fish" ]
	done
	units=$(value_of systemdsystemunitdir)
	if [ -n "$units" ]; then
		grep -qxF "ExecStart=$(value_of sbindir)/chatd -f" \
			"$root$units/chatd.service"
		grep -qxF 'ListenStream=[::]:2428' "$root$units/chatd.socket"
		grep -qxF 'ListenDatagram=[::]:2428' \
			"$root$units/chatd-beacon.socket"
		grep -qE '^u chatd ' "$root$(value_of sysusersdir)/chatd.conf"
		grep -qF " $(value_of localstatedir)/lib/chat 0700 chatd" \
			"$root$(value_of tmpfilesdir)/chatd.conf"
	fi
	# A configuration is not put in place: that is init's.
	[ ! -e "$root$(value_of sysconfdir)/chat/chatd.conf" ]
	# The programs run from there.
	run -0 "$sbin/chatd" -V
	holds "$output" "$(value_of sysconfdir)/chat/chatd.conf"
	make -C "$CHAT_BUILD" -s uninstall DESTDIR="$root" >/dev/null
	same '' "$(find "$root" -type f)"
}

# usage: follow UNITS SYSUSERS TMPFILES OPTION... ; where systemd's files go
follow()
{
	(cd "$dir" && "$CHAT_SRC/configure" -n --cache-file=cache "${@:4}") \
		>"$dir/configured" 2>&1 || { cat "$dir/configured"; return 1; }
	same "systemdsystemunitdir='$1'
sysusersdir='$2'
tmpfilesdir='$3'" "$(grep -E '^(systemdsystemunit|sysusers|tmpfiles)dir=' \
	"$dir/config.log")" "with ${*:4}"
}

@test "systemd's files go where it reads them" {
	[ ! -e "$CHAT_SRC/config.status" ] || skip 'the tree is configured'
	# shellcheck disable=SC2016 # make expands it
	lib='${prefix}/lib'
	follow "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" \
		--prefix=/opt/chat
	follow /etc/systemd/system /etc/sysusers.d /etc/tmpfiles.d \
		--prefix=/opt/chat \
		--with-systemdsystemunitdir=/etc/systemd/system
	follow /lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d \
		--prefix=/usr --with-systemdsystemunitdir=/lib/systemd/system
	follow /srv/units "$lib/sysusers.d" /srv/tmpfiles \
		--with-systemdsystemunitdir=/srv/units \
		--with-tmpfilesdir=/srv/tmpfiles
}

# usage: stands MODE OWNER DIRECTORY ; below $root
stands()
{
	same "$1 $2" "$(stat -c '%a %u:%g' "$root$3")" "$3"
}

@test "systemd makes the user and the directories" {
	[ -n "$(value_of systemdsystemunitdir)" ] || skip 'no units are made'
	command -v systemd-sysusers >/dev/null &&
		command -v systemd-tmpfiles >/dev/null ||
		skip 'no systemd-sysusers and systemd-tmpfiles here'
	[ "$(id -u)" -eq 0 ] || skip 'only root can give directories away'
	make -C "$CHAT_BUILD" -s install-systemd DESTDIR="$root"
	mkdir -p "$root/etc"
	# Whatever the prefix, and so whether they would look there or not.
	systemd-sysusers --root="$root" - \
		<"$root$(value_of sysusersdir)/chatd.conf"
	systemd-tmpfiles --root="$root" --create - \
		<"$root$(value_of tmpfilesdir)/chatd.conf"
	home=$(value_of localstatedir)/lib/chat
	chatd=$(awk -F: -v home="$home" '
		$1 == "chatd" && $6 == home && $7 ~ /nologin$/ {
			print $3 ":" $4
		}' "$root/etc/passwd")
	[ -n "$chatd" ] || fail "$(cat "$root/etc/passwd")"
	[ "$chatd" != 0:0 ]
	stands 755 0:0 "$(value_of sysconfdir)/chat"
	stands 700 "$chatd" "$home"
	stands 755 "$chatd" "$(value_of runstatedir)/chat"
}
