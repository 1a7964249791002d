#!/usr/bin/env python3
"""A roofline for each operator of a net: the instructions that its C says, by the unit that they need, and its bytes; the least time that this processor
takes for either, beside the time that the operator takes.

  bench/probes/roofline.py                        the nets that by bench/results/step_times.json are not faster than direct convolution at the peak could be; writes
                                           bench/results/roofline.json and the tables between the markers of docs/performance.md
  bench/probes/roofline.py --rows conv,rnn_spn-d3 these, to build/bench; docs/performance.md stays

bench/probes/count.h counts, in a second build of the same C; bench/probes/units.c measures the units, bench/probes/handover.c how fast 8 MiB are read that were just written;
NAME profile, without counting, the times.  All on one thread; a row counts with its least time, a rate with its highest.  Needs AVX-512, whose vectors are
those of the C, and for bench/probes/handover.c two processors.
"""

import json
import shutil
import subprocess

import performance_md                      # makes the modules of bench/harness known, too
from nets import ROOT, Ours, direct_ms, fail, handover, ms, say

UNITS = {"multiply_adds": "multiply-adds", "arithmetic": "arithmetic", "loads": "loads", "stores": "stores"}
SHOWN = 0.02                               # of the step, from which on an operator has a line of its own


def slow():
    """The nets whose training step takes longer than every sum of it would, direct and at the peak."""
    rows = json.loads((ROOT / "bench/results/step_times.json").read_text())["rows"]
    return [row for row, programs in rows.items() if programs["ours"]["train_ms"] > direct_ms(programs["ours"])]


def run(*command, **more):
    return json.loads(subprocess.run([str(c) for c in command], capture_output=True, check=True, text=True, **more).stdout)


def units(o):
    """Vectors a nanosecond, by unit."""
    program = o.work / "units"
    subprocess.run(["cc", "-O2", "-mavx512f", ROOT / "bench/probes/units.c", "-o", program], check=True)
    return run(program)


def counts(net, model):
    """For each row of the profile of the program `model`, built in the folder `net`, the vectors that pass through each unit in one step."""
    folder = net.with_name(net.name + "-counted")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(net, folder)
    net_objects = [o.name for o in folder.glob(f"{model}*.o")]
    for name in net_objects:
        (folder / name).unlink()
    for flags in ([f"CFLAGS=-O1 -include {ROOT / 'bench/probes/count.h'}", *net_objects], []):              # the net alone is counted
        subprocess.run(["make", "-s", "-C", folder, *flags], check=True)
    found = {u: run(folder / model, "profile", "--threads", "1", "--steps", "1", "--json", env={"COUNT": u, "PATH": "/usr/bin:/bin"}) for u in UNITS}
    if next(iter(found.values()))["target"] != "avx512":
        fail("this processor has no AVX-512")
    return [{u: found[u]["rows"][k]["ms"] * 1e6 for u in UNITS} for k in range(len(found["loads"]["rows"]))]


def measure(row, o):
    ours = Ours(row, o)
    counted, rounds, rates = counts(ours.folder, ours.model), [], []
    for _ in range(o.rounds):
        rounds.append(run(ours.folder / ours.model, "profile", "--threads", "1", "--steps", o.steps, "--json"))
        rates.append(units(o) | {"gb_s": handover(o)["own_gb_s"]})
    rates = {u: max(r[u] for r in rates) for u in rates[0]}
    rows = [{k: r[k] for k in ("name", "pass", "phase", "macs", "products", "bytes", "ms")} for r in rounds[0]["rows"]]
    for k, r in enumerate(rows):
        r["ms"] = min(found["rows"][k]["ms"] for found in rounds)
        r["vectors"] = counted[k]
    both = {}
    for r in rows:                                                                      # an operator's calls in several phases are one line
        key = (r["name"], r["pass"])
        if key in both:
            for field in ("macs", "products", "bytes", "ms"):
                both[key][field] += r[field]
            for u in UNITS:
                both[key]["vectors"][u] += r["vectors"][u]
        elif r["pass"] != "wait":
            both[key] = r
    net = {"rates": rates, "operators": sorted(both.values(), key=lambda r: -r["ms"])}
    for r in net["operators"]:
        least = {u: r["vectors"][u] / rates[u] * 1e-6 for u in UNITS}
        r["unit"] = max(least, key=least.get)
        r["instructions_ms"], r["bytes_ms"] = least[r["unit"]], r["bytes"] / rates["gb_s"] * 1e-6
        r["least_ms"] = min(max(r["instructions_ms"], r["bytes_ms"]), r["ms"])              # bytes that a cache holds are faster, and no bound
    for k in ("ms", "instructions_ms", "bytes_ms", "least_ms"):
        net[k] = sum(r[k] for r in net["operators"])
    net["direct_ms"] = sum(r["macs"] for r in net["operators"]) / 16 / rates["multiply_adds"] * 1e-6
    say(f"{row}: {net['ms']:.2f} ms; instructions {net['instructions_ms']:.2f}, bytes {net['bytes_ms']:.2f}, every sum direct at the peak {net['direct_ms']:.2f}")
    return net


def table(found):
    m, nets = found["machine"], found["nets"]
    lines = [f"{m['cpu']}, one thread, batch {found['batch']}, dropout {found['dropout']}, {found['date']}; the rates are those of each net's own rounds.", "", "| | " + " | ".join(nets) + " |", "| --- |" + " ---: |" * len(nets)]
    for text, key in (("ms a step", "ms"), ("every sum direct and at the peak", "direct_ms"), ("instructions alone, ms", "instructions_ms"),
                      ("bytes alone, ms", "bytes_ms"), ("the larger of the two, operator by operator, ms", "least_ms")):
        lines.append(f"| {text} | " + " | ".join(ms(n[key]) for n in nets.values()) + " |")
    for text, key in [(f"vectors a nanosecond: {text}", u) for u, text in UNITS.items()] + [("bytes a nanosecond", "gb_s")]:
        lines.append(f"| {text} | " + " | ".join(f"{n['rates'][key]:.2f}" for n in nets.values()) + " |")
    for name, n in nets.items():
        lines += ["", f"`{name}`:", "", "| operator | pass | million vectors: multiply-adds | arithmetic | loads | stores | MB | instructions, ms | by | bytes, ms | measured, ms | share |",
                  "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |"]
        shown = [r for r in n["operators"] if r["ms"] >= SHOWN * n["ms"]]
        rest = [r for r in n["operators"] if r["ms"] < SHOWN * n["ms"]]
        others = {k: sum(r[k] for r in rest) for k in ("ms", "instructions_ms", "bytes_ms", "least_ms", "bytes")}
        others |= {"name": f"{len(rest)} others", "pass": "", "unit": "", "vectors": {u: sum(r["vectors"][u] for r in rest) for u in UNITS}}
        for r in shown + [others]:
            lines.append(f"| {r['name']} | {r['pass']} | " + " | ".join(f"{r['vectors'][u] * 1e-6:.2f}" for u in UNITS) + f" | {r['bytes'] * 1e-6:.1f} | {r['instructions_ms']:.2f} |"
                         f" {UNITS.get(r['unit'], '')} | {r['bytes_ms']:.2f} | {r['ms']:.2f} | {100 * r['least_ms'] / r['ms']:.0f} % |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    options = performance_md.options(__doc__, threads=1, steps=(5, "of each round"))
    performance_md.write("roofline", measure, table, options, slow())
