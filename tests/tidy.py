"""tidy.py -- random C for tests/test_tidy.sh: loops of one turn in all that can stand around them, names that hide others, jumps, steps that do more,
variables that are numbers, whole numbers beside reals, comments everywhere.

The program prints what its functions see; it ends, and has no undefined behaviour but signed overflow (-fwrapv).
usage: tests/tidy.py SEED     prints the program
"""
import random
import sys

HEAD = """#include <math.h>
#include <stdio.h>
typedef float real;
enum { L = 16 };
static int steps;
static int sink(int v) { steps = steps * 31 + v; return steps & 7; }
static void out(int i, real r) { printf("%d %a %d\\n", i, (double)r, steps); }
"""
FUNCTIONS = 12


class Names:
    """What can be read (whole, real), changed (free), and what never changes (fixed), with pairs (end, begin) of the latter."""

    def __init__(self, whole, real, free, fixed=(), pairs=()):
        self.whole, self.real, self.free, self.fixed, self.pairs = list(whole), list(real), list(free), list(fixed), list(pairs)

    def without(self, name):
        def rest(names):
            return [n for n in names if n != name]
        return Names(rest(self.whole), rest(self.real), rest(self.free), rest(self.fixed), [p for p in self.pairs if name not in p])


class Program:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def chance(self, p):
        return self.random.random() < p

    def pick(self, *what):
        return self.random.choice(what)()

    def one(self, items):
        return self.random.choice(items)

    def whole(self, names, depth=2):
        def more():
            return self.whole(names, depth - 1)
        if depth == 0 or self.chance(.3):
            return self.one(names.whole + ["0", "1", "2", "3", "L"])
        return self.pick(
            *[lambda: f"{more()} {self.one('+-*+')} {more()}"] * 6,
            lambda: f"({more()})",
            lambda: f"({more()}) {self.one('/%')} {self.random.randint(1, 4)}",
            lambda: f"({more()} < {more()} ? {more()} : {more()})",
            lambda: f"k[({more()}) & 15]",
            lambda: f"sink({more()})")

    def real(self, names, depth=2):
        def more():
            return self.real(names, depth - 1)
        if depth == 0 or self.chance(.25):
            return self.one(names.real + ["0.5", "1.5"])
        return self.pick(
            *[lambda: f"{more()} {self.one('+-*')} {more()}"] * 2,
            *[lambda: f"{more()} {self.one('+-*')} {self.one(names.whole)}", lambda: f"{self.one(names.whole)} {self.one('+-*')} {more()}"] * 2,
            lambda: f"({more()}) / {self.random.randint(1, 3)}",
            lambda: f"({self.whole(names, 1)} < {self.whole(names, 1)} ? {self.any(names)} : {self.any(names)}) / 2",
            lambda: f"p[({self.whole(names, 1)}) & 15]",
            lambda: f"({more()})")

    def any(self, names):
        return self.pick(lambda: self.whole(names, 1), lambda: self.real(names, 1))

    def name(self):
        self.count += 1
        return self.one("uvwtscmqgh") + (str(self.count) if self.chance(.6) else "")

    def comment(self):
        return self.one([""] * 12 + ["   /* c */", "   /* a\n   b */", "  // z"])

    def simple(self, names, pad, loop):
        lines = [lambda: [f"{pad}out({self.whole(names)}, {self.real(names)});{self.comment()}"]] * 4
        lines += [lambda: [f"{pad}x = {self.real(names)};{self.comment()}"], lambda: [f"{pad}p[({self.whole(names)}) & 15] = {self.real(names)};"]]
        if names.free:
            lines += [lambda: [f"{pad}{self.one(names.free)} = ({self.whole(names)}) % 50;"], lambda: [f"{pad}{self.one(names.free)}++;"]]
        if loop:
            lines.append(lambda: [f"{pad}if ({self.whole(names, 1)} > {self.whole(names, 1)})", f"{pad}    {self.one(['continue', 'break'])};"])
        return self.pick(*lines)

    def loop(self, names, pad, depth):
        v = self.name()
        more = self.one([""] * 6 + [", " + self.one(names.free) + self.one(["++", " += 3", " += sink(2)"])]) if names.free else ""
        inner = names.without(v)
        inner.whole.append(v)
        if self.chance(.03):
            body = [f"{pad}    if ({v} < 3)", f"{pad}        {v}++;"]    # upwards only: it ends
            return [f"{pad}for (int {v} = 0; {v} < 1; {v}++) {{"] + body + self.block(inner, pad + "    ", True, depth) + [pad + "}"]
        begins = [f for f in names.fixed if f != v]
        if begins and self.chance(.25):
            begin = self.one(begins)
            end = self.one([e for e, b in names.pairs if b == begin and e != v] or [begin + " + 1"])
            head = f"for (int {v} = {begin}; {v} < {end}; {v}++{more})"
        elif self.chance(.15):
            head = f"for (int {v} = L; {v} < 2 * L; {v} += {self.one(['L', '2 * L'])}{more})"
        else:
            begin, turns = self.one([0, 0, 0, 1, 3]), self.one([1, 1, 1, 2, 3])
            head = f"for (int {v} = {begin}; {v} < {begin + turns}; {v} += {self.one([1, turns])}{more})"
        return self.body(inner, pad, head, True, depth)

    def branch(self, names, pad, loop, depth):
        lines = self.body(names, pad, f"if ({self.whole(names, 1)} {self.one('<>')} {self.whole(names, 1)})", loop, depth)
        return lines + (self.body(names, pad, "else", loop, depth) if self.chance(.4) else [])

    def statement(self, names, pad, loop, depth):
        if depth == 0 or self.chance(.25):
            return self.simple(names, pad, loop)
        return self.pick(
            *[lambda: self.loop(names, pad, depth)] * 3,
            lambda: self.branch(names, pad, loop, depth),
            lambda: [pad + "{"] + self.block(names, pad + "    ", loop, depth - 1) + [pad + "}"])

    def body(self, names, pad, head, loop, depth):
        if self.chance(.5):
            return [f"{pad}{head} {{{self.comment()}"] + self.block(names, pad + "    ", loop, depth - 1) + [pad + "}"]
        lines = self.statement(names, pad + "    ", loop, depth - 1)
        if not head.startswith("for") and any(line.lstrip().startswith("if") for line in lines):    # whose is the next else?
            return [f"{pad}{head} {{"] + lines + [pad + "}"]
        return [f"{pad}{head}{self.comment()}"] + lines

    def block(self, names, pad, loop, depth):
        lines, here = [], set()
        for _ in range(self.random.randint(0, 2)):
            v = self.name()
            if v in here:
                continue
            here.add(v)
            before, names = names.without(v), names.without(v)
            names.whole.append(v)
            kind = self.one(["number", "number", "sum", "end", "pair", "real", "free"])
            if kind == "number":
                lines.append(f"{pad}int {v} = {self.random.randint(0, 5)};")
                names.fixed.append(v)
            elif kind == "end" and before.fixed:
                begin = self.one(before.fixed)
                lines.append(f"{pad}int {v} = {begin} + {self.one([1, 1, 2])};")
                names.pairs.append((v, begin))
            elif kind == "pair":
                lines.append(f"{pad}int {v} = {self.random.randint(0, 3)}, {v}_ = {v} + 1;")
                names.whole.append(v + "_")
                names.fixed.append(v)
                names.pairs.append((v + "_", v))
            elif kind == "real":
                lines.append(f"{pad}real {v} = {self.real(before, 1)};")
                names.whole.remove(v)
                names.real.append(v)
            elif kind == "free":
                lines.append(f"{pad}int {v} = {self.random.randint(0, 5)};")
                names.free.append(v)
            else:
                lines.append(f"{pad}int {v} = {self.whole(before, 1)};")
                names.fixed.append(v)
        for _ in range(self.random.randint(1, 3)):
            lines += self.statement(names, pad, loop, depth)
        return lines

    def text(self):
        lines = [HEAD]
        for f in range(FUNCTIONS):
            self.count = 0
            lines.append(f"static void f{f}(int a, int b, real x, real y, real *p, int *k)\n{{\n    int n = 0;")
            lines += self.block(Names(["a", "b", "n"], ["x", "y"], ["n"]), "    ", False, 5) + ["}\n"]
        lines.append("int main(void)\n{\n    real p[16];\n    int k[16];\n    for (int i = 0; i < 16; i++)")
        lines.append("        p[i] = i == 3 ? NAN : i == 4 ? -0.0f : i * 0.3f, k[i] = i * 7 % 5;")
        lines += [f"    f{f}(3, 1, -0.0f, 1.25f, p, k);\n    f{f}(0, 2, NAN, -0.0f, p, k);" for f in range(FUNCTIONS)]
        return "\n".join(lines + ["    return 0;\n}"])


print(Program(int(sys.argv[1])).text())
