#!/usr/bin/env bash
# test_spellings.sh -- what a model may say in more than one way is one model: True and FALSE, parts with nothing behind their colon; noise on
# a vector, and a target of one class, train.
# usage: tests/test_spellings.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
model() {                                      # model BIAS [LINES...]
    printf 'model: m\nbatch: 4\ninputs: { x: { shape: [1, 6, 6] } }\ntargets: { t: { classes: 3 } }\nflow:\n  - s: { dense: x, units: 3, bias: %s }\nloss: { cross_entropy: [s, t] }\n' "$1"
    shift
    printf '%s\n' "$@"
}
hash_of() { "$SPNC" check "$1" --stage identity 2>said || { fault "$1: $(cat said)"; echo none; }; }
for pair in false:False false:FALSE true:True true:TRUE; do
    model "${pair%:*}" >a.yaml
    model "${pair#*:}" >b.yaml
    [ "$(hash_of a.yaml)" = "$(hash_of b.yaml)" ] || fault "${pair#*:} is not ${pair%:*}"
done
for word in yes no tRue fALSE 'true false' '""'; do
    model "$word" >b.yaml
    "$SPNC" check b.yaml >said 2>&1 && fault "bias: $word"
    grep -q "'bias' must be true or false" said || fault "bias: $word: $(cat said)"
done
model true >a.yaml
for part in params nets train; do
    model true "$part:" >b.yaml
    [ "$(hash_of a.yaml)" = "$(hash_of b.yaml)" ] || fault "an empty $part"
    model true "$part: ''" >b.yaml
    "$SPNC" check b.yaml >said 2>&1 && fault "$part: ''"
done
for part in flow loss inputs; do
    model true | sed "s/^$part:.*/$part:/; $([ $part != flow ] || echo /^.*dense/d)" >b.yaml
    "$SPNC" check b.yaml >said 2>&1 && fault "an empty $part"
done

# ---- functions that are no operators: the formula that a message gives compiles ------------------------------------------------------
for word in $(sed -n '/formulas\[\] = {/,/^};/p' "$root/compiler/graph/unknown.c" | grep -o '{ "[a-z_0-9]*"' | tr -d '{ "'); do
    for how in "{ $word: x }" "{ dense: x, units: 3, act: $word }"; do
        model true | sed "s/  - s:.*/  - s: $how/" >b.yaml
        "$SPNC" check b.yaml >said 2>&1 && fault "$how is an operator, and has a formula"
        formula=$(sed -n 's/.*note: a formula does it.*y: //p' said)
        model true | sed "s#  - s:.*#  - y: $formula\n  - s: { dense: y, units: 3 }#" >b.yaml
        [ -n "$formula" ] && run "$SPNC" check b.yaml || fault "$how: $(head -1 said)"
    done
done
[ -n "${word-}" ] || fault "no word"

# ---- noise on a vector, one class ----------------------------------------------------------------------------------------------
cat >noise.yaml <<'YAML'
model: noise
batch: 5
inputs: { x: { shape: [20], augment: { noise: 0.25 } } }
targets: { y: { classes: 1 } }
flow:
  - v: { dense: x, units: 1 }
loss: { cross_entropy: [v, y] }
train: { epochs: 2 }
YAML
"$(sh "$root/tests/python.sh" numpy yaml)" - <<'PYTHON' || exit 1
import os
import numpy as np
os.mkdir("data")
for s, n in (("train", 40), ("valid", 10), ("test", 10)):
    np.save(f"data/{s}_x.npy", np.full((n, 20), 3, "f4")); np.save(f"data/{s}_y.npy", np.zeros(n, "u1"))
PYTHON
for form in "" --plain; do
    # shellcheck disable=SC2086
    run "$SPNC" build noise.yaml $form --force -o noise || break
    run noise/noise train --data data --run "run$form" --threads 1
    run noise/noise eval --data data --run "run$form" --json && grep -q '"loss": 0,' output || fault "one class: $(cat output)"
    run noise/noise check
    run noise/noise dump --layer x --mode train --epoch 1 --seed 3 --split train --data data -o "seen$form.npy"
    run noise/noise dump --layer x --seed 3 --split train --data data -o "plain$form.npy"
done
"$(sh "$root/tests/python.sh" numpy yaml)" - <<'PYTHON' || fault "noise on a vector"
import numpy as np
a, b, p = np.load("seen.npy"), np.load("seen--plain.npy"), np.load("plain.npy")
assert (a == b).all() and (p == 3).all() and a.shape == (5, 20), (a.shape, p)
d = (a - 3) / 0.25
assert abs(d.mean()) < 0.4 and 0.7 < d.std() < 1.3 and len(np.unique(d)) > 80 and abs(d).max() < 4.9, (d.mean(), d.std())
PYTHON
[ $failed = 0 ] && echo "test_spellings: fine"
exit $failed
