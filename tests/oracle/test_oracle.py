#!/usr/bin/env python3
"""The oracle against others: torch's own layers and optimisers, finite differences, published sizes.  Needs PyTorch.

Run as `python3 tests/oracle/test_oracle.py`; uses unittest only.
"""
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
import formula
import make_data
from language import data_shapes, read_model, value
from net import Net, Optimiser, grid, gru, spn
from oracle import batch, formula_settings, jitter, tensors

MODELS = HERE.parent.parent / "models"
NINE = ([("rnn_spn", [f"d={d}"]) for d in (1, 2, 3, 4)] + [("ffn_spn", [f"d={d}"]) for d in (1, 2, 3, 4)]
        + [("conv", [])])
TABLE = {"rnn_spn": (7118800, 2510800, 1678800, 1525200), "ffn_spn": (17446716, 3622716, 1126716, 665916)}


def random(*shape, seed=0, scale=1.0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64) * scale


def small(path, sets=(), count=3):
    """A net, formula-made weights, and a batch of `count` examples."""
    net = Net(read_model(path, sets))
    weights = tensors({k: formula.weight(k, p["shape"], p["centre"], p["scale"])
                       for k, p in formula_settings(net).items()})
    arrays = {n: formula.examples(n, kind, shape, classes, count) for n, kind, shape, classes in data_shapes(net.model)}
    return net, weights, *batch(net, arrays)


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


class Optimisers(unittest.TestCase):
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
        answer = reference(net, load(o["--weights"]), inputs, targets)
        if "FAKE_FAULT" in os.environ:
            key = list(answer)[-1]
            spoilt = answer.pop(key) * (1 + 1e-6)
            answer[key if os.environ["FAKE_FAULT"] == "value" else "grad/other"] = spoilt
        np.savez(o["-o"], **{{k: v.astype(real) for k, v in answer.items()}})
    elif sys.argv[1] == "train":
        w, count = tensors(start()), net.model["batch"]
        inputs, targets = read_batch(net, o["--data"], "train", 0, count)
        order = torch.randperm(count)
        shuffled = lambda d: {{k: v[order] for k, v in d.items()}}
        train(net, w, shuffled(inputs), shuffled(targets), int(o["--epochs"]))
        os.makedirs(o["--run"])
        np.savez(o["--run"] + "/w.npz", **{{k: v.numpy() for k, v in w.items()}})
    else:
        np.savez(o["-o"], **(load(o["--run"] + "/w.npz") if "--run" in o else start()))
"""


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
        for name in ("options", "recurrent", "samplers", "shared"):
            model = HERE / f"nets/{name}.yaml"
            self.assertEqual(self.call("oracle.py", "steps", model, "--program", self.program(model)), 0, name)

    def test_expectations_hold_for_the_truth_and_nothing_else(self):
        model = HERE / "nets/recurrent.yaml"
        program, file = self.program(model), self.path / "e.json"
        self.assertEqual(self.call("oracle.py", "expect", model, "-o", file), 0)
        self.assertEqual(json.loads(file.read_text())["model"], "recurrent")
        check = ("check_expectations.py", "--program", program, file)
        self.assertEqual(self.call(*check), 0)
        self.assertEqual(self.call(*check, FAKE_TYPE="f4"), 0)
        for fault in ("value", "key"):
            self.assertEqual(self.call(*check, FAKE_FAULT=fault), 1)


if __name__ == "__main__":
    unittest.main()
