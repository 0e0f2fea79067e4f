#!/bin/bash
# SPDX-License-Identifier: ISC
# A bot to start from: a face of chat's agent, as chat-agent(7) has it.  It
# stays logged in and answers "echo TEXT", "time" and "help"; put your own
# words into answer().  Whoever says anything else gets one hint a minute, and
# nobody more than ten answers, so that no two bots keep each other talking.
#
# usage: echobot.sh [OPTION OF CHAT]... ; such as --account bot

if [[ $(nc -h 2>&1) != *-U* ]] || ! command -v jq >/dev/null; then
	echo 'echobot: needs jq, and nc with -U (netcat-openbsd)' >&2; exit 69
fi

answer() # FROM TEXT ; prints what is to be said, or nothing
{
	case $2 in
	'echo '?*) printf '%s\n' "${2#echo }" ;;
	time) date ;;
	help) echo 'I know: echo TEXT, time, help.' ;;
	*) [ "${said[$1]}" -gt 1 ] || answer "$1" help ;;
	esac
}

declare -A said=()
trap '' PIPE
trap 'kill $pid; chat "$@" logout' EXIT # also of a signal
while chat "$@" login || { [[ $? =~ 69|75 ]] && sleep 5 && continue; }; do
	{ read -r me; read -r socket; } < <(chat "$@" status --json | jq -r '.user, .socket')
	# From its directory: the address of a socket holds no long path.
	coproc FACE { cd "${socket%/*}" && exec nc -U "${socket##*/}"; }
	pid=$! && exec 5<&"${FACE[0]}" 6>&"${FACE[1]}"
	echo '{"do": "watch"}' >&6
	while read -r -u 5 line; do
		{ read -r event; read -r row; read -r from; text=$(cat); } < <(
			jq -r '.event, .row, .from // .reason, .text // ""' <<<"$line")
		[ "$event $from" != 'logged-out replaced' ] || exit 1 # by another bot?
		[ "$minute" = $((SECONDS / 60)) ] || said=() minute=$((SECONDS / 60))
		[ "$event" != message ] || [ "$from" = "$me" ] || [ $((said[$from] += 1)) -gt 10 ] ||
			answer "$from" "$text" | jq -Rsc --arg to "$from" \
				'select(. != "") | {do: "send", $to, text: .[:-1]}' >&6
		[ "$row" = null ] || echo '{"do": "seen", "row": '"$row}" >&6
	done
done
exit 1
