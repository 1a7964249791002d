#!/usr/bin/env bash
# test_templates.sh -- a user's own template: found with `spnc templates`, copied, changed, used; and the messages when it is wrong.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

# expect CODE TEXT COMMAND...
expect() {
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    grep -q -e "$text" output || fault "no '$text' from: $*: $(head -3 output)"
}

# ---- the list: every template, each with a line; every name has a page -------------------------------------------------
"$SPNC" templates >list || fault "spnc templates: exit code $?"
for template in "$root"/templates/*/*.in; do
    name=${template##*/}
    grep -q "^  ${name//./\\.}  *[^ ]" list || fault "spnc templates says nothing of $name"
    expect 0 '^ *[A-Za-z, ]*  *text  *[a-z]' "$SPNC" templates "$name"
done
[ "$(sed -n '/^$/q;p' list | wc -l)" = "$(ls "$root"/templates/*/*.in | wc -l)" ] || fault "spnc templates lists what is not there"
expect 0 '^  KH, KW  *int  *rows and columns' "$SPNC" templates conv_forward
expect 0 '^  winner_type  *text ' "$SPNC" templates maxpool_plain
expect 2 "no template 'conv_forwards'; did you mean 'conv_forward'" "$SPNC" templates conv_forwards
expect 2 "one model at a time" "$SPNC" templates conv dense

# ---- a copy, used instead of the built-in one --------------------------------------------------------------------------
cat >net.yaml <<'END'
model: small
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 4, name: first }
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
END
"$SPNC" templates conv_plain -o mine || fault "the copy: exit code $?"
cmp -s mine/conv_plain.c.in "$root/templates/conv/conv_plain.c.in" || fault "the copy is another"
expect 1 'mine/conv_plain.c.in is there already, and stays' "$SPNC" templates conv_plain.c.in -o mine
sed -i '1a /* my own sum, ${op.C} channels */' mine/conv_plain.c.in
"$SPNC" emit net.yaml --plain --templates mine -o out || fault "with a template of ours: exit code $?"
grep -q '^/\* my own sum, 1 channels \*/' out/small.c || fault "the template of ours was not used"
expect 0 '(mine/conv_plain.c.in)' "$SPNC" templates conv_plain --templates mine

# ---- loops of one turn are their body, but where a file of theirs stands among the templates ---------------------------------
for theirs in "" "--templates mine"; do
    # shellcheck disable=SC2086
    "$SPNC" emit "$root/models/tiny.yaml" $theirs -o turns --force >output 2>&1 || fault "tiny $theirs: $(head -3 output)"
    loops=$(grep -c 'for (int \([a-z]*\) = 0; \1 < 1; \1++)' turns/tiny.c)
    if [ -z "$theirs" ]; then [ "$loops" = 0 ] || fault "$loops loops of one turn"; else [ "$loops" -gt 0 ] || fault "C of a user's templates was laid out anew"; fi
done

# ---- passes that the built-in templates join stay apart where one of them is replaced, which may draw another mask -------------
sed 's/    - dense: 3/    - maxpool: 2\n    - dropout: 0.5\n&/; s/filters: 4,/& act: relu, winograd: never,/; s/shape: .1, 8/shape: [2, 8/' net.yaml >drop.yaml
for theirs in "" dropout maxpool; do
    rm -rf theirs && mkdir theirs && if [ -n "$theirs" ]; then "$SPNC" templates "$theirs" -o theirs >output || fault "the copy of $theirs"; fi
    "$SPNC" emit drop.yaml --templates theirs -o apart --force >output 2>&1 || fault "$theirs replaced: $(head -3 output)"
    passes=$(grep -c '^static void classify_dropout1_\(for\|back\)ward(' apart/small.c)
    [ "$passes" = $([ -n "$theirs" ] && echo 2 || echo 0) ] || fault "${theirs:-nothing} replaced: $passes passes of the dropout"
done

# ---- a mistake in it: the culprit underlined, the includes on the way, the operator at its line ------------------------
sed -i 's/\${op.C} channels/${op.C} of ${op.bricks1}/' mine/conv_plain.c.in
"$SPNC" emit net.yaml --plain --templates mine -o out >said 2>&1
[ $? = 1 ] || fault "a wrong template: exit code is not 1"
cat >want <<'END'
mine/conv_plain.c.in:2:32: error: this fact has no field 'bricks1'
    2 | /* my own sum, ${op.C} of ${op.bricks1} */
      |                                ^~~~~~~
END
head -3 said | diff want - || fault "another message"
grep -A2 '^net.yaml:6:7: note: while expanding classify_first (conv) of small' said | tail -1 | grep -q '^      |       ^~~~$' || fault "the operator is not shown: $(cat said)"
grep -q '^templates/conv/conv.c.in:[0-9]*:[0-9]*: note: included from here' said || fault "the include is not shown: $(cat said)"

[ $failed = 0 ] && echo "test_templates: fine"
exit $failed
