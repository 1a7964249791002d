#!/usr/bin/env python3
"""Makes a small data folder that fits a model's inputs and targets: random, seeded, with black areas in u8 images.

    make_data.py MODEL.yaml [--set k=v]... -o DIR [--train 100] [--valid 20] [--test 20] [--seed 1]
"""
import argparse
import pathlib

import numpy as np

from language import data_shapes, read_model


def examples(rng, kind, shape, classes, count):
    if kind in ("labels", "i32"):
        return rng.integers(0, classes, (count, *shape)).astype(np.int32)
    if kind in ("unit", "shares"):
        share = rng.random((count, *shape))
        return (share / share.sum(1, keepdims=True) if kind == "shares" else share).astype(np.float32)
    if kind == "f32":
        return rng.standard_normal((count, *shape)).astype(np.float32)
    pixels = rng.integers(0, 256, (count, *shape))
    if len(shape) == 3:     # blocks of 6 x 6 are black or lit, half of each
        lit = rng.integers(0, 2, (count, shape[0], -(-shape[1] // 6), -(-shape[2] // 6)))
        pixels *= lit.repeat(6, 2).repeat(6, 3)[:, :, :shape[1], :shape[2]]
    return pixels.astype(np.uint8)


def write(model, folder, counts, seed):
    """counts: split -> number of examples."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for split, count in counts.items():
        for name, kind, shape, classes in data_shapes(model):
            np.save(folder / f"{split}_{name}.npy", examples(rng, kind, shape, classes, count))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--set", action="append", default=[], metavar="K=V")
    p.add_argument("-o", dest="folder", required=True, metavar="DIR")
    for split, count in (("train", 100), ("valid", 20), ("test", 20)):
        p.add_argument("--" + split, type=int, default=count)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    write(read_model(a.model, a.set), a.folder, {"train": a.train, "valid": a.valid, "test": a.test}, a.seed)


if __name__ == "__main__":
    main()
