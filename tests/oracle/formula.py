"""Numbers that any language can make again: weights, inputs and test vectors from one integer hash.

    hash(name, i) = mix(fnv1a(name) + i * 0x9E3779B9), all modulo 2^32
    mix(x):  x ^= x >> 16;  x *= 0x85EBCA6B;  x ^= x >> 13;  x *= 0xC2B2AE35;  x ^= x >> 16
    unit(name, i) = hash(name, i) / 2^32, in [0, 1)

i counts the elements of an array in row-major order.  Every result is exact, so C and Python agree to the bit:
    weight     centre + scale * (2 * unit - 1), in double, rounded to float; centre is one number or one per element
    u8 input   the hash's top byte where hash(name + "/dark", i / 16) is even, else 0 (black runs, so that pools have ties)
    f32 input  2 * unit - 1, rounded to float
    label, i32 hash modulo classes
    unit       unit, rounded to float; shares: the same, divided in double by its sum over the first dimension of an example
    sign k     +1 where the top bit of hash(name + "#k", i) is set, else -1
"""
import numpy as np


def fnv1a(name):
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def hashes(name, indices):
    x = np.asarray(indices, np.uint64) * np.uint64(0x9E3779B9) + np.uint64(fnv1a(name))
    x = x & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor) & np.uint64(0xFFFFFFFF)
    return x.astype(np.uint32)


def unit(name, count):
    return hashes(name, np.arange(count)) / 2.0 ** 32


def weight(name, shape, centre, scale):
    count = int(np.prod(shape, dtype=np.int64))
    values = np.asarray(centre, np.float64) + scale * (2 * unit(name, count) - 1)
    return values.astype(np.float32).reshape(shape)


def examples(name, kind, shape, classes, count):
    """`count` examples of an input or target, as its .npy file holds them."""
    size = count * int(np.prod(shape, dtype=np.int64))
    if kind == "u8":
        lit = hashes(name + "/dark", np.arange(size) // 16) % 2 == 0
        flat = np.where(lit, hashes(name, np.arange(size)) >> 24, 0).astype(np.uint8)
    elif kind in ("labels", "i32"):
        flat = (hashes(name, np.arange(size)) % classes).astype(np.int32)
    elif kind in ("unit", "shares"):
        flat = unit(name, size).reshape(count, *shape)
        flat = (flat / flat.sum(1, keepdims=True) if kind == "shares" else flat).astype(np.float32)
    else:
        flat = (2 * unit(name, size) - 1).astype(np.float32)
    return flat.reshape((count, *shape))


def signs(name, k, count):
    return np.where(hashes(f"{name}#{k}", np.arange(count)) >> 31, 1.0, -1.0)


def summary(name, array):
    """What an expectation keeps of an array, to 13 digits: shape, 2-norm, largest magnitude, three projections, eight samples."""
    short = lambda x: float(f"{x:.13g}")
    flat = np.asarray(array, np.float64).reshape(-1)
    places = sorted({int(h) % flat.size for h in hashes(name + "@", np.arange(8))})
    return {"shape": list(np.shape(array)), "norm": short(np.linalg.norm(flat)), "max": short(np.abs(flat).max()),
            "projections": [short(flat @ signs(name, k, flat.size)) for k in range(3)],
            "samples": [[i, short(flat[i])] for i in places]}
