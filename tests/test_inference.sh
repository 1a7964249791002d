#!/usr/bin/env bash
# test_inference.sh -- a net as a library (--for inference): the bits of `grad`, what it links with, several nets and threads, every error code.
# usage: tests/test_inference.sh      SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/begin.sh"
export CFLAGS=-O1                                                        # what an archive needs and defines is looked at
cd "$work" || exit 74
cat >wide.yaml <<'END'
model: wide
params: { f: 9 }
batch: 5
inputs:
  image: { shape: [1, 18, 18], dtype: u8 }
  place: { shape: [3] }
targets: { y: { length: 2, classes: 3 } }
nets:
  front: [maxpool: 2, conv: { filters: 8, act: relu }, batch_norm: { act: relu }, dropout: 0.3, conv: { filters: $f, act: relu }, maxpool: 2]
flow:
  - c: { front: image }
  - p: { dense: place, units: 4, act: tanh }
  - repeat: 2
    carry: { h: { gru: { units: 6, init: trained } } }
    do:
      - h: { gru: [c, h] }
      - d: { dropout: h, rate: 0.4 }
      - j: { concat: [d, p] }
      - v: { dense: j, units: 3 }
loss: { cross_entropy: [v, y] }
train: { epochs: 1 }
END
mkdir data
for split in train valid test; do
    bytes $((14 * 324)) 1 256 | npy '|u1' '14, 1, 18, 18' >data/${split}_image.npy
    for i in $(seq 42); do printf '\0\0\0\077\0\0\200\277' | head -c $((i % 2 * 4 + 4)) | tail -c 4; done | npy '<f4' '14, 3' >data/${split}_place.npy
    bytes 28 2 3 | npy '|u1' '14, 2' >data/${split}_y.npy
done
python3 - <<'END'
for name in ("train", "valid", "test"):         # other numbers than a handful
    path = f"data/{name}_place.npy"
    import struct
    head = open(path, "rb").read()[:128]
    open(path, "wb").write(head + b"".join(struct.pack("<f", ((k * 37) % 23 - 11) / 8) for k in range(42)))
END
run "$SPNC" build wide.yaml -o trainer && run trainer/wide train --data data --run run || exit 1
run trainer/wide export --run run -o w.npz
run trainer/wide grad --weights w.npz --data data --split test --first 5 -o grad.npz
for name in h v c; do
    python3 -c 'import sys, zipfile; b = zipfile.ZipFile("grad.npz").read("out/" + sys.argv[1] + ".npy"); sys.stdout.buffer.write(b[10 + b[8] + 256 * b[9]:])' $name >want.$name
done

# ---- the same bits as grad, for another batch, for every form and target; of a run and of a file ---------------------------------
cat >main.c <<'END'
#include "wide.h"
#include <stdio.h>
#include <stdlib.h>
static _Alignas(128) unsigned char memory[WIDE_MEMORY + 64], image[14 * 324], weights[1 << 20];
static float place[42], h[WIDE_BATCH * 12], v[WIDE_BATCH * 6], c[WIDE_BATCH * 36];
static size_t load(void *to, size_t size, const char *path, long from)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, from, SEEK_SET))
        exit(3);
    size = fread(to, 1, size, f);
    fclose(f);
    return size;
}
static void save(const char *path, const void *from, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(from, 1, size, f) != size || fclose(f))
        exit(3);
}
static void expect(const char *what, int code, int expected)
{
    if (code != expected)
        printf("%s: %d, not %d: %s\n", what, code, expected, wide_error(code));
}
int main(int argc, char **argv)
{
    wide *net;
    size_t size = argc > 1 ? load(weights, sizeof weights, argv[1], 0) : 0;
    const void *given = size ? weights : NULL;
    load(image, sizeof image, "data/test_image.npy", 128);
    load(place, sizeof place, "data/test_place.npy", 128);
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = 0xff;                                           /* NaN: a place that is read before it is written is seen */
    expect("short", wide_open(&net, memory, WIDE_MEMORY - 1, given, size), WIDE_SHORT);
    expect("no memory", wide_open(&net, NULL, WIDE_MEMORY, given, size), WIDE_SHORT);
    expect("misaligned", wide_open(&net, memory + 32, WIDE_MEMORY, given, size), WIDE_SHORT);
    expect("cut weights", wide_open(&net, memory, WIDE_MEMORY, weights, size - 4 * (size > 4)), WIDE_WEIGHTS);
    expect("misaligned weights", wide_open(&net, memory, WIDE_MEMORY, weights + 4, size), WIDE_WEIGHTS);
    expect("other weights", wide_open(&net, memory, WIDE_MEMORY, image, sizeof image), WIDE_WEIGHTS);
    if (!size && argc > 2)
        expect("no weights", wide_open(&net, memory, WIDE_MEMORY, NULL, 0), WIDE_WEIGHTS);
    expect("open", wide_open(&net, memory, WIDE_MEMORY, given, size), WIDE_OK);
    wide_inputs in = { .image = image + 5 * 324, .place = place + 15 };
    expect("none", wide_run(net, 0, &in, &(wide_outputs){ 0 }), WIDE_COUNT);
    expect("too many", wide_run(net, WIDE_BATCH + 1, &in, &(wide_outputs){ 0 }), WIDE_COUNT);
    expect("nothing wanted", wide_run(net, 1, &in, &(wide_outputs){ 0 }), WIDE_OK);
    expect("run", wide_run(net, 5, &in, &(wide_outputs){ .h = h, .v = v, .c = c }), WIDE_OK);
    save("got.h", h, 5 * 12 * 4), save("got.v", v, 5 * 6 * 4), save("got.c", c, 5 * 36 * 4);
    for (int n = 0; n < 5; n++) {                                   /* one at a time: the same */
        float one[6];
        in = (wide_inputs){ .image = image + (5 + n) * 324, .place = place + 15 + 3 * n };
        expect("one", wide_run(net, 1, &in, &(wide_outputs){ .v = one }), WIDE_OK);
        for (int i = 0; i < 6; i++)
            if (!(one[i] == v[6 * n + i]))
                printf("example %d alone: %g, not %g\n", n, one[i], v[6 * n + i]);
    }
    return 0;
}
END
same() {        # same FOLDER WHAT [WEIGHTS]: calls the library in FOLDER
    ${CC:-cc} ${FLAGS:-} -std=c11 -Wall -Wextra -I"$1" main.c "$1/libwide.a" -lm -o main 2>said || { fault "$2: $(head -3 said)"; return; }
    rm -f got.*
    ./main ${3:-} >said 2>&1 && [ ! -s said ] || { fault "$2: $(head -5 said)"; return; }
    for name in h v c; do cmp -s got.$name want.$name || fault "$2: $name is not what grad has"; done
}
run "$SPNC" build wide.yaml --for inference --batch 9 --outputs h,v,c --weights w.npz -o lanes && same lanes "--batch 9"
sanitize="-g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
run "$SPNC" emit wide.yaml --for inference --batch 21 --outputs h,v,c -o none && run make -C none libwide.a CFLAGS="-O1 -Werror $sanitize" && FLAGS=$sanitize same none "two groups, weights of a file, under the sanitizers" lanes/wide.weights
run "$SPNC" emit wide.yaml --for inference --form lanes --outputs h,v,c --target generic --weights run -o generic
cmp generic/wide.weights lanes/wide.weights || fault "the weights of a run are not those of its export"
nm -u lanes/libwide.a none/libwide.a | awk 'NF == 2 { print $2 }' | grep -vxE '_GLOBAL_OFFSET_TABLE_|memcpy|memset|memmove|fmaf?|floorf?|sqrtf?|__(asan|ubsan)_.*' && fault "the libraries need these"
[ "$(nm -g --defined-only lanes/libwide.a | awk 'NF == 3 { printf "%s ", $3 }')" = "wide_error wide_open wide_run " ] || fault "lanes: $(nm -g --defined-only lanes/libwide.a)"
nm lanes/libwide.a | grep -E ' [bBdDC] ' && fault "lanes has variables of its own"
[ "$(nm -D --defined-only lanes/libwide.so.0 | awk '{ printf "%s ", $3 }')" = "wide_error wide_open wide_run " ] || fault "libwide.so.0: $(nm -D --defined-only lanes/libwide.so.0)"
[ -s lanes/LICENSE ] || fault "no LICENSE"

# ---- the plain and the latency form, under the sanitizers: other bits, near ----------------------------------------------------------
near() {        # near FORM OPTION...: the library of that form
    local form=$1
    shift
    run "$SPNC" emit wide.yaml --for inference --batch 9 --outputs h,v,c --weights w.npz -o $form "$@"
    run make -C $form libwide.a CFLAGS="-O1 $sanitize"
    ${CC:-cc} $sanitize -std=c11 -Wall -Wextra -I$form main.c $form/libwide.a -lm -o main && ./main >said 2>&1 && [ ! -s said ] || fault "$form: $(head -5 said)"
    python3 - <<'END' || fault "the $form form is far from grad"
import struct
for name in "hvc":
    got, want = (struct.unpack(f"<{len(b) // 4}f", b) for b in (open(f"{p}.{name}", "rb").read() for p in ("got", "want")))
    assert all(abs(a - b) < 1e-5 * max(1, max(map(abs, want))) for a, b in zip(got, want)), name
END
}
near plain --plain
near latency --form latency

# ---- the example, from the folder alone: a root that holds nothing else but the system's compiler, make and libraries ----------------
mkdir alone && cp -r lanes/{*.c,*.h,*.weights,Makefile,runtime} alone
if unshare -rm true 2>/dev/null; then
    cat >jailed.sh <<'END'
set -e
mkdir -p jail/usr jail/etc/alternatives jail/tmp jail/net
for place in bin lib lib64; do [ -L /$place ] && cp -P /$place jail || { [ ! -d /$place ] || { mkdir jail/$place && mount --rbind /$place jail/$place; }; }; done
mount --rbind /usr jail/usr
[ ! -d /etc/alternatives ] || mount --rbind /etc/alternatives jail/etc/alternatives
mount --rbind alone jail/net
exec chroot jail /usr/bin/env -i PATH=/usr/bin:/bin make -s -C /net example CFLAGS=-O0
END
    run unshare -rm sh jailed.sh
else
    echo "skipped: a root of its own (unshare); the environment alone is empty"
    run env -i PATH="$PATH" make -s -C alone example CFLAGS=-O0
fi
(cd alone && ./example ../data/test_image.npy ../data/test_place.npy >../all 2>&1) || fault "the example of 14 examples, 9 at a time: $(head -3 all)"
[ "$(grep -c ', v:$' all)" = 14 ] && grep -q '^example 13, c:' all || fault "the example does not answer 14 examples: $(grep -c ', v:$' all)"
for name in image place; do python3 - $name <<'END'
import sys
b = open(f"data/test_{sys.argv[1]}.npy", "rb").read()
each = (len(b) - 128) // 14
open(sys.argv[1] + ".npy", "wb").write(b[:128] + b[128 + 5 * each:128 + 7 * each])
END
done
(cd alone && ./example ../image.npy ../place.npy) >said 2>&1 || fault "the example: $(head -3 said)"
diff <(sed 's/example [0-9]*/example/' said) <(sed -n '/^example 5, /,/^example 7, /p' all | sed '$d; s/example [0-9]*/example/') >/dev/null || fault "the example answers 14 examples otherwise than two of them"
tail -c +129 data/test_place.npy | head -c 24 | cat - /dev/zero | head -c 1296 | npy '<f4' '1, 1, 18, 18' >real.npy
(cd alone && ./example ../real.npy ../place.npy) >said.real 2>&1 || grep -qF "real.npy: is of real numbers, and the net reads bytes: numpy's (255 * x).round().astype('u1') of numbers from 0 to 1" said.real || fault "real numbers for bytes: $(cat said.real)"
python3 - <<'END' || fault "the example prints other numbers: $(head -3 said)"
import struct
want = struct.unpack("<60f", open("want.h", "rb").read())
said = open("said").read().split("example 0, v:")[0].split()[3:]
assert [float(s) for s in said] == [float("%.6g" % v) for v in want[:12]], said
END
python3 - <<'END'
import struct, zlib
pixels = open("data/test_image.npy", "rb").read()[128 + 5 * 324:128 + 6 * 324]
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
lines, above = b"", bytes(18)
for i in range(18):
    line = pixels[18 * i:18 * i + 18]
    kind = i % 5
    def guess(j):
        a, b, c = line[j - 1] if j else 0, above[j], above[j - 1] if j else 0
        p = a + b - c
        return [0, a, b, (a + b) // 2, min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]][kind]
    lines += bytes([kind]) + bytes((line[j] - guess(j)) % 256 for j in range(18))
    above = line
for name, level in (("stored", 0), ("fixed", 9)):
    z = zlib.compressobj(level, zlib.DEFLATED, 15, 8, zlib.Z_FIXED if level else zlib.Z_DEFAULT_STRATEGY)
    data = z.compress(lines) + z.flush()
    open(name + ".png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 18, 18, 8, 0, 0, 0, 0)) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
data = zlib.compress(lines * 1, 9)
open("dynamic.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 18, 18, 8, 0, 0, 0, 0)) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
b = open("place.npy", "rb").read()
open("one.npy", "wb").write(b[:140])
END
(cd alone && ./example ../image.npy ../place.npy) | sed '/^example 1/,$d' >want.said
for name in stored fixed dynamic; do (cd alone && ./example ../$name.png ../one.npy) >said 2>&1 && diff said want.said >/dev/null || fault "$name.png: $(head -3 said)"; done

# ---- two nets in one C++ program, each on several threads with one set of weights --------------------------------------------------
cat >other.yaml <<'END'
model: other
inputs: { image: { shape: [1, 18, 18], dtype: u8 }, place: { shape: [3] } }
targets: { y: { length: 2, classes: 3 } }
flow:
  - p: { dense: place, units: 8 }
  - q: { dense: image, units: 8, act: relu }
  - v: { dense: p + q, units: 6 }
  - w: { reshape: v, shape: [2, 3] }
loss: { cross_entropy: [w, y] }
END
python3 - <<'END'
import struct, zipfile
with zipfile.ZipFile("other.npz", "w") as z:
    for name, shape in (("p.weight", (8, 3)), ("p.bias", (8,)), ("q.weight", (8, 324)), ("q.bias", (8,)), ("v.weight", (6, 8)), ("v.bias", (6,))):
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        head = ("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)).ljust(117) + "\n"
        z.writestr(name + ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{n}f", *[(k * 29 % 31 - 15) / 64 for k in range(n)]))
END
run "$SPNC" build other.yaml --for inference --batch 16 --outputs w --weights other.npz -o other
cat >two.cpp <<'END'
#include "other.h"
#include "wide.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
static unsigned char image[9 * 324];
static float place[27];
static int wrong = 0;
template <class Net, class In, class Out, class Open, class Run> static void calls(Open open, Run run, float *Out::*answer_of, size_t bytes, int times, float *answer, bool first)
{
    void *memory = std::aligned_alloc(64, bytes);
    Net *net;
    if (open(&net, memory, bytes, nullptr, 0))
        std::abort();
    for (int k = 0; k < times; k++) {
        float v[9 * 6];
        const In in = { image, place };
        Out out = {};
        out.*answer_of = v;
        run(net, 9, &in, &out);
        if (first)
            std::memcpy(answer, v, sizeof v);
        else if (std::memcmp(answer, v, sizeof v))
            __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    }
    std::free(memory);
}
int main()
{
    static float a[54], b[54];
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (unsigned char)(i * 31 % 251);
    for (int i = 0; i < 27; i++)
        place[i] = (float)i / 8;
    calls<wide, wide_inputs, wide_outputs>(wide_open, wide_run, &wide_outputs::v, WIDE_MEMORY, 1, a, true);
    calls<other, other_inputs, other_outputs>(other_open, other_run, &other_outputs::w, OTHER_MEMORY, 1, b, true);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([] { calls<wide, wide_inputs, wide_outputs>(wide_open, wide_run, &wide_outputs::v, WIDE_MEMORY, 1000, a, false); });
        threads.emplace_back([] { calls<other, other_inputs, other_outputs>(other_open, other_run, &other_outputs::w, OTHER_MEMORY, 1000, b, false); });
    }
    for (auto &t : threads)
        t.join();
    std::printf("%d wrong, %s\n", wrong, std::memcmp(a, b, sizeof a) ? "two nets" : "one net");
}
END
if command -v g++ >/dev/null; then
    run g++ -std=c++17 -O1 -Wall -Wextra -Ilanes -Iother two.cpp lanes/libwide.a other/libother.a -pthread -o two
    [ "$(./two)" = "0 wrong, two nets" ] || fault "two nets, eight threads: $(./two)"
fi

# ---- whole numbers as an input, weights of double numbers from a file, output names that meet in C: the example answers as grad does ----------
cat >words.yaml <<'END'
model: words
batch: 4
inputs: { word: { shape: [3], dtype: i32, classes: 7 } }
targets: { y: { classes: 2 } }
flow:
  - e: { embedding: word, units: 4 }
  - n: { lstm: [e, z, z], units: 2 }
  - n_h: { dense: n.h, units: 2 }
  - count: { dense: n_h, units: 2 }
loss: { cross_entropy: [count, y] }
outputs: [n.h, n_h, count]
END
sed -i 's/^flow:/&\n  - z: { constant: 0, shape: [2] }/' words.yaml
mkdir words
python3 - <<'END'
import struct
head = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"
for name, numbers in (("test_word", (0, 3, 6, 5, 1, 2)), ("far", (-4, 3, 99, 5, 1, 2))):
    text = head.ljust(117) + "\n"
    open(f"words/{name}.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + struct.pack("<6i", *numbers))
END
printf '\0\0' | npy '|u1' '2,' >words/test_y.npy
run "$SPNC" build words.yaml --precision double -o words_trainer || exit 1
run words_trainer/words export --seed 4 -o words.npz
run words_trainer/words grad --weights words.npz --data words --split test --first 0 -o words_grad.npz
run "$SPNC" build words.yaml --precision double --for inference --weights words.npz -o words_library || exit 1
run "$SPNC" emit words.yaml --precision double --for inference -o words_bare || exit 1
run make -s -C words_bare example
run make -s -C words_library example
words_library/example words/test_word.npy >near && words_library/example words/far.npy >far && words_bare/example words_library/words.weights words/test_word.npy >bare || fault "the example of words ends with $?"
cmp -s near far || fault "a number out of range does not count as the nearest"
cmp -s near bare || fault "weights of a file do not answer as those compiled in"
python3 - <<'END' || fault "words: the example does not answer as grad does: $(cat near)"
import re, struct, zipfile
said = [float(x) for x in re.findall(r"(?<= )-?[0-9.e+-]+(?=[ \n])", re.sub(r"example \d+, [a-z_.]+:", "", open("near").read()))]
wanted = []
with zipfile.ZipFile("words_grad.npz") as z:
    values = {name: z.read(f"out/{name}.npy") for name in ("n.h", "n_h", "count")}
numbers = {k: struct.unpack("<4d", b[-32:]) for k, b in values.items()}
for example in range(2):
    for name in ("n.h", "n_h", "count"):
        wanted += numbers[name][2 * example:2 * example + 2]
assert len(said) == 12 and all(abs(a - b) <= 1e-5 * max(1, abs(b)) for a, b in zip(said, wanted)), (said, wanted)
END

# ---- members have the model's names, words of the runtime too; what cannot be a member has an underscore, and the header says whose it is ---------------
cat >ports.yaml <<'END'
model: ports
inputs: { mask: { shape: [2] }, step: { shape: [2] }, weights: { shape: [2] }, class: { shape: [2] }, template: { shape: [2] }, NAN: { shape: [2] }, L: { shape: [2] } }
targets: { y: { classes: 2 } }
flow:
  - z: { constant: 0, shape: [2] }
  - batch: { dense: mask + step + weights, units: 2 }
  - n: { lstm: [batch, z, z], units: 2 }
  - n_h: class + template + NAN + L + n.h
  - real: batch + n_h
loss: { cross_entropy: [real, y] }
outputs: [n.h, n_h, batch, real]
END
cat >ports.cpp <<'END'
#include "ports.h"
#include <cmath>
#include <cstdio>
static unsigned char memory[PORTS_MEMORY + 64];
int main()
{
    float x[2] = { 1, 2 }, h[2], n[2], batch[2], real[2];
    ports_inputs in = {};
    ports_outputs out = {};
    in.mask = in.step = in.weights = in.class_ = in.template_ = in.NAN_ = in.L = x;
    out.n_h_ = h, out.n_h = n, out.batch = batch, out.real = real;
    ports *net;
    if (ports_open(&net, memory + (64 - (size_t)memory % 64) % 64, PORTS_MEMORY, nullptr, 0) || ports_run(net, 1, &in, &out))
        return 1;
    return !(n[0] == 4 + h[0] && n[1] == 8 + h[1] && real[0] == batch[0] + n[0]);
}
END
run "$SPNC" build ports.yaml -o ports_trainer && run ports_trainer/ports export --seed 3 -o ports.npz
for form in lanes latency; do
    run "$SPNC" build ports.yaml --for python --form $form --weights ports.npz -o ports_$form && run make -s -C ports_$form example CFLAGS="-O0 -Wall -Wextra -Werror" || continue
    for line in 'const float \*mask;    /\* \[count\]\[2\] \*/' 'const float \*class_;    /\* \[count\]\[2\], `class` of the model \*/' 'float \*n_h_;    /\* \[count\]\[2\], `n.h` of the model \*/' 'float \*n_h;    /\* \[count\]\[2\] \*/'; do
        grep -q "^    $line$" ports_$form/ports.h || fault "ports.h, $form: no line $line"
    done
    ! command -v g++ >/dev/null || { run g++ -Wall -Wextra -Werror -Iports_$form ports.cpp ports_$form/libports.a -lm -o ports_main && run ./ports_main; } || fault "ports, $form"
done
python=$(sh "$root/tests/python.sh" numpy) && { PYTHONPATH=ports_lanes "$python" - <<'END' || fault "the package of ports"; }
import numpy as np
import ports
x = np.array([1, 2], "f4")
y = ports.Net()(**{name: x for name in ("mask", "step", "weights", "class", "template", "NAN", "L")})
assert sorted(y) == ["batch", "n.h", "n_h", "real"] and np.allclose(y["n_h"], 4 * x + y["n.h"])
END

# ---- what is refused --------------------------------------------------------------------------------------------------------------------
refused() {     # refused CODE TEXT OPTION...: emitting ends with the code, says the text, writes nothing
    local code=$1 text=$2
    shift 2
    "$SPNC" emit wide.yaml --for inference -o nowhere "$@" >said 2>&1
    [ $? = "$code" ] && grep -qF -- "$text" said && [ ! -e nowhere ] || fault "$*: expected $code, '$text', got: $(head -3 said)"
}
refused 1 "error: w.npz: parameter front.conv2.weight has shape [9][8][3][3], expected [10][8][3][3]" --set f=10 --weights w.npz
refused 1 "error: w.npz: parameter h.weight_ih has shape [18][36], expected [18][40]" --set f=10 --weights w.npz
refused 1 "wide.yaml:9:" --set f=10 --weights w.npz
python3 - <<'END'
import zipfile
with zipfile.ZipFile("w.npz") as z, zipfile.ZipFile("renamed.npz", "w") as out:
    for name in z.namelist():
        out.writestr(name.replace("p.bias", "q.bias"), z.read(name))
END
refused 1 "error: renamed.npz: parameter p.bias is missing; did you mean 'q.bias'?" --weights renamed.npz
refused 1 "error: renamed.npz: the net has no parameter q.bias" --weights renamed.npz
sed 's/ p: / pp: /; s/, p\]/, pp]/' wide.yaml >renamed.yaml
"$SPNC" emit renamed.yaml --for inference --weights run -o nowhere >said 2>&1
[ $? = 1 ] && grep -q "run/[a-z.]*: the net has no parameter p.weight" said && grep -q "parameter pp.bias is missing" said || fault "the run of another net: $(head -3 said)"
python3 - <<'END'
import zipfile
with zipfile.ZipFile("w.npz") as z, zipfile.ZipFile("counted.npz", "w") as norm, zipfile.ZipFile("foreign.npz", "w") as cell:
    for name in z.namelist():
        norm.writestr(name, z.read(name)), cell.writestr(name, z.read(name))
    count = z.read("p.bias.npy")
    norm.writestr("front.batch_norm1.num_batches_tracked.npy", count), cell.writestr("h.num_batches_tracked.npy", count)
END
run "$SPNC" emit wide.yaml --for inference --weights counted.npz -o counted
refused 1 "error: foreign.npz: the net has no parameter h.num_batches_tracked" --weights foreign.npz
head -c 500 w.npz >cut.npz
refused 1 "error: cut.npz: " --weights cut.npz
refused 1 "error: data is no run" --weights data
refused 1 "error: nothing.npz: cannot read it" --weights nothing.npz
refused 1 "wide.yaml:11:3: error: --outputs: the flow has no value 'w'" --outputs v,w
refused 2 "--debug is for training" --debug
CC=false "$SPNC" build wide.yaml --for inference -o broken >said 2>&1
[ $? = 74 ] && grep -q 'the C compiler failed; its messages are above (it needs a C compiler and make)$' said || fault "a compiler that fails: $(cat said)"
case $(uname -m) in x86_64) foreign=neon cross=aarch64 ;; aarch64) foreign=avx2 cross=x86_64 ;; *) foreign= ;; esac
[ -z "$foreign" ] || { env -u CC "$SPNC" build wide.yaml --for inference --target $foreign -o foreign >said 2>&1
    [ $? = 2 ] && grep -q "does not compile for $foreign: .spnc emit. writes the folder.*make CC=$cross-linux-gnu-gcc" said && [ ! -e foreign ] || fault "build for another machine: $(cat said)"; }
if command -v clang >/dev/null; then
    for form in lanes latency; do
        run "$SPNC" emit wide.yaml --for inference --form $form --batch 9 --target generic -o clang_$form && run make -s -C clang_$form example CC=clang CFLAGS="-O0 -Wall -Wextra -Werror"
    done
fi
refused 2 "--plain is a form of its own: leave out --form latency" --plain --form latency
refused 2 "--form cannot be 'lane'; did you mean 'lanes'?" --form lane
"$SPNC" emit wide.yaml --weights w.npz -o nowhere >said 2>&1
[ $? = 2 ] && grep -q -- "--weights is for --for inference" said || fault "--weights alone: $(cat said)"
"$SPNC" emit wide.yaml --form latency -o nowhere >said 2>&1
[ $? = 2 ] && grep -q -- "--form is for --for inference" said || fault "--form alone: $(cat said)"
exit $failed
