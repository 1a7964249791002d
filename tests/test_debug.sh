#!/usr/bin/env bash
# test_debug.sh -- `spnc build --debug`: the same values as the plain form, and every way of leaving a tensor is caught and named.
# The faults are put into the generated C, one at a time, as an edit might; the runtime, except for the handlers, is compiled once.
# SPNC: the spnc to test (default build/spnc).  A compiler that is not there is skipped, with a message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
ulimit -c 0

cat >net.yaml <<'END'
model: net
batch: 3
inputs: { image: { shape: [2, 8, 9] } }
targets: { label: { classes: 3 } }
flow:
  - a: { conv: image, filters: 4, kernel: 3 }
  - b: { relu: a }
  - repeat: 2
    carry: { h: { gru: { units: 5 } } }
    do:
      - h: { gru: [b, h] }
  - all: { dense: h, units: 3 }
loss: { cross_entropy: [all, label] }
train: { optimiser: { sgd: { rate: 0.1 } }, epochs: 1 }
END

# broken TEXT SED-SCRIPT: the C with a fault runs into the check, which names it
broken() {
    sed "$2" original.c >net/net.c
    cmp -s original.c net/net.c && { fault "the fault is not in the C: $2"; return; }
    rm -f net/net.o
    make -s -C net CC=$compiler >output 2>&1 || { fault "does not compile: $2: $(head -3 output)"; return; }
    { net/net check >output 2>&1; } 2>/dev/null
    local code=$?
    [ $code = 134 ] || fault "$compiler: exit code $code, expected that of abort: $2"
    grep -q -e "$1" output || fault "$compiler: no '$1': $(head -3 output)"
}

"$SPNC" build net.yaml --plain -o plain || fault "the plain form"
plain/net export --seed 3 -o w.npz
python=$(sh "$root/tests/python.sh" numpy yaml)
"$python" - <<'END'
import numpy as np, os
os.mkdir("data")
r = np.random.default_rng(1)
for split in ("train", "valid", "test"):
    np.save(f"data/{split}_image.npy", r.normal(size=(5, 2, 8, 9)).astype("f4"))
    np.save(f"data/{split}_label.npy", r.integers(0, 3, 5).astype("i4"))
END
plain/net grad --weights w.npz --data data --first 3 -o plain.npz || fault "grad of the plain form"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
    rm -f net/net.o net/runtime/guard.o
    CC=$compiler "$SPNC" build net.yaml --debug -o net || { fault "$compiler cannot build it"; continue; }
    net/net grad --weights w.npz --data data --first 3 -o debug.npz && cmp plain.npz debug.npz || fault "$compiler: other values than the plain form"
    rm -rf run
    net/net train --data data --run run --quiet && net/net eval --data data --run run >/dev/null || fault "$compiler: training"
    cp net/net.c original.c
    # an inner index, the first index of an argument, a flat argument, one in front of the tensor; an int
    broken 'net.c:[0-9]*: index 7 is outside of an array of type .real' 's/y\[m\]\[i\]\[j\] = s;/y[m][i][j + 1] = s;/'
    broken 'a_forward wrote outside of a (example 0): element 168 of 168' 's/y\[m\]\[i\]\[j\] = s;/y[m + 1][i][j] = s;/'
    broken 'b_forward wrote outside of b (example 0): element 168 of 168' 's/y\[i\] = b_value/y[i + 1] = b_value/'
    broken 'b_forward wrote outside of b (example 0): element -1 of 168' 's/y\[i\] = b_value/y[i - 1] = b_value/'
    broken 'net.c:[0-9]*: 1 + 2147483647 does not fit into .int' 's/y\[m\]\[i\]\[j\] = s;/y[m][i][(j + 2147483647) % 7] = s;/'
    cp original.c net/net.c
done
[ $failed = 0 ] && echo "test_debug: fine"
exit $failed
