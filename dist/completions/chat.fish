# SPDX-License-Identifier: ISC
# Completion of chat, chatctl and chatd in fish, installed under each name.
# Commands, options and what they take are read from the program's --help, so
# that they cannot be out of date; people come from the client's own history.
# It never speaks to a centre, and never asks a question.

# usage: __chat_help PROGRAM ; rows of "NAME|TAKES|COMMAND|ABOUT": an option (of
# one command, or all), or a command
function __chat_help
	command -q $argv[1]; or return
	$argv[1] --help </dev/null 2>/dev/null | awk '
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
end

# usage: __chat_accounts [OPTION VALUE]... ; those of the configuration
function __chat_accounts
	set -l file ~/.config/chat/chat.conf
	set -q XDG_CONFIG_HOME; and set file $XDG_CONFIG_HOME/chat/chat.conf
	set -l at (contains -i -- --config $argv)
	and set file $argv[(math $at + 1)]
	sed '/^[[:blank:]]*\(#\|\/\/\)/d' $file 2>/dev/null |
		tr -d '[:space:]' | grep -oE '[A-Za-z*][-A-Za-z0-9_*]*[:=][{]' |
		sed 's/..$//' | grep -vxE 'accounts|private'
end

# usage: __chat_values KIND PREFIX PROGRAM [OPTION VALUE]... ; prints what an
# option or a command takes, with the prefix before it
function __chat_values
	set -l word (string replace -r '^--[a-z-]+=' '' -- (commandline -ct))
	switch $argv[1]
		case FILE
			__fish_complete_path $word
		case DIR
			__fish_complete_directories $word
		case CMD
			complete -C $word
		case USER
			$argv[3..] contacts </dev/null 2>/dev/null |
				cut -d ' ' -f 1 |
				env LC_ALL=C grep -x '[a-z0-9][a-z0-9._-]*'
		case ACCOUNT
			__chat_accounts $argv[4..]
	end | string replace -r '^' -- $argv[2]
end

# usage: __chat_row NAME ROW... ; the row of that name
function __chat_row
	string match -- "$argv[1]|*" $argv[2..] | head -n 1
end

# usage: __chat ; prints what may stand at the cursor, each with a description
function __chat
	set -l tokens (commandline -opc)
	set -l current (commandline -ct)
	set -l rows (__chat_help $tokens[1])
	set -l wants
	set -l ended
	set -l words
	set -l account
	set -l prefix ''
	for word in $tokens[2..]
		if set -q wants[1]
			contains -- $wants -s -u --server --user --account \
				--config --state
			and set -a account $wants $word
			set -e wants
		else if set -q ended[1]; or not string match -q -- '-?*' $word
			set -a words $word
		else if test "$word" = --
			set ended yes
		else if string match -qr '^[^|]+\|[^|]' -- (__chat_row $word $rows)
			set wants $word
		else if string match -qr \
			'^--(server|user|account|config|state)=' -- $word
			set -a account (string split -m 1 = -- $word)
		end
	end
	if not set -q wants[1]; and not set -q ended[1]
		and string match -q -- '--*=*' $current
		set wants (string replace -r '=.*' '' -- $current)
		set prefix $wants=
	end
	set -l command (__chat_command "$words[1..2]" "$words[1]" $rows)

	if set -q wants[1]
		set -l kind (string split '|' -- (__chat_row $wants $rows))[2]
		test $wants = --account; and set kind ACCOUNT
		__chat_values "$kind" "$prefix" $tokens[1] $account
	else if not set -q ended[1]; and string match -q -- '-*' $current
		for row in (string match -- '-*' $rows)
			set -l part (string split '|' -- $row)
			contains -- "$part[3]" '' "$command"
			and printf '%s\t%s\n' $part[1] $part[4]
		end
	else if test -n "$command"
		set -l kinds (string split ' ' -- \
			(string split '|' -- (__chat_row $command $rows))[2])
		set -l at (math (count $words) - \
			(count (string split ' ' -- $command)) + 1)
		__chat_values (string trim -c '[]' -- "$kinds[$at]") '' \
			$tokens[1] $account
	else
		for row in (string match -v -- '-*' $rows)
			set -l part (string split '|' -- $row)
			set -l name (string split ' ' -- $part[1])
			if not set -q words[1]
				set -q name[2]; and set part[4] "$name ..."
				printf '%s\t%s\n' $name[1] $part[4]
			else if set -q name[2]; and test "$words" = $name[1]
				printf '%s\t%s\n' $name[2] $part[4]
			end
		end
	end
end

# usage: __chat_command TWO ONE ROW... ; the command that the words begin with
function __chat_command
	for name in $argv[1..2]
		test -n "$name"; or continue
		if string match -q -- "$name|*" $argv[3..]
			echo $name
			return
		end
	end
end

for program in chat chatctl chatd
	complete -c $program -e
	complete -c $program -f -a '(__chat)'
end
