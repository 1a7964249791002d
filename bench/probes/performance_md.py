"""What the scripts share that measure the nine nets of Table 1 and write a part of docs/performance.md: options, what spnc shows of a net, the page."""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from peers import ROOT, ROWS, parse_row
from step_times import machine


def options(doc, threads, **more):
    """The parsed options; `more` are those of the script alone: name = (default, help)."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default=None, help="nets, such as conv,rnn_spn-d3 (default: all nine)")
    p.add_argument("--rounds", type=int, default=5)
    for name, (default, text) in more.items():
        p.add_argument(f"--{name}", type=type(default), default=default, help=text)
    p.add_argument("--batch", type=int, default=100)
    p.add_argument("--dropout", type=float, default=0.5)
    p.add_argument("--spnc", type=pathlib.Path, default=ROOT / "build" / "spnc")
    o = p.parse_args()
    if not o.spnc.exists():
        sys.exit(f"{sys.argv[0]}: {o.spnc} is not there: run make first")
    o.work, o.threads = ROOT / "build" / "bench", threads
    o.work.mkdir(parents=True, exist_ok=True)
    return o


def show(row, o, *form):
    """What `spnc show --json` says of the net, as step_times.Ours builds it."""
    model, d = parse_row(row)
    done = subprocess.run([o.spnc, "show", ROOT / "models" / f"{model}.yaml", "--set", f"d={d}", "--set", f"dropout={o.dropout}", "--set", "ramp=0",
                           "--batch", str(o.batch), "--json", *form], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def handover(o):
    """What bench/probes/handover.c prints, as a dict."""
    program = o.work / "handover"
    if not program.exists():
        subprocess.run(["cc", "-O3", "-march=native", "-fopenmp", ROOT / "bench/probes/handover.c", "-o", program], check=True)
    return json.loads(subprocess.run([program], capture_output=True, check=True, text=True).stdout)


def write(name, measure, table, o, usual=ROWS):
    """Measures the rows and prints their table; the usual ones go to bench/results/NAME.json and between the page's marks of that name, others to build/bench alone."""
    rows = o.rows.split(",") if o.rows else usual
    for row in rows:
        parse_row(row)
    found = {"date": datetime.date.today().isoformat(), "machine": machine(), "batch": o.batch, "dropout": o.dropout, "rounds": o.rounds, "nets": {}}
    for row in rows:
        found["nets"][row] = measure(row, o)
    text = table(found)
    (o.work if o.rows else ROOT / "bench/results").joinpath(f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    if not o.rows:
        page, begin, end = ROOT / "docs/performance.md", f"<!-- {name}: written by bench/probes/{name}.py -->", f"<!-- /{name} -->"
        before = page.read_text()
        if begin not in before:
            sys.exit(f"{name}.py: {page} has no line '{begin}'")
        page.write_text(re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}{end}", before, flags=re.S))
    print(text, end="")
