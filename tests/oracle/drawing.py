"""A model while it is drawn: names, values and their shapes, and the texts of formulas.  draw.py and drawn_layers.py have what is drawn."""
import math
import random
import re

import numpy as np


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


def act(d):
    """`act:` of a layer, or none."""
    if d.chance(0.4):
        return {}
    return {"act": d.r.choice(["relu", "tanh", "sigmoid", "linear", "silu", "gelu", "softplus", "selu", "hard_sigmoid", "relu6", "abs", "square", "elu", "leaky_relu", {"leaky_relu": {"slope": 0.2}},
                               {"elu": {"alpha": 0.5}}, {"gelu": {"approximate": "tanh"}}, {"clip": {"low": -0.5, "high": 0.75}}, "negate"])}


def initialiser(d):
    """Where a matrix starts; small, so that values stay so."""
    kind = d.r.choice(["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal", "normal", "uniform"])
    if d.chance(0.3):
        kind = "gain"
    if kind == "gain":
        return {d.r.choice(["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal"]): {"gain": d.number(0.5, 1.5)}}
    return kind if kind not in ("normal", "uniform") else {kind: d.r.choice([0.3, [-0.1, 0.4]])}


def operand(d, name):
    """The value as an operand of another operator: its name, a formula, an operator."""
    return d.r.choice([name, name, tame(d, name), {"tanh": name}, {"relu": f"{name} + 0.1"}, {"sigmoid": {"abs": name}}])
