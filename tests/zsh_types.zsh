# zsh_types.zsh PREFIX PATH LINE -- what an interactive zsh, with the completion installed below PREFIX, shows after LINE and two tabs.
# It waits until zsh has nothing more to say; the prompt is %, so that the end of its start is seen.
zmodload zsh/zpty
typeset -F SECONDS
say_until() {                                  # say_until TEXT: what is heard until TEXT stands in it, or for five minutes
    local part heard=
    local -F end=$((SECONDS + 300))
    while ((SECONDS < end)) && [[ $heard != *$1* ]]; do zpty -rt z part && heard+=$part || sleep 0.02; done
    print -rn -- "$heard"
}
zpty -b z "zsh -f -i"
zpty -w z "PS1='ready%% '; unsetopt beep; HOME=$1; fpath=($1/share/zsh/site-functions \$fpath); autoload -U compinit; compinit -u -D; PATH=$2:\$PATH; print begin\$((1 + 1))"
say_until begin2 >/dev/null
zpty -n -w z "$3"$'\t\t'
say_until "$4"
