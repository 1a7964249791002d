#!/usr/bin/env bash
# test_drawn.sh -- the random models that tests/oracle/draw.py holds against PyTorch: of 500 some have each operator, attribute, loss, optimiser, initialiser
# and construct that spnc lists, so what is new and not drawn is named here; and spnc accepts what is drawn.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy yaml)
[ -n "$python" ] || { echo "test_drawn: no Python with numpy and yaml; skipped"; exit 0; }
cd "$work" || exit 74
draw() { "$python" "$root/tests/oracle/draw.py" --spnc "$SPNC" "$@"; }

draw count 500 >count 2>&1 || fault "count: $(tail -3 count)"
tail -1 count | grep -q "^500 models, .*; never: none$" || fault "$(tail -1 count)"
grep -Eq "^ *[0-9]+ repeat in a repeat$" count || fault "no repeats in repeats: $(head -5 count)"

draw emit 8 --first 1 -o models || fault "emit"
for model in models/*/net.yaml; do
    ! grep -q start.npz "$model" || continue            # weights that only the oracle writes
    "$SPNC" check "$model" >said 2>&1 || fault "$model: $(cat said)"
done
[ "$(ls models | wc -l)" = 8 ] || fault "8 models: $(ls models)"

[ $failed = 0 ] && echo "test_drawn: fine"
exit $failed
