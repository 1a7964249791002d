#!/usr/bin/env bash
# test_latency.sh -- the latency form of a library: all of its kernels answer as the lanes form does, to the same bits on each target and for any batch.
# usage: tests/test_latency.sh      SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
cat >forms.yaml <<'END'
model: forms
inputs:
  image: { shape: [1, 18, 18], dtype: u8 }
  place: { shape: [3] }
targets: { y: { length: 2, classes: 3 } }
nets:
  windows:
    - conv: { filters: 3, kernel: 3, padding: same, act: tanh }             # points row by row, of a copy
    - conv: { filters: 6, kernel: 3, stride: 2, padding: 1, groups: 3, bias: false }
    - batch_norm: { act: relu }
    - conv: { filters: 20, kernel: [2, 3], dilation: [1, 2], act: sigmoid }  # filters
    - conv: { filters: 40, kernel: 3, padding: [[1, 0], [0, 1]], stride: 2, groups: 2 }
    - conv: { filters: 2, kernel: 1 }
    - batch_norm
    - dense: { units: 70, bias: false }                                      # panels of two sizes, and a rest
    - batch_norm: { act: relu }
    - reshape: [2, 35]
    - conv: { filters: 4, kernel: 3, stride: 2, act: relu }
    - dense: 5
  front:
    - conv: { filters: 10, bias: false }
    - batch_norm: { act: relu }
    - maxpool: [3, 2]
flow:
  - e: { windows: image }
  - c: { conv: image, filters: 8 }
  - n: { batch_norm: c }                                                     # not folded: c is read more than once
  - o: { dense: c, units: 5, over: last, act: relu }
  - w: { conv: c, filters: 32, padding: same, act: relu }                    # Winograd's tiles
  - f: { front: w }
  - u: { dense: f, units: 4 }
  - q: { dense: o, units: 3 }
  - r: { dense: n, units: 16 }
  - z0: { dense: place, units: 4 }
  - z: tanh(z0 + 0.5 * u)                                                    # a formula where a dense layer stores
  - lift: { parameter: [4, 1, 1], init: { uniform: 1 } }
  - p0: { conv: image, filters: 4, kernel: 3 }                               # and where points row by row are stored,
  - p1: { conv: image, filters: 4, kernel: 3 }
  - p: relu(p0 * lift + p1)
  - s0: { conv: p, filters: 4, kernel: 4, stride: 3, groups: 2 }             # points that go on,
  - s1: { conv: p, filters: 4, kernel: 4, stride: 3, groups: 2 }
  - s: s0 * lift - s1
  - f0: { conv: s, filters: 32, kernel: 2, stride: 2 }                       # filters,
  - f1: { conv: s, filters: 32, kernel: 2, stride: 2 }
  - ft: "max(f0 - f1, 0.1)"
  - c1: { conv: c, filters: 4, kernel: 1, stride: 2 }                        # a tap that meets one part of what is read,
  - c2: { conv: c, filters: 3, kernel: [1, 3], stride: [2, 1], bias: false } # along one axis
  - w0: { conv: c, filters: 32, padding: same }                              # Winograd's tiles
  - t0: { conv_transpose: s, filters: 3, kernel: 4, stride: 2, padding: 1, act: relu }    # phases, of a copy,
  - t1: { conv_transpose: t0, filters: 2, kernel: 3, stride: [2, 1], padding: 1, output_padding: [1, 0], bias: false }    # of one and of two rows of taps,
  - t2: { conv_transpose: f0, filters: 5, kernel: 2, stride: 2 }             # of x itself,
  - t3: { conv_transpose: { reshape: r, shape: [2, 8] }, filters: 4, stride: 2 }    # and of lines, one result more in one of two
  - t4: { conv_transpose: s, filters: 4, kernel: 3, groups: 2 }              # none: plain loops
  - t5: { conv_transpose: s, filters: 2, kernel: 1, stride: 2, output_padding: 1 }
  - wt: { global_avgpool: "relu(w0 + w)" }
  - repeat: 2
    carry: { k: { gru: { units: 18 } }, g: { lstm: { units: 17 } } }
    do:
      - k: { gru: [r, k] }
      - g: { lstm: [e, g] }
      - j: { concat: [q, u, e, z, k, g.h, { flatten: ft }, wt, { flatten: c1 }, { flatten: c2 }, { flatten: t1 }, { flatten: t2 }, { flatten: t3 }, { flatten: t4 }, { flatten: t5 }] }
      - v: { dense: j, units: 3 }
loss: { cross_entropy: [v, y] }
END

python3 "$root/tests/fixtures/made_weights.py" "$SPNC" forms.yaml w.npz || fault "no weights"

cat >main.c <<'END'
#include "forms.h"
#include <stdio.h>
static _Alignas(128) unsigned char memory[FORMS_MEMORY], image[3 * 324];
static float place[9] = { 1, 2, -1, 0.5f, 3, -2, 1, 1, 1 }, k[FORMS_BATCH * 36], v[FORMS_BATCH * 6], n[FORMS_BATCH * 2048];
int main(void)
{
    forms *net;
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = 0xff;                                           /* NaN: a place that is read before it is written is seen */
    for (int i = 0; i < 972; i++)
        image[i] = (unsigned char)(i * 37 % 256);
    if (forms_open(&net, memory, FORMS_MEMORY, NULL, 0))
        return 1;
    for (int i = 0; i < 3; i += FORMS_BATCH) {
        const forms_inputs in = { .image = image + i * 324, .place = place + i * 3 };
        if (forms_run(net, FORMS_BATCH, &in, &(forms_outputs){ .k = k, .v = v, .n = n }))
            return 1;
        fwrite(k, sizeof *k, FORMS_BATCH * 36, stdout), fwrite(v, sizeof *v, FORMS_BATCH * 6, stdout), fwrite(n, sizeof *n, FORMS_BATCH * 2048, stdout);
    }
}
END
answers() {     # answers FOLDER FLAGS OPTION...: what the library of those options says of three examples, in FOLDER.said
    local folder=$1 flags=$2
    shift 2
    run "$SPNC" emit forms.yaml --for inference --outputs k,v,n --weights w.npz -o "$folder" "$@"
    run make -s -C "$folder" libforms.a CFLAGS="$flags"
    ${CC:-cc} $flags -std=c11 -Wall -Wextra -I"$folder" main.c "$folder/libforms.a" -lm -o main && ./main >"$folder.said" || fault "$folder does not answer"
}
answers lanes -O0 --batch 3 --form lanes
answers latency "" --batch 3
answers one -O0 --batch 1
answers generic -O0 --batch 3 --target generic
cmp latency.said generic.said || fault "generic has other bits than this processor"
python3 - <<'END' || fault "the forms differ"
import struct
def read(path):
    b = open(path, "rb").read()
    return struct.unpack(f"<{len(b) // 4}f", b)
lanes, latency, one = map(read, ("lanes.said", "latency.said", "one.said"))
split = [0, 108, 126, len(lanes)]
for a, b in zip(split, split[1:]):
    most = max(map(abs, lanes[a:b]))
    assert most > 0.01 and all(abs(x - y) <= 1e-5 * most for x, y in zip(lanes[a:b], latency[a:b])), (a, most, max(abs(x - y) for x, y in zip(lanes[a:b], latency[a:b])))
alone = [x for a, b in zip(split, split[1:]) for e in range(3) for x in one[e * 2090 + a // 3:e * 2090 + b // 3]]
assert tuple(alone) == latency, "an example alone has other bits than among others"
END
for word in "A phase is" "int taps, weights" "Points go on" "turned at the end" "\[ROWS \* PITCH + j\] = line\[j \* 2" "the last tile overlaps" "the last vec overlaps" "put_first(y" "sum k mod 2" "sum k mod 4" "the last [123] inputs" "static void w_inputs(" "larger(row"; do
    grep -q -- "$word" latency/forms.c || fault "no kernel with '$word'"
done
[ "$(grep -c 'The batch norm behind it' latency/forms.c)" = 4 ] || fault "not four batch norms of five are in weights: $(grep -c 'The batch norm behind it' latency/forms.c)"
exit $failed
