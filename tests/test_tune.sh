#!/usr/bin/env bash
# test_tune.sh -- `spnc tune` measures and writes a file that build reads; the bits do not depend on the file; a file that does not fit is
# ignored with one line; and a tune that is stopped leaves nothing behind.  It measures by a clock that the test sets (fixtures/clock.c).
. "$(dirname "$0")/begin.sh"
set -e
spnc=$SPNC folder=$work
python=$(sh "$root/tests/python.sh" numpy) || { echo "test_tune: no Python with numpy" >&2; exit 1; }
cd "$folder"
fail() { echo "test_tune: $*" >&2; exit 1; }

cat >open.yaml <<'YAML'
model: open
batch: 40
inputs:
  image: { shape: [8, 12, 12] }
targets:
  digit: { classes: 10 }
nets:
  net:
    - conv: { filters: 12, kernel: 3, act: relu }
    - dense: { units: 64, act: tanh }
    - dense: 10
flow:
  - scores: { net: image }
loss: { cross_entropy: [scores, digit] }
train:
  optimiser: { sgd: { rate: 1e-3 } }
  epochs: 1
YAML
cat >one.yaml <<'YAML'
model: one
batch: 64
inputs:
  x: { shape: [256] }
targets:
  digit: { classes: 10 }
nets:
  net:
    - dense: 96
    - leaky: 0.1
flow:
  - all: { net: x }
  - scores: { slice: all, axis: 0, from: 0, to: 10 }
loss: { cross_entropy: [scores, digit] }
train:
  optimiser: { sgd: { rate: 1e-3 } }
  epochs: 1
YAML

# An operator of which one form takes a hundred times as long as another, and by its own rule comes first.
cp -r "$root/docs/operators" slow
cat >slow/leaky_fast.c.in <<'LUA'
% -- leaky, as slow as is asked for.
% if op.forward then
%   local ms = ({ 4, 0.04, 8 })[candidate("forward", { "slow", "quick", "slower" })]
static void ${op.name}_forward(real *y, real *x)
{
    void clock_spend(double ms);
    clock_spend(${ms});
    for (int i = 0; i < ${op.size} * L; i += L)
        v_store(y + i, v_max(v_load(x + i), v_mul(v_set1(${op.attrs.slope}), v_load(x + i))));
}
% end
% if op.dx then
static void ${op.name}_backward(real *dx, real *dy, real *y)
{
    for (int i = 0; i < ${op.size} * L; i += L)
        v_store(dx + i, v_select(v_gt(v_load(y + i), v_zero()), v_load(dy + i), v_mul(v_set1(${op.attrs.slope}), v_load(dy + i))));
}
% end
LUA

# It measures, prints the results, keeps them where build reads them, and leaves no folder behind.  The file's answers for other shapes
# stay; those for this one are measured anew.
of_first() { { sed -n "s/^$1[ \t]*: //p" /proc/cpuinfo; echo "$2"; } | head -1; }
processor="$(of_first 'model name' unknown), family $(of_first 'cpu family' 0) model $(of_first model 0) stepping $(of_first stepping 0)"
version=$("$spnc" --version | sed 's/spnc //')
leaky="float: leaky 96 -> 96: forward ="
answers=("avx2 float: another shape: forward = 9x9" "avx512 $leaky slower" "avx2 $leaky slower" "generic $leaky slower")
{ printf 'version: %s\nprocessor: %s\n' "$version" "$processor"; printf '%s\n' "${answers[@]}"; echo "answers: 4"; } >one.tuning
"$spnc" explain one.yaml net.leaky1 --templates slow | grep -q 'forward: slower, measured' || fail "the file's answer is not taken: $("$spnc" explain one.yaml net.leaky1 --templates slow 2>&1)"
mkdir tmp
# Each reading of the clock takes 2 ms, and the operator its own time: in four groups, each timed by itself, 4 x (2 + 4) ms or 4 x (2 +
# 0.04); a step without clocks takes four times the operator's own, and its share of the one reading for six steps.  All other choices take
# equally long: the rule's own stay.
TMPDIR=$folder/tmp SPN_CLOCK=2 with_clock "$spnc" tune one.yaml --templates slow >said || fail "tune failed: $(cat said)"
[ -z "$(ls tmp)" ] || fail "left in TMPDIR: $(ls tmp)"
grep -Eq '^[0-9]+ choices measured, 1 is faster' said || fail "not one choice is faster: $(cat said)"
grep -q '^one.tuning: 1 answer for this model, 4 in all' said || fail "the file is not named: $(cat said)"
grep -qF '  net_leaky1 forward: quick instead of slow, 8.160 ms instead of 24.000 (66.0 % less)' said || fail "the quick form was not found: $(cat said)"
grep -qF 'a training step, one thread: 16.333 ms by the rule, 0.493 ms tuned (97.0 % less)' said || fail "the step is not faster: $(cat said)"
measured=$(sed -n 's/^\([0-9]*\) choices measured.*/\1/p' said)
offered=0      # beside the rule's own
for layer in dense1 leaky1; do
    lines=$("$spnc" explain one.yaml net.$layer --templates slow --tuning none | sed -n 's/^  choice .*; the same bits with//p')
    offered=$((offered + $(wc -w <<<"$lines") + $(wc -l <<<"$lines")))
done
[ "$measured" -gt 3 ] && [ "$measured" -eq "$offered" ] || fail "$measured choices were measured, but explain offers $offered"
[ "$(grep -c "$leaky slower\$" one.tuning)" = 2 ] && grep -q "$leaky quick\$" one.tuning && grep -qx "${answers[0]}" one.tuning || fail "the file afterwards: $(cat one.tuning)"
"$spnc" explain one.yaml net.leaky1 --templates slow | grep -q 'forward: quick, measured to be the fastest here; the same bits with slow, slower' || fail "build would not take what was found: $(cat one.tuning)"
"$spnc" emit one.yaml --templates slow -o one
grep -qF 'clock_spend(0.04);' one/one.c || fail "the emitted C is not the quick form"

# A file's answer is used, for its target and shape alone; others follow the rule.
dense="dense 12x10x10 -> 64 units=64 batch=40 slices=3,3,3 tanh"
conv="conv 8x12x12 -> 12x10x10 filters=12 kernel=3 stride=1 padding=0 winograd relu"
write() { { printf 'version: %s\nprocessor: %s\n' "$version" "$processor"; printf '%s\n' "$@"; printf 'answers: %d\n' $#; } >open.tuning; }
chosen() { "$spnc" explain open.yaml "$1" --target avx2 | sed -n "s/^  choice    $2: \([0-9x]*\), \(by rule\|measured\).*/\1 \2/p"; }
"$spnc" emit open.yaml --target avx2 -o rule
by_rule=$(chosen net.dense1 forward)
case $by_rule in *"by rule") ;; *) fail "without a file, explain says: $by_rule" ;; esac
other=$("$spnc" explain open.yaml net.dense1 --target avx2 | sed -n 's/^  choice    forward: .*same bits with.* \([0-9x]*\)$/\1/p')
write "avx2 float: $dense: forward = $other" "avx2 float: $conv: all, tiles in a block = 1" "avx2 float: $conv: weights = 3x1" "avx512 float: $dense: products = 2x2" "avx2 float: conv of another shape: forward = 1x1"
[ "$(chosen net.dense1 forward)" = "$other measured" ] || fail "dense forward should be $other: $(chosen net.dense1 forward)"
[ "$(chosen net.conv1 weights)" = "3x1 measured" ] || fail "conv weights should be 3x1: $(chosen net.conv1 weights)"
"$spnc" explain open.yaml net.conv1 --target avx2 >said
grep -q '^  tiles     blocks of 1 of at most 4 Winograd tiles: at 49 positions their transformed inputs take [0-9,]* reals' said && grep -q '^ *weights: 3x1 (.*): sums take 6 of 16 registers' said ||
    fail "explain gives other tiles than the file's: $(grep -A6 '^  tiles' said)"
"$spnc" explain open.yaml net.dense1 --target avx2 | grep -q "^  tiles     forward: $other (examples x vecs of outputs)" || fail "explain does not give the measured tile of the dense layer"
case $(chosen net.dense1 products) in *"by rule") ;; *) fail "an answer for avx512 was used for avx2" ;; esac
"$spnc" emit open.yaml --target avx2 -o tuned
grep -q "_weights_3x1of1" tuned/open.c || fail "the emitted C has no tile of 3x1 for blocks of one"
cmp -s rule/open.c tuned/open.c && fail "the file changed nothing"
"$spnc" emit open.yaml --target avx2 --tuning none -o none
cmp rule/open.c none/open.c || fail "--tuning none is not the rule"
"$spnc" emit open.yaml --target avx2 --tuning open.tuning --plain -o plain
"$spnc" emit open.yaml --target avx2 --tuning none --plain -o plain2
cmp plain/open.c plain2/open.c || fail "the plain form has no tiles to choose"

# The same bits.
"$python" - <<'PYTHON'
import numpy as np, os
r = np.random.default_rng(3)
os.makedirs("data")
for s in ("train", "valid", "test"):
    np.save(f"data/{s}_image.npy", r.standard_normal((40, 8, 12, 12)).astype("f4"))
    np.save(f"data/{s}_digit.npy", r.integers(0, 10, 40).astype("i4"))
PYTHON
if grep -q avx2 /proc/cpuinfo && grep -q fma /proc/cpuinfo; then target=avx2; else target=generic; sed -i "s/^avx2/generic/" open.tuning; fi
for form in tuned none; do
    "$spnc" build open.yaml --target $target --tuning $([ $form = none ] && echo none || echo open.tuning) -o net 2>said || fail "$(cat said)"
    net/open export --seed 1 -o weights.npz
    net/open grad --weights weights.npz --data data --split train --first 0 -o $form.npz
done
"$python" - <<'PYTHON'
import numpy as np
a, b = np.load("tuned.npz"), np.load("none.npz")
assert set(a) == set(b) and len(a.files) > 5
for k in a:
    assert a[k].tobytes() == b[k].tobytes(), f"{k} has other bits with other tiles"
PYTHON

# A file that does not fit is ignored, with one line that gives the reason.
cp open.tuning good
refuse() {    # PATTERN: the text of that line
    "$spnc" emit open.yaml --target avx2 -o refused 2>said || fail "a file that is ignored made emit fail: $(cat said)"
    [ "$(wc -l <said)" -eq 1 ] && grep -q "open.tuning is ignored: .*$1" said || fail "expected one line about '$1', not: $(cat said)"
    cmp rule/open.c refused/open.c || fail "an ignored file ($1) changed the C"
}
head -n -1 good >open.tuning; refuse "its end is missing"
head -c -3 good >open.tuning; refuse "cut off"
sed 4d good >open.tuning; refuse "should have 5 answers and has 4"
sed 's/^version: .*/version: 9.9.9/' good >open.tuning; refuse "written by spnc 9.9.9"
sed 's/^processor: .*/processor: Z80/' good >open.tuning; refuse "another processor, 'Z80'"
sed '4s/=/-/g' good >open.tuning; refuse "line 4 is not what spnc tune writes"
printf 'a\0b\n' >open.tuning; refuse "a NUL byte"
printf 'version: \377\n' >open.tuning; refuse "line 1 is not text"
(head -n 3 good; echo more; tail -n +4 good; tail -n 1 good) >open.tuning; refuse "damaged: line"
head -c 1100000 /dev/zero | tr '\0' '#' >open.tuning; refuse "larger than 1 MiB"
rm open.tuning; mkdir open.tuning; refuse "directory"
rmdir open.tuning
"$spnc" check open.yaml --tuning nowhere 2>said && grep -q "nowhere is ignored: No such file" said || fail "a missing --tuning: $(cat said)"
sed "s/tanh: forward = .*/tanh: forward = 31x31;system(1)/" good >open.tuning      # no choice that is offered: by rule
"$spnc" emit open.yaml --target avx2 -o odd && ! grep -q "31x31\|system" odd/open.c || fail "an answer that was not offered reached the C"
rm open.tuning

# Wrong uses.
for wrong in "--plain" "-o x" "--tuning none" "--stage plan" "--debug"; do
    status=0; "$spnc" tune open.yaml $wrong >/dev/null 2>said || status=$?
    [ $status -eq 2 ] || fail "tune $wrong: exit $status: $(cat said)"
done
status=0; TMPDIR=/nowhere "$spnc" tune open.yaml >said 2>&1 || status=$?
[ $status -eq 74 ] && grep -q "/nowhere: a folder to measure in cannot be made" said || fail "TMPDIR that is not there: exit $status: $(cat said)"

# Stopped, at whatever moment: no folder, no file, nothing that a compiler was writing.
measures() { [ -n "$(ls tmp)" ]; }
for moment in 0.1 0.3 0.5 0.8 1.3; do
    TMPDIR=$folder/tmp "$spnc" tune open.yaml >said 2>&1 & p=$!
    wait_for $p "a folder to measure in" measures
    sleep $moment
    kill -TERM $p
    status=0; wait $p || status=$?
    [ $status -eq 143 ] || fail "SIGTERM: exit $status: $(cat said)"
    [ -z "$(ls tmp)" ] && [ ! -e open.tuning ] || fail "left behind: $(ls tmp) $(ls open.tuning 2>/dev/null)"
done
