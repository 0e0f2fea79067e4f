#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the manual pages and HACKING.md say, held against the programs and the
# tables that they describe.

# shellcheck disable=SC2154 # lib/centre.bash has them
load lib/centre

man=$CHAT_SRC/man

# usage: has PAGE LINE ; the page has exactly this line
has()
{
	grep -qxF -e "$2" "$man/$1" || fail "man/$1 has no line: $2"
}

# usage: tagged PAGE MACRO WORD ; the word is the first of an item, or follows
# a comma in it
tagged()
{
	grep '^\.It ' "$man/$1" | sed 's/^\.It/ ,/' | tr '\t' ' ' |
		grep -qE -- " , ($2 )?$3( |\$)" ||
		fail "man/$1 has no item for $3"
}

# usage: rows TABLE ; the first two columns of an X-macro in lib/wire.h, as
# "ROW name"
rows()
{
	awk -v table="#define $1(X)" '
		index($0, table) { on = 1; next }
		on && match($0, /X\([A-Z_]+, "[a-z-]+"/) {
			row = substr($0, RSTART + 2, RLENGTH - 3)
			sub(/, "/, " ", row)
			print row
		}
		on && !/\\$/ { exit }' "$CHAT_SRC/src/lib/wire.h"
}

# usage: settings ; what chatd -T prints for an empty file, as "PATH VALUE"
settings()
{
	: >"$dir/empty.conf"
	chatd -c "$dir/empty.conf" -T | awk '
		/^ *\/\// { next }
		/: \{$/ { sub(/:.*/, ""); gsub(/[ \t]/, ""); group = $0 "."; next }
		/^\};$/ { group = ""; next }
		{
			sub(/^[ \t]*/, "")
			path = $1
			sub(/^[^=]*= /, "")
			sub(/;$/, "")
			print group path, $0
		}'
}

# usage: default_of SETTING ; the default that chatd.conf(5) gives
default_of()
{
	awk -v item=".It Cm $1" '
		$0 == item { on = 1; next }
		on && /^\.(It|El)/ { exit }
		on && /^Default:$/ { getline; print; exit }
		on && sub(/^Default: /, "") { print; exit }' \
		"$man/chatd.conf.5" | sed 's/^\.[QP][la] //; s/ \.$//; s/\.$//
			s/\\&//g; s/\\(dq/"/g'
}

@test "mandoc finds nothing to say about the pages" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	mandoc -Tlint -Wwarning "$man"/*.[1-8]
}

@test "every page has what a page has" {
	for page in "$man"/*.[1-8]; do
		page=${page##*/}
		for section in NAME DESCRIPTION EXAMPLES '"SEE ALSO"'; do
			has "$page" ".Sh ${section//\"/}"
		done
		case $page in
		*.[18])
			has "$page" '.Sh SYNOPSIS'
			has "$page" '.Sh FILES'
			has "$page" '.Sh EXIT STATUS'
			;;
		esac
	done
}

@test "what the pages refer to is there" {
	for page in "$man"/*.[1-8]; do
		while read -r _ name section _; do
			case $name in
			chat*)
				[ -f "$man/$name.$section" ] ||
					fail "$page: no page $name($section)"
				;;
			esac
		done < <(grep '^\.Xr ' "$page")
	done
}

@test "chatd(8) has every option" {
	chatd --help >"$dir/help"
	options=$(grep -oE -- '--[a-z-]+' "$dir/help" | sort -u)
	[ "$(wc -l <<<"$options")" -ge 8 ]
	for option in $options; do
		grep -qE "^\.It .*Fl Fl ${option#--}( |$)" "$man/chatd.8" ||
			fail "chatd(8) has no $option"
	done
}

@test "chat(1) has every option" {
	chat --help >"$dir/help"
	options=$(grep -oE -- '--[a-z-]+' "$dir/help" | sort -u)
	[ "$(wc -l <<<"$options")" -ge 10 ]
	for option in $options; do
		grep -qE "^\.It .*Fl Fl ${option#--}( |$)" "$man/chat.1" ||
			fail "chat(1) has no $option"
	done
}

@test "chat-gtk(1) has every option" {
	[ -x "$CHAT_BUILD/chat-gtk" ] || skip 'chat-gtk is not built'
	chat-gtk --help | grep -oE -e '--[a-z-]+' >"$dir/options"
	[ -s "$dir/options" ]
	while read -r option; do
		grep -qE "^\.It .*Fl Fl ${option#--}( |$)" "$man/chat-gtk.1" ||
			fail "chat-gtk(1) has no $option"
	done <"$dir/options"
}

@test "chat(1) has every command" {
	words=$(sed -n 's/^\tX([A-Z]*, "\([^"]*\)", "\([^"]*\)",.*/\1 \2/p' \
		"$CHAT_SRC/src/chat/faces/command.h")
	[ "$(wc -l <<<"$words")" -ge 8 ]
	for word in ${words//\?/}; do
		tagged chat.1 Ic "$word"
	done
}

@test "chat(1) has every command of the command line" {
	words=$(chat --help | sed -n '/^Commands:/,$s/^  \([a-z]*\).*/\1/p')
	[ "$(wc -l <<<"$words")" -ge 6 ]
	sed '1,/^\.Ss One command/d; /^\.Ss/,$d' "$man/chat.1" >"$dir/section"
	for word in $words; do
		grep -qE "^\.It Ic $word( |\$)" "$dir/section" ||
			fail "chat(1) has no $word"
	done
}

@test "README.md shows commands that there are, and denies none" {
	help=$(chat --help)
	shown=$(sed -n '/^    .*chat/{s/#.*//;s/.*\bchat \([a-z]*\) .*/\1/p}' \
		"$CHAT_SRC/README.md" | grep -vx '')
	[ "$(wc -l <<<"$shown")" -ge 5 ]
	for word in $shown; do
		grep -qE "^  $word( |\$)" <<<"$help" || fail "no chat $word"
	done
	sed -n '/Not in this version/,/^$/p' "$CHAT_SRC/README.md" >"$dir/not"
	run ! grep -iE 'one-shot|beacon|invit|backup|private link' "$dir/not"
	sed -sn '/^\.Sh CAVEATS/,$p' "$man/chatd.8" "$man/chat.1" >"$dir/not"
	run ! grep -iE 'one-shot|beacon|invit|backup|private link' "$dir/not"
}

@test "chatctl(8) has every command" {
	chatctl -h >"$dir/help"
	names=$(sed -n '3,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\).*/\1/p' \
		"$dir/help")
	[ "$(wc -l <<<"$names")" -ge 15 ]
	while read -r first second; do
		grep -qE "^\.It .*$first${second:+.* $second}( |$)" \
			"$man/chatctl.8" ||
			fail "chatctl(8) has no $first $second"
	done <<<"$names"
}

@test "chatd.conf(5) has every setting with its default" {
	settings >"$dir/settings"
	[ "$(wc -l <"$dir/settings")" -ge 25 ]
	while read -r path value; do
		has chatd.conf.5 ".It Cm $path"
		case $path in
		*_directory | tls.*) continue ;; # chosen by configure
		esac
		case $value in
		'['*) ;;
		*) value=${value//\"/} ;;
		esac
		same "$value" "$(default_of "$path")" "the default of $path"
	done <"$dir/settings"
}

@test "chatd.conf(5) has no setting that chatd does not know" {
	settings >"$dir/settings"
	sed -n 's/^\.It Cm \([a-z_.]*\)$/\1/p' "$man/chatd.conf.5" >"$dir/told"
	while read -r path; do
		grep -q "^$path " "$dir/settings" ||
			fail "chatd does not know $path"
	done <"$dir/told"
}

@test "chat.conf(5) has every setting" {
	names=$(awk '/^static const struct/ { on = 1 } /^};/ { on = 0 }
		on && match($0, /^    \{"[a-z_.]+"/) {
			print substr($0, RSTART + 6, RLENGTH - 7)
		}' "$CHAT_SRC/src/chat/profile.c")
	[ "$(wc -l <<<"$names")" -ge 10 ]
	for name in $names; do
		grep -qxF -e ".It Cm $name" \
			-e ".It Cm accounts. Ns Ar NAME Ns Cm .$name" \
			"$man/chat.conf.5" ||
			fail "chat.conf(5) has no $name"
	done
}

@test "chat-protocol(7) has every request, who may, and its members" {
	tr -d '\012\134' <"$CHAT_SRC/src/lib/wire.h" | tr -s ' \t' ' ' |
		grep -oE 'X\([A-Z]+, "[a-z]+", WHO_[A-Z]+, "[^"]*"\)' |
		sed 's/X([A-Z]*, //; s/[",)]//g; s/WHO_//' >"$dir/requests"
	[ "$(wc -l <"$dir/requests")" -ge 13 ]
	while read -r name who members; do
		members=${members:+ : ${members// / , }}
		grep -qE "^\.It Cm ([a-z]+ , )?$name( , [a-z]+)? Pq ${who,,}${members//\?/\\?}\$" \
			"$man/chat-protocol.7" ||
			fail "chat-protocol(7) has no $name, $who$members"
	done <"$dir/requests"
}

@test "chat-protocol(7) has every error" {
	errors=$(rows WIRE_ERRORS)
	[ "$(wc -l <<<"$errors")" -ge 18 ]
	while read -r _ name; do
		grep -qE "^\.(It )?Cm $name( |$)" "$man/chat-protocol.7" ||
			fail "chat-protocol(7) has no error $name"
	done <<<"$errors"
}

@test "chat-protocol(7) has every event in its log" {
	events=$(rows WIRE_EVENTS)
	[ "$(wc -l <<<"$events")" -ge 6 ]
	kind=mail
	while read -r row name; do
		[ "$row" != BROADCAST ] || kind=room
		grep -qE "^\.It Cm ([a-z]+ , )?$name( , [a-z]+)? Pq $kind :" \
			"$man/chat-protocol.7" ||
			fail "chat-protocol(7) has no event $name in $kind"
	done <<<"$events"
}

# usage: items PAGE SECTION ; what its items are named, and who may
items()
{
	awk -v section=".Ss $2" '/^\.S[sh] / { on = $0 == section }
		on && /^\.It Cm / { print $3, $4 == "Pq" ? $5 : "" }' "$man/$1"
}

@test "chat-agent(7) has every request, and who may, and no other" {
	sed -n '/^static const struct desk_row rows/,/^};/s/^    {//p' \
		"$CHAT_SRC/src/chat/agent/desk.c" | tr -d '",' |
		awk '{ print $1, $2 == "true" ? "session" : "anyone" }' \
			>"$dir/rows"
	[ "$(wc -l <"$dir/rows")" -ge 14 ]
	same "$(sort "$dir/rows")" \
		"$(items chat-agent.7 'Requests and replies' | sort)"
}

@test "chat-agent(7) has every event, and no other" {
	{
		grep -rhoE '("event", json_string|event_about|private_link_event)\("[a-z-]+"' \
			"$CHAT_SRC/src/chat/agent" | sed 's/"$//; s/.*"//'
		grep -oE '^	    \[BOOK_[A-Z]+\] = "[a-z]+"' \
			"$CHAT_SRC/src/chat/agent/book-history.c" | cut -d'"' -f2
	} | sort -u >"$dir/events"
	[ "$(wc -l <"$dir/events")" -ge 11 ]
	same "$(cat "$dir/events")" \
		"$(items chat-agent.7 Events | tr -d ' ' | sort)"
}

@test "HACKING.md has every source file, in three words" {
	awk '/^    [a-z]+\// { folder = $1 !~ /^src\// ? "" : $1 }
		/^      [a-z]/ && folder != "" { print folder $1, NF - 1 }' \
		"$CHAT_SRC/HACKING.md" | sort >"$dir/told"
	(cd "$CHAT_SRC" && find src -name '*.[ch]') | sed 's/\.[ch]$//' |
		sort -u >"$dir/there"
	[ "$(wc -l <"$dir/there")" -ge 50 ]
	same "$(cat "$dir/there")" "$(cut -d' ' -f1 "$dir/told")" 'the tree'
	run grep -v ' 3$' "$dir/told"
	same '' "$output" 'what is not three words'
}

@test "the functions that HACKING.md leads through are there" {
	names=$(grep -oE '[a-z_]+\(\)' "$CHAT_SRC/HACKING.md" |
		tr -d '()' | sort -u)
	[ "$(wc -l <<<"$names")" -ge 50 ]
	for name in $names; do
		case $name in
		fork | main | fatal) continue ;;
		esac
		grep -rqE "^$name\(" "$CHAT_SRC/src" "$CHAT_SRC/t/fuzz" ||
			fail "there is no $name()"
	done
}
