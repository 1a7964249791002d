"""Data of the gallery: each function writes the splits of one model into a folder, from MNIST, from scikit-learn's own sets, or from texts of Debian.

Digits are real ones: the training split of MNIST is cut in train and valid, its test split is the test.  What is drawn at random comes from a
seed, so a folder is the same bytes each time.
"""

import gzip
import os
import pathlib

import numpy as np

TRAIN, VALID, TEST = 20000, 2000, 5000          # digits of a split


def idx(name):
    """One of MNIST's four files, plain or .gz, from the folder SPN_MNIST."""
    folder = pathlib.Path(os.environ["SPN_MNIST"])
    path = folder / name
    raw = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    dims = raw[3]
    shape = np.frombuffer(raw, ">i4", dims, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dims).reshape(shape)


def digits():
    """Split to pictures [N, 28, 28] and labels [N]."""
    images, labels = idx("train-images-idx3-ubyte"), idx("train-labels-idx1-ubyte")
    return {"train": (images[:TRAIN], labels[:TRAIN]), "valid": (images[-VALID:], labels[-VALID:]),
            "test": (idx("t10k-images-idx3-ubyte")[:TEST], idx("t10k-labels-idx1-ubyte")[:TEST])}


def save(folder, split, **arrays):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{split}_{name}.npy", array)


def turned(image, angle, size):
    """The picture in the middle of size x size, turned by an angle in radians, bilinear."""
    n = image.shape[0]
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    y = np.cos(angle) * row - np.sin(angle) * column + (n - 1) / 2
    x = np.sin(angle) * row + np.cos(angle) * column + (n - 1) / 2
    padded = np.pad(image.astype(np.float64), 1)
    y, x = np.clip(y + 1, 0, n + 0.999), np.clip(x + 1, 0, n + 0.999)
    i, j = y.astype(int), x.astype(int)
    a, b = y - i, x - j
    at = lambda p, q: padded[np.minimum(p, n + 1), np.minimum(q, n + 1)]
    value = (1 - a) * ((1 - b) * at(i, j) + b * at(i, j + 1)) + a * ((1 - b) * at(i + 1, j) + b * at(i + 1, j + 1))
    return np.rint(value).astype(np.uint8)


def on_photographs(folder):
    """Digits on pieces of scikit-learn's two photographs, in colour: where there is ink, each channel of the piece is inverted."""
    from sklearn.datasets import load_sample_images
    photographs = load_sample_images().images
    for seed, (split, (images, labels)) in enumerate(digits().items()):
        random = np.random.default_rng(seed)
        out = np.empty((len(images), 3, 32, 32), np.uint8)
        for i, image in enumerate(images):
            photograph = photographs[random.integers(len(photographs))]
            y, x = (random.integers(s - 32) for s in photograph.shape[:2])
            piece = photograph[y:y + 32, x:x + 32].transpose(2, 0, 1).astype(np.int16)
            out[i] = np.abs(piece - np.pad(image, 2).astype(np.int16))
        save(folder, split, image=out, label=labels.astype(np.int32))


def in_clutter(folder):
    """A digit anywhere in 64 x 64 among twelve pieces, 9 x 9, of other digits; the mask has the digit's own pixels.  A fifth of the digits."""
    for seed, (split, (images, _)) in enumerate(digits().items()):
        random = np.random.default_rng(10 + seed)
        n = len(images) // 5
        out, mask = np.zeros((n, 1, 64, 64), np.uint8), np.zeros((n, 64, 64), np.int32)
        for i in range(n):
            for _ in range(12):
                other = images[random.integers(len(images))]
                a, b = random.integers(4, 15, 2)
                y, x = random.integers(0, 55, 2)
                window = out[i, 0, y:y + 9, x:x + 9]
                np.maximum(window, other[a:a + 9, b:b + 9], out=window)
            y, x = random.integers(0, 36, 2)
            window = out[i, 0, y:y + 28, x:x + 28]
            np.maximum(window, images[i], out=window)
            mask[i, y:y + 28, x:x + 28] = images[i] > 64
        save(folder, split, image=out, mask=mask)


def any_way_round(folder):
    """Digits turned by up to 90 degrees either way, somewhere in 42 x 42."""
    for seed, (split, (images, labels)) in enumerate(digits().items()):
        random = np.random.default_rng(20 + seed)
        out = np.zeros((len(images), 1, 42, 42), np.uint8)
        for i, image in enumerate(images):
            y, x = random.integers(0, 7, 2)
            out[i, 0, y:y + 36, x:x + 36] = turned(image, random.uniform(-np.pi / 2, np.pi / 2), 36)
        save(folder, split, image=out, digit=labels.astype(np.int32))


def with_angles(folder):
    """Digits turned by up to 60 degrees either way, in 36 x 36, and the cosine and sine of the angle."""
    for seed, (split, (images, labels)) in enumerate(digits().items()):
        random = np.random.default_rng(30 + seed)
        angle = random.uniform(-np.pi / 3, np.pi / 3, len(images))
        out = np.stack([turned(image, a, 36) for image, a in zip(images, angle)])[:, None]
        save(folder, split, image=out, digit=labels.astype(np.int32), turn=np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32))


def in_rows(folder):
    for split, (images, labels) in digits().items():
        save(folder, split, image=images, digit=labels.astype(np.int32))


def from_first_to_last_row(folder):
    """The rows with ink, first to last, at the beginning; the mask is 1 for these."""
    for split, (images, labels) in digits().items():
        rows, mask = np.zeros_like(images), np.zeros(images.shape[:2], np.float32)
        for i, image in enumerate(images):
            ink = np.flatnonzero(image.any(1))
            n = ink[-1] + 1 - ink[0]
            rows[i, :n], mask[i, :n] = image[ink[0]:ink[-1] + 1], 1
        save(folder, split, rows=rows, mask=mask, digit=labels.astype(np.int32))


def pictures_and_pixels(folder):
    for split, (images, _) in digits().items():
        save(folder, split, image=images[:, None], pixels=(images.reshape(len(images), 784) / np.float32(255)).astype(np.float32))


def pairs(folder):
    """Each digit beside another one, in every second pair of the same class."""
    for seed, (split, (images, labels)) in enumerate(digits().items()):
        random = np.random.default_rng(40 + seed)
        of = [np.flatnonzero(labels == c) for c in range(10)]
        same = np.arange(len(images)) % 2
        other = [random.choice(of[c if s else (c + random.integers(1, 10)) % 10]) for c, s in zip(labels, same)]
        save(folder, split, left=images[:, None], right=images[other][:, None], same=same.astype(np.int32))


LENGTH, FIRST, CLASSES = 64, 32, 96             # of char_rnn.yaml: characters 32 to 126, then the end of a line
TEXTS = "/usr/share/common-licenses"


def classes_of(text):
    return np.array([CLASSES - 1 if c == "\n" else ord(c) - FIRST for c in text if c == "\n" or FIRST <= ord(c) < 127], np.int32)


def text_of(classes):
    return "".join("\n" if c == CLASSES - 1 else chr(c + FIRST) for c in classes)


def licences(folder):
    """Pieces of 64 characters of the licences that come with Debian, every eighth position; the last twentieth of each is the test, that before it valid."""
    names = "GPL-1 GPL-2 GPL-3 LGPL-2 LGPL-2.1 LGPL-3 GFDL-1.2 GFDL-1.3 Apache-2.0 MPL-1.1 MPL-2.0 Artistic CC0-1.0".split()
    parts = {"train": [], "valid": [], "test": []}
    for name in names:
        text = classes_of((pathlib.Path(TEXTS) / name).read_text(errors="ignore"))
        cut = len(text) * 18 // 20, len(text) * 19 // 20
        for split, part in zip(parts, np.split(text, cut)):
            step = 8 if split == "train" else LENGTH
            parts[split] += [part[i:i + LENGTH + 1] for i in range(0, len(part) - LENGTH, step)]
    for split, pieces in parts.items():
        pieces = np.stack(pieces)
        save(folder, split, text=pieces[:, :-1].copy(), next=pieces[:, 1:].copy())


def diabetes(folder):
    """scikit-learn's table of 442 patients; measurements and answer with mean 0 and variance 1 by the training part."""
    from sklearn.datasets import load_diabetes
    facts, progress = load_diabetes(return_X_y=True)
    order = np.random.default_rng(50).permutation(len(facts))
    train, valid, test = np.split(order, (300, 370))
    mean, spread = facts[train].mean(0), facts[train].std(0)
    middle, width = progress[train].mean(), progress[train].std()
    for split, rows in (("train", train), ("valid", valid), ("test", test)):
        save(folder, split, facts=((facts[rows] - mean) / spread).astype(np.float32), progress=((progress[rows] - middle) / width)[:, None].astype(np.float32))
    (folder / "units.txt").write_text(f"{width}\n")         # what 1 is, in the table's units
