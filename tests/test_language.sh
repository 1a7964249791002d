#!/usr/bin/env bash
# test_language.sh -- the compiler's own documentation of its language: the catalogue of errors, the schema, the pages of `spnc ops`,
# completion.
# usage: tests/test_language.sh      prints what failed and exits 1; SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/environment.sh"
set -u
cd "$(dirname "$0")/.." || exit 1
spnc=${SPNC:-build/spnc}
case $spnc in /*) ;; *) spnc=$PWD/$spnc ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fault() { echo "test_language: $*" >&2; failed=1; }

# ---- every message has a model that has it, and its line in the catalogue -------------------------------------------
python3 tests/catalogue.py "${spnc#"$PWD"/}" || fault "docs/errors.md, or a message without an example: see above"

# ---- each page of `spnc ops` has an example that compiles; an unknown name is an error ------------------------------
pages=$("$spnc" ops | sed -n 's/^  \([a-z_0-9]*\)  *.*/\1/p')
[ "$(wc -w <<<"$pages")" -ge 30 ] || fault "spnc ops lists $(wc -w <<<"$pages") names"
mkdir "$work/pages"
for page in $pages; do
    "$spnc" ops "$page" >"$work/pages/$page" || fault "spnc ops $page: exit code $?"
    grep -q "^$page: " "$work/pages/$page" || fault "spnc ops $page does not begin with its name"
    awk -v to="$work/$page" '/^example$/ { n++; on = 1; next } !/^    / { on = 0 } on { print substr($0, 5) > (to (n > 1 ? n : "") ".yaml") }' "$work/pages/$page"
    for example in "$work/$page.yaml" "$work/$page"[2-9].yaml; do
        [ -e "$example" ] || { [ "$example" != "$work/$page.yaml" ] || fault "spnc ops $page has no example"; continue; }
        said=$("$spnc" check "$example" 2>&1) && [ -z "$said" ] || fault "the example of spnc ops $page: $said"
        grep -q "\b$page\b" <(sed 1d "$example") || fault "the example of spnc ops $page has no $page in it"
    done
done
# Two things of one name have both their pages; a key that may stand in several maps has each place.
for pair in 'divide:rate(epoch) = rate' 'divide:y = x1 / x2' 'step:rate / divide^floor' 'clip:y = min(max(x, low), high)' 'clip:  train: { clip: { norm: 10 } }' 'flip:augment: { flip: horizontal }' \
            'flip:y\[k\] = x\[n - 1 - k\]' 'constant:this number' 'weight_decay:  train: { weight_decay: 1e-4 }' 'weight_decay:  train: { nets: { h: { weight_decay: 1e-3 } } }' \
            'init:{ init: { file: weights.npz } }' 'init:an initialiser'; do
    grep -q -- "${pair#*:}" "$work/pages/${pair%%:*}" 2>/dev/null || "$spnc" ops "${pair%%:*}" | grep -q -- "${pair#*:}" || fault "spnc ops ${pair%%:*} has no ${pair#*:}"
done
# Every key of these tables has its line and its page, and the schema has it.
for key in $(sed -n '/train_keys\[\] = {/,/^};/p; /train_net_keys\[\] = {/,/^};/p; /clip_keys\[\] = {/,/^};/p; /augment_keys\[\] = {/,/^};/p' compiler/read/language.c |
             sed -n 's/^    { "\([a-z_]*\)".*/\1/p') warm_up smoothing class_weights ignore; do
    [ -e "$work/pages/$key" ] || fault "spnc ops lists no $key"
    grep -q "\"$key\"" docs/spnc.schema.json || fault "the schema has no $key"
done
"$spnc" ops cnov >"$work/page" 2>&1
[ $? = 2 ] && grep -q "did you mean 'conv'" "$work/page" || fault "spnc ops cnov: $(cat "$work/page")"
"$spnc" schema models/tiny.yaml >/dev/null 2>&1
[ $? = 2 ] || fault "spnc schema takes a model"

# ---- docs/language.md: each operator has one row in the table of operators, with its attributes; those of cells stand below the table ----
awk '/^## / { on = $0 == "## Layers and operators" } on' docs/language.md >"$work/section"
operators=$("$spnc" ops | awk '/^inputs$/ { exit } /^  [a-z]/ { print $1 }' | grep -vx 'formula\|repeat')
[ "$(wc -w <<<"$operators")" -ge 50 ] || fault "spnc ops lists $(wc -w <<<"$operators") operators"
for operator in $operators; do
    awk -F ' [|] ' -v word="$operator" '/^\| [a-z]/ { n = split(substr($1, 3), names, ", "); for (i = 1; i <= n; i++) if (names[i] == word) print }' "$work/section" >"$work/row"
    [ "$(wc -l <"$work/row")" = 1 ] || fault "docs/language.md has $(wc -l <"$work/row") rows of $operator in its table"
    case $operator in gru | lstm | rnn) row=$work/section ;; *) row=$work/row ;; esac
    for attribute in $(awk '/^[a-z]/ { on = /^attributes/ } on && /^  [a-z_]+ / && $1 != "name" { print $1 }' "$work/pages/$operator"); do
        grep -qw -- "$attribute" "$row" || fault "docs/language.md, the row of $operator: no $attribute"
    done
done

# ---- the schema: the committed one is the compiler's, models name it, good models pass it, wrong ones do not ---------
"$spnc" schema | diff docs/spnc.schema.json - || fault "docs/spnc.schema.json is stale: make golden writes it anew"
for model in models/*.yaml; do
    schema=$(sed -n '1s/^# yaml-language-server: \$schema=//p' "$model")
    [ -n "$schema" ] && [ -f "models/$schema" ] || fault "$model names no schema in its first line"
done
python=$(sh tests/python.sh jsonschema yaml)
"${python:-python3}" tests/schema.py "$spnc" "$work"/*.yaml
case $? in 0 | 77) ;; *) failed=1 ;; esac

# ---- completion in a zsh at a terminal, where there is one -------------------------------------------------------------------------
if command -v zsh >/dev/null; then
    mkdir -p "$work"/zsh/share/{zsh/site-functions,bash-completion/completions}
    cp install/_spnc "$work/zsh/share/zsh/site-functions/" && cp install/spnc.bash "$work/zsh/share/bash-completion/completions/spnc"
    while IFS='|' read -r line shown; do
        zsh tests/zsh_types.zsh "$work/zsh" "$(dirname "$(realpath "$spnc")")" "$line" "$shown" >"$work/seen" 2>&1
        grep -qF -- "$shown" "$work/seen" || fault "zsh: '$line' and two tabs do not show '$shown', but: $(cat -v "$work/seen")"
    done <<'END'
spnc |templates
spnc check --prec|double
spnc check --stage id|identity
spnc explain models/tiny.yaml cro|crop_slopes
spnc show models/rnn_spn.yaml --set dr|dropout=
spn-data |sheet
END
fi

# ---- completion, as bash calls it ---------------------------------------------------------------------------------------
# shellcheck source=/dev/null
source install/spnc.bash
# completes EXPECTED... -- WORD...: the last word is completed; EXPECTED are among the answers, !WORDS are not
completes() {
    local want=() w function line
    while [ "$1" != -- ]; do want+=("$1"); shift; done
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    line=$(complete -p "${1##*/}" 2>/dev/null) || { fault "nothing completes ${1##*/}"; return; }
    function=$(sed -n 's/.*-F \([a-z_]*\) .*/\1/p' <<<"$line")
    "$function" "$1" "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
    for w in "${want[@]}"; do
        case " ${COMPREPLY[*]} " in
        *" ${w#!} "*) [ "${w#!}" = "$w" ] || fault "'$*' offers ${w#!}: ${COMPREPLY[*]}" ;;
        *) [ "${w#!}" != "$w" ] || fault "'$*' does not offer $w, but: ${COMPREPLY[*]}" ;;
        esac
    done
}
# each command, each option and each word that the value of an option can be; nothing else
# shellcheck disable=SC2046
completes $("$spnc" words | cut -f 1 | grep '^[a-z]') !--set -- "$spnc" ''
completes check !show -- "$spnc" ch
# shellcheck disable=SC2046
completes $("$spnc" words | cut -f 1 | grep '^-') !check -- "$spnc" build models/tiny.yaml -
while IFS=$'\t' read -r option _ words; do
    # shellcheck disable=SC2086
    [ -z "$words" ] || completes $words !--set -- "$spnc" check models/tiny.yaml "$option" ''
done < <("$spnc" words)
completes --target --templates !--set -- "$spnc" build models/tiny.yaml --t
completes avx512 avx2 generic native -- "$spnc" build --target ''
completes float double -- "$spnc" build --precision ''
completes fuse -- "$spnc" check --stage f
completes graph steps grad fuse identity plan !emit -- "$spnc" check --stage ''
completes models/tiny.yaml models/conv.yaml -- "$spnc" check models/
completes models/ -- "$spnc" check mod
completes models/tiny.yaml -- "$spnc" check --json models/t
completes !models/ -- "$spnc" schema mod
completes models/ !Makefile -- "$spnc" emit models/tiny.yaml -o ''
completes Makefile -- "$spnc" build models/tiny.yaml --tuning Make
completes !models/ -- "$spnc" build models/tiny.yaml --batch mod
completes d= steps= border= start= !conv= -- "$spnc" build models/rnn_spn.yaml --set ''
completes conv concat !maxpool -- "$spnc" ops con
completes accumulate augment average !noise -- "$spnc" ops a
completes conv_forward conv_weights !maxpool -- "$spnc" templates conv
data=$(dirname "$spnc")/spn-data
completes make pack sheet -- "$data" ''
completes --mnist --train --seed -o --help -- "$data" make -
completes models/ !Makefile -- "$data" make --mnist ''
completes Makefile -- "$data" pack models --labels Make
completes !models/ -- "$data" make --seed mod
completes models/ -- "$data" make --single mod

# A built program, known since its model stood on a line; its --help is the runtime's.
cat >"$work/rnn_spn" <<'END'
#!/bin/sh
case "$*" in
"--help") printf 'rnn_spn: a net\n\nusage: rnn_spn COMMAND [options]\n\n  train     train the net\n  eval      loss and error on a split\n\nrnn_spn COMMAND --help shows the options of a command.\n' ;;
"eval --help") printf 'usage: rnn_spn eval --data DIR [options]\nloss and error.\n\n  --data DIR                 folder\n  --split train|valid|test   which examples\n  --threads N                threads\n' ;;
esac
END
chmod +x "$work/rnn_spn"
completes train eval -- "$work/rnn_spn" ''
completes train !eval -- "$work/rnn_spn" t
completes --data --split --threads --help -- "$work/rnn_spn" eval --
completes train valid test -- "$work/rnn_spn" eval --split ''
completes "!$work" -- "$work/rnn_spn" eval --threads ''
mkdir "$work/folder"
completes "$work/folder/" -- "$work/rnn_spn" eval --data "$work/fo"
[ $failed = 0 ]
