#!/usr/bin/env bash
# test_onnx.sh -- `export -o NET.onnx`: the file's structure (onnx_read.py, no package), its outputs by onnxruntime beside those of `grad`, and what is refused.
# SPNC: the spnc to test (default build/spnc).  ONNX: a Python with numpy, onnx and onnxruntime (default: python3, if it has them); without, outputs are skipped.
# tests/oracle/onnx_files.py does the same for all of models/ and tests/oracle/nets.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
cat >net.yaml <<'END'
model: parts
about: A net of many parts
batch: 3
inputs:
  image: { shape: [1, 9, 9], dtype: u8 }
  word: { shape: [2], dtype: i32, classes: 5 }
  mask: { shape: [2] }
targets: { y: { length: 2, classes: 3 } }
flow:
  - c: { batch_norm: { conv: image, filters: 2, kernel: 3, stride: 2, padding: [[0, 1], 1], bias: false }, act: relu }
  - m: { maxpool: c, size: 2, ceil: true }
  - repeat: 2
    carry: { h: { gru: { units: 3, init: trained } }, l: { lstm: { units: 2, bias_hh: true } } }
    do:
      - e: { embedding: "word[$t]", units: 2 }
      - h: { gru: [m, h] }
      - l: { lstm: [e, l] }
      - A: { dense: h, units: 4, init: identity }
      - crop: { spn: [image, A], transform: similarity, size: [3, 2], border: clamp }
      - g: mask[$t] * h + (1 - mask[$t]) * leaky_relu(h, 0.2)
      - s: { concat: [g, l] }
      - u: { add: [{ dense: s, units: 3 }, { dense: crop, units: 3 }] }
      - v: { softmax: u }
loss: { cross_entropy: [u, y] }
outputs: [v, A, m]
END
run "$SPNC" build net.yaml --plain -o net || exit 1
mkdir data
bytes $((9 * 81)) 1 256 | npy '|u1' '9, 1, 9, 9' >data/train_image.npy
python3 - <<'END'
import struct
def npy(path, kind, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)).ljust(117) + "\n"
    open(path, "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + data)
image = open("data/train_image.npy", "rb").read()[128:]
for split in ("train", "valid", "test"):
    npy(f"data/{split}_image.npy", "|u1", (9, 1, 9, 9), image)
    npy(f"data/{split}_word.npy", "<i4", (9, 2), struct.pack("<18i", *(k * 7 % 5 for k in range(18))))
    npy(f"data/{split}_mask.npy", "<f4", (9, 2), struct.pack("<18f", *(k % 3 / 2 for k in range(18))))
    npy(f"data/{split}_y.npy", "|u1", (9, 2), bytes(k % 3 for k in range(18)))
END
run net/parts train --data data --run run --epochs 1
run net/parts export --run run --last -o net.onnx && run net/parts export --run run --last -o w.npz || exit 1
python3 "$root/tests/onnx_read.py" net.onnx >said 2>&1 || fault "$(tail -1 said)"
for line in "in image u8 \[N, 1, 9, 9\]" "in word i32 \[N, 2\]" "in mask f32 \[N, 2\]" "out v f32 \[N, 2, 3\]" "out A f32 \[N, 2, 4\]" "out m f32 \[N, 2, 2, 3\]" \
    "node GRU .*linear_before_reset=1.*" "node LSTM hidden_size=2" "node AffineGrid align_corners=1" "node GridSample align_corners=1 mode=linear padding_mode=border" \
    "node BatchNormalization epsilon=.*" "node Conv .*pads=\[0, 1, 1, 1\].*" "weight h.weight_ih f32 \[9, .*\]" "weight c.running_mean f32 \[2\]" \
    "metadata model 'parts'" "metadata model_hash '$(sed -n 's/^const char net_hash\[\] = "\(.*\)";/\1/p' net/parts-train.c)'" "metadata yaml 'model: parts.*"; do
    grep -qE "^$line$" said || fault "no line '$line' in: $(grep "^${line%% *}" said | head -20)"
done
# the same bytes again; another epoch of weights, other bytes
run net/parts export --run run --last -o again.onnx && cmp net.onnx again.onnx || fault "the file differs from time to time"
python3 - <<'END' || fault "weights in the file are not those of export"
import sys, zipfile
data = open("net.onnx", "rb").read()
with zipfile.ZipFile("w.npz") as z:
    for name in z.namelist():
        b = z.read(name)
        numbers = b[10 + b[8] + 256 * b[9]:]
        assert name.endswith("num_batches_tracked.npy") or numbers in data, name
END

# ---- outputs ------------------------------------------------------------------------------------------------------------------------
python=${ONNX:-python3}
if "$python" -c 'import numpy, onnx, onnxruntime' 2>/dev/null; then
    run net/parts grad --weights w.npz --data data --split test --first 3 -o grad.npz
    "$python" - <<'END' >said 2>&1 || fault "onnxruntime: $(tail -2 said)"
import numpy as np, onnx, onnxruntime
onnx.checker.check_model(onnx.load("net.onnx"), full_check=True)
session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
want = np.load("grad.npz")
for count in (3, 1):
    inputs = {i.name: np.load(f"data/test_{i.name}.npy")[3:3 + count] for i in session.get_inputs()}
    for output, value in zip(session.get_outputs(), session.run(None, inputs)):
        w = want["out/" + output.name][:count]
        assert value.shape == w.shape and np.abs(value - w).max() <= 1e-5 * max(1, np.abs(w).max()), (output.name, np.abs(value - w).max())
END
else
    echo "skipped: no numpy, onnx and onnxruntime, so outputs are not compared"
fi

# ---- what is refused ----------------------------------------------------------------------------------------------------------------
odd() {         # odd FLOW-LINE...: emits a net of these entries
    { printf 'model: odd\ninputs: { x: { shape: [1, 6, 6] } }\ntargets: { y: { shape: [2] } }\nflow:\n'; printf '  - %s\n' "$@"; printf 'loss: { mse: [v, y] }\n'; } >odd.yaml
    "$SPNC" emit odd.yaml --plain --force -o odd ${templates:+--templates "$templates"} >said 2>&1 || { fault "emit: $(head -3 said)"; return 1; }
}
# more behind a transposed convolution than its stride, which readers refuse: zeros behind x instead
odd 'u: { conv_transpose: x, filters: 1, kernel: 2, dilation: 3, stride: 2, output_padding: [1, 2] }' 'v: { dense: u, units: 2 }' &&
    grep -q 'node Pad .*int\[0,0,0,0,0,0,0,1\]' odd/odd-train.c && grep -q 'pads=\[0,0,0,0\] .*output_padding=\[1,0\]' odd/odd-train.c ||
    fault "output_padding of a stride: $(grep -E 'Pad|ConvT' odd/odd-train.c)"
refused() {     # refused TEXT FLOW-LINE...: a net of these entries has no form in ONNX; said where it is exported
    local text=$1
    shift
    odd "$@" || return
    grep -qF "\"refused odd.yaml:$text" odd/odd-train.c || fault "expected a refusal '$text', got: $(grep -A1 'net_onnx\[\]' odd/odd-train.c | tail -1)"
}
refused '6: `border: legacy` is no sampler of ONNX: zero and clamp are' 'A: { dense: x, units: 6, init: identity }' 'c: { spn: [x, A], border: legacy }' 'v: { dense: c, units: 2 }'
refused '5: `eval: draw` takes the random numbers of a run, which an ONNX graph does not have: make the value an input, which the caller fills, or let `outputs:` of the model name values that do not depend on it' 'r: { random: normal, shape: [2], eval: draw }' 'd: { dense: x, units: 2 }' 'v: r + d'
odd 'r: { random: normal, shape: [2], eval: draw }' 'd: { dense: x, units: 2 }' 'v: r + d' && echo 'outputs: [d]' >>odd.yaml && "$SPNC" emit odd.yaml --plain --force -o odd >said 2>&1 &&
    grep -q '"out d f32' odd/odd-train.c || fault "outputs that do not depend on what is drawn: $(cat said)"
templates=$root/docs/operators refused "5: the operator 'leaky' is one of a templates folder" 'a: { leaky: x }' 'v: { dense: a, units: 2 }'
refused "5: avgpool with \`ceil\` and \`count_padding\`" 'a: { avgpool: x, size: 4, stride: 3, ceil: true, count_padding: true }' 'v: { dense: a, units: 2 }'
# by the program, here with another text in its place: what it says, and that nothing is written
python3 - <<'END'
program = open("net/parts", "rb").read()
assert program.count(b"\0in image u8 [1,9,9]\0") == 1
at, text = 1 + program.index(b"\0in image u8 [1,9,9]\0"), b"refused odd:6: x\0"
open("net/other", "wb").write(program[:at] + text + program[at + len(text):])
END
chmod +x net/other
net/other export --seed 1 -o odd.onnx >said 2>&1
[ $? = 1 ] && grep -q 'parts: error: export: odd.onnx cannot be written: odd:6: x$' said && [ ! -e odd.onnx ] || fault "a net without a form: $(cat said)"
net/parts export --seed 1 --parameters-only -o x.onnx >said 2>&1
[ $? = 2 ] && grep -q "an ONNX file is the whole net" said && [ ! -e x.onnx ] || fault "--parameters-only: $(cat said)"
net/parts export --seed 1 -o nowhere/x.onnx >said 2>&1
[ $? = 74 ] && grep -q "nowhere" said || fault "a folder that is not there: $? $(cat said)"
exit $failed
