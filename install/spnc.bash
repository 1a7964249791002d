# spnc.bash -- completion for spnc, spn-data and the programs that spnc builds; `make install` puts it where bash looks, zsh loads it too.
#
# Commands, options and the words that a value can be are those of `spnc words`, and of the other programs' own --help, read when they are
# needed: a new one needs no line here.  What a value is follows from the name of it: DIR a folder, FILE a file, a|b one of these.
# A program is known once its model has stood on a line that was completed, and after `complete -F _spn_program NAME`.

# The options that stand at the beginning of a line of the answer to "$@" --help.
_spn_options() {
    "$@" --help 2>/dev/null </dev/null | sed -n 's/^ *\(--*[a-z][a-z-]*\).*/\1/p'
    echo --help
}

_spn_files() {      # _spn_files GLOB: folders, and files of that ending
    local f
    while IFS= read -r f; do
        [ -d "$f" ] && COMPREPLY+=("$f/") || { [[ $f == $1 ]] && COMPREPLY+=("$f"); }
    done < <(compgen -f -- "$cur")
    compopt -o nospace -o filenames 2>/dev/null
}

# shellcheck disable=SC2207
_spn_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }

# The word before and the command; bash splits --set d=3 at the '=', which is put together again.
_spn_line() {
    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= model=
    if [ "$prev" = "=" ] || [ "$cur" = "=" ]; then prev==; fi
    local i word
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        -*) ;;
        *.yaml) model=$word ;;
        *) [ -n "$command" ] || command=$word ;;
        esac
    done
}

# _spn_value ARGUMENT: completes the value that the help calls so; fails where an option takes none.
_spn_value() {
    case $1 in
    "") return 1 ;;
    *"|"*) _spn_words "${1//|/ }" ;;
    DIR*) _spn_files "" ;;
    FILE*) _spn_files "*" ;;
    esac
    return 0
}

# What the help of "$@" calls the value of the option $prev.
_spn_argument() { "$@" --help 2>/dev/null </dev/null | sed -n "s/^  $prev \([^ ]*\) .*/\1/p" 2>/dev/null | head -1; }

_spnc() {
    local cur prev command model name row takes choices words argument= among= operands=
    COMPREPLY=()
    _spn_line
    if [ -n "$model" ] && [ -r "$model" ]; then
        name=$(sed -n 's/^model: *\([A-Za-z][A-Za-z0-9_]*\).*/\1/p' "$model" | head -1)
        [ -z "$name" ] || complete -F _spn_program "$name"
    fi
    words=$("$1" words 2>/dev/null </dev/null)
    while IFS=$'\t' read -r row takes choices; do                # name; its value or operands; the words that the value can be
        [ "$row" != "$prev" ] || { argument=$takes among=$choices; }
        [ "$row" != "$command" ] || operands=$takes
    done <<<"$words"
    words=$(cut -f 1 <<<"$words")
    case $prev in
    =) return ;;
    --set)
        [[ -r $model && $cur != *=* ]] || return                # zsh does not split at the '='
        _spn_words "$(awk '/^params:/ { on = 1; sub(/^params:/, ""); } /^[a-z]/ { on = 0 }
            on { sub(/#.*/, ""); gsub(/[{}]/, ""); n = split($0, p, ",")
                 for (i = 1; i <= n; i++) if (match(p[i], /[A-Za-z_][A-Za-z0-9_]*:/)) print substr(p[i], RSTART, RLENGTH - 1) "=" }' "$model")"
        compopt -o nospace 2>/dev/null
        return ;;
    -*) if [ -n "$among" ]; then _spn_words "$among"; return; fi
        _spn_value "$argument" && return ;;
    esac
    case $cur in
    -*) _spn_words "$words" ;;
    *)
        if [ -z "$command" ]; then
            _spn_words "$(grep '^[a-z]' <<<"$words")"
        elif [ "$command" = ops ]; then
            _spn_words "$("$1" ops 2>/dev/null | sed -n 's/^  \([a-z_]*\)  *.*/\1/p')"
        elif [ "$command" = templates ]; then
            _spn_words "$("$1" templates 2>/dev/null | sed -n 's/^  \([a-z_]*\)\.[a-z.]*  *.*/\1/p')"
        elif [ "$command" = explain ] && [ -r "$model" ]; then
            _spn_words "$("$1" show "$model" --json 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)"
        elif [[ $operands = MODEL* ]]; then
            _spn_files "*.yaml"
        fi ;;
    esac
}

# _spn_commands PROGRAM SCRIPT: completes PROGRAM [COMMAND] [options]; SCRIPT, for sed, finds the commands in its --help.
_spn_commands() {
    local cur prev command model
    COMPREPLY=()
    _spn_line
    case $prev in
    =) return ;;
    -*) _spn_value "$(_spn_argument "$1" "$command")" && return ;;
    esac
    case $cur in
    -*) _spn_words "$(_spn_options "$1" $command)" ;;
    *)
        if [ -z "$command" ]; then
            _spn_words "$("$1" --help 2>/dev/null | sed -n "$2")"
        else
            _spn_files "*"
        fi ;;
    esac
}
_spn_data() { _spn_commands "$1" 's/^.* spn-data \([a-z][a-z]*\) .*/\1/p'; }
# A trainer: COMMAND [options], as its --help and COMMAND --help list them.
_spn_program() { _spn_commands "$1" 's/^  \([a-z]*\)  *.*/\1/p'; }

complete -F _spnc spnc
complete -F _spn_data spn-data
