#!/usr/bin/env python3
"""dumps.py -- keeps the dumps in a document true: each block that follows `<!-- $ COMMAND -->` is what the command prints.

usage: docs/dumps.py FILE.md [--check]     writes the blocks anew, or with --check says which are stale (exit 1)
Commands run in the root of the checkout by bash; `spnc` in them is $SPNC, or build/spnc.
"""
import difflib
import os
import re
import subprocess
import sys

MARK = re.compile(r"(<!-- \$ (.*?) -->\n```[a-z]*\n)(.*?)(^```$)", re.S | re.M)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__.strip())
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    spnc = os.path.abspath(os.environ.get("SPNC", os.path.join(root, "build", "spnc")))
    with open(sys.argv[1], encoding="utf-8") as f:
        old = f.read()

    def dump(match):
        script = 'set -o pipefail; spnc() { "%s" "$@"; }; %s' % (spnc, match.group(2))
        done = subprocess.run(["bash", "-c", script], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode > 1:
            sys.exit("%s: `%s` ended with %d:\n%s" % (sys.argv[1], match.group(2), done.returncode, done.stdout))
        return match.group(1) + done.stdout.rstrip("\n") + "\n" + match.group(4)

    new = MARK.sub(dump, old)
    if sys.argv[2:]:
        diff = "".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), sys.argv[1], "what the commands print now"))
        sys.exit(diff + "stale; docs/dumps.py %s writes it anew" % sys.argv[1] if diff else 0)
    if new != old:
        with open(sys.argv[1], "w", encoding="utf-8") as f:
            f.write(new)


main()
