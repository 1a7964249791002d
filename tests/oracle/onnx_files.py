#!/usr/bin/env python3
"""Holds the ONNX files of models against the programs that write them: onnx's checker, and onnxruntime's outputs beside those of `grad`.

    onnx_files.py [MODEL.yaml [key=value]...]...     default: all of models/

Each program is built in the plain form with a batch of 7; its file is run with 7 examples and with one.  Nets with running statistics are trained for an epoch first.
A model whose net has no form in ONNX is named with the reason.  Needs numpy, yaml, onnx and onnxruntime.  SPNC names the compiler.  Exit 1 if a model is off.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import make_data
from language import read_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPNC = os.environ.get("SPNC", str(ROOT / "build/spnc"))
BOUND = 1e-5


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def check(model, sets, folder):
    """What is wrong, or "" and a note."""
    options = [word for s in sets for word in ("--set", s)]
    run(SPNC, "build", model, *options, "--plain", "--batch", 7, "-o", folder / "net")
    program = next(p for p in (folder / "net").iterdir() if os.access(p, os.X_OK) and p.is_file())
    run(*([program, "export", "--seed", 3, "-o", folder / "w.npz"]))
    make_data.write(read_model(str(model), sets), folder / "data", {"train": 2, "valid": 1, "test": 7}, 1)
    source = ["--seed", 3]
    with np.load(folder / "w.npz") as w:
        if any(name.endswith("running_mean") for name in w):
            run(program, "train", "--data", folder / "data", "--run", folder / "run", "--epochs", 1, "--quiet")
            source = ["--run", folder / "run", "--last"]
            run(program, "export", *source, "-o", folder / "w.npz")
    done = subprocess.run([program, "export", *map(str, source), "-o", folder / "net.onnx"], capture_output=True, text=True)
    if done.returncode == 1 and "cannot be written" in done.stderr:
        return "", "refused: " + done.stderr.strip().split("cannot be written: ")[1]
    if done.returncode:
        return done.stderr, ""
    run(program, "grad", "--weights", folder / "w.npz", "--data", folder / "data", "--split", "test", "--first", 0, "-o", folder / "grad.npz")
    graph = onnx.load(folder / "net.onnx")
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), providers=["CPUExecutionProvider"])
    inputs = {i.name: np.load(folder / "data" / f"test_{i.name}.npy") for i in session.get_inputs()}
    worst = 0.0
    with np.load(folder / "grad.npz") as grad:
        for count in (7, 1):
            for output, value in zip(session.get_outputs(), session.run(None, {k: v[:count] for k, v in inputs.items()})):
                want = grad["out/" + output.name][:count].astype(np.float64)
                if value.shape != want.shape:
                    return f"{output.name}: shape {value.shape}, not {want.shape}", ""
                worst = max(worst, float(np.abs(value - want).max() / max(1, np.abs(want).max())))
    note = f"{worst:.1e}, {len(graph.graph.node)} nodes, {', '.join(o.name for o in session.get_outputs())}"
    return ("" if worst <= BOUND else "off by " + note), note


def main():
    models, bad = [], 0
    for word in sys.argv[1:] or sorted(str(p) for p in (ROOT / "models").glob("*.yaml")):
        if "=" in word:
            models[-1][1].append(word)
        else:
            models.append((pathlib.Path(word), []))
    for model, sets in models:
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong, note = check(model, sets, pathlib.Path(folder))
            except Exception as e:                              # the next model is looked at all the same
                wrong, note = f"{type(e).__name__}: {e}", ""
        print(f"{model.stem} {' '.join(sets)}: {'FAILED: ' + wrong if wrong else note}", flush=True)
        bad += bool(wrong)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
