#compdef chat chatctl chatd
# SPDX-License-Identifier: ISC
# Completion of chat, chatctl and chatd in zsh.
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
	while (( $# > 1 )); do
		[[ $1 != --config ]] || file=$2
		shift 2
	done
	sed '/^[[:blank:]]*\(#\|\/\/\)/d' "$file" 2>/dev/null |
		tr -d '[:space:]' | grep -oE '[A-Za-z*][-A-Za-z0-9_*]*[:=][{]' |
		sed 's/..$//' | grep -vxE 'accounts|private'
}

# usage: _chat_values KIND PROGRAM [OPTION VALUE]... ; offers what an option or
# a command takes
_chat_values()
{
	local kind=$1 program=$2
	local -a found
	shift 2
	case $kind in
	(FILE) _files ;;
	(DIR) _files -/ ;;
	(CMD) _command_names -e ;;
	(USER)
		found=(${(f)"$($program $@ contacts </dev/null 2>/dev/null |
			cut -d ' ' -f 1 |
			LC_ALL=C grep -x '[a-z0-9][a-z0-9._-]*')"})
		compadd -a found
		;;
	(ACCOUNT)
		found=(${(f)"$(_chat_accounts $@)"})
		compadd -a found
		;;
	(*) _message ${kind:-'no more words'} ;;
	esac
}

_chat()
{
	local program=${~words[1]} row name word wants='' ended='' command='' kind
	local -A takes commands
	local -a rows part before account offer kinds

	rows=(${(f)"$(_chat_help $program)"})
	for row in $rows; do
		part=("${(@s:|:)row}")
		case $part[1] in
		(-*) takes[$part[1]]=$part[2] ;;
		(*) commands[$part[1]]=$part[2] ;;
		esac
	done
	for word in "${(@Q)words[2,CURRENT-1]}"; do
		word=${word/#\~\//$HOME/}
		if [[ -n $wants ]]; then
			case $wants in
			(-s|-u|--server|--user|--account|--config|--state)
				account+=($wants $word) ;;
			esac
			wants=''
		elif [[ -n $ended || $word != -?* ]]; then
			before+=($word)
		elif [[ $word == -- ]]; then
			ended=yes
		elif [[ -n $takes[$word] ]]; then
			wants=$word
		elif [[ $word == --(server|user|account|config|state)=* ]]; then
			account+=(${word%%=*} ${word#*=})
		fi
	done
	if [[ -z $wants$ended && $PREFIX == --*=* ]]; then
		wants=${PREFIX%%=*}
		compset -P '*='
	fi
	for name in "$before[1]" "$before[1,2]"; do
		[[ -z $name ]] || (( ! $+commands[$name] )) || command=$name
	done

	if [[ -n $wants ]]; then
		kind=$takes[$wants]
		[[ $wants != --account ]] || kind=ACCOUNT
		_chat_values "$kind" $program $account
	elif [[ -z $ended && $PREFIX == -* ]]; then
		for row in $rows; do
			part=("${(@s:|:)row}")
			[[ $part[1] != -* || -n $part[3] &&
				$part[3] != $command ]] ||
				offer+=("${part[1]}:$part[4]")
		done
		_describe -o option offer
	elif [[ -n $command ]]; then
		part=(${=command})
		kinds=(${=commands[$command]})
		kind=${kinds[$#before - $#part + 1]:-}
		_chat_values "${${kind#\[}%\]}" $program $account
	else
		for row in $rows; do
			part=("${(@s:|:)row}")
			name=$part[1]
			[[ $name != -* ]] || continue
			kinds=(${=name})
			if (( $#before == 0 )); then
				(( $#kinds == 1 )) || part[4]="$name ..."
				offer+=("$kinds[1]:$part[4]")
			elif [[ "$before" == "$kinds[1]" ]]; then
				offer+=("$kinds[2]:$part[4]")
			fi
		done
		_describe command offer
	fi
}

_chat "$@"
