#!/usr/bin/env python3
"""How long builds take with two versions of spnc, in turn.

  builds.py OLD_SPNC NEW_SPNC [--pairs N] [--edits N] [NET ...]

Prints a row for each net (the nine of Table 1, or those that are named): seconds of its first build with either version, medians of the pairs, the median
of their ratios, new / old, with its 95 % confidence interval; and the seconds that the new version needs after an edit that changes only `epochs:`, the
largest of the edits. A first build is into a folder that is not there; the cache of objects is one that has seen another net's build, as on a
machine that is in use. Times are wall-clock, with as many processors as there are.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from nets import ROOT, ROWS, fail, parse_row
from stats import median, median_interval


def build(spnc, model, d, folder, cache):
    """Seconds of one `spnc build`."""
    begin = time.monotonic()
    done = subprocess.run([spnc, "build", model, "--set", f"d={d}", "--tuning", "none", "-o", folder], env={**os.environ, "XDG_CACHE_HOME": str(cache)},
                          stdout=subprocess.DEVNULL)
    if done.returncode:
        fail(f"{spnc} could not build {model}")
    return time.monotonic() - begin


def first_builds(o, row, work):
    """The seconds of the pairs: [(old, new), ...]."""
    model, d = parse_row(row)
    pairs = []
    for i in range(o.pairs):
        seconds = {}
        for side in ("old", "new") if i % 2 == 0 else ("new", "old"):
            shutil.rmtree(work / side, ignore_errors=True)
            seconds[side] = build(getattr(o, side), ROOT / "models" / f"{model}.yaml", d, work / side, work / "cache")
        pairs.append((seconds["old"], seconds["new"]))
    return pairs


def edits(o, row, work):
    """The seconds of builds with the new version after edits of `epochs:` alone."""
    model, d = parse_row(row)
    text, path = (ROOT / "models" / f"{model}.yaml").read_text(), work / f"{model}.yaml"
    path.write_text(text)
    shutil.rmtree(work / "edited", ignore_errors=True)
    build(o.new, path, d, work / "edited", work / "cache")
    seconds = []
    for i in range(o.edits):
        edited, count = re.subn(r"(epochs: *)[^,}\s]+", rf"\g<1>{i + 1}", text)
        if not count:
            fail(f"{model}.yaml has no epochs: to edit")
        path.write_text(edited)
        seconds.append(build(o.new, path, d, work / "edited", work / "cache"))
    return seconds


def main():
    p = argparse.ArgumentParser(usage="builds.py OLD_SPNC NEW_SPNC [--pairs N] [--edits N] [NET ...]", description=__doc__.split("\n")[0])
    p.add_argument("old", type=pathlib.Path)
    p.add_argument("new", type=pathlib.Path)
    p.add_argument("nets", nargs="*", metavar="NET")
    p.add_argument("--pairs", type=int, default=6)
    p.add_argument("--edits", type=int, default=3)
    o = p.parse_intermixed_args()
    o.old, o.new = o.old.resolve(), o.new.resolve()
    print("| net | first build, s: old, new | new / old | 95 % interval | after an edit of `train:`, s |\n| --- | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for side in o.old, o.new:
            build(side, ROOT / "models" / "tiny.yaml", 2, work / "other", work / "cache")
            shutil.rmtree(work / "other")
        for row in o.nets or ROWS:
            pairs, after = first_builds(o, row, work), edits(o, row, work)
            ratios = [new / old for old, new in pairs]
            interval = median_interval(ratios)
            print(f"| {row} | {median(a for a, _ in pairs):.1f}, {median(b for _, b in pairs):.1f} | {median(ratios):.2f} | "
                  f"{f'{interval[0]:.2f} to {interval[1]:.2f}' if interval else 'too few pairs'} | {max(after):.2f} |", flush=True)


if __name__ == "__main__":
    main()
