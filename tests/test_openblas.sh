#!/usr/bin/env bash
# test_openblas.sh -- `gemm: openblas`: numbers near those of spnc's own kernel, gradients that differences confirm, the same bits on one
# thread and on two, a hash and a kernel of its own; a program of a model without it does not contain or link OpenBLAS.
# (Values and gradients of random nets: operators/dense_by_openblas and gru_by_openblas.)
. "$(dirname "$0")/environment.sh"
set -u
spnc=${SPNC:-build/spnc}
python=$(sh tests/python.sh numpy)
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
failed=0
fault() { echo "test_openblas: $*" >&2; failed=1; }

cat >"$work/net.yaml" <<'END'
model: net
params: { gemm: openblas }
batch: 37
inputs: { x: { shape: [70] } }
targets: { digits: { length: 3, classes: 5 } }
nets:
  read:
    - dense: { units: 90, act: relu, gemm: $gemm }
    - dense: { units: 5, gemm: $gemm }
flow:
  - c: { dense: x, units: 33, act: tanh, bias: false, gemm: $gemm }
  - repeat: 3
    carry: { h: { gru: { units: 24, bias_hh: true, gemm: $gemm } } }
    do:
      - h: { gru: [c, h] }
      - y: { read: h }
loss: { cross_entropy: [y, digits] }
train: { optimiser: { sgd: { rate: 0.1 } }, epochs: 2 }
END
sed 's/, gemm: $gemm//; /^params:/d' "$work/net.yaml" >"$work/without.yaml"
hash() { "$spnc" show "$@" | sed -n 's/.*hash //p'; }
[ "$(hash "$work/net.yaml" --set gemm=lanes)" = "$(hash "$work/without.yaml")" ] || fault "'gemm: lanes' has another hash than nothing said"
[ "$(hash "$work/net.yaml")" != "$(hash "$work/without.yaml")" ] || fault "OpenBLAS's sums have the hash of our own"
"$spnc" explain "$work/net.yaml" read.dense1 | grep -q "kernel *whole batch, by OpenBLAS" || fault "explain does not say which kernel"
"$spnc" show "$work/net.yaml" | grep -q "h_from_state by OpenBLAS" || fault "show does not say that the gru is computed by OpenBLAS"
"$spnc" show "$work/net.yaml" --plain | grep -q "by OpenBLAS" && fault "the plain form is not plain"
"$spnc" check "$work/net.yaml" --set gemm=mkl 2>&1 | grep -q "'gemm' cannot be 'mkl'; it is one of lanes, openblas" || fault "another library is not refused"

"$spnc" emit "$work/without.yaml" -o "$work/without"
grep -qi 'blas\|gemm' "$work/without/net.c" "$work/without/Makefile" && fault "a program that does not ask for OpenBLAS has it"
"$spnc" emit "$work/net.yaml" -o "$work/strict"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    # shellcheck disable=SC2046
    $compiler $(sed -n 's/^FLAGS = //p' "$work/strict/Makefile") $(pkg-config --cflags openblas 2>/dev/null) -Wpedantic -Wshadow -Werror -O1 -I"$work/strict/runtime" -c \
        -o /dev/null "$work/strict/net.c" || fault "$compiler has warnings"
done

"$python" - "$work" <<'PYTHON'
import numpy as np, os, sys
random, data = np.random.default_rng(1), sys.argv[1] + "/data"
os.mkdir(data)
for split, n in ("train", 90), ("valid", 20), ("test", 20):
    np.save(f"{data}/{split}_x.npy", random.standard_normal((n, 70)).astype("f4"))
    np.save(f"{data}/{split}_digits.npy", random.integers(0, 5, (n, 3)).astype("i4"))
PYTHON
for gemm in lanes openblas; do
    "$spnc" build "$work/net.yaml" --set gemm=$gemm -o "$work/$gemm" || fault "$gemm: cannot be built"
    "$work/$gemm/net" export --seed 3 -o "$work/start.npz"
    for first in 0 37 74; do
        "$work/$gemm/net" grad --weights "$work/start.npz" --data "$work/data" --split train --first $first -o "$work/$gemm$first.npz" >/dev/null || fault "$gemm: grad"
    done
done
"$spnc" build "$work/net.yaml" --precision double -o "$work/double" && "$work/double/net" check >"$work/said" ||
    fault "differences do not confirm the gradients: $(tail -3 "$work/said")"
"$python" - "$work" <<'PYTHON' || failed=1
import numpy as np, sys
for first in 0, 37, 74:
    a, b = (np.load(f"{sys.argv[1]}/{gemm}{first}.npz") for gemm in ("lanes", "openblas"))
    assert set(a.files) == set(b.files) and len(a.files) > 8
    for name in a.files:
        far = np.abs(a[name] - b[name]).max() / np.abs(a[name]).max()
        assert far <= 2e-5, f"from example {first}, {name}: {far:.2g} from our own kernel"
PYTHON
for threads in 1 2; do
    "$work/openblas/net" train --data "$work/data" --run "$work/run$threads" --threads $threads >/dev/null 2>&1 || fault "train"
    "$work/openblas/net" export --run "$work/run$threads" --last -o "$work/run$threads.npz"
done
cmp -s "$work/run1.npz" "$work/run2.npz" || fault "two threads give other bits than one"

# Without OpenBLAS's header the compiler's error names the package to install.
mkdir "$work/other"
echo "/* another library's */" >"$work/other/cblas.h"
cc -DSPN_GENERIC -I"$work/other" -I"$work/strict/runtime" -fsyntax-only -x c "$work/strict/runtime/gemm.h" 2>&1 | grep -q "error.*libopenblas-dev" ||
    fault "another library's cblas.h is taken"
[ $failed = 0 ] && echo "test_openblas: fine"
exit $failed
