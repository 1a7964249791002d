#!/usr/bin/env bash
# test_predict.sh -- a net used on pictures from anywhere, its answers as text, JSON and .npz; runs compared.
# usage: tests/test_predict.sh [CC] [flags for the compiler...]; prints what failed and exits 1.  PREDICT_MUTATIONS (400)
# damaged files are tried; CC's flags may be those of the sanitizers.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true

# expect CODE TEXT COMMAND...: the exit code, and a text (a basic regular expression; none if empty) in the output
expect() {
    local code=$1 text=$2 got
    shift 2
    "$@" >"$work/output" 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: ${*//$work\//}: $(head -3 "$work/output")"
    [ -z "$text" ] || grep -q -e "$text" "$work/output" || fault "no '$text' from: ${*//$work\//}: $(head -3 "$work/output")"
}

(cd "$work" && { sources; echo "$root/tests/fixtures/tiny_net.c"; } |
    xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c) || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp "$work"/*.o -lz -lpng -ljpeg -lm -o "$work/tiny" || exit 1
tiny=$work/tiny

# ---- pictures: the same 4 x 4 pixels in every form; then some of another size, and damaged ones ----------------------
python3 - "$work" <<'END'
import os, random, struct, sys, zlib
random.seed(3)
work = sys.argv[1]
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(width, height, depth, colour, rows):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b""))
def npy(descr, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data
def put(name, data): open(os.path.join(work, name), "wb").write(data)
p = bytes(random.randrange(256) for _ in range(16))
rows = [p[4 * i:4 * i + 4] for i in range(4)]
thrice = lambda b: bytes(v for v in b for _ in range(3))
os.makedirs(work + "/empty"); os.makedirs(work + "/data")
os.makedirs(work + "/same")
put("same/a_grey.png", png(4, 4, 8, 0, rows))
put("same/b_rgb.png", png(4, 4, 8, 2, [thrice(r) for r in rows]))
put("same/c_rgba.png", png(4, 4, 8, 6, [bytes(w for v in r for w in (v, v, v, 255)) for r in rows]))
put("same/d_16bit.png", png(4, 4, 16, 0, [bytes(v for v in r for _ in range(2)) for r in rows]))
put("same/e_p5.pgm", b"P5\n# a comment\n4 4\n255\n" + p)
put("same/f_p2.pgm", b"P2 4 4 255 " + b" ".join(b"%d" % v for v in p))
put("same/g_p6.ppm", b"P6 4 4 255\n" + thrice(p))
put("same/h_p3.PPM", b"P3\n4 4\n255\n" + b"\n".join(b"%d" % v for v in thrice(p)) + b"\n")
put("same/i_wide.pgm", b"P5 4 4 65535 " + bytes(v for v in p for _ in range(2)))
put("same/j.npy", npy("|u1", (1, 4, 4), p))
put("same/k_plane.npy", npy("|u1", (4, 4), p))
put("same/l_two.npy", npy("|u1", (2, 1, 4, 4), p + p))
put("same/m.pam", b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n" + bytes(w for v in p for w in (v, 255)))
put("same/notes.txt", b"not a picture")
put("same/._a_grey.png", b"what a Mac leaves behind")
put("same/.b_rgb.png", b"")
put("clear.png", png(4, 4, 8, 4, [bytes(w for v in r for w in (v, 0)) for r in rows]))
put("white.png", png(4, 4, 8, 0, [b"\xff" * 4] * 4))
put("big.png", png(8, 8, 8, 0, [bytes(v for v in r for _ in range(2)) for r in rows for _ in range(2)]))
put("wide.pgm", b"P5 9 3 255\n" + bytes(27))
put("odd.npy", npy("|u1", (9, 7), bytes(63)))
put("f4.npy", npy("<f4", (1, 4, 4), bytes(64)))
put("none.npy", npy("|u1", (0, 1, 4, 4), b""))
put("cut.png", png(4, 4, 8, 0, rows)[:60])
put("crc.png", png(4, 4, 8, 0, rows).replace(b"IDAT", b"IDAU"))
put("cut.pgm", b"P5 4 4 255\n" + p[:9])
put("huge.pgm", b"P5 2000000000 2000000000 255\n" + p)
put("bad.pgm", b"P2 4 4 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 77")
put("zero.png", png(0, 4, 8, 0, []))
put("text.png", b"hello, world")
put("nothing.png", b"")
for split, n in (("train", 60), ("valid", 25), ("test", 33)):
    images = bytes(random.randrange(256) for _ in range(16 * n))
    labels = bytes(2 * (images[16 * i + k] > 127) + (images[16 * i + k + 5] > 127) for i in range(n) for k in range(2))
    put("data/%s_image.npy" % split, npy("|u1", (n, 1, 4, 4), images))
    put("data/%s_digits.npy" % split, npy("|u1", (n, 2), labels))
END
data=$work/data
expect 0 'finished' "$tiny" train --data "$data" --run "$work/a" --epochs 6 --seed 1
expect 0 'finished' "$tiny" train --data "$data" --run "$work/b" --epochs 6 --seed 2

# ---- one picture, one answer ---------------------------------------------------------------------------------------------
expect 0 'l_two.npy\[1\]' "$tiny" predict "$work/same" --run "$work/a"
grep -q 'warning: .*/same: left out, no .*: notes.txt$' "$work/output" || fault "what a folder has beside pictures: $(grep warning "$work/output")"
[ "$(grep -c '^  digits' "$work/output")" = 14 ] || fault "a folder of thirteen files: $(grep -c '^  digits' "$work/output") answers"
[ "$(grep '^  digits' "$work/output" | sort -u | wc -l)" = 1 ] || fault "the same pixels are read differently: $(cat "$work/output")"
[ "$(grep '^  A' "$work/output" | sort -u | wc -l)" = 1 ] || fault "the same pixels are looked at differently"
grep '^  digits' "$work/output" | head -1 >"$work/expected"
for file in "$work"/same/*.*[!t]; do
    "$tiny" predict - --run "$work/a" <"$file" 2>&1 | grep '^  digits' | head -1 | cmp -s - "$work/expected" || fault "standard input: $file"
done
"$tiny" predict --fit "$work/big.png" --run "$work/a" | grep '^  digits' | cmp -s - "$work/expected" && fault "a scaled picture has the pixels of another"
expect 0 'odd.npy' "$tiny" predict --fit "$work/big.png" "$work/wide.pgm" "$work/odd.npy" --run "$work/a" --picture "$work/p.png"
[ "$(head -c 4 "$work/p.png" | tail -c 3)" = PNG ] || fault "no picture"
expect 0 '"file": ".*a_grey.png", "targets": {"digits": {"read": \[[0-3], [0-3]\], "probabilities": \[0' "$tiny" predict "$work/same/a_grey.png" --run "$work/a" --json
expect 0 '33 examples' "$tiny" predict --data "$data" --run "$work/a" --count 100 -o "$work/a.npz"
python3 - "$work/a.npz" <<'END' || fault "a.npz"
import struct, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
shapes = {n: z.read(n)[10:10 + struct.unpack("<H", z.read(n)[8:10])[0]].decode() for n in z.namelist()}
for name, shape in (("read/digits", "(33, 2)"), ("probability/digits", "(33, 2, 4)"), ("label/digits", "(33, 2)"), ("transform/A", "(33, 2, 3)")):
    assert shape in shapes[name + ".npy"], shapes
END

# ---- several pictures in one stream or file -------------------------------------------------------------------------------
cat "$work"/same/a* "$work"/same/e* "$work"/same/f* "$work"/same/h* "$work"/same/j* "$work"/same/l* "$work"/same/d* "$work"/same/i* >"$work/stream"
expect 0 '^standard input, picture 8$' "$tiny" predict - --run "$work/a" <"$work/stream"
[ "$(grep -c '^  digits' "$work/output")" = 9 ] && [ "$(grep '^  digits' "$work/output" | sort -u | cmp - "$work/expected" && echo same)" = same ] || fault "nine pictures in a stream: $(cat "$work/output")"
grep -q '^standard input, picture 6\[1\]$' "$work/output" && ! grep -q warning "$work/output" || fault "names in a stream: $(grep input "$work/output")"
expect 0 'picture 8' "$tiny" predict "$work/stream" --run "$work/a"
[ "$(grep -c '^  digits' "$work/output")" = 9 ] || fault "nine pictures in a file: $(cat "$work/output")"
cat "$work/same/a_grey.png" "$work/same/e_p5.pgm" "$work/same/notes.txt" >"$work/tail"
for from in - "$work/tail"; do
    expect 0 'warning: .*: 13 bytes behind picture 2 are ignored: they begin no picture that is known' "$tiny" predict "$from" --run "$work/a" <"$work/tail"
    [ "$(grep -c '^  digits' "$work/output")" = 2 ] || fault "two pictures before a text: $(cat "$work/output")"
done
cat "$work/same/a_grey.png" "$work/cut.png" >"$work/torn"
expect 1 'standard input, picture 2: found a PNG that libpng refuses' "$tiny" predict - --run "$work/a" <"$work/torn"
expect 1 'torn, picture 2: found a PNG that libpng refuses' "$tiny" predict "$work/torn" --run "$work/a"
! grep -q '^  digits' "$work/output" || fault "an answer before a damaged picture of a file"
cat "$work/same/a_grey.png" "$work/big.png" >"$work/sizes"
expect 1 'standard input, picture 2: found 8 x 8 pixels' "$tiny" predict - --run "$work/a" <"$work/sizes"
# As JSON a stream that breaks is still one whole text, with every answer that was given; without one there is no text.
head -c 30 "$work/same/a_grey.png" >"$work/begun"
cat "$work/same/a_grey.png" "$work/same/e_p5.pgm" "$work/begun" >"$work/broken"
cat "$work/same/a_grey.png" "$work/same/e_p5.pgm" "$work/crc.png" "$work/same/e_p5.pgm" >"$work/bad_third"
head -c -3 "$work/bad_third" >"$work/bad_and_cut"
for file in broken bad_third bad_and_cut; do
    expect 1 'standard input, picture 3: ' "$tiny" predict - --run "$work/a" <"$work/$file"
    [ "$(grep -c '^  digits' "$work/output")" = 2 ] || fault "two answers before $file: $(cat "$work/output")"
    "$tiny" predict - --run "$work/a" --json <"$work/$file" >"$work/text.json" 2>"$work/output"
    [ $? = 1 ] && grep -q 'error: standard input, picture 3: ' "$work/output" || fault "$file as JSON: $(cat "$work/output")"
    python3 -c 'import json, sys; assert [e["example"] for e in json.load(open(sys.argv[1]))["examples"]] == [0, 1]' "$work/text.json" || fault "$file: $(cat "$work/text.json")"
done
"$tiny" predict - --run "$work/a" --json <"$work/begun" >"$work/text.json" 2>"$work/output"
[ $? = 1 ] && [ ! -s "$work/text.json" ] || fault "JSON without an answer: $(cat "$work/text.json" "$work/output")"
cat "$work/same/j.npy" "$work/same/notes.txt" >"$work/long.npy"
expect 1 'long.npy: ' "$tiny" predict "$work/long.npy" --run "$work/a"
expect 0 '"example": 2, "file": "standard input, picture 3"' "$tiny" predict - --run "$work/a" --json <"$work/stream"
python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))["examples"]) == 9' "$work/output" || fault "a stream as JSON"
expect 0 '9 examples' "$tiny" predict - --run "$work/a" -o "$work/stream.npz" --picture "$work/p.png" <"$work/stream"
expect 1 'standard input: found u1 \[0\]\[1\]\[4\]\[4\], expected one or more examples' "$tiny" predict - --run "$work/a" <"$work/none.npy"
# Pictures are answered as they arrive: the second is sent when the first answer is there.
mkfifo "$work/in"
"$tiny" predict - --run "$work/a" <"$work/in" >"$work/answers" 2>&1 &
asked=$!
exec 4>"$work/in"
for k in 1 2 3; do
    cat "$work/same/e_p5.pgm" >&4
    wait_for $asked "answer $k" sh -c "[ \$(grep -c '^  A' '$work/answers') = $k ]"
done
head -c 40 "$work/same/a_grey.png" >&4
tail -c +41 "$work/same/a_grey.png" >&4
exec 4>&-
wait $asked && [ "$(grep -c '^  digits' "$work/answers")" = 4 ] || fault "a stream that is slow: $(cat "$work/answers")"

# ---- errors are reported ---------------------------------------------------------------------------------------------------
try() { expect 1 "$1" "$tiny" predict "$work/$2" --run "$work/a"; grep -q "$2" "$work/output" || fault "$2 is not named"; }
try 'found 8 x 8 pixels, expected 4 x 4.*--fit' big.png
try 'found 9 x 3 pixels, expected 4 x 4.*--fit' wide.pgm
try 'found u1 \[9\]\[7\], expected u1 \[1\]\[4\]\[4\]' odd.npy
try 'found f4 \[1\]\[4\]\[4\], expected u1' f4.npy
try 'expected one or more' none.npy
try 'found a PNG that libpng refuses' cut.png
try 'found a PNG that libpng refuses' crc.png
try 'found 9 bytes.*expected 16' cut.pgm
try 'found 2000000000 x 2000000000 pixels' huge.pgm
try 'found no number from 0 to 9 for sample 15' bad.pgm
try 'refuses' zero.png
try 'no kind of picture.*expected PNG' text.png
try 'empty' nothing.png
try 'no picture in this folder' empty
try 'missing.png' missing.png
expect 1 'standard input: found nothing' "$tiny" predict - --run "$work/a" </dev/null
expect 2 'either --data DIR or pictures' "$tiny" predict --run "$work/a"
expect 2 'not both' "$tiny" predict --run "$work/a" --data "$data" x.png
expect 2 'ends in .npz' "$tiny" predict --run "$work/a" --data "$data" -o x.png

# ---- transparency ---------------------------------------------------------------------------------------------------------
expect 1 'clear.png: found transparency (column 0, row 0).*--ground 255' "$tiny" predict "$work/clear.png" --run "$work/a"
expect 0 '' "$tiny" predict "$work/white.png" --run "$work/a"
tail -n +2 "$work/output" >"$work/expected"
expect 0 '' "$tiny" predict "$work/clear.png" --run "$work/a" --ground 255
tail -n +2 "$work/output" | cmp -s - "$work/expected" || fault "a clear picture on white is not white"
expect 2 'expected a whole number from 0 to 255' "$tiny" predict "$work/clear.png" --run "$work/a" --ground 256
expect 2 'ground is for pictures' "$tiny" predict --data "$data" --run "$work/a" --ground 255

# ---- damaged files: refused or read, never a crash ----------------------------------------------------------------------------
"$tiny" export --run "$work/a" -o "$work/w.npz" >/dev/null
python3 - "$tiny" "$work" "${PREDICT_MUTATIONS:-400}" <<'END' || fault "a damaged file"
import glob, random, struct, subprocess, sys, zlib
tiny, work, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(4)
seeds = [open(f, "rb").read() for f in sorted(glob.glob(work + "/same/*.[pnP]*")) + [work + "/big.png", work + "/odd.npy"]]
def sums(b):                                   # so that damage gets past the checksums of a PNG's chunks
    o, i = bytearray(b), 8
    while i + 12 <= len(o):
        n = struct.unpack(">I", o[i:i + 4])[0]
        if n > len(o) - i - 12: break
        o[i + 8 + n:i + 12 + n] = struct.pack(">I", zlib.crc32(bytes(o[i + 4:i + 8 + n])))
        i += 12 + n
    return bytes(o)
for t in range(count):
    b = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 2, 4))):
        i = random.randrange(len(b)) if b else 0
        k = random.randrange(5)
        if k == 0 and b: b[i] ^= 1 << random.randrange(8)
        elif k == 1 and b: b[i] = random.choice(b"0123456789 \n#-\xff\0")
        elif k == 2: del b[i:i + random.randrange(1, 6)]
        elif k == 3: b[i:i] = random.randbytes(random.randrange(1, 6))
        else: b[i:i + 4] = struct.pack(">I", random.choice((0, 1, 0x7fffffff, 0xffffffff)))
    b = sums(bytes(b)) if random.random() < 0.7 and b[:4] == b"\x89PNG" else bytes(b)
    open(work + "/mutant", "wb").write(b)
    r = subprocess.run([tiny, "predict", work + "/mutant", "--weights", work + "/w.npz", "--threads", "1"] + ["--fit"] * (t % 2), capture_output=True)
    ours = r.returncode == 0 or (r.returncode == 1 and (b"mutant: " in r.stderr or b"mutant, picture" in r.stderr))
    if not ours or b"Sanitizer" in r.stderr or b"runtime error" in r.stderr:
        print(t, r.returncode, b, r.stderr[-600:], file=sys.stderr)
        sys.exit(1)
END

# ---- runs side by side ----------------------------------------------------------------------------------------------------------
expect 0 'only 1 wrong *[0-9]*, only 2 wrong *[0-9]*, p ' "$tiny" compare "$work/a" "$work/b" --data "$data"
expect 0 'only 1 wrong *0, only 2 wrong *0, p 1 ' "$tiny" compare "$work/a" "$work/a.npz" --data "$data"
expect 0 '"labels": {"error": 0\..*"mcnemar": \[{"first": 0, "second": 1, "of": "labels"' "$tiny" compare "$work/a" "$work/b" --data "$data" --json
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/output" || fault "compare --json is no JSON"
expect 2 'two runs or more' "$tiny" compare "$work/a" --data "$data"
expect 1 'expected i4 \[25\]\[2\]' "$tiny" compare "$work/a" "$work/a.npz" --data "$data" --split valid
expect 1 'no checkpoint' "$tiny" compare "$work/a" "$work/none" --data "$data"

[ $failed = 0 ] && echo "test_predict: fine"
exit $failed
