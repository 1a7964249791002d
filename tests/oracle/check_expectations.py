#!/usr/bin/env python3
"""Holds generated programs against expectations that `oracle.py expect` wrote.  Needs numpy only.

    check_expectations.py --spnc build/spnc [--plain] [--precision float] FILE.json...   builds each model and checks it
    check_expectations.py --program PATH FILE.json                                       checks a program that is there

Weights and data are made by formula.py, so a file holds nothing but the answers.  Programs are built in double.
Tolerances are relative, norms and projections to the array's norm, samples to its largest element: 1e-9 in double, 2e-2 in
float, where a rounding may tip a pool or move a sample over a pixel's edge.
Exit codes: 0 all agree, 1 something differs, is missing or is too much.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import formula

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEFAULT_TOLERANCE = {8: 1e-9, 4: 2e-2}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stderr}")


def answer(program, expected, folder):
    """What the program's grad says about the formula's weights and examples: key -> array."""
    weights = {k: formula.weight(k, p["shape"], p["centre"], p["scale"]) for k, p in expected["params"].items()}
    np.savez(folder / "W.npz", **weights)
    for name, d in expected["data"].items():
        array = formula.examples(name, d["kind"], d["shape"], d["classes"], expected["examples"])
        np.save(folder / f"test_{name}.npy", array)
    run(program, "grad", "--weights", folder / "W.npz", "--data", folder, "--split", "test",
        "--first", expected["first"], "--mode", expected.get("mode", "eval"), "-o", folder / "G.npz")
    with np.load(folder / "G.npz") as file:
        return {key: file[key] for key in file.files}


def difference(key, array, want):
    """The largest relative difference of one array from its summary; infinite when it has another shape."""
    if list(array.shape) != want["shape"] or not np.isfinite(array).all():
        return float("inf")
    have = formula.summary(key, array)
    norm, largest = max(want["norm"], 1e-30), max(want["max"], 1e-30)
    return max([abs(have["norm"] - want["norm"]) / norm]
               + [abs(h - w) / norm for h, w in zip(have["projections"], want["projections"])]
               + [abs(h[1] - w[1]) / largest for h, w in zip(have["samples"], want["samples"])])


def build(spnc, expected, folder, options):
    """The program of an expectation's model, built in `folder`."""
    sets = [word for text in expected["set"] for word in ("--set", text)]
    run(spnc, "build", ROOT / expected["file"], *sets, *options, "-o", folder / "net")
    return folder / "net" / expected["model"]


def check(path, a):
    """The number of failures of one expectation, each printed."""
    expected = json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        options = ["--precision", a.precision] + ["--plain"] * a.plain
        got = answer(a.program or build(a.spnc, expected, folder, options), expected, folder)
    tolerance = a.tolerance or DEFAULT_TOLERANCE[max(array.itemsize for array in got.values())]
    failures, worst = 0, 0.0
    for key in sorted(set(got) | set(expected["arrays"])):
        if key not in got or key not in expected["arrays"]:
            print(f"{path.name}: {key}: {'missing' if key not in got else 'not expected'}")
            failures += 1
            continue
        d = difference(key, got[key], expected["arrays"][key])
        worst = max(worst, d)
        if not d <= tolerance:
            print(f"{path.name}: {key}: differs by {d:.2e}, more than {tolerance:.0e}")
            failures += 1
    print(f"{path.name}: {len(expected['arrays'])} arrays, {failures} failures, worst {worst:.1e} of {tolerance:.0e}", flush=True)
    return failures


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--spnc", type=lambda t: pathlib.Path(t).resolve())
    which.add_argument("--program", type=lambda t: pathlib.Path(t).resolve())
    p.add_argument("--plain", action="store_true")
    p.add_argument("--precision", choices=("float", "double"), default="double")
    p.add_argument("--tolerance", type=float)
    p.add_argument("files", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    sys.exit(1 if sum(check(path, a) for path in a.files) else 0)


if __name__ == "__main__":
    main()
