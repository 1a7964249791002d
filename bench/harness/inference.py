"""A trained net as a C library beside onnxruntime, AOTInductor and emx-onnx-cgen's C: one thread, the same weights, calls in turn.

A row is one of the nine nets of Table 1, whose PyTorch net (nets_torch.py) gives random weights and its ONNX file, or a model of models/ (`models`: all of them) with the weights that its program
starts from and the ONNX file that it exports.  spnc builds the library of the same weights; one process calls all.  Before anything is timed their outputs are compared.  A round is a few calls of
each, one behind the other, so that what else the machine does meets all of them; of a round each has its quickest call, behind a few milliseconds of calls that bring its weights back into the caches.  What is C is called from C (calls.c), the others by their own interface for Python.  Peers that are not installed are skipped by name, and so are those that
refuse a net.

Of several examples only onnxruntime is beside ours: each of the others compiles a net of its own for that batch, which takes minutes.

The bound beside a row is the most that our library may take at batch 1: the larger of 0.6 of the best peer, and 1.25 times what the machine needs to read the weights once from memory and to do the
multiply-adds of direct convolution (bench/probes/limits.c).

usage: bench/harness/inference.py [--rows conv,rnn_spn-d4,models] [--batch 1,32] [--peers onnxruntime,emx] [--form auto,lanes] [--rounds 30] [--build] [--json FILE] [--publish]
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

import runtimes
from machine import machine
from nets import ROOT, ROWS, fail, parse_row, say
from stats import median

CALLS = 5
WARM = 3e-3                             # seconds of calls before them, as in calls.c
RESULTS = ROOT / "bench" / "results"
SHARE = 0.6                             # of the best peer
ABOVE = 1.25                            # times the machine's own bound
MODELS = sorted(p.stem for p in (ROOT / "models").glob("*.yaml"))
PAPER = {"ffn_spn": "ffn_spn-d4", "rnn_spn": "rnn_spn-d4"}             # of the nine nets, those that stand for their model


class Net:
    """A row: its model, weights and ONNX file in a folder, made inputs, the outputs' names."""

    def __init__(self, row, o):
        self.row, self.folder, self.own = row, o.work / row, row not in ROWS
        self.model, d = (row, 1) if self.own else parse_row(row)
        self.path, self.sets = ROOT / "models" / f"{self.model}.yaml", [] if self.own else ["--set", f"d={d}"]
        self.folder.mkdir(parents=True, exist_ok=True)
        shown = subprocess.run([str(w) for w in (o.spnc, "show", self.path, *self.sets, "--batch", 1, "--json")], capture_output=True, text=True)
        if shown.returncode:
            fail(shown.stderr.strip())
        self.hash, self.macs = (json.loads(shown.stdout)[key] for key in ("hash", "forward_macs"))
        by = [o.spnc] if self.own else [runtimes.version("torch"), runtimes.SOURCES[0]]
        runtimes.build(self.folder / "net.onnx", [self.hash, *by], lambda: (self.export_own if self.own else self.export_torch)(o))
        import onnxruntime as ort
        self.session = ort.InferenceSession(str(self.folder / "net.onnx"), providers=["CPUExecutionProvider"])
        self.outputs = [y.name for y in self.session.get_outputs()]
        self.batch_name = self.session.get_inputs()[0].shape[0]
        self.made, self.computed = {}, {}

    def export_own(self, o):
        """By the model's program, in the form that compiles soonest."""
        say(f"{self.row}: ONNX")
        program = self.folder / "program"
        said = runtimes.run(o.spnc, "build", self.path, "--plain", "--batch", 1, "--force", "-o", program, env=os.environ | {"CFLAGS": "-O0"})
        for name in ("net.npz", "net.onnx"):
            said = said or runtimes.run(program / self.model, "export", "--seed", 1, "-o", self.folder / name)
        shutil.rmtree(program, ignore_errors=True)
        if said:
            raise runtimes.Refused(said)

    def export_torch(self, _o):
        import torch
        say(f"{self.row}: ONNX")
        net = self.torch_net()
        with torch.no_grad():
            for p in net.parameters():                  # biases and transforms away from their start
                p += 0.02 * torch.randn_like(p)
        np.savez(self.folder / "net.npz", **{k: p.detach().numpy() for k, p in net.named_parameters()})
        image = torch.randint(0, 256, (2, 1, 100, 100), dtype=torch.uint8)
        torch.onnx.export(net, (image,), self.folder / "net.onnx", opset_version=20, dynamo=False, input_names=["image"], output_names=["digit"],
                          dynamic_axes={"image": {0: "N"}, "digit": {0: "N"}})

    def fixed(self, batch):
        """The ONNX file for a reader that takes one batch only: onnxruntime has computed shapes and what depends on weights alone."""
        import onnxruntime as ort
        path = self.folder / f"net-{batch}.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.add_free_dimension_override_by_name(self.batch_name, batch)
        ort.InferenceSession(str(self.folder / "net.onnx"), options, providers=["CPUExecutionProvider"])
        return path

    def torch_net(self):
        import torch
        from nets_torch import Net as Torch
        torch.manual_seed(1)
        return Torch(*parse_row(self.row), 0.0).eval()

    def torch(self):
        """The net in PyTorch with the weights of the file."""
        import torch
        if self.own:
            from onnx_torch import OnnxNet
            return OnnxNet(self.folder / "net.onnx").eval()
        net = self.torch_net()
        with np.load(self.folder / "net.npz") as weights:
            net.load_state_dict({k: torch.from_numpy(weights[k]) for k in weights.files})
        return net

    def inputs(self, batch):
        if batch not in self.made:
            random, self.made[batch] = np.random.default_rng(1), {}
            for x in self.session.get_inputs():
                shape = (batch, *x.shape[1:])
                self.made[batch][x.name] = random.integers(0, 256, shape, dtype=np.uint8) if "uint8" in x.type \
                    else random.integers(0, 4, shape, dtype=np.int32) if "int" in x.type else random.standard_normal(shape, dtype=np.float32)
        return self.made[batch]

    def shapes(self, batch):
        """Of the outputs, as the ONNX file has them."""
        if batch not in self.computed:
            found = self.session.run(None, self.inputs(batch))
            self.computed[batch] = {name: y.shape for name, y in zip(self.outputs, found)}
        return self.computed[batch]

    def weight_bytes(self):
        with np.load(self.folder / "net.npz") as weights:
            return sum(4 * weights[k].size for k in weights.files)


def limits(o):
    """The peak of multiply-adds and the rate of reading, of one thread of this machine now."""
    program = o.work / "limits"
    said = runtimes.run(o.cc, "-O2", "-march=native", ROOT / "bench" / "probes" / "limits.c", "-o", program)
    if said:
        fail(said)
    return json.loads(subprocess.run([program], capture_output=True, text=True, check=True).stdout)


def calls_in_c(o):
    """calls.c, loaded."""
    path = o.work / "calls.so"
    said = runtimes.run(o.cc, "-O2", "-shared", "-fPIC", ROOT / "bench" / "harness" / "calls.c", "-o", path)
    if said:
        fail(said)
    calls = ctypes.CDLL(str(path))
    calls.quickest.restype = ctypes.c_double
    return calls


def quickest(call, calls):
    """Milliseconds of the quickest of a few calls."""
    if hasattr(call, "in_c"):
        return calls.quickest(*call.in_c(calls)) * 1e3
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < WARM:
        call()
    for _ in range(CALLS):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def sides(net, batch, peers, o):
    """Those that take the net, each with outputs near onnxruntime's."""
    makers = {name: runtimes.PEERS[name] for name in peers if batch == 1 or name == "onnxruntime"} | {form: lambda *a, form=form: runtimes.Library(*a, form) for form in o.form.split(",")}
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make(net, batch, o)
        except runtimes.Refused as e:
            say(f"{net.row}, batch {batch}: skipped: {name}: {e}")
    if o.build:
        return {}
    want = runtimes.Onnxruntime(net, batch, o)()
    for name, side in found.items():
        y = side()
        for k, w in want.items():
            far = np.abs(y[k].reshape(w.shape) - w).max() / max(1e-30, np.abs(w).max())
            if not far < 1e-4:
                fail(f"{net.row}, batch {batch}: {name}: {k} is {far:.2g} of the largest number away from onnxruntime")
    return found


def measure(net, batch, peers, at_most, calls, o):
    there = sides(net, batch, peers, o)
    if not there:
        return None
    rounds = {name: [] for name in there}
    for _ in range(o.rounds):
        for name, side in there.items():
            rounds[name].append(quickest(side, calls))
    found = {"row": net.row, "batch": batch, "sides": {}}
    first = rounds[next(iter(rounds))]
    for name, times in rounds.items():
        found["sides"][name] = {"ms": min(times), "ratio_of_quickest": min(times) / min(first), "ratio": median([t / r for t, r in zip(times, first)])}
    theirs = [rounds[name] for name in peers if name in rounds]
    if theirs:                                          # beside the peer whose median is the least
        best = min(theirs, key=median)
        ours = {name: median([t / r for t, r in zip(rounds[name], best)]) for name in rounds if name not in peers}
        machine_ms = 1e3 * (net.weight_bytes() / (1e9 * at_most["read_gb_s"]) + 2 * net.macs / (1e9 * at_most["peak_gflops"]))
        found |= {"of_best": ours, "machine_ms": machine_ms, "bound_ms": max(SHARE * min(best), ABOVE * machine_ms)}
    ours = o.form.split(",")[0]
    if batch == 1 and ours in there:
        found |= there[ours].footprint(net, o.work / "limits")
    return found


def three(ms):
    """Milliseconds to microseconds, small ones to three figures."""
    return f"{ms:.3f}" if ms >= 0.1 else f"{ms:.3g}"


def shown(found):
    """Lines of the table on the terminal."""
    for name, f in found["sides"].items():
        more = ""
        if name in found.get("of_best", {}):
            more = f"   {found['of_best'][name]:.3f} of the best"
            if found["batch"] == 1:
                more += f"; bound {three(found['bound_ms'])} ms: {'met' if f['ms'] <= found['bound_ms'] else 'missed'}"
        print(f"{found['row']:14} {found['batch']:5} {name:12} {three(f['ms']):>8} {f['ratio_of_quickest']:25.3f} {f['ratio']:8.3f}{more}", flush=True)


def table(all_found, at_most, o):
    """The lines of the published page."""
    names = [n for n in runtimes.PEERS if any(n in f["sides"] for f in all_found)]
    ours = o.form.split(",")[0]
    lines = ["# A library of `--for inference` beside other runtimes", "",
             f"Written by `bench/harness/inference.py` on {machine()['cpu']}; one thread, the same weights, calls in turn, milliseconds of the quickest call. *Of the best* is the median over {o.rounds} rounds of ours by "
             f"the quickest peer's; *bound* the larger of {SHARE} of the best peer and {ABOVE} times the weights at {at_most['read_gb_s']:.1f} GB/s and the multiply-adds at {at_most['peak_gflops']:.0f} GFLOP/s, "
             "for one example. *MB* is the most memory of a program that reads one example from a file, computes it and prints the outputs; *kB* the library's code.", "",
             f"| net | batch | {' | '.join(names)} | spnc | of the best | bound | MB | kB |", "| --- |" + " --- |" * (len(names) + 6)]
    for f in all_found:
        cell = lambda n: three(f["sides"][n]["ms"]) if n in f["sides"] else ""
        size = lambda key: f"{f[key]:.1f}" if key in f else ""
        bound = three(f["bound_ms"]) if f["batch"] == 1 and "bound_ms" in f else ""
        share = f"{f['of_best'][ours]:.2f}" if ours in f.get("of_best", {}) else ""
        lines.append(f"| {f['row']} | {f['batch']} | {' | '.join(map(cell, names))} | {cell(ours)} | {share} | {bound} | {size('rss_mb')} | {size('code_kb')} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default="conv,rnn_spn-d4", help="nets of Table 1 and of models/, with commas between; all: Table 1, models: those of models/")
    parser.add_argument("--batch", default="1", help="examples of a call, with commas between")
    parser.add_argument("--peers", default=",".join(runtimes.PEERS), help="with commas between; those that are not installed are skipped")
    parser.add_argument("--form", default="auto", help="of the library, with commas between: auto, lanes, latency, portable (of three bodies)")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--build", action="store_true", help="build all sides, measure nothing")
    parser.add_argument("--cc", default="gcc", help="the compiler of all C")
    parser.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench" / "inference",
                        help="what is built, a folder a row, is kept here, refusals too; deleted, it is built anew (default: build/bench/inference)")
    parser.add_argument("--json", type=pathlib.Path, help="write what was found there too")
    parser.add_argument("--publish", action="store_true", help="write inference.json and inference.md into bench/results/")
    o = parser.parse_args()
    rows = [row for word in o.rows.split(",") for row in (ROWS if word == "all" else [PAPER.get(m, m) for m in MODELS] if word == "models" else [word])]
    for row in rows:
        if row not in ROWS + MODELS:
            fail(f"unknown row '{row}'; there are {', '.join(ROWS + MODELS)}, all, models")
    if runtimes.Onnxruntime.missing():
        fail("onnxruntime is needed for the outputs: bench/harness/make_env.sh --onnx installs it")
    peers = []
    for name in o.peers.split(","):
        if name not in runtimes.PEERS:
            fail(f"unknown peer '{name}'; there are {', '.join(runtimes.PEERS)}")
        missing = runtimes.PEERS[name].missing()
        if missing:
            say(f"skipped: {name}: not installed: {missing}")
        else:
            peers.append(name)
    o.work.mkdir(parents=True, exist_ok=True)
    at_most, calls = ({}, None) if o.build else (limits(o), calls_in_c(o))
    if not o.build:
        print(f"peak {at_most['peak_gflops']:.1f} GFLOP/s, reading {at_most['read_gb_s']:.1f} GB/s")
        print(f"{'net':14} {'batch':>5} {'side':12} {'ms':>8} {'of the first: quickest':>25} {'median':>8}")
    all_found = []
    for row in rows:
        try:
            net = Net(row, o)
        except runtimes.Refused as e:
            say(f"{row}: skipped: {e}")
            continue
        for batch in map(int, o.batch.split(",")):
            found = measure(net, batch, peers, at_most, calls, o)
            if found:
                all_found.append(found)
                shown(found)
    written = json.dumps({"machine": machine(), "limits": at_most, "rows": all_found}, indent=1) + "\n"
    if o.json:
        o.json.write_text(written)
    if o.publish and all_found:
        (RESULTS / "inference.json").write_text(written)
        (RESULTS / "inference.md").write_text(table(all_found, at_most, o))


if __name__ == "__main__":
    sys.exit(main())
