#!/usr/bin/env python3
"""Where the time of a training step goes: the nine nets of Table 1, by kinds of work, beside the peak of the same runs.

  bench/probes/where.py                        all nine; writes bench/results/where.json and the table between the markers of docs/performance.md
  bench/probes/where.py --rows conv,rnn_spn-d3 these alone, to build/bench; docs/performance.md stays

Each net's `profile` runs several times on one thread; a row of it counts with its least time, so that a busy machine disturbs little.
"""

import json
import subprocess

import performance_md                  # makes the modules of bench/harness known, too
from nets import Ours, ms, say

KINDS = ["Winograd, forward", "Winograd, data gradient", "Winograd, weight gradient", "direct convolution, all passes",
         "convolution with its pool, forward", "convolution with its pool, gradients", "dense and recurrent, forward",
         "dense and recurrent, data gradient", "dense and recurrent, weight gradient", "sampler", "pools, dropout, sums and the like",
         "folding groups' gradients", "loading", "optimiser and clipping", "waiting"]


def kind_of(row, operators):
    """Which of KINDS a row of profile is; `operators` has the operator and kernel of each name."""
    name, turn = row["name"], row["pass"]
    plain = {"wait": "waiting", "fold": "folding groups' gradients", "update": "optimiser and clipping", "load": "loading"}
    if turn in plain:
        return plain[turn]
    operator, kernel = operators.get(name, ("", ""))
    if operator == "conv" and "winograd" in kernel:
        return {"forward": KINDS[0], "backward": KINDS[1]}.get(turn, KINDS[2])
    if operator == "conv":
        return "direct convolution, all passes"
    if operator == "conv_pool":
        return KINDS[4] if turn == "forward" else KINDS[5]
    if operator in ("dense", "gru_gates"):
        return {"forward": KINDS[6], "backward": KINDS[7]}.get(turn, KINDS[8])
    if operator == "spn":
        return "sampler"
    if operator in ("load", "load_bytes", "labels", "augment"):
        return "loading"
    return "pools, dropout, sums and the like"


def least(rounds):
    """The rows of profile with the least time of the rounds."""
    rows = [dict(r) for r in rounds[0]["rows"]]
    for found in rounds[1:]:
        for row, other in zip(rows, found["rows"]):
            assert (row["name"], row["pass"], row["phase"]) == (other["name"], other["pass"], other["phase"])
            row["ms"] = min(row["ms"], other["ms"])
    return rows


def measure(row, o):
    ours = Ours(row, o)
    operators = {l["name"]: (l["op"], l["kernel"]) for l in performance_md.show(row, o)["layers"]}
    rounds = [json.loads(subprocess.run([ours.folder / ours.model, "profile", "--threads", "1", "--steps", str(o.steps), "--json"], capture_output=True,
                                        check=True, text=True).stdout) for _ in range(o.rounds)]
    peak, rows = max(r["peak_gflops"] for r in rounds), least(rounds)
    total = sum(r["ms"] for r in rows)
    kinds = {}
    for r in rows:
        k = kinds.setdefault(kind_of(r, operators), {"ms": 0.0, "products": 0.0, "macs": 0.0, "bytes": 0.0})
        for key in k:
            k[key] += r[key]
    slowest = sorted(rows, key=lambda r: -r["ms"])[:3]
    say(f"{row}: {total:.2f} ms on one thread, peak {peak:.0f} GFLOP/s")
    return {"step_ms": total, "peak_gflops": peak, "target": rounds[0]["target"], "kinds": kinds, "slowest": slowest}


def percent(value):
    return f"{100 * value:.0f}" if value >= 0.095 else f"{100 * value:.1f}"


def cell(net, kind):
    """The share of the step, and the share of the peak by the multiply-adds that are made."""
    k = net["kinds"].get(kind)
    if not k or k["ms"] < 0.0005 * net["step_ms"]:
        return ""
    of_peak = 2e-6 * k["products"] / (k["ms"] * net["peak_gflops"])
    return percent(k["ms"] / net["step_ms"]) + (f" ({percent(of_peak)})" if of_peak >= 0.005 else "")


def floors(net):
    """Milliseconds that all multiply-adds would take at the peak as the sums are written, those that are made, and what operators without any do take."""
    kinds = net["kinds"].values()
    return [2e-6 * sum(k["macs"] for k in kinds) / net["peak_gflops"], 2e-6 * sum(k["products"] for k in kinds) / net["peak_gflops"],
            sum(k["ms"] for k in kinds if not k["products"])]


def table(found):
    m, nets = found["machine"], found["nets"]
    lines = [f"Per cent of a training step on one thread; in brackets per cent of the peak, by the multiply-adds that are made. {m['cpu']},"
             f" {next(iter(nets.values()))['target']}, batch {found['batch']}, dropout {found['dropout']}, {found['date']}.", "",
             "| | " + " | ".join(nets) + " |", "| --- |" + " ---: |" * len(nets),
             "| ms a step | " + " | ".join(ms(n["step_ms"]) for n in nets.values()) + " |",
             "| peak, GFLOP/s | " + " | ".join(f"{n['peak_gflops']:.0f}" for n in nets.values()) + " |"]
    for at, text in enumerate(("every sum direct and at the peak, ms", "the products that are made, at the peak, ms", "operators without products, ms")):
        lines.append(f"| {text} | " + " | ".join(ms(floors(n)[at]) for n in nets.values()) + " |")
    lines += [f"| {kind} | " + " | ".join(cell(n, kind) for n in nets.values()) + " |" for kind in KINDS if any(cell(n, kind) for n in nets.values())]
    lines += ["", "The three operators that take most of each:", "", "| net | operator | pass | % of the step | % of the peak | GB/s |", "| --- | --- | --- | ---: | ---: | ---: |"]
    for name, n in nets.items():
        for r in n["slowest"]:
            lines.append(f"| {name} | {r['name']} | {r['pass']} | {percent(r['ms'] / n['step_ms'])} | {percent(2e-6 * r['products'] / (r['ms'] * n['peak_gflops']))} |"
                         f" {1e-6 * r['bytes'] / r['ms']:.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    performance_md.write("where", measure, table, performance_md.options(__doc__, threads=1, steps=(5, "of each round")))
