#!/usr/bin/env bash
# test_rounds.sh -- what a round of the backward loop makes: where the rows for gradients of weights are made, and what is kept for other rounds.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

cat >rounds.yaml <<'END'
model: rounds
batch: 40
inputs: { x: { shape: [5, 7] } }
targets: { y: { classes: 4 } }
flow:
  - repeat: 5
    carry: { h: { gru: { units: 24 } }, k: { lstm: { units: 20 } } }
    do:
      - h: { gru: ["x[$t]", h] }
      - k: { lstm: [h, k] }
  - u: { dense: { last: k.h }, units: 9 }
  - v: { dense: u, units: 4 }
loss: { cross_entropy: [v, y] }
END
run "$SPNC" emit rounds.yaml -o made --target avx2 || exit 1
"$SPNC" check rounds.yaml --target avx2 --stage plan >plan
# has FILE PATTERN WHAT
has() { grep -qE -e "$2" "$1" || fault "$3: no '$2' in $1"; }
lacks() { ! grep -qE -e "$2" "$1" || fault "$3: '$2' in $1"; }
sed -n '/^static void backward_pass/,/^}/p' made/rounds.c >pass

# ---- the rows of a group, behind what makes the gradient; all threads together where a product has made it ------------------
has plan "phase [0-9]+, backward, in the loop: .* h'  h_from_input' weights  h_from_state' weights" "the rows of a step"
has plan "phase [0-9]+, backward: cross_entropy1'  v' weights" "the rows of the last layer"
has plan "phase [0-9]+, backward, whole batch: u' weights" "the rows of a gradient that all threads make"
has pass "h_from_state_transpose\(v\.d_h_from_state_rows\[s\], " "the rows of a group"
has pass "    u_transpose\(v\.d_u_rows\[0\], v\.d_u\);" "the rows of all groups"

exit "$failed"
