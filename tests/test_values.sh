#!/usr/bin/env bash
# test_values.sh -- whole numbers, products of matrices, tables and draws: values against numpy, gradients against differences, bits over targets and threads
# (values.py); data that do not fit.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
[ -n "$python" ] || { echo "test_values: no Python with numpy; skipped"; exit 0; }
cd "$work" || exit 74
export CFLAGS=-O0

# ---- values, gradients, bits
"$python" "$root/tests/values.py" "$SPNC" "$work" || fault "values"

# ---- a file of whole numbers is checked when it is read: its type, and each class
program=$work/fast/values
wrong() {    # MESSAGE NUMPY: the tokens of the test split as NUMPY makes them of the right ones, t
    "$python" -c "import numpy as np; t = np.load('train_tokens.npy'); np.save('test_tokens.npy', $2)" || exit 74
    "$program" eval --data . --split test >said 2>&1
    [ $? = 1 ] && grep -q -F -e "$1" said || fault "tokens $2: $(cat said)"
}
wrong "test_tokens.npy: class 5 of example 7 (position 4) is out of range; 'tokens' has 5 classes, 0 to 4" "np.where((np.arange(len(t)) == 7)[:, None, None] & (np.arange(6).reshape(2, 3) == 4), 5, t)"
wrong "test_tokens.npy: class -1 of example 0 (position 0) is out of range" "t * 0 - 1"
wrong "test_tokens.npy: found f4 [41][2][3], expected integers [N][2][3] for 'tokens'" "t.astype('f4')"
wrong "test_tokens.npy: found i4 [41][6], expected integers [N][2][3] for 'tokens'" "t.reshape(-1, 6)"

[ $failed = 0 ] && echo "test_values: fine"
exit $failed
