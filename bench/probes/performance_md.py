"""Parts of docs/performance.md, each written by the script of its name (where.py, scaling.py, roofline.py): their options, and what they have in common.

A script measures each net, keeps the figures in bench/results/NAME.json, and its table takes the place of what stood between the marks
`<!-- NAME: written by bench/probes/NAME.py -->` and `<!-- /NAME -->`.
"""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from machine import machine
from nets import ROOT, ROWS, fail, parse_row, spnc


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
        fail(f"{o.spnc} is not there: run make first")
    o.work, o.threads = ROOT / "build" / "bench", threads
    o.work.mkdir(parents=True, exist_ok=True)
    return o


def show(row, o, *form):
    """What `spnc show --json` says of the net, as nets.Ours builds it."""
    return json.loads(subprocess.run(spnc("show", row, o, "--json", *form), capture_output=True, check=True, text=True).stdout)


def write(name, measure, table, o, usual=ROWS):
    """Measures the rows and prints their table; the usual ones go to bench/results/NAME.json and between the marks, others to build/bench alone."""
    rows = o.rows.split(",") if o.rows else usual
    for row in rows:
        parse_row(row)
    found = {"date": datetime.date.today().isoformat(), "machine": machine(), "batch": o.batch, "dropout": o.dropout, "rounds": o.rounds, "nets": {}}
    for row in rows:
        found["nets"][row] = measure(row, o)
    text = table(found)
    (o.work if o.rows else ROOT / "bench/results").joinpath(f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    if not o.rows:
        document, begin, end = ROOT / "docs/performance.md", f"<!-- {name}: written by bench/probes/{name}.py -->", f"<!-- /{name} -->"
        before = document.read_text()
        if begin not in before:
            fail(f"{document} has no line '{begin}'")
        document.write_text(re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}{end}", before, flags=re.S))
    print(text, end="")
