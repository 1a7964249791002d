#!/usr/bin/env python3
"""The oracle against others: torch's own layers and optimisers, finite differences, published sizes.  Needs PyTorch.

Run as `python3 tests/oracle/test_oracle.py`; uses unittest only.
"""
import contextlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import elementwise
import expression
import formula
import layers
import losses
import make_data
from language import data_shapes, read_model, value
from layers import grid, gru, spn
from net import Net
import oracle
from oracle import batch, formula_settings, jitter, tensors
from training import Optimiser

ROOT = HERE.parent.parent
MODELS = ROOT / "models"
NINE = ([("rnn_spn", [f"d={d}"]) for d in (1, 2, 3, 4)] + [("ffn_spn", [f"d={d}"]) for d in (1, 2, 3, 4)]
        + [("conv", [])])
TABLE = {"rnn_spn": (7118800, 2510800, 1678800, 1525200), "ffn_spn": (17446716, 3622716, 1126716, 665916)}


def random(*shape, seed=0, scale=1.0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64) * scale


def small(path, sets=(), count=3):
    """A net, formula-made weights, and a batch of `count` examples."""
    net = Net(read_model(path, sets))
    weights = tensors({k: formula.weight(k, p["shape"], p["centre"], p["scale"])
                       for k, p in formula_settings(net).items()})
    arrays = {n: formula.examples(n, kind, shape, classes, count) for n, kind, shape, classes in data_shapes(net.model)}
    return net, weights, *batch(net, arrays)


def built(text, sets=(), **files):
    """The net of a model given as text, `model:` and `train:` apart; files: name -> text of others in its folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"model": text, **files}.items():
            pathlib.Path(folder, name + ".yaml").write_text(textwrap.dedent(content))
        return Net(read_model(pathlib.Path(folder, "model.yaml"), sets))


FLOW = "inputs: {inputs}\ntargets: {{ y: {{ shape: [1] }} }}\nflow:\n{flow}\nloss: {{ mean: {loss} }}\n"


def flowing(inputs, flow, loss, more=""):
    """A net of a few entries whose loss is the mean of one value."""
    return built(more + FLOW.format(inputs=inputs, flow=textwrap.indent(textwrap.dedent(flow), "  "), loss=loss))


def weighted(net, seed=1):
    return {name: random(*shape, seed=seed + i, scale=0.5) for i, (name, shape) in enumerate(net.shapes.items())}


class Case(unittest.TestCase):
    def close(self, a, b, bound=1e-12):
        a, b = (v if torch.is_tensor(v) else torch.tensor(v, dtype=torch.float64) for v in (a, b))
        self.assertEqual(tuple(a.shape), tuple(b.shape))
        self.assertLess(float((a - b).detach().abs().max()), bound * max(1, float(b.detach().abs().max())))

    def data(self, net, count=3, seed=100):
        """Random inputs and targets of a net, of both kinds."""
        rows = {}
        for k, (name, kind, shape, classes) in enumerate(net.data):
            g = torch.Generator().manual_seed(seed + k)
            rows[name] = (torch.randint(0, classes, (count, *shape), generator=g) if kind in ("labels", "i32")
                          else random(count, *shape, seed=seed + k) if kind == "f32" else torch.rand(count, *shape, generator=g, dtype=torch.float64))
        inputs = {k: v for k, v in rows.items() if k in net.model["inputs"]}
        return inputs, {k: v for k, v in rows.items() if k not in inputs}

    def twin(self, net, theirs, train=False, weights=None, **replaced):
        """Loss and gradients of the net and of theirs(weights, data), a function that gives the same loss."""
        inputs, targets = self.data(net)
        inputs.update(replaced)
        w = weights or weighted(net)
        mine, values, grads = net.gradients(w, inputs, targets, train)
        leaves = {k: v.clone().requires_grad_(k in net.shapes) for k, v in w.items()}
        want = theirs(leaves, {**inputs, **targets})
        self.assertAlmostEqual(float(mine), float(want.detach()), places=12)
        self.close(mine, want.detach())
        names = list(grads)
        for name, g in zip(names, torch.autograd.grad(want, [leaves[k] for k in names], allow_unused=True) if names else ()):
            self.close(grads[name], torch.zeros_like(leaves[name]) if g is None else g)
        return values

    def slopes(self, net, train=False, weights=None, bound=1e-7):
        """Gradients against central differences along a direction of signs."""
        inputs, targets = self.data(net)
        weights = weights or weighted(net)
        _, _, grads = net.gradients(weights, inputs, targets, train)
        self.assertEqual(set(grads), set(net.trained))
        for key in grads:
            direction = torch.as_tensor(formula.signs(key, 0, weights[key].numel())).reshape(weights[key].shape)
            loss = lambda s: float(net.forward({**weights, key: weights[key] + s * direction}, inputs, targets, train)[0])
            self.assertAlmostEqual((loss(1e-6) - loss(-1e-6)) / 2e-6, float((grads[key] * direction).sum()), delta=bound, msg=key)
            self.assertGreater(float(grads[key].abs().max()), 0, key)


class Language(unittest.TestCase):
    def test_arithmetic(self):
        scope = {"d": 3, "r": 0.5, "w": "zero"}
        for text, want in (("100 / $d", 100 / 3), ("99 / $d", 33), ("100 // $d", 33), ("-2", -2), ("5e-4", 5e-4), (".5", .5),
                           ("$w", "zero"), ("relu", "relu"), ("$r * ($d + 1) % 2", 0.0), ("max($d, 7) - 2 * 3", 1),
                           ("floor(100 / $d)", 33), ("ceil(100 / $d)", 34), ("identity_affine", "identity_affine")):
            got = value(text, scope)
            self.assertEqual((got, type(got)), (want, type(want)), text)

    def test_later_parameters_see_what_is_set(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("params: { a: 2, b: $a * 3, c: zeros }\nbatch: $b\n")
            file.flush()
            model = read_model(file.name, ["a=5", "c=trained"])
            self.assertEqual(model["params"], {"a": 5, "b": 15, "c": "trained"})
            self.assertEqual(model["batch"], 15)
            self.assertRaises(KeyError, read_model, file.name, ["e=5"])


class Formulas(Case):
    """Text that is a value."""

    def of(self, text, scope=None, **values):
        x = {k: v if torch.is_tensor(v) else torch.tensor([v], dtype=torch.float64) for k, v in values.items()}
        found = elementwise.formula(expression.parse(text), scope or {}, lambda kind, name, index=None: x[name] if index is None else x[name][:, index])
        return float(found) if not torch.is_tensor(found) or found.numel() == 1 and not found.requires_grad else found

    def test_precedence(self):
        for text, want in (("1 + 2 * 3", 7), ("-2 ** 2", -4), ("2 ** -1", .5), ("2 ** 3 ** 2", 512), ("-2 * 3", -6), ("1 - 2 - 3", -4),
                           ("8 / 4 / 2", 1), ("(1 + 2) * 3", 9), ("1 + 1 < 3", 1), ("2 * 3 == 6", 1), ("7 // 2 % 2", 1), (".5 + 5. + 1e-5", 5.50001),
                           ("- - 1", 1), ("2 - -1", 3), ("min(2, 1) + max(2, 1)", 3), ("$d * 2", 6), ("where(1 > 2, 3, 4)", 4)):
            self.assertAlmostEqual(self.of(text, {"d": 3}), want, places=14, msg=text)
        for text, want in (("-x ** 2", -9), ("x - 1 - 1", 1), ("2 ** -1 * x", 1.5), ("x ** -1", 1 / 3), ("x > 2", 1), ("(x > 2) + (x != 3)", 1), ("10 - x", 7),
                           ("max - x", 2), ("max(max, x) * 2", 10), ("x / 2 * 2", 3), ("1 / x", 1 / 3), ("u.gate * x", 6), ("x ** 0", 1)):
            self.assertAlmostEqual(self.of(text, x=3.0, max=5.0, **{"u.gate": 2.0}), want, places=14, msg=text)
        for text in ("1 < 2 < 3", "x +", "(x", "x y", "x[1][2]", "f(x", "x[1"):
            self.assertRaises(ValueError, expression.parse, text)

    def test_conditions_compare_numbers_and_words(self):
        scope = {"stride": 2, "kind": "wide"}
        for text, want in (("$stride == 1", 0), ("$stride > 1", 1), ("$kind == wide", 1), ("$kind == narrow or $stride == 2", 1), ("not $kind == wide", 0),
                           ("not ($stride == 1 or $kind != wide) and $stride + 1 == 3", 1), ("1 == 2 and 1 == 1 or 1 == 1", 1), ("1 == 1 or 1 == 1 and 1 == 2", 1)):
            self.assertEqual(expression.holds(text, scope), bool(want), text)

    def test_functions_are_torchs_with_their_gradients(self):
        for text, theirs in (("exp(x)", torch.exp), ("sin(x) * cos(x)", lambda x: torch.sin(x) * torch.cos(x)), ("tanh(x)", torch.tanh), ("erf(x)", torch.erf),
                             ("sigmoid(x)", torch.sigmoid), ("relu(x)", F.relu), ("softplus(30 * x)", lambda x: F.softplus(30 * x)), ("abs(x)", torch.abs),
                             ("elu(x, 0.7)", lambda x: F.elu(x, 0.7)), ("elu(x)", F.elu), ("selu(x)", F.selu), ("gelu(x)", F.gelu), ("silu(x)", F.silu),
                             ("hard_sigmoid(5 * x)", lambda x: F.relu6(5 * x + 3) / 6), ("relu6(9 * x)", lambda x: F.relu6(9 * x)), ("leaky_relu(x, 0.2)", lambda x: F.leaky_relu(x, 0.2)),
                             ("leaky_relu(x)", F.leaky_relu), ("clip(x, -0.5, 0.5)", lambda x: x.clamp(-0.5, 0.5)), ("log(abs(x) + 1)", lambda x: (x.abs() + 1).log()),
                             ("sqrt(x * x + 1)", lambda x: (x * x + 1).sqrt()), ("x ** 2 + x ** 3 - x ** 4", lambda x: x ** 2 + x ** 3 - x ** 4), ("abs(x) ** 1.7", lambda x: x.abs() ** 1.7),
                             ("(x * x) ** 0.5", lambda x: (x * x).sqrt()), ("x ** -1", lambda x: 1 / x), ("floor(3 * x) + sign(x)", lambda x: (3 * x).floor() + x.sign()),
                             ("2 - x / 3", lambda x: 2 - x / 3), ("exp(0.5 * 2) * x", lambda x: math.e * x)):
            x = random(40, seed=3).requires_grad_(True)
            mine, want = self.of(text, x=x), theirs(x)
            self.close(mine, want)
            if want.grad_fn is not None and "floor" not in text:
                self.close(*(torch.autograd.grad(y.sum(), x)[0] for y in (mine, want)))

    def gradient(self, text, *names, **values):
        leaves = {k: torch.tensor(v, dtype=torch.float64).requires_grad_(True) for k, v in values.items()}
        y = self.of(text, **leaves)
        found = torch.autograd.grad(y.sum(), [leaves[k] for k in names], allow_unused=True)
        return [[0.0] * len(values[k]) if g is None else g.tolist() for k, g in zip(names, found)]

    def test_kinks(self):
        self.assertEqual(self.gradient("abs(x)", "x", x=[0.0, -1.0]), [[0, -1]])
        self.assertEqual(self.gradient("relu(x)", "x", x=[0.0, 1.0]), [[0, 1]])
        self.assertEqual(self.gradient("min(x, z)", "x", "z", x=[1.0, 2.0, 0.0], z=[1.0, 1.0, 1.0]), [[1, 0, 1], [0, 1, 0]])
        self.assertEqual(self.gradient("max(x, z)", "x", "z", x=[1.0, 2.0, 0.0], z=[1.0, 1.0, 1.0]), [[1, 1, 0], [0, 0, 1]])
        self.assertEqual(self.gradient("max(0, x)", "x", x=[0.0, 1.0]), [[0, 1]])
        self.assertEqual(self.gradient("max(x, 0)", "x", x=[0.0, 1.0]), [[1, 1]])
        self.assertEqual(self.gradient("clip(x, -1, 1)", "x", x=[-1.0, 1.0, 0.5, 1.5]), [[1, 1, 1, 0]])
        self.assertEqual(self.gradient("relu6(x)", "x", x=[0.0, 6.0, 3.0]), [[0, 0, 1]])
        self.assertEqual(self.gradient("hard_sigmoid(x)", "x", x=[-3.0, 3.0]), [[0, 0]])
        self.assertEqual(self.gradient("leaky_relu(x, 0.2)", "x", x=[0.0]), [[0.2]])
        self.assertEqual(self.gradient("x ** 0 + x", "x", x=[0.0]), [[1]])
        self.assertEqual(self.gradient("sign(x) + floor(x) + (x > 0) + x", "x", x=[0.0, 2.5]), [[1, 1]])
        self.assertEqual(self.gradient("sqrt(x)", "x", x=[0.0, 4.0]), [[math.inf, 0.25]])
        self.assertEqual(self.gradient("where(x > 0, sqrt(x), 0)", "x", x=[-1.0, 0.0, 4.0]), [[0, 0, 0.25]])
        self.assertEqual(self.gradient("where(x > 0, log(x) * z, z)", "x", "z", x=[0.0, 1.0], z=[3.0, 5.0]), [[0, 5], [1, 0]])
        self.assertEqual(self.gradient("where(x == 0, 1, where(x > 0, 1 / x, -1 / x))", "x", x=[0.0, 2.0, -2.0]), [[0, -0.25, 0.25]])

    def test_shapes_broadcast_over_an_examples_dimensions(self):
        net = flowing("{ a: { shape: [4] }, b: { shape: [4, 1] }, c: { shape: [2, 1, 4] }, s: { shape: [] } }", """
            - x: a + b
            - y: c * b
            - z: a * s + 1
            - w: where(a > 0, b, c)
            """, "x")
        inputs, targets = self.data(net, 4)       # as many examples as elements: the batch must not be taken for an axis
        _, values, _ = net.gradients({}, inputs, targets)
        a, b, c, s = (inputs[k] for k in "abcs")
        self.close(values["x"], a[:, None, :] + b)
        self.close(values["y"], c * b[:, None])
        self.close(values["z"], a * s[:, None] + 1)
        self.close(values["w"], torch.where(a[:, None, None] > 0, b[:, None], c))

    def test_values_of_one_name_numbers_and_places(self):
        net = flowing("{ x: { shape: [3, 2] }, tokens: { shape: [5], dtype: i32, classes: 7 } }", """
            - k: x
            - row: x[1]
            - half: 0.5
            - p: $wide * 2
            - second: tokens[$at + 1]
            - sum: row * half + p
            """, "sum", "params: { wide: 3, at: 1 }\n")
        inputs, targets = self.data(net)
        _, values, _ = net.gradients({}, inputs, targets)
        self.assertTrue(torch.equal(values["k"], inputs["x"]) and torch.equal(values["second"], inputs["tokens"][:, 2]))
        self.assertEqual(values["half"].tolist(), [0.5] * 3)
        self.close(values["sum"], inputs["x"][:, 1] * 0.5 + 6)
        self.assertRaises(TypeError, flowing, "{ tokens: { shape: [5], dtype: i32, classes: 7 } }", "- x: tokens + 1", "x")
        self.assertRaises(KeyError, flowing, "{ x: { shape: [5] } }", "- y: relu", "y")

    def test_operands_that_are_formulas_and_calls_have_names_in_reading_order(self):
        net = flowing("{ x: { shape: [3] } }", """
            - a: { add: [{ dense: { dense: "where(x > 0, x, 2 * x)", units: 5, act: relu }, units: 4 }, { dense: x, units: 4 }] }
            - b: { dense: { relu: { dense: a, units: 2 } }, units: 1 }
            - c: { concat: [b, 0, { sum: x }, x] }
            """, "c")
        self.assertEqual(sorted(k for k in net.shapes if "weight" in k),
                         ["a.dense1.weight", "a.dense2.weight", "a.dense3.weight", "b.dense1.weight", "b.weight"])
        self.assertEqual([net.shapes[k + ".weight"] for k in ("a.dense1", "a.dense2", "a.dense3", "b.dense1", "b")], [(4, 5), (5, 3), (4, 3), (2, 4), (1, 2)])

        def theirs(w, d):
            dense = lambda name, v: F.linear(v, w[name + ".weight"], w[name + ".bias"])
            x = d["x"]
            a = dense("a.dense1", F.relu(dense("a.dense2", torch.where(x > 0, x, 2 * x)))) + dense("a.dense3", x)
            b = dense("b", F.relu(dense("b.dense1", a)))
            return torch.cat([b, torch.zeros(3, 1), x.sum(1, keepdim=True), x], 1).mean()

        self.assertEqual(set(self.twin(net, theirs)), {"a", "b", "c"})

    def test_values_without_inputs(self):
        net = flowing("{ x: { shape: [2, 3, 5] } }", """
            - one: { constant: 0.5 }
            - list: { constant: [[1, 2], [$n, 4]] }
            - shaped: { constant: [1, 2, 3, 4], shape: [2, 1, 2] }
            - filled: { constant: 7, shape: [2] }
            - counted: { constant: { range: 4 } }
            - p: { parameter: [3, 1], init: ones }
            - s: { parameter: [] }
            - at: { coordinates: x }
            - noise: { random: normal, shape: [4] }
            - free: { stop_gradient: p }
            - y: x * p + s * at + 3 * free
            """, "y", "params: { n: 3 }\n")
        rows, columns = torch.linspace(-1, 1, 3, dtype=torch.float64), torch.linspace(-1, 1, 5, dtype=torch.float64)
        at = torch.stack([rows[:, None].expand(3, 5), columns.expand(3, 5)])
        values = self.twin(net, lambda w, d: (d["x"] * w["p.weight"] + w["s.weight"] * at + 3 * w["p.weight"].detach()).mean())
        self.assertEqual({k: tuple(values[k].shape) for k in ("one", "list", "shaped", "filled", "counted", "p", "s", "at", "noise")},
                         {"one": (3,), "list": (3, 2, 2), "shaped": (3, 2, 1, 2), "filled": (3, 2), "counted": (3, 4), "p": (3, 3, 1), "s": (3,),
                          "at": (3, 2, 3, 5), "noise": (3, 4)})
        self.close(values["list"][1], [[1.0, 2], [3, 4]])
        self.close(values["counted"][2], [0.0, 1, 2, 3])
        self.close(values["at"][0], at)
        self.assertEqual(net.inits["p.weight"], "ones")
        self.assertRaises(ValueError, net.gradients, weighted(net), *self.data(net), train=True)
        net = flowing("{ x: { shape: [3, 2] }, z: { shape: [2, 1, 3] } }", "- a: { coordinates: x }\n- b: { coordinates: z }", "a")
        values = net.gradients({}, *self.data(net))[1]
        self.assertEqual((values["a"][0].tolist(), values["b"][0].tolist()), ([[-1, 1]], [[[0, 0, 0]], [[-1, 0, 1]]]))

    def test_an_attribute_that_bears_an_operators_name(self):
        net = flowing("{ x: { shape: [4] } }", "- y: { pad: x, by: 1, mode: edge }\n- z: { sum: y, axes: 0 }\n- v: { formula: z * 2, when: 2 > 1 }\n- v: { dense: x, units: 3, when: 1 > 2 }", "v")
        self.twin(net, lambda w, d: 2 * (d["x"].sum(1) + d["x"][:, 0] + d["x"][:, -1]).mean())
        net = built("""
            inputs: { x: { shape: [4] } }
            targets: { y: { shape: [1] } }
            nets: { mean: [ { dense: 4 } ] }
            flow:
              - stack: { mean: { mean: x } }
              - top: { max: stack }
            loss: { mean: top }
            """)
        self.assertEqual(list(net.shapes), ["mean.dense1.weight", "mean.dense1.bias"])

    def test_targets_are_read_by_values_that_only_losses_read(self):
        net = built("""
            inputs: { x: { shape: [5] } }
            targets: { y: { shape: [4] }, label: { classes: 4 } }
            flow:
              - p: { dense: x, units: 4 }
              - chosen: { one_hot: label }
              - miss: (p - y) ** 2 * chosen
            loss: [{ mean: miss, weight: 3 }, { mean: "abs(p - y)" }]
            """)

        def theirs(w, d):
            p = F.linear(d["x"], w["p.weight"], w["p.bias"])
            return 3 * ((p - d["y"]) ** 2 * F.one_hot(d["label"], 4)).mean() + (p - d["y"]).abs().mean()

        self.assertEqual(set(self.twin(net, theirs)), {"p", "chosen", "miss"})

    def test_include_and_parameters_of_several_files(self):
        net = built("""
            params: { wide: 5, deep: $wide * 2 }
            include: parts.yaml
            inputs: { x: { shape: [3] } }
            targets: { y: { shape: [1] } }
            flow: [ { a: { head: x } } ]
            loss: { mean: a }
            """, ["tall=7"], parts="params: { wide: 2, twice: $wide * 2, tall: 1 }\ninclude: [more.yaml]\nnets: { head: [ { body: }, { dense: $deep } ] }\n",
                    more="nets: { body: [ { dense: $twice }, { dense: $tall } ] }\n")
        self.assertEqual([s for k, s in net.shapes.items() if "weight" in k], [(10, 3), (7, 10), (10, 7)])


BLOCK = """
    model: blocks
    inputs: { image: { shape: [2, 6, 6] } }
    targets: { y: { shape: [1] } }
    nets:
      block:
        params: { filters: 2, stride: 1, wide: $filters * 2 }
        in: x
        do:
          - a: { conv: x, filters: $wide, kernel: 3, stride: $stride, padding: 1, bias: false }
          - c: { conv: "relu(a)", filters: $filters, kernel: 3, padding: 1, bias: false }
          - s: { formula: x, when: $stride == 1 }
          - s: { conv: x, filters: $filters, kernel: 1, stride: $stride, bias: false, when: $stride > 1 }
        out: relu(c + s)
      stage:
        - block: { new: true, name: b1 }
        - relu
        - block: { new: true }
        - block
      two:
        in: [x, z]
        do:
          - p: { dense: x, units: 3 }
          - q: { block: z, new: true }
        out: { h: tanh(p), g: "q[0]", s: { sum: q } }
    flow:
    """


class Branches(Case):
    """Nets that branch, copies, and the names of parameters and values."""

    def net(self, flow, loss):
        return built(textwrap.dedent(BLOCK) + textwrap.indent(textwrap.dedent(flow), "  ") + "\nloss: { mean: " + loss + " }\n")

    def block(self, w, path, x, stride=1):
        c = F.conv2d(F.relu(F.conv2d(x, w[path + ".a.weight"], None, stride, 1)), w[path + ".c.weight"], None, 1, 1)
        return F.relu(c + (x if stride == 1 else F.conv2d(x, w[path + ".s.weight"], None, stride)))

    def test_copies_and_uses(self):
        net = self.net("""
            - x1: { block: image, new: true }
            - x2: { block: x1, new: true, filters: 1 + 2, stride: 2 }
            - x3: { block: x1 }
            - x4: { block: x3 }
            - y: { concat: [{ sum: x2 }, { sum: x4 }] }
            """, "y")
        self.assertEqual({k: s[:2] for k, s in net.shapes.items()}, {
            "x1.a.weight": (4, 2), "x1.c.weight": (2, 4), "x2.a.weight": (6, 2), "x2.c.weight": (3, 6), "x2.s.weight": (3, 2),
            "block.a.weight": (4, 2), "block.c.weight": (2, 4)})

        def theirs(w, d):
            x1 = self.block(w, "x1", d["image"])
            ends = self.block(w, "x2", x1, 2), self.block(w, "block", self.block(w, "block", x1))
            return torch.stack([e.flatten(1).sum(1) for e in ends], 1).mean()

        self.assertEqual(set(self.twin(net, theirs)), {"x1", "x2", "x3", "x4", "y"})

    def test_paths_in_nets_of_nets_and_several_outputs(self):
        net = self.net("""
            - s1: { stage: image, new: true }
            - s2: { stage: s1 }
            - u: { two: [s2, image], new: true }
            - v: { two: [u.g, image] }
            - y: { concat: [u.h, v.h, u.s, { flatten: v.g }, { flatten: { block: image, new: true } }] }
            """, "y")
        self.assertEqual([k for k in net.shapes if k.endswith("a.weight")],
                         ["s1.b1.a.weight", "s1.block2.a.weight", "block.a.weight", "stage.b1.a.weight", "stage.block2.a.weight",
                          "u.q.a.weight", "two.q.a.weight", "y.block1.a.weight"])
        self.assertEqual(net.copies["block"], {"s1.b1", "s1.block2", "block", "stage.b1", "stage.block2", "u.q", "two.q", "y.block1"})

        def theirs(w, d):
            stage = lambda path, x: self.block(w, "block", self.block(w, path + ".block2", F.relu(self.block(w, path + ".b1", x))))
            def two(path, x, z):
                q = self.block(w, path + ".q", z)
                return torch.tanh(F.linear(x.flatten(1), w[path + ".p.weight"], w[path + ".p.bias"])), q[:, 0], q.flatten(1).sum(1)
            uh, ug, us = two("u", stage("stage", stage("s1", d["image"])), d["image"])
            vh, vg, _ = two("two", ug, d["image"])
            return torch.cat([uh, vh, us[:, None], vg.flatten(1), self.block(w, "y.block1", d["image"]).flatten(1)], 1).mean()

        self.assertEqual(set(self.twin(net, theirs)), {"s1", "s2", "u.h", "u.g", "u.s", "v.h", "v.g", "v.s", "y"})

    def test_a_parameter_of_the_net_before_the_models(self):
        net = built("""
            params: { units: 3, more: 2 }
            inputs: { x: { shape: [4] } }
            targets: { y: { shape: [1] } }
            nets:
              head: { params: { units: $more + 5 }, layers: [ { dense: { units: $units, when: $units != 9 } }, { dense: $more } ] }
            flow:
              - a: { head: x, new: true }
              - b: { head: x, new: true, units: $units }
              - c: { head: x, new: true, units: 9 }
              - d: { add: [a, b, c] }
            loss: { mean: d }
            """)
        self.assertEqual({k: s for k, s in net.shapes.items() if "weight" in k}, {
            "a.dense1.weight": (7, 4), "a.dense2.weight": (2, 7), "b.dense1.weight": (3, 4), "b.dense2.weight": (2, 3), "c.dense1.weight": (2, 4)})

    def test_nothing_of_a_net_is_seen_outside_nor_inside(self):
        self.assertRaises(KeyError, self.net, "- x1: { block: image }\n- y: { sum: a }", "y")
        self.assertRaises(KeyError, built, """
            inputs: { x: { shape: [4] } }
            targets: { y: { shape: [1] } }
            nets: { n: { in: z, do: [ { q: z + x } ], out: q } }
            flow: [ { a: { n: x } } ]
            loss: { mean: a }
            """)
        self.assertRaises(KeyError, built, textwrap.dedent(BLOCK) + "  - y: { block: image, width: 3 }\nloss: { mean: y }\n")

    def test_a_parameter_is_a_value_by_its_name(self):
        net = flowing("{ tokens: { shape: [3], dtype: i32, classes: 5 } }", """
            - e: { embedding: tokens, units: 4 }
            - h: { dense: e, units: 4 }
            - logits: { matmul: [h, e.weight], transpose_b: true }
            - table: { parameter: [5, 2], init: { normal: 1 } }
            - f: { embedding: [tokens, table] }
            - y: { concat: [logits, { flatten: f }] }
            """, "y")
        self.twin(net, lambda w, d: torch.cat([
            F.linear(F.linear(w["e.weight"][d["tokens"]].flatten(1), w["h.weight"], w["h.bias"]), w["e.weight"]),
            w["table.weight"][d["tokens"]].flatten(1)], 1).mean())


class Steps(Case):
    """Repeats: $t, order, states, names."""

    def test_rows_are_read_by_a_gru_in_both_directions(self):
        net = flowing("{ x: { shape: [5, 3] } }", """
            - repeat: 5
              carry: { h: { gru: { units: 4, init: trained } } }
              do: [ { h: { gru: ["x[$t]", h] } } ]
            - repeat: 5
              reverse: true
              carry: { g: { gru: { units: 4, bias_hh: true } } }
              do: [ { row: { slice: x, index: $t } }, { g: { gru: [row, g] } } ]
            - y: { concat: [{ last: h }, { last: g }, "h[0]", "g[0]", { flatten: { slice: g, from: 1, to: 2 } }] }
            """, "y")

        def theirs(w, d):
            def run(name, x, start):
                net = torch.nn.GRU(3, 4, batch_first=True, dtype=torch.float64)
                names = {f"{k}_l0": w.get(f"{name}.{k}", torch.zeros(12, dtype=torch.float64)) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
                return torch.func.functional_call(net, names, (x, start))[0]
            h = run("h", d["x"], w["h.init"].expand(1, 3, 4).contiguous())
            g = run("g", d["x"].flip(1), torch.zeros(1, 3, 4, dtype=torch.float64)).flip(1)
            return torch.cat([h[:, 4], g[:, 0], h[:, 0], g[:, 0], g[:, 1]], 1).mean()

        values = self.twin(net, theirs)
        self.assertEqual({k: tuple(v.shape) for k, v in values.items()}, {"h": (3, 5, 4), "row": (3, 5, 3), "g": (3, 5, 4), "y": (3, 20)})

    def test_steps_in_formulas_and_slices(self):
        net = flowing("{ x: { shape: [8, 2] } }", """
            - repeat: 3
              step: i
              carry: { s: { shape: [2, 2], init: zeros } }
              do:
                - pair: { slice: x, from: 2 * $t, to: 2 * $t + 2 }
                - odd: x[2 * $i + 1]
                - every: { slice: x, from: $t, to: $t + 5, step: 2 }
                - s: s * 0.9 ** $t + pair + odd * $t + every[1] + every[2]
            - y: { last: s }
            """, "y")
        inputs, targets = self.data(net)
        _, values, _ = net.gradients({}, inputs, targets)
        x, s = inputs["x"], 0
        for t in range(3):
            s = s * 0.9 ** t + x[:, 2 * t:2 * t + 2] + (x[:, 2 * t + 1] * t + x[:, t + 2] + x[:, t + 4])[:, None]
        self.close(values["y"], s)
        self.assertEqual(tuple(values["every"].shape), (3, 3, 3, 2))

    def test_a_repeat_in_a_repeat(self):
        net = flowing("{ x: { shape: [2, 3, 4] } }", """
            - repeat: 2
              step: i
              carry: { h: { shape: [4], init: trained } }
              do:
                - repeat: 3
                  reverse: true
                  carry: { g: { shape: [4], init: h }, k: { shape: [2, 2] } }
                  do:
                    - u: { slice: "x[$i]", index: $t }
                    - g: tanh(g * u + 0.1 * $i)
                    - k: k + $t
                - mixed: { sum: g, axes: 0 }
                - end: { last: g }
                - h: h + mixed + g[0] + 2 * end
            - y: { sum: [h], axes: [0, 1] }
            - z: { sum: g, axes: 1 }
            - w: { sum: { last: z } }
            - v: y + w
            """, "v")

        def theirs(w, d):
            h, hs, last = w["h.init"].expand(3, 4), [], None
            for i in range(2):
                g, gs = h, [None] * 3
                for t in (2, 1, 0):
                    g = torch.tanh(g * d["x"][:, i, t] + 0.1 * i)
                    gs[t] = g
                h = h + sum(gs) + 3 * gs[0]
                hs.append(h)
                last = sum(gs)
            return (sum(hs).sum(1) + last.sum(1)).mean()

        values = self.twin(net, theirs)
        self.assertEqual({k: tuple(v.shape[1:]) for k, v in values.items()},
                         {"u": (2, 3, 4), "g": (2, 3, 4), "k": (2, 3, 2, 2), "mixed": (2, 4), "end": (2, 4), "h": (2, 4), "y": (), "z": (2, 4), "w": (), "v": ()})
        self.close(values["k"][0, 0, :, 0, 0], [3.0, 3, 2])

    def test_helpers_of_one_name_in_two_repeats(self):
        net = flowing("{ x: { shape: [4] } }", """
            - repeat: 2
              carry: { a: { shape: [4] } }
              do: [ { help: x * ($t + 1) }, { a: a + help }, { only: a } ]
            - repeat: 3
              name: again
              carry: { b: { shape: [4], init: x } }
              do:
                - help: b * $t
                - repeat: 2
                  do: [ { help2: help + $t } ]
                - b: b + help2[1]
            - repeat: 1
              do: [ { help2: x } ]
            - y: { concat: [{ last: a }, { last: b }] }
            """, "y")
        values = self.twin(net, lambda w, d: torch.cat([3 * d["x"], ((d["x"] + 1) * 2 + 1) * 3 + 1], 1).mean())
        self.assertEqual({k: tuple(v.shape[1:]) for k, v in values.items()}, {
            "repeat1.help": (2, 4), "a": (2, 4), "only": (2, 4), "again.help": (3, 4), "repeat3.help2": (3, 2, 4), "b": (3, 4), "repeat4.help2": (1, 4), "y": (8,)})

    def test_repeats_and_copies_inside_nets_and_steps(self):
        net = built("""
            inputs: { x: { shape: [4, 3] } }
            targets: { y: { shape: [1] } }
            nets:
              read:
                in: rows
                do:
                  - repeat: 4
                    carry: { h: { rnn: { units: 2, act: relu } } }
                    do: [ { h: { rnn: ["rows[$t]", h] } } ]
                out: h[3]
              one: [ { dense: 2 } ]
            flow:
              - a: { read: x, new: true }
              - b: { read: x }
              - repeat: 2
                carry: { s: { shape: [2], init: a } }
                do: [ { s: { one: s, new: true } } ]
              - y1: { concat: [a, b, { last: s }] }
            loss: { mean: y1 }
            """)
        self.assertEqual(list(net.shapes), [f"{p}.h.{k}" for p in ("a", "read") for k in ("weight_ih", "weight_hh", "bias_ih")] + ["s.dense1.weight", "s.dense1.bias"])

        def theirs(w, d):
            def read(p):
                h = torch.zeros(3, 2, dtype=torch.float64)
                for t in range(4):
                    h = F.relu(d["x"][:, t] @ w[p + ".h.weight_ih"].T + w[p + ".h.bias_ih"] + h @ w[p + ".h.weight_hh"].T)
                return h
            one = lambda s: F.linear(s, w["s.dense1.weight"], w["s.dense1.bias"])
            return torch.cat([read("a"), read("read"), one(one(read("a")))], 1).mean()

        self.assertEqual(set(self.twin(net, theirs)), {"a", "b", "s", "y1"})

    def test_cells(self):
        net = flowing("{ x: { shape: [5, 3] }, start: { shape: [2, 2] } }", """
            - first: { dense: start, units: 4 }
            - repeat: 5
              carry:
                h: { lstm: { units: 4, init: { h: first, c: first * 2 }, bias_hh: true, forget_bias: 1 } }
                k: { lstm: { units: 2, init: trained } }
                r: { rnn: { units: 3 } }
              do:
                - before: h.c
                - h: { lstm: ["x[$t]", h] }
                - k: { lstm: [h.c, k] }
                - r: { rnn: [k, r] }
            - free: { lstm: [x, "h[4]", "h.c[4]"], units: 4 }
            - plain: { rnn: [free, free.h], units: 4, act: sigmoid }
            - y: { concat: [{ last: h }, { last: h.c }, { last: k }, { last: r }, free.c, plain] }
            """, "y")
        self.assertEqual([k for k in net.shapes if "init" in k], ["k.h.init", "k.c.init"])

        def theirs(w, d):
            def cell(name, n, m):
                given = {k: w.get(f"{name}.{k}", torch.zeros(4 * m, dtype=torch.float64)) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
                return lambda x, state: torch.func.functional_call(torch.nn.LSTMCell(n, m, dtype=torch.float64), given, (x, state))
            first = F.linear(d["start"].flatten(1), w["first.weight"], w["first.bias"])
            h, k, r = (first, first * 2), (w["k.h.init"].expand(3, 2), w["k.c.init"].expand(3, 2)), torch.zeros(3, 3, dtype=torch.float64)
            for t in range(5):
                h = cell("h", 3, 4)(d["x"][:, t], h)
                k = cell("k", 4, 2)(h[1], k)
                r = torch.tanh(F.linear(k[0], w["r.weight_ih"], w["r.bias_ih"]) + r @ w["r.weight_hh"].T)
            f = cell("free", 15, 4)(d["x"].flatten(1), h)
            plain = torch.sigmoid(F.linear(f[0], w["plain.weight_ih"], w["plain.bias_ih"]) + f[0] @ w["plain.weight_hh"].T)
            return torch.cat([*h, k[0], r, f[1], plain], 1).mean()

        values = self.twin(net, theirs)
        self.assertEqual(set(values), {"first", "before", "h.h", "h.c", "k.h", "k.c", "r", "free.h", "free.c", "plain", "y"})
        self.assertTrue(torch.equal(values["before"][:, 1], values["h.c"][:, 0]))

    def test_a_state_of_another_shape_by_a_formula(self):
        net = flowing("{ x: { shape: [3] }, m: { shape: [4] } }", """
            - repeat: 4
              carry: { h: { shape: [3] }, swap: { shape: [], init: 1 } }
              do: [ { h: "m[$t] * tanh(x + h) + (1 - m[$t]) * h" }, { swap: swap * 2 } ]
            - y: { last: h }
            - z: y * swap[3]
            """, "z")
        inputs, targets = self.data(net)
        _, values, _ = net.gradients({}, inputs, targets)
        h = torch.zeros(3, 3, dtype=torch.float64)
        for t in range(4):
            m = inputs["m"][:, t:t + 1]
            h = m * torch.tanh(inputs["x"] + h) + (1 - m) * h
        self.close(values["z"], 16 * h)


class Operators(Case):
    """Operators of the second edition beside torch's modules."""

    def alone(self, shape, call, theirs, train=False, more="", weights=None, **replaced):
        """One operator n on x, which depends on a parameter; its loss the mean of its square, so that gradients differ from place to place."""
        net = flowing("{ v: { shape: %s }%s }" % (list(shape), more), f"- p: {{ parameter: {list(shape)} }}\n- x: v + p\n- n: {{ {call} }}\n- y: n * n", "y")
        return net, self.twin(net, lambda w, d: (lambda y: (y * y).mean())(theirs(d["v"] + w["p.weight"], w, d)), train, weights and weights(net), **replaced)

    def test_elementwise(self):
        for call, theirs in (("leaky_relu: x, slope: 0.3", lambda x: F.leaky_relu(x, 0.3)), ("leaky_relu: x", F.leaky_relu), ("elu: x, alpha: 2", lambda x: F.elu(x, 2.0)),
                             ("selu: x", F.selu), ("gelu: x", F.gelu), ("gelu: x, approximate: tanh", lambda x: F.gelu(x, approximate="tanh")), ("silu: x", F.silu),
                             ("softplus: x", F.softplus), ("hard_sigmoid: x", lambda x: F.relu6(x + 3) / 6), ("relu6: x", F.relu6), ("clip: x, low: -0.2, high: 1", lambda x: x.clamp(-0.2, 1)),
                             ("square: x", torch.square), ("sqrt: { abs: x }", lambda x: x.abs().sqrt()), ("exp: x", torch.exp), ("log: { abs: x }", lambda x: x.abs().log()),
                             ("negate: x", torch.neg), ("subtract: [x, 'x[0]']", lambda x: x - x[:, :1]), ("divide: [1, x]", lambda x: 1 / x),
                             ("maximum: [x, 0.3]", lambda x: x.clamp(min=0.3)), ("minimum: [x, { negate: x }]", lambda x: torch.minimum(x, -x))):
            self.alone((3, 4), call, lambda x, w, d: theirs(x))
        self.alone((3, 4), "prelu: x", lambda x, w, d: F.prelu(x, w["n.weight"]))
        self.alone((3, 4), "dense: x, units: 5, act: { leaky_relu: { slope: 0.2 } }", lambda x, w, d: F.leaky_relu(F.linear(x.flatten(1), w["n.weight"], w["n.bias"]), 0.2))
        self.alone((3, 4), "dense: x, units: 5, act: gelu, over: last", lambda x, w, d: F.gelu(F.linear(x, w["n.weight"], w["n.bias"])))
        self.assertRaises(ValueError, self.alone, (3, 4), "add: [x, 'x[0]']", None)

    def test_convolutions(self):
        for call, shape, theirs in (
                ("filters: 4, kernel: [3, 2], groups: 2, dilation: [1, 2], stride: [2, 1], padding: [1, 0]", (4, 7, 8), lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 0), (1, 2), 2)),
                ("filters: 3, kernel: 2, padding: [[0, 1], [2, 0]]", (2, 5, 5), lambda x, w, b: F.conv2d(F.pad(x, (2, 0, 0, 1)), w, b)),
                ("filters: 3, kernel: [4, 3], padding: same, dilation: 2", (2, 7, 6), lambda x, w, b: F.conv2d(x, w, b, 1, "same", 2)),
                ("filters: 4, kernel: 4, padding: same", (2, 9), lambda x, w, b: F.conv1d(x, w, b, 1, "same")),
                ("filters: 4, kernel: 3, padding: [[2, 1]], stride: 2, groups: 2", (2, 9), lambda x, w, b: F.conv1d(F.pad(x, (2, 1)), w, b, 2, 0, 1, 2))):
            net, _ = self.alone(shape, "conv: x, " + call, lambda x, w, d: theirs(x, w["n.weight"], w["n.bias"]))
        self.assertEqual(net.shapes["n.weight"], (4, 1, 3))
        self.assertRaises(ValueError, self.alone, (2, 9), "conv: x, filters: 4, padding: same, stride: 2", None)
        for call, shape, theirs in (
                ("filters: 4, kernel: [3, 2], stride: [2, 3], padding: [1, 0], output_padding: [1, 2], groups: 2, dilation: [2, 1]", (4, 5, 4),
                 lambda x, w, b: F.conv_transpose2d(x, w, b, (2, 3), (1, 0), (1, 2), 2, (2, 1))),
                ("filters: 3, kernel: 3, stride: 2", (2, 5), lambda x, w, b: F.conv_transpose1d(x, w, b, 2))):
            net, _ = self.alone(shape, "conv_transpose: x, " + call, lambda x, w, d: theirs(x, w["n.weight"], w["n.bias"]))
        self.assertEqual(net.shapes["n.weight"], (2, 3, 3))

    def test_pools_and_sizes(self):
        for call, shape, theirs in (
                ("maxpool: x, size: 3, stride: 2, padding: 1", (2, 8, 7), lambda x: F.max_pool2d(x, 3, 2, 1)), ("maxpool: x, ceil: true", (2, 7, 5), lambda x: F.max_pool2d(x, 2, ceil_mode=True)),
                ("maxpool: x, size: 3", (2, 8), lambda x: F.max_pool1d(x, 3)), ("avgpool: x", (2, 7, 5), lambda x: F.avg_pool2d(x, 2)),
                ("avgpool: x, size: 3, stride: 2, padding: 1, ceil: true", (2, 8, 7), lambda x: F.avg_pool2d(x, 3, 2, 1, True, False)),
                ("avgpool: x, size: 3, padding: 1, count_padding: true", (2, 8, 7), lambda x: F.avg_pool2d(x, 3, 3, 1, False, True)), ("avgpool: x, size: 2", (2, 9), lambda x: F.avg_pool1d(x, 2)),
                ("global_avgpool: x", (3, 4, 5), lambda x: x.mean((2, 3))), ("global_maxpool: x", (3, 4, 5), lambda x: x.amax((2, 3))), ("global_avgpool: x", (3, 4), lambda x: x.mean(2)),
                ("upsample: x", (2, 3, 4), lambda x: F.interpolate(x, scale_factor=2, mode="nearest")), ("upsample: x, factor: 3", (2, 5), lambda x: F.interpolate(x, scale_factor=3)),
                ("upsample: x, factor: [2, 3], mode: bilinear", (2, 3, 4), lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear", align_corners=False))):
            self.alone(shape, call, lambda x, w, d: theirs(x))

    def test_axes(self):
        for call, shape, theirs in (
                ("softmax: x", (3, 4), lambda x: x.softmax(2)), ("log_softmax: x, axis: 0", (3, 4), lambda x: x.log_softmax(1)), ("softmax: x, axis: -2", (3, 4), lambda x: x.softmax(1)),
                ("sum: x", (3, 4), lambda x: x.sum((1, 2))), ("mean: x, axes: [0, -1]", (3, 4, 2), lambda x: x.mean((1, 3))), ("sum: x, axes: 1, keep: true", (3, 4), lambda x: x.sum(2, keepdim=True)),
                ("max: x", (3, 4), lambda x: x.amax((1, 2))), ("max: x, axes: [0, 2], keep: true", (3, 4, 2), lambda x: x.amax((1, 3), keepdim=True)), ("max: x, axes: 1", (3, 4, 2), lambda x: x.amax(2)),
                ("transpose: x, axes: [2, 0, 1]", (3, 4, 2), lambda x: x.permute(0, 3, 1, 2)), ("flip: x", (3, 4), lambda x: x.flip(1)), ("flip: x, axis: -1", (3, 4), lambda x: x.flip(2)),
                ("stack: [x, { exp: x }, x]", (3, 4), lambda x: torch.stack([x, x.exp(), x], 1)), ("stack: [x, x], axis: -1", (3, 4), lambda x: torch.stack([x, x], 3)),
                ("concat: [{ sum: x }, 0.5, x]", (4,), lambda x: torch.cat([x.sum(1, keepdim=True), torch.full((3, 1), 0.5), x], 1)), ("stack: [{ sum: x }, 2]", (4,), lambda x: torch.stack([x.sum(1, keepdim=True), torch.full((3, 1), 2.0)], 1)),
                ("pad: x, by: 1", (2, 3, 4), lambda x: F.pad(x, (1, 1, 1, 1))), ("pad: x, by: 2, mode: edge", (2, 3), lambda x: F.pad(x, (2, 2), mode="replicate")),
                ("pad: x, by: [0, [1, 2], [0, 2]], mode: reflect", (2, 3, 4), lambda x: F.pad(x, (0, 2, 1, 2), mode="reflect")), ("pad: x, by: [[1, 2]], mode: reflect", (4,), lambda x: F.pad(x[:, None], (1, 2), mode="reflect")[:, 0]),
                ("pad: x, by: [1, 2]", (3, 4), lambda x: F.pad(x, (2, 2, 1, 1))), ("slice: x, axis: -1, from: 1, step: 2", (3, 6), lambda x: x[:, :, 1::2]), ("slice: x, to: 2", (3, 6), lambda x: x[:, :2])):
            self.alone(shape, call, lambda x, w, d: theirs(x))

    def test_the_first_of_equal_maxima_takes_the_gradient(self):
        x = torch.zeros(1, 2, 3, dtype=torch.float64, requires_grad=True)
        for attributes, want in (({}, [[1, 0, 0], [0, 0, 0]]), ({"axes": 0}, [[1, 1, 1], [0, 0, 0]]), ({"axes": 1}, [[1, 0, 0], [1, 0, 0]])):
            g, = torch.autograd.grad(layers.largest(x, attributes).sum(), x)
            self.assertEqual(g[0].tolist(), want)

    def test_matmul(self):
        for a, b, attributes in (((3, 4), (4, 2), ""), ((4,), (4, 2), ""), ((3, 4), (4,), ""), ((4,), (4,), ""), ((2, 3, 4), (4, 5), ""), ((2, 1, 3, 4), (5, 4, 2), ""),
                                 ((4, 3), (2, 4), ", transpose_a: true, transpose_b: true"), ((2, 3, 4), (4,), ""), ((4,), (2, 4, 3), "")):
            turn = lambda v: v.mT if attributes else v
            rows = lambda x, z: torch.stack([turn(p) @ turn(q) for p, q in zip(x, z)])
            self.alone(a, f"matmul: [x, b]{attributes}", lambda x, w, d: rows(x, d["b"]), more=", b: { shape: %s }" % list(b))
        self.assertRaises(ValueError, self.alone, (4,), "matmul: [x, x], transpose_a: true", None)

    def buffered(self, net):
        return {**weighted(net), **{k: random(*s, seed=40, scale=0.3) if net.inits[k] == "zeros" else random(*s, seed=41).abs() + 0.5 for k, s in net.buffers.items()}}

    def test_batch_norm(self):
        for shape, module in (((3, 4, 2), torch.nn.BatchNorm2d), ((5,), torch.nn.BatchNorm1d), ((5, 3), torch.nn.BatchNorm1d)):
            for train in (False, True):
                theirs = module(shape[0], 1e-3, 0.2, dtype=torch.float64)
                theirs.train(train)
                seen = []

                def twin(x, w, d):
                    state = {k: w["n." + k] if k.startswith(("weight", "bias")) else w["n." + k].detach().clone() for k in ("weight", "bias", "running_mean", "running_var")}
                    y = torch.func.functional_call(theirs, state, (x,))
                    seen.append(state)
                    return F.relu(y)

                net, _ = self.alone(shape, "batch_norm: x, momentum: 0.2, epsilon: 1e-3, act: relu", twin, train, weights=self.buffered)
                self.assertEqual(net.buffers, {"n.running_mean": shape[:1], "n.running_var": shape[:1]})
                self.assertEqual(set(net.updates), set(net.buffers) if train else set())
                for k in net.updates:
                    self.close(net.updates[k], seen[0][k[2:]])
        net = flowing("{ x: { shape: [3] } }", "- n: { batch_norm: x, affine: false }", "n")
        self.assertEqual((list(net.shapes), len(net.buffers)), ([], 2))
        self.assertRaises(KeyError, net.forward, {}, *self.data(net))
        net.forward({}, *self.data(net), train=True)
        self.assertRaises(ValueError, net.forward, {}, *self.data(net, 1), train=True)

    def test_batch_norm_of_several_places_and_steps(self):
        net = built("""
            inputs: { x: { shape: [2, 3] } }
            targets: { y: { shape: [1] } }
            nets: { n: [ { batch_norm: { name: b, momentum: 0.5 } } ] }
            flow:
              - a: { n: "x[1]" }
              - repeat: 2
                reverse: true
                do: [ { s: { n: "x[$t] * 2" } } ]
              - z: a * s[0]
            loss: { mean: z * z }
            """)
        inputs, targets = self.data(net)
        w, x = self.buffered(net), inputs["x"]
        net.gradients(w, inputs, targets, train=True)
        module = torch.nn.BatchNorm1d(3, momentum=0.5, dtype=torch.float64)
        module.load_state_dict({**{k[4:]: v for k, v in w.items()}, "num_batches_tracked": torch.tensor(0)})
        for v in (x[:, 1], x[:, 1] * 2, x[:, 0] * 2):
            module(v)
        self.close(net.updates["n.b.running_mean"], module.running_mean)
        self.close(net.updates["n.b.running_var"], module.running_var)
        self.slopes(net, train=True, weights=w)
        self.slopes(net, weights=w)

    def test_norms(self):
        for call, shape, theirs in (
                ("layer_norm: x", (3, 4), lambda x, w: F.layer_norm(x, [4], w["n.weight"], w["n.bias"])),
                ("layer_norm: x, axes: [-2, -1], epsilon: 0.1", (2, 3, 4), lambda x, w: F.layer_norm(x, [3, 4], w["n.weight"], w["n.bias"], 0.1)),
                ("layer_norm: x, axes: 0", (3, 4), lambda x, w: F.layer_norm(x.mT, [3], w["n.weight"], w["n.bias"]).mT),
                ("layer_norm: x, affine: false", (3, 4), lambda x, w: F.layer_norm(x, [4])),
                ("group_norm: x, groups: 2", (4, 3, 2), lambda x, w: F.group_norm(x, 2, w["n.weight"], w["n.bias"])),
                ("instance_norm: x", (4, 3, 2), lambda x, w: F.instance_norm(x, None, None, w["n.weight"], w["n.bias"])),
                ("instance_norm: x, affine: false", (4, 3), lambda x, w: F.instance_norm(x)),
                ("rms_norm: x", (3, 4), lambda x, w: F.rms_norm(x, [4], w["n.weight"], 1e-5)),
                ("rms_norm: x, axes: [0, 1], act: relu", (3, 4), lambda x, w: F.relu(F.rms_norm(x, [3, 4], w["n.weight"], 1e-5)))):
            net, _ = self.alone(shape, call, lambda x, w, d: theirs(x, w))
        self.assertEqual(net.shapes, {"p.weight": (3, 4), "n.weight": (3, 4)})

    def test_whole_numbers(self):
        net = built("""
            inputs: { tokens: { shape: [4], dtype: i32, classes: 6 } }
            targets: { word: { length: 4, classes: 5 }, mask: { shape: [2, 3], classes: 3 }, one: { classes: 4 } }
            flow:
              - e: { embedding: tokens, units: 3 }
              - turned: { flip: tokens }
              - both: { stack: [tokens, turned] }
              - f: { embedding: both, units: 2 }
              - w: { one_hot: word }
              - m: { one_hot: mask }
              - o: { one_hot: one }
              - t: { one_hot: "turned[0]" }
              - r: { real: tokens }
              - y: { concat: [{ flatten: e }, { flatten: f }, { flatten: w }, { flatten: m }, o, t, r] }
            loss: [{ mean: y * y }, { cross_entropy: [o, one], ignore: 2, weight: 0 }]
            """)

        def theirs(w, d):
            one = F.one_hot(d["one"], 4) * (d["one"] != 2)[:, None]
            both = torch.stack([d["tokens"], d["tokens"].flip(1)], 1)
            y = torch.cat([w["e.weight"][d["tokens"]].flatten(1), w["f.weight"][both].flatten(1), F.one_hot(d["word"], 5).flatten(1),
                           F.one_hot(d["mask"], 3).permute(0, 3, 1, 2).flatten(1), one, F.one_hot(d["tokens"][:, 3], 6), d["tokens"]], 1)
            return (y * y).mean()

        values = self.twin(net, theirs)
        self.assertEqual(tuple(values["m"].shape), (3, 3, 2, 3))
        self.assertEqual((net.shapes["e.weight"], net.shapes["f.weight"]), ((6, 3), (6, 2)))

    def test_transforms_on_maps(self):
        rows = {"affine": lambda p: p, "scale": lambda p: [p[0], 0 * p[0], p[1], 0 * p[0], p[2], p[3]], "attention": lambda p: [p[0], 0 * p[0], p[1], 0 * p[0], p[0], p[2]],
                "translation": lambda p: [1 + 0 * p[0], 0 * p[0], p[0], 0 * p[0], 1 + 0 * p[0], p[1]],
                "similarity": lambda p: [p[0] * p[1].cos(), -p[0] * p[1].sin(), p[2], p[0] * p[1].sin(), p[0] * p[1].cos(), p[3]]}
        for kind, count in (("affine", 6), ("scale", 4), ("attention", 3), ("translation", 2), ("similarity", 4)):
            def theirs(x, w, d):
                image = F.conv2d(x, w["n.conv1.weight"], w["n.conv1.bias"])
                A = torch.stack(rows[kind](F.linear(d["z"], w["n.dense1.weight"], w["n.dense1.bias"]).unbind(1)), 1)
                return F.grid_sample(image, F.affine_grid(A.reshape(-1, 2, 3), (3, 2, 3, 4), align_corners=True), align_corners=True)
            self.alone((1, 7, 8), f"spn: [{{ conv: x, filters: 2 }}, {{ dense: z, units: {count} }}], transform: {kind}, size: [3, 4]", theirs, more=", z: { shape: [3] }")
        self.assertRaises(ValueError, self.alone, (1, 7, 8), "spn: [x, { dense: x, units: 6 }], transform: scale", None)
        image = random(1, 1, 5, 5)
        self.close(spn(image, torch.tensor([[1.0, 0, 0, 0, 1, 0]], dtype=torch.float64), 1, 1, "zero"), image[:, :, 2:3, 2:3])

    def test_lists_of_new_layers(self):
        net = built("""
            inputs: { x: { shape: [2, 8, 8] } }
            targets: { y: { shape: [1] } }
            nets:
              body:
                - conv: { filters: 4, kernel: 3, padding: same, groups: 2 }
                - batch_norm
                - leaky_relu: 0.1
                - avgpool: 2
                - upsample: 2
                - conv_transpose: { filters: 2, kernel: 2, stride: 2 }
                - pad: 1
                - group_norm: 2
                - prelu
                - gelu
                - layer_norm: { axes: [0, 1, 2] }
                - global_avgpool
                - dense: { units: 3, act: { elu: { alpha: 0.5 } } }
                - softmax
            flow: [ { v: { body: x } } ]
            loss: { mean: v ** 2 }
            """)
        self.assertEqual([k for k in net.shapes if "weight" in k], ["body." + k + ".weight" for k in
                         ("conv1", "batch_norm1", "conv_transpose1", "group_norm1", "prelu1", "layer_norm1", "dense1")])
        self.slopes(net, weights=self.buffered(net))
        self.slopes(net, train=True, weights=self.buffered(net))


class Losses(Case):
    """Losses of the second edition are torch's; ignored labels are made at known places."""

    def one(self, inputs, targets, flow, loss, theirs, more=""):
        net = built(f"{more}inputs: {inputs}\ntargets: {targets}\nflow:\n" + textwrap.indent(textwrap.dedent(flow), "  ") + f"\nloss: {loss}\n")
        self.twin(net, theirs)
        return net

    def test_cross_entropy(self):
        weights = torch.tensor([0.5, 2, 1, 0.1], dtype=torch.float64)
        for attributes, settings in (("", {}), (", smoothing: 0.1", {"label_smoothing": 0.1}), (", class_weights: [0.5, 2, 1, 0.1]", {"weight": weights}),
                                     (", ignore: 2", {"ignore_index": 2}), (", ignore: 1, smoothing: 0.3, class_weights: [0.5, 2, 1, 1 / 10]", {"ignore_index": 1, "label_smoothing": 0.3, "weight": weights})):
            loss = lambda logits, labels: 2 * F.cross_entropy(logits, labels, **settings)
            self.one("{ x: { shape: [5] } }", "{ y: { classes: 4 } }", "- p: { dense: x, units: 4 }", "{ cross_entropy: [p, y], weight: 2%s }" % attributes,
                     lambda w, d: loss(F.linear(d["x"], w["p.weight"], w["p.bias"]), d["y"]))
            self.one("{ x: { shape: [3, 5] } }", "{ y: { length: 3, classes: 4 } }", "- p: { dense: x, units: 4, over: last }", "{ cross_entropy: [p, y], weight: 2%s }" % attributes,
                     lambda w, d: loss(F.linear(d["x"], w["p.weight"], w["p.bias"]).mT, d["y"]))
            self.one("{ x: { shape: [2, 4, 4] } }", "{ y: { shape: [4, 4], classes: 4 } }", "- p: { conv: x, filters: 4, kernel: 1 }", "{ cross_entropy: [p, y], weight: 2%s }" % attributes,
                     lambda w, d: loss(F.conv2d(d["x"], w["p.weight"], w["p.bias"]), d["y"]))
            steps = "- repeat: 4\n  do: [ { p: { conv: 'x[$t]', filters: 4, kernel: 1 } } ]"
            self.one("{ x: { shape: [4, 2, 4, 4] } }", "{ y: { shape: [4, 4, 4], classes: 4 } }", steps, "{ cross_entropy: [p, y], weight: 2%s }" % attributes,
                     lambda w, d: loss(F.conv2d(d["x"].flatten(0, 1), w["p.weight"], w["p.bias"]).reshape(3, 4, 4, 4, 4).transpose(1, 2), d["y"]))

    def test_nothing_that_counts_is_no_loss(self):
        logits = random(3, 4).requires_grad_(True)
        found = losses.cross_entropy(logits, torch.full((3,), -1), {"ignore": -1}, 1)
        self.assertEqual(float(found.detach()), 0)
        self.assertEqual(float(torch.autograd.grad(found, logits)[0].abs().max()), 0)
        labels = torch.tensor([-1, 2, 0])
        self.close(losses.cross_entropy(logits, labels, {"ignore": -1}, 1), F.cross_entropy(logits[1:], labels[1:]))

    def test_soft_targets(self):
        weights = torch.tensor([0.5, 2, 1, 0.1], dtype=torch.float64)
        for attributes, settings in (("", {}), (", smoothing: 0.1", {"label_smoothing": 0.1}), (", class_weights: [0.5, 2, 1, 0.1], smoothing: 0.2", {"weight": weights, "label_smoothing": 0.2})):
            net = self.one("{ x: { shape: [5] } }", "{ y: { shape: [4] } }", "- p: { dense: x, units: 4 }", "{ cross_entropy: [p, y]%s }" % attributes,
                           lambda w, d: F.cross_entropy(F.linear(d["x"], w["p.weight"], w["p.bias"]), d["y"], **settings))
            self.one("{ x: { shape: [2, 4, 4] } }", "{ y: { shape: [4, 4, 4] } }", "- p: { conv: x, filters: 4, kernel: 1 }", "{ cross_entropy: [p, y]%s }" % attributes,
                     lambda w, d: F.cross_entropy(F.conv2d(d["x"], w["p.weight"], w["p.bias"]), d["y"], **settings))
        self.assertEqual(net.data[1][1], "shares")
        self.assertTrue(np.allclose(formula.examples("y", "shares", (4,), 0, 9).sum(1), 1, atol=1e-6))
        self.assertTrue(np.allclose(make_data.examples(np.random.default_rng(1), "shares", (4,), 0, 9).sum(1), 1, atol=1e-6))

    def test_binary_cross_entropy(self):
        p = lambda w, d: F.linear(d["x"], w["p.weight"], w["p.bias"])
        net = self.one("{ x: { shape: [5] } }", "{ y: { shape: [4] } }", "- p: { dense: x, units: 4 }", "[{ binary_cross_entropy: [p, y], weight: 3 }]",
                       lambda w, d: 3 * F.binary_cross_entropy_with_logits(p(w, d), d["y"]))
        self.assertEqual(net.data[1][1], "unit")
        self.one("{ x: { shape: [5] } }", "{ y: { length: 4, classes: 2 } }", "- p: { dense: x, units: 4 }", "{ binary_cross_entropy: [p, y] }",
                 lambda w, d: F.binary_cross_entropy_with_logits(p(w, d), d["y"].double()))
        self.one("{ x: { shape: [5] } }", "{ y: { classes: 2 } }", "- p: { dense: x, units: 1 }\n- t: sigmoid(x[0])", "[{ binary_cross_entropy: ['p[0]', y] }, { binary_cross_entropy: ['p[0]', t] }]",
                 lambda w, d: F.binary_cross_entropy_with_logits(p(w, d)[:, 0], d["y"].double()) + F.binary_cross_entropy_with_logits(p(w, d)[:, 0], torch.sigmoid(d["x"][:, 0])))

    def test_differences_and_means(self):
        p = lambda w, d: F.linear(d["x"], w["p.weight"], w["p.bias"])
        for loss, theirs in (("mae: [p, y]", F.l1_loss), ("huber: [p, y]", F.huber_loss), ("huber: [p, y], delta: 0.3", lambda a, b: F.huber_loss(a, b, delta=0.3)),
                             ("mse: [p, y]", F.mse_loss), ("mean: (p - y) ** 2", F.mse_loss), ("mean: { max: p }", lambda a, b: a.amax(1).mean())):
            self.one("{ x: { shape: [5] } }", "{ y: { shape: [4] } }", "- p: { dense: x, units: 4 }", "{ %s }" % loss, lambda w, d: theirs(p(w, d), d["y"]))
        self.one("{ x: { shape: [5] } }", "{ y: { shape: [3, 4] } }", "- repeat: 3\n  do: [ { p: { dense: x, units: 4 } } ]\n- q: { parameter: [2] }", "[{ mae: [p, y] }, { mean: p }, { mean: q ** 2 + 2 * q }]",
                 lambda w, d: F.l1_loss(p(w, d)[:, None].expand(3, 3, 4), d["y"]) + p(w, d).mean() + (w["q.weight"] ** 2 + 2 * w["q.weight"]).mean())
        x = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
        self.assertEqual(float(torch.autograd.grad(losses.mae(x, x.detach(), {}, None), x)[0].abs().max()), 0)

    def test_penalties_are_of_a_nets_weights_uses_and_copies(self):
        net = self.one("{ x: { shape: [2, 6] } }", "{ y: { shape: [4] } }", """
            - a: { n: x }
            - b: { n: x, new: true }
            - repeat: 2
              carry: { h: { gru: 4 } }
              do: [ { h: { gru: [a, h] } } ]
            - p: { dense: { add: [a, b] }, units: 4 }
            """, "[{ mean: p }, { weight_l2: n, weight: 0.1 }, { weight_l1: h, weight: 0.2 }, { weight_l1: other, weight: 0.3 }]",
            lambda w, d: self.penalised(w, d), more="nets: { other: [ { dense: 3 } ], n: [ { conv: { filters: 3, kernel: 2 } }, { group_norm: 1 }, prelu, other, { dense: 4 } ] }\n")
        self.assertEqual(net.named("n"), [k for k in net.shapes if k.startswith(("n.", "b."))])

    def penalised(self, w, d):
        def n(path):
            x = F.conv1d(d["x"], w[path + ".conv1.weight"], w[path + ".conv1.bias"])
            x = F.prelu(F.group_norm(x, 1, w[path + ".group_norm1.weight"], w[path + ".group_norm1.bias"]), w[path + ".prelu1.weight"])
            return F.linear(F.linear(x.flatten(1), w["other.dense1.weight"], w["other.dense1.bias"]), w[path + ".dense1.weight"], w[path + ".dense1.bias"])
        p = F.linear(n("n") + n("b"), w["p.weight"], w["p.bias"]).mean()
        l2 = sum((w[f"{path}.{k}.weight"] ** 2).sum() for path in "nb" for k in ("conv1", "dense1"))
        return p + 0.1 * l2 + 0.2 * (w["h.weight_ih"].abs().sum() + w["h.weight_hh"].abs().sum()) + 0.3 * w["other.dense1.weight"].abs().sum()


class Layers(unittest.TestCase):
    def sampled(self, border, scale):
        image, A = random(4, 3, 9, 7, seed=1), random(4, 6, seed=2, scale=scale)
        A = A + torch.tensor([1, 0, 0, 0, 1, 0])
        mine = [x.clone().requires_grad_(True) for x in (image, A)]
        theirs = [x.clone().requires_grad_(True) for x in (image, A)]
        y = spn(*mine, 5, 6, border)
        at = F.affine_grid(theirs[1].reshape(-1, 2, 3), (4, 3, 5, 6), align_corners=True)
        z = F.grid_sample(theirs[0], at, padding_mode={"zero": "zeros", "clamp": "border"}[border], align_corners=True)
        dy = random(*y.shape, seed=3)
        for a, b in zip([y, *torch.autograd.grad((y * dy).sum(), mine)],
                        [z, *torch.autograd.grad((z * dy).sum(), theirs)]):
            self.assertLess(float((a - b).detach().abs().max()), 1e-12)

    def test_samplers_are_those_of_grid_sample(self):
        for border in ("zero", "clamp"):
            for scale in (0.1, 0.5, 2.0):
                self.sampled(border, scale)

    def test_clamp_has_no_gradient_on_the_border_itself(self):
        A = torch.tensor([[1.0, 0, 0, 0, 1, 0]], dtype=torch.float64, requires_grad=True)
        image = random(1, 1, 4, 4)
        y = spn(image, A, 2, 2, "clamp")      # the four corners
        self.assertTrue(torch.equal(y, image[:, :, ::3, ::3]))
        self.assertEqual(float(torch.autograd.grad(y.sum(), A)[0].abs().max()), 0)

    def test_identity_at_d_1_is_the_image(self):
        image = random(2, 2, 6, 5)
        A = torch.tensor([[1.0, 0, 0, 0, 1, 0]] * 2, dtype=torch.float64)
        for border in ("zero", "clamp"):
            self.assertLess(float((spn(image, A, 6, 5, border) - image).abs().max()), 1e-14)

    def test_legacy_sampler_by_the_authors_formula(self):
        image, A = random(1, 1, 6, 8, seed=4)[0, 0].numpy(), random(6, seed=5, scale=0.4).numpy() + [1, 0, 0, 0, 1, 0]
        y = spn(torch.tensor(image)[None, None], torch.tensor(A)[None], 5, 4, "legacy")[0, 0].numpy()
        zeros = 0
        for i in range(5):
            for j in range(4):
                gx, gy = -1 + 2 * j / 3, -1 + 2 * i / 4
                x, v = (A[0] * gx + A[1] * gy + A[2] + 1) / 2 * 8, (A[3] * gx + A[4] * gy + A[5] + 1) / 2 * 6
                if not (0 <= x < 7 and 0 <= v < 5):
                    want, zeros = 0.0, zeros + 1
                else:
                    a, b = int(x), int(v)
                    rows = (1 - (x - a)) * image[b:b + 2, a] + (x - a) * image[b:b + 2, a + 1]
                    want = (1 - (v - b)) * rows[0] + (v - b) * rows[1]
                self.assertAlmostEqual(y[i, j], want, places=13)
        self.assertTrue(0 < zeros < 20)

    def test_gradients_of_the_samplers_by_finite_differences(self):
        for border in ("zero", "clamp", "legacy"):
            image = random(2, 2, 5, 6, seed=6).requires_grad_(True)
            A = (random(2, 6, seed=7, scale=0.4) + torch.tensor([1, 0, 0, 0, 1, 0])).requires_grad_(True)
            self.assertTrue(torch.autograd.gradcheck(lambda i, a: spn(i, a, 4, 3, border), (image, A)), border)

    def test_gru_is_torchs(self):
        cell = torch.nn.GRUCell(5, 4, dtype=torch.float64)
        x, h = random(3, 5, seed=8), random(3, 4, seed=9)
        mine = gru(x, h, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
        self.assertLess(float((mine - cell(x, h)).detach().abs().max()), 1e-14)
        sequence = torch.nn.GRU(5, 4, batch_first=True, dtype=torch.float64)
        steps, state = [], torch.zeros(3, 4, dtype=torch.float64)
        torch.nn.init.zeros_(sequence.bias_hh_l0)
        xs = random(3, 6, 5, seed=10)
        for t in range(6):
            state = gru(xs[:, t], state, sequence.weight_ih_l0, sequence.weight_hh_l0, sequence.bias_ih_l0)
            steps.append(state)
        self.assertLess(float((torch.stack(steps, 1) - sequence(xs)[0]).detach().abs().max()), 1e-14)

    def test_ties_go_to_the_first_and_relu_is_flat_at_zero(self):
        x = torch.zeros(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
        g, = torch.autograd.grad(F.max_pool2d(x, 2).sum(), x)
        self.assertTrue(bool((g[:, :, ::2, ::2] == 1).all()) and float(g.sum()) == 2 * 3 * 16)
        self.assertEqual(float(torch.autograd.grad(torch.relu(x).sum(), x)[0].abs().max()), 0)


class Optimisers(Case):
    def run_both(self, settings, theirs, clip=None, decay="0"):
        model = {"params": {}, "train": {"optimiser": settings, "weight_decay": decay, **({"clip": clip} if clip else {})}}
        mine, weights = Optimiser(model), {"w": random(6, seed=1), "v": random(2, 3, seed=2)}
        other = {k: torch.nn.Parameter(w.clone()) for k, w in weights.items()}
        optimiser = theirs(list(other.values()))
        for step in range(20):
            grads = {k: random(*w.shape, seed=50 + step + i, scale=2.0) for i, (k, w) in enumerate(weights.items())}
            mine.step(weights, grads, step)
            for k, p in other.items():
                p.grad = grads[k].clone()
            if clip:
                torch.nn.utils.clip_grad_value_(other.values(), float(clip["element"]))
                torch.nn.utils.clip_grad_norm_(other.values(), float(clip["norm"]))
            optimiser.step()
        for k, w in weights.items():
            self.assertLess(float((w - other[k]).abs().max()), 1e-12)

    def test_sgd_adam_and_rmsprop_are_torchs(self):
        clip = {"element": "1", "norm": "2.5", "rule": "torch"}
        self.run_both({"sgd": {"rate": "0.01", "momentum": "0.9"}},
                      lambda p: torch.optim.SGD(p, 0.01, momentum=0.9), clip)
        self.run_both({"sgd": {"rate": "0.01", "momentum": "0.5"}},
                      lambda p: torch.optim.SGD(p, 0.01, momentum=0.5, weight_decay=0.1), decay="0.1")
        self.run_both({"adam": {"rate": "1e-2", "beta1": "0.8", "beta2": "0.99", "epsilon": "1e-6"}},
                      lambda p: torch.optim.Adam(p, 1e-2, betas=(0.8, 0.99), eps=1e-6), clip)
        self.run_both({"rmsprop": {"rate": "1e-2", "decay": "0.9", "epsilon": "1e-3", "epsilon_inside": "false"}},
                      lambda p: torch.optim.RMSprop(p, 1e-2, alpha=0.9, eps=1e-3))

    def test_the_second_editions_are_torchs(self):
        self.run_both({"sgd": {"rate": "0.01", "momentum": "0.9", "nesterov": "true"}}, lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True))
        self.run_both({"adam": {"amsgrad": "true"}}, lambda p: torch.optim.Adam(p, 1e-3, amsgrad=True))
        self.run_both({"adamw": {"rate": "1e-2"}}, lambda p: torch.optim.AdamW(p, 1e-2))
        self.run_both({"adamw": {"rate": "1e-2", "weight_decay": "0.3"}}, lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.3), {"element": "1", "norm": "2"})
        self.run_both({"adagrad": {}}, lambda p: torch.optim.Adagrad(p, 0.01), decay="0")
        self.run_both({"adagrad": {"rate": "0.1"}}, lambda p: torch.optim.Adagrad(p, 0.1, weight_decay=0.01), decay="0.01")
        base = {"rate": "1e-2", "decay": "0.9", "epsilon": "1e-3", "epsilon_inside": "false"}
        self.run_both({"rmsprop": {**base, "momentum": "0.8"}}, lambda p: torch.optim.RMSprop(p, 1e-2, 0.9, 1e-3, momentum=0.8))
        self.run_both({"rmsprop": {**base, "momentum": "0.8", "centred": "true"}}, lambda p: torch.optim.RMSprop(p, 1e-2, 0.9, 1e-3, momentum=0.8, centered=True))
        self.assertRaises(ValueError, Optimiser, {"params": {}, "train": {"optimiser": {"adamw": {}}, "weight_decay": "0.1"}})

    def test_schedules(self):
        def rates(schedule, epochs=6, updates=1, rate="2"):
            o = Optimiser({"params": {}, "train": {"optimiser": {"sgd": {"rate": rate}}, "epochs": str(epochs), "schedule": schedule}})
            found = []
            for epoch in range(epochs):
                for _ in range(updates):
                    found.append(o.rate(epoch, updates))
                    o.step({}, {}, epoch)
            return found
        self.assertEqual(rates({"step": {"divide": "2", "every": "2"}}), [2, 2, 1, 1, .5, .5])
        self.assertEqual(rates({"exponential": {"factor": "0.5"}}, 4), [2, 1, .5, .25])
        for final in (0, 0.1):
            want = [2 * (final + (1 - final) * (1 + math.cos(math.pi * e / 4)) / 2) for e in range(5)]
            self.close(rates({"cosine": {"final": str(final)}}, 5), want)
            self.assertAlmostEqual(want[-1], 2 * final)
        self.close(rates({"cosine": {}}, 3), [2.0, 1, 0])
        self.assertEqual(rates({"divide": "4", "first": "2", "every": "1", "warm_up": "1"}, 3, 4), [.5, 1, 1.5, 2, 2, 2, 2, 2, .5, .5, .5, .5])
        self.assertEqual(rates({"exponential": {"factor": "0.5", "warm_up": "2"}}, 3, 2), [.5, 1, .75, 1, .5, .5])

    TRAINED = """
        inputs: { x: { shape: [2, 6] } }
        targets: { y: { shape: [4] } }
        nets:
          n: [ { conv: { filters: 3, kernel: 2 } }, batch_norm, { dense: 4 } ]
        flow:
          - a: { n: x }
          - b: { n: x, new: true }
          - c: { dense: x, units: 4 }
          - p: { parameter: [4] }
          - s: a + b + c + p
        loss: { mse: [s, y] }
        train:
          optimiser: { OPTIMISER }
          weight_decay: DECAY
          no_decay: [bias, norms]
          average: 0.9
          nets: { n: { rate_times: 0.1, weight_decay: 0 }, n.conv1: { freeze: true }, b: { freeze: true }, c.bias: { rate_times: 3 } }
        """

    def test_groups_of_parameters(self):
        for text, decay, theirs in (("sgd: { rate: 0.1, momentum: 0.9 }", 0.2, lambda groups: torch.optim.SGD(groups, 0.1, momentum=0.9)),
                                    ("adamw: { rate: 0.01, weight_decay: 0.2 }", 0, lambda groups: torch.optim.AdamW(groups, 0.01))):
            net = built(self.TRAINED.replace("OPTIMISER", text).replace("DECAY", str(decay)))
            w = {**weighted(net), **{k: torch.full(s, 0.5, dtype=torch.float64) for k, s in net.buffers.items()}}
            frozen = [k for k in net.shapes if k.startswith(("b.", "n.conv1"))]
            self.assertEqual([k for k in net.shapes if k not in net.trained], frozen)
            start, inputs = {k: v.clone() for k, v in w.items()}, self.data(net)
            other = {k: torch.nn.Parameter(v.clone()) for k, v in w.items() if k in net.trained}
            times = lambda k: 0.1 if k.startswith("n.") else 3 if k == "c.bias" else 1
            rate = 0.1 if decay else 0.01
            optimiser = theirs([{"params": [p], "lr": rate * times(k), "weight_decay": 0 if k.endswith("bias") or k.startswith("n.") else 0.2}
                                for k, p in other.items()])
            model = torch.nn.ParameterList(other.values())
            averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
            mine = oracle.train(net, w, *inputs, 0)
            for epoch in range(5):
                _, _, grads = net.gradients(w, *inputs, train=True)
                self.assertEqual(list(grads), net.trained)
                w.update(net.updates)
                mine.step(w, grads, epoch)
                for k, p in other.items():
                    p.grad = grads[k].clone()
                optimiser.step()
                averaged.update_parameters(model)
            for k in frozen:
                self.assertTrue(torch.equal(w[k], start[k]))
            for (k, p), a in zip(other.items(), averaged.module):
                self.close(w[k], p)
                self.close(mine.averaged[k], a)
            for k in net.buffers:
                self.assertTrue(torch.equal(mine.averaged[k], w[k]))
                self.assertGreater(float((w[k] - start[k]).abs().max()), 0)

    def test_epsilon_inside_and_lasagnes_clip(self):
        model = {"params": {}, "train": {
            "optimiser": {"rmsprop": {"rate": "0.1", "decay": "0.9", "epsilon": "1e-6", "epsilon_inside": "true"}},
            "clip": {"norm": "5", "rule": "lasagne"}}}
        w, g = {"w": torch.zeros(2, dtype=torch.float64)}, torch.tensor([6.0, 8.0], dtype=torch.float64)
        Optimiser(model).step(w, {"w": g}, 0)
        clipped = g * 5 / (10 + 1e-7)
        self.assertTrue(torch.allclose(w["w"], -0.1 * clipped / torch.sqrt(0.1 * clipped ** 2 + 1e-6), rtol=1e-14))

    def test_the_schedule_of_the_authors(self):
        o = Optimiser(read_model(MODELS / "rnn_spn.yaml"))
        self.assertEqual([round(math.log(5e-4 / o.rate(e), 1.5)) for e in (0, 30, 31, 42, 43, 294, 295, 299)],
                         [0, 0, 1, 1, 2, 22, 23, 23])


class Nets(unittest.TestCase):
    def test_sizes_are_the_published_ones(self):
        for name, totals in TABLE.items():
            for d, total in enumerate(totals, 1):
                sets = [f"d={d}"] + (["dense=400", "start=trained"] if name == "rnn_spn" else [])
                shapes = Net(read_model(MODELS / f"{name}.yaml", sets)).shapes
                self.assertEqual(sum(math.prod(s) for s in shapes.values()), total, (name, d))

    def test_all_models_run_forward_and_backward(self):
        for name, sets in NINE + [("mnist", []), ("autoencoder", []), ("two_glimpse", [])]:
            net, weights, inputs, targets = small(MODELS / f"{name}.yaml", sets)
            loss, values, grads = net.gradients(weights, inputs, targets)
            self.assertTrue(math.isfinite(float(loss)) and all(bool(v.isfinite().all()) for v in values.values()), name)
            for key, g in grads.items():
                self.assertGreater(float(g.abs().max()), 0, f"{name}: {key}")

    def test_initial_loss_is_that_of_a_guess(self):
        net, weights, inputs, targets = small(MODELS / "rnn_spn.yaml")
        flat = {k: torch.zeros_like(w) for k, w in weights.items()}
        loss, values, _ = net.gradients(flat, inputs, targets)
        self.assertAlmostEqual(float(loss), -math.log(0.1 + 1e-5), places=12)
        self.assertEqual({k: tuple(v.shape) for k, v in values.items()},
                         {"c": (3, 20, 9, 9), "h": (3, 3, 256), "A": (3, 3, 6), "crop": (3, 3, 1, 33, 33), "digit": (3, 3, 10)})

    def test_rnn_spn_against_a_hand_written_torch_module(self):
        net, w, inputs, targets = small(MODELS / "rnn_spn.yaml", ["start=trained"])
        w = {k: v.requires_grad_(True) for k, v in w.items()}

        def convs(net_name, x, pools_first):
            for i in (1, 2, 3):
                conv = lambda y: torch.relu(F.conv2d(y, w[f"{net_name}.conv{i}.weight"], w[f"{net_name}.conv{i}.bias"]))
                x = conv(F.max_pool2d(x, 2)) if pools_first else conv(x)
                x = F.max_pool2d(x, 2) if not pools_first and i < 3 else x
            return x.flatten(1)

        image = inputs["image"]
        c = convs("front", image, True)
        cell = torch.nn.GRUCell(1620, 256, dtype=torch.float64)
        settings = {"weight_ih": w["h.weight_ih"], "weight_hh": w["h.weight_hh"], "bias_ih": w["h.bias_ih"],
                    "bias_hh": torch.zeros(768, dtype=torch.float64)}
        h, logits = w["h.init"].expand(3, 256), []
        for _ in range(3):
            h = torch.func.functional_call(cell, settings, (c, h))
            A = F.linear(h, w["A.weight"], w["A.bias"])
            at = F.affine_grid(A.reshape(-1, 2, 3), (3, 1, 33, 33), align_corners=True)
            x = convs("classify", F.grid_sample(image, at, align_corners=True), False)
            x = torch.relu(F.linear(x, w["classify.dense1.weight"], w["classify.dense1.bias"]))
            logits.append(F.linear(x, w["classify.dense2.weight"], w["classify.dense2.bias"]))
        p = torch.softmax(torch.stack(logits, 1), -1).gather(2, targets["digits"][..., None]) + 1e-5
        loss = -torch.log(p).mean()
        want = dict(zip(w, torch.autograd.grad(loss, list(w.values()))))
        mine, _, grads = net.gradients(w, inputs, targets)
        self.assertAlmostEqual(float(mine), float(loss), places=12)
        for key, g in want.items():
            self.assertLess(float((g - grads[key]).abs().max()), 1e-11 * float(g.abs().max()) + 1e-16, key)

    def test_gradients_of_the_small_nets_by_finite_differences(self):
        cases = [("options", []), ("recurrent", []), ("recurrent", ["start=zeros"]), ("shared", [])]
        for name, sets in cases + [("samplers", [f"border={b}"]) for b in ("zero", "clamp", "legacy")]:
            net, weights, inputs, targets = small(HERE / f"nets/{name}.yaml", sets)
            _, _, grads = net.gradients(weights, inputs, targets)
            for key in weights:
                direction = torch.as_tensor(formula.signs(key, 0, weights[key].numel())).reshape(weights[key].shape)
                loss = lambda s: float(net.forward({**weights, key: weights[key] + s * direction}, inputs, targets)[0])
                slope = (loss(1e-7) - loss(-1e-7)) / 2e-7
                self.assertAlmostEqual(slope, float((grads[key] * direction).sum()), delta=1e-7, msg=f"{name} {sets} {key}")


class Written(Case):
    """Models of this folder, written by hand in torch."""

    def by_hand(self, name, theirs, train=False):
        net, weights, inputs, targets = small(HERE / f"nets/{name}.yaml", count=5)
        leaves = {k: v.clone().requires_grad_(k in net.shapes) for k, v in weights.items()}
        want = theirs(leaves, {**inputs, **targets}, lambda path, x: F.linear(x.flatten(1), leaves[path + ".weight"], leaves.get(path + ".bias")))
        loss, _, grads = net.gradients(weights, inputs, targets, train)
        self.close(loss, want.detach())
        for key, g in zip(grads, torch.autograd.grad(want, [leaves[k] for k in grads])):
            self.close(grads[key], g)

    def test_a_variational_auto_encoder(self):
        def theirs(w, d, dense):
            e = torch.tanh(dense("encode.dense1", d["x"]))
            code = torch.distributions.Normal(dense("mu", e), torch.exp(0.5 * dense("s", e)))
            back = dense("decode.dense2", F.softplus(dense("decode.dense1", code.mean)))
            kl = torch.distributions.kl_divergence(code, torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1))
            return F.binary_cross_entropy_with_logits(back, d["pixels"]) + 0.3 * kl.mean()
        self.by_hand("vae", theirs)

    def test_a_contrastive_loss(self):
        def theirs(w, d, dense):
            tower = lambda x: dense("tower.dense1", F.avg_pool2d(F.relu(F.conv2d(x, w["tower.conv1.weight"], w["tower.conv1.bias"])), 2))
            d2 = ((tower(d["left"]) - tower(d["right"])) ** 2).sum(1)
            return torch.where(d["same"] == 1, d2, F.relu(1.5 - torch.sqrt(d2 + 1e-6)) ** 2).mean()
        self.by_hand("siamese", theirs)

    def test_a_residual_net_with_batch_norm(self):
        for train in (False, True):
            def theirs(w, d, dense):
                norm = lambda p, x, **settings: F.batch_norm(x, w[p + ".running_mean"].clone(), w[p + ".running_var"].clone(), w.get(p + ".weight"), w.get(p + ".bias"), train)
                def block(p, x, stride=1):
                    y = norm(p + ".d", F.conv2d(F.relu(norm(p + ".b", F.conv2d(x, w[p + ".a.weight"], None, stride, 1))), w[p + ".c.weight"], None, 1, 1))
                    return F.relu(y + (F.conv2d(x, w[p + ".s.weight"], None, stride) if stride > 1 else x))
                x = F.relu(norm("start", F.conv2d(d["image"], w["start.conv1.weight"], None, 1, 1)))
                x = block("x3", block("x2", block("x1", x), 2))
                return F.cross_entropy(dense("scores", norm("flat", x.mean((2, 3)))), d["label"])
            self.by_hand("resnet_bn", theirs, train)

    def test_draws_glimpse(self):
        def theirs(w, d, dense):
            def bank(centre, apart, wide, size):
                at = centre[:, None] + (torch.arange(4) - 1.5) * apart[:, None]
                k = torch.exp(-(torch.arange(size) - at[..., None]) ** 2 / wide[:, None, None])
                return k / k.sum(2, keepdim=True)
            cell = lambda x, h: torch.func.functional_call(torch.nn.GRUCell(16, 5, dtype=torch.float64), {
                "weight_ih": w["h.weight_ih"], "weight_hh": w["h.weight_hh"], "bias_ih": w["h.bias_ih"], "bias_hh": torch.zeros(15, dtype=torch.float64)}, (x, h))
            h = w["h.init"].expand(5, 5)
            for _ in range(3):
                p = dense("p", h)
                apart, wide = torch.exp(0.3 * p[:, 2]), 2 * torch.exp(p[:, 3])
                fy, fx = bank(4 + 2 * p[:, 0], apart, wide, 8), bank(3.5 + 2 * p[:, 1], apart, wide, 7)
                h = cell(torch.einsum("nai,nij,nbj->nab", fy, d["image"][:, 0], fx).flatten(1), h)
            return F.cross_entropy(dense("scores", h), d["label"])
        self.by_hand("glimpse", theirs)

    def test_attention(self):
        def theirs(w, d, dense):
            line = lambda p, x: F.linear(x, w[p + ".weight"], w.get(p + ".bias"))
            q, k, v = (line(p, d["x"]) for p in "qkv")
            causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            whole = F.scaled_dot_product_attention(q, k, v)
            return F.cross_entropy(line("logits", causal).mT, d["each"]) + 0.5 * F.cross_entropy(line("more", whole).mT, d["each"])
        self.by_hand("attention", theirs)

    def test_a_fixed_point_and_a_value_without_gradient(self):
        def theirs(w, d, dense):
            drive = dense("drive", d["x"])
            z, seen = torch.tanh(drive), []
            for t in range(6):
                share = 0.9 ** (t + 1)
                z = (1 - share) * z + share * torch.tanh(dense("f", z) + drive)
                seen.append(z)
            pull = (z - seen[0].detach()) ** 2 + seen[1].detach().abs()
            return F.mse_loss(dense("p", z), d["y"]) + 0.1 * F.mse_loss(seen[5], seen[4]) + 0.2 * pull.mean()
        self.by_hand("fixed_point", theirs)

    def test_a_reader_and_a_writer(self):
        def theirs(w, d, dense):
            def cell(name, n):
                given = {**{k: w[f"{name}.{k}"] for k in ("weight_ih", "weight_hh", "bias_ih")}, "bias_hh": torch.zeros(16, dtype=torch.float64)}
                return lambda x, s: torch.func.functional_call(torch.nn.LSTMCell(n, 4, dtype=torch.float64), given, (x, s))
            table, zero, said = w["table.weight"], torch.zeros(5, 4, dtype=torch.float64), []
            s = (zero, zero)
            for t in range(4):
                s = cell("h", 3)(table[d["words"][:, t]], s)
            s = s[0], torch.tanh(s[1])
            for t in range(3):
                before = d["before"][:, t]
                s = cell("w", 9)(torch.cat([table[before], F.one_hot(before, 6)], 1), s)
                said.append(dense("logits", s[0]))
            return F.cross_entropy(torch.stack(said, 2), d["answer"])
        self.by_hand("seq2seq", theirs)

    def test_a_label_for_each_pixel(self):
        def theirs(w, d, dense):
            def twice(p, x):
                x = F.group_norm(F.conv2d(x, w[p + ".conv1.weight"], None, 1, 1), 2, w[p + ".group_norm1.weight"], w[p + ".group_norm1.bias"])
                return F.relu(F.conv2d(F.relu(x), w[p + ".conv2.weight"], w[p + ".conv2.bias"], 1, 1))
            d1 = twice("d1", d["image"])
            d2 = twice("d2", F.max_pool2d(d1, 2))
            d3 = twice("d3", F.avg_pool2d(d2, 2))
            e2 = twice("e2", torch.cat([F.conv_transpose2d(d3, w["u2.weight"], w["u2.bias"], 2, 1, 1), d2], 1))
            e1 = twice("e1", torch.cat([F.interpolate(e2, scale_factor=2, mode="bilinear", align_corners=False), d1], 1))
            both = torch.cat([e1, F.interpolate(d3, scale_factor=4)], 1)
            return F.cross_entropy(F.conv2d(both, w["logits.weight"], w["logits.bias"]), d["mask"], torch.tensor([1, 2, 0.5], dtype=torch.float64))
        self.by_hand("unet", theirs)


FAKE = """\
    #!{python}
    # A program that answers with the oracle's own numbers, in FAKE_TYPE; FAKE_FAULT spoils one gradient or its name.
    import os, sys
    sys.path.insert(0, {here!r})
    import numpy as np
    from oracle import *
    o = dict(zip(sys.argv[2::2], sys.argv[3::2])) if "--last" not in sys.argv else {{"--run": sys.argv[3], "-o": sys.argv[-1]}}
    net, real = Net(read_model({model!r}, {sets!r})), os.environ.get("FAKE_TYPE", "f8")
    start = lambda: jitter({{k: formula.weight(k, p["shape"], p["centre"], p["scale"]).astype("f8")
                            for k, p in formula_settings(net).items()}}, 5)
    if sys.argv[1] == "grad":
        inputs, targets = read_batch(net, o["--data"], o["--split"], int(o["--first"]), net.model["batch"])
        answer = reference(net, load(o["--weights"]), inputs, targets, o["--mode"] == "train")
        if "FAKE_FAULT" in os.environ:
            key = list(answer)[-1]
            spoilt = answer.pop(key) * (1 + 1e-6)
            answer[key if os.environ["FAKE_FAULT"] == "value" else "grad/other"] = spoilt
        np.savez(o["-o"], **{{k: v.astype(real) for k, v in answer.items()}})
    elif sys.argv[1] == "train":
        w, count = tensors(start()), split_size(net, net.model["batch"])
        inputs, targets = read_batch(net, o["--data"], "train", 0, count)
        order = torch.randperm(count)
        shuffled = lambda d: {{k: v[order] for k, v in d.items()}}
        done = train(net, w, shuffled(inputs), shuffled(targets), int(o["--epochs"]))
        os.makedirs(o["--run"])
        np.savez(o["--run"] + "/a.npz", **{{k: v.numpy() for k, v in (done.averaged or {{}}).items()}})
        np.savez(o["--run"] + "/w.npz", **{{k: v.numpy() for k, v in w.items()}})
    else:
        np.savez(o["-o"], **(load(o["--run"] + ("/a.npz" if "--average" in sys.argv else "/w.npz")) if "--run" in o else start()))
"""


class Comparing(unittest.TestCase):
    """What is a difference, and what rounding."""

    def told(self, have, answer):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            failures = oracle.compare_arrays(answer(), have, 1e-9, doubt=lambda: oracle.doubts(answer))
        return failures, out.getvalue()

    def test_a_sum_that_cancels_is_rounding_alone(self):
        x = random(20, 3, seed=1)
        answer = lambda: {"zero": (x - x.mean(0)).sum(0).numpy(), "sum": (3 * x).sum(0).numpy()}
        exact = answer()
        for have, count, words in (({**exact, "zero": 0 * exact["zero"]}, 0, "rounding"), ({**exact, "zero": exact["zero"] + 1e-12}, 1, "FAILED"),
                                   ({**exact, "sum": exact["sum"] * (1 + 1e-8)}, 1, "FAILED"), ({**exact, "zero": np.array([0, 0, np.nan])}, 1, "FAILED")):
            failures, told = self.told(have, answer)
            self.assertEqual(failures, count, told)
            self.assertIn(words, told)

    def test_gradients_round_too(self):
        x, c = random(20, 3, seed=4), random(20, 3, seed=5)

        def answer():                       # of a mean that is taken off, as before a batch norm: 0
            w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
            return {"bias": torch.autograd.grad((((x + w) - (x + w).mean(0)) * 300 * c).sum(), w)[0].numpy()}

        worst = max(oracle.doubts(answer)["bias"], 0)
        self.assertTrue(1e-14 < worst < 1e-11, worst)

    def test_an_operand_on_an_edge_may_fall_to_either_side(self):
        x = random(20, seed=2)
        answer = lambda: {"step": (torch.floor(x - x * 0.3 - x * 0.7) + 0 * x).numpy(), "sure": torch.floor(x).numpy()}
        self.assertEqual(self.told({**answer(), "step": -np.ones(20)}, answer)[0], 0)
        self.assertEqual(self.told({**answer(), "sure": answer()["sure"] + 1}, answer)[0], 1)

    def test_other_roundings_leave_zeros_ties_and_whole_numbers(self):
        with oracle.Rounded(1):
            x = torch.relu(random(50, seed=3))
            y = x * 1
            self.assertTrue(torch.equal(x == 0, y == 0) and not torch.equal(x, y))
            self.assertLess(float(((y - x).abs() / x.clamp(1e-9)).max()), 2.0 ** -51)
            self.assertEqual((torch.arange(4) + 1).tolist(), [1, 2, 3, 4])


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def program(self, model):
        path = self.path / model.stem
        path.write_text(textwrap.dedent(FAKE.format(python=sys.executable, here=str(HERE), model=str(model), sets=[])))
        path.chmod(0o755)
        return path

    def call(self, script, *arguments, **environment):
        done = subprocess.run([sys.executable, HERE / script, *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, **environment})
        self.assertNotIn("Traceback", done.stderr, done.stderr)
        return done.returncode

    def test_compare_accepts_the_truth_and_nothing_else(self):
        model = HERE / "nets/samplers.yaml"
        program, data = self.program(model), self.path / "data"
        self.assertEqual(self.call("make_data.py", model, "-o", data, "--test", 23), 0)
        for first in (0, 20):
            self.assertEqual(self.call("oracle.py", "compare", model, "--program", program, "--data", data,
                                       "--first", first), 0)
        for fault in ("value", "key"):
            self.assertEqual(self.call("oracle.py", "compare", model, "--program", program, "--data", data,
                                       FAKE_FAULT=fault), 1)

    def test_steps_do_not_depend_on_the_order_of_the_batch(self):
        for name in ("nets/options", "nets/recurrent", "nets/samplers", "nets/shared", "nets/parts", "nets/resnet_bn"):
            model = HERE / f"{name}.yaml"
            self.assertEqual(self.call("oracle.py", "steps", model, "--program", self.program(model)), 0, name)

    def test_expectations_hold_for_the_truth_and_nothing_else(self):
        model = HERE / "nets/recurrent.yaml"
        program, file = self.program(model), self.path / "e.json"
        self.assertEqual(self.call("oracle.py", "expect", model, "-o", file), 0)
        self.assertEqual(json.loads(file.read_text())["model"], "recurrent")
        check = ("check_expectations.py", "--program", program, file)
        self.assertEqual(self.call(*check), 0)
        norms = HERE / "nets/norms.yaml", HERE / "expectations/norms_train.json"
        self.assertEqual(self.call("check_expectations.py", "--program", self.program(norms[0]), norms[1]), 0)
        self.assertEqual(self.call(*check, FAKE_TYPE="f4"), 0)
        for fault in ("value", "key"):
            self.assertEqual(self.call(*check, FAKE_FAULT=fault), 1)


if __name__ == "__main__":
    unittest.main()
