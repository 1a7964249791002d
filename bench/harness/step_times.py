#!/usr/bin/env python3
"""One run of ours and theirs, side by side: every round measures each program once, so that all see the same machine.

  bench/harness/step_times.py                          all nine nets of Table 1, all modes; writes bench/results/step_times.{json,md,svg}
  bench/harness/step_times.py --quick --rows conv      one short round, written to build/bench
  bench/harness/step_times.py --ours                   ours alone, written to build/bench: needs no Python environment
  bench/harness/step_times.py --curves                 ours over batch sizes and threads, into the same files
  bench/harness/step_times.py --twins                  the models for daily work that have a twin (twins.py); writes twins.{json,md,svg} there
  bench/harness/step_times.py --recurrent              GRUs and LSTM over rows and characters, beside the bound of their arithmetic; writes recurrent.{json,md,svg} there

Per net, the peers stay alive in processes of their own (peers.py --serve), warmed up and compiled, idle while another is measured;
ours is started anew each time. A figure is the median of the rounds; its spread is (largest - smallest) / median.
"""

import argparse
import datetime
import json
import os
import pathlib
import select
import subprocess
import sys
import time

from machine import Watch, machine, used_seconds
from nets import RECURRENT, ROOT, ROWS, TWINS, Ours, direct_ms, handover, ms, parse_row, say
from stats import geometric, median
from svg_charts import curves_svg, results_svg

MODES = ["eager", "compile", "channels_last", "compile_channels_last", "bf16"]
FLOATS = ["eager", "channels_last", "compile", "compile_channels_last"]
WIDE = 0.15                              # a spread from which on a figure is not to be trusted
FOREIGN = 0.05                           # so much of the processors' time for other programs makes a machine busy
TITLES = {"ours": "spnc", "eager": "PyTorch eager", "compile": "PyTorch compile", "channels_last": "PyTorch channels_last",
          "compile_channels_last": "PyTorch compile, channels_last", "bf16": "PyTorch bf16 autocast, channels_last",
          "bf16_compile": "PyTorch bf16 autocast, compile", "jax": "JAX jit"}


# ---- ours and theirs --------------------------------------------------------------------------------------------------------

class Peer:
    def __init__(self, row, mode, o):
        env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}         # numpy's affair, not the machine's
        env |= {"OMP_NUM_THREADS": str(o.threads), "MKL_NUM_THREADS": str(o.threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.name, self.log = f"{row} {mode}", o.work / f"{row}-{mode}.log"
        with open(self.log, "w") as log:
            self.child = subprocess.Popen(
                [o.python, ROOT / "bench" / "harness" / "peers.py", "--serve", "--row", row, "--mode", mode, "--batch", str(o.batch),
                 "--threads", str(o.threads), "--dropout", str(o.dropout)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=env)
        self.about = self.read(900)

    def read(self, seconds):
        ready, _, _ = select.select([self.child.stdout], [], [], seconds)
        line = self.child.stdout.readline() if ready else ""
        if not line:
            self.close()
            raise RuntimeError(f"{self.name}: no answer; see {self.log}")
        return json.loads(line)

    def measure(self, seconds):
        watch, before = Watch(), used_seconds(self.child.pid)
        self.child.stdin.write(f"{seconds}\n")
        self.child.stdin.flush()
        found = self.read(900)
        after = used_seconds(self.child.pid)
        found["foreign"] = watch.foreign(after - before if before is not None and after is not None else None)
        return found

    def close(self):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


def summary(rounds):
    """Medians of the rounds and how far they lie apart."""
    out = {"rounds": rounds}
    for key in ("train_ms", "eval_ms"):
        values = [r[key] for r in rounds]
        out[key], out[key[:-3] + "_spread"] = median(values), (max(values) - min(values)) / median(values)
    out["rss_mb"] = max(r["rss_mb"] for r in rounds)
    out["foreign"] = max((r["foreign"] or 0.0 for r in rounds))
    out["wide"] = max(out["train_spread"], out["eval_spread"]) > WIDE or out["foreign"] > FOREIGN
    return out


def measure_row(row, o, versions):
    """All programs of one net; the order turns from round to round."""
    ours, programs = Ours(row, o), {}
    programs["ours"] = ours
    for mode in o.modes:
        say(f"{row}: {TITLES[mode]} starts")
        try:
            programs[mode] = Peer(row, mode, o)
            versions |= {k: v for k, v in programs[mode].about.items() if k in ("torch", "jax")}
        except RuntimeError as problem:
            say(f"step_times.py: {problem}")
    found, names = {name: [] for name in programs}, list(programs)
    try:
        for i in range(o.rounds):
            turn = i % len(names)
            for name in names[turn:] + names[:turn]:
                time.sleep(0.5)                                      # threads of the one before stop spinning
                found[name].append(programs[name].measure(o.seconds))
                last = found[name][-1]
                say(f"{row} round {i + 1}: {TITLES[name]:32} {last['train_ms']:9.2f} ({last['eval_ms']:.2f}) ms")
    finally:
        for program in programs.values():
            program.close()
    out = {name: summary(rounds) for name, rounds in found.items()}
    out["ours"] |= {"build_s": ours.build_s, "step_gflop": found["ours"][0]["step_gflop"], "target": found["ours"][0]["target"],
                    "peak_gflops": median([r["peak_gflops"] for r in found["ours"]])}
    if row in RECURRENT:
        out["ours"] |= {"update_bytes": ours.update_bytes(), "read_gb_s": max(handover(o)["own_gb_s"] for _ in range(3))}
    for mode in o.modes:
        if mode in out:
            out[mode]["import_mb"], out[mode]["ready_s"] = programs[mode].about["import_mb"], programs[mode].about["ready"]
    return out


def best(programs, key, kind):
    """The fastest mode of the frameworks in float32 ('float') or bf16, or None."""
    names = [n for n in programs if n != "ours" and n.startswith("bf16") == (kind == "bf16")]
    return min(names, key=lambda n: programs[n][key], default=None)


def ratio(programs, key, kind):
    """How many times faster ours is than their best, or None."""
    name = best(programs, key, kind)
    return programs[name][key] / programs["ours"][key] if name else None


def memory_share(programs):
    """Our peak memory by the least of a framework's float32 modes, of which the import of the framework is taken away; None: none was measured."""
    theirs = [p["rss_mb"] - p["import_mb"] for n, p in programs.items() if n != "ours" and not n.startswith("bf16")]
    return programs["ours"]["rss_mb"] / min(theirs) if theirs else None


def bound_ms(ours):
    """What a step's multiply-adds take at the FMA peak, and the update's bytes at the rate at which a thread reads them."""
    return direct_ms(ours) + 1e-6 * ours["update_bytes"] / ours["read_gb_s"]


# ---- curves -----------------------------------------------------------------------------------------------------------------

def curves(o):
    """Ours alone: milliseconds over batch sizes (all threads) and over threads (the batch of --batch)."""
    out = {}
    threads = sorted({1, o.threads} | {2 ** i for i in range(8) if 2 ** i <= os.cpu_count()})
    keep = ("train_ms", "eval_ms", "step_gflop", "peak_gflops", "rss_mb", "foreign")
    for row in o.rows:
        out[row] = {"batch": [], "threads": []}
        for batch in o.batches:
            found = Ours(row, o, batch).measure()
            out[row]["batch"].append({"batch": batch} | {k: found[k] for k in keep})
            say(f"{row}, batch {batch}: {found['train_ms']:.2f} ({found['eval_ms']:.2f}) ms")
        ours = Ours(row, o)
        for count in threads:
            found = ours.measure(threads=count)
            out[row]["threads"].append({"threads": count} | {k: found[k] for k in keep})
            say(f"{row}, threads {count}: {found['train_ms']:.2f} ({found['eval_ms']:.2f}) ms")
    return out


# ---- the table --------------------------------------------------------------------------------------------------------------

def times(value, mark=""):
    return f"{value:.1f}x{mark}" if value else ""


def cell(program):
    return f"{ms(program['train_ms'])} ({ms(program['eval_ms'])}){' ~' if program['wide'] else ''}" if program else ""


def busy(found):
    """Whether any figure is not to be trusted."""
    alone = [p for c in found.get("curves", {}).values() for p in c["batch"] + c["threads"]]
    return any(p["wide"] for programs in found["rows"].values() for p in programs.values()) or any(
        (p["foreign"] or 0.0) > FOREIGN for p in alone)


def header(found):
    m, v = found["machine"], found["versions"]
    return (f"{m['cpu']}, {found['threads']} threads of {m['processors']} processors, {m['system']}; batch {found['batch']}, dropout"
            f" {found['dropout']}; {', '.join(f'{k} {v[k]}' for k in sorted(v))}; {found['date']}; {found['rounds']} round{'s' * (found['rounds'] != 1)}."
            + (" Spread is wide." if busy(found) else ""))


def table(found):
    rows = found["rows"]
    names = [n for n in TITLES if any(n in p for p in rows.values())]
    lines = ["# Ours beside the frameworks", "",
             "Milliseconds for a whole training step (dropout, clipping and optimiser included); in brackets a forward pass in eval mode.",
             header(found), ""]
    if busy(found):
        lines += [f"**Spread is wide** (where a net's figure bears `~`): rounds lie more than {WIDE:.0%} apart, or other programs took more"
                  f" than {FOREIGN:.0%} of the processors. Measure again on a quiet machine.", ""]
    if not rows:
        return "\n".join(lines) + curves_table(found.get("curves", {}))
    lines += ["| | " + " | ".join(rows) + " | mean |", "| --- |" + " ---: |" * (len(rows) + 1)]

    def line(title, of, mean=""):
        lines.append(f"| {title} | " + " | ".join(of(p) for p in rows.values()) + f" | {mean} |")

    for name in names[1:] + names[:1]:
        line(TITLES[name], lambda p: cell(p.get(name)))
    line("all multiply-adds, direct, at the FMA peak", lambda p: ms(direct_ms(p["ours"])))
    for kind, label in (("float", "float32"), ("bf16", "bf16")):
        for key, what in (("train_ms", "training step"), ("eval_ms", "forward pass")):
            ratios = [ratio(p, key, kind) for p in rows.values()]
            if any(ratios):
                line(f"ours against the best in {label}, {what}", lambda p: times(ratio(p, key, kind)), times(geometric(ratios)))
    if found.get("stem") == "recurrent":
        line("the bound: these, and the update's bytes at the read rate", lambda p: ms(bound_ms(p["ours"])))
        line("ours, times the bound", lambda p: f"{p['ours']['train_ms'] / bound_ms(p['ours']):.2f}")
        line("the best of PyTorch, times the bound", lambda p: f"{p[best(p, 'train_ms', 'float')]['train_ms'] / bound_ms(p['ours']):.2f}" if best(p, "train_ms", "float") else "")
        line("FMA peak, GFLOP/s", lambda p: f"{p['ours']['peak_gflops']:.0f}")
        line("read rate, GB/s", lambda p: f"{p['ours']['read_gb_s']:.0f}")
    if found.get("stem") == "twins":
        line("ours, times its multiply-adds at the peak", lambda p: f"{p['ours']['train_ms'] / direct_ms(p['ours']):.2f}")
        shares = [memory_share(p) for p in rows.values()]
        line("memory of ours by the least of theirs, each above its import", lambda p: f"{memory_share(p):.2f}" if memory_share(p) else "", f"{geometric(shares):.2f}" if any(shares) else "")
    line("peak memory, ours, MB", lambda p: f"{p['ours']['rss_mb']:.0f}")
    for name in names[1:]:
        line(f"peak memory, {TITLES[name]}, MB", lambda p: f"{p[name]['rss_mb']:.0f}" if name in p else "")
    imports = [p[n]["import_mb"] for p in rows.values() for n in p if n != "ours"]
    line("`spnc build`, s", lambda p: f"{p['ours']['build_s']:.1f}")
    line("largest spread", lambda p: f"{max(max(x['train_spread'], x['eval_spread']) for x in p.values()):.0%}")
    if imports:
        lines += ["", f"Importing a framework alone takes {min(imports):.0f} to {max(imports):.0f} MB of its memory."]
    return "\n".join(lines) + "\n" + curves_table(found.get("curves", {}))


def curves_table(found):
    """Batch sizes as microseconds an example; threads with the gain of the step beside that of the peak."""
    lines = []
    for row, c in found.items():
        lines += ["", f"## {row}: batch sizes and threads", "", "| batch | " + " | ".join(str(b["batch"]) for b in c["batch"]) + " |",
                  "| --- |" + " ---: |" * len(c["batch"])]
        for key, what in (("train_ms", "training step"), ("eval_ms", "forward pass")):
            lines.append(f"| {what}, microseconds an example | " + " | ".join(f"{1e3 * b[key] / b['batch']:.1f}" for b in c["batch"]) + " |")
        one = c["threads"][0]
        lines += ["", "| threads | " + " | ".join(str(t["threads"]) for t in c["threads"]) + " |", "| --- |" + " ---: |" * len(c["threads"]),
                  "| training step, ms | " + " | ".join(ms(t["train_ms"]) for t in c["threads"]) + " |",
                  "| gain | " + " | ".join(f"{one['train_ms'] / t['train_ms']:.2f}" for t in c["threads"]) + " |",
                  "| gain of the FMA peak | " + " | ".join(f"{t['peak_gflops'] / one['peak_gflops']:.2f}" for t in c["threads"]) + " |"]
    return "\n".join(lines) + "\n" if lines else ""


def write(found, out):
    out.mkdir(parents=True, exist_ok=True)
    stem = found.get("stem", "step_times")
    texts = {stem + ".json": json.dumps(found, indent=1) + "\n", stem + ".md": table(found)}
    if any(len(p) > 1 for p in found["rows"].values()):
        ratios = {row: {n: {k: p[n][k] / p["ours"][k] for k in ("train_ms", "eval_ms")} for n in p if n != "ours"}
                  for row, p in found["rows"].items() if len(p) > 1}
        texts[stem + ".svg"] = results_svg(ratios, TITLES, header(found))
    if found.get("curves"):
        texts["curves.svg"] = curves_svg(found["curves"], header(found))
    for name, text in texts.items():
        (out / (name + ".part")).write_text(text)
        (out / (name + ".part")).replace(out / name)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default=None, help="nets, such as conv,rnn_spn-d3 (default: all nine; with --twins all that have one)")
    p.add_argument("--twins", action="store_true", help="models for daily work instead of the nine: the float32 modes, without dropout")
    p.add_argument("--recurrent", action="store_true", help="likewise the recurrent ones: nn.GRU and nn.LSTM, and a loop of compiled steps")
    p.add_argument("--modes", default=None, help=f"default: {','.join(MODES)}, with --twins {','.join(FLOATS)}; there are bf16_compile and jax too")
    p.add_argument("--jax", action="store_true", help="JAX too, if the environment has it (make_env.sh --jax)")
    p.add_argument("--ours", action="store_true", help="ours alone, to build/bench: the published table stays")
    p.add_argument("--rounds", type=int, default=None, help="default 5, with --recurrent 3, with --quick 1")
    p.add_argument("--seconds", type=float, default=None, help="of training steps a round, in a framework (default 10, with --recurrent or --quick 2)")
    p.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    p.add_argument("--batch", type=int, default=100)
    p.add_argument("--dropout", type=float, default=0.5, help="the same rate in ours and theirs (default %(default)s; 0: none)")
    p.add_argument("--curves", action="store_true", help="ours over batch sizes and threads, for the rows given, instead of the table")
    p.add_argument("--batches", default="16,32,64,100,128,256,512", help="of --curves")
    p.add_argument("--quick", action="store_true", help="one short round, to build/bench")
    p.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    p.add_argument("--python", default=None, help="interpreter of the peers (default: build/bench-env/bin/python, else this one)")
    p.add_argument("-o", "--out", type=pathlib.Path, default=None, help="folder for the results (default: bench/results; build/bench with --quick or --ours)")
    o = p.parse_args()
    nets, modes = (RECURRENT, FLOATS[::2]) if o.recurrent else ([row for row in TWINS if row not in RECURRENT], FLOATS) if o.twins else (ROWS, MODES)
    o.rounds, o.seconds = o.rounds or (1 if o.quick else 3 if o.recurrent else 5), o.seconds or (2 if o.quick or o.recurrent else 10)
    o.rows, o.modes, o.dropout = o.rows or ",".join(nets), o.modes or ",".join(modes), o.dropout if nets is ROWS else 0.0
    o.rows, o.batches, o.work = o.rows.split(","), [int(b) for b in o.batches.split(",")], ROOT / "build" / "bench"
    o.modes = [] if o.ours else o.modes.split(",") + ["jax"] * (o.jax and "jax" not in o.modes)
    o.out = o.out or (o.work if o.quick or (o.ours and not o.curves) else ROOT / "bench" / "results")
    env = ROOT / "build" / "bench-env" / "bin" / "python"
    o.python = o.python or (str(env) if env.exists() else sys.executable)
    for mode in o.modes:
        if mode not in TITLES or mode == "ours":
            p.error(f"unknown mode '{mode}'; there are {', '.join(list(TITLES)[1:])}")
    for row in o.rows:
        parse_row(row)
        if row not in nets:
            p.error(f"'{row}' is measured {'with --recurrent' if row in RECURRENT else 'with --twins' if row in TWINS else 'without --twins and --recurrent'}")
    o.work.mkdir(parents=True, exist_ok=True)

    found = {"date": datetime.date.today().isoformat(), "machine": machine(), "versions": {}, "threads": o.threads, "batch": o.batch,
             "dropout": o.dropout, "rounds": o.rounds, "stem": "recurrent" if o.recurrent else "twins" if o.twins else "step_times", "rows": {}}
    load = found["machine"]["load_before"]
    if load > 0.5:
        say(f"step_times.py: the machine is busy (load average {load}); the spread will be wide")
    found["versions"]["spnc"] = subprocess.run([o.spnc, "--version"], capture_output=True, text=True).stdout.split()[-1]
    if o.curves:
        kept = o.out / "step_times.json"
        found = json.loads(kept.read_text()) if kept.exists() else found
        found["curves"] = curves(o)
        write(found, o.out)
    for row in [] if o.curves else o.rows:
        found["rows"][row] = measure_row(row, o, found["versions"])
        write(found, o.out)                                          # after each net: a run that is stopped keeps what it has
    print(table(found), end="")
    wide = [f"{row} {n}" for row, programs in found["rows"].items() for n, x in programs.items() if x["wide"]]
    if wide:
        say(f"step_times.py: the spread is wide: {', '.join(wide)}")


if __name__ == "__main__":
    main()
