#!/usr/bin/env bash
# test_loss_values.sh -- each loss against its formula in numpy, in both forms: by position and by pixel, labels that do not count, shares, logits of
# 10,000, a batch in which nothing counts, batches of two groups, the last of them partial; gradients against differences; `eval` over a whole split, and what it shows beside.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
cd "$work" || exit 74
cat >net.yaml <<'END'
model: net
batch: 20
inputs: { x: { shape: [4] } }
targets:
  kind: { length: 2, classes: 3 }
  mask: { shape: [3, 2], classes: 2 }
  share: { shape: [3] }
  marks: { length: 3, classes: 2 }
  bits: { shape: [3] }
  size: { shape: [3] }
  big: { classes: 12 }
  left: { classes: 3 }
flow:
  - rows: { reshape: { dense: x, units: 6 }, shape: [2, 3] }
  - pixels: { reshape: { dense: x, units: 12 }, shape: [2, 3, 2] }
  - v: { dense: x, units: 3 }
  - w: { dense: x, units: 12 }
  - hot: { one_hot: left }
loss:
  - { cross_entropy: [rows, kind], class_weights: [1, 2, 0.5], ignore: -1, smoothing: 0.2 }
  - { cross_entropy: [pixels, mask], weight: 0.5 }
  - { cross_entropy: [v, share], smoothing: 0.1, class_weights: [1, 0, 3] }
  - { binary_cross_entropy: [v, marks] }
  - { binary_cross_entropy: [v, bits] }
  - { mae: [v, size] }
  - { huber: [v, size], delta: 0.3 }
  - { huber: [v, "tanh(v * 0.5)"] }
  - { cross_entropy: [w, big] }
  - { cross_entropy: [v, left], ignore: 2 }             # a class: one_hot of it is 0
  - { mean: hot, weight: 0.1 }
END
for form in '' --plain; do run "$SPNC" build net.yaml --precision double $form -o "net$form" || exit 1; done
for form in '' --plain; do run "net$form/net" check || fault "check $form: $(tail -3 output)"; done
net/net export --seed 3 -o start.npz >/dev/null || fault "export"
"$python" - <<'PYTHON' || fault "the data"
import numpy as np
rng = np.random.default_rng(5)
kind = rng.integers(-1, 3, (58, 2))
kind[20:40] = -1                                 # a batch in which nothing counts
x = rng.standard_normal((58, 4))
x[2] *= 1e4
for name, array in {"x": x.astype("f4"), "kind": kind.astype("i4"), "mask": rng.integers(0, 2, (58, 3, 2)).astype("u1"),
                    "share": rng.dirichlet([1, 1, 1], 58).astype("f4"), "marks": rng.integers(0, 2, (58, 3)).astype("u1"),
                    "bits": rng.random((58, 3)).astype("f4"), "size": rng.standard_normal((58, 3)).astype("f4"),
                    "big": rng.integers(0, 12, 58).astype("u1"), "left": rng.integers(0, 3, 58).astype("i4")}.items():
    np.save(f"test_{name}.npy", array)
PYTHON
for form in '' --plain; do
    for first in 0 20 40; do
        run "net$form/net" grad --weights start.npz --data . --split test --first $first -o "out$form$first.npz"
    done
    run "net$form/net" eval --weights start.npz --data . --split test --json && cp output "eval$form.json"
done
"$python" - <<'PYTHON' || fault "values"
import json, sys
import numpy as np
data = {name: np.load(f"test_{name}.npy") for name in ("kind", "mask", "share", "marks", "bits", "size", "big", "left")}

def logp(x, axis):
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))

def counted(p, kind):
    """Sums of losses and weights of the labels that count: weights 1, 2, 0.5, smoothing 0.2."""
    w, label = np.array([1, 2, 0.5]), np.maximum(kind, 0)
    here = kind >= 0
    one = -(w[label] * np.take_along_axis(p, label[..., None], -1)[..., 0])
    return ((0.8 * one - 0.2 / 3 * (p * w).sum(-1)) * here).sum(), (w[label] * here).sum()

def binary(x, t):
    return (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))).mean()

def huber(d, delta):
    d = np.abs(d)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2)).mean()

def hot(label):
    return np.eye(3)[label] * (label < 2)[:, None]

def loss(out, d):
    total, weights = counted(logp(out["rows"], -1), d["kind"])
    p, v = logp(out["pixels"], 1), out["v"]
    q = (0.9 * d["share"].astype(float) + 0.1 / 3) * [1, 0, 3]
    parts = [-0.5 * np.take_along_axis(p, d["mask"][:, None].astype(int), 1).mean(), -(q * logp(v, -1)).sum(-1).mean(),
             binary(v, d["marks"]), binary(v, d["bits"]), np.abs(v - d["size"]).mean(), huber(v - d["size"], 0.3), huber(v - np.tanh(v * 0.5), 1),
             -np.take_along_axis(logp(out["w"], -1), d["big"][:, None].astype(int), -1).mean(),
             -np.take_along_axis(logp(v, -1), d["left"][:, None], -1)[d["left"] < 2].mean(), 0.1 * hot(d["left"]).mean()]
    return sum(parts), total, weights

wrong = []
for form in ("", "--plain"):
    whole = {}
    for first in (0, 20, 40):
        got = dict(np.load(f"out{form}{first}.npz"))
        out = {k[4:]: a for k, a in got.items() if k.startswith("out/")}
        rest, total, weights = loss(out, {k: a[first:first + 20] for k, a in data.items()})
        want = rest + (total / weights if weights else 0)
        if not abs(got["loss"] - want) <= 1e-12 * abs(want):
            wrong.append(f"{form}, from {first}: {got['loss']}, not {want}")
        if not (out["hot"] == hot(data["left"][first:first + 20])).all():
            wrong.append(f"{form}, from {first}: one_hot of a label that a loss ignores")
        if not all(np.isfinite(a).all() for a in got.values()):
            wrong.append(f"{form}, from {first}: not finite")
        for k, a in out.items():
            whole.setdefault(k, []).append(a)
    whole = {k: np.concatenate(a) for k, a in whole.items()}
    rest, total, weights = loss(whole, data)
    e = json.load(open(f"eval{form}.json"))
    here = data["kind"] >= 0
    five = np.argsort(-whole["w"], axis=1, kind="stable")[:, :5]
    want = {"loss": rest + total / weights, "mask": (whole["pixels"].argmax(1) != data["mask"]).mean(), "marks": ((whole["v"] > 0) != data["marks"]).mean(),
            "kind": ((whole["rows"].argmax(-1) != data["kind"]) & here).sum() / here.sum(),
            "top_5": 1 - (five == data["big"][:, None]).any(1).mean(), "bits": ((whole["v"] > 0) != (data["bits"] > 0.5)).mean(),
            "size": np.sqrt(((whole["v"] - data["size"]) ** 2).mean())}
    have = {"loss": e["loss"], **{k: e["error"][k]["mean"] for k in ("mask", "marks", "kind")}, "top_5": e["top_5"]["big"], "bits": e["wrong_bits"]["bits"],
            "size": e["root_mean_square"]["size"]}
    wrong += [f"eval {form} {k}: {have[k]}, not {want[k]}" for k in want if not abs(have[k] - want[k]) <= 1e-9 * abs(want[k]) + 1e-12]
sys.exit("\n".join(wrong) or 0)
PYTHON

# ---- labels beyond 2^63, none that counts, a class that one of two losses ignores; predict of whole numbers of any width ------------
cat >one.yaml <<'END'
model: one
batch: 5
inputs: { t: { shape: [2], dtype: i32, classes: 4 } }
targets: { y: { classes: 3 }, z: { classes: 3 } }
flow:
  - v: { dense: { embedding: t, units: 3 }, units: 3, init: zeros }
  - w: { dense: { embedding: t, units: 2 }, units: 3 }
loss:
  - { cross_entropy: [v, y], ignore: -1 }
  - { cross_entropy: [v, z], weight: 0 }
  - { cross_entropy: [w, z], ignore: 1 }
  - { weight_l2: v, weight: 0.1 }
END
# the hash holds which class one_hot leaves out
cat >hot.yaml <<'END'
model: hot
inputs: { x: { shape: [2] } }
targets: { y: { classes: 3 } }
flow:
  - v: { dense: x, units: 3 }
  - h: { one_hot: y }
loss:
  - { cross_entropy: [v, y], ignore: 2 }
  - { mean: h * v }
END
"$SPNC" check hot.yaml --stage identity | grep -q 'h = one_hot(.*) ignored=2 ' || fault "the identity does not hold the class that is left out"
sed 's/, ignore: 2//' hot.yaml >whole.yaml
"$SPNC" check whole.yaml --stage identity | grep -q 'h = one_hot(y)  ' || fault "the identity of one_hot without it"
run "$SPNC" build one.yaml --plain -o one || exit 1
mkdir labels
"$python" - <<'PYTHON'
import numpy as np
np.save("labels/test_t.npy", np.zeros((4, 2), "i4"))
np.save("labels/train_t.npy", np.zeros((4, 2), "i4"))
np.save("labels/test_z.npy", np.ones(4, "i4"))
np.save("labels/train_z.npy", np.ones(4, "i4"))
np.save("labels/test_y.npy", np.array([0, -1, 2, 1], "i8"))
np.save("labels/train_y.npy", np.full(4, -1, "i8"))
import os
os.mkdir("rare")
np.save("rare/train_t.npy", np.zeros((60, 2), "i4"))
np.save("rare/train_z.npy", np.ones(60, "i4"))
np.save("rare/train_y.npy", np.where(np.arange(60) == 59, 0, -1).astype("i4"))
np.save("wide.npy", np.array([[0, 3], [1, 2]], "i8"))
np.save("narrow.npy", np.array([[0, 3], [1, 2]], "i4"))
np.save("outside.npy", np.array([[0, 3], [1, 2 ** 40]], "i8"))
PYTHON
refused() {                                    # refused TEXT COMMAND...
    local text=$1
    shift
    "$@" >said 2>&1
    [ $? = 1 ] && grep -qF "$text" said || fault "not '$text': $(cat said)"
}
run one/one export --seed 1 -o one.npz
run one/one eval --weights one.npz --data labels --json
grep -q '"z": {"mean": 1,' output || fault "a label that the second loss ignores counts for the first: $(cat output)"
refused "labels/train_y.npy: every label is -1, which the model's loss ignores (line 9 of one.yaml): there is nothing to learn" one/one train --data labels --run run
refused "no label of this batch counts" one/one train --data rare --overfit-one-batch
for width in wide narrow; do run one/one predict $width.npy --weights one.npz --json && sed "s/$width/x/g" output >$width.json; done
cmp -s wide.json narrow.json && grep -q x.npy wide.json || fault "predict: other answers for int64"
refused "outside.npy: class 1099511627776 of example 1 (position 1) is out of range; 't' has 4 classes, 0 to 3" one/one predict outside.npy --weights one.npz
"$python" -c 'import numpy as np; np.save("labels/test_y.npy", np.array([0, 2 ** 63 + 5, 2, 1], "u8"))'
refused "test_y.npy: label 9223372036854775807 of example 1" one/one eval --weights one.npz --data labels

# ---- errors of a training run: shares of the labels that count, of values without a name too; --overfit-one-batch of smoothed labels, with a penalty ------
cat >run.yaml <<'END'
model: run
batch: 20
inputs: { x: { shape: [4] } }
targets: { kind: { length: 2, classes: 3 }, y: { classes: 3 }, share: { shape: [3] }, bits: { shape: [3] } }
flow:
  - w: { dense: x, units: 3, init: { constant: 1 } }
  - v: { dense: x, units: 3 }
  - six: { dense: x, units: 6 }
  - p: { dense: x, units: 3 }
  - q: { dense: x, units: 3 }
loss:
  - { cross_entropy: [{ reshape: six, shape: [2, 3] }, kind], ignore: -1, smoothing: 0.2, class_weights: [1, 2, 0.5] }
  - { cross_entropy: ["v * 2 + w", y], ignore: -1 }
  - { cross_entropy: [p, share], smoothing: 0.1, weight: 0.5 }
  - { binary_cross_entropy: [q, bits] }
  - { weight_l1: w, weight: 0.1 }
train: { optimiser: { adam: { rate: 0.03 } }, epochs: 1, nets: { w: { freeze: true } } }
END
mkdir sets
"$python" - <<'PYTHON'
import numpy as np
rng = np.random.default_rng(6)
for split in ("train", "valid", "test"):
    kind = rng.integers(-1, 3, (58, 2))
    kind[20:] = np.where(rng.random((38, 2)) < 0.8, -1, kind[20:])
    kind[0], kind[1, 0] = -1, 2
    if split == "test":
        kind[:] = -1
    y = np.where(np.arange(58) < 40, rng.integers(0, 3, 58), -1)
    for name, array in {"x": rng.standard_normal((58, 4)).astype("f4"), "kind": kind.astype("i4"), "y": y.astype("i4"),
                        "share": rng.dirichlet([1, 1, 1], 58).astype("f4"), "bits": rng.random((58, 3)).astype("f4")}.items():
        np.save(f"sets/{split}_{name}.npy", array)
few = {"x": np.eye(4, dtype="f4"), "kind": np.array([[0, -1], [1, 2], [2, 2], [-1, 0]], "i4"), "y": np.array([0, 1, 2, 0], "u1"),
       "share": np.array([[0.5, 0.5, 0], [1, 0, 0], [0.2, 0.3, 0.5], [0, 0, 1]], "f4"), "bits": np.array([[0, 1, 0.5], [0.25, 0.75, 0], [1, 1, 0.1], [0.5, 0, 0]], "f4")}
import os
os.mkdir("few")
for name, array in few.items():
    np.save(f"few/train_{name}.npy", array)
s = 0.1
q = (1 - s) * few["share"].astype(float) + s / 3
left = 0.5 * -(q * np.log(q)).sum(-1).mean()
t = few["bits"].astype(float)
left += -sum(np.where(a > 0, a * np.log(np.where(a > 0, a, 1)), 0) for a in (t, 1 - t)).mean()
w, total, counted = np.array([1, 2, 0.5]), 0, 0
for label in few["kind"].ravel():
    if label >= 0:
        a = (0.8 * (np.arange(3) == label) + 0.2 / 3) * w
        total, counted = total - (a * np.log(a / a.sum())).sum(), counted + w[label]
open("least", "w").write(f"{left + total / counted:.6f}")
PYTHON
export CFLAGS=-O1
for form in '' --plain; do
    run "$SPNC" build run.yaml $form -o "run$form" || exit 1
    still="run$form/run train --data sets --set train.rate=1e-30"
    run $still --run "kept$form"
    run "run$form/run" eval --run "kept$form" --data sets --split train --json && cp output "train$form.json"
    run "run$form/run" eval --run "kept$form" --data sets --split valid --json && cp output "valid$form.json"
    for k in 1 2 3; do $still --run "parts$form" --resume --max-time 0.000001 >output 2>&1 || fault "part $k: $(cat output)"; done
done
unset CFLAGS
"$python" - <<'PYTHON' || fault "errors of a run"
import json, sys
import numpy as np
wrong = []
for form in ("", "--plain"):
    log = [json.loads(open(f"{run}{form}/log.jsonl").read().splitlines()[0]) for run in ("kept", "parts")]
    for split in ("train", "valid"):
        e = json.load(open(f"{split}{form}.json"))["error"]
        if sorted(e) != ["kind", "y"]:
            wrong.append(f"{form} {split}: errors of {sorted(e)}")
            continue
        want = (e["kind"]["mean"] + e["y"]["mean"]) / 2
        counted = (np.load(f"sets/{split}_kind.npy") >= 0).sum()
        if abs(e["kind"]["mean"] * counted - round(e["kind"]["mean"] * counted)) > 1e-9 or not 0 < want < 1:
            wrong.append(f"{form} {split}: {e} of {counted} labels")
        wrong += [f"{form} {split}_error of run {k}: {l[split + '_error']}, not {want}" for k, l in enumerate(log) if not abs(l[split + "_error"] - want) < 1e-12]
sys.exit("\n".join(wrong) or 0)
PYTHON
run run/run train --data few --overfit-one-batch --json && "$python" - <<'PYTHON' || fault "--overfit-one-batch: $(tail -1 output)"
import json
end = json.loads(open("output").read().splitlines()[-1])
least = float(open("least").read())
assert end["near_zero"] and abs(end["least_possible"] - least) < 1e-5 and end["least_loss"] > least > 0.5, (end, least)
PYTHON
run run/run eval --run kept --data sets --split test
grep -qx 'kind: no error: every label is -1, which the model.s loss ignores' output || fault "eval without a label that counts: $(cat output)"
run run/run eval --run kept --data sets --split test --json
grep -q '"kind": {"mean": null, "positions": \[null, null\]}' output || fault "eval --json without a label that counts: $(cat output)"
for x in x y kind share bits; do cp sets/test_$x.npy sets/valid_$x.npy; done
refused "sets/valid_kind.npy: every label is -1, which the model's loss ignores (line 12 of run.yaml): there is nothing to validate" run/run train --data sets --run refused
echo 'train.rate: [0.1]' >grid.yaml
refused "sets/valid_kind.npy: every label is -1, which the model's loss ignores (line 12 of run.yaml): there is nothing to compare" run/run sweep grid.yaml --data sets --runs refused

# ---- compare: shares of the labels, and of the examples, that count -----------------------------------------------------------------------
run run/run compare kept parts --data sets --split train --json && cp output compare.json
"$python" - <<'PYTHON' || fault "compare: $(cat compare.json)"
import json
import numpy as np
c = json.load(open("compare.json"))["runs"][0]
here = np.column_stack([np.load("sets/train_kind.npy"), np.load("sets/train_y.npy")]) >= 0
examples = here.any(1).sum()
assert 40 < examples < 58 and c["labels"]["error"] == c["labels"]["wrong"] / here.sum() and c["whole_examples"]["error"] == c["whole_examples"]["wrong"] / examples, c
PYTHON
[ $failed = 0 ] && echo "test_loss_values: fine"
exit $failed
