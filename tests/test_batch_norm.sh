#!/usr/bin/env bash
# test_batch_norm.sh -- batch norms in a program: trained weights and running statistics have the same bytes for any number of threads, every
# target, and after an interruption; running statistics by their formula, through checkpoint, export, info and --init; what is refused.
# SPNC: the spnc to test (default build/spnc).  A target that this processor lacks is skipped, with a message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
has() { grep -q -m1 -w "$1" /proc/cpuinfo 2>/dev/null; }

# A net that is used twice, a norm of rows that is the same at each step, one that the next step needs, one behind the steps.
cat >net.yaml <<'END'
model: net
batch: 24
inputs: { left: { shape: [2, 7, 6], dtype: u8 }, right: { shape: [2, 7, 6], dtype: u8 }, rows: { shape: [3] } }
targets: { kind: { classes: 3 } }
nets:
  look:
    - conv: { filters: 5, kernel: 3, bias: false }
    - batch_norm: { act: relu, momentum: 0.3 }
    - conv: { filters: 4, kernel: 2, bias: false }
    - batch_norm
flow:
  - a: { look: left }
  - b: { look: right }
  - repeat: 3
    carry: { h: { shape: [6] } }
    do:
      - same: { batch_norm: rows, momentum: 0.2, affine: false }
      - u: { dense: same, units: 6 }
      - w: { dense: h, units: 6 }
      - h: { batch_norm: { add: [u, w] }, act: tanh }
      - seen: { batch_norm: h }
  - z: { last: seen }
  - all: { concat: [{ flatten: a }, { flatten: b }, z] }
  - v: { dense: all, units: 3 }
loss: { cross_entropy: [v, kind] }
train: { optimiser: { sgd: { rate: 0.02, momentum: 0.9 } }, epochs: 2, patience: 0 }
END
# data FOLDER COUNT: so many examples for training, and to evaluate
data() {
    mkdir "$1"
    for split in train:$2:1 valid:20:2; do
        IFS=: read -r name count seed <<<"$split"
        for side in left right; do bytes $((count * 84)) "$seed" 256 | npy '|u1' "$count, 2, 7, 6" >"$1/${name}_$side.npy"; seed=$((seed + 10)); done
        bytes $((count * 12)) "$seed" 60 | npy '<f4' "$count, 3" >"$1/${name}_rows.npy"
        bytes "$count" "$seed" 3 | npy '|u1' "$count," >"$1/${name}_kind.npy"
    done
}
data data 65
data one 24
data alone 49

targets=generic
has avx2 && has fma && targets="avx2 $targets" || echo "skipped: avx2"
has avx512bw && has avx512dq && has avx512vl && targets="avx512 $targets" || echo "skipped: avx512"
native=${targets%% *}
for target in $targets; do run "$SPNC" build net.yaml -o "$target" --target "$target" || exit 1; done

# ---- a dropout behind a norm and its relu, and an activation whose gradient reads no value: the fast form's gradients are the plain one's ----
sed -e 's/^    - batch_norm: { act: relu, momentum: 0.3 }/&\n    - dropout: 0.4/' -e 's/^    - batch_norm$/&: { act: negate }/' net.yaml >drop.yaml
for form in fast plain; do
    run "$SPNC" build drop.yaml --precision double $([ $form = fast ] || echo --plain) -o drop_$form || exit 1
    run drop_$form/net export --seed 3 -o drop.npz
    run drop_$form/net grad --weights drop.npz --data data --split train --first 24 --mode train -o drop_$form.npz
done
"$(sh "$root/tests/python.sh" numpy)" - <<'PYTHON' || fault "gradients through what stands behind a norm"
import numpy as np
fast, plain = np.load("drop_fast.npz"), np.load("drop_plain.npz")
assert set(fast) == set(plain)
for key in fast:
    assert np.abs(fast[key] - plain[key]).max() <= 1e-10 * max(1e-3, np.abs(plain[key]).max()), key
PYTHON

# ---- the result of a norm is computed again where backward reads it, unless it has a name ---------------------------------
"$SPNC" check net.yaml --stage plan >plan
grep -q '^  phase .* backward: .*look_batch_norm1 again .*look_conv2. weights' plan || fault "the result of look.batch_norm1 is not computed again"
grep -q '^  look_batch_norm1  *scratch ' plan || fault "the result of look.batch_norm1 is kept"
grep -q ' h_tanh again\| seen again' plan && fault "a name of the flow, or a state, is computed again"
"$SPNC" explain net.yaml look.batch_norm1 >said && grep -qF 'look_batch_norm1 is not kept: backward computes it again, from look_conv1' said || fault "explain does not say so"

# ---- what stands behind a norm is computed with it, and so is its gradient: the bits are those of passes of their own ------
# One net twice: its values have no names, so they are joined; or they have, and are not.
cat >beside.yaml <<'END'
model: beside
batch: 20
inputs: { x: { shape: [3, 5, 4] } }
targets: { kind: { classes: 3 } }
nets:
  joined:
    in: x
    do:
      - a: { conv: x, filters: 4, kernel: 3, padding: 1, bias: false }
      - b: { batch_norm: a, act: relu }
      - c: { conv: b, filters: 4, kernel: 3, padding: 1, bias: false }
      - d: { batch_norm: c }
      - s: { batch_norm: { conv: x, filters: 4, kernel: 1, bias: false } }
      - u: relu(d + s)
      - e: { batch_norm: { conv: u, filters: 4, kernel: 3, padding: 1 } }
      - v: relu(e - 0.5 * u)
      - f: { batch_norm: v, act: tanh }
      - g: { batch_norm: { conv: f, filters: 4, kernel: 1 } }
      - t: f * g
      - w: relu(t + v)
      - k: { add: [{ batch_norm: w }, v] }
      - y: { dense: k, units: 3 }
    out: y
flow:
  - p: { joined: x }
  - a: { conv: x, filters: 4, kernel: 3, padding: 1, bias: false }
  - b0: { batch_norm: a }
  - b: relu(b0)
  - c: { conv: b, filters: 4, kernel: 3, padding: 1, bias: false }
  - d: { batch_norm: c }
  - s0: { conv: x, filters: 4, kernel: 1, bias: false }
  - s: { batch_norm: s0 }
  - u: relu(d + s)
  - e0: { conv: u, filters: 4, kernel: 3, padding: 1 }
  - e: { batch_norm: e0 }
  - v: relu(e - 0.5 * u)
  - f0: { batch_norm: v }
  - f: { tanh: f0 }
  - g0: { conv: f, filters: 4, kernel: 1 }
  - g: { batch_norm: g0 }
  - t: f * g
  - w: relu(t + v)
  - k0: { batch_norm: w }
  - k: { add: [k0, v] }
  - q: { dense: k, units: 3 }
loss: [{ cross_entropy: [p, kind] }, { cross_entropy: [q, kind] }]
train: { optimiser: { sgd: { rate: 0.02 } }, epochs: 1 }
END
"$SPNC" check beside.yaml --stage plan >plan
grep -Eq '^  phase .* forward: joined_d joined_e_conv1 ' plan || fault "a sum of two norms and its relu are no pass of one of them"
grep -Eq '^  phase .* backward: .*joined_c.  joined_b_gradient_sums' plan || fault "the gradient of a relu behind a norm has a pass of its own"
grep -Eq '^  phase .* forward: joined_g joined_k_batch_norm1_sums$' plan || fault "two formulas behind a norm are no pass of it"
grep -Eq '^  phase .* forward: joined_k_batch_norm1 a ' plan || fault "a sum behind a norm has a pass of its own"
grep -Eq 'sum_d_joined_u|joined_u_formula1. ' plan && fault "the gradient of what is added behind a norm has a pass of its own"
mkdir beside_data
{ bytes 1680 5 60 | npy '<f4' "7, 3, 5, 4"; } >beside_data/train_x.npy
bytes 7 6 3 | npy '|u1' "7," >beside_data/train_kind.npy
run "$SPNC" build beside.yaml -o beside --target "$native" || exit 1
run beside/beside export --seed 4 -o beside.npz
"$(sh "$root/tests/python.sh" numpy)" - <<'PYTHON' || exit 1
import numpy as np
w = dict(np.load("beside.npz"))
names = { "s.conv1": "s0", "e.conv1": "e0", "g.conv1": "g0", "b": "b0", "f": "f0", "k.batch_norm1": "k0", "y": "q" }
for key in list(w):
    if not key.startswith("joined."):
        continue
    entry, _, part = key[7:].rpartition(".")
    other = f"{names.get(entry, entry)}.{part}"
    assert w[other].shape == w[key].shape, (key, other)
    w[other] = w[key]
np.savez("beside.npz", **w)
PYTHON
for mode in train eval; do
    run beside/beside grad --weights beside.npz --data beside_data --split train --mode $mode --threads 2 -o beside_$mode.npz
    "$(sh "$root/tests/python.sh" numpy)" - $mode <<'PYTHON' || fault "a norm with what stands behind it gives other bits, $mode"
import sys
import numpy as np
g = np.load(f"beside_{sys.argv[1]}.npz")
names = { "s.conv1": "s0", "e.conv1": "e0", "g.conv1": "g0", "b": "b0", "f": "f0", "k.batch_norm1": "k0", "y": "q" }
keys = [k for k in g if k.startswith("grad/joined.")]
assert len(keys) == 23, keys
assert g["out/p"].tobytes() == g["out/q"].tobytes()
for key in keys:
    entry, _, part = key[len("grad/joined."):].rpartition(".")
    assert np.abs(g[key]).max() > 0 or part == "bias", key
    assert g[key].tobytes() == g[f"grad/{names.get(entry, entry)}.{part}"].tobytes(), key
PYTHON
done

# ---- the same bits -----------------------------------------------------------------------------------------------------
# trained TARGET RUN options...: weights and running statistics after training, in RUN.npz
trained() {
    local target=$1 into=$2
    shift 2
    run "$target/net" train --data data --run "$into" "$@" && run "$target/net" export --last --run "$into" -o "$into.npz"
}
same() { cmp -s first.npz "$1.npz" && echo "same bits: $1" || fault "other bits: $1"; }
trained "$native" first --threads 1
for target in $targets; do trained "$target" "$target-3" --threads 3 && same "$target-3"; done
trained "$native" resumed --epochs 1 && trained "$native" resumed --resume --epochs 2 && same resumed
for mode in train eval; do
    for target in $targets; do
        run "$target/net" grad --weights first.npz --data data --split train --first 48 --mode $mode --threads 2 -o "$target-$mode.npz"
        cmp -s "$native-$mode.npz" "$target-$mode.npz" || fault "$target: other bits of a partial batch in $mode mode"
    done
done
run "$native/net" check

# ---- running statistics: one update of one batch, of whose rows those of `same` are known, in three steps ---------------
program=$native/net
run "$program" export -o start.npz
run "$program" export --run first --last --parameters-only -o bare.npz
run "$program" train --data one --run one_run --epochs 1 && run "$program" export --last --run one_run -o one.npz
"$program" info --json >info.json
python3 - "$native-train.npz" <<'END' || fault "running statistics"
import json, struct, sys, zipfile
def numbers(raw):
    body = raw[10 + struct.unpack("<H", raw[8:10])[0]:]
    return list(struct.unpack(f"<{len(body) // 4}f", body))
def arrays(name):
    with zipfile.ZipFile(name) as z:
        return {n[:-4]: numbers(z.read(n)) for n in z.namelist()}
start, first, bare, one, gradients = (arrays(n) for n in ("start.npz", "first.npz", "bare.npz", "one.npz", sys.argv[1]))
info = json.load(open("info.json"))
parameters, buffers = ([x["name"] for x in info[k]] for k in ("parameters", "buffers"))
sizes = {"look.batch_norm1": 5, "look.batch_norm2": 4, "same": 3, "h": 6, "seen": 6}
assert {x["name"]: x["shape"] for x in info["buffers"]} == {f"{p}.{w}": [n] for p, n in sizes.items() for w in ("running_mean", "running_var")}
assert list(first) == list(start) == parameters + buffers and list(bare) == parameters
assert all(bare[p] == first[p] for p in parameters)
assert all(start[b] == [float(b.endswith("var"))] * len(start[b]) and first[b] != start[b] for b in buffers)
assert not [k for k in gradients if "running" in k]
rows = numbers(open("one/train_rows.npy", "rb").read())
for c in range(3):
    x = rows[c::3]
    mean = sum(x) / 24
    variance = sum((v - mean) ** 2 for v in x) / 23
    kept = 0.8 ** 3
    for name, value in ("running_mean", (1 - kept) * mean), ("running_var", kept + (1 - kept) * variance):
        got = one[f"same.{name}"][c]
        assert abs(got - value) <= 1e-6 * abs(value), (name, c, got, value)
END

# ---- weights that lack running statistics, or have PyTorch's counts of batches -------------------------------------------
# refused CODE TEXT COMMAND...
refused() {
    local code=$1 text=$2
    shift 2
    "$@" >said 2>&1
    [ $? = "$code" ] && grep -qF -- "$text" said || { fault "not refused with '$text': $*"; cat said >&2; }
}
grad() { "$program" grad --data data --split train -o grad.npz "$@"; }
refused 1 'bare.npz: the buffer look.batch_norm1.running_mean is missing (net.yaml:' grad --weights bare.npz --mode eval
refused 1 'bare.npz: the buffer look.batch_norm1.running_mean is missing' "$program" eval --data data --split valid --weights bare.npz
run grad --weights bare.npz --mode train
# with NAME...: first.npz and a whole number of each name, in with.npz
with() {
    python3 - "$@" <<'END'
import shutil, sys, zipfile
shutil.copy("first.npz", "with.npz")
with zipfile.ZipFile("with.npz", "a") as z:
    for name in sys.argv[1:]:
        head = "{'descr': '<i8', 'fortran_order': False, 'shape': (), }".ljust(117) + "\n"
        z.writestr(name + ".npy", b"\x93NUMPY\x01\x00v\x00" + head.encode() + (7).to_bytes(8, "little"))
END
}
with look.batch_norm1.num_batches_tracked same.num_batches_tracked
run grad --weights with.npz --mode eval && run "$program" eval --data data --split valid --weights with.npz
with other.num_batches_tracked
refused 1 'the net has no parameter other.num_batches_tracked' grad --weights with.npz --mode eval
refused 2 'leave one of them out' "$program" export --buffers --parameters-only -o both.npz

# ---- --init takes them -----------------------------------------------------------------------------------------------------
run "$program" train --data data --run taken --init first.npz --epochs 1 && grep -qF 'and 10 of 10 running statistics' output || fault "--init does not take running statistics"

# ---- a batch of one number a channel -----------------------------------------------------------------------------------------
refused 1 'batch norm same would have one number a channel, and so no variance, in the last batch of each epoch: 49 examples in batches of 24 leave one; leave out or add an example' \
    "$program" train --data alone --run alone_run
grep -q 'net.yaml:[0-9]*: ' said || fault "no place of the batch norm"
[ ! -e alone_run/last ] || fault "a training that is refused has begun"
refused 1 'batch norm same would measure a batch of one example' "$program" grad --weights first.npz --data alone --split train --first 48 --mode train -o grad.npz
run "$program" grad --weights first.npz --data alone --split train --first 48 --mode eval -o grad.npz
exit $failed
