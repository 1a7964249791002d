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

# ---- both layers of a cell have one gradient: its rows are made once, and both gradients of weights read them ----------------
[ "$(grep -c "k_from_[a-z]*_transpose(" made/rounds.c)" = 2 ] || fault "more than a function and a call for the rows of the LSTM"
has pass "k_from_input_weights\(.*, v\.d_k_from_(state|input)_rows\[0\], " "the first layer"
has pass "k_from_state_weights\(.*, v\.d_k_from_(state|input)_rows\[0\], " "the second layer"

# ---- what a round makes for itself has a slot for all rounds: 3 groups of so many vecs.  So has what the next round alone reads.  What other passes
# read has one for each step.
# slots TENSOR FILE SLOTS VECS
slots() { has "$2" "^  $1 +batch +[0-9]+ \+ $(($3 * $4 * 16)) " "$3 slots of $1"; }
slots d_h_from_state plan 3 72
slots d_h_from_state_rows plan 15 80
slots h_gates plan 15 96            # with the row of the product that backward reads
slots h_from_state plan 3 72
slots d_h_2 plan 3 24               # what one round leaves to the next
slots d_h_3 plan 3 24
slots h plan 18 24
has pass "h_from_state_backward\(v\.d_h_[0-9], v\.d_h_from_state, weights" "the slot of all rounds"
sed '/- h: {/i \      - f: { dense: h, units: 24, act: relu }' rounds.yaml |
    sed 's/model: rounds/model: named/; s/gru: \["x\[$t\]", h\]/gru: [f, h]/' >named.yaml
"$SPNC" check named.yaml --target avx2 --stage plan >named_plan 2>/dev/null
slots f named_plan 15 24             # a name of the flow may be looked at when the passes are over
# In a loop that other loops stand around, all of whose steps are there at once, the rounds of the inner one share 4 steps of 3 groups.
cat >inner.yaml <<'END'
model: inner
batch: 40
inputs: { x: { shape: [4, 6, 3] } }
targets: { y: { classes: 3 } }
flow:
  - repeat: 4
    carry: { g: { gru: { units: 12 } } }
    do:
      - line: "x[$t]"
      - repeat: 6
        carry: { h: { gru: { units: 8 } } }
        do:
          - h: { gru: ["line[$t]", h] }
      - e: { last: h }
      - g: { gru: [e, g] }
  - v: { dense: { last: g }, units: 3 }
loss: { cross_entropy: [v, y] }
END
lacks pass "v\.h_from_state" "the product with the state"
"$SPNC" check inner.yaml --target avx2 --stage plan >inner_plan 2>/dev/null
slots d_h_from_state inner_plan 12 24
slots d_h_2 inner_plan 12 8
# In a loop that runs in each round of another, one slot is for all rounds of both: what it leaves is read behind it, in the round of the other.
cat >within.yaml <<'END'
model: within
batch: 40
inputs: { x: { shape: [3, 4, 2] } }
targets: { y: { classes: 3 } }
flow:
  - repeat: 3
    carry: { g: { gru: { units: 12 } } }
    do:
      - start: { dense: g, units: 8, act: tanh }
      - line: "x[$t]"
      - repeat: 4
        carry: { h: { gru: { units: 8, init: start } } }
        do:
          - h: { gru: ["line[$t]", h] }
      - g: { gru: [{ last: h }, g] }
  - v: { dense: { last: g }, units: 3 }
loss: { cross_entropy: [v, y] }
END
"$SPNC" check within.yaml --target avx2 --stage plan >within_plan 2>/dev/null
slots d_h_2 within_plan 3 8
slots d_h_3 within_plan 3 8
run "$SPNC" emit within.yaml -o within --target avx2 || exit 1
lacks within/within.c "v\.d_h_[23]\[s" "slots of a loop within a loop"
slots d_g_from_state inner_plan 3 36
slots h_from_state inner_plan 12 24
slots g_from_state inner_plan 3 36

exit "$failed"
