#!/usr/bin/env python3
"""Holds the ONNX files and the libraries of models against their programs: outputs beside those of `grad`, onnx's checker, what a library needs and defines.

    onnx_files.py [MODEL.yaml [key=value]...]...     default: all of models/

Each program is built in the plain form with a batch of 7; its file is run with 7 examples and with one.  Nets with running statistics are trained for an epoch first.
Libraries are of both forms, compiled with -O1.  A model whose net has no form in ONNX is named with the reason.  Needs numpy, yaml, onnx and onnxruntime.  SPNC names the compiler.  Exit 1 if a model is off.
"""
import ctypes
import os
import pathlib
import re
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
CALLED = {"memcpy", "memset", "memmove", "fma", "fmaf", "floor", "floorf", "sqrt", "sqrtf", "_GLOBAL_OFFSET_TABLE_"}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def distance(value, want):
    return float(np.abs(value - want).max() / max(1, np.abs(want).max()))


def library(model, options, form, folder, inputs, want):
    """What is wrong with the library of that form, or "": what it calls and defines, its outputs for 7 examples and for one."""
    out = folder / form
    run(SPNC, "emit", model, *options, "--for", "inference", "--form", form, "--batch", 7, "--weights", folder / "w.npz", "--outputs", ",".join(want), "-o", out)
    run("make", "-s", "-C", out, "CFLAGS=-O1")
    archive, shared = next(out.glob("lib*.a")), next(out.glob("lib*.so.0"))
    name = archive.stem[3:]
    listed = [line.split() for line in run("nm", archive).splitlines()]
    called = {words[1] for words in listed if len(words) == 2 and words[0] in "Uw"} - CALLED
    kept = {words[2] for words in listed if len(words) == 3 and words[1] in "bBdDC"}
    seen = {words[2] for words in listed if len(words) == 3 and words[1].isupper()} ^ {f"{name}_{verb}" for verb in ("open", "run", "error")}
    if called or kept or seen:
        return f"{form}: it calls {called}, keeps {kept}, and of its interface or beyond it are {seen}"
    lib, header = ctypes.CDLL(str(shared)), (out / f"{name}.h").read_text()
    size = int(re.search(r"_MEMORY \(\(size_t\)(\d+)", header)[1])
    memory = np.full(size + 128, 255, np.uint8)                 # NaN: a place that is read before it is written is seen
    at, net = memory.ctypes.data + -memory.ctypes.data % 128, ctypes.c_void_p()
    if code := lib[f"{name}_open"](ctypes.byref(net), ctypes.c_void_p(at), ctypes.c_size_t(size), None, ctypes.c_size_t(0)):
        return f"{form}: open returns {code}"
    given = {re.sub(r"\W", "_", k): v for k, v in inputs.items()}
    got = {k: np.full(v.shape, np.nan, np.float32) for k, v in want.items()}
    members = {re.sub(r"\W", "_", k): v for k, v in got.items()}
    order = re.findall(r"^    (const )?\w+ \*(\w+);", header, re.M)
    of = {True: {n: a.ctypes.data for n, a in given.items()}, False: {n: a.ctypes.data for n, a in members.items()}}
    ins, outs = ((ctypes.c_void_p * 64)(*(of[inward].get(n) for const, n in order if bool(const) == inward)) for inward in (True, False))     # an input that nothing reads is none of the file's
    for count in (1, 7):
        if code := lib[f"{name}_run"](net, count, ins, outs):
            return f"{form}: run returns {code}"
        for k, v in want.items():
            if not distance(got[k][:count], v[:count]) <= BOUND:
                return f"{form}, {count} examples: {k} is off by {distance(got[k][:count], v[:count]):.1e}"
    return ""


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
        wanted = {output.name: grad["out/" + output.name] for output in session.get_outputs()}
        for count in (7, 1):
            for output, value in zip(session.get_outputs(), session.run(None, {k: v[:count] for k, v in inputs.items()})):
                want = grad["out/" + output.name][:count].astype(np.float64)
                if value.shape != want.shape:
                    return f"{output.name}: shape {value.shape}, not {want.shape}", ""
                worst = max(worst, distance(value, want))
    for form in ("lanes", "latency"):
        if wrong := library(model, options, form, folder, inputs, wanted):
            return wrong, ""
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
