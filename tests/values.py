#!/usr/bin/env python3
"""Operators on values (whole numbers, products of matrices, tables, coordinates, draws) against references in numpy.

    values.py SPNC FOLDER     builds one net with every case below in FOLDER, in several forms; exit code 1 if something differs

A case is a name, an entry of the flow, and a function that says what it should have computed, from a map of all that the net holds: data, values and parameters
by name, arrays [N][...].  Values lead to the loss, so that NAME check holds their gradients against central differences.  Held here: values in double, plain and
fast, within 1e-12 of the reference; plain and fast gradients within 1e-10 of each other; in float the same bytes for every target that this processor has, and for
any number of threads; a batch that ends in the middle of a group.
"""
import pathlib
import statistics
import sys

import numpy as np

from described import BATCH, EXAMPLES, run, targets

INPUTS = "{ x: { shape: [5] }, tokens: { shape: [2, 3], dtype: i32, classes: 5 } }"
TARGETS = "{ y: { classes: 3 }, places: { length: 2, classes: 4 } }"
SHAPES = {"x": ((5,), 0), "tokens": ((2, 3), 5), "y": ((), 3), "places": ((2,), 4)}           # the same: shape, classes


def one_hot(x, classes, axis):
    return np.moveaxis((np.asarray(x)[..., None] == np.arange(classes)).astype(float), -1, axis)


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    z = (z ^ z >> 27) * 0x94d049bb133111eb % 2**64
    return z ^ z >> 31


def drawn(kind, shape, place, amount=1, step=0):
    """What use number `place` of `random` draws at seed 0, step 0, as runtime/rng.h and draw.h say it."""
    def number(n, i):
        key = mix(0x9e3779b97f4a7c15)
        for part in (0, place, step, n // 16):
            key = mix(((key ^ part) + 0x9e3779b97f4a7c15) % 2**64)
        bits = mix(key ^ mix((i * 16 + n % 16 + 0x9e3779b97f4a7c15) % 2**64))
        return (bits >> 11) * 2.0**-53 if kind == "uniform" else statistics.NormalDist().inv_cdf(((bits >> 12) + 0.5) * 2.0**-52)

    return lambda v: amount * np.array([[number(n, i) for i in range(int(np.prod(shape)))] for n in range(len(v["x"]))]).reshape(len(v["x"]), *shape)


def grid(rows, columns):
    return lambda v: np.broadcast_to(np.stack(np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")), (len(v["x"]), 2, rows, columns))


# A repeat in front of them: draws of each step, which run ahead of its state.
STEPS = ["  - repeat: 3", "    carry: { s_: { shape: [2] } }", "    do:", "      - noise_: { random: uniform, shape: [2], amount: 2, eval: draw }", "      - s_: 0.5 * s_ + noise_"]
# (name, entry, reference); what has a name here is read by the entry "all", unless the name ends in _
CASES = [
    ("kept_", "{ slice: tokens, axis: 1, index: 2 }", lambda v: v["tokens"][:, :, 2]),
    ("row_", "tokens[1]", lambda v: v["tokens"][:, 1]),
    ("again_", "{ reshape: tokens, shape: [6] }", lambda v: v["tokens"].reshape(-1, 6)),
    ("back_", "{ flip: row_ }", lambda v: v["tokens"][:, 1, ::-1]),
    ("joined_", "{ concat: [row_, again_] }", lambda v: np.concatenate([v["tokens"][:, 1], v["tokens"].reshape(-1, 6)], 1)),
    ("pair_", "{ stack: [row_, back_], axis: 1 }", lambda v: np.stack([v["row_"], v["back_"]], 2)),
    ("turned_", "{ transpose: tokens, axes: [1, 0] }", lambda v: v["tokens"].transpose(0, 2, 1)),
    ("hot", "{ one_hot: tokens }", lambda v: one_hot(v["tokens"], 5, 1)),
    ("hot_of", "{ one_hot: pair_ }", lambda v: one_hot(v["pair_"], 5, 1)),
    ("hot_one", "{ one_hot: \"row_[2]\" }", lambda v: one_hot(v["row_"][:, 2], 5, 1)),
    ("a_", "{ reshape: { dense: x, units: 60 }, shape: [3, 4, 5] }", None),
    ("b_", "{ reshape: { dense: x, units: 40 }, shape: [2, 1, 4, 5] }", None),
    ("v_", "{ dense: x, units: 5, act: tanh }", None),
    ("w_", "{ parameter: [5, 18], init: { normal: 0.5 } }", lambda v: np.broadcast_to(v["w_.weight"], (len(v["x"]), 5, 18))),
    ("w3_", "{ parameter: [3, 5, 2], init: { normal: 0.5 } }", None),
    ("product", "{ matmul: [a_, \"b_[1]\"], transpose_b: true }", lambda v: v["a_"] @ v["b_"][:, 1].swapaxes(2, 3)),
    ("stretched", "{ matmul: [a_, b_], transpose_a: true }", lambda v: v["a_"].swapaxes(2, 3)[:, None] @ v["b_"]),
    ("left", "{ matmul: [\"v_\", a_], transpose_b: true }", lambda v: (v["v_"][:, None, None] @ v["a_"].swapaxes(2, 3))[:, :, 0]),
    ("right", "{ matmul: [a_, v_] }", lambda v: (v["a_"] @ v["v_"][:, None, :, None])[..., 0]),
    ("square", "{ matmul: [v_, v_] }", lambda v: (v["v_"] ** 2).sum(1)),
    ("by", "{ matmul: [a_, w_] }", lambda v: v["a_"] @ v["w_.weight"]),
    ("by3", "{ matmul: [a_, w3_] }", lambda v: v["a_"] @ v["w3_.weight"]),
    ("turned", "{ matmul: [w_, v_], transpose_a: true }", lambda v: v["v_"] @ v["w_.weight"]),
    ("on_left", "{ matmul: [w_, a_], transpose_a: true, transpose_b: true }", lambda v: v["w_.weight"].T @ v["a_"].swapaxes(2, 3)),
    ("each", "{ dense: a_, units: 17, over: last, act: tanh }", lambda v: np.tanh(v["a_"] @ v["each.weight"].T + v["each.bias"])),
    ("one_row", "{ dense: { reshape: x, shape: [1, 5] }, units: 4, over: last }", lambda v: (v["x"] @ v["one_row.weight"].T + v["one_row.bias"])[:, None]),
    ("e", "{ embedding: tokens, units: 5 }", lambda v: v["e.weight"][v["tokens"]]),
    ("e_one", "{ embedding: [\"row_[2]\", e.weight] }", lambda v: v["e.weight"][v["row_"][:, 2].astype(int)]),
    ("tied", "{ matmul: [e, e.weight], transpose_b: true }", lambda v: v["e.weight"][v["tokens"]] @ v["e.weight"].T),
    ("biased", "{ matmul: [\"0.1 * each\", each.weight] }", lambda v: 0.1 * v["each"] @ v["each.weight"]),
    ("scaled", "e_one * e.weight", lambda v: v["e_one"][:, None] * v["e.weight"]),
    ("chosen_", "{ one_hot: y }", lambda v: one_hot(v["y"], 3, 1)),
    ("chosen_last_", "{ one_hot: places }", lambda v: one_hot(v["places"], 4, 2)),
    ("numbers", "{ real: joined_ }", lambda v: v["joined_"]),
    ("label_", "{ real: y }", lambda v: v["y"]),
    ("at_", "{ coordinates: a_ }", grid(4, 5)),
    ("at_line_", "{ coordinates: w_ }", lambda v: grid(1, 18)(v)[:, 1]),
    ("at_one_", "{ coordinates: { reshape: v_, shape: [5, 1] } }", lambda v: np.zeros((len(v["x"]), 1, 1))),
    ("none_", "{ random: normal, shape: [3, 2] }", lambda v: np.zeros((len(v["x"]), 3, 2))),
    ("normal_", "{ random: normal, shape: [3, 2], amount: 0.5, eval: draw }", drawn("normal", (3, 2), 2, 0.5)),
    ("even_", "{ random: uniform, shape: [], amount: 3, eval: draw }", drawn("uniform", (), 3, 3)),
    ("noise", "{ formula: noise_ }", lambda v: np.stack([drawn("uniform", (2,), 0, 2, t)(v) for t in range(3)], 1)),
    ("s", "{ last: s_ }", lambda v: 0.25 * v["noise"][:, 0] + 0.5 * v["noise"][:, 1] + v["noise"][:, 2]),
]


def model():
    read = [name for name, *_ in CASES if not name.endswith("_")]
    lines = ["model: values", f"batch: {BATCH}", f"inputs: {INPUTS}", f"targets: {TARGETS}", "flow:", *STEPS]
    lines += [f"  - {name}: {entry}" for name, entry, _ in CASES]
    lines += [f"  - out{k}: {{ dense: {name}, units: 3, bias: false }}" for k, name in enumerate(read)]
    lines += ["  - all: " + " + ".join(f"out{k}" for k in range(len(read))),
              "  - more: (0.1 + chosen_ + 0.1 * label_) * all ** 2",
              "loss: [{ cross_entropy: [all, y] }, { mean: more }]"]
    return "\n".join(lines) + "\n"


def main():
    spnc, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = []
    (folder / "m.yaml").write_text(model())
    r = np.random.default_rng(6)
    data = {}
    for name, (shape, classes) in SHAPES.items():
        size = (EXAMPLES, *shape)
        data[name] = r.integers(0, classes, size).astype("i4") if classes else r.normal(size=size).astype("f4")
        for split in ("train", "valid", "test"):
            np.save(folder / f"{split}_{name}.npy", data[name])

    def grad(program, first, threads, mode="eval"):
        to = folder / f"{program.parent.name}_{first}_{threads}_{mode}.npz"
        run(program, "grad", "--weights", folder / "W.npz", "--data", folder, "--split", "test", "--first", first, "--threads", threads, "--mode", mode, "-o", to)
        return np.load(to)

    def answers(name, *options):
        run(spnc, "build", folder / "m.yaml", "-o", folder / name, *options)
        program = folder / name / "values"
        if not (folder / "W.npz").exists():
            run(program, "export", "--seed", 1, "-o", folder / "W.npz")
        got = [grad(program, first, 1) for first in (0, BATCH)]
        for a, b in zip(got, [grad(program, first, 3) for first in (0, BATCH)]):
            failed.extend(f"{name}, {key}: three threads give other bits than one" for key in a.files if a[key].tobytes() != b[key].tobytes())
        return program, got

    double = {}
    for form, options in ("fast", ["--precision", "double"]), ("plain", ["--precision", "double", "--plain"]):
        program, double[form] = answers(form, *options)
        run(program, "check", "--data", folder)
        trained = grad(program, 0, 1, "train")
        if not np.allclose(trained["out/none_"], drawn("normal", (3, 2), 1)(data | {"x": data["x"][:BATCH]}), rtol=1e-12, atol=0):
            failed.append(f"{form}: what is drawn in training")
        weights = np.load(folder / "W.npz")
        for got, first in zip(double[form], (0, BATCH)):
            held = {**{key: weights[key] for key in weights.files}, **{key[4:]: got[key] for key in got.files if key.startswith("out/")},
                    **{name: array[first:first + BATCH] for name, array in data.items()}}
            for name, entry, reference in CASES:
                if not reference:       # an operand
                    continue
                want, have = np.asarray(reference(held), float), held[name]
                if want.shape != have.shape or not np.abs(want - have).max() <= 1e-12 * max(1, np.abs(want).max()):
                    failed.append(f"{form}: {name}: {entry}: {have.shape}, off by {np.abs(want - have).max() if want.shape == have.shape else f'its shape, not {want.shape}'}")
    for a, b in zip(double["fast"], double["plain"]):
        failed.extend(f"{key}: plain and fast differ" for key in a.files if not np.allclose(a[key], b[key], rtol=1e-10, atol=1e-12))
    bits = {t: answers(t, "--target", t)[1] for t in targets()}
    for target, got in bits.items():
        for a, b in zip(bits["generic"], got):
            failed.extend(f"{key}: generic and {target} differ" for key in a.files if a[key].tobytes() != b[key].tobytes())
    print("\n".join(failed) or f"values: {len(CASES)} cases, targets {', '.join(bits)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
