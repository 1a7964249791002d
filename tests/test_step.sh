#!/usr/bin/env bash
# test_step.sh -- a recurrent net as a library of one step (--step): step after step it has the bits of the library of all steps, in each form.
# usage: tests/test_step.sh      SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
# An input cut under another shape, one that is read twice in a step, one that is the same at each and bears the name that a state's h has in C; states of
# all kinds of starts.
cat >steps.yaml <<'END'
model: steps
inputs:
  image: { shape: [1, 8, 9], dtype: u8 }
  kept: { shape: [4] }
  k_h: { shape: [3] }
targets: { y: { length: 4, classes: 3 } }
flow:
  - rows: { reshape: image, shape: [8, 9] }
  - p: { dense: k_h, units: 17, act: tanh }
  - repeat: 4
    carry:
      h: { gru: { units: 20, init: trained } }
      k: { lstm: { units: 16, init: { h: zeros, c: 0.5 } } }
      s: { shape: [17], init: p }
    do:
      - two: { slice: rows, from: 2 * $t, to: 2 * $t + 2 }
      - h: { gru: [two, h] }
      - k: { lstm: [p, k] }
      - s: kept[$t] * s + (1 - kept[$t]) * tanh(p)
      - j: { concat: [h, k.h, k.c, s] }
      - v: { dense: j, units: 3 }
  - z: { dense: { last: h }, units: 5 }
loss:
  - cross_entropy: [v, y]
  - { mean: z ** 2 }
END
cat >main.c <<'END'
#include "steps.h"
#include <stdio.h>
#include <string.h>
#ifdef DOUBLE
typedef double real;
#else
typedef float real;
#endif
static _Alignas(128) unsigned char memory[STEPS_MEMORY];
static unsigned char image[3][72];
static float kept[3][4], place[3][3];
static real v[3][4][3], h[3][4][20], z[3][5];
#ifdef ONE
static unsigned char cut[3][18];
static float now[3];
static real state_h[3][20], k_h[3][16], k_c[3][16], s[3][17], one_v[3][3];
#endif
int main(void)
{
    steps *net;
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = 0xff;                                           /* NaN: a place that is read before it is written is seen */
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < 72; i++)
            image[n][i] = (unsigned char)(i * 37 + n * 11);
        for (int i = 0; i < 4; i++)
            kept[n][i] = (float)((i + n) % 3) / 2;
        for (int i = 0; i < 3; i++)
            place[n][i] = (float)(i - n) / 2;
    }
    if (steps_open(&net, memory, sizeof memory, NULL, 0))
        return 1;
#ifdef ONE
    for (int t = 0; t < 4; t++) {
        for (int n = 0; n < 3; n++)
            memcpy(cut[n], image[n] + 18 * t, 18), now[n] = kept[n][t];
        const steps_inputs in = { .image = cut[0], .kept = now, .k_h = place[0], .h = t ? state_h[0] : NULL, .k_h_ = t ? k_h[0] : NULL, .k_c = t ? k_c[0] : NULL, .s = t ? s[0] : NULL };
        if (steps_run(net, 3, &in, &(steps_outputs){ .v = one_v[0], .h = state_h[0], .z = z[0], .k_h = k_h[0], .k_c = k_c[0], .s = s[0] }))
            return 2;
        for (int n = 0; n < 3; n++)
            memcpy(v[n][t], one_v[n], sizeof one_v[n]), memcpy(h[n][t], state_h[n], sizeof state_h[n]);
    }
#else
    if (steps_run(net, 3, &(steps_inputs){ .image = image[0], .kept = kept[0], .k_h = place[0] }, &(steps_outputs){ .v = v[0][0], .h = h[0][0], .z = z[0] }))
        return 2;
#endif
    fwrite(v, sizeof v, 1, stdout), fwrite(h, sizeof h, 1, stdout), fwrite(z, sizeof z, 1, stdout);
}
END
python3 "$root/tests/fixtures/made_weights.py" "$SPNC" steps.yaml w.npz || fault "no weights"
answers() {     # answers FOLDER FLAGS OPTION...: what the library of those options says of three examples, in FOLDER.said
    local folder=$1 flags=$2
    shift 2
    run "$SPNC" emit steps.yaml --for inference --batch 3 --outputs v,h,z --weights w.npz -o "$folder" "$@"
    run make -s -C "$folder" libsteps.a CFLAGS=-O0
    ${CC:-cc} $flags -O0 -std=c11 -Wall -Wextra -I"$folder" main.c "$folder/libsteps.a" -lm -o main && ./main >"$folder.said" || fault "$folder does not answer"
}
for form in lanes latency; do
    answers all_$form "" --form $form
    answers one_$form -DONE --form $form --step
    cmp all_$form.said one_$form.said || fault "$form: the steps have other bits than all of them together"
    cmp all_$form/steps.weights one_$form/steps.weights || fault "$form: the weights of one step are others"
done
answers all_double -DDOUBLE --plain --precision double
answers one_double "-DDOUBLE -DONE" --plain --precision double --step
cmp all_double.said one_double.said || fault "double: the steps have other bits than all of them together"
python3 - <<'END' || fault "the answers do not depend on step and example"
import struct
v = struct.unpack("<36f", open("all_lanes.said", "rb").read()[:144])
assert len(set(v)) == 36 and all(abs(x) < 100 for x in v), v
END

# ---- the example: each example of its files is a step --------------------------------------------------------------------------------
run make -s -C one_latency example CFLAGS=-O0
python3 - <<'END'
import struct
def npy(name, descr, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).ljust(117) + "\n"
    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
npy("image.npy", "|u1", (4, 2, 9), bytes(i * 37 % 256 for i in range(72)))
npy("kept.npy", "<f4", (4,), struct.pack("<4f", *[i % 3 / 2 for i in range(4)]))
npy("place.npy", "<f4", (4, 3), struct.pack("<12f", *[0, 0.5, 1] * 4))
END
one_latency/example image.npy kept.npy place.npy >said 2>&1 || fault "the example: $(head -3 said)"
python3 - <<'END' || fault "the example prints other numbers: $(head -3 said)"
import re, struct
v = struct.unpack("<12f", open("all_latency.said", "rb").read()[:48])
said = re.findall(r"step (\d), v:\n    (.*)", open("said").read())
assert [float(x) for _, row in said for x in row.split()] == [float("%.6g" % x) for x in v], said
END
exit $failed
