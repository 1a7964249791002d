#!/usr/bin/env bash
# test_outputs.sh -- what a net gives: `outputs:` of the model, or what its losses read; predict, dump and the report show each by its kind.
# usage: tests/test_outputs.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
cat >net.yaml <<'END'
model: net
batch: 8
inputs: { image: { shape: [1, 6, 6] } }
targets: { digit: { classes: 3 }, sort: { classes: 3 }, t: { shape: [2] } }
nets:
  two: { in: p, do: [{ s: 2 * p }], out: { h: s, c: p } }
flow:
  - code: { dense: image, units: 8, act: tanh }
  - plane: { reshape: { dense: code, units: 20 }, shape: [4, 5] }
  - A: { dense: code, units: 6, init: identity_affine }
  - crop: { spn: [image, A], downsample: 2 }
  - n: { two: code }
  - logits: { dense: crop, units: 3 }
  - others: { dense: crop, units: 3 }
  - at: { dense: n.h, units: 2 }
  - off: at - t                                     # depends on a target: never an output
loss:
  - { cross_entropy: [logits, digit] }
  - { cross_entropy: [others, sort] }
  - { mean: off * off + 0.1 * mean_code }
train: { optimiser: { sgd: { rate: 0.01 } }, epochs: 1 }
END
sed -i 's/  - off:/  - mean_code: { mean: code }\n  - off:/' net.yaml
# outputs_of FILE: the names of NetValue's rows that have .output = 1
outputs_of() {
    "$SPNC" emit "$1" --plain -o emitted >/dev/null
    sed -n '/NetValue values/,/^};/p' emitted/net.c | tr -d '\n' | sed 's/    { "/\n/g' | sed -n 's/^\([A-Za-z._]*\)".*\.output = 1 }.*/\1/p' | tr '\n' ' '
}
[ "$(outputs_of net.yaml)" = "A logits others at mean_code " ] || fault "what the losses read: $(outputs_of net.yaml)"
sed 's/^loss:/outputs: n.c\nloss:/' net.yaml >one.yaml
[ "$(outputs_of one.yaml)" = "n.c " ] || fault "one name: $(outputs_of one.yaml)"
sed 's/^loss:/outputs: [plane, logits, n.c, crop]\nloss:/' net.yaml >given.yaml
[ "$(outputs_of given.yaml)" = "plane crop n.c logits " ] || fault "a list: $(outputs_of given.yaml)"
said=$("$SPNC" check given.yaml 2>&1) && [ -z "$said" ] || fault "given.yaml: $said"       # plane is read by nothing, but it is an output
"$SPNC" check <(sed 's/^loss:/outputs: at\nloss:/' net.yaml) 2>&1 | grep -q "nothing reads 'plane'" || fault "no warning about a value that nothing reads"

run "$SPNC" build given.yaml --plain -o given || exit 1
mkdir data
for split in train valid test; do
    awk -v n=864 "$random"'BEGIN { start(3); for (i = 0; i < n; i++) printf "%.3f\n", draw() }' >numbers
    python3 - "$split" <<'PYTHON' || exit 1
import struct, sys
def save(name, kind, shape, values, code):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)).encode()
    head += b" " * (117 - len(head)) + b"\n"
    open("data/%s_%s.npy" % (sys.argv[1], name), "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + struct.pack("<%d%s" % (len(values), code), *values))
numbers = [float(x) for x in open("numbers")]
save("image", "<f4", (24, 1, 6, 6), numbers, "f")
for name in ("digit", "sort"):
    save(name, "<i4", (24,), [int(3 * x) for x in numbers[:24]], "i")
save("t", "<f4", (24, 2), numbers[:48], "f")
PYTHON
done
run given/net train --data data --run run || exit 1
run given/net predict --data data --run run --count 2
grep -q '^  digit  [0-2] (0\.[0-9]*)   label [0-2]$' output && grep -q '^  plane  *-*[0-9]' output && grep -q '^  n.c  *-*[0-9]' output && grep -q '^  crop  *[0-9]' output ||
    fault "predict: $(cat output)"
! grep -q '^  \(A\|at\|code\|sort\|others\) ' output || fault "predict gives what is no output: $(cat output)"
run given/net predict --data data --run run --count 2 --json
python3 - <<'PYTHON' || fault "predict --json"
import json
for e in json.load(open("output"))["examples"]:
    assert set(e["targets"]) == {"digit"} and e["transforms"] == {} and set(e["values"]) == {"plane", "n.c", "crop"}, e
    assert len(e["values"]["plane"]) == 4 and len(e["values"]["plane"][0]) == 5, e
PYTHON
run given/net dump --data data
grep -q '^  plane  *4x5  *map$' output && grep -q '^  logits  *3  *gradient, classes$' output && grep -q '^  n.c  *8  *\(gradient, \)*numbers$' output && grep -q '^  A  *6 *\(gradient\)* *$' output ||
    fault "dump: $(cat output)"
grep -q 'alt="plane"' run/report.html && grep -q '<p class="numbers">n.c -*[0-9.]*' run/report.html || fault "the report shows no outputs"

[ $failed = 0 ] && echo "test_outputs: fine"
exit $failed
