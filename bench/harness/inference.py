"""A trained net as a C library beside onnxruntime: one thread, the same weights, calls in turn.

The PyTorch net of a row (nets_torch.py) gives random weights and its ONNX file; spnc builds the library of the same weights; one process calls both.  Before
anything is timed their outputs are compared.  A round is a few calls of each, one behind the other, so that what else the machine does meets all of
them; of a round each has its quickest call.

usage: bench/harness/inference.py [--rows conv,rnn_spn-d4] [--batch 1,4] [--form auto,lanes] [--rounds 30] [--json FILE]
"""

import argparse
import ctypes
import json
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

from nets import ROOT, ROWS, fail, parse_row, say
from stats import median

CALLS = 5


def export(row, folder):
    """Writes net.onnx and net.npz of the row's net with random weights."""
    import torch
    from nets_torch import Net
    model, d = parse_row(row)
    torch.manual_seed(1)
    net = Net(model, d, 0.0).eval()
    with torch.no_grad():
        for p in net.parameters():                      # biases and transforms away from their start
            p += 0.02 * torch.randn_like(p)
    np.savez(folder / "net.npz", **{k: p.detach().numpy() for k, p in net.named_parameters()})
    image = torch.randint(0, 256, (2, 1, 100, 100), dtype=torch.uint8)
    torch.onnx.export(net, (image,), folder / "net.onnx", opset_version=20, dynamo=False, input_names=["image"], output_names=["digit"],
                      dynamic_axes={"image": {0: "n"}, "digit": {0: "n"}})


class Onnx:
    def __init__(self, folder, image):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(str(folder / "net.onnx"), options, providers=["CPUExecutionProvider"])
        self.image = image

    def __call__(self):
        return self.session.run(None, {"image": self.image})[0]


class Library:
    def __init__(self, row, folder, image, form, o):
        model, d = parse_row(row)
        batch = len(image)
        out = folder / f"{form}-{batch}"
        shutil.rmtree(out, ignore_errors=True)
        command = [o.spnc, "build", ROOT / "models" / f"{model}.yaml", "--set", f"d={d}", "--for", "inference", "--batch", str(batch), "--weights", folder / "net.npz", "-o", out]
        command += [] if form == "auto" else ["--form", form]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL)
        if done.returncode:
            fail(f"{command}: exit {done.returncode}")
        self.lib = ctypes.CDLL(str(out / f"lib{model}.so.0"))
        header = (out / f"{model}.h").read_text()
        size = int(header.split("_MEMORY ((size_t)")[1].split(")")[0])
        self.image, self.y = np.ascontiguousarray(image), np.empty((batch, 3, 10), np.float32)
        self.memory = np.empty(size + 64, np.uint8)
        at = -self.memory.ctypes.data % 64 + self.memory.ctypes.data
        self.net, self.run = ctypes.c_void_p(), self.lib[f"{model}_run"]
        if self.lib[f"{model}_open"](ctypes.byref(self.net), ctypes.c_void_p(at), ctypes.c_size_t(size), None, ctypes.c_size_t(0)):
            fail(f"{out}: the library does not open")
        self.given, self.wanted = (ctypes.c_void_p * 1)(self.image.ctypes.data), (ctypes.c_void_p * 1)(self.y.ctypes.data)

    def __call__(self):
        if self.run(self.net, len(self.image), self.given, self.wanted):
            fail("a call of the library fails")
        return self.y


def quickest(call):
    best = float("inf")
    for _ in range(CALLS):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def measure(row, batch, forms, o):
    folder = o.work / row
    image = np.random.default_rng(1).integers(0, 256, (batch, 1, 100, 100), dtype=np.uint8)
    sides = {"onnxruntime": Onnx(folder, image)} | {form: Library(row, folder, image, form, o) for form in forms}
    want = sides["onnxruntime"]().reshape(batch, 3, 10)
    scale = np.abs(want).max()
    for name, side in sides.items():
        far = np.abs(side().reshape(want.shape) - want).max() / scale
        if not far < 1e-4:
            fail(f"{row}, batch {batch}: {name} is {far:.2g} of the largest score away from onnxruntime")
    rounds = {name: [] for name in sides}
    for _ in range(o.rounds):
        for name, side in sides.items():
            rounds[name].append(quickest(side))
    found = {"row": row, "batch": batch}
    for name, times in rounds.items():
        ratios = [t / r for t, r in zip(times, rounds["onnxruntime"])]
        found[name] = {"ms": min(times), "ratio_of_quickest": min(times) / min(rounds["onnxruntime"]), "ratio": median(ratios)}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default="conv,rnn_spn-d4", help="nets of Table 1, with commas between, or all")
    parser.add_argument("--batch", default="1", help="examples of a call, with commas between")
    parser.add_argument("--form", default="auto", help="of the library: auto, lanes, latency")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench" / "inference")
    parser.add_argument("--json", type=pathlib.Path, help="write what was found there too")
    o = parser.parse_args()
    all_found = []
    print(f"{'net':12} {'batch':>5} {'side':12} {'ms':>8} {'of onnxruntime: quickest':>25} {'median':>8}")
    for row in ROWS if o.rows == "all" else o.rows.split(","):
        (o.work / row).mkdir(parents=True, exist_ok=True)
        if not (o.work / row / "net.onnx").exists():
            say(f"{row}: ONNX")
            export(row, o.work / row)
        for batch in map(int, o.batch.split(",")):
            found = measure(row, batch, o.form.split(","), o)
            all_found.append(found)
            for name in [k for k in found if k not in ("row", "batch")]:
                f = found[name]
                print(f"{row:12} {batch:5} {name:12} {f['ms']:8.3f} {f['ratio_of_quickest']:25.3f} {f['ratio']:8.3f}", flush=True)
    if o.json:
        o.json.write_text(json.dumps(all_found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
