#!/usr/bin/env python3
"""From one thread to two: the nine nets of Table 1, their measured gain beside that of the processor's peak and beside what `spnc show --scaling` says.

  bench/scaling.py                        all nine; writes bench/scaling.json and the table between the markers of docs/performance.md
  bench/scaling.py --rows rnn_spn-d4      these alone, to build/bench; docs/performance.md stays

One and two threads run in turn, several rounds; each counts with its least time and its highest peak, so that a busy machine disturbs little.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

from peers import ROOT, ROWS, parse_row
from run import Ours, machine, ms, say
from where import replace_between

MARK = ("<!-- scaling: written by bench/scaling.py -->", "<!-- /scaling -->")


def bench(ours, threads):
    return json.loads(subprocess.run([ours.folder / ours.model, "bench", "--threads", str(threads), "--json"], capture_output=True, check=True, text=True).stdout)


def measure(row, o):
    ours = Ours(row, o)
    model, d = parse_row(row)
    shown = json.loads(subprocess.run([o.spnc, "show", ROOT / "models" / f"{model}.yaml", "--set", f"d={d}", "--set", f"dropout={o.dropout}", "--set", "ramp=0",
                                       "--batch", str(o.batch), "--scaling", "--json"], capture_output=True, check=True, text=True).stdout)
    predicted = {t["threads"]: t["speedup"] for t in shown["threads"]}
    found = {n: [] for n in (1, 2)}
    for _ in range(o.rounds):
        for n in found:
            found[n].append(bench(ours, n))
    least = {n: min(b["train_ms"] for b in found[n]) for n in found}
    peak = {n: max(b["peak_gflops"] for b in found[n]) for n in found}
    net = {"ms": [least[1], least[2]], "peak_gflops": [peak[1], peak[2]], "gain": least[1] / least[2], "peak_gain": peak[2] / peak[1], "predicted": predicted[2]}
    say(f"{row}: {least[1]:.2f} ms, {least[2]:.2f} ms on two; {net['gain']:.2f} times faster, the peak {net['peak_gain']:.2f}, the model says {net['predicted']:.2f}")
    return net


def table(found):
    lines = [f"{found['machine']['cpu']}, batch {found['batch']}, dropout {found['dropout']}, {found['date']}.", "",
             "| net | ms on one thread | on two | times faster | the peak | share of the peak's gain | by the model |", "| --- |" + " ---: |" * 6]
    for name, n in found["nets"].items():
        lines.append(f"| {name} | {ms(n['ms'][0])} | {ms(n['ms'][1])} | {n['gain']:.2f} | {n['peak_gain']:.2f} | {n['gain'] / n['peak_gain']:.2f} | {n['predicted']:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default=None, help="nets, such as conv,rnn_spn-d3 (default: all nine)")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--batch", type=int, default=100)
    p.add_argument("--dropout", type=float, default=0.5)
    p.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    o = p.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("scaling.py: this process may use one processor only, so there is no second thread to measure")
    if not o.spnc.exists():
        sys.exit(f"scaling.py: {o.spnc} is not there: run make first")
    o.work, o.threads = ROOT / "build" / "bench", 2
    o.work.mkdir(parents=True, exist_ok=True)
    rows = o.rows.split(",") if o.rows else ROWS
    for row in rows:
        parse_row(row)
    found = {"date": datetime.date.today().isoformat(), "machine": machine(), "batch": o.batch, "dropout": o.dropout, "rounds": o.rounds, "nets": {}}
    for row in rows:
        found["nets"][row] = measure(row, o)
    text = table(found)
    (ROOT / "bench/scaling.json" if not o.rows else o.work / "scaling.json").write_text(json.dumps(found, indent=1) + "\n")
    if not o.rows:
        replace_between(ROOT / "docs/performance.md", MARK, text)
    print(text, end="")


if __name__ == "__main__":
    main()
