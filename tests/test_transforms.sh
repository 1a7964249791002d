#!/usr/bin/env bash
# test_transforms.sh -- samplers with each kind of transform: `init: identity` starts where the crop is the image itself, or its middle in one
# that is smaller; a crop of one row is the middle row.
# usage: tests/test_transforms.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
cd "$work" || exit 1
cat >still.yaml <<'END'
model: still
batch: 4
inputs: { x: { shape: [1, 5, 7] } }
targets: { y: { classes: 2 } }
nets:
  place: [dense: { units: 2, init: identity }]
flow:
  - pa: { dense: x, units: 6, init: identity }
  - a: { spn: [x, pa], transform: affine }
  - ps: { dense: x, units: 4, init: identity }
  - s: { spn: [x, ps], transform: scale }
  - pt: { dense: x, units: 3, init: identity }
  - moved: pt
  - t: { spn: [x, moved], transform: attention }
  - pm: { place: x }
  - m: { spn: [x, pm], transform: translation }
  - pr: { dense: x, units: 4, init: identity }
  - r: { spn: [x, pr], transform: similarity }
  - line: { spn: [x, { dense: x, units: 6, init: identity_affine }], size: [1, 7] }
  - all: { concat: [a, s, t, m, r, line], axis: -2 }
  - v: { dense: all, units: 2 }
loss: { cross_entropy: [v, y] }
END
mkdir data
"$python" - <<'PYTHON' || exit 1
import numpy as np
np.save("data/test_x.npy", np.random.default_rng(1).normal(size=(3, 1, 5, 7)).astype("f4"))
np.save("data/test_y.npy", np.zeros(3, "i4"))
PYTHON
"$SPNC" build still.yaml -o . >said 2>&1 && ./still export --seed 5 -o w.npz >>said 2>&1 && ./still grad --weights w.npz --data data --split test --first 0 -o g.npz >>said 2>&1 || fault "$(cat said)"
"$python" - <<'PYTHON' || fault "the samplers do not start at the identity"
import numpy as np
w, out, x = np.load("w.npz"), np.load("g.npz"), np.load("data/test_x.npy")
starts = {"pa": [1, 0, 0, 0, 1, 0], "ps": [1, 0, 1, 0], "pt": [1, 0, 0], "place.dense1": [0, 0], "pr": [1, 0, 0, 0]}
for name, start in starts.items():
    assert (w[name + ".bias"] == start).all() and not w[name + ".weight"].any(), name
for name in "astmr":
    assert np.abs(out["out/" + name] - x).max() < 1e-5, name
assert np.abs(out["out/line"] - x[:, :, 2:3]).max() < 1e-5, "line"
PYTHON
# `check` compares the pixels that points fall on, of all six samplers: also where backward does not read the transform, since slopes are kept.
"$SPNC" emit still.yaml --plain -o plain >said 2>&1 || fault "$(cat said)"
for file in still.c plain/still.c; do
    count=$(sed -n '/^static uint64_t net_decisions/,/^}/p' $file | grep -c '_decisions(hash, ')
    [ "$count" = 6 ] || fault "$file: net_decisions looks at the pixels of $count samplers, not of 6"
done
# A transform that is a state is that of the step before, for `check` as for the sampler.
cat >state.yaml <<'END'
model: state
batch: 4
inputs: { x: { shape: [1, 6, 6] } }
targets: { y: { classes: 2 } }
flow:
  - repeat: 3
    carry: { A: { shape: [6], init: 0.5 } }
    do:
      - look: { spn: [x, A] }
      - A: { dense: look, units: 6, init: identity_affine }
  - v: { dense: { last: look }, units: 2 }
loss: { cross_entropy: [v, y] }
END
"$SPNC" emit state.yaml -o state >said 2>&1 || fault "$(cat said)"
grep -qF 'look_decisions(hash, v.A[s - G])' state/state.c || fault "net_decisions looks at another step's transform than the sampler"
exit $failed
