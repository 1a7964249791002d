#!/usr/bin/env bash
# test_augment.sh -- the examples after augmentation: the pixels of an independent computation, whatever form, threads, batch or stop.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
python=$(sh "$root/tests/python.sh" numpy)

# bytes, all at once, read by a sampler too; floats in three planes; bytes that are only moved; three others, each with one thing of its own
cat >net.yaml <<'END'
model: net
params: { shift: 3, far: 0, noise: 0.05 }
batch: 20
inputs:
  a: { shape: [1, 24, 20], dtype: u8, augment: { flip: horizontal, shift: $shift, rotate: 25, scale: 0.2, noise: $noise, clutter: { pieces: 4, size: 5 } } }
  b: { shape: [3, 10, 12], augment: { rotate: 180, noise: $noise * 2, clutter: { pieces: 2, size: 3 } } }
  c: { shape: [9, 7], dtype: u8, augment: { shift: 1 + 1, flip: horizontal } }
  d: { shape: [2, 3, 1, 5], augment: { scale: 0.5 } }
  e: { shape: [4, 17], dtype: u8, augment: { flip: horizontal, clutter: { pieces: 3, size: 4 } } }
  f: { shape: [2, 3], augment: { noise: 1 } }
  g: { shape: [5, 5], augment: { shift: $far, clutter: { pieces: $far, size: 2 } } }
targets:
  y: { classes: 3 }
flow:
  - A: { dense: a, units: 6, init: identity_affine }
  - crop: { spn: [a, A], downsample: 2 }
  - flat: { flatten: crop }
  - v: { dense: flat, units: 3 }
  - w: { dense: b, units: 3 }
  - w2: { dense: c, units: 3 }
  - w3: { dense: d, units: 3 }
  - w4: { dense: e, units: 3 }
  - w5: { dense: f, units: 3 }
  - w6: { dense: g, units: 3 }
  - s: { add: [v, w, w2, w3, w4, w5, w6] }
loss: { cross_entropy: [s, y] }
train: { epochs: 2, optimiser: { sgd: { rate: 0.01 } } }
END
mkdir data
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(2)
shapes = {"a": (1, 24, 20), "b": (3, 10, 12), "c": (9, 7), "d": (2, 3, 1, 5), "e": (4, 17), "f": (2, 3), "g": (5, 5)}
for split in ("train", "valid", "test"):
    for name, shape in shapes.items():
        x = r.random((33, *shape))
        np.save(f"data/{split}_{name}.npy", (x ** 4 * 255).astype("u1") if name in "ace" else (x - 0.3).astype("f4"))
    np.save(f"data/{split}_y.npy", r.integers(0, 3, 33).astype("i4"))
END
export CFLAGS="-O1 -Wpedantic -Wshadow -Werror"
"$SPNC" build net.yaml -o fast && "$SPNC" build net.yaml --plain -o plain || exit 1

# dump FORM INPUT OPTIONS... -> the input as training sees it in epoch 3
dump() { local form=$1 name=$2; shift 2; $form/net dump --layer "$name" --seed 7 --data data --split train --mode train --epoch 3 "$@" >/dev/null || fault "dump $form $name $*"; }
for name in a b c d e f g; do
    for form in fast plain; do dump $form $name -o $form.$name.npy; done
    dump fast $name --threads 2 -o two.$name.npy
    dump fast $name --first 15 -o later.$name.npy
    fast/net dump --layer $name --seed 7 --data data --split train -o eval.$name.npy >/dev/null || fault "dump in eval mode"
    cmp -s fast.$name.npy plain.$name.npy || fault "the plain form sees another $name"
    cmp -s fast.$name.npy two.$name.npy || fault "two threads see another $name"
done
"$python" - <<'END' || fault "the images"
import numpy as np
M = (1 << 64) - 1
def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & M
    z = (z ^ z >> 27) * 0x94d049bb133111eb & M
    return z ^ z >> 31
def key(*numbers):
    k = 0
    for n in numbers:
        k = mix((k ^ n) + 0x9e3779b97f4a7c15 & M)
    return k
def uniform(k, i): return (mix(k ^ mix(i + 0x9e3779b97f4a7c15 & M)) >> 11) * 2.0 ** -53
def below(k, i, n): return int(uniform(k, i) * n)
def hash32(x, k):
    x = (x + k) & 0xffffffff
    x = (x ^ x >> 17) * 0xed5ad4bb & 0xffffffff
    x = ((x ^ x >> 11) + (k >> 32)) * 0xac4c1b51 & 0xffffffff
    x = (x ^ x >> 15) * 0x31848bab & 0xffffffff
    return x ^ x >> 14
def noise(k, n):                                    # eight bytes have variance 8 (256^2 - 1) / 12
    both = [[hash32(2 * i + half, k) for half in (0, 1)] for i in range(n)]
    return np.array([(sum(b >> s & 255 for b in two for s in (0, 8, 16, 24)) - 1020) / (8 * 65535 / 12) ** 0.5 for two in both])

def turned(x, right, down, angle, size):            # by the inverse of a 2x3 matrix, in double, the image in a frame of zeros
    H, W = x.shape[-2:]
    centre = np.array([(W - 1) / 2, (H - 1) / 2])
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    frame = np.pad(x.astype("f8"), [(0, 0)] * (x.ndim - 2) + [(2, 2), (2, 2)])
    out = np.zeros(x.shape)
    for r in range(H):
        for c in range(W):
            px, py = np.linalg.solve(turn, np.array([c - right, r - down]) - centre) + centre
            px, py = min(max(px, -2), W), min(max(py, -2), H)
            j, i = int(np.floor(px)), int(np.floor(py))
            for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)):
                if -2 <= i + di < H + 2 and -2 <= j + dj < W + 2:
                    out[..., r, c] += frame[..., i + di + 2, j + dj + 2] * (1 - abs(py - i - di)) * (1 - abs(px - j - dj))
    return out

asked = {"a": (3, 25, .2, .05, 4, 5), "b": (0, 180, 0, .1, 2, 3), "c": (2, 0, 0, 0, 0, 0), "d": (0, 0, .5, 0, 0, 0), "e": (0, 0, 0, 0, 3, 4),
         "f": (0, 0, 0, 1, 0, 0), "g": (0,) * 6}
changed = mirrored = 0
for number, (name, (shift, rotate, scale, deviation, pieces, size)) in enumerate(asked.items()):
    files = np.load(f"data/train_{name}.npy")
    byte, (H, W) = files.dtype == np.uint8, files.shape[-2:]
    fast, later = np.load(f"fast.{name}.npy"), np.load(f"later.{name}.npy")
    as_read = lambda x: (x.astype("f4") / np.float32(255)) if byte else x.astype("f4")
    assert np.array_equal(np.load(f"eval.{name}.npy"), as_read(files[:20])), name
    assert np.array_equal(fast[15:], later[:5]), f"{name}: the batch decides"
    for n in range(20):
        x = files[n]
        k = [key(7, 0x6175676d + number, 3, n, purpose) for purpose in range(4)]
        down, right = (below(k[0], draw, 2 * shift + 1) - shift for draw in (0, 1))
        angle = np.radians(rotate) * (2 * uniform(k[0], 2) - 1)
        flipped = name in "ace" and below(k[3], 0, 2)
        mirrored += bool(flipped)
        y = turned(x[..., ::-1] if flipped else x, right, down, angle, 1 + scale * (2 * uniform(k[0], 3) - 1))
        under = np.zeros(x.shape)
        for p in range(pieces):
            source, *place = (below(k[1], 5 * p + i, most) for i, most in enumerate((32, H - size + 1, W - size + 1, H - size + 1, W - size + 1)))
            source += source >= n
            under[..., place[2]:place[2] + size, place[3]:place[3] + size] = files[source][..., place[0]:place[0] + size, place[1]:place[1] + size]
        y = np.minimum(y + under, 255) if byte else y + under
        y = y + deviation * (255 if byte else 1) * noise(k[2], x.size).reshape(x.shape)
        if byte:
            whole = fast[n] * 255
            assert np.abs(whole - np.round(whole)).max() < 1e-3, f"{name}: not bytes"
            close = np.abs(whole - np.clip(y, 0, 255)) < 0.502        # rounded: within half a level, and float's error
            assert close.all(), (name, n, np.abs(whole - np.clip(y, 0, 255)).max())
            if not rotate and not scale and not deviation:
                assert np.array_equal(np.round(whole), y), (name, n)
        else:
            assert np.abs(fast[n] - y).max() < 1e-4, (name, n, np.abs(fast[n] - y).max())
        changed += not np.array_equal(fast[n], as_read(x))
assert changed > 100 and 15 < mirrored < 45, (changed, mirrored)
assert np.array_equal(np.load("fast.g.npy"), np.load("data/train_g.npy")[:20])
END

# ---- a run that is stopped after every step ends in the bits of one that is not, on other threads -----------------------
fast/net train --data data --run whole --threads 2 --quiet || fault "train"
fast/net train --data data --run steps --threads 1 --quiet --max-time 0.001ms || fault "train, stopped"
for _ in 1 2 3 4; do fast/net train --data data --run steps --threads 1 --quiet --max-time 0.001ms --resume || fault "train, resumed"; done
for run in whole steps; do fast/net export --run $run --last -o $run.npz || fault "export"; done
cmp -s whole.npz steps.npz || "$python" -c '
import numpy as np
a, b = np.load("whole.npz"), np.load("steps.npz")
assert a.files == b.files and all(np.array_equal(a[k], b[k]) for k in a.files)' || fault "a resumed run has other weights"

# a run's own seed is the one that dump shows
fast/net train --data data --run seven --seed 7 --quiet --max-time 0.001ms &&
    fast/net dump --layer a --run seven --data data --split train --mode train --epoch 3 -o of_run.npy >/dev/null && cmp -s fast.a.npy of_run.npy ||
    fault "dump --run sees other images than dump --seed with the run's"

# ---- gradients; augmentation is in grad's train mode, not in eval; numbers that are 0 leave the model as it was -----------
fast/net check --data data >/dev/null || fault "check"
fast/net export --seed 7 -o w.npz
fast/net grad --weights w.npz --data data --split train --mode train -o train.npz && fast/net grad --weights w.npz --data data --split train -o eval.npz || fault "grad"
"$python" -c '
import numpy as np
a, b = np.load("train.npz"), np.load("eval.npz")
assert a["loss"] != b["loss"] and not np.array_equal(a["out/v"], b["out/v"]) and not np.array_equal(a["grad/w.weight"], b["grad/w.weight"])' || fault "grad"
hash() { "$SPNC" show "$@" | sed -n 's/.*hash \([0-9a-f]*\).*/\1/p'; }
[ "$(hash net.yaml)" != "$(hash net.yaml --set shift=2)" ] || fault "the hash does not know the shift"
cat >off.yaml <<'END'
model: off
params: { k: 0 }
inputs: { x: { shape: [8, 8], augment: { flip: none, shift: $k, rotate: $k, scale: $k, noise: $k, clutter: { pieces: $k, size: 3 } } } }
targets: { y: { classes: 3 } }
flow: [{ v: { dense: x, units: 3 } }]
loss: { cross_entropy: [v, y] }
END
sed 's/, augment:.*/ } }/; /^params/d' off.yaml >never.yaml
[ "$(hash off.yaml)" = "$(hash never.yaml)" ] || fault "augmentation by nothing is another model"
"$SPNC" explain net.yaml augment_a | grep -q "follows from seed, epoch and the example" || fault "explain"
[ $failed = 0 ] && echo "test_augment: fine"
exit $failed
