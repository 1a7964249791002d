#!/usr/bin/env bash
# test_dump.sh -- `NAME dump`: what it writes is what `grad` and `export` write, in both forms; gradients agree with the weights' by hand.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
python=$(sh "$root/tests/python.sh" numpy yaml)

# expect CODE TEXT COMMAND...
expect() {
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    grep -q -e "$text" output || fault "no '$text' from: $*: $(head -3 output)"
}

"$SPNC" build "$root/models/tiny.yaml" --batch 20 -o fast && "$SPNC" build "$root/models/tiny.yaml" --batch 20 --plain -o plain || exit 1
mkdir data
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(2)
for split in ("train", "valid", "test"):
    np.save(f"data/{split}_image.npy", (r.random((23, 1, 100, 100)) ** 40 * 255).astype("u1"))
    np.save(f"data/{split}_digits.npy", r.integers(0, 10, (23, 3)).astype("i4"))
END
fast/tiny export --seed 5 -o w.npz
weights="--weights w.npz --data data"
for form in fast plain; do
    net=$form/tiny
    $net grad $weights --first 4 -o $form.npz            # 19 examples: the last group is not whole
    for name in c h A crop digit; do expect 0 "^$name \[19\]" $net dump --layer $name $weights --first 4 -o $form.$name; done
    expect 0 'crop \[19\]\[1\]\[20\]\[20\]' $net dump --layer crop --step 2 $weights --first 4 -o $form.crop2
    expect 0 'crop \[3\]\[1\]\[20\]\[20\]' $net dump --layer crop --example 6 $weights -o $form.crop6
    expect 0 'digit \[10\]' $net dump --layer digit --step 1 --example 6 $weights -o $form.digit16.npy
    expect 0 'digit gradient \[19\]\[3\]\[10\]' $net dump --layer digit --what gradient $weights --first 4 -o $form.digit.grad
    expect 0 'A gradient \[19\]\[3\]\[6\]' $net dump --layer A --what gradient $weights --first 4 -o $form.A.grad
    expect 0 'h gradient \[19\]\[3\]\[16\]' $net dump --layer h --what gradient $weights --first 4 -o $form.h.grad
    expect 0 'A.weight gradient \[6\]\[16\]' $net dump --layer A.weight --what gradient $weights --first 4 -o $form.Aw.grad
    expect 0 'front.conv1.weight weights \[4\]\[1\]\[3\]\[3\]' $net dump --layer front.conv1 --what weights --weights w.npz -o $form.conv
    expect 0 'front_conv1 \[19\]\[4\]\[23\]\[23\]' $net dump --layer front_conv1 $weights --first 4 -o $form.inner
done
[ ! -e fast.digit16.png ] || fault "-o X.npy leaves a picture"
"$python" - <<'END' || fault "the arrays"
import numpy as np, zlib
w = np.load("w.npz")
for form in ("fast", "plain"):
    grad = np.load(form + ".npz")
    dump = lambda name: np.load(f"{form}.{name}.npy")
    for name in ("c", "h", "A", "crop", "digit"):
        assert np.array_equal(dump(name), grad["out/" + name]), (form, name)
    assert np.array_equal(dump("crop2"), grad["out/crop"][:, 2]) and np.array_equal(dump("crop6"), grad["out/crop"][2])
    assert np.array_equal(dump("digit16"), grad["out/digit"][2, 1])
    assert np.array_equal(dump("conv"), w["front.conv1.weight"]) and np.array_equal(dump("Aw.grad"), grad["grad/A.weight"])
    # softmax minus the label, over all examples and steps; A = W h + b, so dW = dA' h
    p = np.exp(grad["out/digit"].astype("f8")); p /= p.sum(-1, keepdims=True)
    p[np.arange(19)[:, None], np.arange(3), np.load("data/test_digits.npy")[4:23]] -= 1
    assert np.allclose(dump("digit.grad"), p / (19 * 3), atol=1e-7)
    assert np.allclose(np.einsum("nti,ntj->ij", dump("A.grad"), dump("h")), grad["grad/A.weight"], atol=1e-6)
    assert (dump("inner") >= 0).all() and (dump("inner") > 0).any()
    data = open(f"{form}.conv.png", "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
for name in ("c", "h", "A", "crop", "digit.grad", "h.grad", "inner"):
    assert np.allclose(np.load(f"fast.{name}.npy"), np.load(f"plain.{name}.npy"), atol=1e-5), name
END

net=fast/tiny
expect 0 '^  crop  *3 steps of 1x20x20 *gradient' $net dump
expect 1 'did you mean crop' $net dump --layer crap $weights -o x
expect 1 'no gradient of that name is kept' $net dump --layer loss1 --what gradient $weights -o x
expect 1 'front.conv1.weight' $net dump --layer front.conv1.wait --what weights --seed 1 -o x
expect 1 'fewer steps' $net dump --layer crop --step 3 $weights -o x
expect 1 'no steps' $net dump --layer c --step 0 $weights -o x
expect 1 'has 23 examples' $net dump --layer c --example 23 $weights -o x
expect 2 'one of --run DIR' $net dump --layer c --data data -o x
expect 2 'needs --data' $net dump --layer c --seed 1 -o x
expect 2 'needs -o' $net dump --layer c $weights
expect 74 'x.npy' $net dump --layer c $weights -o none/x

# ---- a dropout in the place of its operand: dump still gives both tensors; 2e38, doubled, is infinite
cat >place.yaml <<'END'
model: place
batch: 16
inputs: { x: { shape: [1] } }
targets: { y: { shape: [2, 2] } }
nets:
  read:
    - dense: { units: 4, act: relu, init: ones }
    - dropout: 0.5
    - reshape: [2, 2]
flow:
  - f: { read: x }
loss: { mse: [f, y] }
train: { optimiser: { sgd: { rate: 0.1 } }, epochs: 1 }
END
mkdir huge
"$python" - <<'END'
import numpy as np
for split in ("train", "valid", "test"):
    np.save(f"huge/{split}_x.npy", np.full((16, 1), 2e38, "f4"))
    np.save(f"huge/{split}_y.npy", np.zeros((16, 2, 2), "f4"))
END
for form in "" --plain; do
    "$SPNC" build place.yaml $form -o place || fault "place $form"
    expect 1 'no gradient of that name is kept' place/place dump --layer f --what gradient --mode train --data huge --seed 1 -o x
    expect 1 'read_dropout1 (forward) made the first bad number' place/place train --data huge --run "huge$form" --quiet
    grep -q 'read read_dense1, whose place the result has taken$' output && there=fast || there=
    case $form$there in fast | --plain) ;; *) fault "replay, $form: $(cat output)" ;; esac
done
[ $failed = 0 ] && echo "test_dump: fine"
exit $failed
