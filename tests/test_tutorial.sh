#!/usr/bin/env bash
# test_tutorial.sh -- what the documents show is what the programs do: docs/tutorial.md's commands, all of them, with less data; and every
# model that README.md and docs/*.md show whole is accepted, every `spnc` and program option they name is known.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

# ---- the tutorial, block by block in one shell that stops at the first command that fails ------------------------------------
mkdir build && ln -s "$SPNC" build/spnc && ln -s "$(dirname "$SPNC")/spn-data" build/spn-data
{ echo 'set -eu -o pipefail'; awk '/^```sh$/ { on = 1; print "echo \"@ block " ++n "\""; next } /^```/ { on = 0 } on' "$root/docs/tutorial.md"; } >lesson.sh
# A given clock, so that `check` tests as much on a slow machine.
TRAIN=300 VALID=100 TEST=100 EPOCHS=1 TOTAL=2 SPN_CLOCK=0.01 CFLAGS=-O1 with_clock bash lesson.sh >said 2>&1 || fault "the tutorial stops: $(tail -5 said)"
expect() { grep -q -e "$1" said || fault "the tutorial shows no '$1'"; }
expect "did you mean 'hidden'"
expect 'exit code 1: the model is wrong'
expect 'a crop of 2 x 2 pixels is too small'
expect '^static void crop_forward'
expect 'for (int t = 0; t < 3; t++)'
expect '^classify_maxpool1 \[16\]\[13\]\[13\]'
[ "$(grep -c '^check passed' said)" = 2 ] || fault "the gradient checks did not pass twice"
[ "$(grep '^check passed' said | tail -1)" = "check passed" ] || fault "the reader's check leaves parameters untested: $(grep '^check passed' said)"
for file in filters.png filters.npy seen.npy looks.png crops.png crops.npy reader-run/report.html; do
    [ -s "lesson/$file" ] || fault "no $file"
done

# ---- models in the documents: whole ones, files that these include (the first line is the path), inputs or settings of training
# ---- alone, parts of models/tiny.yaml ------------------------------------
n=0
for page in "$root"/README.md "$root"/CONTRIBUTING.md "$root"/docs/*.md "$root"/docs/*/*.md; do
    [ -f "$page" ] || continue
    rm -f block.*
    awk '/^```yaml$/ { on = 1; file = "block." ++n ".yaml"; next } /^```/ { on = 0 } on { print > file }' "$page"
    for block in block.*.yaml; do
        path=$(sed -n '1s/^# \([a-z_]*\/[a-z_]*\.yaml\)$/\1/p' "$block" 2>/dev/null)
        [ -z "$path" ] || { mkdir -p "${path%/*}" && mv "$block" "$path"; }
    done
    for block in block.*.yaml; do
        [ -f "$block" ] || continue
        n=$((n + 1))
        case $(grep -o '^[a-z]*:' "$block" | head -1) in
        model:) ;;
        inputs:) { sed '/^inputs:/,$d' "$root/models/conv.yaml"; cat "$block"; sed -n '/^targets:/,$p' "$root/models/conv.yaml"; } >whole && mv whole "$block" ;;
        train:) sed '/^train:/,$d' lesson/first.yaml >whole && cat "$block" >>whole && mv whole "$block" ;;
        *)  sed 's/ *#.*//; /^ *$/d' "$block" | while IFS= read -r line; do
                sed 's/ *#.*//' "$root/models/tiny.yaml" | grep -qxF -e "$line" || echo "${page#"$root"/}: models/tiny.yaml has no line '$line'"
            done >output
            [ -s output ] && fault "$(cat output)"
            continue ;;
        esac
        "$SPNC" check "$block" >output 2>&1 || fault "${page#"$root"/}: $(head -2 output)"
    done
done

# ---- options in commands that the documents show -------------------------------------------------------------------------------
"$SPNC" --help >known
for program in lesson/first/first; do
    "$program" --help | awk '/^  [a-z]/ { print $1 }' >commands
    while read -r c; do "$program" "$c" --help; done <commands >>known
done
"$(dirname "$SPNC")/spn-data" make --help >>known 2>&1
cat "$root"/README.md "$root"/docs/language.md "$root"/docs/debugging.md 2>/dev/null | awk '/^```/ { on = !on; next } on' | grep -E '(spnc|spn-data|rnn_spn/rnn_spn|/[a-z_]+) (build|emit|check|show|train|eval|predict|export|dump|make|grad)' |
    grep -o -e ' --[a-z-]*' | sort -u | while read -r option; do
        grep -q -e "$option" known || echo "no program knows $option"
    done >unknown
[ -s unknown ] && fault "$(cat unknown)"
[ $failed = 0 ] && echo "test_tutorial: fine ($n models of documents)"
exit $failed
