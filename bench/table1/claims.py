"""What the paper says of attention, as figures: how far the transforms zoom, whether the glimpses follow the digits, and which of two nets reads more images.

Examples are objects of `NAME predict --json`; a transform is [a, b, x, c, d, y]: the point (u, v) of the crop, both from -1 to 1, is at
(a u + b v + x, c u + d v + y) of the image, whose corner pixels' centres lie at -1 and 1 (eq. 2 and 3 of arXiv:1509.05329; PyTorch's align_corners).
"""

import base64
import math

DIGIT, SIDE = 28, 100           # pixels of a digit and of an image


def transforms(example):
    """The transforms of an example, one a step; of a net with one crop, one."""
    (found,) = example["transforms"].values()
    return found if isinstance(found[0], list) else [found]


def scale(transform):
    """The side of the square that has the crop's area, as a share of the image's: 1 is the whole image."""
    a, b, _, c, d, _ = transform
    return math.sqrt(abs(a * d - b * c))


def mean_scale(examples):
    found = [scale(t) for e in examples for t in transforms(e)]
    return sum(found) / len(found)


def centre(place):
    """The middle of a digit whose first row and column are `place`, in the image's coordinates (x, y)."""
    row, column = place
    return tuple((first + (DIGIT - 1) / 2) * 2 / (SIDE - 1) - 1 for first in (column, row))


def holds(transform, point):
    """Does the crop's box hold this point of the image?"""
    a, b, x, c, d, y = transform
    determinant = a * d - b * c
    if determinant == 0:
        return False
    px, py = point[0] - x, point[1] - y
    return abs(d * px - b * py) <= abs(determinant) and abs(a * py - c * px) <= abs(determinant)


def nearest(transform, points):
    """Which of the points lies nearest to the middle of the crop."""
    return min(range(len(points)), key=lambda k: math.hypot(points[k][0] - transform[2], points[k][1] - transform[5]))


def in_order(examples, places):
    """Of all steps, the share whose box holds the digit that is to be read there, and the share to whose middle this digit is the nearest."""
    held = near = steps = 0
    for e, of in zip(examples, places):
        points = [centre(p) for p in of]
        for t, transform in enumerate(transforms(e)):
            steps += 1
            held += holds(transform, points[t])
            near += nearest(transform, points) == t
    return held / steps, near / steps


def right_images(examples):
    """A bit for each image, all of whose digits are read rightly; as text."""
    bits = [all(r == l for r, l in zip(e["targets"]["digits"]["read"], e["targets"]["digits"]["labels"])) for e in examples]
    packed = sum(bit << k for k, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    return {"count": len(bits), "bits": base64.b64encode(packed).decode()}


def bits_of(right):
    packed = int.from_bytes(base64.b64decode(right["bits"]), "little")
    return [packed >> k & 1 for k in range(right["count"])]


def mcnemar(one, other):
    """Of the same images: how many only `one` reads, how many only `other`, and the exact two-sided probability of so uneven a division if both read equally
    well (McNemar 1947; binomial)."""
    if one["count"] != other["count"]:
        raise ValueError(f"{one['count']} and {other['count']} images are not the same ones")
    pairs = list(zip(bits_of(one), bits_of(other)))
    only, only_other = pairs.count((1, 0)), pairs.count((0, 1))
    n, k = only + only_other, min(only, only_other)
    tail = sum(math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2)) for i in range(k + 1))
    return only, only_other, min(1.0, 2 * tail)
