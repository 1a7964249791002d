#!/usr/bin/env python3
"""Random models: each is drawn from a seed, built in double (an odd seed in the plain form; by gcc and clang, for this processor and any), and held against PyTorch in float64 (oracle.py): its loss,
values and gradients, and where nothing in it is left to chance its weights after three updates.  A run that stops behind its first batch and goes on must
end in the bits of one that does not stop.

    draw.py show SEED                                           the model of a seed
    draw.py campaign --count N [--first SEED] [--state FILE]    seeds one after the other; those that FILE lists as done are left out
    draw.py count N [--first SEED]                              of N models, how many have each operator, construct, loss, setting; and what none has
    draw.py emit N [--first SEED] -o DIR                        DIR/SEED/net.yaml and what it reads, of N seeds
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
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import yaml

import make_data
from counted import table
from drawing import Draw, act, axes_of, broadcast, expression, operand, reads, tame, together
from drawn_layers import LAYERS
from drawn_steps import STEPS
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


# ---- formulas -------------------------------------------------------------------------------------------------------------------

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
    if d.chance(0.3):
        k = d.add("k", str(d.number(0.2, 1)), ())
        d.used.add(k)
        return d.add("f", f"({name} == {name}) * {k} * {name}", d.values[name])
    return d.add("k", name, d.values[name])


def element(d):
    """Operators of formulas as operators, two of different kinds."""
    name = d.pick()
    n = d.number(0.2, 1.5)
    for given in d.r.sample([{"leaky_relu": name, "slope": n}, {"elu": name, "alpha": n}, {"selu": name}, {"gelu": name}, {"gelu": name, "approximate": d.r.choice(["tanh", "none"])},
                             {"silu": name}, {"softplus": name}, {"hard_sigmoid": name}, {"relu6": f"3 * {name}"}, {"clip": name, "low": -n, "high": n}, {"square": f"tanh({name})"},
                             {"exp": {"tanh": name}}, {"log": f"1 + square({name})"}, {"sqrt": f"{n} + square({name})"}, {"abs": name}, {"negate": name}, {"relu": name}, {"tanh": name},
                             {"sigmoid": name}], 2):
        made = d.add("e", given, d.values[name])
        if d.chance(0.5):
            name = made
            break
    d.used.discard(name)


def binary(d):
    names, shape = together(d, 2)
    if len(names) == 2:
        for op in d.r.sample(["subtract", "divide", "maximum", "minimum"], 2):
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


def net_of_maps(d):
    """A bare list of layers, by their main values, for maps and lines; used once or twice, or as a copy."""
    name = d.pick(fits=lambda s: len(s) in (2, 3) and min(s[1:]) >= 3 and s[0] <= 6 and math.prod(s) <= 150)
    if not name:
        return
    net, shape = d.name("net"), list(d.values[name])
    layers = []
    for op in d.r.sample(["conv", "batch_norm", "relu", "pool", "norm", "act", "dropout", "pad", "prelu", "transpose", "deep"], d.r.randint(2, 4)):
        if op == "conv":
            shape[0] = d.r.randint(1, 4)
            layers.append({"conv": shape[0]} if d.chance(0.4) else {"conv": {"name": "seen", "filters": shape[0], "kernel": 3, "padding": "same", **act(d)}})
            if "seen" not in str(layers[-1]):
                shape[1:] = [n - 2 for n in shape[1:]]
        elif op == "pool" and min(shape[1:]) >= 2:
            layers.append(d.r.choice(["maxpool", {"avgpool": 2}, {"maxpool": {"size": 2}}]))
            shape[1:] = [n // 2 for n in shape[1:]]
        elif op == "pad":
            layers.append({"pad": 1})
            shape[1:] = [n + 2 for n in shape[1:]]
        elif op == "transpose":
            layers.append({"flip": -1})
        elif op == "norm" and math.prod(shape[1:]) >= 4:
            layers.append(d.r.choice([{"group_norm": 1}, "instance_norm"]))
        elif op in ("batch_norm", "relu", "prelu"):
            layers.append(op)
        elif op == "act":
            layers.append(d.r.choice(["tanh", "silu", "softplus", "selu", {"leaky_relu": {"slope": 0.2}}, {"elu": {"alpha": 0.7}}]))
        elif op == "dropout" and d.chance(0.5):
            layers.append({"dropout": 0})
        elif op == "deep":
            layers.append({"softmax": -1} if d.chance(0.5) else {"layer_norm": -1} if shape[-1] >= 3 else "sigmoid")
        if min(shape[1:]) < 3:
            break
    if not layers:
        return
    if d.chance(0.5):
        layers.append({"dense": 3})
        shape = [3]
    d.nets[net] = layers
    d.add("h", {net: name}, shape)
    others = [n for n, s in d.values.items() if s == d.values[name] and n not in d.inputs]
    if d.chance(0.5):
        d.add("h", {net: tame(d, d.r.choice([name, *others]))}, shape)
    if d.chance(0.4):
        d.add("h", {net: name, "new": True}, shape)


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


FEATURES = [      # (function, how often, operators that it needs)
    (formula, 4, ()), (alias_or_index, 2, ()), (element, 4, ()), (binary, 4, ()), (same_shape, 2, ()), (constant, 1, ()), (parameter, 1, ()), (reduce, 3, ("sum",)),
    (softmax, 1, ("softmax",)), (transpose, 1, ("transpose",)), (flip, 1, ("flip",)), (stack, 1, ("stack",)), (concat, 1, ()), (pad, 2, ("pad",)), (cut, 1, ()), (reshape, 1, ()),
    (net_of_layers, 2, ()), (net_of_maps, 2, ("batch_norm",)), (net_of_branches, 2, ()), (conditions, 1, ()), *LAYERS, *STEPS,
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
    heavy = re.compile(r"'(dense|conv|conv_transpose|gru|lstm|rnn|embedding)'")
    return [*(net for net, given in d.nets.items() if heavy.search(str(given))),
            *(name for entry in d.flow for name, given in entry.items() if isinstance(given, dict) and {"dense", "conv", "conv_transpose", "embedding"} & set(given) and not isinstance(given.get("embedding"), list))]


def training(d):
    """`train:`: an optimiser and its settings, a schedule, clipping, decay, what is said of single nets, accumulation, an average."""
    r = d.r
    rate = r.choice([0.01, 0.05])
    half = lambda **given: given if d.chance(0.5) else {}
    optimiser = r.choice([
        {"sgd": {"rate": rate, **half(momentum=0.9, nesterov=r.choice([True, False]))}},
        {"rmsprop": {"rate": rate, "epsilon": 1e-3, "decay": 0.8, **half(epsilon_inside=False), **half(momentum=0.7), **half(centred=True)}},
        {"adam": {"rate": rate, "epsilon": 1e-3, **half(amsgrad=True), **half(beta1=0.7), **half(beta2=0.9)}},
        {"adamw": {"rate": rate, "epsilon": 1e-3, **half(weight_decay=0.1), **half(amsgrad=True), **half(beta1=0.8, beta2=0.95)}},
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
    names = [n for n in names if "logits" not in n]
    if len(names) > 1 and d.chance(0.6):
        train["nets"] = {n: r.choice([{"rate_times": 0.3, **half(weight_decay=0.05)}, {"freeze": True}, {"init": {"file": "start.npz"}, **half(freeze=True)}])
                         for n in r.sample(names, r.choice([1, 1, 2]))}
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
        if d.chance(0.2):               # the same loss, written out: a value that reads a target
            hit = d.name("hit")
            d.flow.append({hit: {"sum": {"multiply": [{"one_hot": label}, {"log_softmax": logits}]}}})
            d.losses.append({"mean": f"0 - {hit} * (1 - exp({hit})) ** 2"})
        else:
            d.losses.append({"cross_entropy": [logits, label], **({"weight": 0.7} if d.chance(0.3) else {})})
    if d.chance(0.6):
        d.targets[t] = {"shape": [3]}
        at = d.add("at", {"dense": parts[0], "units": 3}, [3])
        d.losses.append({"mse": [at, t]} if d.chance(0.5) else {"mean": d.r.choice([f"abs({at} - {t})", f"softplus({at} * {t})", f"where({at} > {t}, {at} - {t}, square({at} - {t}))"])})
    for _ in range(d.r.choice([0, 0, 1, 2]) if d.has("weight_l1", "weight_l2") else 0):
        d.losses.append({d.r.choice(["weight_l1", "weight_l2"]): d.r.choice([n for n in weighed(d)]), "weight": d.number(0.01, 0.1)})


def input_of(d):
    """An input, of bytes if it is a map; rarely one that training sees changed."""
    name = d.input(d.r.choice([(5,), (3,), (2, 6, 5), (1, 7, 7), (3, 4), (4, 3), (1, 5), (4, 1), (2, 3, 4), (2, 8), (4, 5, 5)]))
    rank = len(d.values[name])
    if rank == 3 and d.chance(0.4):
        d.inputs[name]["dtype"] = "u8"
    if d.chance(0.04):
        d.inputs[name]["augment"] = {"noise": 0.1, **({"flip": "horizontal", "shift": 1} if rank > 1 else {})}


def draw(seed, known, prefix=""):
    """The model of a seed, as its file has it; beside it `included`, the nets that stand in the file that it includes, and `shapes` of its values."""
    d = Draw(seed, known, prefix)
    for k in range(d.r.randint(0, 2)):
        d.params[d.name("p")] = d.r.randint(1, 5)
    for _ in range(d.r.randint(1, 3)):
        input_of(d)
    features = [(f, n) for f, n, needs in FEATURES if d.has(*needs)]
    for _ in range(d.r.randint(6, 14)):
        d.r.choices([f for f, _ in features], [n for _, n in features])[0](d)
        if len(d.flow) > 24:
            break
    finish(d)
    d.targets = {name: given for name, given in d.targets.items() if re.search(rf"\b{name}\b", str(d.losses) + str(d.flow))}
    train = training(d)
    included = list(d.nets)[:d.r.randint(1, len(d.nets))] if d.nets and not prefix and d.chance(0.15) else []
    outputs = [n for entry in d.flow for n in entry if "logits" in n] if d.chance(0.1) else []
    model = {"model": f"drawn{seed}", "batch": BATCH}
    for key, given in (("include", "parts.yaml" if included else ""), ("included", included), ("params", d.params), ("inputs", d.inputs), ("targets", d.targets), ("nets", d.nets),
                       ("flow", d.flow), ("loss", d.losses), ("outputs", outputs), ("train", train), ("shapes", d.values)):
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


def files_of(model):
    """File name -> text: the model, and what it includes."""
    parts = {name: model["nets"][name] for name in model.get("included", ())}
    own = {name: given for name, given in model.get("nets", {}).items() if name not in parts}
    main = {key: own if key == "nets" else given for key, given in model.items() if key not in ("included", "shapes") and (key != "nets" or own)}
    return {"net.yaml": text_of(main), **({"parts.yaml": text_of({"nets": parts})} if parts else {})}


def write(model, folder):
    """The model's files in a folder, but start.npz, which takes the oracle's shapes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files_of(model).items():
        (folder / name).write_text(text)


def shown(model):
    return "\n".join(f"# {name}\n{text}" if name != "net.yaml" else text for name, text in files_of(model).items())


def together_of(seeds, known):
    """Models as parts of one: each has names of its own."""
    whole = {"model": "drawn", "batch": BATCH}
    for k, seed in enumerate(seeds):
        for key, given in draw(seed, known, f"{'abcdefghij'[k]}_").items():
            if key in ("train", "shapes"):
                continue
            if isinstance(given, dict):
                whole.setdefault(key, {}).update(given)
            elif isinstance(given, list):
                whole.setdefault(key, []).extend(given)
    return {key: whole[key] for key in ("model", "batch", "params", "inputs", "targets", "nets", "flow", "loss") if key in whole}


# ---- the campaign -----------------------------------------------------------------------------------------------------------------------

def differences(spnc, model, folder, seed):
    """What differs, as text; "" if nothing does."""
    import oracle                       # here: the other commands do without PyTorch
    write(model, folder)
    path, text, program = folder / "net.yaml", (folder / "net.yaml").read_text(), folder / "net" / model["model"]
    net = oracle.Net(read_model(path, []))
    rng = np.random.default_rng(1)
    np.savez(folder / "start.npz", **{name: 0.3 * rng.standard_normal(shape) for name, shape in net.shapes.items()})
    found = built(spnc, path, seed)
    if found:
        return found
    make_data.write(net.model, folder / "data", {"test": EXAMPLES, "train": EXAMPLES, "valid": BATCH}, 1)
    chance = re.search(r"random:|augment:|dropout: \w+, rate: 0\.[35]", text)
    options = dict(model=path, set=[], program=program, seed=1, batch=None)
    for first, mode in [(0, "eval"), (EXAMPLES - 4, "eval")] + ([(0, "train")] if "batch_norm" in str(model) and not chance else []):
        found += told_by(f"{mode} from example {first}", oracle.compare,
                         argparse.Namespace(**options, data=folder / "data", split="test", first=first, mode=mode, tolerance=1e-9))
    if not chance:
        found += told_by("after three updates", oracle.steps, argparse.Namespace(**options, epochs=3, tolerance=1e-8, floor=1e-4))
    return found + started(model, net, program, folder) + resumed(program, folder)


def way_of(seed):
    """How the program of a seed is built: options of spnc and a compiler.  Every second one is plain; bits are the same in all, so most are of what compiles fastest."""
    options, compiler = [("--target generic", "clang"), ("--plain --target generic", "clang"), ("", "clang"), ("--plain --target generic", "gcc"),
                         ("--target generic", "clang"), ("--plain --target generic", "clang"), ("", "gcc"), ("--plain", "clang")][seed % 8]
    return options.split(), compiler if shutil.which(compiler) else "cc"


def built(spnc, path, seed):
    """Builds the program; what is said if that fails."""
    options, compiler = way_of(seed)
    done = subprocess.run([str(spnc), "build", str(path), "--precision", "double", *options, "-o", str(path.parent / "net")],
                          capture_output=True, text=True, env={"CFLAGS": "-O0 -w", **os.environ, "CC": compiler})
    return done.stderr + done.stdout if done.returncode else ""


def started(model, net, program, folder):
    """Parameters that start as numbers of a file and are others in the program, as text."""
    keys = [key for key, given in model["train"].get("nets", {}).items() if "init" in given]
    if not keys:
        return ""
    subprocess.run([str(program), "export", "-o", str(folder / "first.npz")], check=True)
    with np.load(folder / "start.npz") as want, np.load(folder / "first.npz") as have:
        return "".join(f"{name} does not start as the file says\n" for key in keys for name in net.named(key) if not np.array_equal(want[name], have[name]))


def told_by(what, command, options):
    """What a command of the oracle finds, as text; "" if nothing.  Of what it takes for rounding a line is printed."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        try:
            failed = command(options)
        except (Exception, SystemExit) as e:
            failed, _ = 1, print(f"{type(e).__name__}: {' '.join(str(e).split())} FAILED")
    lines = told.getvalue().splitlines()
    for line in lines:
        if "rounding:" in line:
            print(f"{options.program.name}, {what}: {line}", flush=True)
    return f"{what}:\n" + "\n".join(x for x in lines if "FAILED" in x) + "\n" if failed else ""


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
        model = draw(seed, known)
        with tempfile.TemporaryDirectory() as folder:
            found = differences(a.spnc, model, pathlib.Path(folder), seed)
        if found:
            failed += 1
            print(f"seed {seed} {' '.join(way_of(seed)[0])} by {way_of(seed)[1]}: FAILED\n{shown(model)}\n{found}", flush=True)
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
    count = commands.add_parser("count")
    count.add_argument("count", type=int)
    count.add_argument("--first", type=int, default=1)
    emit = commands.add_parser("emit")
    emit.add_argument("count", type=int)
    emit.add_argument("--first", type=int, default=1)
    emit.add_argument("-o", dest="out", required=True, type=pathlib.Path)
    parts = commands.add_parser("parts")
    parts.add_argument("seeds", type=int, nargs="+")
    parts.add_argument("-o", dest="out", required=True)
    run = commands.add_parser("campaign")
    run.add_argument("--count", type=int, required=True)
    run.add_argument("--first", type=int, default=1)
    run.add_argument("--state")
    a = p.parse_args()
    if a.command == "show":
        print(shown(draw(a.seed, operators(a.spnc))), end="")
    elif a.command == "count":
        known = operators(a.spnc)
        print("\n".join(table(a.spnc, (draw(seed, known) for seed in range(a.first, a.first + a.count)))))
    elif a.command == "emit":
        for seed in range(a.first, a.first + a.count):
            write(draw(seed, operators(a.spnc)), a.out / str(seed))
    elif a.command == "parts":
        text = "# Random models as parts of one, by draw.py: seeds " + ", ".join(map(str, a.seeds)) + ".\n"
        pathlib.Path(a.out).write_text(text + text_of(together_of(a.seeds, operators(a.spnc))))
    else:
        sys.exit(1 if campaign(a) else 0)


if __name__ == "__main__":
    main()
