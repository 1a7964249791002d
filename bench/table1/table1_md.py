"""docs/table1.md, its curves, and README's table: made of rows.json, beyond.json, experiments.json and logs/ beside this file."""

import gzip
import json
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
import claims
from svg_charts import errors_svg

PAPER = {**dict(zip(("rnn_spn-d1", "rnn_spn-d2", "rnn_spn-d3", "rnn_spn-d4"), (1.8, 1.5, 1.8, 2.3))),
         **dict(zip(("ffn_spn-d1", "ffn_spn-d2", "ffn_spn-d3", "ffn_spn-d4"), (4.4, 2.0, 2.9, 5.3))), "conv": 2.9}
TITLES = {"rnn_spn": "RNN-SPN", "ffn_spn": "FFN-SPN", "conv": "conv net"}
BEGIN, END = "<!-- table1: written by make table1 -->\n", "<!-- /table1 -->"


def percent(share, digits=2):
    return "" if share is None else f"{100 * share:.{digits}f}"


def title(row):
    model, _, d = row.partition("-d")
    return TITLES.get(model, model) + (f" d={d}" if d else "")


def in_table(rows):
    """Row to the run that the table shows: of the finished ones of the first seed that with the least validation error."""
    shown = {}
    for e in rows:
        if e["seed"] == 1 and e["test_error"] is not None and (e["row"] not in shown or e["valid_error"] < shown[e["row"]]["valid_error"]):
            shown[e["row"]] = e
    return shown


def grid(rows):
    """The paper's table with our lines below its own."""
    shown = in_table(rows)
    text = "| | d=1 | d=2 | d=3 | d=4 |\n| --- | --- | --- | --- | --- |\n"
    for model, depths in (("rnn_spn", "1234"), ("ffn_spn", "1234"), ("conv", "")):
        names = [f"{model}-d{d}" for d in depths] or [model]
        blank = [""] * (4 - len(names))
        ours = [percent(shown[n]["test_error"]) if n in shown else "" for n in names]
        text += f"| {TITLES[model]}, paper | " + " | ".join([str(PAPER[n]) for n in names] + blank) + " |\n"
        text += f"| {TITLES[model]}, spnc | " + " | ".join(ours + blank) + " |\n"
    return text


def short_settings(e):
    """What says how a run differs from others; d has a column of its own."""
    return " ".join(f"{k}={v}" for k, v in e["settings"].items() if k in ("dropout", "border", "start", "dense", "after_conv3", "in_front", "layers", "filters", "first", "every"))


def runs_table(rows):
    text = ("| row | test error, % | 95 % interval | by position | validation, % | epochs (best) | dropout | seed | hours | parameters | model hash | commit |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
    shown = in_table(rows)
    for e in rows:
        name = f"**{title(e['row'])}**" if shown.get(e["row"]) is e else title(e["row"])
        test = percent(e["test_error"]) if e["test_error"] is not None else "unfinished"
        interval = " to ".join(percent(v) for v in e["interval"]) if e["interval"] else ""
        text += "| " + " | ".join([
            name, test, interval, " ".join(percent(p) for p in e["test_positions"] or []), percent(e["valid_error"]),
            f"{e['epochs']} ({e['best_epoch'] + 1})", e["settings"]["dropout"], str(e["seed"]), f"{e['seconds'] / 3600:.2f}",
            f"{e['parameters']:,}", f"`{e['model_hash'][:8]}`", f"`{e['commit'][:8]}`" if e["commit"] else ""]) + " |\n"
    return text


def comparison(rows):
    """A sentence a row: where the interval lies beside the paper's figure."""
    text = ""
    for row, e in in_table(rows).items():
        low, high = (100 * v for v in e["interval"])
        where = "below" if high < PAPER[row] else "above" if low > PAPER[row] else "around"
        text += f"- {title(row)}: {percent(e['test_error'])} %, the paper {PAPER[row]} %; the interval {low:.2f} to {high:.2f} lies {where} the paper's figure.\n"
    return text and text + "\n"


def seeds(rows):
    """The rows of the table that were trained with other seeds too, each in a line: all figures and their mean."""
    text = ""
    for row, shown in in_table(rows).items():
        same = [e for e in rows if e["test_error"] is not None and (e["row"], e["model_hash"], e["train"]["epochs"]) == (row, shown["model_hash"], shown["train"]["epochs"])]
        if len(same) > 1:
            mean = statistics.mean(e["test_error"] for e in same)
            text += "| " + " | ".join([title(row), ", ".join(f"{percent(e['test_error'])} (seed {e['seed']})" for e in same), percent(mean), str(PAPER[row])]) + " |\n"
    return "\n| row | test error of each seed, % | mean | paper |\n| --- | --- | --- | --- |\n" + text if text else ""


def experiments_text(experiments):
    text = ""
    for e in experiments:
        fixed = " ".join(f"{k}={v}" for k, v in e["set"].items())
        text += f"### {e['key']}, on {title(e['row'])}{', ' + fixed if fixed else ''}\n"
        text += f"Up to {e['epochs']} epochs, seed {e['seed']}" + (f", commit `{e['commit'][:8]}`" if e["commit"] else "") + f": `{e['command']}`\n\n"
        text += f"| {e['key']} | least validation error, % | at epoch | epochs | training loss of the last |\n| --- | --- | --- | --- | --- |\n"
        for t in e["tried"]:
            value = f"**{t['value']}**" if t["value"] == e["chosen"] else t["value"]
            state = str(t["epochs"]) + ("" if t["finished"] else ", unfinished")
            text += f"| {value} | {percent(t['valid_error'])} | {t['best_epoch'] + 1} | {state} | {t['train_loss']:.4f} |\n"
        text += "\n"
    return text


def beyond_text(beyond, rows, row, what):
    """The steps beyond the paper (name to what it brings), below the row they begin from."""
    base = in_table(rows).get(row)
    text = ("| step | test error, % | 95 % interval | validation, % | epochs (best) | seed | hours | model hash | command |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
    steps = [(f"{title(row)}, the paper's, as in the table", base)] if base else []
    for name, text_of in what.items():
        steps += [("+ " + text_of, e) for e in beyond if e["row"] == name] or [("+ " + text_of, None)]
    for name, e in steps:
        if not e:                                   # what the lines below have, too
            text += f"| {name} |" + "  |" * 8 + "\n"
            continue
        over = e["test_error"] is not None
        text += "| " + " | ".join([name, percent(e["test_error"]) if over else "unfinished", " to ".join(percent(v) for v in e["interval"]) if over else "", percent(e["valid_error"]),
                                   f"{e['epochs']} ({e['best_epoch'] + 1})", str(e["seed"]), f"{e['seconds'] / 3600:.2f}", f"`{e['model_hash'][:8]}`", f"`{e['command']}`"]) + " |\n"
    return f"### From {title(row)}\n{text}\n"


def attention_text(rows):
    """What the paper says of attention, measured on the runs of the table; "" while there is none."""
    seen = {row: e for row, e in in_table(rows).items() if e.get("attention")}
    if not seen:
        return ""
    epochs = (1, 2, 5, 10, 20, 50)
    text = ATTENTION + "| row | " + " | ".join(f"after {k}" for k in epochs) + " | best epoch | holds its digit, % | nearest to its digit, % |\n" + "| --- " * (len(epochs) + 4) + "|\n"
    for row in PAPER:
        if row not in seen:
            continue
        a, scales = seen[row]["attention"], dict(map(tuple, seen[row]["scales"]))
        text += "| " + " | ".join([title(row)] + [f"{scales[k]:.2f}" if k in scales else "" for k in epochs]
                                  + [f"{a['scale']:.2f}", percent(a["holds"], 1), percent(a["nearest"], 1)]) + " |\n"
    both = [d for d in "1234" if f"rnn_spn-d{d}" in seen and f"ffn_spn-d{d}" in seen]
    if both:
        text += BESIDE + "| d | only RNN-SPN | only FFN-SPN | of | p |\n| --- | --- | --- | --- | --- |\n"
    for d in both:
        rnn, ffn = (seen[f"{m}-d{d}"]["right_images"] for m in ("rnn_spn", "ffn_spn"))
        only, only_other, p = claims.mcnemar(rnn, ffn)
        text += f"| {d} | {only} | {only_other} | {rnn['count']} | {p:.1e} |\n"
    return text


def read_log(out, name):
    return [json.loads(line) for line in gzip.decompress((out / "bench/table1/logs" / name).read_bytes()).decode().splitlines()]


def machine_text(m):
    return f"{m['processor']}, {m['processors']} processors, {m['threads']} thread{'' if m['threads'] == 1 else 's'}, {m['system']}, {m['compiler']}"


def machines(rows):
    found = {}
    for e in rows:
        if e["machine"].get("processor"):
            found.setdefault(machine_text(e["machine"]), []).append(title(e["row"]))
    return "".join(f"- {machine}: {', '.join(dict.fromkeys(names))}\n" for machine, names in found.items())


def repeats(rows):
    """Rows that another kind of processor has trained anew."""
    text = "".join(f"- {title(e['row'])}, commit `{(r['commit'] or '')[:8]}`: {machine_text(r['machine'])}\n" for e in rows for r in e.get("repeats", []))
    return "\nTrained once more from the beginning, on another kind of processor, to the same bits (the SHA-256 of the weights is that of the row):\n\n" + text if text else ""


PAGE = """# Table 1 of the paper, trained anew

Written by `make table1` from [rows.json](../bench/table1/rows.json), [beyond.json](../bench/table1/beyond.json), [experiments.json](../bench/table1/experiments.json) and the logs of the runs
in `bench/table1/logs/`; do not edit. Share of wrong digits on the test split of cluttered MNIST sequences, in per cent; an empty cell has not been measured, or its
run is not over.

{grid}
{comparison}The intervals are Wilson's for a share of all digits of the test split, at 95 %. They are a little too narrow, because three digits share an image and images share the
digits of MNIST's test set; the paper gives one run a row and no interval.

## Curves
Wrong digits on the validation split after each epoch, of the first seed; the marks at the right are the paper's figures, of its test split.

![Validation error by epoch of every run](table1/curves.svg)

## Every run
A run in bold is in the table: of a row's finished runs of the first seed it is the one with the least *validation* error; other seeds of it are shown beside it, and never in its place.
Hours are wall clock, on a machine with other work to do.

{runs}{seeds}
Machines:

{machines}{repeats}
## How a run is made
Data: `spn-data make` with MNIST; the training ran in a folder without the test split, which was evaluated once, with the weights of the best validation epoch, when the
run was over. Nets and training are those of `models/`: the paper's sizes, and what its text leaves open as in the authors' code (RMSprop, rate 5e-4, divided by 1.5
from epoch 31, counted from 0, on every 12 epochs; at most {epochs} epochs here, since the rate is an eleventh by then; 50 epochs without a better validation error end a run).
The dropout rate is chosen on the validation split, first among 0, 0.2 and 0.4 in runs of 40 epochs of the cheapest row of the family (see below), then among whole runs: with more pixels a net has
more weights and overfits at that rate, and after 100 epochs a little dropout is better than none where it was not after 40. All of these runs are in the list above.

{settings}
A row is repeated, to the same bits, by
```
SPN_MNIST=FOLDER make table1 ROWS="rnn_spn-d4" RUNS=runs
```
which goes on where it was stopped, and compares the weights' SHA-256 with the one in `bench/table1/rows.json`. The exact command of each row:
```
{commands}```
{attention}{beyond}{chosen}{glimpses}"""


ATTENTION = """
## Where the nets look
Scale: the side of a square with the crop's area, as a share of the image's side, in the mean over all steps of the first 1,000 validation images after so many epochs, and of all of them with the
weights of the best epoch. Holds: the share of the RNN-SPN's steps whose box holds the middle of the digit that is to be read there (the first step the first digit, and so on); nearest: the share
whose middle has this digit nearest of the three. The places of the digits are those of `spn-data make --places`.

"""

BESIDE = """
Which reads more images of the test split, all three digits of them, the net that looks three times or the one that looks once? Images that only one of the two reads, and the probability of so uneven
a division if both read equally well (McNemar's test, exact).

"""

BEYOND = """
## Beyond the paper
No rows of Table 1: the same net ([models/rnn_spn_today.yaml](../models/rnn_spn_today.yaml)) with what is usual today, one thing more in each line; from d = 3 on in runs of 40 epochs, else at full length. An empty line has not been trained by itself. Evaluated like the rows above: the test split once, with the weights that validation chose.

"""


def write_pages(out, rows, beyond, experiments, steps, epochs, write_file):
    """Writes the pages; `epochs` is the usual number of a row's."""
    lines = {"RNN-SPN": [], "FFN-SPN, conv net": []}
    shown = in_table(rows)
    for e in (e for e in rows if e["seed"] == 1):
        label = title(e["row"]) + ("" if shown.get(e["row"]) is e or e["row"] not in shown else f", {e['model_hash'][:4]}" + (f", {e['train']['epochs']} epochs" if e["train"]["epochs"] > epochs else ""))
        points = [(x["epoch"] + 1, 100 * x["valid_error"]) for x in read_log(out, e["log"])]
        lines["RNN-SPN" if e["model"] == "rnn_spn" else "FFN-SPN, conv net"].append((label, points, e["row"]))
    write_file(out / "docs/table1/curves.svg", errors_svg({k: v for k, v in lines.items() if v}, PAPER))
    pictures = [e for e in shown.values() if (out / "docs/table1" / (e["log"].split(".")[0] + ".png")).exists()]
    glimpses = "".join(f"### {title(e['row'])}\n![Images with the places looked at, the crops, and what was read](table1/{e['log'].split('.')[0]}.png)\n\n"
                       for e in pictures)
    text = PAGE.format(
        grid=grid(rows), comparison=comparison(rows), runs=runs_table(rows), seeds=seeds(rows), machines=machines(rows + beyond), repeats=repeats(rows), epochs=epochs,
        settings="".join(f"- {title(e['row'])}: {short_settings(e)}{', at most %d epochs' % e['train']['epochs'] if e['train']['epochs'] != epochs else ''}\n" for e in shown.values()),
        commands="".join(e["command"] + "\n" for e in rows) or "make table1\n",
        attention=attention_text(rows),
        beyond=BEYOND + "".join(beyond_text(beyond, rows, row, what) for row, what in steps.items() if any(e["row"] in what for e in beyond)) if beyond else "",
        chosen="\n## Experiments on the validation split\n" + experiments_text(experiments) if experiments else "",
        glimpses="## Glimpses\nThe first six images of the test split: where each step looked (red, green, blue), what it saw, and what was read; a wrong digit is red, the\n"
                 "right one in brackets.\n\n" + glimpses if glimpses else "")
    write_file(out / "docs/table1.md", text.rstrip("\n") + "\n")
    readme = out / "README.md"
    if readme.exists():
        before = readme.read_text()
        if BEGIN in before and END in before:
            write_file(readme, re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + grid(rows) + END, before, flags=re.S))
