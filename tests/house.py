"""house.py -- holds the folders to the table of docs/design.md, "The house": each uses those that stand above it, never one below, and no two files
use each other.

Three things are looked at: the lines #include "..." of every source; the symbols of every object file (with nm), since a prototype in
compiler/spnc.h says nothing of who calls it; and who writes the notes of an operator (compiler/graph.h: `op->norms.host = ...`), which no other stage may.
usage: tests/house.py BUILD [ROOT]     BUILD has the objects of `compiler` and of the tests' `runtime`; exit 1 after naming what is wrong
"""
import collections
import os
import re
import subprocess
import sys

HOUSES = ("compiler", "trainer")
OPEN = {"compiler/common.h", "compiler/graph.h", "compiler/spnc.h"}      # the shared types, and the map: every file may use them

# the structs of notes in an Op, and the files or folders of the stage that writes them; each other one has the name of its only file
NOTES = {
    "grad": ("compiler/ops/", "compiler/outside/outside.c", "compiler/lower/"),
    "fuse": ("compiler/lower/fuse.c", "compiler/graph/graph.c"),         # graph.c: OP_NONE of a new operator
    "kernel": ("compiler/lower/kernel.c", "compiler/lower/layout.c", "compiler/lower/latency.c"),
    "stores": ("compiler/lower/stores.c",), "fold": ("compiler/lower/fold.c",),
    "norms": ("compiler/plan/norms.c",), "rows": ("compiler/plan/rows.c",), "share": ("compiler/plan/share.c",),
}


def rooms(page):
    """Folder -> place in the table of its house, in the order of the page."""
    with open(page, encoding="utf-8") as f:
        section = f.read().split("\n## The house\n")[1].split("\n## ")[0]
    order = [row.rstrip("/") for row in re.findall(r"^\| `([a-z_/]+)` \|", section, re.M)]
    return {folder: i for i, folder in enumerate(order)}


def sources(root):
    for house in HOUSES + ("runtime",):
        for folder, _, files in sorted(os.walk(os.path.join(root, house))):
            for name in sorted(files):
                if name.endswith((".c", ".h", ".def")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def includes(root, path, known):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        names = re.findall(r'^\s*#\s*include\s+"([^"]+)"', f.read(), re.M)
    for name in names:
        found = [p for p in (f"{path.split('/')[0]}/{name}", f"runtime/{name}", f"trainer/{name}") if p in known]
        yield name, found[0] if found else None


def symbols(build, known):
    """Source -> {source it uses: [symbols]}, of the objects below `build` that belong to a source of today; and those sources."""
    defined, used, seen = {}, collections.defaultdict(set), set()
    objects = {}
    for folder, _, files in os.walk(build):
        if "asan" in os.path.relpath(folder, build).split(os.sep):
            continue
        for path in (os.path.join(folder, name) for name in files if name.endswith(".c.o")):
            m = re.search(r"(?:compiler|runtime)\.dir/(?:.*/)?((?:compiler|trainer|runtime)/.*\.c)\.o$", path) or re.search(r"(?:spnc|spn-data)\.dir/((?:compiler|trainer)/.*\.c)\.o$", path)
            if m and m[1] in known:
                objects[path] = m[1]
    seen.update(objects.values())
    listing = subprocess.run(["nm", "-A", *objects], capture_output=True, text=True, check=True).stdout if objects else ""
    for line in listing.splitlines():                          # path:address kind name
        path, _, entry = line.rpartition(":")
        kind, name = entry.split()[-2:]
        if kind in "TDBRCV":
            defined.setdefault(name, objects[path])
        elif kind == "U":
            used[objects[path]].add(name)
    graph = collections.defaultdict(lambda: collections.defaultdict(list))
    for source, names in used.items():
        for name in names:
            if name in defined and defined[name] != source:
                graph[source][defined[name]].append(name)
    return graph, seen


def notes(root, known):
    """Faults: structs of notes that NOTES does not have, and writes of notes by a stage that they are not of (copies of an Op apart)."""
    with open(os.path.join(root, "compiler/graph.h"), encoding="utf-8") as f:
        op = re.search(r"^struct Op \{\n(.*?)^\};", f.read(), re.M | re.S)[1]
    there = set(re.findall(r"^    struct \{\n(?:.*\n)*?    \} (\w+);", op, re.M))
    faults = [f"compiler/graph.h: notes {name} of an Op, of which tests/house.py does not say who writes them" for name in sorted(there ^ set(NOTES))]
    written, seen = re.compile(r"->(%s)\.\w+(?:\[[^]]*\])?\)?(?:\s*=(?!=)|\+\+|--)" % "|".join(NOTES)), set()
    for path in sorted(p for p in known if p.startswith("compiler/") and p.endswith(".c")):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                for m in written.finditer(line):
                    seen.add(m[1])
                    if not path.startswith(NOTES[m[1]]):
                        faults.append(f"{path}:{number}: writes {m[0].strip(' =)')[2:]}, which {' and '.join(NOTES[m[1]])} may")
    return faults + [f"no write of an operator's {name} is seen" for name in sorted(set(NOTES) - seen)]


def circles(graph):
    """Strongly connected parts of more than one file (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in graph.get(v, {}):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            part = stack[stack.index(v):]
            del stack[stack.index(v):]
            if len(part) > 1:
                found.append(sorted(part))

    sys.setrecursionlimit(10000)
    for v in sorted(graph):
        if v not in index:
            visit(v)
    return found


def main():
    build, root = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."
    place, faults = rooms(os.path.join(root, "docs/design.md")), []
    known = set(sources(root))
    folders = {os.path.dirname(p) for p in known}
    faults += [f"{f}/ is not in the table of docs/design.md" for f in sorted(folders - set(place))]
    faults += [f"docs/design.md has {f}/, which is no folder of sources" for f in sorted(set(place) - folders)]

    def allowed(user, used):
        a, b = os.path.dirname(user), os.path.dirname(used)
        return used in OPEN or a == b or (a in place and b in place and place[b] < place[a])

    for path in sorted(known):
        for name, target in includes(root, path, known):
            if not target:
                faults.append(f'{path}: includes "{name}", which is no file of its house, of runtime/ or of trainer/ by its whole name')
            elif path not in OPEN and not allowed(path, target):
                faults.append(f"{path}: includes {target}, which stands below it")
    faults += notes(root, known)
    graph, seen = symbols(build, known)
    missing = sorted(p for p in known if p.endswith(".c") and p not in seen and p != "trainer/main.c")      # linked with a net alone
    faults += [f"{build} has no object of {p}" for p in missing]
    for user in sorted(graph):
        for used in sorted(graph[user]):
            if not allowed(user, used):
                faults.append(f"{user}: uses {', '.join(sorted(graph[user][used])[:3])} of {used}, which stands below it")
    faults += ["these files use each other: " + " ".join(part) for part in circles(graph)]
    print("\n".join(faults) if faults else f"{len(known)} files in {len(folders)} folders, {sum(map(len, graph.values()))} uses: none against the order")
    return 1 if faults else 0


sys.exit(main())
