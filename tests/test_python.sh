#!/usr/bin/env bash
# test_python.sh -- a net as a package for Python (--for python): what pip installs, its answers, threads, every exception, one step in each call.
# SPNC: the spnc to test (default build/spnc).  PIP: a Python with pip and numpy (default: python3, if it has both); without, the parts that need them are skipped.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
cat >pair.yaml <<'END'
model: pair
batch: 3
inputs:
  image: { shape: [1, 2, 3], dtype: u8 }
  word: { shape: [1], dtype: i32, classes: 5 }
  place: { shape: [2] }
targets: { y: { length: 2, classes: 3 } }
flow:
  - e: { embedding: "word[0]", units: 2 }
  - p: { dense: place, units: 2 }
  - q: { dense: image, units: 2 }
  - repeat: 2
    carry: { h: { shape: [2] } }
    do:
      - h: h / 2 + q
      - v: { dense: h + e + p, units: 3 }
loss: { cross_entropy: [v, y] }
outputs: [v, p]
END
refused() {     # refused TEXT NAME
    sed "s/^model: .*/model: $2/" pair.yaml >named.yaml
    "$SPNC" emit named.yaml --for python -o nowhere >said 2>&1
    [ $? = 1 ] && grep -qF "$1" said && [ ! -e nowhere ] || fault "$2: $(head -2 said)"
}
refused "named.yaml:1:8: error: a package cannot be called 'lambda', a word of Python" lambda
refused "a package cannot be called 'spnc_wheel'" spnc_wheel
refused "a library cannot be called 'try'" try
"$SPNC" emit pair.yaml --for python --debug -o nowhere >said 2>&1
[ $? = 2 ] && grep -q -- "--for python does not take it" said || fault "--debug: $(cat said)"

run "$SPNC" emit pair.yaml --for python --form lanes --target generic --step --outputs v -o bare || exit 1
python3 - <<'END'
import struct, zipfile
SHAPES = { "e.weight": (5, 2), "p.weight": (2, 2), "p.bias": (2,), "q.weight": (2, 6), "q.bias": (2,), "v.weight": (3, 2), "v.bias": (3,) }
with zipfile.ZipFile("w.npz", "w") as z:
    for k, (name, shape) in enumerate(SHAPES.items()):
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        head = ("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)).ljust(117) + "\n"
        z.writestr(name + ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{n}f", *[((i + k) * 29 % 31 - 15) / 64 for i in range(n)]))
END
run "$SPNC" emit pair.yaml --for python --form lanes --target generic --weights w.npz -o folder || exit 1

# ---- the wheel: what is in it, and in which words pip is told so; no package is needed for this ----------------------------------------
(cd folder && grep -q 'requires = \[\]' pyproject.toml && python3 -c 'import spnc_wheel; print(spnc_wheel.build_wheel("'"$work"'"))') >wheel 2>&1 || fault "no wheel: $(tail -3 wheel)"
python3 - "$(tail -1 wheel)" <<'END' || fault "the wheel is wrong"
import base64, hashlib, re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    names = z.namelist()
    info = next(n.split("/")[0] for n in names if ".dist-info/" in n)
    assert sorted(names) == sorted(["pair/__init__.py", "pair/libpair.so.0"] + [f"{info}/{n}" for n in ("LICENSE", "METADATA", "WHEEL", "RECORD")]), names
    version = re.search(r"^Version: (\d+\.\d+\.\d+\+[0-9a-f]{16})$", z.read(info + "/METADATA").decode(), re.M)[1]
    assert info == f"pair-{version}.dist-info" and sys.argv[1].startswith(f"pair-{version}-py3-none-linux_"), info
    record = dict(line.split(",", 1) for line in z.read(info + "/RECORD").decode().split("\n") if line)
    assert set(record) == set(names)
    for name in names:
        digest = base64.urlsafe_b64encode(hashlib.sha256(z.read(name)).digest()).rstrip(b"=").decode()
        assert name.endswith("RECORD") or record[name] == f"sha256={digest},{len(z.read(name))}", name
END

# ---- installed, and called -------------------------------------------------------------------------------------------------------------
python=${PIP:-python3}
if ! "$python" -c 'import numpy' 2>/dev/null; then
    python=$(sh "$root/tests/python.sh" numpy)
fi
if ! "$python" -c 'import numpy' 2>/dev/null; then
    echo "skipped: no numpy, so no call from Python"
    exit $failed
fi
if "$python" -m pip --version >/dev/null 2>&1; then
    run "$python" -m pip install --no-index --no-deps --no-cache-dir --disable-pip-version-check --quiet --target site ./folder || exit 1
    rm -f folder/libpair.so.0                               # what is installed needs the folder no more
    path=site
else
    echo "skipped: no pip, so the package is used in its folder"
    path=folder
fi
run make -s -C bare libpair.so.0
cat >calls.py <<'END'
import importlib.util, os, sys, threading
import numpy as np
import pair
assert (pair.BATCH, list(pair.INPUTS), pair.OUTPUTS["v"]) == (3, ["image", "word", "place"], ((2, 3), np.float32))
image = (np.arange(42) * 37 % 251).astype(np.uint8).reshape(7, 1, 2, 3)
word = np.array([[0], [1], [2], [3], [4], [2], [1]], np.int32)
place = (np.arange(14) % 5 - 2).astype(np.float32).reshape(7, 2)
w = { name: a.astype(np.float64) for name, a in np.load("w.npz").items() }
p = place @ w["p.weight"].T + w["p.bias"]
q = (image.reshape(7, 6) / 255) @ w["q.weight"].T + w["q.bias"]
v = np.stack([(h + w["e.weight"][word[:, 0]] + p) @ w["v.weight"].T + w["v.bias"] for h in (q, 1.5 * q)], 1)
net = pair.Net()
y = net(image, word, place)
for k, computed in (("v", v), ("p", p)):
    assert y[k].dtype == np.float32 and y[k].shape == computed.shape and np.abs(y[k] - computed).max() < 1e-6, k
want = y            # the bits from here on
# one example; by name; not contiguous; other types of the same numbers; none at all
one = net(image[4], word=[4], place=place[4])
assert one["v"].shape == (2, 3) and (one["v"] == want["v"][4]).all()
again = net(place=place.astype(np.float64), image=np.asfortranarray(image), word=word.astype(np.int64))
assert (again["v"] == want["v"]).all()
assert (net(image[::2], word[::2], place[::2])["v"] == want["v"][::2]).all()
assert net(image[:0], word[:0], place[:0])["v"].shape == (0, 2, 3)
# threads share a net
wrong = []
def work():
    for _ in range(100):
        if not (net(image, word, place)["v"] == want["v"]).all():
            wrong.append(1)
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads], [t.join() for t in threads]
assert not wrong
# exceptions
def raises(kind, text, *inputs, **named):
    try:
        net(*inputs, **named)
    except kind as e:
        assert type(e) is kind and text in str(e), (text, e)
    else:
        raise AssertionError(text)
raises(TypeError, "image: expected an array of uint8, from 0 to 255 (the net reads it as x / 255), got float64", image / 255, word, place)
raises(ValueError, "image: expected the shape (1, 2, 3) of one example, or (N, ...) of several, got (7, 6)", image.reshape(7, 6), word, place)
raises(TypeError, "word: expected an array of whole numbers, got float64", image, word * 1.0, place)
raises(ValueError, "word: expected numbers of 32 bits, got 0 to 4294967296", image, word.astype(np.int64) << 30, place)
raises(TypeError, "place: expected an array of numbers, got complex64", image, word, place * 1j)
raises(ValueError, "place: expected 7 examples as for image, got 6", image, word, place[:6])
raises(ValueError, "word: expected one example as for image, got 1", image[0], word[:1], place[0])
raises(TypeError, "no value for the input place", image, word)
raises(TypeError, "there is no input 'plaice': the inputs are image, word, place", image, word, plaice=place)
raises(TypeError, "two values for 'image'", image, word, place, image=image)
raises(TypeError, "expected 3 inputs (image, word, place), got 4", image, word, place, place)
# a library without weights: given as a path or as bytes
spec = importlib.util.spec_from_file_location("bare", "bare/pair/__init__.py")
bare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bare)
for weights, text in ((None, "or there are none"), (b"short", "the weights are not those of this net")):
    try:
        bare.Net(weights)
    except RuntimeError as e:
        assert text in str(e), e
    else:
        raise AssertionError(text)
for weights in ("folder/pair.weights", open("folder/pair.weights", "rb").read()):
    net = bare.Net(weights)
    assert (net(image, word, place)["v"] == want["v"][:, 0]).all()
# one step in each call: states go in as they came out, or are left out
assert bare.STATES == ["h"] and bare.INPUTS["h"] == ((2,), np.float32)
state, steps = {}, []
for _ in range(2):
    y = net(image, word, place, **state)
    state = {name: y[name] for name in bare.STATES}
    steps.append(y["v"])
assert (np.stack(steps, 1) == want["v"]).all()
assert (net(image[4], word[4], place[4], None)["v"] == want["v"][4, 0]).all()
raises(ValueError, "h: expected 7 examples as for image, got 6", image, word, place, h=state["h"][:6])
raises(TypeError, "no value for the input word, place", image, h=state["h"])
print("fine")
END
[ "$(PYTHONPATH=$path "$python" calls.py 2>said)" = fine ] || fault "$(tail -3 said)"
exit $failed
