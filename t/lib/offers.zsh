# SPDX-License-Identifier: ISC
# usage: zsh -f offers.zsh FOLDER LINE ; prints what an interactive zsh offers
# at the end of the line, one a line.  FOLDER holds the completion as _chat.

if [[ -z $OFFERS ]]; then
	zmodload zsh/zpty
	print -r -- "OFFERS=1 source ${(qq)0}" >$1/.zshrc
	zpty shell "ZDOTDIR=${(q)1} zsh -d -i"
	zpty -r -m shell seen '*<ready>*'
	zpty -w -n shell "$2"$'\t'
	zpty -r -m shell seen '*<that is all>*'
	zpty -d shell
	print -r -- $seen | tr -d '\r' |
		sed -n 's/.*<offer \(.*\)>$/\1/p' | sort -u
	return
fi

# The shell on the pseudo-terminal.
unset OFFERS
PS1= PROMPT_EOL_MARK=
fpath=($ZDOTDIR $fpath)
autoload -Uz compinit && compinit -u -D
# What compadd adds for good, and not for _describe to look at.
compadd()
{
	local -a offers
	[[ " $* " == *' -'[OAD]' '* ]] || builtin compadd -A offers "$@"
	(( ! $#offers )) || print -rl -- '' "<offer "$^offers">"
	builtin compadd "$@"
}
zle -C complete list-choices _main_complete
offer() { zle complete; print '<that is all>' }
zle -N offer
bindkey '^I' offer
print '<ready>'
