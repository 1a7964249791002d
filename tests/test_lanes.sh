#!/usr/bin/env bash
# test_lanes.sh -- lanes without an example: a net whose functions are not defined at 0 has finite gradients in a batch that is not full, and they
# are those of the examples that are there; training goes over such a batch.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
[ -n "$python" ] || { echo "test_lanes: no Python with numpy: skipped"; exit 0; }
cd "$work" || exit 74
cat >lanes.yaml <<'END'
model: lanes
batch: 40
inputs: { x: { shape: [5] }, u: { shape: [1, 2, 9], dtype: u8, augment: { noise: 0.01 } } }
targets: { t: { shape: [3] }, y: { classes: 3 } }
flow:
  - r: { dense: 1 / sqrt(x) + log(x), units: 3 }
  - s: { dense: 1 / u, units: 3 }
loss:
  - mean: r * log(t)
  - cross_entropy: [s, y]
END
cat >answers.py <<'END'
import sys
import numpy as np
g, x, u, t, y = np.load(sys.argv[1]), *(np.load(f"test_{n}.npy")[40:].astype(float) for n in "xuty")
r = np.load("W.npz")
want = (np.log(t) / t.size).T @ (1 / np.sqrt(x) + np.log(x))
a = 255 / u.reshape(len(u), -1)
s = a @ r["s.weight"].astype(float).T + r["s.bias"]
p = np.exp(s - s.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
p[np.arange(len(y)), y.astype(int)] -= 1
for name, w in ("r.weight", want), ("s.weight", p.T @ a / len(y)):
    d = np.abs(g["grad/" + name] - w).max() / np.abs(w).max()
    assert d < float(sys.argv[2]), (name, d)
END
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(1)
for split in "train", "valid", "test":
    np.save(f"{split}_x.npy", r.uniform(.5, 2, (43, 5)).astype("f4")), np.save(f"{split}_t.npy", r.uniform(.5, 2, (43, 3)).astype("f4"))
    np.save(f"{split}_u.npy", r.integers(50, 255, (43, 1, 2, 9), "u1")), np.save(f"{split}_y.npy", r.integers(0, 3, 43, "i4"))
END
for form in "" --plain "--precision double"; do
    # shellcheck disable=SC2086
    run "$SPNC" build lanes.yaml $form -o made || continue
    run made/lanes export --seed 1 -o W.npz
    run made/lanes grad --weights W.npz --data . --split test --first 40 -o G.npz
    run "$python" answers.py G.npz "$([[ $form = *double ]] && echo 1e-12 || echo 1e-5)"
    rm -rf run && run made/lanes train --data . --run run --epochs 1
done
[ $failed = 0 ] && echo "test_lanes: fine"
exit $failed
