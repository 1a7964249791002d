"""The nine nets of Table 1, and models for daily work that have a twin, as spnc makes them: their names, their options, a program of each and its bench.

A net is named by its row: conv, ffn_spn-d1 to -d4, rnn_spn-d1 to -d4; or by its model, which has a class of that name in twins.py.  The options `o` of a script have spnc (the compiler), work (a folder
for programs), batch, dropout and threads.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from machine import Watch

ROOT = pathlib.Path(__file__).resolve().parents[2]
TWINS = {model: f"models/{model}.yaml" for model in ("resnet20", "depthwise", "unet", "lstm_rows")}
TWINS |= {model: f"bench/models/{model}.yaml" for model in ("dcgan", "mlp", "gru_rows", "gru_stacked", "gru_chars")}
RECURRENT = ["gru_rows", "gru_stacked", "gru_chars", "lstm_rows"]       # of TWINS: measured by --recurrent
ROWS = ["conv"] + [f"{model}-d{d}" for model in ("ffn_spn", "rnn_spn") for d in (1, 2, 3, 4)]


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(text):
    """Ends the script with exit code 1."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {text}")


def ms(value):
    """Milliseconds with three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def parse_row(row):
    """'rnn_spn-d3' is ('rnn_spn', 3); 'conv' is ('conv', 1), and so are the models with a twin."""
    if row in TWINS:
        return row, 1
    if row not in ROWS:
        fail(f"unknown row '{row}'; there are {', '.join(ROWS + list(TWINS))}")
    model, _, d = row.partition("-d")
    return model, int(d or 1)


def spnc(verb, row, o, *more, batch=None):
    """The command `spnc VERB` on the net of a row: of one of the nine, one dropout rate everywhere, from the first epoch on."""
    model, d = parse_row(row)
    path, sets = TWINS.get(row, f"models/{model}.yaml"), [] if row in TWINS else ["--set", f"d={d}", "--set", f"dropout={o.dropout}", "--set", "ramp=0"]
    return [str(word) for word in (o.spnc, verb, ROOT / path, *sets, "--batch", batch or o.batch, *more)]


class Ours:
    """The program of a row, built from nothing; build_s is how long that took."""

    def __init__(self, row, o, batch=None):
        self.model, self.threads = parse_row(row)[0], o.threads
        self.folder = o.work / (row if batch is None else f"{row}-batch{batch}")
        command = spnc("build", row, o, "-o", self.folder, batch=batch)
        shutil.rmtree(self.folder, ignore_errors=True)
        begin = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL)
        if done.returncode:
            fail(f"{' '.join(command)}: exit {done.returncode}")
        self.build_s = time.monotonic() - begin

    def measure(self, _seconds=None, threads=None):
        """bench's own object, beside rss_mb as the system counted it."""
        watch = Watch()
        child = subprocess.Popen([self.folder / self.model, "bench", "--threads", str(threads or self.threads), "--json"],
                                 stdout=subprocess.PIPE)
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            fail(f"{self.folder / self.model} bench: exit {child.returncode}")
        found = json.loads(text)
        found["rss_mb"] = usage.ru_maxrss * 1024 / 1e6
        found["foreign"] = watch.foreign(usage.ru_utime + usage.ru_stime)
        return found

    def update_bytes(self):
        """What the update reads and writes in a step, as the program's profile counts it."""
        text = subprocess.run([self.folder / self.model, "profile", "--threads", "1", "--steps", "1", "--json"], capture_output=True, check=True, text=True).stdout
        return sum(row["bytes"] for row in json.loads(text)["rows"] if row["pass"] == "update")

    def close(self):
        pass


def handover(o):
    """What bench/probes/handover.c prints, as a dict."""
    program = o.work / "handover"
    if not program.exists():
        subprocess.run(["cc", "-O3", "-march=native", "-fopenmp", ROOT / "bench/probes/handover.c", "-o", program], check=True)
    return json.loads(subprocess.run([program], capture_output=True, check=True, text=True).stdout)


def direct_ms(ours):
    """The least that a training step could take if every sum were made as it is written; `ours` has step_gflop and peak_gflops, as bench gives them."""
    return 1e3 * ours["step_gflop"] / ours["peak_gflops"]
