#!/usr/bin/env python3
"""What the times of two programs in turn say: the median of their ratios, first / second, and its 95 % confidence interval.

  ratios.py TIMES            a line for the training step and one for the forward pass
  ratios.py TIMES --row NET  both in one row of a table, for pairs.sh
  ratios.py --head           the head of that table

TIMES is what pair.c prints. A ratio above 1 means that the second is faster. The interval goes by order statistics (stats.median_interval): it
takes pairs for independent, and nothing else for granted; with fewer than 6 pairs there is none.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from stats import median, median_interval

HEAD = ("| net | training step, ms | first / second | 95 % interval | forward pass, ms | first / second | 95 % interval |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")


def interval_text(ratios):
    interval = median_interval(ratios)
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "too few pairs"


def line(what, first, second):
    """One kind of work: the medians, the time that a twentieth of the calls undercuts, the ratio with its interval and its middle half."""
    ratios, n = sorted(a / b for a, b in zip(first, second)), len(first)
    fast = [1e3 * sorted(times)[n // 20] for times in (first, second)]
    return (f"{what:13} first {1e3 * median(first):8.3f} ms, second {1e3 * median(second):8.3f} ms (medians); {fast[0]:8.3f} and {fast[1]:8.3f} (a twentieth is"
            f" faster); first / second {median(ratios):.3f} (95 % interval: {interval_text(ratios)}; half of them {ratios[n // 4]:.3f} to {ratios[n * 3 // 4]:.3f})")


def cells(first, second):
    """One kind of work, as three cells of a table."""
    ratios = [a / b for a, b in zip(first, second)]
    return f"{1e3 * median(first):.3f}, {1e3 * median(second):.3f} | {median(ratios):.3f} | {interval_text(ratios)}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("times", type=pathlib.Path, metavar="TIMES", nargs="?")
    p.add_argument("--row", metavar="NET", help="a row of a table, instead of two lines")
    p.add_argument("--head", action="store_true", help="the head of the table of --row")
    o = p.parse_args()
    if o.head:
        return print(HEAD)
    if not o.times:
        p.error("TIMES is missing")
    step_first, step_second, forward_first, forward_second = zip(*(map(float, words.split()) for words in o.times.read_text().splitlines()))
    if o.row:
        print(f"| {o.row} | {cells(step_first, step_second)} | {cells(forward_first, forward_second)} |")
    else:
        print(line("training step", step_first, step_second), line("forward pass", forward_first, forward_second), sep="\n")


if __name__ == "__main__":
    main()
