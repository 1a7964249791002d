#!/usr/bin/env bash
# test_joins.sh -- formulas that are joined with their neighbours: what is joined and said of it; a chain costs as many bytes as a copy; the bits of
# training are those of the operators one by one.
# usage: tests/test_joins.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
[ -n "$python" ] || { echo "test_joins: no Python with numpy: skipped"; exit 0; }
cd "$work" || exit 74

# six steps, one of which is not cheap; operands by channel, of one number, and read twice; a value with a name; a product of three; a state; what is
# computed where a convolution or a dense layer stores.  In the second model a view stands behind each line with a shape, so that nothing is
# joined there.
cat >joined.yaml <<'END'
model: joined
batch: 21
inputs: { x: { shape: [3, 2, 4] } }
targets: { y: { classes: 3 } }
nets:
  steps:
    in: [u, p]
    do:
      - a: u * 0.5    # [3, 2, 4]
      - b: a + p    # [3, 2, 4]
      - c: exp(b)    # [3, 2, 4]
      - d: { multiply: [c, u, a] }    # [3, 2, 4]
      - e: { relu: d }    # [3, 2, 4]
      - f: { tanh: e }
    out: f
  residual:
    in: [u, p]
    do:
      - c: { conv: u, filters: 3, kernel: 3, padding: 1 }    #= [3, 2, 4]
      - r: relu(c + p + u)
    out: r
  thin:
    in: [u, p]
    do:
      - c: { conv: u, filters: 3, kernel: 1, bias: false }    #= [3, 2, 4]
      - r: exp((u + p - c) * 0.25)
    out: r
  depthwise:
    in: [u, p]
    do:
      - c: { conv: u, filters: 6, kernel: 3, padding: 1, groups: 6 }    #= [6, 2, 4]
      - r: relu(c * 1.5 + p + u)
    out: r
  grouped:
    in: [u, p]
    do:
      - c: { conv: u, filters: 6, kernel: 1, groups: 2, bias: false }    #= [6, 2, 4]
      - r: (u - c) * 0.5 - p
    out: r
  line:
    in: [u, p]
    do:
      - c: { conv: u, filters: 6, kernel: 3, padding: 1, groups: 3 }    #= [6, 8]
      - r: (c + p - u) * 0.5
    out: r
  wide:
    in: [u, p]
    do:
      - c: { conv: u, filters: 8, kernel: 3, padding: 1 }    #= [8, 4, 8]
      - r: relu(u * 0.5 + c + p)
    out: r
  full:
    in: u
    do:
      - d: { dense: u, units: 48 }    #= [48]
      - r: tanh(0.5 * d + u)
    out: r
flow:
  - bias: { parameter: [3, 1, 1], init: { uniform: 1 } }
  - one: { parameter: [], init: ones }
  - z: { residual: [x, bias] }
  - w: { thin: [z, bias] }
  - v: { steps: [w, bias] }
  - k: v * one + x    # [3, 2, 4]
  - i: where(k > 0.5, k * v, v)    # [3, 2, 4]
  - q: { sigmoid: i }
  - repeat: 2
    carry: { h: { shape: [3, 2, 4], init: zeros } }
    do:
      - o: q * 0.25    # [3, 2, 4]
      - g: { add: [h, o] }    # [3, 2, 4]
      - h: g - g * g * 0.125
  - t: { full: { flatten: h } }
  - gain: { parameter: [6, 1, 1], init: { uniform: 1 } }
  - m: { grouped: [{ depthwise: [{ reshape: t, shape: [6, 2, 4] }, gain] }, gain] }
  - n: { line: [{ reshape: m, shape: [6, 8] }, { reshape: gain, shape: [6, 1] }] }
  - most: { parameter: [8, 1, 1], init: { uniform: 1 } }
  - q8: { reshape: { conv: { reshape: n, shape: [3, 4, 4] }, filters: 16, kernel: 1 }, shape: [8, 4, 8] }
  - u8: { wide: [q8, most] }
  - s: { dense: u8, units: 3 }
loss: { cross_entropy: [s, y] }
train: { optimiser: { sgd: { rate: 0.01 } }, epochs: 2 }
END
sed -E 's/^( +)- ([a-z]+): (.*[^ ]) +# (\[.*\])$/\1- \2_: \3\n\1- \2: { reshape: \2_, shape: \4 }/
    s/^( +)- ([a-z]+): (.*[^ ]) +#= (\[.*\])$/&\n\1- \2_: { reshape: \2, shape: \4 }/; /^ +- r:/s/\b[cd]\b/&_/; s/^model: joined/model: apart/' joined.yaml >apart.yaml
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(1)
for split in "train", "valid", "test":
    np.save(f"{split}_x.npy", r.normal(size=(50, 3, 2, 4)).astype("f4"))
    np.save(f"{split}_y.npy", r.integers(0, 3, 50).astype("i4"))
END

# trained NAME: the parameters of NAME.yaml after two epochs, as NAME.npz
trained() { run "$SPNC" build "$1.yaml" -o "$1" && run "$1/$1" train --data . --run "$1.run" --seed 3 --quiet && run "$1/$1" export --run "$1.run" -o "$1.npz"; }
same() { "$python" -c 'import sys, numpy as np
a, b = (np.load(p) for p in sys.argv[1:])
sys.exit(not (set(a.files) == set(b.files) and all(a[n].tobytes() == b[n].tobytes() for n in a.files)))' "$1" "$2" || fault "other bits: $1 and $2"; }
trained joined && trained apart && same joined.npz apart.npz
joined/joined check >said 2>&1 || fault "check of gradients: $(tail -3 said)"

# ---- what was joined ------------------------------------------------------------------------------------------------------------
[ "$("$SPNC" check joined.yaml --stage plan | grep -o 'steps_[a-f]\b' | sort -u | tr '\n' ' ')" = "steps_c steps_f " ] || fault "the chain is not one operator: $("$SPNC" check joined.yaml --stage plan | grep steps_)"
"$SPNC" explain joined.yaml o >said || fault "explain"
for line in '            a = u \* 0.5' '            b = a + p' '            d = c \* [uw] \* a' '            f = tanh(e)\|            v = tanh(e)' 'gradient  .*= ' '            d_p = ' 'steps_a is computed where o is, in one pass: it is not stored' 'steps_c is computed where o is, in one pass, and stored for backward'; do
    grep -q "$line" said || fault "explain does not say: $line"
done
"$SPNC" explain joined.yaml k >said && grep -q 'k is computed where o is, in one pass, and stored there' said || fault "a name of the flow: $(cat said)"
"$SPNC" explain joined.yaml residual_r >said && grep -q 'residual_r is computed where residual_c stores its sums' said || fault "a residual: $(cat said)"
for op in residual_r thin_r full_r depthwise_r grouped_r line_r wide_r; do "$SPNC" check joined.yaml --stage plan | grep -q "phase.*forward.* $op\b" && fault "$op has a pass of its own"; done
mkdir own && cp "$root"/templates/tile/epilogue.c.in own/       # which need not take operands beside the sum
"$SPNC" check joined.yaml --templates own --stage plan | grep -q 'phase.*forward.* residual_r\b' || fault "a user's own epilogue is given operands beside the sum"
"$SPNC" show joined.yaml --html >page.html && grep -q 'b = a + p' page.html || fault "the page does not have the formulas"
"$SPNC" ops formula | grep -q 'tanh  *1 - y \* y' || fault "spnc ops formula does not say what the derivatives are"

# ---- bytes ----------------------------------------------------------------------------------------------------------------------
# a chain of six cheap steps without names between two layers, beside the copy of a value of the same size
cat >chain.yaml <<'END'
model: chain
batch: 16
inputs: { x: { shape: [4, 5, 5] } }
targets: { y: { shape: [4, 5, 5] } }
nets:
  six: { in: u, do: [{ a: u * 0.5 }, { b: a + 1 }, { c: "max(b, 0)" }, { d: c * c }, { e: "min(d, 3)" }, { f: e - 0.2 }], out: f }
flow:
  - w: { maxpool: { conv: x, filters: 4, kernel: 1 }, size: 1 }
  - v: { six: w }
  - n: -w
  - z: { conv: v, filters: 4, kernel: 1 }
  - o: { conv: n, filters: 4, kernel: 1 }
loss: [{ mse: [z, y] }, { mse: [o, y] }]
END
"$SPNC" emit chain.yaml -o chain >/dev/null || fault "chain"
# rows of `profile`: "name", "pass", phase, line, whole, multiply-adds, products, bytes
bytes_of() { sed -n "s/^ *{ \"$1\", \"$2\", .*\.bytes = \([0-9]*\) },$/\1/p" chain/chain_inspect.c; }
for pass in forward backward; do
    six=$(bytes_of six_f $pass) one=$(bytes_of n $pass)
    echo "$pass: a chain of six steps $six bytes, one step ${one:-none}"
done >counted
map=$((16 * 100 * 4))
[ "$(bytes_of six_f forward)" = $((2 * map)) ] || fault "a chain of six steps is not read once and written once: $(cat counted)"
[ "$(bytes_of n forward)" = $((2 * map)) ] || fault "a copy: $(cat counted)"
[ "$(bytes_of six_f backward)" = $((3 * map)) ] || fault "its gradient does not read dy and x and write dx: $(cat counted)"

# ---- what is not joined, or not as it stands -------------------------------------------------------------------------------------
# A value that is read at two places of a formula, also behind a convolution; a formula over a dropout over a relu, whose gradient needs the signs; a
# chain that reads a value at 35 places, which has so many gradients; a value by channel that differs by example, where several tiles share a vec.
cat >awkward.yaml <<'END'
model: awkward
batch: 5
inputs: { x: { shape: [8, 4, 8] } }
targets: { y: { classes: 3 } }
nets:
  twice: { in: u, do: [{ a: tanh(u) * 0.5 }, { b: { add: [a, a] } }], out: b }
  both: { in: [u, v], do: [{ w: u + 0.5 * v }], out: w }
  host: { in: u, do: [{ c: { conv: u, filters: 2, kernel: 1 } }, { k: c }, { r: k + 0.5 * c }, { g: { maxpool: r, size: 2 } }], out: g }
  gated: { in: [u, p], do: [{ c: { conv: u, filters: 8, kernel: 3, padding: 1 } }, { r: relu(c + p) }], out: r }
  dropped:
    in: u
    do:
      - c: { conv: u, filters: 2, kernel: 1, act: relu }
      - d: { dropout: c, rate: 0.5 }
      - f: d * 0.5 + 0.1
      - g: { conv: f, filters: 2, kernel: 1 }
    out: g
  chain:
    in: u
    do:
      - a0: tanh(u)
END
for i in $(seq 34); do echo "      - a$i: a$((i - 1)) + u * 0.0$i"; done >>awkward.yaml
cat >>awkward.yaml <<'END'
    out: a34
flow:
  - p: { maxpool: x, size: 2 }
  - t: { twice: p }
  - b: tanh(p) * 0.25 + 1
  - o: { both: [b, b] }
  - gate: { reshape: { dense: { global_avgpool: x }, units: 8 }, shape: [8, 1, 1] }
  - v: { gated: [x, gate] }
  - h: { host: x }
  - q: { dropped: p }
  - l: { chain: q }
  - e: { conv: q, filters: 1, kernel: 1 }
  - s: { dense: { concat: [t, o, { maxpool: v, size: 2 }, h, l, e] }, units: 3 }
loss: { cross_entropy: [s, y] }
END
mkdir data
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(2)
np.save("data/test_x.npy", r.normal(size=(5, 8, 4, 8)).astype("f4"))
np.save("data/test_y.npy", r.integers(0, 3, 5).astype("i4"))
END
run "$SPNC" build awkward.yaml --precision double -o awkward
run "$SPNC" build awkward.yaml --precision double --plain -o plain
run awkward/awkward export --seed 5 -o w.npz
for form in awkward plain; do run $form/awkward grad --weights w.npz --data data --mode train -o grad.$form.npz; done
"$python" - >said <<'END' || fault "values and gradients: $(tail -1 said)"
import numpy as np
a, b, w = (np.load(p) for p in ("grad.awkward.npz", "grad.plain.npz", "w.npz"))
p = np.load("data/test_x.npy").reshape(5, 8, 2, 2, 4, 2).max((3, 5)).astype("f8")
c = np.einsum("fc,nchw->nfhw", w["host.c.weight"][:, :, 0, 0], np.load("data/test_x.npy")) + w["host.c.bias"][:, None, None]
meant = {"out/t": np.tanh(p), "out/o": (np.tanh(p) * 0.25 + 1) * 1.5, "out/h": 1.5 * c.reshape(5, 2, 2, 2, 4, 2).max((3, 5))}
differ = lambda x, y, bound: not np.abs(x.reshape(y.shape) - y).max() <= bound * (1e-3 + np.abs(y).max())
wrong = [n for n in b.files if differ(a[n], b[n], 1e-10)] + ["numpy's " + n for n in meant if differ(b[n], meant[n], 1e-6)]
print(*wrong, sep=", ")
raise SystemExit(bool(wrong) or not {"out/v", "grad/dropped.c.weight"} <= set(b.files))
END
run awkward/awkward check
[ $failed = 0 ] && echo "test_joins: fine"
exit $failed
