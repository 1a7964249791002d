#!/usr/bin/env python3
"""The frameworks beside spnc: times their training steps and forward passes, or checks that they compute the same function.

  peers.py --row rnn_spn-d3 --mode channels_last     time one net in one mode, alone
  peers.py --check                                   loss and gradients of all nets and twins against the compiled programs
  peers.py --row ROW --mode MODE --serve             for step_times.py: a line on stdin asks for a measurement, one JSON line answers

Modes: eager, compile, channels_last, compile_channels_last, bf16, bf16_compile (nets_torch.py) and jax (nets_jax.py).
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

from nets import ROOT, ROWS, TWINS, fail, parse_row
from stats import median


def peak_mb():
    """The most memory that this process ever held; what its exec'ing parent held is not in it."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def load(row, mode, batch, threads, dropout):
    """The peer, and the memory that its framework's import alone took."""
    if row in TWINS:
        from twins import Peer
    elif mode == "jax":
        if hasattr(os, "sched_setaffinity"):                # XLA's pool has as many threads as it sees processors
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        from nets_jax import Peer
    else:
        from nets_torch import Peer
    imported = peak_mb()
    return Peer(*parse_row(row), mode, batch, threads, dropout), imported


def times_ms(function, seconds, least=3):
    """One call to warm up, then calls for that long."""
    function()
    times, end = [], time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        begin = time.perf_counter()
        function()
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def measure(peer, seconds):
    train, evals = times_ms(peer.train, seconds), times_ms(peer.eval, seconds / 3)
    return {"train_ms": median(train), "eval_ms": median(evals), "steps": len(train), "rss_mb": peak_mb()}


def serve(peer, imported):
    """Ready once compiled; then a number of seconds on stdin gives a measurement."""
    begin = time.perf_counter()
    for function in (peer.train, peer.train, peer.eval, peer.eval):
        function()
    print(json.dumps({"ready": time.perf_counter() - begin, "import_mb": imported, **peer.versions()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(peer, float(line))), flush=True)


def gap(ours, theirs):
    """Relative to the larger of the two, in the 2-norm."""
    import numpy as np
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if a.shape != b.shape:
        return float("inf")
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b), 1e-30))


def graded(folder, model, weights, data, split, threads):
    """The program's gradients at these weights."""
    import numpy as np
    np.savez(folder / "w.npz", **weights)
    run([folder / model, "grad", "--weights", folder / "w.npz", "--data", data, "--split", split, "--first", "0", "--mode", "eval",
         "--threads", str(threads), "-o", folder / "g.npz"])
    return np.load(folder / "g.npz")


def exported(command, folder, model):
    import numpy as np
    run(command)
    run([folder / model, "export", "--seed", "1", "-o", folder / "w.npz"])
    return dict(np.load(folder / "w.npz"))


def table_case(row, work, batch, threads, spnc):
    """One of the nine in double precision: its folder, weights, arrays of a batch, and its gradients."""
    import numpy as np
    data, (model, d), folder = work / "data", parse_row(row), work / row
    if not (data / "test_image.npy").exists():
        run([spnc.parent / "spn-data", "make", "--drawn", "--train", "1", "--valid", "1", "--test", str(batch), "-o", data])
    weights = exported([spnc, "build", ROOT / "models" / f"{model}.yaml", "--set", f"d={d}", "--batch", str(batch), "--precision", "double",
                        "-o", folder], folder, model)
    # Away from the kinks: the identity samples exactly at pixels, and without a bias a black patch is exactly at ReLU's corner.
    random = np.random.default_rng(1)
    weights |= {k: w + random.normal(0, 0.05, w.shape).astype(w.dtype) for k, w in weights.items()
                if k.startswith("A.") or "bias" in k}
    arrays = [np.load(data / f"test_{name}.npy")[:batch] for name in ("image", "digits")]
    arrays[1] = arrays[1].astype(np.int64)
    return folder, weights, arrays, graded(folder, model, weights, data, "test", threads)


def twin_case(row, work, batch, threads, spnc):
    """Likewise of a model with a twin, which makes up the batch."""
    import numpy as np
    from twins import TWINS as classes
    folder, data, random = work / row, work / f"{row}-data", np.random.default_rng(1)
    weights = exported([spnc, "build", ROOT / TWINS[row], "--batch", str(batch), "--precision", "double", "-o", folder], folder, row)
    weights |= {k: w + random.normal(0, 0.05, w.shape).astype(w.dtype) for k, w in weights.items() if "bias" in k or "running_mean" in k}
    arrays = classes[row]().data(batch, random)
    data.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(data / f"train_{name}.npy", array)
    return folder, weights, list(arrays.values()), graded(folder, row, weights, data, "train", threads)


def check(rows, modes, batch, threads, spnc):
    """Our exported weights in both, one batch, double precision: the loss and every gradient must agree. Returns how many did not.

    In float the two agree as far as rounding lets them: one pixel that falls on the other side of a kink moves a gradient by 1e-3."""
    import numpy as np
    work, wrong = ROOT / "build" / "bench" / "check", 0
    for row in rows:
        folder, weights, arrays, ours = (twin_case if row in TWINS else table_case)(row, work, batch, threads, spnc)
        for mode in modes:
            peer, _ = load(row, mode, batch, threads, 0)
            rough = "bf16" in mode                           # autocast starts from float
            loss, grads = peer.loss_and_grads({k: w.astype("f4") for k, w in weights.items()} if rough else weights, *arrays)
            far_loss, bound_loss, bound = abs(loss / float(ours["loss"]) - 1), *((1e-2, 1.0) if rough else (1e-10, 1e-7))
            gaps = {name: gap(ours["grad/" + name], g) for name, g in grads.items()}
            worst = max(gaps, key=gaps.get)
            same = far_loss <= bound_loss and gaps[worst] <= bound and set(grads) == {k for k in weights if "running_" not in k}
            wrong += not same
            print(f"{row:12} {mode:22} loss {loss:.7f}, apart {far_loss:.1e}; gradients apart {gaps[worst]:.1e} ({worst})"
                  f"  {'same' if same else 'DIFFERENT'}", flush=True)
    return wrong


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        fail(f"{' '.join(str(c) for c in command)}\n{done.stderr or done.stdout}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--row", "--rows", default=None, help="one net, or with --check several, such as conv,rnn_spn-d3")
    p.add_argument("--mode", "--modes", default=None)
    p.add_argument("--batch", type=int, default=100)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--dropout", type=float, default=0.0, help="the one rate everywhere (default 0, as the models have it)")
    p.add_argument("--seconds", type=float, default=5, help="of training steps")
    p.add_argument("--check", action="store_true")
    p.add_argument("--jax", action="store_true", help="with --check: JAX too")
    p.add_argument("--serve", action="store_true")
    p.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    o = p.parse_args()
    if o.check:
        rows, modes = (o.row or ",".join(ROWS + list(TWINS))).split(","), (o.mode or "eager,channels_last").split(",") + ["jax"] * o.jax
        sys.exit(1 if check(rows, modes, o.batch, o.threads, o.spnc) else 0)
    if not o.row:
        p.error("--row is missing")
    peer, imported = load(o.row, o.mode or "eager", o.batch, o.threads, o.dropout)
    if o.serve:
        serve(peer, imported)
    else:
        print(json.dumps(measure(peer, o.seconds)))


if __name__ == "__main__":
    main()
