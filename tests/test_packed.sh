#!/usr/bin/env bash
# test_packed.sh -- a last group with few examples, in which tiles of a convolution share vecs, gives the same bits as a group in which they do not:
# loss, values and gradients of a net built for so many examples or a few more, and of one built for two whole groups, which the same examples do not fill.
# The net's convolutions have tiles of one and two sizes along an axis, channels or filters in the lanes, parts or terms of a gradient; two are padded, and two
# are inside of a repeat.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
program() { run "$SPNC" build packed.yaml --tuning none -o "$@"; }

cat >packed.yaml <<'END'
model: packed
batch: 32
inputs: { image: { shape: [9, 21, 20], dtype: u8 } }
targets: { digits: { length: 2, classes: 4 } }
nets:
  front:
    - conv: { filters: 20, kernel: 3, padding: [[0, 1], [1, 0]], act: relu }       # 20 x 19
    - dropout: 0.2
    - conv: { filters: 16, kernel: 3, bias: false }     # 18 x 17
    - relu
    - maxpool: 2
  step:
    - conv: { filters: 144, kernel: 3, act: tanh }      # 8 x 20: eight tiles
    - conv: { filters: 144, kernel: 3, act: relu }      # 6 x 18: three, whose terms are left
    - dense: 4
  alone:
    - conv: { filters: 80, kernel: 3, padding: same, act: relu }       # 7 x 6: one tile of each size, nothing to share a vec with
    - conv: { filters: 96, kernel: 3, act: relu }       # 5 x 4: one, whose terms are left
    - dense: 4
flow:
  - c: { front: image }
  - repeat: 2
    carry: { h: { gru: { units: 9, init: zeros } } }
    do:
      - h: { gru: [c, h] }
      - A: { dense: h, units: 6, init: identity_affine }
      - crop: { spn: [c, A], size: [10, 22] }
      - near: { spn: [c, A], size: [7, 6] }
      - far: { step: crop }
      - small: { alone: near }
      - digit: { add: [far, small] }
loss: { cross_entropy: [digit, digits] }
END

bytes $((25 * 3780)) 1 256 >images
bytes $((25 * 2)) 2 4 >digits

program wide && run wide/packed export -o weights.npz || exit 1
grep -q ', [0-9]* in a vec' wide/packed.c && fault "32 examples fill two groups, and yet tiles share vecs"
# batch:examples in it:tiles in a vec of its last group; 0: none
for case in 7:7:2 7:3:2 17:17:4 20:20:4 20:18:4 24:24:2 25:25:0; do
    IFS=: read -r batch n tiles <<<"$case"
    mkdir -p "data$n"
    head -c $((n * 3780)) images | npy '|u1' "$n, 9, 21, 20" >"data$n/train_image.npy"
    head -c $((n * 2)) digits | npy '|u1' "$n, 2" >"data$n/train_digits.npy"
    [ -x "own$batch/packed" ] || program "own$batch" --batch "$batch" || continue
    [ "$(grep -c ", $tiles in a vec" "own$batch/packed.c")" -gt 0 ] || [ "$tiles" = 0 ] || fault "batch $batch: no $tiles tiles share a vec"
    for mode in eval train; do
        for net in wide "own$batch"; do
            run "$net/packed" grad --data "data$n" --split train --weights weights.npz --mode $mode --threads 2 -o "$net.npz"
        done
        if cmp -s wide.npz "own$batch.npz"; then echo "batch $batch, $n examples, $mode: same bits"; else fault "batch $batch, $n examples, $mode: other bits"; fi
    done
done
exit $failed
