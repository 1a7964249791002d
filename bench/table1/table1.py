#!/usr/bin/env python3
"""Table 1 of the paper, reproduced: data, nine trainers, their runs, and what came out, in files that this program alone writes.

  bench/table1/table1.py                               all rows, in order of cost; goes on where it was stopped
  bench/table1/table1.py --rows "rnn_spn-d3 conv"      these rows; a row named here is trained again if its model hash is another now
  bench/table1/table1.py --choose dropout=0.0,0.2,0.4 --rows rnn_spn-d4     an experiment, judged on the validation split alone
  bench/table1/table1.py --rows "beyond-schedule"      beyond the paper: what is known today, a step at a time; never in the table, trained only if named
  bench/table1/table1.py --docs                        no training: reads what the runs hold so far, writes the documents anew

Writes, below --out (the checkout):
  bench/table1/rows.json             a list, one object a run; test_error is null until the run is finished
  bench/table1/beyond.json           the steps beyond the paper, likewise
  bench/table1/experiments.json      what was tried on the validation split; never in the table
  bench/table1/logs/*.log.jsonl.gz   the log of every run that they speak of
  docs/table1.md, docs/table1/       made of these alone, and the table between the markers in README.md

A run is trained in a folder that has no test split.  When it is over (--epochs, or the model's patience), the weights of its best
validation epoch are evaluated on the test split, once: the answer is kept in the folder of the runs, and no later call asks again.
Where a row has several runs, the table has the one with the least validation error; all are listed.
Any moment is a good one to stop or kill it: the next call goes on to the same bits.

Exit codes: 0 fine; 1 the input is wrong, or a repeated row has other bits; 2 usage; 74 the environment; 128 + n signal n.
"""

import argparse
import array
import collections
import ctypes
import fcntl
import filecmp
import functools
import gzip
import hashlib
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import claims
from table1_md import write_pages

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = {**{f"{m}-d{d}": (m, d) for d in (3, 4, 2) for m in ("rnn_spn", "ffn_spn")}, "conv": ("conv", 1),
        "rnn_spn-d1": ("rnn_spn", 1), "ffn_spn-d1": ("ffn_spn", 1)}                  # in order of cost
# Beyond the paper, from a row on: each step has what those before it have, and one thing more: what it is, and its settings of rnn_spn_today.
Ladder = collections.namedtuple("Ladder", "epochs plain steps")            # at most so many epochs; the settings that no step has brought yet
PLAIN = {"shift": "0", "rotate": "0", "scale": "0", "pieces": "0", "dropout": "0.2", "over": "elements", "layers": "3", "filters": "32", "average": "0"}
LADDERS = {
    "rnn_spn-d3": Ladder(40, PLAIN | {"first": "15", "every": "3"}, {
        "beyond-schedule": ("40 epochs, the rate divided by 1.5 after 15 and every 3 more; no epsilon in the loss", {}),
        "beyond-moved": ("images moved by up to 3 pixels, turned by 5 degrees, 0.9 to 1.1 times as large", {"shift": "3", "rotate": "5", "scale": "0.1"}),
        "beyond-clutter": ("four more pieces of clutter, others in every epoch", {"pieces": "4"}),
        "beyond-channels": ("dropout of whole channels, at 0.1, instead of elements", {"over": "channels", "dropout": "0.1"})}),
    "rnn_spn-d1": Ladder(100, PLAIN | {"layers": "4", "first": "31", "every": "12"}, {
        "today-length": ("100 epochs, the rate divided by 1.5 after 31 and every 12 more; no epsilon in the loss", {}),
        "today-average": ("an average of the weights", {"average": "0.999"}),
        "today-dropout": ("dropout 0.1", {"dropout": "0.1"})})}
STEPS = {name: row for row, ladder in LADDERS.items() for name in ladder.steps}
NETS = {**ROWS, **{name: ("rnn_spn_today", ROWS[row][1]) for name, row in STEPS.items()}}
KIND, RATES, LOOK = "dropout", ("0.0", "0.2", "0.4"), 40          # chosen on validation among these, after so many epochs,
CHOOSER = {"rnn_spn": "rnn_spn-d4", "ffn_spn": "ffn_spn-d4", "conv": "ffn_spn-d4"}   # on the cheapest row of the family
EPOCHS = 100                    # the schedule's rate is 11 times smaller by then
SPLITS, ARRAYS = ("train", "valid", "test"), ("image", "digits")
LOOKED_AT = 1000                # images of the validation split whose transforms are looked at after each epoch


def settings_of(step):
    """What this step and those before it bring."""
    ladder = LADDERS[STEPS[step]]
    order = list(ladder.steps)
    found = dict(ladder.plain)
    for earlier in order[:order.index(step) + 1]:
        found |= ladder.steps[earlier][1]
    return found


def usual_epochs(row):
    return LADDERS[STEPS[row]].epochs if row in STEPS else EPOCHS


def say(text):
    print(f"table1: {text}", flush=True)


def fail(code, text):
    print(f"table1: error: {text}", file=sys.stderr, flush=True)
    sys.exit(code)


def write_file(path, content):
    """Whole or not at all; untouched if it says so already."""
    content = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    os.replace(new, path)


def write_json(path, value):
    write_file(path, json.dumps(value, indent=1) + "\n")


def read_json(path, default=None):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return default
    except ValueError as e:
        fail(1, f"{path}: not JSON: {e}")


# ---- other programs ---------------------------------------------------------------------------------------------------------

class Children:
    """One child at a time; a signal that we get is passed on, and obeyed when the child has saved."""

    def __init__(self):
        self.child, self.signal = None, 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:                              # nohup asks to go on
                signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        first, self.signal = not self.signal, number
        if not self.child:
            sys.exit(128 + number)
        if first:
            self.child.send_signal(number)

    @staticmethod
    def die_with_parent():
        """A trainer whose caller was killed stops too, and saves."""
        try:
            ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
        except AttributeError:                                                          # not Linux
            pass

    def run(self, *command, output=False, watch=None, keep=()):
        """Exit code 0 or the end of this program; `watch` is called every second; gives what was printed if `output`."""
        command = [str(c) for c in command]
        try:
            child = subprocess.Popen(command, cwd=ROOT, start_new_session=True, preexec_fn=self.die_with_parent, pass_fds=keep,
                                     stdout=subprocess.PIPE if output else None, text=True,
                                     env={"OMP_WAIT_POLICY": "passive", **os.environ})
        except OSError as e:
            fail(74, f"{command[0]}: {e.strerror}")
        self.child = child
        if self.signal:
            child.send_signal(self.signal)
        if output:
            text = child.communicate()[0]
        else:
            text = None
            while True:
                try:
                    child.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    if watch:
                        watch()
        self.child = None
        if watch:
            watch()
        if self.signal:
            sys.exit(128 + self.signal)
        if child.returncode:
            fail(child.returncode if child.returncode > 0 else 70, f"{' '.join(command)}: exit {child.returncode}")
        return text


def lock(folder):
    """One at a time in a folder of runs; children hold the lock too, so that it outlasts a caller that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    for _ in range(100):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
        except BlockingIOError:
            time.sleep(0.1)
    fail(74, f"{folder}: another table1 is at work there; wait for it, stop it, or give another folder with RUNS=")


# ---- runs -------------------------------------------------------------------------------------------------------------------

class Run:
    """A net and its training in RUNS/ROW/HASH: program/, the trainer's run folder seedN/, and our own facts in seedN.json; seedN-EPOCHS for one of
    more epochs than usual, which is another run than its beginning, and stands beside it."""

    def __init__(self, runs, row, model_hash, part):
        self.row, self.hash, self.part = row, model_hash, part
        self.seed = int(part[4:].split("-")[0])
        self.base = runs / row / model_hash
        self.program = self.base / "program" / NETS[row][0]
        self.folder, self.about, self.picture, self.weights = (self.base / (part + end) for end in ("", ".json", ".png", ".npz"))
        self.scales = self.base / f"{part}.scales.jsonl"             # of the transforms, by epoch
        self.name = f"{row}-{model_hash[:8]}-{part}"
        self.facts = read_json(self.about, {})

    @property
    def identity(self):
        return self.row, self.hash, self.part

    @staticmethod
    def part_of(row, seed, epochs):
        """The name of a run among those of its net: its epochs belong to it where there are more than usual."""
        return f"seed{seed}" + (f"-{epochs}" if epochs > usual_epochs(row) else "")

    def keep(self, **facts):
        self.facts |= facts
        write_json(self.about, self.facts)

    def log_text(self):
        """Whole lines."""
        try:
            text = (self.folder / "log.jsonl").read_text()
        except FileNotFoundError:
            return ""
        return text[:text.rfind("\n") + 1]

    def log(self):
        return [json.loads(line) for line in self.log_text().splitlines()]

    def saved(self):
        """Is the newest checkpoint not older than the log's last line?"""
        last = self.folder / "last"
        return last.exists() and last.stat().st_mtime_ns >= (self.folder / "log.jsonl").stat().st_mtime_ns

    def looks(self):
        """The mean scale of the transforms by epoch, as far as it was seen."""
        return [json.loads(line) for line in self.scales.read_text().splitlines()] if self.scales.exists() else []


def best_of(log):
    """As the trainer: the first epoch of the least validation error."""
    return min(log, key=lambda e: e["valid_error"]) if log else None


def wilson(share, n, z=1.959964):
    """95 % interval of a share of n."""
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [round((middle + sign * half) / (1 + z * z / n), 7) for sign in (-1, 1)]


def entry(run):
    """What the JSON says of a run."""
    f, log, best = run.facts, run.log(), best_of(run.log())
    machine, test = read_json(run.folder / "machine.json", {}), f.get("test")
    trained = read_json(run.folder / "run.json", {})
    return {"row": run.row, "model": f["model"], "d": f["d"], "settings": f["settings"], "seed": run.seed, "epochs": len(log),
            "best_epoch": best and best["epoch"], "seconds": round(sum(e["seconds"] for e in log), 1), "parameters": f["parameters"],
            "valid_error": best and best["valid_error"], "test_error": test and test["error"],
            "test_positions": test and test["positions"], "test_digits": test and test["digits"],
            "interval": test and wilson(test["error"], test["digits"]), "interval_kind": "Wilson, 95 %, share of digits",
            "commit": f["commit"], "machine": {**machine, "threads": trained.get("threads")}, "command": f["command"],
            "model_hash": run.hash, "weights_sha256": f.get("weights_sha256"), "data": f["data"],
            "attention": f.get("attention"), "right_images": f.get("right_images"), "scales": [[e["epoch"], e["scale"]] for e in run.looks()],
            "train": {k: v for k, v in trained.get("train", {}).items() if k != "epochs"} | {"epochs": f["epochs"]},
            "log": run.name + ".log.jsonl.gz"}


class Results:
    """The JSON files and logs below `out`; runs found in `runs` take the place of what was known of them."""

    def __init__(self, out, runs):
        self.out, self.runs = out, runs
        self.rows_path, self.experiments_path = out / "bench/table1/rows.json", out / "bench/table1/experiments.json"
        self.beyond_path = out / "bench/table1/beyond.json"
        self.rows, self.beyond, self.experiments = (read_json(path, []) for path in (self.rows_path, self.beyond_path, self.experiments_path))

    @staticmethod
    def identity(e):
        return e["row"], e["model_hash"], Run.part_of(e["row"], e["seed"], e["train"]["epochs"])

    def keep_log(self, run):
        """Compressed anew only if it says something else: another zlib may give other bytes."""
        path, text = self.out / "bench/table1/logs" / (run.name + ".log.jsonl.gz"), run.log_text().encode()
        if not path.exists() or gzip.decompress(path.read_bytes()) != text:
            write_file(path, gzip.compress(text, 9, mtime=0))

    @staticmethod
    def note_repeat(before, run):
        """A finished row that another kind of processor has trained anew, to the same weights."""
        machine, trained = read_json(run.folder / "machine.json", {}), read_json(run.folder / "run.json", {})
        repeat = {"machine": {**machine, "threads": trained.get("threads")}, "commit": run.facts["commit"]}
        same = run.facts.get("weights_sha256") == before["weights_sha256"] and before["weights_sha256"]
        if same and machine.get("processor") and machine["processor"] != before["machine"].get("processor"):
            others = [r for r in before.get("repeats", []) if r["machine"].get("processor") != machine.get("processor")]
            before["repeats"] = others + [repeat]

    @staticmethod
    def note_attention(before, run):
        """A finished row, trained anew to the same weights by a version that looks at transforms."""
        if run.facts.get("attention") and not before.get("attention") and run.facts.get("weights_sha256") == before["weights_sha256"]:
            before |= {k: v for k, v in entry(run).items() if k in ("attention", "right_images", "scales")}

    def collect(self):
        known = {self.identity(e): e for e in self.rows + self.beyond}
        for about in sorted(self.runs.glob("*/*/seed*.json")):
            run = Run(self.runs, about.parts[-3], about.parts[-2], about.stem)
            if run.row not in NETS or not run.facts.get("is_row") or not run.log_text():
                continue
            before, shown = known.get(run.identity), self.out / "docs/table1" / (run.name + ".png")
            if before and before["test_error"] is not None:                  # a finished one stays as it was measured,
                self.note_repeat(before, run)
                self.note_attention(before, run)
            elif not before or run.facts.get("test") or len(run.log()) >= before["epochs"]:      # and an unfinished one that came farther, elsewhere
                known[run.identity] = entry(run)
                self.keep_log(run)
            if run.picture.exists() and run.row in ROWS and not shown.exists():
                write_file(shown, run.picture.read_bytes())
        order = list(NETS)
        both = sorted(known.values(), key=lambda e: (order.index(e["row"]), e["seed"], e["model_hash"], e["train"]["epochs"]))
        self.rows, self.beyond = [e for e in both if e["row"] in ROWS], [e for e in both if e["row"] in STEPS]
        for e in read_json(self.runs / "experiments.json", []):
            now, before = self.judge(e), next((x for x in self.experiments if x["command"] == e["command"]), None)
            if before is None:
                self.experiments.append(now)
            elif now["chosen"] or not before["chosen"]:                     # one that is over is not forgotten while it is repeated
                self.experiments[self.experiments.index(before)] = now
        write_json(self.rows_path, self.rows)
        write_json(self.beyond_path, self.beyond)
        write_json(self.experiments_path, self.experiments)

    def judge(self, e):
        """The tried values of an experiment with their best validation errors within its epochs."""
        tried = []
        for value, model_hash in e["hashes"].items():
            run = Run(self.runs, e["row"], model_hash, Run.part_of(e["row"], e["seed"], e["epochs"]))
            log = run.log()[:e["epochs"]]
            best, over = best_of(log), len(log) == e["epochs"] or run.facts.get("over", 0) >= e["epochs"]
            if log:
                tried.append({"value": value, "model_hash": model_hash, "epochs": len(log), "best_epoch": best["epoch"],
                              "valid_error": best["valid_error"], "train_loss": log[-1]["train_loss"], "finished": over,
                              "seconds": round(sum(x["seconds"] for x in log), 1), "log": run.name + ".log.jsonl.gz"})
                self.keep_log(run)
        done = len(tried) == len(e["values"]) and all(t["finished"] for t in tried)
        chosen = min(tried, key=lambda t: t["valid_error"])["value"] if done else None
        return {**{k: e[k] for k in ("key", "values", "row", "seed", "epochs", "set", "commit", "command")}, "tried": tried, "chosen": chosen}

    def pages(self):
        write_pages(self.out, self.rows, self.beyond, self.experiments, {row: {name: what for name, (what, _) in ladder.steps.items()} for row, ladder in LADDERS.items()}, EPOCHS, write_file)

    def chosen(self, row):
        """The dropout rate that its family's cheapest row chose, or None."""
        for e in self.experiments:
            if (e["key"], e["row"], e["set"]) == (KIND, CHOOSER[ROWS[row][0]], {}) and e["chosen"]:
                return e["chosen"]
        return None


# ---- the work ---------------------------------------------------------------------------------------------------------------

class Table:
    def __init__(self, o):
        self.o, self.children = o, Children()
        self.lock = lock(o.runs)
        self.results = Results(o.out, o.runs)
        self.commit = self.find_commit()

    def find_commit(self):
        """This checkout's; with -changed if a file besides our own answers is not as committed."""
        git = lambda *a: subprocess.run(["git", "-C", ROOT, *a], capture_output=True, text=True)
        head = git("rev-parse", "HEAD")
        if head.returncode:
            return None
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/table1/*.json", ":!bench/table1/logs/", ":!docs/table1*", ":!README.md")
        return head.stdout.strip() + ("-changed" if changed.stdout.strip() else "")

    def make_data(self, folder):
        """spn-data's images and places of the digits.  Ends this program if there is no MNIST."""
        if not self.o.drawn and not os.environ.get("SPN_MNIST"):
            fail(1, "Table 1 is about MNIST: set SPN_MNIST to the folder of its four files")
        shutil.rmtree(folder, ignore_errors=True)
        self.children.run(ROOT / "build/spn-data", "make", *(["--drawn"] if self.o.drawn else ["--mnist", os.environ["SPN_MNIST"]]), "--places",
                          *(x for s, count in zip(SPLITS, self.o.sizes) for x in (f"--{s}", count)), "--seed", self.o.data_seed, "-o", folder)

    @functools.cached_property
    def places(self):
        """Where the digits of the validation split lie: for each image (row, column) of each digit."""
        path = self.o.runs / "data/valid_places.npy"
        if not path.exists():                                                           # data of an earlier version: the same images made again
            new = self.o.runs / "data.again"
            self.make_data(new)
            if not filecmp.cmp(new / "valid_image.npy", self.o.runs / "data/valid_image.npy", shallow=False):
                fail(1, f"{new}: other images than those of {self.o.runs / 'data'}: where their digits lie is not known")
            for s in SPLITS:
                (new / f"{s}_places.npy").rename(path.with_name(f"{s}_places.npy"))
            shutil.rmtree(new)
        content = path.read_bytes()
        numbers = array.array("i", content[10 + int.from_bytes(content[8:10], "little"):])
        return [[tuple(numbers[k:k + 2]) for k in range(i, i + 6, 2)] for i in range(0, len(numbers), 6)]

    @functools.cached_property
    def data(self):
        """RUNS/data, and RUNS/seen without the test split; gives what the rows say of it."""
        data, about = self.o.runs / "data", self.o.runs / "data.json"
        sizes = dict(zip(SPLITS, self.o.sizes))
        files = [data / f"{s}_{a}.npy" for s in SPLITS for a in ARRAYS]
        if not all(f.exists() for f in files):
            new = self.o.runs / "data.new"
            self.make_data(new)
            about.unlink(missing_ok=True)
            shutil.rmtree(data, ignore_errors=True)
            new.rename(data)
        seen = self.o.runs / "seen"
        seen.mkdir(exist_ok=True)
        for f in files:
            if not f.name.startswith("test_") and not (seen / f.name).is_symlink():
                (seen / f.name).symlink_to(pathlib.Path("../data") / f.name)
        facts = read_json(about, {})
        if not facts:
            digest = hashlib.sha256()
            for f in files:
                with open(f, "rb") as s:
                    while block := s.read(1 << 22):
                        digest.update(block)
            counts = {s: (data / f"{s}_image.npy").stat().st_size // 10000 for s in SPLITS}       # 100 x 100 bytes each
            facts = {"digits": "drawn" if self.o.drawn else "MNIST", "seed": self.o.data_seed, **counts, "sha256": digest.hexdigest()}
            write_json(about, facts)
        if {s: facts[s] for s in SPLITS} != sizes or facts["seed"] != self.o.data_seed:
            fail(1, f"{data}: holds {facts}, wanted {sizes} with seed {self.o.data_seed}; give another folder with RUNS=")
        return facts

    def model(self, row, settings):
        """Arguments for spnc that say which net."""
        model, d = NETS[row]
        return [f"models/{model}.yaml"] + [x for k, v in {"d": d, **settings}.items() for x in ("--set", f"{k}={v}")]

    def open_run(self, row, settings, epochs, command, is_row):
        """The run of these settings, its program built; its facts written, unless an earlier call did."""
        data = self.data
        shown = json.loads(self.children.run(ROOT / "build/spnc", "show", *self.model(row, settings), "--json", output=True))
        run = Run(self.o.runs, row, shown["hash"], Run.part_of(row, self.o.seed, epochs))
        if not run.program.exists():
            new = run.base / "program.new"
            shutil.rmtree(new, ignore_errors=True)
            say(f"{run.name}: building {' '.join(self.model(row, settings))}")
            self.children.run(ROOT / "build/spnc", "build", *self.model(row, settings), "-o", new, output=True)
            new.rename(run.base / "program")
        info = json.loads(self.children.run(run.program, "info", "--json", output=True))
        if info["model_hash"] != run.hash:
            fail(70, f"{run.program}: its model hash is {info['model_hash']}, not {run.hash}")
        fresh = {"model": NETS[row][0], "d": NETS[row][1], "parameters": info["parameter_count"], "commit": self.commit, "data": data,
                 "settings": dict(word.split("=", 1) for word in info["settings"].split()), "command": command, "epochs": epochs}
        if is_row and not run.facts.get("is_row"):
            run.keep(**fresh | {"commit": run.facts.get("commit", self.commit), "is_row": True})
        elif not run.facts:
            run.keep(**fresh)
        return run

    def train(self, run, epochs):
        """To `epochs` or to the end of patience."""
        if run.facts.get("over", 0) >= epochs or len(run.log()) >= epochs:
            return
        seen = len(run.log())
        say(f"{run.name}: training" + (f", going on after {seen} epochs" if seen else ""))

        def watch():
            nonlocal seen
            lines = run.log_text().count("\n")
            if lines != seen and run.saved():
                seen = lines
                self.look(run, lines)
                self.results.collect()

        self.children.run(run.program, "train", "--data", self.o.runs / "seen", "--run", run.folder, "--seed", run.seed, "--epochs", epochs,
                          "--resume", *(["--threads", self.o.threads] if self.o.threads else []), watch=watch, keep=(self.lock,))
        run.keep(over=epochs)

    def answers(self, run, folder, split, count, *more):
        """What `predict` says of the first examples of a split."""
        command = [run.program, "predict", "--run", run.folder, "--data", self.o.runs / folder, "--split", split, "--count", count, "--json", *more]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        return json.loads(done.stdout)["examples"] if done.returncode == 0 else None

    def look(self, run, epochs):
        """Notes how far the transforms zoom after so many epochs, from the newest checkpoint.  An epoch that is over before this program sees it is left out."""
        if run.facts["model"] not in ("rnn_spn", "ffn_spn"):
            return
        examples = self.answers(run, "seen", "valid", min(LOOKED_AT, self.data["valid"]), "--last", "--threads", 1)
        if examples and run.log_text().count("\n") == epochs and all(e["epoch"] != epochs for e in run.looks()):
            with run.scales.open("a") as f:
                f.write(json.dumps({"epoch": epochs, "scale": round(claims.mean_scale(examples), 5)}) + "\n")

    def attend(self, run):
        """Of the weights that validation chose: where they look, on the validation split, and which images of the test split they read."""
        if run.facts["model"] not in ("rnn_spn", "ffn_spn") or run.facts.get("attention"):
            return
        places = self.places
        examples, test = self.answers(run, "seen", "valid", self.data["valid"]), self.answers(run, "data", "test", self.data["test"])
        if examples is None or test is None:
            fail(70, f"{run.name}: predict failed")
        held, near = claims.in_order(examples, places) if run.facts["model"] == "rnn_spn" else (None, None)
        run.keep(attention={"scale": claims.mean_scale(examples), "holds": held, "nearest": near}, right_images=claims.right_images(test))

    def weights_sha256(self, run):
        """Of the exported arrays by name: the same for every program with the same bits."""
        self.children.run(run.program, "export", "--run", run.folder, "-o", run.weights, output=True)
        digest = hashlib.sha256()
        with zipfile.ZipFile(run.weights) as arrays:
            for name in sorted(arrays.namelist()):
                digest.update(name.encode() + b"\0" + arrays.read(name))
        return digest.hexdigest()

    def finish(self, run):
        """The one evaluation of the test split, and the pictures of where an RNN-SPN looked."""
        if not run.facts.get("weights_sha256"):
            run.keep(weights_sha256=self.weights_sha256(run))
        path = self.results.beyond_path if run.row in STEPS else self.results.rows_path
        before = next((e for e in self.results.rows + self.results.beyond if Results.identity(e) == run.identity and e["weights_sha256"]), None)
        if before and before["weights_sha256"] != run.facts["weights_sha256"]:
            fail(1, f"{run.name}: weights {run.facts['weights_sha256'][:16]}..., but {before['weights_sha256'][:16]}... in {path}")
        if before:
            say(f"{run.name}: the same bits as in {path}; the test split was evaluated then")
            run.keep(test={"error": before["test_error"], "positions": before["test_positions"], "digits": before["test_digits"]})
        data = self.o.runs / "data"
        if not run.facts.get("test"):
            found = json.loads(self.children.run(run.program, "eval", "--run", run.folder, "--data", data, "--split", "test", "--json", output=True))
            error = found["error"]["digits"]
            run.keep(test={"error": error["mean"], "positions": error["positions"], "digits": found["examples"] * len(error["positions"])})
            say(f"{run.name}: test error {100 * error['mean']:.2f} %")
        if run.facts["model"] == "rnn_spn" and not run.picture.exists():
            self.children.run(run.program, "predict", "--run", run.folder, "--data", data, "--split", "test", "--count", "6",
                              "--picture", run.picture, output=True)

    def extra(self):
        """Options that a command needs beside the rows to be repeated, where they are not the usual ones."""
        o = self.o
        return ([f"SEED={o.seed}"] if o.seed != 1 else []) + ([f"EPOCHS={o.epochs}"] if o.epochs else [])

    def choose(self, row, key, values, epochs):
        """Trains the row with each value of the key."""
        words = [f"{k}={v}" for k, v in self.o.set.items()]
        command = " ".join(["make", "table1", f"ROWS={row}", f"CHOOSE={key}={','.join(values)}", *([f'SET="{" ".join(words)}"'] if words else []),
                            *(x for x in self.extra() if not x.startswith("EPOCHS")), f"EPOCHS={epochs}"])
        settings = [{**self.o.set, key: v} for v in values]
        runs = [self.open_run(row, s, epochs, command, False) for s in settings]
        path = self.o.runs / "experiments.json"
        others = [e for e in read_json(path, []) if e["command"] != command]
        old = next((e for e in read_json(path, []) if e["command"] == command), {})
        write_json(path, others + [{"key": key, "values": list(values), "row": row, "seed": self.o.seed, "epochs": epochs, "set": self.o.set,
                                    "commit": old.get("commit", self.commit), "command": command,
                                    "hashes": {v: r.hash for v, r in zip(values, runs)}}])
        for value, run in zip(values, runs):
            say(f"{row}, {key} {value}: validation only, {epochs} epochs")
            self.train(run, epochs)
        self.results.collect()
        self.results.pages()

    def rate_for(self, row):
        if self.results.chosen(row) is None:
            self.choose(CHOOSER[ROWS[row][0]], KIND, RATES, LOOK)
        return self.results.chosen(row)

    def do_row(self, row, named):
        o = self.o
        done = [e for e in self.results.rows + self.results.beyond if e["row"] == row and e["seed"] == o.seed and e["test_error"] is not None]
        if done and not named and not o.set:
            e = done[-1]
            return say(f"{row}: finished, model hash {e['model_hash']}; ROWS={row} trains it again if the model hash is another now, or the run not here")
        if row in STEPS:
            settings, shown, epochs = {**settings_of(row), **o.set}, o.set, o.epochs or usual_epochs(row)
        else:
            settings, epochs = {KIND: o.set.get(KIND) or self.rate_for(row), **o.set}, o.epochs or EPOCHS
            shown = settings
        command = " ".join(["make", "table1", f"ROWS={row}", *([f"SET=\"{' '.join(f'{k}={v}' for k, v in shown.items())}\""] if shown else []), *self.extra()])
        run = self.open_run(row, settings, epochs, command, True)
        if not run.facts.get("test") or not run.facts.get("weights_sha256"):
            self.train(run, epochs)
            self.finish(run)
        else:
            say(f"{run.name}: finished; nothing to do")
        self.attend(run)
        self.results.collect()
        self.results.pages()

    def all(self):
        o = self.o
        if self.commit is None:
            say("not a git checkout: the rows will name no commit")
        self.results.collect()
        self.results.pages()
        if o.choose:
            key, values = o.choose
            for row in o.rows or [CHOOSER["rnn_spn"]]:
                self.choose(row, key, values, o.epochs or LOOK)
            return
        for row in NETS:                                    # in order of cost, whatever order was asked for
            if row in (o.rows or ROWS):
                self.do_row(row, bool(o.rows))


def setting(text):
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"'{text}': expected KEY=VALUE")
    return key, value


def arguments():
    about = __doc__.split("\n\n")
    p = argparse.ArgumentParser(description=about[0], epilog="\n\n".join(about[1:]), formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default="", metavar="'ROW ...'", help="of " + " ".join(NETS))
    p.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs", metavar="DIR", help="data, programs, checkpoints (default: runs)")
    p.add_argument("--set", default="", metavar="'KEY=VALUE ...'", help="other values of the model's parameters than the usual ones")
    p.add_argument("--seed", type=int, default=1, help="of the training (default 1); other seeds are rows of their own")
    p.add_argument("--epochs", type=int, metavar="N", help=f"at most (default {EPOCHS}; --choose {LOOK}; beyond the paper 40 or 100, as the step says)")
    p.add_argument("--threads", type=int, metavar="N", help="(default: the processors available); the bits do not depend on it")
    p.add_argument("--choose", metavar="KEY=A,B,...", help="train --rows with each value, on the validation split alone")
    p.add_argument("--docs", action="store_true", help="no training: collect what the runs hold, write the documents")
    test = p.add_argument_group("for the tests of this program, which has to be quick")
    test.add_argument("--out", type=pathlib.Path, default=ROOT, metavar="DIR", help="write below DIR, not below the checkout")
    test.add_argument("--sizes", default="60000,10000,10000", help="examples for training, validation and test (default 60000,10000,10000)")
    test.add_argument("--data-seed", type=int, default=1234, help="of the data (default 1234)")
    test.add_argument("--drawn", action="store_true", help="drawn digits instead of MNIST")
    o = p.parse_args()
    try:
        o.rows, o.set = o.rows.split(), dict(setting(w) for w in o.set.split())
        o.sizes = [int(n) for n in o.sizes.split(",")]
        if o.choose:
            key, values = setting(o.choose)
            o.choose = key, values.split(",")
        if len(o.sizes) != len(SPLITS):
            raise ValueError("--sizes: expected three numbers")
    except (argparse.ArgumentTypeError, ValueError) as e:
        p.error(str(e))
    for row in o.rows:
        if row not in NETS:
            p.error(f"unknown row '{row}'; there are {' '.join(NETS)}")
    if o.choose and not set(o.rows) <= set(ROWS):
        p.error("--choose is for rows of the table")
    if "d" in o.set or (o.choose and o.choose[0] == "d"):
        p.error("d belongs to the row: --rows rnn_spn-d2")
    o.runs, o.out = o.runs.resolve(), o.out.resolve()
    return o


def main():
    o = arguments()
    if o.docs:
        results = Results(o.out, o.runs)
        results.collect()
        results.pages()
    else:
        Table(o).all()


if __name__ == "__main__":
    try:
        main()
    except OSError as e:
        fail(74, e)
