#!/usr/bin/env bash
# test_dense.sh -- dense layers, fast and plain: more inputs than a panel holds; outputs that fill no panel, or one and a part; activations and other
# operands where sums are stored; positions; weights used the other way round; biases summed with the gradient of weights, in blocks and over
# several uses.  The gradients of both forms agree, with the last group full, or not; in float they have the same bits on all targets.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
[ -n "$python" ] || { echo "test_dense: no Python with numpy: skipped"; exit 0; }
cd "$work" || exit 74
cat >dense.yaml <<'END'
model: dense
params: { inputs: 900, count: 48 }
batch: $count
inputs: { x: { shape: [$inputs] }, rows: { shape: [70, 9] } }
targets: { y: { classes: 5 } }
nets:
  both:
    - dense: { units: 20, act: tanh }
    - dense: 18
  beside:
    in: [u, e]
    do:
      - d: { dense: u, units: 37 }
      - r: tanh(0.5 * d + e)                              # where d is stored
    out: r
flow:
  - a: { dense: x, units: 20, act: relu, bias_init: { uniform: 1 } }
  - e: { dense: x, units: 37, bias: false }
  - r: { beside: [x, e] }
  - w: { dense: r, units: 20, bias_init: { uniform: 1 } }
  - back: { matmul: [w, w.weight] }                       # [37]
  - p: { dense: rows, units: 83, over: last }             # [70, 83]
  - q: { both: { concat: [{ mean: p }, a] } }
  - s: { both: { concat: [{ max: p }, w] } }
  - scores: { dense: { concat: [{ flatten: p }, a, back, q, s] }, units: 5 }
loss: { cross_entropy: [scores, y] }
END
cat >compare.py <<'END'
import sys
import numpy as np
a, b = np.load(sys.argv[1]), np.load(sys.argv[2])
assert sorted(a) == sorted(b) and len(a) > 12
for n in a:
    if sys.argv[3] == "bits":
        assert a[n].tobytes() == b[n].tobytes(), n
    else:
        assert np.abs(a[n] - b[n]).max() <= float(sys.argv[3]) * (np.abs(b[n]).max() + 1e-9), (n, np.abs(a[n] - b[n]).max())
END
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(1)
for k in 900, 60:
    np.save(f"x{k}.npy", r.normal(0, 1, (48, k)).astype("f4"))
np.save("test_rows.npy", r.normal(0, 1, (48, 70, 9)).astype("f4")), np.save("test_y.npy", r.integers(0, 5, 48, "i4"))
END
# gradients INPUTS COUNT NAME FORM...: of a batch, to NAME.npz
gradients() {
    local name=$3
    rm -rf made "$name.npz" && cp "x$1.npy" test_x.npy || exit 74
    run "$SPNC" build dense.yaml --set inputs="$1" --set count="$2" --tuning none -o made "${@:4}" || return
    run made/dense export --seed 1 -o W.npz && run made/dense grad --weights W.npz --data . --split test -o "$name.npz"
}
for case in 900,48 60,40; do
    inputs=${case%,*} count=${case#*,}
    gradients "$inputs" "$count" plain --plain --precision double
    gradients "$inputs" "$count" fast --precision double
    run "$python" compare.py fast.npz plain.npz 1e-12
    gradients "$inputs" "$count" generic --target generic
    for target in avx512 avx2; do
        grep -qwE "${target/avx512/avx512f}" /proc/cpuinfo || continue
        gradients "$inputs" "$count" lanes --target "$target" && run "$python" compare.py lanes.npz generic.npz bits
    done
done
[ $failed = 0 ] && echo "test_dense: fine"
exit $failed
