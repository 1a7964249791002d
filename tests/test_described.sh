#!/usr/bin/env bash
# test_described.sh -- spnc's described operators: values against numpy, gradients against differences, bits over targets (described.py); a description is read
# only where a model names it; a user's operator or net of that name stands instead.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
cd "$work" || exit 74

# ---- read only when a model uses them: a model that names none compiles without the Lua of any
cat >uses.yaml <<'END'
model: uses
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
flow:
  - p: { avgpool: x }
  - v: { dense: p, units: 3 }
loss: { cross_entropy: [v, y] }
END
sed 's/avgpool: x/maxpool: x/' uses.yaml >other.yaml
"$SPNC" check uses.yaml --stage identity | grep -q '^operator avgpool version [0-9]' || fault "the identity has no version of avgpool"
"$SPNC" check other.yaml --stage identity | grep -q '^operator' && fault "a model has the identity of an operator that it does not use"
if gdb=$(command -v gdb); then
    lua_runs() { "$gdb" -batch -ex 'break question_ask' -ex "run check $1 >/dev/null" "$SPNC" 2>&1 | grep -c '^Breakpoint 1, '; }
    [ "$(lua_runs uses.yaml)" -gt 0 ] && [ "$(lua_runs other.yaml)" = 0 ] || fault "descriptions are not read exactly where a model uses them"
fi

# ---- a name that a model or a folder gives to something else
cat >net.yaml <<'END'
model: net
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
nets:
  avgpool:
    - dense: 3
flow:
  - v: { avgpool: x }
loss: { cross_entropy: [v, y] }
END
"$SPNC" check net.yaml >said 2>&1 && grep -q "^net.yaml:5:3: warning: spnc has an operator 'avgpool' too: in this model the name means the net" said || fault "a net named avgpool: $(cat said)"
cp -r "$root/tests/operators/own" mine
"$SPNC" show uses.yaml --templates mine >said 2>&1 && grep -q "^mine/avgpool.op.lua:1: warning: spnc has an operator 'avgpool' too: the one described here is used" said &&
    grep -q '^ *p  *5  *1x8x8' said || fault "an operator of a folder named avgpool: $(cat said)"
sed 's/avgpool: x/avgpol: x/' uses.yaml >near.yaml
"$SPNC" check near.yaml 2>&1 | grep -q "no operator or net is called 'avgpol'; did you mean 'avgpool'?" || fault "avgpol is not near avgpool"
sed 's/loss:/  - u: { wobble: v }\nloss:/' uses.yaml >wobble.yaml
"$SPNC" check wobble.yaml 2>&1 | sed -n 's/^note: there are //p' | tr -d , | tr ' ' '\n' | sort | uniq -d >twice
[ ! -s twice ] || fault "named twice among the operators that there are: $(cat twice)"

# ---- what does not fit is refused, with what fits.  refused ENTRY SHAPE MESSAGE: the operand `x` has that shape
refused() {
    printf 'model: m\ninputs: { x: { shape: %s } }\ntargets: { y: { classes: 3 } }\nflow:\n  - s: { slice: x, index: 0 }\n  - p: { %s }\n  - v: { dense: p, units: 3 }\nloss: { cross_entropy: [v, y] }\n' "$2" "$1" >refused.yaml
    "$SPNC" check refused.yaml >said 2>&1 && fault "$1 of $2 passes"
    grep -q -F -e "error: $3" said || fault "$1 of $2: $(cat said)"
}
refused 'softmax: x, axis: 2' '[4, 5]' 'p: axis 2 does not exist: there are 0 to 1, or -2 to -1 from the end'
refused 'log_softmax: x, axis: -3' '[4, 5]' 'p: axis -3 does not exist'
refused 'softmax: s' '[4]' 'p: axis -1 does not exist: its input is a single number'
refused 'sum: x, axes: [0, -2]' '[4, 5]' 'p: axis -2 stands twice among its axes'
refused 'sum: x, axes: [0, a]' '[4, 5]' "'axes' must be a whole number, not 'a'"
refused 'mean: x, axes: 7' '[4, 5]' "'axes' must be between -6 and 5, not 7"
refused 'max: x, axes: [[0]]' '[4, 5]' "'axes' must be a list of numbers"
refused 'transpose: x, axes: [0, 0]' '[4, 5]' "p: axis 0 stands twice: 'axes' names each axis of its input once"
refused 'transpose: x, axes: 1' '[4, 5]' "p: 'axes' must name each axis of its input once: 1 of 2 are there"
refused 'flip: s' '[4]' 'p: axis 0 does not exist: its input is a single number'
refused 'stack: [x, s]' '[4, 5]' 'p: its values must have one shape: the first is 4x5, number 2 is 5'
refused 'stack: [x, x], axis: 3' '[4, 5]' 'p: axis 3 does not exist: there are 0 to 2'
refused 'stack: x' '[1, 1, 2, 1, 1, 1]' 'p: the result would have more than 6 axes'
refused 'pad: x, by: [1]' '[4, 5]' "p: 'by' has 1 items for the 2 axes of its input"
refused 'pad: x, by: [1, [1]]' '[4, 5]' "an item of 'by' must be n or [before, after]"
refused 'pad: x, by: []' '[4, 5]' "'by' must have 1 to 6 items, one for each axis"
refused 'pad: x, by: [0, 5], mode: reflect' '[4, 5]' 'p: reflect adds at most 4 elements to an axis of 5'
refused 'pad: s, by: 1' '[4]' 'p: a single number has no axis to pad'
refused 'global_avgpool: x' '[4]' "p: global_avgpool needs an input of [channels, ...], not 4: 'mean' is over any axes"
refused 'global_maxpool: x' '[4]' "p: global_maxpool needs an input of [channels, ...], not 4: 'max' is over any axes"
refused 'upsample: x' '[4]' 'p: upsample needs an input of [channels, rows, columns] or [channels, positions], not 4'
refused 'upsample: x, mode: bilinear' '[4, 5]' 'p: bilinear needs an input of [channels, rows, columns], not 4x5; nearest takes it'
refused 'upsample: x, factor: [1, 2]' '[4, 5]' "p: its input 4x5 has no rows and columns: 'factor' must be one number"
refused 'avgpool: x, size: 2, padding: [0, 1]' '[4, 5]' "p: its input 4x5 has no rows and columns: 'padding' must be one number"
refused 'layer_norm: x, axes: [0, 2]' '[4, 5]' 'p: axis 2 does not exist'
refused 'layer_norm: x, epsilon: 0' '[4, 5]' "'epsilon' must be between 1e-12 and 1, not 0"
refused 'group_norm: x' '[4, 5]' "group_norm needs 'groups' (groups of channels, side by side)"
refused 'group_norm: x, groups: 3' '[4, 5]' 'p: 3 groups do not divide the 4 channels of its input 4x5'
refused 'group_norm: x, groups: 4' '[4]' 'p: a group of one element has no variance'
refused 'prelu: s' '[4]' 'p: prelu needs an input of [channels, ...]; a single number has none'
refused 'instance_norm: x' '[4]' 'p: instance_norm needs an input of [channels, ...] with two positions or more, not 4'

# ---- values, gradients, bits
[ -n "$python" ] || { echo "test_described: no Python with numpy; values are not compared"; exit $failed; }
"$python" "$root/tests/described.py" "$SPNC" "$work" || fault "values"

[ $failed = 0 ] && echo "test_described: fine"
exit $failed
