#!/usr/bin/env bash
# test_check.sh -- `check` of a built program: a net whose gradients go through a sampler, pools and Winograd's convolutions has every parameter compared
# in double, and not only where its gradient is 0; images with even surfaces, where pools tie, are named as the reason for what stays untested.
# It ends after 40 s: here by a clock that the test sets, which gets there after a few readings, or never.
# (Its report of wrong gradients is tested in test_trainer.sh.)
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

cat >net.yaml <<'END'
model: net
batch: 16
inputs: { image: { shape: [1, 32, 32], dtype: u8 } }
targets: { digit: { classes: 4 } }
nets:
  front:
    - conv: { filters: 8, kernel: 3, act: relu }
    - maxpool: 2
    - conv: { filters: 8, kernel: 3, act: relu }
    - maxpool: 2
  classify:
    - conv: { filters: 4, kernel: 3, act: relu }
    - conv: { filters: 6, kernel: 3, act: relu }
    - maxpool: 2
    - dense: 4
flow:
  - c: { front: image }
  - A: { dense: c, units: 6, init: identity_affine }
  - crop: { spn: [image, A], downsample: 2 }
  - v: { classify: crop }
loss: { cross_entropy: [v, digit] }
END
with_clock "$SPNC" build net.yaml --precision double -o double || fault "spnc build"
"$SPNC" explain net.yaml front.conv2 | grep -q "by Winograd's algorithm" || fault "front.conv2 is not computed by Winograd's algorithm: the test tests nothing"
SPN_CLOCK=0.001 double/net check --json >check.json || fault "check: exit code $?"
python3 - <<'END' || fault "check leaves parameters untested: $(cat check.json)"
import json
check = json.load(open("check.json"))
assert check["passed"] and len(check["parameters"]) == 12, check
for p in check["parameters"]:
    d = p["central_differences"]
    assert d["tested"] >= 12 and d["failed"] == 0 and d["gradient"] != 0, p
END

SPN_CLOCK=1500 double/net check >said || fault "check, cut short: exit code $?"
grep -q '^stopped looking for elements to test after 40 s: ' said && grep -q '^check passed' said || fault "check does not say that its time was up: $(tail -2 said)"

# ---- a gradient that is 0 because its terms cancel: a bias in both branches of a difference; and a trained start in a net used twice
cat >siam.yaml <<'END'
model: siam
batch: 20
inputs: { x: { shape: [3] }, z: { shape: [3] }, m: { shape: [1, 5, 4] } }
nets:
  f:
    in: p
    do:
      - repeat: 2
        carry: { s: { shape: [3], init: trained } }
        do:
          - s: tanh(s + p)
      - l: { last: s }
      - a: { dense: l, units: 4 }
    out: a
flow:
  - u: { f: x }
  - w: { f: z }
  - d: u - w
  - v: { dense: x, units: 1 }                       # one number added to all: softmax does not see it
  - g: { softmax: d + v }
  - c: { conv: m, filters: 2, kernel: 2 }           # the norm takes the bias away
  - i: { instance_norm: c }
  - k: { parameter: [1], init: { normal: 0.5 } }
  - o: { softmax: w + k }
loss: [{ mean: d * d + g * g }, { mean: i ** 3 }, { mean: o * o }]
END
for form in '' --plain; do
    run env CFLAGS=-O0 "$SPNC" build siam.yaml $form -o siam$form && siam$form/siam check >said 2>&1 || fault "${form:-vectors}: a gradient of 0: $(cat said)"
    for parameter in v.bias f.a.bias f.s.init c.bias k.weight; do grep -q "^$parameter  *24 " said || fault "${form:-vectors}: $parameter: a gradient of 0 is not tested: $(cat said)"; done
done

# ---- formulas with kinks, of which each element that crosses one is drawn again; values behind stop_gradient, which differences must not see
cat >kinks.yaml <<'END'
model: kinks
batch: 20
inputs: { x: { shape: [6] }, f: { shape: [5, 3] } }
targets: { y: { classes: 3 } }
flow:
  - a: { dense: x, units: 12 }
  - b: { dense: x, units: 12 }
  - c: abs(a) + max(a, b) + where(b > 0.3, a * b, 2) + clip(a, -0.2, 0.2) + 0.1 * relu(a - b) + floor(4 * b)
  - repeat: 5
    carry: { s: { shape: [3] }, h: { gru: { units: 3 } } }
    do:
      - h: { gru: ["f[$t]", h] }
      - k: { stop_gradient: h }
      - s: relu(s + h * 0.5) - 0.3 * abs(h - s) + k * s
  - e: { stop_gradient: "relu(a)" }
  - z: { concat: [c * e, { last: s }] }
  - v: { dense: z, units: 3, act: leaky_relu }
loss: { cross_entropy: [v, y] }
END
run env CFLAGS=-O0 "$SPNC" build kinks.yaml --plain -o kinks && kinks/kinks check >said 2>&1 || fault "kinks of formulas: $(cat said)"
for parameter in a.weight a.bias b.weight b.bias h.weight_ih h.bias_ih h.weight_hh; do
    grep -q "^$parameter  *24 " said || fault "kinks of formulas leave $parameter untested: $(cat said)"
done
awk '$1 ~ /^[ab][.]/ { redrawn += $3 } END { exit redrawn < 5 }' said || fault "no element crosses a kink: $(cat said)"

# ---- the same in a repeat in a repeat: sides of a kink at each step of both, of a state of the inner one and a value of the outer one
cat >inner.yaml <<'END'
model: inner
batch: 20
inputs: { x: { shape: [4] } }
targets: { y: { shape: [4] } }
flow:
  - repeat: 3
    carry: { h: { shape: [4], init: 0.5 } }
    do:
      - u: { dense: h, units: 4 }
      - repeat: 2
        reverse: true
        carry: { g: { shape: [4], init: h } }
        do:
          - k: { stop_gradient: tanh(g) }
          - w: { dense: g, units: 4 }
          - g: relu(w + x) + abs(g - u) + 0.1 * floor(9 * (g - u)) + k * g
      - end: { last: g }
      - h: 0.5 * end + u
  - last: { last: h }
  - o: { dense: last, units: 4 }
loss: { mse: [o, y] }
END
run env CFLAGS=-O0 "$SPNC" build inner.yaml -o inner && inner/inner check >said 2>&1 || fault "kinks in a repeat in a repeat: $(cat said)"
for parameter in u.weight u.bias w.weight w.bias o.weight o.bias; do
    grep -q "^$parameter  *24 " said || fault "kinks in a repeat in a repeat leave $parameter untested: $(cat said)"
done
grep -A2 's < 6 [*] G;' inner/inner.c | tr -d '\n' | grep -q '_decisions(hash.*v[.]g\[s + 3 [*] G\].*v[.]u\[s % (3 [*] G)\]' ||
    fault "check looks for kinks at other steps: $(grep -B1 -A1 '= g_.*_decisions(' inner/inner.c)"

# a number too large is at a step of each
mkdir large
for split in train valid; do
    awk 'BEGIN { for (i = 0; i < 80; i++) printf "abcd" }' | tr abcd '\316\227\100\173' | npy '<f4' "20, 4" >large/${split}_x.npy       # 1e36
    awk 'BEGIN { for (i = 0; i < 320; i++) printf "0" }' | tr 0 '\000' | npy '<f4' "20, 4" >large/${split}_y.npy
done
inner/inner train --data large --run large_run >said 2>&1
grep -q 'inner.yaml:16: g_2 (forward, step t = 2, t2 = 0) made the first bad number: g_2, .* is infinite' said || fault "the step of a number that is too large: $(cat said)"

# ---- even surfaces: black images with a white square
mkdir data
awk 'BEGIN { for (n = 0; n < 16; n++) for (i = 0; i < 1024; i++) printf "%s", (i % 32 > 9 && i % 32 < 18 && i > 319 && i < 600) ? "1" : "0" }' | tr 01 '\000\377' | npy '|u1' "16, 1, 32, 32" >data/train_image.npy
awk 'BEGIN { for (n = 0; n < 16; n++) printf "%d", n % 4 }' | tr 0123 '\000\001\002\003' | npy '|u1' "16," >data/train_digit.npy
SPN_CLOCK=0.001 double/net check --data data >said || fault "check --data: exit code $?: $(tail -1 said)"
grep -q 'untested: .*made-up examples (no --data) have no even surfaces' said || fault "check says nothing of even surfaces: $(cat said)"
[ $failed = 0 ] && echo "test_check: fine"
exit $failed
