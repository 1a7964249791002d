#!/usr/bin/env bash
# test_losses.sh -- the value of the flow that each loss of a program reads, by its tables, and what follows from it: the bound of
# `check`, the picture of what was drawn, the errors that are shown.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

# reads FILE EXPECTED...: builds FILE.yaml, of the model `net`, in the folder FILE; for each loss the name of the value that it reads,
# "-" for none
reads() {
    local file=$1 seen
    shift
    run "$SPNC" build "$file.yaml" --plain --precision double -o "$file" || return
    seen=$(awk '/^static const NetValue values\[\]/ { list = 1; next }
                /^static const NetLoss losses\[\]/ { list = 2; next }
                /^};/ { list = 0 }
                list == 1 { split($0, part, "\""); name[n++] = part[2] }
                list == 2 && /\.value = / { match($0, /\.value = -?[0-9]+/); k = substr($0, RSTART + 9, RLENGTH - 9); print k < 0 ? "-" : name[k + 0] }' "$file/net.c" | paste -sd ' ')
    [ "$seen" = "$*" ] || fault "$file: the losses read '$seen', expected '$*'"
}

# ---- an auto-encoder, whose first value is as large as the image: its loss has the drawing first, or the image first ----------
for order in drawn,image image,drawn; do
    cat >"$order.yaml" <<END
model: net
batch: 16
inputs: { image: { shape: [1, 8, 8] } }
flow:
  - start: { dense: image, units: 64 }
  - code: { dense: start, units: 10, act: tanh }
  - out: { dense: code, units: 64 }
  - drawn: { reshape: out, shape: [1, 8, 8] }
loss: { mse: [$order] }
END
    reads "$order" drawn
done
mkdir data
bytes 3072 1 128 | npy '<f4' '12, 1, 8, 8' >data/test_image.npy
run drawn,image/net export --seed 1 -o weights.npz
for order in drawn,image image,drawn; do
    "$order/net" check --json >"$order.json" 2>said || fault "$order: check: exit code $?: $(cat said)"
    run "$order/net" predict --weights weights.npz --data data --picture "$order.png"
done
cmp -s drawn,image.json image,drawn.json || fault "check says something else if the image comes first"
cmp -s drawn,image.png image,drawn.png || fault "the picture of what was drawn is another if the image comes first"

# ---- a stack of steps is its steps; what has no name in the flow is no value ------------------------------------------------
cat >stacks.yaml <<'END'
model: net
batch: 16
inputs:
  x: { shape: [8] }
  logits: { shape: [3] }
targets:
  path: { shape: [3, 4] }
  kind: { classes: 3 }
  other: { classes: 3 }
  ends: { length: 3, classes: 4 }
flow:
  - big: { dense: x, units: 50 }
  - repeat: 3
    carry: { h: { gru: { units: 6 } } }
    do:
      - h: { gru: [big, h] }
      - p: { dense: h, units: 4 }
  - v: { dense: big, units: 3 }
  - w: { dense: big, units: 8 }
loss:
  - { mse: [p, path] }
  - { cross_entropy: [p, ends] }
  - { cross_entropy: [logits, other] }
  - { mse: [x, w] }
  - { mse: [logits, logits] }
  - { cross_entropy: [v, kind] }
END
reads stacks p p - w - v
run stacks/net check || fault "stacks: $(tail -3 output)"
bytes 384 2 60 | npy '<f4' '12, 8' >data/test_x.npy
bytes 144 3 60 | npy '<f4' '12, 3' >data/test_logits.npy
bytes 576 4 60 | npy '<f4' '12, 3, 4' >data/test_path.npy
bytes 12 5 3 | npy '|u1' '12,' >data/test_kind.npy
bytes 12 6 3 | npy '|u1' '12,' >data/test_other.npy
bytes 36 7 4 | npy '|u1' '12, 3' >data/test_ends.npy
run stacks/net export --seed 1 -o stacks.npz
stacks/net eval --weights stacks.npz --data data >said 2>&1 || fault "stacks: eval: exit code $?: $(cat said)"
[ "$(grep -c '^kind: error\|^ends: error' said)" = 2 ] && ! grep -q '^other' said || fault "errors are shown of other targets: $(cat said)"
[ $failed = 0 ] && echo "test_losses: fine"
exit $failed
