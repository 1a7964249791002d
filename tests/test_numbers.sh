#!/usr/bin/env bash
# test_numbers.sh -- numbers that are none, in training, validation, evaluation and prediction: the file, example and element, or the operator,
# is named, exit code 1, and the weights stay as they were; and what `predict` gives of nets with and without labels.
# usage: tests/test_numbers.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cd "$work" || exit 1
cat >deep.yaml <<'END'
model: deep
batch: 16
inputs: { x: { shape: [4, 5] } }
targets: { y: { shape: [4] } }
flow:
  - a: { dense: x, units: 16, act: relu }
  - b: { dense: a, units: 16 }
  - six: { dense: b, units: 6 }
  - v: { dense: six, units: 4 }
loss: { mse: [v, y] }
train: { optimiser: { sgd: { rate: 0.001 } }, epochs: 2 }
END
cat >both.yaml <<'END'
model: both
batch: 8
inputs: { image: { shape: [1, 8, 8] } }
targets: { digit: { classes: 3 }, place: { shape: [2] } }
flow:
  - code: { dense: image, units: 10, act: relu }
  - out: { dense: code, units: 64 }
  - drawn: { reshape: out, shape: [1, 8, 8] }
  - A: { dense: code, units: 6, init: identity_affine }
  - six: { dense: code, units: 6 }
  - crop: { spn: [image, A], downsample: 2 }
  - logits: { dense: crop, units: 3 }
  - at: { dense: six, units: 2 }
loss:
  - { cross_entropy: [logits, digit] }
  - { mse: [at, place] }
  - { mse: [drawn, image] }
train: { optimiser: { sgd: { rate: 0.01 } }, epochs: 1 }
END
for net in deep both; do run "$SPNC" build $net.yaml -o $net || exit 1; done
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
rng = np.random.default_rng(3)
def save(folder, **arrays):
    os.makedirs(folder)
    for name, array in arrays.items():
        np.save(f"{folder}/{name}.npy", array)
def deep(n, **set):
    made = {"x": rng.normal(size=(n, 4, 5)).astype("f4"), "y": rng.normal(size=(n, 4)).astype("f4")}
    for name, (index, value) in set.items():
        made[name][index] = value
    return made
def folder(name, **bad):
    arrays = {}
    for split, n in (("train", 50), ("valid", 20), ("test", 40)):
        arrays.update({f"{split}_{k}": v for k, v in deep(n, **bad.get(split, {})).items()})
    save(name, **arrays)
nan, inf = np.nan, np.inf
folder("good")
folder("train_x", train={"x": ((37, 2, 3), nan)})
folder("train_y", train={"y": ((11, 2), -inf)})
folder("valid_x", valid={"x": ((5, 0, 4), inf)})
folder("valid_y", valid={"y": ((19, 3), nan)})
folder("test_x", test={"x": ((33, 3, 1), nan)})
folder("test_y", test={"y": ((8, 0), nan)})
folder("far", train={"y": ((slice(None, None, 3), 1), 1e20)})
folder("steep", train={"y": (slice(None), 3e18), "x": (slice(None), 30)})
np.save("bad.npy", np.array(deep(3, x=((1, 1, 2), nan))["x"]))
np.save("good.npy", deep(3)["x"])
save("pictures", **{f"{s}_{k}": v for s in ("train", "valid", "test") for k, v in (("image", rng.random((24, 1, 8, 8)).astype("f4")),
     ("digit", rng.integers(0, 3, 24)), ("place", rng.normal(size=(24, 2)).astype("f4")))})
PYTHON

# ---- training ----------------------------------------------------------------------------------------------------------
expect 0 'finished after 2' deep/deep train --data good --run good_run
stops() {                                      # stops DATA FILE EXAMPLE ELEMENT WORD
    expect 1 "error: $1/$2.npy: example $3, element $4, is $5\\.  .*mend or leave out this example" deep/deep train --data $1 --run "run_$1"
    ! grep -q 'lower the rate' output && [ ! -e run_$1/nonfinite.npz ] || fault "$1: the rate is blamed: $(cat output)"
}
stops train_x train_x 37 '\[2\]\[3\]' NaN
stops train_y train_y 11 '\[2\]' 'minus infinite'
stops valid_x valid_x 5 '\[0\]\[4\]' infinite
stops valid_y valid_y 19 '\[3\]' NaN
expect 1 'error: train_x/train_x.npy: example 37' deep/deep train --data train_x --lr-find
expect 1 'error: train_y/train_y.npy: example 11, element \[2\], is minus infinite' deep/deep check --data train_y
# A target so far off that its square is infinite: the loss is named with the target, not a layer that comes before, and nothing is updated.
expect 1 'deep.yaml:10: mse1 (forward) made the first bad number: .* is infinite' deep/deep train --data far --run run_far --seed 4
cp output far.text
grep -q '^    read the target y: 64 numbers from -.* to 1e+20$' output && grep -q 'epoch 0, update 0: the loss is inf' output || fault "far: $(cat output)"
expect 1 'deep.yaml:10: mse1 ' deep/deep replay run_far/nonfinite.npz
deep/deep export --seed 4 -o start.npz >output 2>&1 && "$python" - <<'PYTHON' || fault "far: the weights have moved, or another row is named: $(cat far.text)"
import re
import numpy as np
kept, start = np.load("run_far/nonfinite.npz"), np.load("start.npz")
assert all((kept["weights/" + k] == start[k]).all() for k in start), "moved"
n, row = map(int, re.search(r"example (\d+) of the batch \((\d+) of far/train\), element", open("far.text").read()).groups())
assert n > 0 and any((kept[k][n] == np.load("far/train_x.npy")[row]).all() for k in kept if k.endswith("x")), ("not that row of the file", n, row, kept.files)
PYTHON
# A loss that is finite, and gradients that are, but not the sum of their squares.
expect 1 'deep.yaml:[0-9]*: the gradient of [ab].weight, element [0-9]*, is -*[0-9.]*e+[12][0-9], the largest of all' deep/deep train --data steep --run run_steep
grep -q 'update 0: the norm of the gradient is inf' output && [ ! -e run_steep/last ] || fault "steep: $(cat output)"
# A NaN that is computed has a sign, which is the processor's own: no message shows it.
expect 1 'update [0-9]*: the loss is nan' deep/deep train --data good --run run_nan --set train.rate=1e30
! grep -q -e '-nan' output || fault "the sign of a NaN: $(cat output)"

# ---- evaluation, prediction, comparison, reports -------------------------------------------------------------------------
for split in test_x test_y; do
    for how in "" --json; do
        expect 1 "error: $split/$split.npy: example [0-9]*, element .*, is NaN" deep/deep eval --data $split --run good_run $how
    done
    expect 1 "$split/$split.npy: example [0-9]*, element" deep/deep compare good_run good_run --data $split
    expect 1 "$split/$split.npy: example [0-9]*, element" deep/deep report --run good_run --data $split
done
expect 0 'loss' deep/deep eval --data test_x --run good_run --split valid
# Training has succeeded, whatever its report meets in the test split: exit code 0, a warning, a page that says so; a sweep counts the run, with a note.
expect 0 'warning: test_x/test: .*test_x/test_x.npy: example 33, element \[3\]\[1\], is NaN.  The run is trained and saved; its report has no results.  Once this is mended: deep report --run end_run --data test_x' deep/deep train --data test_x --run end_run
grep -q 'finished after 2 epochs' output && grep -q '<b>No results:</b> .*test_x.npy: example 33' end_run/report.html || fault "the page does not say why it has no results"
grep -q '^warning: .*test_x.npy: example 33' end_run/messages.txt || fault "no messages.txt: $(ls end_run)"
[ -s end_run/log.jsonl ] || fault "no log"
expect 0 'finished' deep/deep train --data test_x --run end_run --resume
cp end_run/messages.txt messages
expect 1 'this folder has a checkpoint' deep/deep train --data test_x --run end_run
cmp -s end_run/messages.txt messages || fault "a slip of the command is a message of the run: $(cat end_run/messages.txt)"
printf 'train.rate: [0.001, 1e35]\n' >grid
expect 1 '^rate-0.001: warning: .*test_x.npy: example 33, element' deep/deep sweep grid --data test_x --runs grid_runs --threads 1
grep -q '^rate 0.001  *1 / 1' output && grep -q '^rate 1e+35  *0 / 1' output && grep -q '^rate-1e+35: ended with exit code 1; error: epoch 0, update 1: the ' output || fault "sweep: $(cat output)"
grep -q '^| rate-0.001 | warning: .*example 33' grid_runs/sweep.md && grep -q '"note": "ended with exit code 1; error: epoch' grid_runs/sweep.json || fault "notes: $(cat grid_runs/sweep.*)"
mkdir -p stuck_runs/rate-0.001/lock                # what ends before it can lock the folder leaves no message there; an old one is not its own
echo 'error: of another day' >stuck_runs/rate-0.001/messages.txt
printf 'train.rate: [0.001]\n' >grid
expect 74 '^rate-0.001: ended with exit code 74$' deep/deep sweep grid --data good --runs stuck_runs --threads 1
grep -q 'another day' output && fault "an old message is shown as the cause"
expect 1 'test_x.npy: example 33' deep/deep report --run end_run --data test_x
expect 0 '' deep/deep report --run end_run --data good
! grep -q 'No results' end_run/report.html || fault "a mended set has no results"
expect 1 'train_y/train_y.npy: example 11' deep/deep train --data train_y --run end_bad
grep -q '^error: train_y/train_y.npy: example 11' end_bad/messages.txt || fault "an error is not kept: $(ls end_bad)"
expect 1 'error: test_x/test_x.npy: example 33, element \[3\]\[1\], is NaN' deep/deep predict --data test_x --run good_run --count 40
expect 0 'example 31' deep/deep predict --data test_x --run good_run --count 32
expect 1 'error: bad.npy\[1\], element \[1\]\[2\], is NaN' deep/deep predict good.npy bad.npy --run good_run
expect 1 'error: standard input\[1\], element \[1\]\[2\], is NaN' deep/deep predict - --run good_run <bad.npy
deep/deep predict good.npy bad.npy --run good_run --json >whole.json 2>error.txt && fault "predict --json of a NaN ended well"
[ ! -s whole.json ] || fault "an error leaves half of a JSON text: $(head -c 200 whole.json)"
deep/deep predict good.npy --run good_run --json >whole.json && python3 -m json.tool whole.json >/dev/null || fault "predict --json is no JSON"
"$python" - <<'PYTHON' || exit 1
import numpy as np
deep = dict(np.load("start.npz"))
np.savez("inf.npz", **dict(deep, **{"b.bias": np.where(np.arange(16) == 3, np.inf, deep["b.bias"])}))
np.savez("huge.npz", **{k: v * np.float32(1e20) for k, v in deep.items()})
PYTHON
expect 1 'deep.yaml:7: the parameter b.bias, element 3, is infinite' deep/deep eval --data good --weights inf.npz
expect 1 "good.npy\\[0\\]: 'v', step 0, element \\[0\\], is .*deep.yaml:7: the parameter b.bias, element 3" deep/deep predict good.npy --weights inf.npz
expect 1 'deep.yaml:[78]: [a-z_0-9]* (forward) made the first bad number' deep/deep eval --data good --weights huge.npz

# ---- what predict gives ----------------------------------------------------------------------------------------------------
# Without labels: the numbers that the loss reads.  Six numbers are a transform only where a sampler reads them.
expect 0 '^  v  -*[0-9]' deep/deep predict --data good --run good_run --count 2
! grep -q six output || fault "six numbers are taken for a transform: $(cat output)"
expect 0 '' deep/deep predict --data good --run good_run --count 2 --json
expect 0 '' deep/deep predict --data good --run good_run --count 30 -o deep.npz
expect 0 'finished' both/both train --data pictures --run both_run
expect 0 '^  drawn  \[1\]\[8\]\[8\] from ' both/both predict --data pictures --run both_run --count 3
grep -q '^  digit  [0-2] (0\.[0-9]*)   label [0-2]$' output && grep -q '^  A  *[-0-9.]* ' output && grep -q '^  at  -*[0-9]' output && ! grep -q '^  \(six\|logits\|code\) ' output || fault "both: $(cat output)"
expect 0 '' both/both predict --data pictures --run both_run --count 3 --json
expect 0 '' both/both predict --data pictures --run both_run --count 20 -o both.npz --picture both.png
deep/deep predict --data good --run good_run --count 2 --json >deep.json && both/both predict --data pictures --run both_run --count 3 --json >both.json
deep/deep export --run good_run -o w.npz >output && deep/deep grad --weights w.npz --data good --first 0 -o g.npz && both/both export --run both_run -o bw.npz >output && both/both grad --weights bw.npz --data pictures -o bg.npz
"$python" - <<'PYTHON' || fault "values of predict"
import json
import numpy as np
deep, g = np.load("deep.npz"), np.load("g.npz")
assert set(deep) == {"value/v"} and deep["value/v"].shape == (30, 4) and (deep["value/v"][:16] == g["out/v"]).all()
for i, e in enumerate(json.load(open("deep.json"))["examples"]):
    assert e["targets"] == e["transforms"] == {} and set(e["values"]) == {"v"} and np.allclose(e["values"]["v"], g["out/v"][i], atol=0)
both, g = np.load("both.npz"), np.load("bg.npz")
assert set(both) == {"read/digit", "probability/digit", "label/digit", "transform/A", "value/at", "value/drawn"}, set(both)
assert both["transform/A"].shape == (20, 2, 3) and both["value/drawn"].shape == (20, 1, 8, 8) and both["value/at"].shape == (20, 2)
for key, name in (("value/drawn", "out/drawn"), ("value/at", "out/at")):
    assert (both[key][:8] == g[name]).all(), key
for i, e in enumerate(json.load(open("both.json"))["examples"]):
    assert set(e["targets"]) == {"digit"} and set(e["transforms"]) == {"A"} and set(e["values"]) == {"at", "drawn"}
    assert np.array(e["values"]["drawn"]).shape == (1, 8, 8) and np.array(e["transforms"]["A"]).shape == (1, 6)
PYTHON
[ "$(head -c 4 both.png | tail -c 3)" = PNG ] || fault "no picture"


# ---- pools and maxima: a NaN at any place of a window comes through, in both forms ------------------------------------------
# x is negative at one place of an example, another in each, and its logarithm NaN there.
cat >peak.yaml <<'END'
model: peak
batch: 40
inputs: { x: { shape: [1, 6, 6] } }
targets: { y: { classes: 2 } }
nets:
  fused: [conv: { filters: 2, kernel: 3, act: relu }, maxpool: 2]
flow:
  - l: log(x)
  - f: { fused: l }
  - two: { maxpool: l, size: 2 }
  - five: { maxpool: l, size: 5, stride: 1 }
  - edge: { maxpool: l, size: 3, stride: 2, padding: 1 }
  - row: { reshape: l, shape: [1, 36] }
  - line: { maxpool: row, size: 3, stride: 2 }
  - top: { max: l, axes: [1] }
  - peak: { global_maxpool: l }
  - all: { concat: [{ flatten: f }, { flatten: two }, { flatten: five }, { flatten: edge }, { flatten: line }, { flatten: top }, peak] }
  - v: { dense: all, units: 2 }
loss: { cross_entropy: [v, y] }
END
mkdir peak
"$python" - <<'PYTHON' || exit 1
import numpy as np
x = np.random.default_rng(4).uniform(1, 2, (37, 1, 6, 6)).astype("f4")
for n in range(36):
    x[n, 0, n // 6, n % 6] = -1
np.save("peak/test_x.npy", x)
np.save("peak/test_y.npy", np.zeros(37, "i4"))
PYTHON
for form in "" --plain; do
    expect 0 '' "$SPNC" build peak.yaml $form -o "peak$form"
    expect 0 '' "peak$form/peak" export --seed 1 -o peak.npz
    expect 0 '' "peak$form/peak" grad --weights peak.npz --data peak --split test --first 0 -o "out$form.npz"
    "$python" - "out$form.npz" <<'PYTHON' || fault "peak $form: a NaN is lost, or made"
import sys
import numpy as np
out = np.load(sys.argv[1])
with np.errstate(invalid="ignore"):
    l = np.log(np.load("peak/test_x.npy").astype("f8"))


def holds(name, expected):
    assert (np.isnan(out["out/" + name]) == expected).all(), name


def windows(a, size, stride):                              # whether each window of the last two axes holds a NaN
    view = np.lib.stride_tricks.sliding_window_view(np.isnan(a), size, (2, 3))
    return view[:, :, ::stride, ::stride].any((4, 5))


holds("two", windows(l, (2, 2), 2))
holds("five", windows(l, (5, 5), 1))
holds("edge", windows(np.pad(l, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), 2))
holds("line", windows(l.reshape(37, 1, 1, 36), (1, 3), 2)[:, :, 0])
holds("f", windows(l, (4, 4), 2).repeat(2, 1))
holds("top", np.isnan(l).any(2))
holds("peak", np.isnan(l).any((2, 3)))
PYTHON
done
[ $failed = 0 ] && echo "test_numbers: fine"
exit $failed
