#!/usr/bin/env bash
# test_copied.sh -- convolutions whose operands are copied side by side (compiler/schedule/conv_packed.c, conv_phases.c): values and gradients of the fast form are those of the
# plain form's textbook loops, to rounding, and those of plain C the same bits.  The layers are padded and not, in strides, dilated, transposed and of lines; their
# channels come in one block or several, or in chunks, and neither rows nor positions fill their tiles.  Some transposed ones are padded by more than a window, and a
# depthwise one has a large stride.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy) || exit 1
cd "$work" || exit 74

cat >copied.yaml <<'END'
model: copied
batch: 18
inputs: { x: { shape: [8, 13, 11] } }
targets: { y: { classes: 3 } }
nets:
  net:
    - conv: { filters: 9, kernel: 3, padding: same, act: relu, winograd: never }
    - conv: { filters: 19, kernel: 1, act: tanh }
    - conv: { filters: 10, kernel: [3, 2], padding: [[1, 0], [1, 1]], bias: false }
    - conv_transpose: { filters: 8, kernel: 3, padding: 1, stride: 2, output_padding: 1 }       # 8x24x24
    - conv: { filters: 16, kernel: 5, stride: [2, 3], padding: 2, groups: 2 }
    - conv: { filters: 17, kernel: 3, dilation: [1, 2], padding: [0, 2], act: relu }
    - conv_transpose: { filters: 9, kernel: [1, 4], padding: [0, 1], stride: [1, 2] }
    - conv: { filters: 8, kernel: 1, stride: [1, 2] }
    - conv_transpose: { filters: 8, kernel: 2, padding: [2, 3] }        # cuts off more than a window
    - conv_transpose: { filters: 8, kernel: 3, groups: 8, stride: 2, padding: [3, 0], output_padding: 1 }
    - conv_transpose: { filters: 8, kernel: [1, 4], stride: [1, 3] }    # 8x10x25
    - conv: { filters: 8, kernel: 3, groups: 8, stride: [2, 18], padding: [0, 1] }
    - reshape: [8, 8]
    - conv_transpose: { filters: 8, kernel: 2, padding: 3 }
    - conv: { filters: 8, kernel: 3, padding: 1 }
    - dense: 480
    - reshape: [30, 4, 4]
    - conv_transpose: { filters: 64, kernel: 4, stride: 2, padding: 1 }         # near enough in memory: read in place
    - conv_transpose: { filters: 9, kernel: 7, stride: 2, padding: 3 }          # much lies outside, and is left out
    - conv: { filters: 8, kernel: [2, 5], stride: [4, 1], padding: [[1, 0], [2, 2]] }
    - dense: 3
flow:
  - v: { net: x }
loss: { cross_entropy: [v, y] }
END

mkdir data
bytes $((18 * 8 * 143)) 1 256 | "$python" -c '
import sys, numpy as np
x = np.frombuffer(sys.stdin.buffer.read(), np.uint8).astype(np.float32).reshape(18, 8, 13, 11)
np.save("data/train_x.npy", x / 128 - 1)'
bytes 18 2 3 | npy '|u1' 18, >data/train_y.npy
# form OPTIONS...: a program, and its gradients at the same weights
form() {
    local name=$1
    shift
    run "$SPNC" build copied.yaml --tuning none -o "$name" "$@" || exit 1
    [ -e weights.npz ] || run "$name/copied" export -o weights.npz || exit 1
    run "$name/copied" grad --data data --split train --weights weights.npz -o "$name.npz" || exit 1
}
form native
[ "$(grep -c '^static void net_.*_pack(' native/copied.c)" -ge 9 ] || fault "few passes copy their operands: the test tests nothing"
form generic --target generic
grep -q 'c += 32)' native/copied.c && grep -q 'some taps meet what is outside' native/copied.c || fault "no pass is in chunks, or none leaves out what lies outside"
cmp -s native.npz generic.npz || fault "plain C has other bits than this processor's target"
form double --precision double
form plain --precision double --plain
"$python" - <<'END' || fault "the fast form and the textbook loops differ"
import sys, numpy as np
fast, plain, single = (np.load(name + ".npz") for name in ("double", "plain", "native"))
wrong = 0
for name in plain.files:
    size = abs(plain[name]).max()
    for other, bound in (fast, 1e-12), (single, 1e-4):
        if not size > 0 or not abs(other[name] - plain[name]).max() <= bound * size:
            wrong += 1
            print(name, size, abs(other[name] - plain[name]).max())
sys.exit(wrong > 0)
END
exit $failed
