#!/usr/bin/env python3
"""From one thread to two: the nine nets of Table 1, their measured gain beside that of the processor's peak and beside what `spnc show --scaling` says.

  bench/scaling.py                        all nine; writes bench/scaling.json and the table between the markers of docs/performance.md
  bench/scaling.py --rows rnn_spn-d4      these alone, to build/bench; docs/performance.md stays

One and two threads run in turn, several rounds; each counts with its least time and its highest peak, so that a busy machine disturbs little.
"""

import os
import sys

import page
from run import Ours, ms, say


def measure(row, o):
    ours = Ours(row, o)
    predicted = {t["threads"]: t["speedup"] for t in page.show(row, o, "--scaling")["threads"]}
    found = {n: [] for n in (1, 2)}
    for _ in range(o.rounds):
        for n in found:
            found[n].append(ours.measure(threads=n))
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


if __name__ == "__main__":
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("scaling.py: this process may use one processor only, so there is no second thread to measure")
    page.write("scaling", measure, table, page.options(__doc__, threads=2))
