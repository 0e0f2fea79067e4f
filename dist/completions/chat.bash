# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# Completion of chat, chatctl and chatd in bash, installed under each name.
# Commands, options and what they take are read from the program's --help, so
# that they cannot be out of date; people come from the client's own history.
# It never speaks to a centre, and never asks a question.

# usage: _chat_help PROGRAM ; rows of "NAME|TAKES|COMMAND|ABOUT": an option (of
# one command, or all), or a command
_chat_help()
{
	"$1" --help </dev/null 2>/dev/null | awk '
		function put(name, takes, command) {
			known[name] = 1
			print name "|" takes "|" command "|" about
		}
		!/^  [a-z]/ && !/^  (    )?-/ { next }
		{
			sub(/^ +/, "")
			left = about = $0
			sub(/  .*/, "", left)
			if (!sub(/^.*  /, "", about))
				about = ""
		}
		left ~ /^-/ {
			count = split(left, flags, ", ")
			takes = flags[count]
			if (!sub(/^[^ ]+ /, "", takes))
				takes = ""
			for (i = 1; i <= count; i++) {
				sub(/ .*/, "", flags[i])
				put(flags[i], takes, "")
			}
			next
		}
		{
			at = match(left, / [^a-z]/)
			takes = at ? substr(left, at + 1) : ""
			name = at ? substr(left, 1, at - 1) : left
			while (match(takes, /\[-[^]]*\](\.\.\.)? ?/)) {
				flag = substr(takes, RSTART + 1, RLENGTH - 1)
				takes = substr(takes, 1, RSTART - 1) \
					substr(takes, RSTART + RLENGTH)
				sub(/\].*/, "", flag)
				split(flag " ", flags, " ")
				own[++owns] = flags[1]
				row[owns] = flags[2] "|" name "|"
			}
			put(name, takes, "")
		}
		END {
			for (i = 1; i <= owns; i++)
				if (!(own[i] in known))
					print own[i] "|" row[i]
		}'
}

# usage: _chat_accounts [OPTION VALUE]... ; those of the configuration
_chat_accounts()
{
	local file=${XDG_CONFIG_HOME:-$HOME/.config}/chat/chat.conf
	while [ $# -gt 1 ]; do
		[ "$1" != --config ] || file=$2
		shift 2
	done
	sed '/^[[:blank:]]*\(#\|\/\/\)/d' "$file" 2>/dev/null |
		tr -d '[:space:]' | grep -oE '[A-Za-z*][-A-Za-z0-9_*]*[:=][{]' |
		sed 's/..$//' | grep -vxE 'accounts|private'
}

# usage: _chat_values KIND PROGRAM [OPTION VALUE]... ; sets COMPREPLY to what
# an option or a command takes
_chat_values()
{
	local kind=$1 program=$2 from=()
	shift 2
	case $kind in
	FILE) from=(-f) ;;
	DIR) from=(-d) ;;
	CMD) from=(-c) ;;
	# -W expands its words: nothing but names may be among them.
	USER) from=(-W "$("$program" "$@" contacts </dev/null 2>/dev/null |
		cut -d ' ' -f 1 | LC_ALL=C grep -x '[a-z0-9][a-z0-9._-]*')") ;;
	ACCOUNT) from=(-W "$(_chat_accounts "$@")") ;;
	*) return ;;
	esac
	[ "$kind" != FILE ] && [ "$kind" != DIR ] ||
		compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "${from[@]}" -- "$cur")
}

# usage: _chat_before ; sorts the words before the cursor into words and
# account; wants is the option whose value comes next
_chat_before()
{
	local i word
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]//[\"\'\\]/}
		[[ $word != \~/* ]] || word=$HOME/${word:2}
		if [ -n "$wants" ]; then
			# --option=value comes as three words.
			[ "$word" != = ] || continue
			case $wants in
			-s | -u | --server | --user | --account | --config | \
				--state) account+=("$wants" "$word") ;;
			esac
			wants=
		elif [ -n "$ended" ] || [[ $word != -?* ]]; then
			words+=("$word")
		elif [ "$word" = -- ]; then
			ended=yes
		elif [ -n "${takes[$word]:-}" ]; then
			wants=$word
		fi
	done
}

# usage: _chat_arguments PROGRAM ; what the command takes here
_chat_arguments()
{
	local -a kinds
	read -r -a kinds <<<"${commands[$command]}"
	local at=$((${#words[@]} - $(wc -w <<<"$command")))
	local kind=${kinds[at]:-}
	kind=${kind#[}
	_chat_values "${kind%]}" "$1" "${account[@]}"
}

# usage: _chat PROGRAM ; bash calls it, with COMP_WORDS and COMP_CWORD
_chat()
{
	local cur=${COMP_WORDS[COMP_CWORD]} program=$1 name kind of wants='' ended=''
	local command='' offer=()
	local -A takes=() owner=() commands=()
	local -a words=() account=()

	COMPREPLY=()
	[[ $program != \~/* ]] || program=$HOME/${program:2}
	while IFS='|' read -r name kind of _; do
		case $name in
		-*)
			takes[$name]=$kind
			owner[$name]+=" $of "
			;;
		*) commands[$name]=$kind ;;
		esac
	done < <(_chat_help "$program")
	_chat_before
	for name in "${words[0]:-}" "${words[*]:0:2}"; do
		[ -z "$name" ] || [ -z "${commands[$name]+there}" ] ||
			command=$name
	done
	if [ -n "$wants" ]; then
		[ "$cur" != = ] || cur=
		kind=${takes[$wants]}
		[ "$wants" != --account ] || kind=ACCOUNT
		_chat_values "$kind" "$program" "${account[@]}"
	elif [ -z "$ended" ] && [[ $cur == -* ]]; then
		for name in "${!takes[@]}"; do
			of=" ${owner[$name]} "
			[[ $of =~ [a-z] && ( -z $command ||
				$of != *" $command "* ) ]] || offer+=("$name")
		done
		mapfile -t COMPREPLY < <(compgen -W "${offer[*]}" -- "$cur")
	elif [ -n "$command" ]; then
		_chat_arguments "$program"
	else
		for name in "${!commands[@]}"; do
			name="$name "
			[[ $name != "${words[*]:+${words[*]} }"* ]] ||
				offer+=("$(cut -d ' ' -f $((${#words[@]} + 1)) \
					<<<"$name")")
		done
		mapfile -t COMPREPLY < <(compgen -W "${offer[*]}" -- "$cur" |
			sort -u)
	fi
}

complete -F _chat chat chatctl chatd
