#!/usr/bin/env bash
# test_transfer.sh -- a training that starts from the weights of another: what is taken, what is listed, what is refused, and
# the same bits after an interruption, the file gone or not.
# usage: tests/test_transfer.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true
python=$(sh "$root/tests/python.sh" numpy yaml)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cd "$work" || exit 1
{ sources; echo "$root/tests/fixtures/tiny_net.c"; } |
    xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp ./*.o -lz -lpng -ljpeg -lm -o tiny || exit 1

"$python" - <<'PYTHON' || exit 1
import json, os, struct, zipfile
import numpy as np
rng = np.random.default_rng(2)
os.mkdir("data")
for split, n in (("train", 57), ("valid", 20), ("test", 20)):
    np.save(f"data/{split}_image.npy", rng.integers(0, 256, (n, 1, 4, 4)).astype("u1"))
    np.save(f"data/{split}_digits.npy", rng.integers(0, 4, (n, 2)))
def safetensors(name, arrays):
    head, at = {}, 0
    for k, a in arrays.items():
        head[k] = {"dtype": {"f4": "F32", "f8": "F64"}[a.dtype.str[1:]], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(head).encode()
    open(name, "wb").write(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in arrays.values()))
hidden = {"hidden.weight": rng.normal(size=(8, 16)).astype("f4"), "hidden.bias": rng.normal(size=8)}
np.savez("hidden.npz", **hidden)
safetensors("hidden.safetensors", hidden)
np.savez("other.npz", **hidden, **{"logits.weight": np.zeros((3, 14), "f4"), "far.weight": np.zeros(3, "f4")})
np.savez_compressed("weightless.npz", **{"hidden.bias": hidden["hidden.bias"]})
np.savez("wrong.npz", **{"hidden.weight": np.zeros((16, 8), "f4"), "hidden.bias": np.zeros(8)})
np.savez("nan.npz", **{"hidden.weight": hidden["hidden.weight"], "hidden.bias": np.where(np.arange(8) == 5, np.nan, 0)})
np.savez("large.npz", **{"hidden.weight": hidden["hidden.weight"].astype("f8") * 1e300, "hidden.bias": hidden["hidden.bias"]})
np.savez("nothing.npz", **{"far.weight": np.zeros(3, "f4")})
np.savez("half.npz", **{k: a.astype("f2") for k, a in hidden.items()})
np.savez("rounded.npz", **{k: a.astype("f2").astype("f4") for k, a in hidden.items()})
def brains(name, arrays):                      # the upper halves of f4, which numpy has no name for
    head, at, data = {}, 0, b""
    for k, a in arrays.items():
        b = (a.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        head[k] = {"dtype": "BF16", "shape": list(a.shape), "data_offsets": [at, at + len(b)]}
        at, data = at + len(b), data + b
    head["later"] = {"dtype": "F4_X2", "shape": [2], "data_offsets": [at, at + 1]}
    text = json.dumps(head).encode()
    open(name, "wb").write(struct.pack("<Q", len(text)) + text + data + b"x")
brains("brain.safetensors", hidden)
brains("cut8.safetensors", hidden)
data = open("cut8.safetensors", "rb").read().replace(b'"BF16"', b'"F9"  ')
open("cut8.safetensors", "wb").write(data)     # a type that no version of the format has
np.savez("big.npz", **{k: a.astype(">" + a.dtype.str[1:]) for k, a in hidden.items()})
np.savez("big-half.npz", **{k: np.asfortranarray(a.astype(">f2")) for k, a in hidden.items()})
for name, dtype in {"complex": "<c8", "long": "<f16", "text": "<U5", "object": "O", "fields": [("x", "<f4")]}.items():
    np.savez(name + ".npz", **{"module.hidden.weight": np.zeros((8, 16)).astype(dtype), "hidden.bias": hidden["hidden.bias"]})
with zipfile.ZipFile("raw.npz", "w") as z:
    z.writestr("hidden.weight", b"raw"); z.write("hidden.npz", "other")
np.savez("spare.npz", **hidden, **{"module.hidden.weight": np.zeros((8, 16), "c8")})
np.savez("cut.npz", **{k: (a.astype("f4").view("u4") & 0xffff0000).view("f4") for k, a in hidden.items()})
np.savez("strangers.npz", **hidden, names=np.array(["a", "b"]), step=np.array(3), objects=np.array(None), **{"\x1b[31mred": np.zeros(2), "\u202eturned\u2066\u200f\u2069": np.zeros(2)})
with zipfile.ZipFile("strangers.npz", "a") as z:
    z.writestr("README.md", "of somebody"); z.writestr("folder/", ""); z.writestr("model.yaml", "x")
np.savez("module.npz", **{"module." + k: a for k, a in hidden.items()})
np.savez("compiled.npz", **{"_orig_mod.module." + k: a for k, a in hidden.items()})
np.savez("l0.npz", **{k + "_l0": a for k, a in hidden.items()})
np.savez("both.npz", **hidden, **{"module.hidden.bias": hidden["hidden.bias"]})
np.savez("named.npz", **{"encoder.fc.weight": hidden["hidden.weight"], "encoder.fc.bias": hidden["hidden.bias"], "other": np.zeros(3)})
np.savez("deep.npz", **{"a/b/hidden.weight": hidden["hidden.weight"], "a/b/hidden.bias": hidden["hidden.bias"], "gru.bias_hh_l0": np.zeros(3)})
for name, lines in {"whole": "# names\n encoder.fc.weight\thidden.weight  # W\r\n\nencoder.fc.bias hidden.bias\n", "prefix": "encoder.fc. hidden.", "nothing": "a/b/ .",
                    "unknown": "\nencoder.fc.weigth hidden.weight\n", "nowhere": "encoder.fc.weight hiden.weight\n", "three": "a b c\n", "uneven": "encoder. hidden.weight\n"}.items():
    open(name, "w").write(lines)
np.savez("integers.npz", **{"hidden.weight": np.zeros((8, 16), "i4"), "hidden.bias": np.zeros(8, "i4")})
PYTHON
train="./tiny train --data data --threads 1 --epochs 3"

expect 0 'hidden.npz: 2 of . parameters taken' $train --run a --init hidden.npz --only hidden
grep -q 'logits.weight: not asked for' output || fault "what is left is not listed"
expect 0 '' $train --run b --init hidden.safetensors --only hidden.weight,hidden.bias
expect 0 '' $train --run c
for run in a b c; do ./tiny export --last --run $run -o $run.npz; done
cmp -s a.npz b.npz || fault ".npz and .safetensors give other weights"
cmp -s a.npz c.npz && fault "--init changes nothing"
grep -q '"init": {"file": "hidden.npz", "only": "hidden", "crc32": [0-9]*}' a/run.json || fault "run.json: $(cat a/run.json)"
expect 0 'logits.weight: shape there \[3\]\[14\], \[.*\] here' $train --run d --init other.npz
grep -q 'far.weight' output && grep -q 'logits.bias: not there' output || fault "not every mismatch is listed: $(cat output)"
./tiny export --last --run d -o d.npz
cmp -s a.npz d.npz || fault "the same parameters taken give other weights"

# What is no array is listed and left out; other types of real numbers are read; PyTorch's wrappers and its GRU have names of their own.
expect 0 '2 of . parameters taken' $train --run d2 --init strangers.npz
grep -q 'in the file, but no array of numbers' output && grep -q 'README.md: no .npy' output && grep -q 'folder/: a folder' output &&
    grep -q 'names: dtype <U1' output && grep -q 'objects: dtype |O' output && grep -q '^    step$' output && grep -q '^    \\x1b\[31mred$' output || fault "what is no array: $(cat output)"
grep -q '^    \\u202eturned\\u2066\\u200f\\u2069$' output || fault "what turns the direction of writing reaches the terminal: $(cat output)"
grep -q $'\x1b' output && fault "an escape in a name reaches the terminal"
same_as() { ./tiny export --last --run "$1" -o "$1.npz" && cmp -s "$1.npz" "$2.npz" || fault "$1 gives other weights than $2"; }
same_as d2 a
for pair in half:rounded brain:cut; do
    file=$(ls ${pair%:*}.*)
    expect 0 '2 of . parameters taken' $train --run ${pair%:*} --init "$file"
    expect 0 '2 of . parameters taken' $train --run ${pair#*:} --init ${pair#*:}.npz
    mv ${pair#*:}.npz ${pair#*:}-given.npz
    ./tiny export --last --run ${pair#*:} -o ${pair#*:}.npz
    [ "$file" != half.npz ] || mv half.npz half-given.npz
    same_as ${pair%:*} ${pair#*:}
done
expect 0 '2 of . parameters taken' $train --run n-big --init big.npz
same_as n-big a
expect 0 '2 of . parameters taken' $train --run n-big-half --init big-half.npz
./tiny export --last --run n-big-half -o n-big-half.npz
cmp -s n-big-half.npz half.npz || fault "big-half gives other weights than half"

# A parameter that is there, but cannot be read, ends the start: left at the seed's value it would be trained from there without a word.
for pair in 'complex:has type <c8, .*a.real.astype' "long:has type <f16, .*numpy's astype('<f4')" 'text:has type <U5' 'object:has type |O' 'fields:is there as a structured dtype'; do
    expect 1 "${pair%%:*}.npz: parameter hidden.weight ${pair#*:}" $train --run x --init "${pair%%:*}.npz"
    expect 1 "${pair%%:*}.npz: parameter hidden.weight ${pair#*:}" $train --run x --init "${pair%%:*}.npz" --only hidden.weight
    expect 0 'hidden.weight: not asked for' $train --run n-only --init "${pair%%:*}.npz" --only hidden.bias
    rm -r n-only
done
expect 1 'cut8.safetensors: parameter hidden.weight has type F9, expected f4, f8, f2 or bf16; convert it with tensor.float() of PyTorch' $train --run x --init cut8.safetensors
expect 1 'raw.npz: parameter hidden.weight is there as no .npy' $train --run x --init raw.npz
expect 1 'raw.npz: parameter hidden.weight is there as no .npy' ./tiny eval --data data --weights raw.npz
expect 0 '2 of . parameters taken' $train --run n-spare --init spare.npz
same_as n-spare a
for file in module compiled l0; do
    expect 0 'under another name there: 2' $train --run n-$file --init $file.npz
    same_as n-$file a
done
expect 0 'hidden.weight from encoder.fc.weight' $train --run n-whole --init named.npz --rename whole
same_as n-whole a
expect 0 'hidden.bias from encoder.fc.bias' $train --run n-prefix --init named.npz --rename prefix --only hidden
same_as n-prefix a
expect 0 'bias_hh: true. at the gru' $train --run n-nothing --init deep.npz --rename nothing
same_as n-nothing a
expect 0 '' $train --run n-whole --resume --init named.npz --rename whole
expect 1 'another file by its CRC-32' $train --run n-whole --resume --init named.npz --rename prefix
expect 1 'module.hidden.bias. would both be hidden.bias\|hidden.bias. and .module.hidden.bias. would both' $train --run x --init both.npz
expect 1 'unknown:2: no array of named.npz is called .encoder.fc.weigth.; nearest: encoder.fc.weight' $train --run x --init named.npz --rename unknown
expect 1 'nowhere:1: no parameter of tiny is called .hiden.weight.; nearest: hidden.weight' $train --run x --init named.npz --rename nowhere
expect 1 'three:1: expected two names' $train --run x --init named.npz --rename three
expect 1 'uneven:1: .*two prefixes that end in a dot' $train --run x --init named.npz --rename uneven
expect 1 'none of its 3 arrays.*--rename FILE' $train --run x --init named.npz
expect 2 'give --init' $train --run x --rename whole
for ending in pt pth ckpt bin; do : >"it's $ending.$ending"; expect 2 "numpy.savez(sys.argv" $train --run x --init "it's $ending.$ending"; done
grep -qF "'it'\\''s bin.bin' 'it'\\''s bin.npz'" output || fault "the line for PyTorch's files: $(cat output)"

# Interrupted, gone on without the file: the same bits.
cp hidden.npz gone.npz
./tiny train --data data --threads 1 --epochs 3 --run e --init gone.npz --only hidden --max-time 0.001ms >output 2>&1
rm gone.npz
for _ in 1 2 3; do ./tiny train --data data --threads 2 --epochs 3 --run e --resume --max-time 0.001ms >output 2>&1; done
expect 0 'finished' $train --run e --resume
./tiny export --last --run e -o e.npz
cmp -s a.npz e.npz || fault "interrupted and gone on: other weights"
grep -q '"init": {"file": "gone.npz"' e/run.json || fault "run.json forgets the start"
expect 0 '' $train --run a --resume --init hidden.npz --only hidden
expect 1 'the run began with --init hidden.npz --only hidden' $train --run a --resume --init hidden.npz
expect 1 'another file by its CRC-32' $train --run a --resume --init other.npz --only hidden
expect 1 "began with the seed's weights" $train --run c --resume --init hidden.npz

# What is wrong.
expect 1 'hidden.weight has shape \[16\]\[8\], expected \[8\]\[16\]' $train --run x --init wrong.npz --only hidden
expect 1 'hidden.weight is missing, expected \[8\]\[16\]' $train --run x --init weightless.npz --only hidden
expect 1 'nan.npz: parameter hidden.bias, element 5, is nan; a training starts from finite numbers' $train --run x --init nan.npz
expect 1 'large.npz: parameter hidden.weight, element 0, is .*e+\(299\|300\), which is beyond the range of a float' $train --run x --init large.npz
expect 1 'none of its 1 arrays' $train --run x --init nothing.npz
expect 1 'has type i4, expected f4, f8, f2 or bf16' $train --run x --init integers.npz
expect 1 "no parameter of tiny begins with 'hiden'" $train --run x --init hidden.npz --only hiden
expect 1 "no parameter of tiny begins with 'hid'" $train --run x --init hidden.npz --only hidden,hid
expect 1 'none.npz' $train --run x --init none.npz
expect 2 'ends in .npz or .safetensors; .export --run RUN -o W.npz' $train --run x --init a
expect 2 'give --init' $train --run x --only hidden
expect 2 'leave --init out' ./tiny train --data data --lr-find --init hidden.npz
[ ! -e x/last ] || fault "a refused start left a checkpoint"

[ $failed = 0 ] && echo "test_transfer: fine"
exit $failed
