#!/usr/bin/env python3
"""The oracle: what a generated program should have computed, by PyTorch in float64.

    oracle.py compare MODEL.yaml --program PATH --data DIR    loss, values and gradients of one batch
    oracle.py steps   MODEL.yaml --program PATH               weights after 20 updates of `train`
    oracle.py expect  MODEL.yaml -o FILE.json                 an expectation for check_expectations.py
    oracle.py params  MODEL.yaml                              names, shapes, counts of the parameters

All take --set k=v, as spnc does; the program must have been built with the same settings (and --precision double, for the
default tolerances).  Differences are relative to an array's largest magnitude.  Exit codes: 0 all agree, 1 something differs.
"""
import argparse
import json
import math
import os
import pathlib
import sys
import tempfile
from unittest import mock

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

import formula
import layers
import make_data
from check_expectations import ROOT, run
from language import read_model
from net import Net
from training import Optimiser


# ---- weights and data ---------------------------------------------------------------------------------------------------

def load(path):
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def tensors(arrays):
    return {k: torch.as_tensor(v, dtype=torch.float64) for k, v in arrays.items()}


def jitter(arrays, seed):
    """Moves every weight off its initial value: kinks (identity transforms, zero biases, zero weights) are no place to compare."""
    rng = np.random.default_rng(seed)
    moved = {}
    for key, w in arrays.items():
        rms = float(np.sqrt(np.mean(np.square(w, dtype=np.float64)))) if w.size else 0.0
        fan_in = math.prod(w.shape[1:])
        size = 0.1 * rms if w.ndim > 1 and rms > 0 else 0.2 / math.sqrt(fan_in) if w.ndim > 1 else 0.05
        moved[key] = (w + size * rng.standard_normal(w.shape)).astype(w.dtype)
    return moved


def batch(net, arrays):
    """(inputs, targets) as tensors from name -> array as the files hold them."""
    inputs, targets = {}, {}
    for name, kind, shape, _ in net.data:
        x = torch.as_tensor(arrays[name].astype(np.int64 if kind in ("labels", "i32") else np.float64))
        (inputs if name in net.model["inputs"] else targets)[name] = x / 255 if kind == "u8" else x
    return inputs, targets


def read_batch(net, folder, split, first, count):
    return batch(net, {name: np.load(pathlib.Path(folder) / f"{split}_{name}.npy")[first:first + count]
                       for name, *_ in net.data})


def reference(net, weights, inputs, targets, train=False):
    """Key -> array, with the keys of the program's grad."""
    loss, values, grads = net.gradients(tensors(weights), inputs, targets, train)
    return {"loss": loss.numpy(), **{"out/" + k: v.numpy() for k, v in values.items()},
            **{"grad/" + k: v.numpy() for k, v in grads.items()}}


# ---- comparing ------------------------------------------------------------------------------------------------------------

class Rounded(TorchFunctionMode):
    """Each result of an operation, and the gradient that arrives at it, is moved by up to a unit in its last place, as if it had been rounded otherwise
    (Parker's Monte Carlo arithmetic)."""

    def __init__(self, seed):
        super().__init__()
        self.random = np.random.default_rng(seed)

    def __torch_function__(self, function, types, arguments=(), named=None):
        y = function(*arguments, **(named or {}))
        name = getattr(function, "__name__", "")
        if not torch.is_tensor(y) or not y.is_floating_point() or y._is_view() or any(y is x for x in arguments) or name == "__get__":
            return y
        y = self.moved(y)
        if y.requires_grad:
            y.register_hook(self.moved)
        return y

    def moved(self, y):
        return y * torch.as_tensor(1 + 2.0 ** -52 * self.random.uniform(-1, 1, tuple(y.shape)))


ROUNDINGS = 4
DOUBT = 16      # a sum of some hundred terms rounds that often where the reference's is moved once, and four roundings are not the worst


def doubts(answer):
    """Key -> what other roundings do to each array of the reference: how well it is defined at all.  A sum whose terms cancel (the gradient of a bias
    before a batch norm, a batch norm of equal values) is rounding alone; an operand on the edge of a relu or a floor may fall to either side.  A batch
    norm's variance is made of sums of squares, as the language says of it, which costs mean^2 / variance units in the last place."""
    exact, found = answer(), {}
    for seed in range(ROUNDINGS):
        with Rounded(seed), mock.patch.object(layers, "from_squares", True):
            for key, array in answer().items():
                found[key] = max(found.get(key, 0.0), float(np.abs(array - exact[key]).max(initial=0)))
    return found


def compare_arrays(want, have, tolerance, floor=0.0, doubt=dict):
    """Prints a table, returns the number of failures: differences over the tolerance, missing keys, extra keys, shapes.  floor: an array is taken for at
    least so large.  doubt(): what doubts() says, called where something differs; a difference of at most DOUBT times that is rounding."""
    failures, uncertain = 0, None
    print(f"{'array':40} {'shape':>20} {'largest':>10} {'difference':>10}")
    for key in list(want) + [k for k in have if k not in want]:
        if key not in have or key not in want:
            print(f"{key:40} {'missing' if key not in have else 'extra':>20}  FAILED")
            failures += 1
            continue
        w, h = np.asarray(want[key], np.float64), np.asarray(have[key], np.float64)
        shape = "x".join(map(str, w.shape)) or "-"
        if w.shape != h.shape:
            print(f"{key:40} {shape:>20} but the program has {'x'.join(map(str, h.shape))}  FAILED")
            failures += 1
            continue
        largest = float(np.abs(w).max())
        absolute = float(np.abs(w - h).max())
        relative = absolute / max(largest, floor) if max(largest, floor) > 0 else absolute
        good, why = relative <= tolerance, ""    # false for NaN
        if not good:
            uncertain = doubt() if uncertain is None else uncertain
            good = absolute <= DOUBT * uncertain.get(key, 0.0)
            why = f"  {'rounding' if good else 'FAILED'}: other roundings give {uncertain.get(key, 0.0):.1e}"
        failures += not good
        print(f"{key:40} {shape:>20} {largest:10.3e} {relative:10.2e}{why}")
    print(f"{failures} failures" if failures else f"all within {tolerance:.0e}")
    return failures


def compare(a):
    net = Net(read_model(a.model, a.set))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run(a.program, "export", "--seed", a.seed, "-o", folder / "W0.npz")
        weights = jitter(load(folder / "W0.npz"), a.seed)
        np.savez(folder / "W.npz", **weights)
        run(a.program, "grad", "--weights", folder / "W.npz", "--data", a.data, "--split", a.split,
            "--first", a.first, "--mode", a.mode, "-o", folder / "G.npz")
        have = load(folder / "G.npz")
    inputs, targets = read_batch(net, a.data, a.split, a.first, a.batch or net.model["batch"])
    answer = lambda: reference(net, weights, inputs, targets, a.mode == "train")
    return compare_arrays(answer(), have, a.tolerance, doubt=lambda: doubts(answer))


def train(net, weights, inputs, targets, epochs):
    """`epochs` updates on one batch, an epoch each; weights and running statistics are changed in place.  Returns the optimiser."""
    optimiser = Optimiser(net.model, net)
    if 0 < optimiser.patience <= epochs:
        sys.exit(f"patience {optimiser.patience} could stop the program within {epochs} epochs")
    for epoch in range(epochs):
        _, _, grads = net.gradients(weights, inputs, targets, train=True)
        weights.update({k: v.detach() for k, v in net.updates.items()})
        optimiser.step(weights, grads, epoch)
    return optimiser


def split_size(net, batch_size):
    """Examples of an epoch of one update: a batch; with `accumulate` all its batches, of which the last is a partial one."""
    batches = Optimiser(net.model, net).accumulate
    if batches > 1 and (net.buffers or any({"class_weights", "ignore"} & set(entry) for entry in net.losses())):
        sys.exit("what a batch norm or a weighted mean gives depends on the batch, so several batches are not one large one")
    return batch_size * batches - (batch_size // 2 if batches > 1 else 0)


def steps(a):
    """An epoch is one update: its batches are the whole training split, and the shuffle changes only the order of a mean."""
    net = Net(read_model(a.model, a.set))
    count = split_size(net, a.batch or net.model["batch"])
    average = Optimiser(net.model, net).average
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_data.write(net.model, folder / "data", {"train": count, "valid": 20, "test": 4}, a.seed)
        run(a.program, "export", "--seed", a.seed, "-o", folder / "W0.npz")
        run(a.program, "train", "--data", folder / "data", "--run", folder / "run",
            "--epochs", a.epochs, "--seed", a.seed)
        run(a.program, "export", "--run", folder / "run", "--last", "-o", folder / "W.npz")
        first, have = load(folder / "W0.npz"), load(folder / "W.npz")
        if average:
            run(a.program, "export", "--run", folder / "run", "--last", "--average", "-o", folder / "A.npz")
            have_average = load(folder / "A.npz")
        inputs, targets = read_batch(net, folder / "data", "train", 0, count)
    # The difference is taken of the way gone, not of the weights: those change little in a few updates.
    way = lambda end, begin, of="": {of + k: np.asarray(end[k], np.float64) - np.asarray(begin[k], np.float64) for k in end if k in begin}

    def answer():
        weights = {k: w.clone() for k, w in tensors(first).items()}
        optimiser = train(net, weights, inputs, targets, a.epochs)
        return {**way(weights, first), **(way(optimiser.averaged, first, "average/") if average else {})}

    want, have = answer(), {**way(have, first), **(way(have_average, first, "average/") if average else {})}
    # What no loss depends on (a bias before a batch norm) has a gradient that is rounding alone, and an optimiser that divides by its size goes by that.
    return compare_arrays(want, have, a.tolerance, a.floor * max(float(np.abs(w).max()) for w in want.values() if w.size), lambda: doubts(answer))


# ---- expectations -----------------------------------------------------------------------------------------------------------

def formula_settings(net):
    """Centre and scale of every parameter and buffer for formula.py: signals keep their size, transforms stay off the identity."""
    settings = {}
    for name, shape in net.shapes.items():
        centre, scale = 0, 0.1
        if net.inits[name] == "identity" and shape == (6,):
            centre, scale = [0.7, 0, 0, 0, 0.7, 0], 0.25
        elif net.inits[name] in ("identity", "ones"):
            centre, scale = 0.8, 0.2
        elif isinstance(net.inits[name], dict) and "constant" in net.inits[name] and len(shape) == 1:
            centre = float(net.inits[name]["constant"])
        elif len(shape) > 1:
            scale = math.sqrt(3 / math.prod(shape[1:])) * (0.3 if net.inits[name] in ("identity_affine", "identity") else 1.0)
        settings[name] = {"shape": list(shape), "centre": centre, "scale": scale}
    for name, shape in net.buffers.items():
        settings[name] = {"shape": list(shape), "centre": 1 if net.inits[name] == "ones" else 0, "scale": 0.4}
    return settings


def expectation(model, sets, examples, first, mode):
    """What check_expectations.py reads: names and shapes of data and parameters, and summaries of all answers."""
    net = Net(read_model(model, sets))
    if examples - first > net.model["batch"]:
        sys.exit(f"{examples} examples from {first} on are more than one batch")
    params = formula_settings(net)
    data = {name: {"kind": kind, "shape": list(shape), "classes": classes} for name, kind, shape, classes in net.data}
    arrays = {k: formula.examples(k, d["kind"], d["shape"], d["classes"], examples)[first:] for k, d in data.items()}
    weights = {k: formula.weight(k, p["shape"], p["centre"], p["scale"]) for k, p in params.items()}
    answers = reference(net, weights, *batch(net, arrays), mode == "train")
    return {"model": net.model["model"], "file": os.path.relpath(model, ROOT), "set": sets, "examples": examples, "first": first,
            **({"mode": mode} if mode == "train" else {}), "data": data, "params": params,
            "arrays": {k: formula.summary(k, v) for k, v in answers.items()}}


def expect(a):
    text = json.dumps(expectation(a.model, a.set, a.examples, a.first, a.mode))
    text = text.replace('"params": ', '\n"params": ').replace('"arrays": ', '\n"arrays": ')
    pathlib.Path(a.output).write_text(text.replace('}, "', '},\n "') + "\n")
    return 0


def params(a):
    net, total = Net(read_model(a.model, a.set)), 0
    for name, shape in net.shapes.items():
        total += math.prod(shape)
        print(f"{name:40} {'x'.join(map(str, shape)):>16} {math.prod(shape):>12,}")
    for name, shape in net.buffers.items():
        print(f"{name:40} {'x'.join(map(str, shape)):>16} {'buffer':>12}")
    print(f"{'':40} {'':>16} {total:>12,}")
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(required=True, metavar="COMMAND")
    for command in (compare, steps, expect, params):
        c = commands.add_parser(command.__name__)
        c.set_defaults(command=command)
        c.add_argument("model")
        c.add_argument("--set", action="append", default=[], metavar="K=V")
        if command in (compare, steps):
            c.add_argument("--program", required=True, type=lambda t: pathlib.Path(t).resolve())
            c.add_argument("--batch", type=int, help="the program's batch, if it is not the model's")
            c.add_argument("--seed", type=int, default=1)
            c.add_argument("--tolerance", type=float, default=1e-9 if command is compare else 1e-8)
        if command is compare:
            c.add_argument("--data", required=True, type=pathlib.Path)
            c.add_argument("--split", default="test")
            c.add_argument("--first", type=int, default=0)
        if command in (compare, expect):
            c.add_argument("--mode", choices=("eval", "train"), default="eval")
        if command is steps:
            c.add_argument("--epochs", type=int, default=20)
            c.add_argument("--floor", type=float, default=0.0, help="arrays that go less than this share of the longest way are taken for that long")
        if command is expect:
            c.add_argument("--examples", type=int, default=6)
            c.add_argument("--first", type=int, default=1)
            c.add_argument("-o", dest="output", required=True, metavar="FILE.json")
    a = p.parse_args()
    sys.exit(1 if a.command(a) else 0)


if __name__ == "__main__":
    main()
