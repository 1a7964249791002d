#!/usr/bin/env python3
"""Random models: each is drawn from a seed, built in double (an odd seed in the plain form), and held against PyTorch in float64 (oracle.py): its loss,
values and gradients, and where nothing in it is left to chance its weights after three updates.  A run that stops behind its first batch and goes on must
end in the bits of one that does not stop.

    draw.py show SEED                                           the model of a seed
    draw.py campaign --count N [--first SEED] [--state FILE]    seeds one after the other; those that FILE lists as done are left out
    draw.py parts SEED... -o MODEL.yaml                         the models of several seeds as parts of one: nets/drawn.yaml

A failure prints its seed, the model and what differed; exit code 1.  SPNC names the compiler (build/spnc).  A model is made of features, each a
function that adds entries to the flow; FEATURES has them with the operators that they need; LOSSES and `training` draw the rest.  What the compiler does not have is not drawn, so a
seed means one model for one compiler alone.
"""
import argparse
import contextlib
import io
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import numpy as np
import yaml

import make_data
from language import read_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BATCH, EXAMPLES = 20, 23            # two groups of lanes, the second in part; batches of 20 from 0, and of 4 from 19


def operators(spnc):
    """The names that `spnc ops` lists; and the keys of repeat and dense that are newer than others, from the schema."""
    told = lambda what: subprocess.run([str(spnc), what], capture_output=True, text=True, check=True).stdout
    known = {line.split()[0] for line in told("ops").splitlines() if line.startswith("  ") and line.split()}
    definitions = json.loads(told("schema"))["$defs"]
    known |= {"repeat." + key for key in definitions["repeat"]["properties"]}
    return known | {"dense." + key for form in definitions["made"]["anyOf"] if "dense" in form.get("properties", {}) for key in form["properties"]}


# ---- a model while it is drawn ------------------------------------------------------------------------------------------------

class Draw:
    """inputs, targets, params, nets, flow, loss: as the file has them, without prefix; values: name -> shape; used: names that an entry has read."""

    def __init__(self, seed, known, prefix=""):
        self.r, self.known, self.prefix = random.Random(seed), known, prefix
        self.inputs, self.targets, self.params, self.nets, self.flow, self.losses = {}, {}, {}, {}, [], []
        self.values, self.used, self.count = {}, set(), {}

    def has(self, *words):
        return all(w in self.known for w in words)

    def name(self, stem):
        self.count[stem] = self.count.get(stem, 0) + 1
        return f"{self.prefix}{stem}{self.count[stem]}"

    def chance(self, p):
        return self.r.random() < p

    def number(self, low, high):
        return round(self.r.uniform(low, high), 2)

    def pick(self, rank=None, fits=lambda s: True):
        """The name of a value whose shape fits, rather one that nothing has read; None: there is none."""
        found = [n for n, s in self.values.items() if (rank is None or len(s) == rank) and fits(s) and math.prod(s) <= 400]
        if not found:
            return None
        fresh = [n for n in found if n not in self.used]
        name = self.r.choice(fresh if fresh and self.chance(0.6) else found)
        self.used.add(name)
        return name

    def add(self, stem, given, shape):
        """An entry; returns its name."""
        name = self.name(stem)
        self.flow.append({name: given})
        self.values[name] = tuple(shape)
        return name

    def input(self, shape):
        name = self.name("x")
        self.inputs[name] = {"shape": list(shape)}
        self.values[name] = tuple(shape)
        return name


def broadcast(a, b):
    return tuple(np.broadcast_shapes(a, b))


def axes_of(d, rank):
    """Some axes, as a file may write them."""
    axes = d.r.sample(range(rank), d.r.randint(1, rank))
    return [k - rank if d.chance(0.3) else k for k in axes]


# ---- formulas -------------------------------------------------------------------------------------------------------------------

def tame(d, x):
    """A text that is x made small."""
    return d.r.choice([f"tanh({x})", f"sigmoid({x})", f"0.3 * {x}", f"sin({x})", f"clip({x}, -1.5, 1.25)"])


def one(d, x):
    """A function of one text; never outside of its domain, nowhere steep."""
    n = d.number(0.2, 1.5)
    return d.r.choice([
        f"exp({tame(d, x)})", f"log({n} + ({x}) ** 2)", f"sqrt({n} + ({x}) * ({x}))", f"abs({x})", f"sin({x})", f"cos({x})", f"tanh({x})",
        f"sigmoid({x})", f"relu({x})", f"softplus({x})", f"erf({x})", f"min({x}, {n})", f"max({x}, -{n})", f"sign({x}) * {n}", f"floor({x}) + ({x})",
        f"clip({x}, -{n}, {n})", f"leaky_relu({x}, {n})", f"elu({x}, {n})", f"elu({x})", f"selu({x})", f"gelu({x})", f"silu({x})", f"hard_sigmoid({x})",
        f"relu6({x} * 3)", f"square({x})", f"negate({x})", f"-({x})", f"tanh({x}) ** 3", f"sin({x}) ** 4", f"({n} + ({x}) ** 2) ** 0.5",
        f"({n} + square({x})) ** -1", f"({n} + square({x})) ** -1.5", f"(1 + abs({x})) ** {n}", f"({x}) ** 0 + ({x})"])


def two(d, x, y):
    n = d.number(0.3, 1.5)
    return d.r.choice([
        f"({x}) + ({y})", f"({x}) - ({y})", f"({x}) * {tame(d, y)}", f"({x}) / ({n} + ({y}) ** 2)", f"min({x}, {y})", f"max({x}, {y})",
        f"where({x} > {y}, {one(d, x)}, {y})", f"({x} < {n}) * ({y})", f"where(({x}) * ({y}) >= 0, {y}, {n})", f"({x} != {y}) + ({y})",
        f"where({x} <= {y}, {x}, 0) + ({y})", f"{n} * ({x}) - {d.number(0.1, 2)} * ({y})", f"-{x} ** 2 * 0.1 + {y}"])


def constant_part(d):
    """A text of numbers and parameters alone, a factor near 1."""
    if d.params and d.chance(0.5):
        p = d.r.choice(list(d.params))
        return d.r.choice([f"(1 + 0.1 * ${p})", f"(${p} // 2 + 1)", f"exp(-0.1 * ${p})", f"(${p} % 3 + 0.5)"])
    return d.r.choice(["(2 ** 0.5)", "(7 // 2 * 0.4)", "exp(0.3)", "1.25", "(1 - 0.1 * 2)"])


def expression(d, operands, depth=2):
    """A text that reads all operands."""
    text = operands[0]
    for _ in range(d.r.randint(0, depth)):
        text = one(d, text)
    for x in operands[1:]:
        text = two(d, text, one(d, x) if d.chance(0.5) else x) if d.chance(0.5) else two(d, x, text)
        if len(text) > 400:
            break
    if d.chance(0.3):
        text = f"{constant_part(d)} * ({text})"
    return text


def together(d, most=3):
    """Names of values that broadcast, and the shape of the result."""
    first = d.pick()
    names, shape = [first], d.values[first]
    for _ in range(d.r.randint(0, most - 1)):
        def fits(s):
            try:
                return math.prod(broadcast(shape, s)) <= 400
            except ValueError:
                return False
        name = d.pick(fits=fits)
        if name:
            names.append(name)
            shape = broadcast(shape, d.values[name])
    return names, shape


def reads(text, names):
    return [n for n in names if re.search(rf"\b{n}\b", text)]


def formula(d):
    names, _ = together(d)
    text = tame(d, expression(d, names))
    shape = ()
    for n in reads(text, names):
        shape = broadcast(shape, d.values[n])
    d.add("f", text, shape)


def alias_or_index(d):
    name = d.pick()
    if d.values[name] and d.chance(0.6):
        return d.add("s", f"{name}[{d.r.randrange(d.values[name][0])}]" + d.r.choice(["", " * 0.5"]), d.values[name][1:])
    return d.add("k", name, d.values[name])


def element(d):
    """Operators of formulas as operators."""
    name = d.pick()
    n = d.number(0.2, 1.5)
    given = d.r.choice([{"leaky_relu": name, "slope": n}, {"elu": name, "alpha": n}, {"selu": name}, {"gelu": name}, {"gelu": name, "approximate": "tanh"}, {"silu": name},
                        {"softplus": name}, {"hard_sigmoid": name}, {"relu6": name}, {"clip": name, "low": -n, "high": n}, {"square": f"tanh({name})"},
                        {"exp": {"tanh": name}}, {"log": f"1 + square({name})"}, {"sqrt": f"{n} + square({name})"}, {"abs": name}, {"negate": name}, {"relu": name},
                        {"tanh": name}, {"sigmoid": name}])
    d.add("e", given, d.values[name])


def binary(d):
    names, shape = together(d, 2)
    if len(names) == 2:
        op = d.r.choice(["subtract", "divide", "maximum", "minimum"])
        d.add("b", {op: [names[0], f"1 + square({names[1]})" if op == "divide" else names[1]]}, shape)


def same_shape(d):
    name = d.pick()
    others = [n for n, s in d.values.items() if s == d.values[name]]
    chosen = [name] + [d.r.choice(others) for _ in range(d.r.randint(1, 2))]
    d.used.update(chosen)
    d.add("m", {d.r.choice(["add", "multiply"]): [tame(d, c) for c in chosen] if d.chance(0.4) else chosen}, d.values[name])


# ---- constants, parameters ------------------------------------------------------------------------------------------------------

def constant(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    shape = d.values[name]
    last = shape[-1]
    given = d.r.choice([{"constant": d.number(-1, 1)}, {"constant": [d.number(-1, 1) for _ in range(last)]}, {"constant": {"range": last}},
                        {"constant": 0.5, "shape": list(shape)}])
    made = () if not isinstance(given["constant"], (list, dict)) and "shape" not in given else tuple(given.get("shape", [last]))
    c = d.add("c", given, made)
    d.used.add(c)
    d.add("f", f"tanh({name} * {c})", shape)


def parameter(d):
    name = d.pick()
    shape = d.values[name]
    own = d.r.choice([shape, shape[-1:], (), tuple(1 if d.chance(0.3) else n for n in shape)])
    p = d.add("p", {"parameter": list(own), "init": d.r.choice(["ones", {"normal": 0.5}, {"uniform": 0.5}, {"constant": 0.7}])}, own)
    d.used.add(p)
    d.add("f", d.r.choice([f"{name} * {p}", f"tanh({name} + {p})", f"where({p} > {name}, {name}, {p})"]), broadcast(shape, own))


# ---- dense, nested operands -----------------------------------------------------------------------------------------------------

def act(d):
    return d.r.choice([{}, {"act": "relu"}, {"act": "tanh"}, {"act": "sigmoid"}, {"act": {"leaky_relu": {"slope": 0.2}}}, {"act": "silu"}, {"act": "gelu"},
                       {"act": {"elu": {"alpha": 0.5}}}, {"act": "softplus"}, {"act": "selu"}])


def operand(d, name):
    """The value as an operand of another operator: its name, a formula, an operator."""
    return d.r.choice([name, name, tame(d, name), {"tanh": name}, {"relu": f"{name} + 0.1"}, {"sigmoid": {"abs": name}}])


def dense(d):
    name = d.pick(fits=lambda s: math.prod(s) <= 200)
    if not name:
        return
    units = d.r.randint(1, 9)
    given = {"dense": operand(d, name), "units": units, **act(d)}
    if d.chance(0.2):
        given["bias"] = False
    if d.chance(0.2):
        d.add("d", {d.r.choice(["tanh", "relu", "sigmoid"]): {k: v for k, v in given.items() if k != "act"}}, [units])
    else:
        d.add("d", given, [units])


# ---- maps -----------------------------------------------------------------------------------------------------------------------

def conv(d):
    name = d.pick(3, lambda s: min(s[1:]) >= 3 and s[0] <= 8)
    if not name:
        return
    c, h, w = d.values[name]
    kernel, stride, filters = d.r.choice([1, 2, 3]), d.r.choice([1, 1, 2]), d.r.choice([1, 2, 3, 4])
    padding = d.r.choice([0, 1]) if kernel > 1 else 0
    given = {"conv": operand(d, name), "filters": filters, "kernel": kernel, "stride": stride, "padding": padding, **act(d)}
    if d.chance(0.3):
        given["bias"] = False
    size = lambda n: (n + 2 * padding - kernel) // stride + 1
    d.add("v", given, [filters, size(h), size(w)])


def pool(d):
    name = d.pick(3, lambda s: min(s[1:]) >= 4)
    if not name:
        return
    c, h, w = d.values[name]
    op, size = d.r.choice(["maxpool", "avgpool"]), d.r.choice([2, 3])
    stride = d.r.choice([size, 2])
    d.add("q", {op: name, "size": size, "stride": stride}, [c, (h - size) // stride + 1, (w - size) // stride + 1])


def global_pool(d):
    name = d.pick(3)
    if name:
        d.add("g", {d.r.choice(["global_avgpool", "global_maxpool"]): name}, d.values[name][:1])


def norm(d):
    name = d.pick(fits=lambda s: len(s) >= 1 and math.prod(s) >= 4 and s[-1] >= 3)
    if not name:
        return
    shape = d.values[name]
    rank = len(shape)
    kind = d.r.choice(["layer_norm", "rms_norm"] + (["group_norm", "instance_norm"] if rank == 3 and shape[1] * shape[2] >= 4 else []))
    given = {kind: name}
    if kind in ("layer_norm", "rms_norm") and rank > 1 and d.chance(0.5):
        given["axes"] = sorted(set(d.r.sample(range(rank), d.r.randint(1, rank - 1)) + [rank - 1]))
    if kind == "group_norm":
        given["groups"] = d.r.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
    if d.chance(0.3):
        given["affine"] = False
    if d.chance(0.3):
        given["act"] = d.r.choice(["relu", "tanh", "sigmoid"])
    d.add("n", given, shape)


def upsample(d):
    name = d.pick(3, lambda s: math.prod(s) <= 100)
    if name:
        c, h, w = d.values[name]
        k, m = d.r.choice([(2, 2), (1, 2), (3, 2)])
        d.add("u", {"upsample": name, "factor": [k, m], "mode": d.r.choice(["nearest", "bilinear"])}, [c, h * k, w * m])


def sampler(d):
    image, code = d.pick(3, lambda s: min(s[1:]) >= 3), d.pick(1)
    if image and code:
        c, h, w = d.values[image]
        A = d.add("A", {"dense": code, "units": 6, "init": "identity_affine"}, [6])
        d.used.add(A)
        d.add("w", {"spn": [image, A], "size": [2, 3], "border": d.r.choice(["zero", "clamp"])}, [c, 2, 3])


# ---- axes -----------------------------------------------------------------------------------------------------------------------

def reduced(shape, axes, keep):
    axes = [k % len(shape) for k in axes]
    return [1 if k in axes else n for k, n in enumerate(shape) if keep or k not in axes]


def reduce(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if not name:
        return
    shape = d.values[name]
    given, keep = {d.r.choice(["sum", "mean", "max"]): name}, d.chance(0.3)
    axes = list(range(len(shape)))
    if d.chance(0.7):
        axes = given["axes"] = axes_of(d, len(shape))
    if keep:
        given["keep"] = True
    d.add("r", given, reduced(shape, axes, keep))


def softmax(d):
    name = d.pick(fits=lambda s: len(s) >= 1 and s[-1] >= 2)
    if name:
        shape = d.values[name]
        d.add("o", {d.r.choice(["softmax", "log_softmax"]): name, "axis": d.r.randrange(-len(shape), len(shape))}, shape)


def transpose(d):
    name = d.pick(fits=lambda s: len(s) >= 2)
    if name:
        shape = d.values[name]
        axes = d.r.sample(range(len(shape)), len(shape))
        d.add("t", {"transpose": name, "axes": axes}, [shape[k] for k in axes])


def flip(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        d.add("t", {"flip": name, "axis": d.r.randrange(len(d.values[name]))}, d.values[name])


def stack(d):
    name = d.pick(fits=lambda s: math.prod(s) <= 60 and len(s) <= 3)
    if not name:
        return
    shape = d.values[name] or (1,)
    others = [n for n, s in d.values.items() if s == d.values[name]]
    chosen = [name] + [d.r.choice(others) for _ in range(d.r.randint(0, 2))]
    d.used.update(chosen)
    axis = d.r.randrange(len(shape) + 1)
    d.add("j", {"stack": chosen, "axis": axis}, [*shape[:axis], len(chosen), *shape[axis:]])


def concat(d):
    name = d.pick(fits=lambda s: math.prod(s) <= 100)
    if not name:
        return
    shape = d.values[name] or (1,)
    axis = d.r.randrange(len(shape))
    other = d.pick(fits=lambda s: len(s or (1,)) == len(shape) and all(a == b for k, (a, b) in enumerate(zip(s or (1,), shape)) if k != axis) and math.prod(s) <= 100) or name
    size = shape[axis] + (d.values[other] or (1,))[axis]
    d.add("j", {"concat": [operand(d, name), other], "axis": axis}, [*shape[:axis], size, *shape[axis + 1:]])


def pad(d):
    name = d.pick(fits=lambda s: len(s) >= 1 and math.prod(s) <= 60 and min(s) >= 2)
    if not name:
        return
    shape = d.values[name]
    by = [d.r.choice([0, 1, [0, 1], [1, 0]]) for _ in shape]
    both = [b if isinstance(b, list) else [b, b] for b in by]
    d.add("t", {"pad": name, "by": by, "mode": d.r.choice(["zeros", "reflect", "edge"])}, [n + b[0] + b[1] for n, b in zip(shape, both)])


def cut(d):
    name = d.pick(fits=lambda s: len(s) >= 1 and s[0] >= 2)
    if not name:
        return
    shape = d.values[name]
    axis = d.r.randrange(len(shape))
    n = shape[axis]
    if n < 2 or d.chance(0.5):
        d.add("s", {"slice": name, "axis": axis, "index": d.r.randrange(n)}, [*shape[:axis], *shape[axis + 1:]])
    else:
        start = d.r.randrange(n)
        end = d.r.randint(start + 1, n)
        d.add("s", {"slice": name, "axis": axis, "from": start, "to": end}, [*shape[:axis], end - start, *shape[axis + 1:]])


def reshape(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if not name:
        return
    count = math.prod(d.values[name])
    k = d.r.choice([k for k in range(1, count + 1) if count % k == 0])
    d.add("t", {"reshape": name, "shape": [k, count // k]} if d.chance(0.7) else {"flatten": name}, [])
    made = d.flow[-1][next(iter(d.flow[-1]))]
    d.values[next(iter(d.flow[-1]))] = (k, count // k) if "reshape" in made else (count,)


# ---- nets -----------------------------------------------------------------------------------------------------------------------

def net_of_layers(d):
    """A list of layers with parameters; used once, twice with one set of weights, or as copies."""
    name = d.pick(fits=lambda s: 1 <= math.prod(s) <= 100)
    if not name:
        return
    net, units = d.name("net"), d.r.randint(2, 6)
    layers = [{"dense": {"units": "$units", **act(d)}}, d.r.choice(["tanh", "relu", {"leaky_relu": {"slope": 0.2}}, "sigmoid", {"elu": {"alpha": 0.8}}])]
    if d.chance(0.5):
        layers.append({"dense": {"units": "$units + 1", "when": "$deep == yes"}})
    d.nets[net] = {"params": {"units": units, "deep": "yes" if d.chance(0.5) else "no"}, "layers": layers}
    last = len(layers) == 3 and d.nets[net]["params"]["deep"] == "yes"
    d.add("h", {net: name}, [units + last])
    others = [n for n, s in d.values.items() if math.prod(s) == math.prod(d.values[name])]
    if d.chance(0.5):
        d.add("h", {net: tame(d, d.r.choice(others))}, [units + last])
    if d.chance(0.5):
        units = d.r.randint(2, 6)
        d.add("h", {net: d.pick(fits=lambda s: math.prod(s) <= 100) or name, "new": True, "units": units, "deep": "yes"}, [units + (len(layers) == 3)])


def net_of_branches(d):
    """in, do, out; `when`, several inputs and outputs, nets within nets."""
    names = [d.pick(1), d.pick(1)]
    if None in names:
        return
    net, units = d.name("net"), d.r.randint(2, 5)
    body = [{"a": {"dense": "x", "units": "$units", **act(d)}}, {"b": {"dense": tame(d, "y"), "units": "$units"}},
            {"s": {"formula": expression(d, ["a", "b"]), "when": "$added == yes"}},
            {"s": {"formula": "a * sigmoid(b)", "when": "not $added == yes"}}]
    if d.chance(0.4):
        body.append({"w": {"parameter": ["$units"], "init": "ones"}})
        body.append({"v": "s * w"})
    last = next(iter(body[-1]))
    inner = [n for n, v in d.nets.items() if isinstance(v, dict) and "layers" in v]
    if inner and d.chance(0.5):
        other = d.r.choice(inner)
        body.append({"z": {other: last, "new": True}})
        both = d.nets[other]["params"]
        size = both["units"] + (len(d.nets[other]["layers"]) == 3 and both["deep"] == "yes")
        body.append({"l": {"dense": "z", "units": "$units"}})
        last = "l"
    several = d.chance(0.4)
    d.nets[net] = {"params": {"units": units, "added": d.r.choice(["yes", "no"])}, "in": ["x", "y"], "do": body,
                   "out": {"h": f"tanh({last} + a)", "c": "b"} if several else f"tanh({last})"}

    def use(**given):
        size = given.get("units", units)
        made = d.add("h", {net: list(names), **given}, [size])
        if several:
            del d.values[made]
            d.values[made + ".h"] = d.values[made + ".c"] = (size,)
    use()
    if d.chance(0.4):
        use()
    if d.chance(0.6):
        use(new=True, units=d.r.randint(2, 5), added=d.r.choice(["yes", "no"]))


def conditions(d):
    name = d.pick()
    p = d.r.choice(list(d.params)) if d.params else None
    if not p:
        return
    made = d.name("i")
    limit = d.params[p] + d.r.choice([-1, 1])
    d.flow.append({made: {"formula": f"tanh({name})", "when": f"${p} > {limit}"}})
    d.flow.append({made: {"abs": name, "when": f"${p} <= {limit}"}})
    d.values[made] = d.values[name]


# ---- repeats ----------------------------------------------------------------------------------------------------------------------

def repeat(d):
    """A state with a rule of formulas, or a gru; values of outside and of the step before."""
    name = d.pick(1)
    if not name:
        return
    steps, size, s = d.r.randint(1, 4), d.r.randint(1, 5), d.name("q")
    inner, out = [], []
    if d.chance(0.5):
        state = {"gru": {"units": size, **({"init": "trained"} if d.chance(0.4) else {}), **({"bias_hh": True} if d.chance(0.3) else {})}}
        inner.append({s: {"gru": [name, s]}})
    else:
        starts = [n for n, v in d.values.items() if v == (size,)]
        state = {"shape": [size], "init": d.r.choice(["zeros", "trained", *starts[:1]])}
        step = d.name("m")
        inner.append({step: {"dense": {"concat": [name, s]}, "units": size, **act(d)}})
        out.append((step, (size,)))
        inner.append({s: tame(d, expression(d, [s, step]))})
    if d.chance(0.6):
        f = d.name("f")
        inner.append({f: expression(d, [s, *([n for n, v in d.values.items() if v in ((size,), ())][:1])], 1)})
        out.append((f, (size,)))
    if d.chance(0.5):
        f = d.name("d")
        inner.append({f: {"dense": s, "units": 3, **act(d)}})
        out.append((f, (3,)))
    d.flow.append({"repeat": steps, "carry": {s: state}, "do": inner})
    d.values[s] = (steps, size)
    for n, shape in out:
        d.values[n] = (steps, *shape)
    if d.chance(0.5):
        d.add("l", {"last": s}, [size])


# ---- operators of the second edition that a compiler may not have yet ------------------------------------------------------------

def matmul(d):
    a = d.pick(2, lambda s: math.prod(s) <= 60)
    if not a:
        return
    n, m = d.values[a]
    w = d.add("p", {"parameter": [d.r.randint(1, 5), m] if d.chance(0.5) else [m, d.r.randint(1, 5)], "init": {"normal": 0.5}}, ())
    shape = d.flow[-1][w]["parameter"]
    d.values[w] = tuple(shape)
    d.used.add(w)
    turned = shape[1] == m and shape[0] != m or (shape == [m, m] and d.chance(0.5))
    d.add("l", {"matmul": [a, w], **({"transpose_b": True} if turned else {})}, [n, shape[0] if turned else shape[1]])


def conv_options(d):
    name = d.pick(3, lambda s: min(s[1:]) >= 5 and s[0] <= 8)
    if not name:
        return
    c, h, w = d.values[name]
    dilation = d.r.choice([1, 2])
    groups = d.r.choice([g for g in range(1, c + 1) if c % g == 0])
    filters, kernel = groups * d.r.randint(1, 3), d.r.choice([2, 3])
    top, left = d.r.choice([0, 1]), d.r.choice([0, 1])
    size = lambda n, before: n + before - dilation * (kernel - 1)
    if min(size(h, top), size(w, left)) >= 1:
        d.add("v", {"conv": name, "filters": filters, "kernel": kernel, "groups": groups, "dilation": dilation, "padding": [[top, 0], [left, 0]], **act(d)},
              [filters, size(h, top), size(w, left)])


def conv_transpose(d):
    name = d.pick(3, lambda s: math.prod(s) <= 80)
    if not name:
        return
    c, h, w = d.values[name]
    kernel, stride, filters = d.r.choice([2, 3]), d.r.choice([1, 2]), d.r.randint(1, 3)
    d.add("v", {"conv_transpose": name, "filters": filters, "kernel": kernel, "stride": stride}, [filters, (h - 1) * stride + kernel, (w - 1) * stride + kernel])


def prelu(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        d.add("e", {"prelu": name}, d.values[name])


def lines(d):
    """dense, each position of the last axis by itself."""
    name = d.pick(2)
    if name:
        units = d.r.randint(1, 5)
        d.add("d", {"dense": name, "units": units, "over": "last", **act(d)}, [d.values[name][0], units])


def cells(d):
    """A carried lstm or rnn; a free one of values that are there."""
    name = d.pick(1)
    if not name:
        return
    steps, size, s = d.r.randint(1, 3), d.r.randint(1, 4), d.name("q")
    kind = d.r.choice(["lstm", "rnn"])
    cell = {"units": size, **({"init": "trained"} if d.chance(0.4) else {}), **({"bias_hh": True} if d.chance(0.3) else {})}
    if kind == "rnn" and d.chance(0.5):
        cell["act"] = d.r.choice(["relu", "sigmoid", "tanh"])
    d.flow.append({"repeat": steps, "carry": {s: {kind: cell}}, "do": [{s: {kind: [name, s]}}]})
    state = s + ".h" if kind == "lstm" else s
    d.values[state] = (steps, size)
    if kind == "lstm":
        d.values[s + ".c"] = (steps, size)
    last = d.add("l", {"last": state}, [size])
    d.used.add(state)
    if d.chance(0.4):
        d.add("u", {"rnn": [name, last], "units": size}, [size])


def batch_norm(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        given = {"batch_norm": name, **({"affine": False} if d.chance(0.3) else {}), **({"act": d.r.choice(["relu", "tanh", "sigmoid"])} if d.chance(0.4) else {})}
        d.add("n", given, d.values[name])


def repeats(d):
    """A repeat in a repeat: an inner state that starts anew in each outer step, from an outer value, a parameter or zeros; what both leave, outside."""
    name = d.pick(fits=lambda s: len(s) in (1, 2) and math.prod(s) <= 40)
    if not name:
        return
    rows = d.values[name][0] if len(d.values[name]) == 2 and d.chance(0.7) else None
    outer, inner, size = rows or d.r.randint(1, 3), d.r.randint(1, 3), d.r.randint(1, 4)
    a, b, f, c = d.name("q"), d.name("q"), d.name("f"), d.name("l")
    read = f"{name}[$i]" if rows else name
    width = math.prod(d.values[name][1:] if rows else d.values[name])
    start = d.r.choice(["zeros", "trained", a])
    if d.chance(0.4):
        state, rule = {"gru": {"units": size, "init": start}}, {"gru": [f, b]}
    else:
        state, rule = {"shape": [size], "init": start}, f"tanh({d.number(0.3, 1)} * {b} + {f} * 0.9 ** ($t + $i))"
    body = [{f: {"dense": {"concat": [{"reshape": read, "shape": [width]}, b]}, "units": size, **act(d)}}, {b: rule}]
    within = {"repeat": inner, "carry": {b: state}, "do": body}
    around = {"repeat": outer, "step": "i", "carry": {a: {"shape": [size], "init": d.r.choice(["zeros", "trained"])}}, "do": [within, {c: {"last": b}}, {a: expression(d, [a, c], 1)}]}
    if d.chance(0.3):
        within["reverse"] = True
    if d.chance(0.3):
        around["reverse"] = True
    around["do"][-1][a] = f"tanh({around['do'][-1][a]})"
    d.flow.append(around)
    d.values[a] = d.values[c] = (outer, size)
    d.values[b] = d.values[f] = (outer, inner, size)
    if d.chance(0.4):
        d.add("l", {"last": d.r.choice([a, b])}, [])
        made = next(iter(d.flow[-1]))
        d.values[made] = (size,) if d.flow[-1][made]["last"] == a else (inner, size)


def conv_line(d):
    """A convolution of [C, T], its padding `same` or one for each side."""
    name = d.pick(2, lambda s: s[1] >= 3 and s[0] <= 8)
    if not name:
        return
    c, t = d.values[name]
    kernel, filters, dilation = d.r.choice([1, 2, 3]), d.r.randint(1, 3), d.r.choice([1, 1, 2])
    if d.chance(0.5):
        return d.add("v", {"conv": name, "filters": filters, "kernel": kernel, "dilation": dilation, "padding": "same", **act(d)}, [filters, t])
    left, right, stride = d.r.randint(0, kernel - 1), d.r.randint(0, kernel - 1), d.r.choice([1, 2])
    if t + left + right > (kernel - 1) * dilation:
        d.add("v", {"conv": name, "filters": filters, "kernel": kernel, "dilation": dilation, "stride": stride, "padding": [[left, right]], **act(d)},
              [filters, (t + left + right - dilation * (kernel - 1) - 1) // stride + 1])


def pool_options(d):
    """Pools of [C, T] too, with padding, and windows that stick out."""
    name = d.pick(fits=lambda s: len(s) in (2, 3) and min(s[1:]) >= 3)
    if not name:
        return
    op, size, stride, ceil = d.r.choice(["maxpool", "avgpool"]), d.r.choice([2, 3]), d.r.choice([1, 2, 3]), d.chance(0.5)
    padding = d.r.randint(0, size // 2)
    given = {op: name, "size": size, "stride": stride, "padding": padding, "ceil": ceil}
    if op == "avgpool" and d.chance(0.5):
        given["count_padding"] = True

    def length(n):
        whole = n + 2 * padding - size
        m = (-(-whole // stride) if ceil else whole // stride) + 1
        return m - 1 if ceil and (m - 1) * stride >= n + padding else m       # PyTorch: a window begins in the input or in the padding before it
    d.add("q", given, [d.values[name][0], *(length(n) for n in d.values[name][1:])])


def tokens(d):
    """Whole numbers: one_hot, an embedding."""
    classes, n = d.r.randint(2, 5), d.r.randint(1, 4)
    x = d.name("x")
    d.inputs[x] = {"shape": [n], "dtype": "i32", "classes": classes}
    if d.chance(0.5):
        units = d.r.randint(1, 4)
        d.add("e", {"embedding": x, "units": units}, [n, units])
    else:
        d.add("e", {"one_hot": x}, [classes, n])


def product(d):
    """A product of two values."""
    a = d.pick(2, lambda s: math.prod(s) <= 40)
    b = a and d.pick(2, lambda s: d.values[a][1] in s and math.prod(s) <= 40)
    if b:
        n, m = d.values[a]
        turned = d.values[b][0] != m
        d.add("l", {"matmul": [a, b], **({"transpose_b": True} if turned else {})}, [n, d.values[b][0 if turned else 1]])


def steps_of_number(d):
    """Rows of a value one after the other, by $t; a state that reads them."""
    name = d.pick(2, lambda s: s[0] >= 2)
    if not name:
        return
    rows, size = d.values[name]
    s, f = d.name("q"), d.name("f")
    entry = {"repeat": rows, "carry": {s: {"shape": [size], "init": d.r.choice(["zeros", "trained"])}},
             "do": [{f: f"{name}[$t] * 0.9 ** $t"}, {s: f"tanh({s} + {f})"}]}
    if d.chance(0.4):
        entry["reverse"] = True
    d.flow.append(entry)
    d.values[s] = d.values[f] = (rows, size)
    d.add("l", {"last": s}, [size])


def places(d):
    """Where positions lie; what is held; draws, which are 0 in evaluation."""
    x, y = d.pick(fits=lambda s: len(s) in (2, 3)), d.pick()
    if x:
        d.add("at", {"coordinates": x}, (len(d.values[x]) - 1, *d.values[x][1:]))
    held = d.add("held", {"stop_gradient": y}, d.values[y])
    if d.chance(0.5):
        shape = d.values[held]
        noise = d.add("noise", {"random": d.r.choice(["normal", "uniform"]), "shape": list(shape), "amount": d.number(0.1, 2)}, shape)
        d.used.update((held, noise))
        d.add("v", f"{held} + {noise}", shape)


FEATURES = [      # (function, how often, operators that it needs)
    (formula, 6, ()), (alias_or_index, 1, ()), (element, 2, ()), (binary, 1, ()), (same_shape, 1, ()), (constant, 1, ()), (parameter, 1, ()), (dense, 3, ()),
    (conv, 3, ()), (pool, 1, ("avgpool",)), (global_pool, 1, ("global_avgpool",)), (norm, 2, ("layer_norm",)), (upsample, 1, ("upsample",)), (sampler, 1, ()),
    (reduce, 2, ("sum",)), (softmax, 1, ("softmax",)), (transpose, 1, ("transpose",)), (flip, 1, ("flip",)), (stack, 1, ("stack",)), (concat, 1, ()),
    (pad, 1, ("pad",)), (cut, 1, ()), (reshape, 1, ()), (net_of_layers, 2, ()), (net_of_branches, 2, ()), (conditions, 1, ()), (repeat, 2, ()),
    (matmul, 1, ("matmul",)), (conv_options, 1, ("conv_transpose",)), (conv_transpose, 1, ("conv_transpose",)), (prelu, 1, ("prelu",)), (lines, 1, ("dense.over",)),
    (steps_of_number, 1, ("repeat.reverse",)), (cells, 1, ("lstm", "rnn")), (batch_norm, 1, ("batch_norm",)),
    (places, 1, ("coordinates", "random")), (repeats, 2, ("repeat.step",)), (conv_line, 1, ("conv_transpose",)), (pool_options, 1, ("conv_transpose",)),
    (tokens, 1, ("one_hot", "embedding")), (product, 1, ("matmul",)),
]


# ---- the whole ----------------------------------------------------------------------------------------------------------------------

def classified(d, name, logits):
    """A cross entropy of logits, by labels or by shares; None if they have too few classes."""
    shape, y = d.values[name], d.name("y")
    if not 1 <= len(shape) <= 3 or shape[0 if len(shape) == 3 else -1] < 2:
        return None
    classes = shape[0] if len(shape) == 3 else shape[-1]
    given = {"smoothing": d.number(0.05, 0.4)} if d.chance(0.4) else {}
    if d.chance(0.4):
        given["class_weights"] = [d.number(0.1, 2) for _ in range(classes)]
    if len(shape) == 1 and d.chance(0.3):
        d.targets[y] = {"shape": [classes]}
        return {"cross_entropy": [logits, y], **given}
    d.targets[y] = {**({"length": shape[0]} if len(shape) == 2 else {"shape": list(shape[1:])} if len(shape) == 3 else {}), "classes": classes}
    if d.chance(0.4):
        given["ignore"] = d.r.choice([-1, d.r.randrange(classes)])
    if not given and d.chance(0.3):
        given["epsilon"] = 1e-3
    return {"cross_entropy": [logits, y], **given}


def of_bits(d, name, logits):
    shape, y = d.values[name], d.name("y")
    if len(shape) == 1 and d.chance(0.4):
        d.targets[y] = {"length": shape[0], "classes": 2}
    elif shape and d.chance(0.6):
        d.targets[y] = {"shape": list(shape)}
    else:
        return {"binary_cross_entropy": [logits, f"sigmoid(0.5 * {name})"]}
    return {"binary_cross_entropy": [logits, y]}


def difference(d, name, value):
    y, given = d.name("y"), d.r.choice([{"mse": 0}, {"mae": 0}, {"huber": 0, "delta": d.number(0.1, 1)}])
    kind = next(iter(given))
    if d.values[name] and d.chance(0.6):
        d.targets[y] = {"shape": list(d.values[name])}
    else:
        y = f"tanh({name} * 0.5) + 0.1"
    return {**given, kind: [value, y]}


def averaged(d, name, value):
    return {"mean": d.r.choice([f"square({name})", f"0.1 * {name}", name, f"tanh({name}) * 0.5"])}


LOSSES = [(classified, 3), (of_bits, 1), (difference, 2), (averaged, 2)]


def loss_of(d, name):
    """A loss of a value; of what a repeat has made, which is the stack of its steps, by a formula of it."""
    direct = any(isinstance(entry.get(name), dict) for entry in d.flow)
    operand = name if direct and d.chance(0.6) else f"{d.number(0.5, 2)} * tanh({name})"
    found = d.r.choices([f for f, _ in LOSSES], [n for _, n in LOSSES])[0](d, name, operand)
    return {**(found or averaged(d, name, operand)), "weight": d.number(0.1, 1)}


def weighed(d):
    """Nets, and entries with weights of their own: names for penalties and for `train: nets:`."""
    return [*d.nets, *(name for entry in d.flow for name, given in entry.items() if isinstance(given, dict) and {"dense", "conv", "embedding"} & set(given))]


def training(d):
    """`train:`: an optimiser and its settings, a schedule, clipping, decay, what is said of single nets, accumulation, an average."""
    r = d.r
    rate = r.choice([0.01, 0.05])
    half = lambda **given: given if d.chance(0.5) else {}
    optimiser = r.choice([
        {"sgd": {"rate": rate, **half(momentum=0.9, nesterov=r.choice([True, False]))}},
        {"rmsprop": {"rate": rate, "epsilon": 1e-3, "decay": 0.8, **half(epsilon_inside=False), **half(momentum=0.7), **half(centred=True)}},
        {"adam": {"rate": rate, "epsilon": 1e-3, **half(amsgrad=True), **half(beta1=0.7)}},
        {"adamw": {"rate": rate, "epsilon": 1e-3, **half(weight_decay=0.1), **half(amsgrad=True)}},
        {"adagrad": {"rate": rate, "epsilon": 1e-3}}])
    warm = half(warm_up=r.choice([1, 2, 1.5]))
    schedule = r.choice([None, {"divide": 1.5, "first": r.choice([1, 2]), "every": 1, **warm}, {"step": {"divide": 2, "every": r.choice([1, 2]), **warm}},
                         {"exponential": {"factor": 0.7, **warm}}, {"cosine": {"final": r.choice([0, 0.1]), **warm}}, {"warm_up": 2}])
    train = {"optimiser": optimiser, "epochs": 5}
    if schedule:
        train["schedule"] = schedule
    if d.chance(0.4):
        train["clip"] = {**half(element=0.05), "norm": 0.2, "rule": r.choice(["torch", "lasagne"])}
    if "adamw" not in optimiser and d.chance(0.4):
        train["weight_decay"] = 0.01
    if d.chance(0.3):
        train["no_decay"] = r.choice([["bias"], ["bias", "norms"], ["weights"]])
    names = weighed(d)
    own = {"rate_times": 0.3, **half(weight_decay=0.05)} if d.chance(0.5) else {"freeze": True}
    if len(names) > 2 and d.chance(0.5):
        train["nets"] = {r.choice([n for n in names if "logits" not in n]): own}
    counted = any({"class_weights", "ignore"} & set(loss) for loss in d.losses) or any("batch_norm" in str(entry) for entry in (d.flow, d.nets))
    if not counted and d.chance(0.4):
        train["accumulate"] = r.choice([2, 3])
    if d.chance(0.3):
        train["average"] = 0.8
    return train


def finish(d):
    """What nothing has read, in a loss each: logits of labels, a target of numbers, a mean."""
    loose = [n for n in d.values if n not in d.used]
    d.r.shuffle(loose)
    code = []
    for name in loose:
        count = math.prod(d.values[name])
        if count > 1 and len(code) < 3 and count <= 200:
            code.append(name)
        else:
            d.losses.append(loss_of(d, name))
    while not code:
        code.append(d.r.choice([n for n in d.values if n not in d.inputs or len(d.values) == len(d.inputs)]))
    parts = [d.add("a", {"dense": n, "units": 4, "act": "tanh"}, [4]) for n in code]
    classes = d.r.randint(2, 5)
    label, t = d.name("y"), d.name("y")
    logits = d.add("logits", {"dense": " + ".join(parts), "units": classes}, [classes])
    if d.chance(0.5):
        d.losses.append(loss_of(d, logits))
    else:
        d.targets[label] = {"classes": classes}
        d.losses.append({"cross_entropy": [logits, label], **({"weight": 0.7} if d.chance(0.3) else {})})
    if d.chance(0.6):
        d.targets[t] = {"shape": [3]}
        at = d.add("at", {"dense": parts[0], "units": 3}, [3])
        d.losses.append({"mse": [at, t]} if d.chance(0.5) else {"mean": d.r.choice([f"abs({at} - {t})", f"softplus({at} * {t})", f"where({at} > {t}, {at} - {t}, square({at} - {t}))"])})
    for _ in range(d.r.choice([0, 0, 1, 2]) if d.has("weight_l1", "weight_l2") else 0):
        d.losses.append({d.r.choice(["weight_l1", "weight_l2"]): d.r.choice([n for n in weighed(d)]), "weight": d.number(0.01, 0.1)})


def draw(seed, known, prefix=""):
    """The model of a seed, as its file has it."""
    d = Draw(seed, known, prefix)
    for k in range(d.r.randint(0, 2)):
        d.params[d.name("p")] = d.r.randint(1, 5)
    for _ in range(d.r.randint(1, 3)):
        d.input(d.r.choice([(5,), (3,), (2, 6, 5), (1, 7, 7), (3, 4), (4, 3), (1, 5), (4, 1), (2, 3, 4)]))
    features = [(f, n) for f, n, needs in FEATURES if d.has(*needs)]
    for _ in range(d.r.randint(4, 12)):
        d.r.choices([f for f, _ in features], [n for _, n in features])[0](d)
        if len(d.flow) > 24:
            break
    finish(d)
    d.targets = {name: given for name, given in d.targets.items() if re.search(rf"\b{name}\b", str(d.losses))}
    model = {"model": f"drawn{seed}", "batch": BATCH}
    for key, given in (("params", d.params), ("inputs", d.inputs), ("targets", d.targets), ("nets", d.nets), ("flow", d.flow), ("loss", d.losses),
                       ("train", training(d))):
        if given:
            model[key] = given
    return model


class Plain(yaml.SafeDumper):
    """Entries on lines of their own, all within them in braces."""

    def ignore_aliases(self, data):
        return True


def text_of(model):
    lines = []
    flow = lambda x: yaml.dump(x, Dumper=Plain, default_flow_style=True, width=100000, sort_keys=False).strip().removesuffix("\n...")
    for key, given in model.items():
        if isinstance(given, list):
            lines += [f"{key}:", *(f"  - {next(iter(x))}: {flow(x[next(iter(x))])}" if len(x) == 1 else f"  - {flow(x)}" for x in given)]
        elif isinstance(given, dict):
            lines += [f"{key}:", *(f"  {k}: {flow(v)}" for k, v in given.items())]
        else:
            lines.append(f"{key}: {given}")
    return "\n".join(lines) + "\n"


def together_of(seeds, known):
    """Models as parts of one: each has names of its own."""
    whole = {"model": "drawn", "batch": BATCH}
    for k, seed in enumerate(seeds):
        for key, given in draw(seed, known, f"{'abcdefghij'[k]}_").items():
            if key == "train":
                continue
            if isinstance(given, dict):
                whole.setdefault(key, {}).update(given)
            elif isinstance(given, list):
                whole.setdefault(key, []).extend(given)
    return {key: whole[key] for key in ("model", "batch", "params", "inputs", "targets", "nets", "flow", "loss") if key in whole}


# ---- the campaign -----------------------------------------------------------------------------------------------------------------------

def differences(spnc, text, folder, plain):
    """What differs, as text; "" if nothing does."""
    import oracle                       # here: the other commands do without PyTorch
    path = folder / "net.yaml"
    path.write_text(text)
    name = text.split("\n", 1)[0].split()[1]
    done = subprocess.run([str(spnc), "build", str(path), "--precision", "double", *(["--plain"] if plain else []), "-o", str(folder / "net")],
                          capture_output=True, text=True, env={**os.environ, "CFLAGS": "-O0"})
    if done.returncode:
        return done.stderr + done.stdout
    make_data.write(read_model(path, []), folder / "data", {"test": EXAMPLES, "train": EXAMPLES, "valid": 4}, 1)
    program, found, chance = folder / "net" / name, "", "random" in text
    options = dict(model=path, set=[], program=program, seed=1, batch=None)
    for first, mode in [(0, "eval"), (EXAMPLES - 4, "eval")] + ([(0, "train")] if "batch_norm" in text and not chance else []):
        found += told_by(f"{mode} from example {first}", oracle.compare,
                         argparse.Namespace(**options, data=folder / "data", split="test", first=first, mode=mode, tolerance=1e-9))
    if not chance:
        found += told_by("after three updates", oracle.steps, argparse.Namespace(**options, epochs=3, tolerance=1e-8, floor=1e-4))
    return found + resumed(program, folder)


def told_by(what, command, options):
    """What a command of the oracle finds, as text; "" if nothing."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        try:
            failed = command(options)
        except (Exception, SystemExit) as e:
            failed, _ = 1, print(f"{type(e).__name__}: {e} FAILED")
    return f"{what}:\n" + "\n".join(x for x in told.getvalue().splitlines() if "FAILED" in x) + "\n" if failed else ""


def resumed(program, folder):
    """Two epochs, of two batches each; and the same with a stop behind the first batch: ends in other weights, as text."""
    def run(*words):
        done = subprocess.run([str(program), *map(str, words)], capture_output=True, text=True)
        return "" if done.returncode == 0 else f"{' '.join(map(str, words[:1]))}: exit code {done.returncode}: {done.stderr}\n"
    train = ("train", "--data", folder / "data", "--epochs", 2, "--run")
    found = run(*train, folder / "whole") + run(*train, folder / "parts", "--max-time", "0.001ms") + run(*train, folder / "parts", "--resume", "--threads", 2)
    for name in ("whole", "parts"):
        found += run("export", "--run", folder / name, "--last", "-o", folder / f"{name}.npz")
    if not found and (folder / "whole.npz").read_bytes() != (folder / "parts.npz").read_bytes():
        found = "a run that was stopped and went on ends in other weights\n"
    return found


def campaign(a):
    known, failed = operators(a.spnc), 0
    state = pathlib.Path(a.state) if a.state else None
    done = set(map(int, state.read_text().split())) if state and state.exists() else set()
    for seed in range(a.first, a.first + a.count):
        if seed in done:
            continue
        text = text_of(draw(seed, known))
        with tempfile.TemporaryDirectory() as folder:
            found = differences(a.spnc, text, pathlib.Path(folder), seed % 2)
        if found:
            failed += 1
            print(f"seed {seed}{' --plain' if seed % 2 else ''}: FAILED\n{text}\n{found}", flush=True)
        elif state:
            with state.open("a") as f:
                f.write(f"{seed}\n")
    print(f"{a.count} seeds from {a.first} on: {failed} failed", flush=True)
    return failed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--spnc", type=lambda t: pathlib.Path(t).resolve(), default=os.environ.get("SPNC", ROOT / "build/spnc"))
    commands = p.add_subparsers(required=True, dest="command")
    show = commands.add_parser("show")
    show.add_argument("seed", type=int)
    parts = commands.add_parser("parts")
    parts.add_argument("seeds", type=int, nargs="+")
    parts.add_argument("-o", dest="out", required=True)
    run = commands.add_parser("campaign")
    run.add_argument("--count", type=int, required=True)
    run.add_argument("--first", type=int, default=1)
    run.add_argument("--state")
    a = p.parse_args()
    if a.command == "show":
        print(text_of(draw(a.seed, operators(a.spnc))), end="")
    elif a.command == "parts":
        text = "# Random models as parts of one, by draw.py: seeds " + ", ".join(map(str, a.seeds)) + ".\n"
        pathlib.Path(a.out).write_text(text + text_of(together_of(a.seeds, operators(a.spnc))))
    else:
        sys.exit(1 if campaign(a) else 0)


if __name__ == "__main__":
    main()
