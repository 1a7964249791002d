"""words.py -- comments name only what is there: files of the project, and functions, as `name()`, that the code has.

Looked at are the comments of compiler/, runtime/, trainer/ and templates/.  A file may be named by its name alone or by the end of its path; NAME.c and
the like, in capitals, stand for many files; `fdlibm's e_log.c`, with an owner, and <stdint.h> are of others.
usage: tests/words.py [ROOT]     exit 1 after naming what is wrong
"""
import os
import re
import sys

FOLDERS = ("compiler", "runtime", "trainer", "templates")
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|(/\*.*?\*/)', re.S)
LUA = re.compile(r"^%.*?(--.*)$", re.M)
FILE = re.compile(r"(?<![\w/<.$}])([A-Za-z_][\w/]*\.(?:c\.in|c|h|def|cmake))\b(?![\w.(])")
FUNCTION = re.compile(r"\b([A-Za-z_]\w+)\(\)")


def sources(root, endings):
    for top in sorted(os.listdir(root)):
        for folder, _, names in os.walk(os.path.join(root, top), followlinks=True):
            if top not in ("build", ".git"):
                yield from (os.path.relpath(os.path.join(folder, n), root) for n in names if n.endswith(endings))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def comments(path, text):
    """(where it begins, comment) of each."""
    for m in COMMENT.finditer(text):
        if m[1]:
            yield m.start(), m[1]
    if path.endswith(".in"):
        for m in LUA.finditer(text):
            yield m.start(1), m[1]


def main():
    root, faults, count = sys.argv[1] if len(sys.argv) > 1 else ".", [], 0
    paths = list(sources(root, (".c", ".h", ".in", ".def", ".cmake")))
    files = {"/" + p for p in paths}
    code = {p: read(root, p) for p in paths}
    known = set()
    for text in code.values():
        known |= set(re.findall(r"\w+", COMMENT.sub(lambda m: " " if m[1] else m[0], text)))
    for path in sorted(p for p in paths if p.split(os.sep)[0] in FOLDERS):
        for start, comment in comments(path, code[path]):
            count += 1
            line = code[path].count("\n", 0, start) + 1
            for m in FILE.finditer(comment):
                name = m[1].split("/")[-1]
                other = re.search(r"(?:'s|s') $", comment[:m.start()]) or name[:2].isupper()
                if not other and not any(f.endswith("/" + m[1]) for f in files):
                    faults.append(f"{path}:{line + comment.count(chr(10), 0, m.start())}: there is no file {m[1]}")
            for m in FUNCTION.finditer(comment):
                if m[1] not in known:
                    faults.append(f"{path}:{line + comment.count(chr(10), 0, m.start())}: nothing is called {m[1]}")
    print("\n".join(faults) if faults else f"{count} comments in {len(paths)} files: what they name is there")
    return 1 if faults or not count else 0


sys.exit(main())
