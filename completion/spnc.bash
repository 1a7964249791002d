# spnc.bash -- completion for spnc, spn-data and the programs that spnc builds; `make install` puts it where bash looks, zsh loads it too.
#
# Commands and options are those of the program's own --help, asked for when they are needed: a new one needs no line here.
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

_spnc() {
    local cur prev command model name
    COMPREPLY=()
    _spn_line
    if [ -n "$model" ] && [ -r "$model" ]; then
        name=$(sed -n 's/^model: *\([A-Za-z][A-Za-z0-9_]*\).*/\1/p' "$model" | head -1)
        [ -z "$name" ] || complete -F _spn_program "$name"
    fi
    case $prev in
    --target) _spn_words "avx512 avx2 generic native"; return ;;
    --precision) _spn_words "float double"; return ;;
    --stage) _spn_words "graph steps grad fuse plan"; return ;;
    -o | --templates | --tuning) _spn_files "" ; return ;;
    --batch | --memory | =) return ;;
    --set)
        [[ -r $model && $cur != *=* ]] || return                # zsh does not split at the '='
        _spn_words "$(awk '/^params:/ { on = 1; sub(/^params:/, ""); } /^[a-z]/ { on = 0 }
            on { sub(/#.*/, ""); gsub(/[{}]/, ""); n = split($0, p, ",")
                 for (i = 1; i <= n; i++) if (match(p[i], /[A-Za-z_][A-Za-z0-9_]*:/)) print substr(p[i], RSTART, RLENGTH - 1) "=" }' "$model")"
        compopt -o nospace 2>/dev/null
        return ;;
    esac
    case $cur in
    -*) _spn_words "$(_spn_options "$1")" ;;
    *)
        if [ -z "$command" ]; then
            _spn_words "$("$1" --help 2>/dev/null | sed -n 's/^  spnc \([a-z]*\) .*/\1/p')"
        elif [ "$command" = ops ]; then
            _spn_words "$("$1" ops 2>/dev/null | sed -n 's/^  \([a-z_]*\)  *.*/\1/p')"
        elif [ "$command" = templates ]; then
            _spn_words "$("$1" templates 2>/dev/null | sed -n 's/^  \([a-z_]*\)\.[a-z.]*  *.*/\1/p')"
        elif [ "$command" = explain ] && [ -r "$model" ]; then
            _spn_words "$("$1" show "$model" --json 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)"
        elif [ "$command" != schema ]; then
            _spn_files "*.yaml"
        fi ;;
    esac
}

_spn_data() {
    local cur prev command model
    COMPREPLY=()
    _spn_line
    case $cur in
    -*) _spn_words "$(_spn_options "$1" $command)" ;;
    *)
        if [ -z "$command" ]; then
            _spn_words "$("$1" --help 2>/dev/null | sed -n 's/^.* spn-data \([a-z][a-z]*\) .*/\1/p')"
        else
            _spn_files "*"
        fi ;;
    esac
}

# A trainer: COMMAND [options], as its --help and COMMAND --help list them.
_spn_program() {
    local cur prev command model choices
    COMPREPLY=()
    _spn_line
    case $prev in
    --data | --run) _spn_files "" ; return ;;
    -o | --weights | --picture) _spn_files "*" ; return ;;
    =) return ;;
    -*)     # an option of a choice, --split train|valid|test; one that takes a value of another kind has nothing to offer
        choices=$("$1" "$command" --help 2>/dev/null | sed -n "s/^  $prev \([A-Za-z.=|]*\)  *.*/\1/p" | head -1)
        case $choices in
        *"|"*) _spn_words "${choices//|/ }"; return ;;
        [A-Z]*) return ;;
        esac ;;
    esac
    case $cur in
    -*) _spn_words "$(_spn_options "$1" $command)" ;;
    *)
        if [ -z "$command" ]; then
            _spn_words "$("$1" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *.*/\1/p')"
        else
            _spn_files "*"
        fi ;;
    esac
}

complete -F _spnc spnc
complete -F _spn_data spn-data
