#!/usr/bin/env bash
# test_pack.sh -- pictures and arrays of a user's own become data that a small net reads; errors name the file.
# usage: tests/test_pack.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
spnc=$SPNC
pack="$(dirname "$spnc")/spn-data pack"
python=$(sh "$root/tests/python.sh" numpy yaml)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >"$work/output" 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: ${*//$work\//}: $(head -3 "$work/output")"
    [ -z "$text" ] || grep -q -e "$text" "$work/output" || fault "no '$text' from: ${*//$work\//}: $(head -5 "$work/output")"
    [ "$code" = 0 ] || [ ! -d "$work/new" ] || [ -z "$(find "$work/new" -name '*.npy' -o -name '.spn-*')" ] || fault "left behind: $(ls -A "$work/new")"
}
cd "$work" || exit 1

"$python" - <<'PYTHON' || exit 1
import os, struct, zlib
import numpy as np
rng = np.random.default_rng(5)
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(a):
    colour = 2 if a.ndim == 3 else 0
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 8, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r.tobytes() for r in a))) + chunk(b"IEND", b""))
def pgm(a): return b"P5 %d %d 255\n" % (a.shape[1], a.shape[0]) + a.tobytes()
def put(name, data):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    open(name, "wb").write(data)
def picture(k, h=8, w=8):                      # a bright quarter names the class
    a = rng.integers(0, 60, (h, w)).astype("u1")
    a[k // 2 * h // 2:][:h // 2, k % 2 * w // 2:][:, :w // 2] += 150
    return a
for i in range(160):
    k = i % 4
    put(f"classes/{'up-left,up-right,down-left,down-right'.split(',')[k]}/img{i}." + ("png" if i % 3 else "pgm"), (png if i % 3 else pgm)(picture(k)))
put("classes/up-left/notes.txt", b"no picture")
for split, n in (("train", 40), ("test", 12)):
    for i in range(n): put(f"split/{split}/{i % 2 + 9}/p{i}.png", png(np.full((8, 8), 10 * (split == "test") + i, "u1")))
lines = ["filename,first,second"]
for i in range(50):
    put(f"table/{i}.png", png(np.full((4, 6), i, "u1")))
    lines.append(f'"{i}.png",{i % 3},{i % 5}')
put("labels.csv", "\r\n".join(lines).encode())
put("words.tsv", "".join(f"{i}.png\t{('b', 'a 1', 'c')[i % 3]}\n" for i in range(50)).encode())
def bits(a): return b"P4 %d %d\n" % (a.shape[1], a.shape[0]) + np.packbits(a, axis=1).tobytes()
def deep(a):                                   # 16 bits, grey and opacity
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 16, 4, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r.astype(">u2").tobytes() for r in a))) + chunk(b"IEND", b""))
ink = rng.integers(0, 2, (8, 8)).astype("u1")
put("kinds/a/0.pbm", bits(ink)); put("kinds/a/1.png", png(255 - 255 * ink)); put("kinds/a/.hidden.png", b"x"); put("kinds/__MACOSX/a/._0.pbm", b"x")
clear = np.zeros((8, 8, 2), "u2"); clear[..., 1] = 65535 * ink.astype("u2")
put("clear/a/0.png", deep(clear)); put("clear/a/1.png", deep(clear))
np.save("ink.npy", ink)
for name, shape in {"hwc": (10, 28, 28, 3), "chw": (10, 3, 28, 28), "low": (10, 4, 28, 3)}.items():
    np.save(name + ".npy", np.arange(np.prod(shape)).reshape(shape).astype("u1"))
np.save("u1.npy", np.arange(30 * 4 * 4, dtype="u1").reshape(30, 4, 4))
np.save("f8.npy", np.arange(30 * 3, dtype="f8").reshape(30, 3) / 90)
np.save("y.npy", (np.arange(30) % 3).astype("i8"))
np.save("real.npy", np.arange(30, dtype="f8") / 30)
# what is wrong
put("odd/a/0.png", png(picture(0))); put("odd/a/1.png", png(picture(0, 10, 6))); put("odd/a/2.png", png(picture(0)))
put("colour/a/0.png", png(picture(0))); put("colour/a/1.png", png(rng.integers(0, 255, (8, 8, 3)).astype("u1"))); put("colour/a/2.png", png(picture(0)))
put("corrupt/a/0.png", png(picture(0))); put("corrupt/a/cut.png", png(picture(0))[:70]); put("corrupt/a/empty.png", b""); put("corrupt/a/text.pgm", b"hello there")
put("mixed/x.png", png(picture(0))); put("mixed/a/0.png", png(picture(0)))
put("deep/a/b/0.png", png(picture(0)))
os.makedirs("empty/a")
put("twice.csv", b"1.png,0\n2.png,1\n1.png,1\n"); put("ragged.csv", b"1.png,0,1\n2.png,1\n"); put("missing.csv", b"1.png,0\nnone.png,1\n")
put("hole.csv", b"1.png,0\n2.png,\n"); put("bare.csv", b"1.png\n"); put("nul.csv", b"1.png,0\n\0\n")
np.save("nan.npy", np.where(np.arange(90).reshape(30, 3) == 50, np.nan, 1.0))
np.save("negative.npy", -np.arange(30)); np.save("short.npy", np.arange(29)); np.save("complex.npy", np.zeros((3, 3), "c8")); np.save("none.npy", np.zeros((0, 3), "f4"))
PYTHON

# ---- a folder for each class, as far as a net that has learned from it --------------------------------------------------
expect 0 'classes: 4' $pack classes --target corner -o a
grep -q 'inputs:  { image: { shape: \[1, 8, 8\], dtype: u8 } }' output || fault "what the model should say"
grep -q '1 file left out.*notes.txt' output || fault "a file was left out silently"
cmp -s a/corner_classes.txt <(printf 'down-left\ndown-right\nup-left\nup-right\n') || fault "names of classes: $(cat a/corner_classes.txt)"
cat >corner.yaml <<'YAML'
model: corner
batch: 16
inputs: { image: { shape: [1, 8, 8], dtype: u8 } }
targets: { corner: { classes: 4 } }
flow:
  - read: { dense: image, units: 4 }
loss: { cross_entropy: [read, corner] }
train: { optimiser: { adam: { rate: 0.02 } }, epochs: 12, seed: 1 }
YAML
CFLAGS=-O1 "$spnc" build corner.yaml -o corner >output 2>&1 || fault "the net does not build: $(cat output)"
expect 0 'finished' corner/corner train --data a --run run --threads 1
expect 0 '"corner": {"mean": 0,' corner/corner eval --data a --run run --split test --json
expect 0 '' $pack classes --target corner -o b --seed 1
cmp -s a/train_image.npy b/train_image.npy || fault "one seed gives two sets"
expect 0 '' $pack classes --target corner -o b --seed 2
cmp -s a/train_image.npy b/train_image.npy && fault "two seeds give one set"
for name in hwc chw low; do
    expect 0 '' $pack $name.npy -o "channels-$name"
    [ $name = hwc ] || ! grep -q 'channels last' "$work/output" || fault "$name.npy has its channels first: $(cat "$work/output")"
    [ $name != hwc ] || { grep -q 'warning: hwc.npy has its channels last: \[28, 28, 3\] is 28 channels of 28x3' "$work/output" &&
        grep -q "channels stand first: \[3, 28, 28\]; numpy's a.transpose(0, 3, 1, 2) brings data there" "$work/output"; } || fault "channels last: $(cat "$work/output")"
done

# ---- data that do not fit say why ------------------------------------------------------------------------------------------
"$python" - <<'PYTHON' || exit 1
import os, shutil
import numpy as np
x, y = np.load("a/test_image.npy"), np.load("a/test_corner.npy")
def put(folder, image=x, corner=y, behind=b""):
    os.makedirs(folder); np.save(folder + "/test_image.npy", image); np.save(folder + "/test_corner.npy", corner)
    open(folder + "/test_image.npy", "ab").write(behind)
put("wide", corner=np.eye(4)[y]); put("wide_i", corner=np.eye(4, dtype="i4")[y]); put("last", image=np.repeat(x.transpose(0, 2, 3, 1), 1, 3)); put("no", x[:0], y[:0])
put("real", corner=y.astype("f8")); put("bools", corner=(y > 1)); put("longer", behind=b"xyz"); put("shorter", image=x)
data = open("shorter/test_image.npy", "rb").read(); open("shorter/test_image.npy", "wb").write(data[:-5])
put("share", image=(x / 255).astype("f4"))
put("texts", corner=np.array(["a"] * len(y)))
PYTHON
see() { expect 1 "$2" corner/corner eval --data "$1" --run run --split test; }
see wide "found f8 .*one-hot labels?  Their numbers are numpy's argmax(axis=-1)"
see wide_i 'one-hot labels?'
see last 'channels last?  numpy.s transpose(0, 3, 1, 2)'
see no 'no/test_image.npy: there is no example in it (u1 \[0\]\[1\]\[8\]\[8\])'
see share "found f4 .*rint(255 \* a).astype('u1') if 0 to 1; or write dtype: f32 in the model"
see real "labels are integers: convert them with numpy's astype('i4')"
see longer 'which is 3 too many'
see shorter 'is the file cut short?'
see texts 'these are texts, which numpy.unique'
expect 0 '' corner/corner eval --data bools --run run --split test

# ---- splits, tables, arrays -----------------------------------------------------------------------------------------------
expect 0 '' $pack split -o c
expect 0 '' $pack table --labels labels.csv --columns filename,first,second --valid 5 --test 20% -o d
expect 0 '' $pack table --labels words.tsv --valid 0 --test 0 --target word -o e
expect 0 '' $pack odd --size 12x12 --fit pad --test 0 --valid 1 -o f
expect 0 'dtype: u8' $pack u1.npy --labels y.npy -o g
expect 0 'shape: \[1\] } }' $pack f8.npy --labels real.npy --shape 3x1x1 --input x --target y -o h
"$python" - <<'PYTHON' || fault "what was packed is not what was given"
import numpy as np
load = lambda name: np.load(name + ".npy")
c = {s: (load(f"c/{s}_image"), load(f"c/{s}_label")) for s in ("train", "valid", "test")}
assert [len(c[s][0]) for s in ("train", "valid", "test")] == [36, 4, 12]
assert c["test"][0].max() == 21 and sorted(np.concatenate((c["train"][0], c["valid"][0]))[:, 0, 0, 0]) == list(range(40))
for s in ("train", "valid"): assert (c[s][1] == c[s][0][:, 0, 0, 0] % 2).all() and c[s][1].dtype == "i4"     # "9" before "10"
d = [(load(f"d/{s}_image"), load(f"d/{s}_label")) for s in ("train", "valid", "test")]
assert [x.shape for x, _ in d] == [(35, 1, 4, 6), (5, 1, 4, 6), (10, 1, 4, 6)]
for x, y in d: assert (y[:, 0] == x[:, 0, 0, 0] % 3).all() and (y[:, 1] == x[:, 0, 3, 5] % 5).all()
x, y = load("e/train_image"), load("e/train_word")
assert (y == np.array([1, 0, 2])[x[:, 0, 0, 0] % 3]).all() and open("e/word_classes.txt").read() == "a 1\nb\nc\n"
g = [load(f"g/{s}_image") for s in ("train", "valid", "test")]
assert [x.shape for x in g] == [(24, 1, 4, 4), (3, 1, 4, 4), (3, 1, 4, 4)]
assert (load("g/train_label") == g[0][:, 0, 0, 0].astype("i4") // 16 % 16 % 3).sum() > 0 and g[0].dtype == "u1"
x, y = load("h/train_x"), load("h/train_y")
f = np.concatenate((load("f/train_image"), load("f/valid_image")))[:, 0]
assert f.shape == (3, 12, 12) and not f[:, 0].any() and sorted(f[:, 1].any(axis=1)) == [False, False, True]      # 10 x 6, and two of 8 x 8
assert x.shape == (24, 3, 1, 1) and x.dtype == "f4" and y.shape == (24, 1) and np.allclose(x[:, 0, 0, 0] * 30, y[:, 0] * 30, atol=1e-5)
PYTHON
expect 0 '' $pack kinds --valid 0 --test 0 -o l
expect 1 'clear/a/0.png: found transparency' $pack clear --valid 0 --test 0 -o new
expect 0 '' $pack clear --ground 255 --valid 0 --test 0 -o m
"$python" - <<'PYTHON' || fault "bits, or ink on transparency, are not the ink"
import numpy as np
ink = np.load("ink.npy")
for folder in "lm":
    for x in np.load(folder + "/train_image.npy"): assert (x[0] == 255 - 255 * ink).all()
PYTHON
expect 2 'are for pictures' $pack u1.npy --ground 3 -o new
expect 0 '' $pack odd --size 4x4 --fit crop --valid 1 --test 0 -o i
expect 0 '' $pack odd --size 5x7 --fit scale --valid 1 --test 0 -o j
expect 0 'shape: \[3, 8, 8\]' $pack colour --channels 3 --valid 1 --test 0 -o k

# ---- errors are reported, and no file is left ----------------------------------------------------------------------------
few="--valid 1 --test 0 -o new"
expect 1 'odd/a/1.png: found 6 x 10 pixels, expected 8 x 8.*first picture; --fit' $pack odd $few
expect 1 '1.png: found 6 x 10 pixels.*it is larger' $pack odd --fit pad $few
expect 1 '1.png: found 6 x 10 pixels.*it is smaller' $pack odd --fit crop $few
expect 1 '0.png: found 8 x 8 pixels, expected 9 x 9' $pack odd --size 9x9 $few
expect 1 'colour/a/1.png: found colour' $pack colour $few
expect 1 'cut.png: found a PNG that libpng refuses' $pack corrupt --valid 0 --test 0 -o new
grep -q 'empty.png: the file is empty' output && grep -q 'text.pgm: found no kind of picture' output || fault "not every bad picture is named: $(cat output)"
expect 1 'side by side' $pack mixed $few
expect 1 'inside that of a class' $pack deep $few
expect 1 'no picture found' $pack empty $few
expect 1 'none: No such file' $pack none $few
expect 1 'twice.csv:3: table/1.png stands in line 1 already' $pack table --labels twice.csv $few
expect 1 'ragged.csv:2: 2 cells, expected 3 as in line 1' $pack table --labels ragged.csv $few
expect 1 'missing.csv:2: table/none.png: No such file' $pack table --labels missing.csv $few
expect 1 'hole.csv:2: label 1 is empty' $pack table --labels hole.csv $few
expect 1 'bare.csv: found a table, expected a folder of pictures or a .npy.  A table of pictures: spn-data pack FOLDER --labels bare.csv' $pack bare.csv $few
expect 1 'bare.csv:1: 1 cell, expected file,label' $pack table --labels bare.csv $few
expect 1 'found a byte 0' $pack table --labels nul.csv $few
expect 1 'element 2 of example 16 is nan' $pack nan.npy $few
expect 1 'label -1 of example 1' $pack f8.npy --labels negative.npy $few
expect 1 'expected labels of 30 examples' $pack f8.npy --labels short.npy $few
expect 1 '' $pack complex.npy $few
expect 1 'found f4 \[0\]\[3\]' $pack none.npy $few
expect 1 'has 4 elements' $pack f8.npy --shape 2x2 $few
expect 1 'leave none to train on' $pack odd --fit scale --valid 3 --test 0 -o new
expect 1 'a/test_image.npy: is there already' $pack classes --test 0 -o a
expect 2 'did you mean "scale"' $pack odd --fit scal $few
expect 2 'expected a share' $pack odd --valid 1.5 -o new
expect 2 '--size: got' $pack odd --size 8x $few
expect 2 'has a folder test already' $pack split --test 3 -o new
expect 2 'for arrays' $pack odd --shape 1x8x8 $few
expect 2 'for pictures' $pack u1.npy --size 4x4 $few
expect 2 'two different names' $pack odd --input 'a b' $few
expect 2 'needs a folder' $pack
expect 0 'usage: spn-data pack' $pack --help

[ $failed = 0 ] && echo "test_pack: fine"
exit $failed
