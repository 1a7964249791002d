"""catalogue.py -- docs/errors.md: every error and warning of the compiler, each with a model that has it and the exact message.

The messages are found in the compiler's sources, the models are tests/errors/*.yaml, the examples are what spnc says about them.
usage: tests/catalogue.py SPNC [--update]     exit 1 if the page is stale or a message has no example; --update writes the page
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PAGE = "docs/errors.md"
SECTIONS = [
    ("The file", ["read/read.c"]), ("Parameters and arithmetic", ["read/expr.c", "read/syntax.c"]), ("Formulas", ["formula/"]), ("The model", ["graph/model.c", "graph/maps.c", "graph/data.c", "graph/loss.c", "graph/penalty.c", "graph/training.c", "graph/parameters.c", "graph/starts.c", "graph/augment.c", "graph/flow.c", "graph/cells.c", "graph/nets.c", "graph/names.c", "graph/make.c", "graph/formulas.c", "graph/outputs.c", "graph/include.c", "graph/unknown.c"]), ("Attributes and names", ["graph/attr.c"]),
    ("Shapes", ["graph/shape.c", "graph/window.c", "ops/", "outside/outside.c"]), ("Gradient and memory", ["lower/grad.c", "lower/kernel.c", "plan/plan.c"]), ("Warnings", ["graph/warn.c"]),
    ("A library", ["lower/forward.c", "lower/step.c", "emit/library.c", "emit/words.c"]),
]
# Messages that no model in tests/errors can bring about, and why.
WITHOUT_A_MODEL = {
    "no memory to read the YAML": "memory is out",
    "cannot open '%s': %s": "there is no file",
    "cannot read '%s': %s": "the disk fails",
    "the file is larger than 1 MiB, which no model is": "the model would be that large",
    "--set %s: write --set name=value": "the command line refuses it first",
    "spnc has an operator '%s' too: the one described here is used": "it stands in the description: test_described.sh has it",
    "a model that is no file in a folder cannot include others": "it comes through a pipe: test_include.sh has it",
    "a model is made of at most %d files": "it has 64 files: test_include.sh has it",
    "this is not valid YAML: %s": "libyaml's other messages; those that were met have words of their own",
}
# Conditions and formulas are read by the library alone: no key of a model takes one yet.  tests/test_syntax.c and tests/test_formula.c have these.
WITHOUT_A_KEY = {
    "%s'%s' is no number%s%s", "%san index is a whole number or a * $%s + b%s", "%s'%s' is a word and '%s' a number: they cannot be compared%s",
    "%san index moves with the step of one repeat, not of two", "%swords are compared with == and !=", "%sa condition compares: $d == 1, $d > 1 and not $border == zero", "expected a condition, not a %s",
    "%sone index stands in [ ], that of the first axis: x[$t]", "%sequal is written '=='",
    "%scomparisons do not chain: write %s", "%sa formula has no 'and' and 'or': comparisons are 0 or 1, so multiply them, or take their max",
}
NOT_MESSAGES = {"base/diag.c", "template/template.c", "main.c", "tell/explain.c", "base/folder.c", "library/weights.c"}      # the printer itself; templates' errors; the command line's; those about a file of weights (test_inference.sh)

SECTIONS[3][1].append("graph/repeats.c")


def calls(text):
    """(function, arguments, line) of each report in C source."""
    for m in re.finditer(r"\b(diag_error|diag_warning|shape_refuse|refuse)\s*\(", text):
        depth, start, args, i, quoted = 1, m.end(), [], m.end(), False
        while depth:
            c = text[i]
            if quoted:
                i += c == "\\"
                quoted = c != '"'
            elif c == '"':
                quoted = True
            elif c in "([{":
                depth += 1
            elif c in ")]}":
                depth -= 1
            if not quoted and ((c == "," and depth == 1) or depth == 0):
                args.append(text[start:i].strip())
                start = i + 1
            i += 1
        yield m.group(1), args, text.count("\n", 0, m.start()) + 1


def literals(argument):
    """The texts of an argument: adjacent pieces joined, the arms of a choice apart."""
    return ["".join(json.loads('"' + piece + '"') for piece in re.findall(r'"((?:[^"\\]|\\.)*)"', run.group(0)))
            for run in re.finditer(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', argument)]


def formats():
    """(file, line, kind, format, title) of every message, in the order of the sections.  The suggestion at the end of a message is not in its title."""
    found = []
    for path in sorted(glob.glob("compiler/**/*.c", recursive=True)):
        name = path[len("compiler/"):]
        if name in NOT_MESSAGES:
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for function, args, line in calls(text):
            if len(args) < 3:
                continue
            for text_of in literals(args[2]):
                if re.sub(r"%[-.*0-9]*(?:ll|z)?[a-zA-Z]", "", text_of).strip(": "):
                    suggests = re.search(r"diag_suggestion|did you mean", " ".join(args[3:]))
                    found.append((name, line, function, text_of, title(text_of.removesuffix("%s") if suggests else text_of)))
        if name == "read/read.c":                # its table of libyaml's messages in plain words
            table = text[text.index("plain_english[] ="):]
            for row in re.finditer(r'\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}', table[table.index("{") + 1:table.index("};")]):
                found.append((name, text.count("\n", 0, text.index(row.group(0))) + 1, "diag_error", literals(row.group(1))[-1], title(literals(row.group(1))[-1])))
    unique = {}
    for f in found:
        unique.setdefault(f[3], f)
    return list(unique.values())


def pattern(function, text):
    out = ""
    for part in re.split(r"(%%|%[-.*0-9]*(?:ll|z)?[a-zA-Z])", text):
        if part == "%%":
            out += "%"
        elif part.startswith("%"):
            out += {"d": r"-?\d+", "u": r"\d+", "x": "[0-9a-f]+", "X": "[0-9A-F]+", "g": r"[-+.e\dinf]+", "f": r"[\d.]+"}.get(part[-1], ".*")
        else:
            out += re.escape(part)
    return re.compile((r"[^ ]+: " if function == "shape_refuse" else "") + out, re.S)


def examples(spnc):
    """(file, options, message, block) of everything that spnc says about tests/errors."""
    said = []
    root = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree("tests/errors/parts", os.path.join(folder, "parts"))      # what some of the models include
        for path in sorted(glob.glob("tests/errors/*.yaml")):
            name = os.path.basename(path)
            with open(path, "rb") as f:
                lines = f.read().split(b"\n")
            options = [w for line in lines for m in [re.match(rb"# (set|memory|templates|for|outputs): (.*)", line)] if m for w in ("--" + m[1].decode(), m[2].decode())]
            options += ["--" + m[1].decode() for line in lines for m in [re.match(rb"# switch: (.*)", line)] if m]
            with open(os.path.join(folder, name), "wb") as f:
                f.write(b"\n".join(re.sub(rb"\s*# (expect|set|memory|templates|for|outputs|switch)\b.*", b"", line) for line in lines).rstrip(b"\n") + b"\n")
            command = [os.path.join(root, spnc), "check", name, *[os.path.join(root, o) if before == "--templates" else o for before, o in zip([""] + options, options)]]
            text = subprocess.run(command, cwd=folder, capture_output=True).stderr.decode("utf-8", "replace")
            told = subprocess.run(command + ["--json"], cwd=folder, capture_output=True).stderr.decode("utf-8", "replace")
            messages = [m["message"] for m in map(json.loads, told.splitlines()) if m["severity"] != "note"]
            blocks = re.split(r"(?m)^(?=(?:\S+\.yaml:\d+(?::\d+)?: )?(?:error|warning): )", text)[1:]
            assert len(messages) == len(blocks), path
            said += [(path, options, m, b.rstrip("\n")) for m, b in zip(messages, blocks)]
    return said


def title(text):
    return re.sub(r"%[-.*0-9]*(?:ll|z)?[a-zA-Z]", "…", text).replace("%%", "%").strip().rstrip(":;")


def page(spnc):
    said, rows, missing = examples(spnc), [], []
    for name, line, function, text, short in formats():
        shape = pattern(function, text)
        hits = sorted((h for h in said if shape.fullmatch(h[2])), key=lambda h: (h[0].endswith("all_in_one_go.yaml"), h[0]))
        if hits:
            rows.append(("graph/warn.c" if function == "diag_warning" else name, line, short, hits[0]))
        elif text not in WITHOUT_A_MODEL and text not in WITHOUT_A_KEY and not name.startswith("formula/"):
            missing.append(f"compiler/{name}:{line}: no model in tests/errors has the message: {text}")
    placed = [f for _, files in SECTIONS for f in files]
    missing += [f"tests/catalogue.py: compiler/{name} belongs to no section of the page" for name in sorted({r[0] for r in rows})
                if not any(name == f or (f.endswith("/") and name.startswith(f)) for f in placed)]
    stale = [t for t in [*WITHOUT_A_MODEL, *WITHOUT_A_KEY] if t not in {f[3] for f in formats()}]
    missing += [f"tests/catalogue.py: no such message any more: {t}" for t in stale]
    out = ["# Errors and warnings", "",
           "Every message of the compiler about a model, with an example: what `spnc check` says, and the model it says it about. An error ends with exit code 1;",
           "a warning lets the model pass. `tests/catalogue.py SPNC --update` writes this page from the compiler's sources and `tests/errors`.", ""]
    body, number = [], 0
    for heading, files in SECTIONS:
        own = sorted((r for r in rows if any(r[0] == f or (f.endswith("/") and r[0].startswith(f)) for f in files)),
                     key=lambda r: ([r[0] == f or r[0].startswith(f) for f in files].index(True), r[0], r[1]))
        if not own:
            continue
        out += [f"**{heading}**", ""]
        body += [f"## {heading}", ""]
        for name, line, short, (path, options, message, block) in own:
            number += 1
            out.append(f"- [{number}](#{number}) {short}")
            body += [f'### <a id="{number}"></a>{number}. {short}', "",
                     f"[{os.path.basename(path)}](../{path})" + (f", `{' '.join(options)}`" if options else "") + ":", "```", block, "```", ""]
        out.append("")
    out += body + ["## Without an example", "", "| message | when |", "| --- | --- |"]
    out += [f"| {title(t)} | {why} |" for t, why in WITHOUT_A_MODEL.items()]
    return "\n".join(out) + "\n", missing


if __name__ == "__main__":
    new, faults = page(sys.argv[1])
    for fault in faults:
        print(fault)
    if "--update" in sys.argv:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(new)
    else:
        with open(PAGE, encoding="utf-8") as f:
            if f.read() != new:
                faults.append(PAGE)
                print(f"{PAGE} is stale: `make golden` writes it anew")
    sys.exit(1 if faults else 0)
