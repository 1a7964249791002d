#!/usr/bin/env python3
"""A training step by several processes: two ranks of one thread beside one process of two threads, and beside PyTorch's DistributedDataParallel.

  bench/harness/ranks.py                               rnn_spn d=1 and ffn_spn d=4, batches of 128 and 100; writes bench/results/ranks.{json,md}
  bench/harness/ranks.py --rows ffn_spn-d4 --ours      one net without PyTorch

Each round starts each program anew, one after the other; the order turns.  Ours are the times of `bench`; theirs is DDP by gloo over processes of one thread, each with its share
of the batch, in the mode that is PyTorch's fastest in float32 for these nets in step_times.md.  A figure is the median of the rounds.  Needs mpirun and mpicc; PyTorch unless --ours.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from machine import Watch, machine
from nets import ROOT, fail, ms, parse_row, say, spnc
from stats import median

FOREIGN = 0.05                           # so much of the processors' time for other programs makes a machine busy
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def build(row, o, batch, *more):
    folder = o.work / f"{row}-batch{batch}{'-mpi' if more else ''}"
    program = folder / parse_row(row)[0]
    if not (o.keep and program.exists()):
        shutil.rmtree(folder, ignore_errors=True)
        command = spnc("build", row, o, "-o", folder, *more, batch=batch)
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            fail(" ".join(command))
    return [program, "bench", "--json"]


def measured(command, env):
    """Milliseconds of a step, and the share of the processors that other programs had meanwhile."""
    watch, before = Watch(), os.times()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=os.environ | env)
    if done.returncode:
        fail(f"{' '.join(map(str, command))}\n{done.stderr}")
    after = os.times()
    found = json.loads(done.stdout.splitlines()[-1])
    found["foreign"] = watch.foreign(after.children_user + after.children_system - before.children_user - before.children_system)
    return found


def measure(row, batch, o):
    one, many = build(row, o, batch), build(row, o, batch, "--mpi")
    programs = {"one": (one + ["--threads", o.ranks], {}), "ranks": (["mpirun", "-n", o.ranks, "--bind-to", "none", *many, "--threads", "1"], MPI)}
    if o.build:
        return None
    if not o.ours:
        programs["ddp"] = ([o.python, ROOT / "bench" / "harness" / "ranks_torch.py", row, batch, o.ranks, o.seconds], {"OMP_NUM_THREADS": "1"})
    rounds = {name: [] for name in programs}
    for k in range(o.rounds):
        names = list(programs)
        for name in names[k % len(names):] + names[:k % len(names)]:
            time.sleep(0.5)
            rounds[name].append(measured(*programs[name]))
            say(f"{row} batch {batch}, round {k + 1}: {name:6} {rounds[name][-1]['train_ms']:9.2f} ms")
    found = {name: {"train_ms": median([r["train_ms"] for r in all_]), "rounds": [r["train_ms"] for r in all_], "foreign": max(r["foreign"] or 0 for r in all_)} for name, all_ in rounds.items()}
    # of each round, since the machine is not the same in all of them
    found["ranks_to_one"] = median([a["train_ms"] / b["train_ms"] for a, b in zip(rounds["ranks"], rounds["one"])])
    if not o.ours:
        found["ddp_to_ranks"] = median([a["train_ms"] / b["train_ms"] for a, b in zip(rounds["ddp"], rounds["ranks"])])
    return found


def table(found):
    m, lines = found["machine"], []
    lines += ["# Several ranks beside one process", "", f"Milliseconds for a whole training step: {found['ranks']} ranks of one thread, one process of {found['ranks']} threads, and PyTorch's DDP (gloo, {found['ranks']} processes of one thread,",
              f"channels_last). {m['cpu']}, {m['processors']} processors, {m['system']}; {found['date']}; {found['rounds']} rounds, each program started anew in each; ratios are medians over rounds. Made by `bench/harness/ranks.py`.", "",
              "| net | batch | one process | ranks | ranks / one | DDP | DDP / ranks | spread of ours | other programs, most |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, x in found["rows"].items():
        row, _, batch = name.partition(" ")
        both = [max(p["rounds"]) / min(p["rounds"]) - 1 for p in (x["one"], x["ranks"])]
        ddp = x.get("ddp")
        lines.append(f"| {row} | {batch} | {ms(x['one']['train_ms'])} | {ms(x['ranks']['train_ms'])} | {x['ranks_to_one']:.2f} | {ms(ddp['train_ms']) if ddp else ''} | {format(x['ddp_to_ranks'], '.1f') if ddp else ''} | "
                     f"{100 * max(both):.0f}% | {100 * max(p['foreign'] for p in x.values() if isinstance(p, dict)):.0f}% |")
    if any(p["foreign"] > FOREIGN for x in found["rows"].values() for p in x.values() if isinstance(p, dict)):
        lines += ["", f"**The machine was busy**: other programs took more than {100 * FOREIGN:.0f}% of the processors. Measure again on a quiet one."]
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default="rnn_spn-d1,ffn_spn-d4")
    p.add_argument("--batches", default="128,100")
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=10, help="of training steps a round, in PyTorch")
    p.add_argument("--ours", action="store_true", help="without PyTorch")
    p.add_argument("--build", action="store_true", help="build the programs, and measure nothing")
    p.add_argument("--keep", action="store_true", help="take the programs that are built")
    p.add_argument("--more", action="store_true", help="beside the nets that the results have already")
    p.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    p.add_argument("--python", default=None, help="interpreter with PyTorch (default: build/bench-env/bin/python, else this one)")
    p.add_argument("-o", "--out", type=pathlib.Path, default=ROOT / "bench" / "results")
    o = p.parse_args()
    o.work, o.dropout, o.batch = ROOT / "build" / "bench", 0, 100
    env = ROOT / "build" / "bench-env" / "bin" / "python"
    o.python = o.python or (str(env) if env.exists() else sys.executable)
    o.work.mkdir(parents=True, exist_ok=True)
    path = o.out / "ranks.json"
    found = {"date": datetime.date.today().isoformat(), "machine": machine(), "ranks": o.ranks, "rounds": o.rounds, "rows": {}}
    if o.more and path.exists():
        found["rows"] = json.loads(path.read_text())["rows"]
    for row in o.rows.split(","):
        for batch in o.batches.split(","):
            found["rows"][f"{row} {batch}"] = measure(row, batch, o)
            if o.build:
                continue
            path.write_text(json.dumps(found, indent=1) + "\n")
            (o.out / "ranks.md").write_text(table(found))
    if not o.build:
        print(table(found), end="")


if __name__ == "__main__":
    main()
