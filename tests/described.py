#!/usr/bin/env python3
"""spnc's described operators (templates/*/NAME.op.lua) against references in numpy.

    described.py SPNC FOLDER     builds one net with every case below in FOLDER, in several forms; exit code 1 if something differs

A case is an entry of the flow, with `x`, `z` and `w` for its operands, and a function that says what it should have computed: from arrays [N][...] to
another; where the operator has parameters, its last argument is a map of these.  Operands are results of dense layers, so that gradients go through them;
NAME check holds every gradient against central differences.  Held here: values in double, plain and fast, within 1e-12 of the reference; plain and fast gradients within 1e-10 of each other; in float
the same bytes for every target that this processor has; a batch that ends in the middle of a group.  Every description has a case.
"""
import inspect
import pathlib
import re
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES, BATCH = 41, 40            # the second batch has one example


def windows(length, size, step, padding, ceil):
    """First and last place (behind it) of each window along an axis, padding included; as PyTorch counts them."""
    count = (length + 2 * padding - size) // step + 1
    if ceil and (length + 2 * padding - size) % step and count * step < length + padding:
        count += 1
    return [(i * step - padding, min(i * step - padding + size, length + padding)) for i in range(count)]


def avgpool(x, size, step=None, padding=(0, 0), ceil=False, count_padding=False):
    step = step or size
    if x.ndim == 3:
        return avgpool(x[:, :, None], (1, size[1]), (1, step[1]), (0, padding[1]), ceil, count_padding)[:, :, 0]
    rows, columns = (windows(x.shape[k + 2], size[k], step[k], padding[k], ceil) for k in (0, 1))
    y = np.zeros((*x.shape[:2], len(rows), len(columns)))
    for i, (a, b) in enumerate(rows):
        for j, (c, d) in enumerate(columns):
            inside = x[:, :, max(a, 0):min(b, x.shape[2]), max(c, 0):min(d, x.shape[3])]
            number = (b - a) * (d - c) if count_padding else inside.shape[2] * inside.shape[3]
            y[:, :, i, j] = inside.sum((2, 3)) / number
    return y


def log_softmax(x, axis):
    z = x - x.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


def bilinear(x, rows, columns):
    """Each axis by itself: the value at (i + 1/2) / factor - 1/2, between the centres of two elements."""
    for axis, factor in (2, rows), (3, columns):
        n = x.shape[axis]
        at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        low = np.floor(at).astype(int)
        shape = [-1 if k == axis else 1 for k in range(4)]
        share = (at - low).reshape(shape)
        x = np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, n - 1), axis) * share
    return x


def normed(x, axes, mean=True, epsilon=1e-5):
    x = x - x.mean(axes, keepdims=True) if mean else x
    return x / np.sqrt((x * x).mean(axes, keepdims=True) + epsilon)


def layer_norm(x, axes, p, **settings):
    """The parameters have the shape of the axes: they are broadcast along the others."""
    shape = [x.shape[k] if k in axes else 1 for k in range(1, x.ndim)]
    y = normed(x, axes, **settings)
    return y * p["weight"].reshape(shape) + (p["bias"].reshape(shape) if "bias" in p else 0)


def group_norm(x, groups, p):
    y = normed(x.reshape(len(x), groups, -1), (2,)).reshape(x.shape)
    shape = [-1] + [1] * (x.ndim - 2)
    return y * p["weight"].reshape(shape) + p["bias"].reshape(shape) if p else y


# (entry, shape of its operands, reference)
CASES = [
    ("avgpool: x", (2, 5, 6), lambda x: avgpool(x, (2, 2))),
    ("avgpool: x, size: [3, 2], stride: 2, padding: 1", (2, 5, 7), lambda x: avgpool(x, (3, 2), (2, 2), (1, 1))),
    ("avgpool: x, size: 3, stride: 2, padding: 1, ceil: true, count_padding: true", (1, 6, 7), lambda x: avgpool(x, (3, 3), (2, 2), (1, 1), True, True)),
    ("avgpool: x, size: 4, stride: 3, ceil: true, padding: 2", (3, 11), lambda x: avgpool(x, (4, 4), (3, 3), (2, 2), True)),
    ("global_avgpool: x", (3, 4, 5), lambda x: x.mean((2, 3))),
    ("global_avgpool: x", (4, 3), lambda x: x.mean(2)),
    ("global_maxpool: x", (3, 2, 3), lambda x: x.max((2, 3))),
    ("global_maxpool: x", (2, 2, 2, 2), lambda x: x.max((2, 3, 4))),
    ("sum: x", (2, 3), lambda x: x.sum((1, 2))),
    ("sum: x, axes: -1", (4, 3), lambda x: x.sum(2)),
    ("sum: x, axes: [0, -1], keep: true", (2, 3, 4), lambda x: x.sum((1, 3), keepdims=True)),
    ("mean: x, axes: 0", (5,), lambda x: x.mean(1)),
    ("mean: x, axes: [2, -3]", (2, 3, 4, 2), lambda x: x.mean(3).mean(2)),
    ("max: x", (3, 3), lambda x: x.max((1, 2))),
    ("max: x, axes: [2, 0]", (2, 4, 3), lambda x: x.max((1, 3))),
    ("max: x, axes: 1, keep: true", (3, 4), lambda x: x.max(2, keepdims=True)),
    ("softmax: x", (2, 5), lambda x: np.exp(log_softmax(x, 2))),
    ("softmax: x, axis: 1", (2, 3, 4), lambda x: np.exp(log_softmax(x, 2))),
    ("log_softmax: x", (6,), lambda x: log_softmax(x, 1)),
    ("log_softmax: x, axis: -3", (4, 2, 3), lambda x: log_softmax(x, 1)),
    ("transpose: x, axes: [1, 0]", (3, 4), lambda x: x.transpose(0, 2, 1)),
    ("transpose: x, axes: [-1, 0, 1]", (2, 3, 4), lambda x: x.transpose(0, 3, 1, 2)),
    ("transpose: x, axes: [3, 1, 2, 0]", (2, 1, 3, 4), lambda x: x.transpose(0, 4, 2, 3, 1)),
    ("flip: x", (4,), lambda x: x[:, ::-1]),
    ("flip: x, axis: -2", (2, 3, 2), lambda x: x[:, :, ::-1]),
    ("stack: [x, z]", (2, 3), lambda x, z: np.stack([x, z], 1)),
    ("stack: [x, z, w], axis: -1", (2, 3), lambda x, z, w: np.stack([x, z, w], 3)),
    ("stack: [x, x, z], axis: 1", (4,), lambda x, z: np.stack([x, x, z], 2)),
    ("pad: x, by: 2", (2, 3, 3), lambda x: np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])),
    ("pad: x, by: 1", (3,), lambda x: np.pad(x, [(0, 0), (1, 1)])),
    ("pad: x, by: [[1, 0], 0, [0, 2]]", (2, 3, 2), lambda x: np.pad(x, [(0, 0), (1, 0), (0, 0), (0, 2)])),
    ("pad: x, by: [0, 2, [3, 1]], mode: reflect", (2, 3, 4), lambda x: np.pad(x, [(0, 0), (0, 0), (2, 2), (3, 1)], mode="reflect")),
    ("pad: x, by: [0, 0, [0, 5], 2], mode: edge", (2, 2, 2, 3), lambda x: np.pad(x, [(0, 0), (0, 0), (0, 0), (0, 5), (2, 2)], mode="edge")),
    ("upsample: x", (2, 2, 3), lambda x: x.repeat(2, 2).repeat(2, 3)),
    ("upsample: x, factor: 3", (2, 4), lambda x: x.repeat(3, 2)),
    ("upsample: x, factor: [2, 3], mode: bilinear", (2, 3, 2), lambda x: bilinear(x, 2, 3)),
    ("upsample: x, factor: [1, 4], mode: bilinear", (1, 2, 3), lambda x: bilinear(x, 1, 4)),
    ("prelu: x", (3, 4), lambda x, p: np.where(x > 0, x, p["weight"][:, None] * x)),
    ("prelu: x", (5,), lambda x, p: np.where(x > 0, x, p["weight"] * x)),
    ("layer_norm: x", (3, 4), lambda x, p: layer_norm(x, (2,), p)),
    ("layer_norm: x, axes: [-1, -2], epsilon: 1e-3", (2, 3, 4), lambda x, p: layer_norm(x, (2, 3), p, epsilon=1e-3)),
    ("layer_norm: x, axes: 0", (3, 2, 2), lambda x, p: layer_norm(x, (1,), p)),
    ("layer_norm: x, axes: [0, 2], affine: false", (2, 2, 3), lambda x: normed(x, (1, 3))),
    ("rms_norm: x", (5,), lambda x, p: layer_norm(x, (1,), p, mean=False)),
    ("rms_norm: x, axes: [0, 2], epsilon: 1e-3", (2, 2, 3), lambda x, p: layer_norm(x, (1, 3), p, mean=False, epsilon=1e-3)),
    ("rms_norm: x, affine: false, act: { leaky_relu: { slope: 0.2 } }", (2, 4), lambda x: (lambda y: np.where(y > 0, y, 0.2 * y))(normed(x, (2,), mean=False))),
    ("group_norm: x, groups: 2", (4, 3), lambda x, p: group_norm(x, 2, p)),
    ("group_norm: x, groups: 3", (6, 2, 2), lambda x, p: group_norm(x, 3, p)),
    ("group_norm: x, groups: 2", (6,), lambda x, p: group_norm(x, 2, p)),
    ("group_norm: x, groups: 1, affine: false", (2, 2, 2), lambda x: group_norm(x, 1, None)),
    ("group_norm: x, groups: 2, act: tanh", (4, 2), lambda x, p: np.tanh(group_norm(x, 2, p))),
    ("instance_norm: x", (3, 2, 3), lambda x, p: group_norm(x, 3, p)),
    ("instance_norm: x, affine: false", (2, 5), lambda x: group_norm(x, 2, None)),
]

# Norms of numbers that are all equal: 0 in float too, where the root of a small epsilon would make much of what their mean is off by.
LEVEL = {"level0": "instance_norm: equal", "level1": "layer_norm: equal, axes: [0, 1]", "level2": "group_norm: equal, groups: 1"}


def model():
    lines = ["model: described", f"batch: {BATCH}", "inputs: { x: { shape: [5] } }", "targets: { y: { classes: 3 } }", "flow:"]
    for k, (entry, shape, reference) in enumerate(CASES):
        units = int(np.prod(shape))
        for name in operands(reference):
            lines += [f"  - flat_{name}{k}: {{ dense: x, units: {units}, bias: false }}", f"  - {name}{k}: {{ reshape: flat_{name}{k}, shape: {list(shape)} }}"]
            entry = re.sub(rf"\b{name}\b", f"{name}{k}", entry)
        lines += [f"  - y{k}: {{ {entry} }}", f"  - out{k}: {{ dense: y{k}, units: 3, bias: false }}"]
    count = len(CASES)
    for first in range(0, count, 8):
        lines += [f"  - sum{first}: {{ add: [{', '.join(f'out{k}' for k in range(first, min(first + 8, count)))}] }}"]
    names = ", ".join(f"sum{first}" for first in range(0, count, 8))
    lines += ["  - e: { dense: x, units: 1, bias: false }", "  - z: { constant: 0, shape: [3, 7] }", "  - equal: e + z"]
    lines += [f"  - {name}: {{ {entry}, affine: false }}" for name, entry in LEVEL.items()]
    return "\n".join(lines + [f"  - v: {{ add: [{names}] }}", "loss: { cross_entropy: [v, y] }"]) + "\n"


def operands(reference):
    return [name for name in inspect.signature(reference).parameters if name != "p"]


def parameters(weights, entry):
    """The parameters of an entry of the flow, by their names in it."""
    return {name[len(entry) + 1:]: weights[name] for name in weights.files if name.startswith(entry + ".")}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"described: {' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def targets():
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return ["generic"] + ["avx2"] * (" avx2 " in flags and " fma " in flags) + ["avx512"] * (" avx512dq " in flags)


def main():
    spnc, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    known = {p.name.split(".")[0] for p in ROOT.glob("templates/*/*.op.lua")}
    failed = [f"{name} has no case" for name in sorted(known - {entry.split(":")[0] for entry, _, _ in CASES})]
    (folder / "m.yaml").write_text(model())
    r = np.random.default_rng(5)
    for split in ("train", "valid", "test"):
        np.save(folder / f"{split}_x.npy", r.normal(size=(EXAMPLES, 5)).astype("f4"))
        np.save(folder / f"{split}_y.npy", r.integers(0, 3, EXAMPLES).astype("i4"))

    def answers(name, *options):
        run(spnc, "build", folder / "m.yaml", "-o", folder / name, *options)
        program = folder / name / "described"
        if not (folder / "W.npz").exists():
            run(program, "export", "--seed", 1, "-o", folder / "W.npz")
            weights = np.load(folder / "W.npz")      # those that start at 1 or 0 would say little
            np.savez(folder / "W.npz", **{k: r.normal(size=w.shape).astype(w.dtype) if k[0] == "y" else w for k, w in weights.items()})
        for first in (0, BATCH):
            run(program, "grad", "--weights", folder / "W.npz", "--data", folder, "--split", "test", "--first", first, "-o", folder / f"{name}{first}.npz")
        return program, [np.load(folder / f"{name}{first}.npz") for first in (0, BATCH)]

    double = {}
    for form, options in ("fast", ["--precision", "double"]), ("plain", ["--precision", "double", "--plain"]):
        program, double[form] = answers(form, *options)
        run(program, "check", "--data", folder)
        for got in double[form]:
            for k, (entry, _, reference) in enumerate(CASES):
                given = [got[f"out/{name}{k}"] for name in operands(reference)]
                if "p" in inspect.signature(reference).parameters:
                    given.append(parameters(np.load(folder / "W.npz"), f"y{k}"))
                want, have = reference(*given), got[f"out/y{k}"]
                if want.shape != have.shape or not np.abs(want - have).max() <= 1e-12 * max(1, np.abs(want).max()):
                    failed.append(f"{form}: {{ {entry} }}: {have.shape}, off by {np.abs(want - have).max() if want.shape == have.shape else 'its shape'}")
    for a, b in zip(double["fast"], double["plain"]):
        failed += [f"{key}: plain and fast differ" for key in a.files if not np.allclose(a[key], b[key], rtol=1e-10, atol=1e-12)]
    bits = {t: answers(t, "--target", t)[1] for t in targets()}
    failed += [f"float: {{ {entry} }} of equal numbers is not 0" for got in bits["generic"] for name, entry in LEVEL.items() if got[f"out/{name}"].any()]
    for target, got in bits.items():
        for a, b in zip(bits["generic"], got):
            failed += [f"{key}: generic and {target} differ" for key in a.files if a[key].tobytes() != b[key].tobytes()]
    print("\n".join(failed) or f"described: {len(CASES)} cases, targets {', '.join(bits)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
