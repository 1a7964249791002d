"""lua.py -- counts the lines of templates that compute: those that are neither C, nor a comment, nor plain control.

C is a line that does not begin with %, and a piece of C that a call passes on: `name = "text"`, or
`name = function(k) return string.format("text", ...) end`, on a line of its own.
Plain control are if, elseif, else, for, end, include(), `local name = ...` and calls of functions that lay out C, as long as they only look at
facts: names, fields, literals, comparisons, and, or, not, # and a bound's + 1 or - 1.  `local function name(...)` is plain if lines of C follow.
Everything else computes: other arithmetic, functions of string and math, texts put together, assignments, return.  So do all lines
of a block (if, for, function) in which no C is laid out, whatever they are; and lines of C with arithmetic, or a function of string or math
other than string.format, inside ${...}.
usage: tests/lua.py FOLDER [MOST]     prints the number for each template that has some, and the sum; exit 1 if it is more than MOST
       tests/lua.py --lines FILE      prints these lines
       tests/lua.py --functions functions.def FOLDER
                                      prints the lines whose Lua names a function of the table, as a field or as a text; exit 1 if there is one
"""
import os
import re
import sys

TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
PIECE = re.compile(r"(?:\w+ = (?:T|{ T, T }|\w+|function\([\w, ]*\) return string\.format\(T.*\) end)(?:, | })?)+,?[ })]*")
COMPUTES = re.compile(r"\bmath\.|\bstring\.|\.\.|[*/%^]|\+| - |\breturn\b|\bfunction\b")

RECKONS = re.compile(r"\bmath\.|\bstring\.(?!format\b)|[*/%^&|]|\+| - |<<|>>")


def inserted(line):
    """The Lua in the ${...} of a line of C."""
    at = line.find("${")
    while at >= 0:
        end, depth = at + 2, 1
        while depth and end < len(line):
            text = TEXT.match(line, end)
            depth += {"{": 1, "}": -1}.get(line[end], 0)
            end = text.end() if text else end + 1
        yield line[at + 2:end - 1]
        at = line.find("${", end)


def reckons(line):
    return any(RECKONS.search(re.sub(r"\s[+-] 1\b", "", TEXT.sub("T", lua))) for lua in inserted(line))


def bare(line):
    """A line of Lua with T for each text, and without comment, margin and empty tables."""
    return re.sub(r"--.*$", "", TEXT.sub("T", line)).replace("margin .. T", "margin").replace("{}", "{ }").strip()


def plain(line, layouts):
    if PIECE.fullmatch(line):
        return True
    if re.fullmatch(r"local function \w+\([\w, ]*\)", line):
        return True
    if COMPUTES.search(re.sub(r"\s[+-] 1\b", "", line)):
        return False
    return bool(re.match(r"(?:if|elseif|else|for|end|local|include|[)}])\b|[)}]", line) or re.match("(?:" + "|".join(layouts or ["-"]) + r")\(", line))


def layout_functions(lines):
    """Functions of a template that have lines of C, or include some; and a body that is passed in."""
    found, stack = {"body"}, []
    for line in lines:
        if not line.startswith("%"):
            found |= {name for name in stack if name}
            continue
        line = bare(line[1:])
        if "include(" in line or any(re.search(rf"\b{name}\(", line) for name in found):
            found |= {name for name in stack if name}
        for word in re.finditer(r"\b(?:local function (\w+)|function\b|then\b|do\b|end\b|elseif\b)", line):
            if word[0] in ("end", "elseif"):    # behind elseif comes a `then`
                stack.pop()
            else:
                stack.append(word[1])
    return sorted(found)


def computing(path):
    """Numbers and texts of the lines that compute."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    layouts, blocks, found = layout_functions(lines), [], set()
    lays = re.compile(r"\b(?:include|" + "|".join(layouts) + r")\(")
    for number, line in enumerate(lines, 1):
        if not line.startswith("%"):
            if reckons(line):
                found.add(number)
            for block in blocks:
                block[1] = True
            continue
        line = bare(line[1:])
        if not line:
            continue
        if not plain(line, layouts):
            found.add(number)
        has_c = bool(lays.search(line)) and not line.startswith("local function")
        for block in blocks:
            block[0].append(number)
            block[1] = block[1] or has_c
        again = None                            # the block of an elseif, which its `then` goes on with
        for word in re.findall(r"\b(?:function|then|do|end|elseif)\b", line):
            if word == "elseif":
                again = blocks.pop()
            elif word == "end":
                inside, laid = blocks.pop()
                if not laid and not PIECE.fullmatch(line):
                    found |= set(inside)
            else:
                blocks.append(again or [[number], has_c])
                again = None
    if blocks:
        sys.exit(f"{path}: {len(blocks)} blocks have no end")
    return [(n, lines[n - 1]) for n in sorted(found)]


def naming(path, functions):
    """Numbers and texts of the lines whose Lua has one of the functions as a text of its own, or as a field of a table of facts."""
    names = "|".join(functions)
    named = re.compile(rf'"(?:{names})"|(?<!\bmath)(?<!\bstring)\.(?:{names})\b')
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f.read().split("\n"), 1):
            lua = [re.sub(r"--.*$", "", line[1:])] if line.startswith("%") else inserted(line)
            if any(named.search(part) for part in lua):
                yield number, line


def templates(folder):
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(n for n in names if n.endswith(".in")):
            yield os.path.join(place, name)


def main():
    if sys.argv[1] == "--functions":
        with open(sys.argv[2], encoding="utf-8") as f:
            functions = re.findall(r"^[FM]\((\w+),", f.read(), re.M)
        found = [(path, number, line) for path in templates(sys.argv[3]) for number, line in naming(path, functions)]
        for path, number, line in found:
            print(f"{path}:{number}: {line}")
        return 1 if found or not functions else 0
    if sys.argv[1] == "--lines":
        for number, line in computing(sys.argv[2]):
            print(f"{sys.argv[2]}:{number}: {line}")
        return 0
    total = 0
    for path in templates(sys.argv[1]):
        count = len(computing(path))
        total += count
        if count:
            print(f"{count:5}  {os.path.relpath(path, sys.argv[1])}")
    print(f"{total:5}  in all")
    return 1 if len(sys.argv) > 2 and total > int(sys.argv[2]) else 0


sys.exit(main())
