#!/usr/bin/env bash
# test_cells.sh -- lstm and rnn, carried and free: values and states in both forms against loops written down here, gradients against
# differences, the same bits on one thread and three; where the forget gate's bias starts; the input product ahead of the loop.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
cd "$work" || exit 74
cat >net.yaml <<'END'
model: net
batch: 20
inputs: { x: { shape: [3] }, w: { shape: [2, 2] } }
targets: { y: { classes: 3 } }
flow:
  - first: { dense: x, units: 4, act: tanh }
  - repeat: 3
    carry:
      h: { lstm: { units: 4, init: { h: first, c: 0.5 * first }, bias_hh: true } }
      g: { lstm: { units: 2, init: trained, forget_bias: 1.5 } }
      r: { rnn: { units: 3, act: relu, init: trained, bias_hh: true } }
      s: { rnn: { units: 2, act: linear } }
    do:
      - kept: h.c
      - h: { lstm: [x, h] }
      - g: { lstm: [{ concat: [h, kept] }, g] }
      - r: { rnn: [g.c, r] }
      - s: { rnn: [{ concat: [r, h.h] }, s] }
  - n: { lstm: [w, { last: h }, { last: h.c }], units: 4 }
  - t: { rnn: [n.c, n.h], units: 4, act: sigmoid }
  - v: { dense: { concat: [n.h, t, { last: s }] }, units: 3 }
loss: { cross_entropy: [v, y] }
END
for form in '' --plain; do run "$SPNC" build net.yaml --precision double $form -o "net$form" || exit 1; done
run "$SPNC" check net.yaml --stage steps
sed '/at each step/,$d' output | grep -q h_from_input || fault "the product with the input of h is not ahead of the loop"
for form in '' --plain; do run "net$form/net" check || fault "check $form: $(tail -3 output)"; done
net/net export --seed 3 -o start.npz >/dev/null || fault "export"
"$python" - <<'PYTHON' || fault "the data"
import numpy as np
rng, start = np.random.default_rng(5), dict(np.load("start.npz"))
bias = start["g.bias_ih"]
assert (bias[2:4] == 1.5).all() and not bias[:2].any() and not bias[4:].any(), bias
assert not start["h.bias_ih"].any() and not start["g.h.init"].any()
np.savez("weights.npz", **{k: w + 0.4 * rng.standard_normal(w.shape) for k, w in start.items()})
np.save("test_x.npy", rng.standard_normal((20, 3)).astype("f4"))
np.save("test_w.npy", rng.standard_normal((20, 2, 2)).astype("f4"))
np.save("test_y.npy", rng.integers(0, 3, 20).astype("u1"))
PYTHON
for form in '' --plain; do
    for threads in 1 3; do
        run "net$form/net" grad --weights weights.npz --data . --split test --first 0 --threads $threads -o "out$form$threads.npz"
    done
    cmp -s "out${form}1.npz" "out${form}3.npz" || fault "three threads give other bits than one $form"
done
"$python" - <<'PYTHON' || fault "values"
import sys
import numpy as np
w = dict(np.load("weights.npz"))
x, wide = np.load("test_x.npy").astype(float), np.load("test_w.npy").astype(float).reshape(20, 4)
sigmoid = lambda z: 1 / (1 + np.exp(-z))

def both(name, x, h):
    return x @ w[name + ".weight_ih"].T + w[name + ".bias_ih"] + h @ w[name + ".weight_hh"].T + w.get(name + ".bias_hh", 0)

def lstm(name, x, h, c):
    i, f, g, o = np.split(both(name, x, h), 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c

first = np.tanh(x @ w["first.weight"].T + w["first.bias"])
h, c, s = first, 0.5 * first, np.zeros((20, 2))
gh, gc, r = (np.tile(w[k], (20, 1)) for k in ("g.h.init", "g.c.init", "r.init"))
want = {}
for t in range(3):
    kept = c
    h, c = lstm("h", x, h, c)
    gh, gc = lstm("g", np.hstack([h, kept]), gh, gc)
    r = np.maximum(both("r", gc, r), 0)
    s = both("s", np.hstack([r, h]), s)
    for key, value in (("kept", kept), ("h.h", h), ("h.c", c), ("g.h", gh), ("g.c", gc), ("r", r), ("s", s)):
        want.setdefault(key, []).append(value)
want = {key: np.stack(value, 1) for key, value in want.items()}
want["first"] = first
want["n.h"], want["n.c"] = lstm("n", wide, h, c)
want["t"] = sigmoid(both("t", want["n.c"], want["n.h"]))
want["v"] = np.hstack([want["n.h"], want["t"], s]) @ w["v.weight"].T + w["v.bias"]
wrong = []
for form in ("", "--plain"):
    got = dict(np.load(f"out{form}1.npz"))
    names = {key[4:] for key in got if key.startswith("out/")}
    if names != set(want):
        wrong.append(f"{form}: values {sorted(names ^ set(want))} are there in one only")
    wrong += [f"{form} {key}: {np.abs(got['out/' + key] - value).max()}" for key, value in want.items()
              if key in names and not np.abs(got["out/" + key] - value).max() < 1e-13]
sys.exit("\n".join(wrong) or 0)
PYTHON
[ $failed = 0 ] && echo "test_cells: fine"
exit $failed
