#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Completion in bash, zsh and fish: what a shell offers is what the programs'
# help says, and people are those of the client's own history.

# shellcheck disable=SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person

scripts=$CHAT_SRC/dist/completions

setup_file()
{
	people alice bob
}

set_up()
{
	cd "$dir" || return
	mkdir "$dir/zsh"
	cp "$scripts/chat.zsh" "$dir/zsh/_chat"
}

# usage: there SHELL ; or the test is skipped
there()
{
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# usage: offered SHELL LINE ; prints what it offers at the end of the line
offered()
{
	local words
	case $1 in
	bash)
		# Words as bash cuts them.
		read -r -a words <<<"${2//=/ = }"
		[[ $2 != *[\ =] ]] || words+=('')
		# shellcheck disable=SC2016 # it is that bash's
		bash -c 'source "$1" && shift && COMP_WORDS=("$@") &&
			COMP_CWORD=$(($# - 1)) && _chat "$1" &&
			printf "%s\n" "${COMPREPLY[@]}"' bash \
			"$scripts/chat.bash" "${words[@]}"
		;;
	zsh)
		timeout "$patience" zsh -f "$CHAT_SRC/t/lib/offers.zsh" \
			"$dir/zsh" "$2" </dev/null
		;;
	fish)
		# shellcheck disable=SC2016 # it is fish's
		fish --no-config -c 'source $argv[1] && complete -C $argv[2]' \
			"$scripts/chat.fish" "$2" | cut -f 1
		;;
	esac | sed '/^$/d' | LC_ALL=C sort -u
}

# usage: offers SHELL LINE WORD... ; exactly these
offers()
{
	local shell=$1 line=$2
	shift 2
	same "$([ $# -eq 0 ] || printf '%s\n' "$@" | LC_ALL=C sort -u)" \
		"$(offered "$shell" "$line")" "what $shell offers at \"$line\""
}

# usage: commands PROGRAM ; first words, as the help has them
commands()
{
	"$1" --help | sed -n 's/^  \([a-z][a-z]*\).*/\1/p'
}

# usage: options PROGRAM [COMMAND] ; those of all commands, and of that one
options()
{
	local global
	global=$("$1" --help | grep -E '^ {2,6}-' | sed 's/^ *//; s/  .*//' |
		grep -oE -- '(^|, )-[^ ,]+' | tr -d ', ')
	printf '%s\n' "$global"
	[ -z "${2:-}" ] || "$1" --help | grep "^  $2 " | grep -oE -- '\[-[^] ]*' |
		tr -d '['
}

# usage: as_helped SHELL ; commands and options of all three programs
as_helped()
{
	local program list
	there "$1"
	for program in chat chatctl; do
		mapfile -t list < <(commands "$program")
		[ ${#list[@]} -ge 10 ]
		offers "$1" "$program " "${list[@]}"
	done
	for program in chat chatctl chatd; do
		mapfile -t list < <(options "$program")
		[ ${#list[@]} -ge 6 ]
		offers "$1" "$program -" "${list[@]}"
	done
	mapfile -t list < <(chatctl --help | sed -n 's/^  user \([a-z]*\).*/\1/p')
	[ ${#list[@]} -ge 6 ]
	offers "$1" 'chatctl user ' "${list[@]}"
	mapfile -t list < <(options chatctl 'cert new')
	offers "$1" 'chatctl cert new -' "${list[@]}"
	# Not what belongs to another command.
	mapfile -t list < <(options chatctl)
	offers "$1" 'chatctl cert renew -' "${list[@]}"
}

# usage: in_place SHELL ; what comes after options and commands
in_place()
{
	there "$1"
	mkdir -p "$dir/place/folder"
	: >"$dir/place/file"
	offers "$1" 'chat se' send
	offers "$1" 'chat -s chat.example.org --js' --json
	offers "$1" 'chat --json se' send
	offers "$1" 'chat -- se' send
	offers "$1" 'chat send bob --js' --json
	offers "$1" 'chatctl inv' invite
	offers "$1" 'chatctl user pas' passwd
	offers "$1" 'chatctl status '
	offers "$1" 'chatctl nonsense '
	case $1 in
	zsh)
		# It offers the last part of a path.
		offers zsh 'chatctl backup place/f' file folder
		offers zsh 'chat --ca=place/fi' file
		offers zsh 'chat --state place/f' folder
		;;
	fish)
		offers fish 'chatctl backup place/f' place/file place/folder/
		offers fish 'chat --ca=place/fi' --ca=place/file
		offers fish 'chat --state place/f' place/folder/
		;;
	bash)
		offers bash 'chatctl backup place/f' place/file place/folder
		offers bash 'chat --ca=place/fi' place/file
		offers bash 'chat --state place/f' place/folder
		;;
	esac
}

# usage: knows_people SHELL ; those of the history, and the accounts
knows_people()
{
	local account
	there "$1"
	mkdir -p "$dir/.config/chat"
	cat >"$dir/.config/chat/chat.conf" <<-'CONF'
		# commented: { out }
		private: { enabled = true; };
		accounts: { home: { server = "localhost"; user = "alice"; };
			work: { server = "chat.example.org"; }; };
	CONF
	chmod 600 "$dir/.config/chat/chat.conf"
	offers "$1" 'chat --account ' home work
	offers "$1" 'chat --account w' work
	centre_start
	person alice
	types alice 'message bob hi'
	sees alice 'bob is offline; the message is kept and will be delivered at the next login.'
	leaves alice
	wait_for no_agents
	centre_stop
	# Nobody is asked: there is no centre any more.
	account="--state $dir/alice.state -u alice -s 127.0.0.1:$PORT"
	offers "$1" "chat $account send " bob
	offers "$1" "chat $account send b" bob
	offers "$1" "chat $account send bob "
	offers "$1" "chat $account block x"
	offers "$1" "chat --state=$dir/alice.state -u alice -s 127.0.0.1:$PORT history " bob
}

# usage: offers_names SHELL ; whatever the client prints as contacts
offers_names()
{
	there "$1"
	mkdir "$dir/fake"
	cat >"$dir/fake/chat" <<-END
		#!/bin/bash
		case \$* in
		--help) exec $(command -v chat) --help ;;
		*contacts) cat "$dir/contacts" ;;
		esac
	END
	chmod +x "$dir/fake/chat"
	PATH=$dir/fake:$PATH
	# shellcheck disable=SC2016 # nobody is to expand it
	printf '%s\n' 'bob  until' '$(touch${IFS}pwned)' '`touch${IFS}pwned`' \
		'${x[$(touch${IFS}pwned)]}' '-x' 'c*' '<b>' 'dan;touch' eve.1 \
		>"$dir/contacts"
	offers "$1" 'chat send ' bob eve.1
	offers "$1" 'chat send e' eve.1
	[ ! -e pwned ]
}

@test "bash: the file parses" {
	bash -n "$scripts/chat.bash"
}

@test "bash: commands and options are those of the help" {
	as_helped bash
}

@test "bash: what is offered depends on what stands before" {
	in_place bash
}

@test "bash: people and accounts" {
	knows_people bash
}

@test "bash: contacts are names, and nothing else" {
	offers_names bash
}

@test "zsh: the file parses" {
	there zsh
	zsh -n "$scripts/chat.zsh"
}

@test "zsh: commands and options are those of the help" {
	as_helped zsh
}

@test "zsh: what is offered depends on what stands before" {
	in_place zsh
}

@test "zsh: people and accounts" {
	knows_people zsh
}

@test "zsh: contacts are names, and nothing else" {
	offers_names zsh
}

@test "fish: the file parses" {
	there fish
	fish --no-execute "$scripts/chat.fish"
}

@test "fish: commands and options are those of the help" {
	as_helped fish
}

@test "fish: what is offered depends on what stands before" {
	in_place fish
}

@test "fish: people and accounts" {
	knows_people fish
}

@test "fish: contacts are names, and nothing else" {
	offers_names fish
}

@test "the three shells read the help in the same way" {
	for shell in bash zsh fish; do
		# Without its first and last line, which are the shell's.
		sed -n "/| awk '\$/,/^\t\t}'\$/{//!p}" "$scripts/chat.$shell" \
			>"$dir/$shell.awk"
		[ "$(wc -l <"$dir/$shell.awk")" -ge 30 ]
	done
	cmp "$dir/bash.awk" "$dir/zsh.awk"
	cmp "$dir/bash.awk" "$dir/fish.awk"
}
