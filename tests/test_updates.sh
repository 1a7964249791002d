#!/usr/bin/env bash
# test_updates.sh -- where weights start, also from a file; penalties; updates over several batches (`accumulate`), the average of the weights, frozen nets and factors of the
# rate: their numbers against numpy; and for each optimiser a run that stops behind every step, on one thread or two: the same weights, average and log as a run
# that never stopped.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
cd "$work" || exit 74

# net NAME 'TRAIN' OPTIONS...: builds the net in the folder NAME, trained so
net() {
    local name=$1 train=$2
    shift 2
    cat >"$name.yaml" <<YAML
model: net
batch: 5
inputs: { x: { shape: [6] } }
targets: { kind: { length: 2, classes: 3 } }
flow:
  - h: { dense: x, units: 17, act: tanh${of_h-} }
  - k: { dense: h, units: 4${of_k-} }
  - r: { dense: k, units: 6${of_r-} }
  - rows: { reshape: r, shape: [2, 3] }
loss: [{ cross_entropy: [rows, kind]${loss-} }${also-}]
train: { $train, epochs: 3 }
YAML
    run "$SPNC" build "$name.yaml" "$@" -o "$name"
}

"$python" - <<'PYTHON' || fault "the data"
import numpy as np
rng = np.random.default_rng(5)
np.save("train_x.npy", rng.standard_normal((13, 6)).astype("f4"))
np.save("train_kind.npy", rng.integers(0, 3, (13, 2)).astype("i4"))
PYTHON
timeless() { sed 's/"seconds": [^,]*, "images_per_second": [^,]*,//' "$1/log.jsonl"; }

# stops NAME: a whole run, and one that stops behind every step
stops() {
    local name=$1 program=$1/net calls=0
    run "$program" train --data . --run "$name.whole" --threads 2
    while [ $calls -lt 20 ]; do
        run "$program" train --data . --run "$name.stops" --resume --threads $((1 + calls % 2)) --max-time 0.001ms || return
        calls=$((calls + 1))
        ! grep -q finished output || break
    done
    [ $calls = 9 ] || fault "$name: $calls calls for nine steps"
    for run in whole stops; do
        run "$program" export --run "$name.$run" --last -o "$name.$run.npz"
        ! grep -q 'average:' "$name.yaml" || run "$program" export --run "$name.$run" --last --average -o "$name.$run.average.npz"
    done
    cmp "$name.whole.npz" "$name.stops.npz" || fault "$name: other weights than a run that never stopped"
    ! grep -q 'average:' "$name.yaml" || cmp "$name.whole.average.npz" "$name.stops.average.npz" || fault "$name: another average"
    diff <(timeless "$name.whole") <(timeless "$name.stops") || fault "$name: another log"
}

# ---- numbers: three batches, the last one with three examples, are one update, as of one batch of 13 -------------------------
also=', { weight_l2: k, weight: 0.1 }, { weight_l1: k, weight: 0.01 }, { weight_l1: h, weight: 0.2 }' of_h=', init: { uniform: [0.1, 0.3] }, bias_init: 0.5' of_k=', init: { orthogonal: { gain: 2 } }' of_r=', init: orthogonal, bias_init: { normal: [2, 0.01] }' \
    net sgd 'optimiser: { sgd: { rate: 0.2, momentum: 0.9, nesterov: true } }, clip: { element: 0.1, norm: 0.6, rule: torch }, accumulate: 4, average: 0.8, weight_decay: 0.01, no_decay: bias, nets: { h: { freeze: true }, k: { rate_times: 0.1 } }' \
    --precision double
run sgd/net export --seed 1 -o 0.npz
for epoch in 1 2 3; do
    run sgd/net train --data . --run numbers --resume --epochs $epoch
    run sgd/net export --run numbers --last -o "$epoch.npz"
    run sgd/net export --run numbers --last --average -o "average$epoch.npz"
done
for weights in 0 1 2; do
    for first in 0 5 10; do run sgd/net grad --weights "$weights.npz" --data . --split train --first $first -o "g$weights.$first.npz"; done
done
cp train_x.npy test_x.npy && cp train_kind.npy test_kind.npy
run sgd/net eval --run numbers --last --data . --json && cp output evaluated
run sgd/net eval --weights average3.npz --data . --json && cmp -s output evaluated || fault "eval does not take the run's average"
"$python" - <<'PYTHON' || fault "numbers"
import json, sys
import numpy as np
load = lambda name: {k: v for k, v in np.load(name).items()}
w, failed = load("0.npz"), False
velocity = {k: 0 for k in w}
for update in range(3):
    parts = [(n, load(f"g{update}.{first}.npz")) for first, n in ((0, 5), (5, 5), (10, 3))]
    mean = {k: sum(n * part["grad/" + k] for n, part in parts) / 13 for k in w if not k.startswith("h.")}
    clipped = {k: np.clip(g, -0.1, 0.1) for k, g in mean.items()}
    cut = sum((mean[k] != clipped[k]).sum() for k in mean)
    norm, whole = (sum((g * g).sum() for g in gs.values()) ** 0.5 for gs in (clipped, mean))
    if not (cut and norm > 0.6):
        print("clipping has nothing to do:", cut, norm)
        failed = True
    for k, g in clipped.items():
        g = g * min(1, 0.6 / (norm + 1e-6)) + (0.01 * w[k] if k.endswith("weight") else 0)
        velocity[k] = 0.9 * velocity[k] + g
        w[k] = w[k] - (0.02 if k.startswith("k.") else 0.2) * (g + 0.9 * velocity[k])
    average = dict(w) if update == 0 else {k: 0.8 * average[k] + 0.2 * w[k] for k in w}
    for what, want in ((f"{update + 1}.npz", w), (f"average{update + 1}.npz", average)):
        have = load(what)
        for k in w:
            if np.abs(have[k] - want[k]).max() > 1e-13:
                print(what, k, np.abs(have[k] - want[k]).max())
                failed = True
    line = json.loads(open("numbers/log.jsonl").read().splitlines()[update])
    if abs(line["grad_norm"] - whole) > 1e-13 or line["updates"] != update + 1:
        print("log:", line, "norms", norm, whole)
        failed = True
first = load("0.npz")
failed |= bool((np.abs(first["h.weight"] - 0.2) > 0.1).any() or np.ptp(first["h.weight"]) < 0.15 or (first["h.bias"] != 0.5).any())
failed |= bool((np.abs(first["r.bias"] - 2) > 0.05).any() or np.ptp(first["r.bias"]) < 1e-3 or first["k.bias"].any())
k, r = first["k.weight"], first["r.weight"]         # [4][17] and [6][4]
failed |= bool(np.abs(k @ k.T - 4 * np.eye(4)).max() > 1e-14 or np.abs(r.T @ r - np.eye(4)).max() > 1e-14)
part = load("g0.0.npz")
cross = lambda z, t: np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, t[..., None], -1)[..., 0]
want = cross(part["out/rows"], np.load("train_kind.npy")[:5]).mean() + 0.1 * (k ** 2).sum() + 0.01 * np.abs(k).sum() + 0.2 * np.abs(first["h.weight"]).sum()
failed |= bool(abs(part["loss"] - want) > 1e-12)
failed |= any((load("3.npz")[k] == first[k]).all() != k.startswith("h.") for k in first)
sys.exit(failed)
PYTHON

# ---- resumed at every step, also inside an update ------------------------------------------------------------------------------
stops sgd
sgd/net export --seed 1 --average -o a.npz 2>said
[ $? = 2 ] && grep -q 'average of the weights of --run DIR, which is missing' said || fault "--average without a run: $(cat said)"
of_k=', act: tanh' net rmsprop 'optimiser: { rmsprop: { momentum: 0.9, centred: true } }, accumulate: 2' --plain && stops rmsprop
rmsprop/net export --run rmsprop.whole --average -o a.npz 2>said && fault "an average that is not there"
grep -q 'best: has no average of the weights; a net keeps one with train: { average: 0.999 }' said || fault "no average: $(cat said)"
loss=', ignore: 1' net adam 'optimiser: { adam: { amsgrad: true } }, average: 0.9, clip: { norm: 0.1 }' --plain && stops adam
# an ONNX file is for use, so it has the average, as a library of the run does; files of weights say that there is one
adam/net export --run adam.whole --last -o average.onnx 2>said && [ ! -s said ] || fault "export to ONNX: $(cat said)"
adam/net export --run adam.whole --last --average -o named.onnx 2>said && [ ! -s said ] && cmp named.onnx average.onnx || fault "export --average to ONNX: $(cat said)"
adam/net export --run adam.whole --last -o w.npz 2>said && [ "$(wc -l <said)" = 1 ] && grep -q '^net: note: adam.whole keeps an average .*--average writes the average$' said || fault "no note: $(cat said)"
adam/net export --run adam.whole --last --average -o w.npz 2>said && [ ! -s said ] || fault "a note where the average is taken: $(cat said)"
rmsprop/net export --run rmsprop.whole --last -o w.npz 2>said && [ ! -s said ] || fault "a note where there is no average: $(cat said)"
"$python" - <<'PYTHON' || fault "the weights of the ONNX file are not the average"
import numpy as np
data, average, trained = open("average.onnx", "rb").read(), np.load("adam.whole.average.npz"), np.load("adam.whole.npz")
for name in ("h.weight", "k.weight", "r.bias"):
    assert average[name].astype("f4").tobytes() in data and trained[name].astype("f4").tobytes() not in data, name
PYTHON
loss=', class_weights: [1, 2, 3]' net adamw 'optimiser: adamw, accumulate: 2, average: 0.9, nets: { h: { freeze: true, init: { file: 0.npz } } }' --plain && stops adamw
also=', { weight_l1: r, weight: 0.1 }' net adagrad 'optimiser: adagrad, accumulate: 3, schedule: { cosine: { warm_up: 2 } }' --plain && stops adagrad

# ---- a frozen net that starts as a file says, the others as their rules do; without the file the program is what it was --------------------------------
rm 0.npz
run adamw/net export --seed 7 -o starts.npz && run make -C adamw -B net-train.o
cat >large.yaml <<'YAML'
model: large
inputs: { x: { shape: [700] } }
targets: { y: { classes: 3 } }
flow: [ h: { dense: x, units: 400 }, v: { dense: h, units: 3 } ]
loss: { cross_entropy: [v, y] }
train: { nets: { h: { init: { file: large.npz } } } }
YAML
"$python" - <<'PYTHON' || fault "a start from a file"
import sys
import numpy as np
have, was = np.load("starts.npz"), np.load("adamw.whole.npz")
same = [k for k in have.files if (have[k] == was[k]).all()]
rng = np.random.default_rng(3)
np.savez("large.npz", **{"h.weight": rng.standard_normal((400, 700)), "h.bias": np.arange(400.0), "other": np.zeros(3)})
sys.exit(bool(sorted(same) != ["h.bias", "h.weight"] or abs(have["h.weight"] - 0.2).max() > 0.1))
PYTHON
run "$SPNC" emit large.yaml -o large && run make -C large large-train.o && "$python" -c '
import numpy as np
a = np.load("large.npz")
want = np.concatenate([a["h.weight"].ravel(), a["h.bias"]]).astype("f4").tobytes()
assert open("large/large.start", "rb").read() == want and want in open("large/large-train.o", "rb").read()' || fault "many numbers of a file"
nm large/large-train.o | grep -q ' R large_start_numbers$' || fault "the numbers of a file are no symbol of the whole program: -flto does not find them"

# ---- settings that do not fit the run: warnings, of what the data or --set and --epochs alone can tell ---------------------------------------------------
net doubts 'accumulate: 4, average: 0.9, schedule: { divide: 2, first: 2, every: 1, warm_up: 1 }'
doubt() {                                      # doubt "TEXT" OPTIONS...: the warnings of that run hold the text, or there is none
    local text=$1 all
    shift
    rm -rf doubted && run doubts/net train --data . --run doubted --quiet "$@"
    all=$(cat "$work/output")
    [ -n "$text" ] && { grep -q "warning: $text" "$work/output" || fault "no '$text' from $*: $all"; } || ! grep -q 'train\.' "$work/output" || fault "a doubt of $*: $all"
}
doubt 'doubts.yaml: accumulate is 4, and an epoch has 3 batches: it makes one update$' --epochs 12
doubt 'doubts.yaml: average: 0.9 is of some 10 updates, and the run makes 3: '
doubt 'train.warm_up is 9, and the run ends after 3 epochs: the rate never comes to its full height$' --set train.warm_up=9
doubt 'train.warm_up is 1.5, and the run ends after 1 epoch: ' --set train.warm_up=1.5 --epochs 1
doubt 'train.first is 2, and the run ends after 2 epochs: the rate stays as it is$' --epochs 2
doubt '' --epochs 12
! grep -q 'average' "$work/output" || fault "an average of fewer updates than the run makes is doubted"
net fits 'accumulate: 3, average: 0.5, schedule: { step: { divide: 2, every: 2 } }'
run fits/net train --data . --run fitted --quiet && ! grep -v 'no validation split' "$work/output" || fault "what fits is doubted: $(cat "$work/output")"
run fits/net train --data . --run fitted --resume --epochs 9 --quiet && ! grep -v 'no validation split' "$work/output" || fault "what fits is doubted: $(cat "$work/output")"
run fits/net train --data . --run late --set train.every=3 --quiet && grep -q 'train.every is 3, and the run ends after 3 epochs: the rate stays' "$work/output" || fault "every: $(cat "$work/output")"

# ---- the search for a rate on few data, and where the loss ends before all rates are tried ----------------------------------------------------------------
mkdir few && "$python" -c '
import numpy as np
for n in ("x", "kind"): np.save(f"few/train_{n}.npy", np.load(f"train_{n}.npy")[:4])'
run fits/net train --data few --lr-find && grep -q 'warning: the training split is one batch (4 of 5 examples), which every step sees whole' "$work/output" || fault "one batch: $(cat "$work/output")"
run fits/net train --data . --lr-find && ! grep -q 'one batch' "$work/output" || fault "three batches are called one"

[ $failed = 0 ] && echo "test_updates: fine"
exit $failed
