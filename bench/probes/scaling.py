#!/usr/bin/env python3
"""From one thread to two: the nine nets of Table 1, their measured gain beside that of the processor's peak and beside what `spnc show --scaling` says.

  bench/probes/scaling.py                        all nine; writes bench/results/scaling.json and the table between the markers of docs/performance.md
  bench/probes/scaling.py --rows rnn_spn-d4      these alone, to build/bench; docs/performance.md stays

One and two threads run in turn, several rounds; each counts with its least time and its highest peak, so that a busy machine disturbs little.
Beside each round of two threads bench/probes/handover.c says how far the two processors are from each other, which on a virtual machine may change.
"""

import os

import performance_md                  # makes the modules of bench/harness known, too
from nets import Ours, fail, handover, ms, say
from stats import median


def measure(row, o):
    ours = Ours(row, o)
    predicted = {t["threads"]: t["speedup"] for t in performance_md.show(row, o, "--scaling")["threads"]}
    found = {n: [] for n in (1, 2)}
    for _ in range(o.rounds):
        for n in found:
            apart = handover(o) if n == 2 else {}
            found[n].append(ours.measure(threads=n) | apart)
    least = {n: min(b["train_ms"] for b in found[n]) for n in found}
    peak = {n: max(b["peak_gflops"] for b in found[n]) for n in found}
    apart = [{k: b[k] for k in ("train_ms", "ns", "own_gb_s", "other_gb_s")} for b in found[2]]
    net = {"ms": [least[1], least[2]], "apart": apart, "peak_gflops": [peak[1], peak[2]], "gain": least[1] / least[2], "peak_gain": peak[2] / peak[1], "predicted": predicted[2]}
    say(f"{row}: {least[1]:.2f} ms, {least[2]:.2f} ms on two, {distance(net)} ns apart; {net['gain']:.2f} times faster, the peak {net['peak_gain']:.2f}, the model says {net['predicted']:.2f}")
    return net


def distance(net):
    """Nanoseconds between the processors beside the round that counts."""
    return min(net["apart"], key=lambda a: a["train_ms"])["ns"]


def table(found):
    lines = [f"{found['machine']['cpu']}, batch {found['batch']}, dropout {found['dropout']}, {found['date']}.", "",
             "| net | ms on one thread | on two | ns apart | times faster | the peak | share of the peak's gain | by the model |", "| --- |" + " ---: |" * 7]
    for name, n in found["nets"].items():
        lines.append(f"| {name} | {ms(n['ms'][0])} | {ms(n['ms'][1])} | {distance(n)} | {n['gain']:.2f} | {n['peak_gain']:.2f} | {n['gain'] / n['peak_gain']:.2f} | {n['predicted']:.2f} |")
    rounds = [a for n in found["nets"].values() for a in n["apart"]]
    lines += ["", "Reading 8 MiB that were just written, GB/s:"]
    for text, some in (("nearer than 120 ns", [a for a in rounds if a["ns"] < 120]), ("farther", [a for a in rounds if a["ns"] >= 120])):
        if some:
            lines[-1] += f" {text}, own {median(a['own_gb_s'] for a in some):.0f}, the other's {median(a['other_gb_s'] for a in some):.0f} ({len(some)} rounds);"
    lines[-1] = lines[-1][:-1] + "; medians."
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(os.sched_getaffinity(0)) < 2:
        fail("this process may use one processor only, so there is no second thread to measure")
    performance_md.write("scaling", measure, table, performance_md.options(__doc__, threads=2))
