"""Formulas of the language: one parser for parameters, `when`, `$t` and the formulas of a flow.

parse(text) gives a tree of tuples:
    ("number", v)  ("param", name)  ("name", name)  ("index", name, tree)  ("not", a)  ("neg", a)
    ("call", function, [trees])  (operator, a, b) with operator one of + - * / // % ** < <= > >= == != and or
From loosest to tightest: or; and; not; comparison (does not chain); + -; * / // %; unary -; ** (to the right).
calculate(tree, scope) reckons what holds numbers, words and parameters alone, in double, whole numbers staying whole.
"""
import math
import operator
import re

TOKEN = re.compile(r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<param>\$[A-Za-z_]\w*)"
                   r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%<>()\[\],]))")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def number(text):
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


def tokens(text):
    found, at, text = [], 0, text.strip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise ValueError(f"{text!r}: what is {text[at:]!r}?")
        found.append((m.lastgroup, m[m.lastgroup]))
        at = m.end()
    return found + [("end", "")]


class Parser:
    def __init__(self, text):
        self.text, self.rest = text, tokens(text)

    def take(self, *signs):
        """The next token's text if it is one of `signs`, else None."""
        kind, text = self.rest[0]
        if kind in ("sign", "name") and text in signs:
            self.rest.pop(0)
            return text
        return None

    def need(self, sign):
        if not self.take(sign):
            raise ValueError(f"{self.text!r}: expected {sign!r} before {self.rest[0][1]!r}")

    def chain(self, part, *signs):
        left = part()
        while sign := self.take(*signs):
            left = (sign, left, part())
        return left

    def condition(self):
        return self.chain(lambda: self.chain(self.negated, "and"), "or")

    def negated(self):
        return ("not", self.negated()) if self.take("not") else self.comparison()

    def comparison(self):
        left = self.sum()
        sign = self.take(*COMPARISONS)
        return (sign, left, self.sum()) if sign else left

    def sum(self):
        return self.chain(self.product, "+", "-")

    def product(self):
        return self.chain(self.signed, "*", "/", "//", "%")

    def signed(self):
        if self.take("-"):
            return ("neg", self.signed())
        return self.signed() if self.take("+") else self.power()

    def power(self):
        base = self.atom()
        return ("**", base, self.signed()) if self.take("**") else base

    def atom(self):
        kind, text = self.rest.pop(0)
        if kind == "number":
            return ("number", number(text))
        if kind == "param":
            return ("param", text[1:])
        if kind == "name":
            return self.after_name(text)
        if text == "(":
            inner = self.condition()
            self.need(")")
            return inner
        raise ValueError(f"{self.text!r}: expected a value before {text!r}")

    def after_name(self, name):
        if self.take("("):
            arguments = [self.comparison()]
            while self.take(","):
                arguments.append(self.comparison())
            self.need(")")
            return ("call", name, arguments)
        if self.take("["):
            index = self.sum()
            self.need("]")
            return ("index", name, index)
        return ("name", name)


def parse(text, condition=False):
    parser = Parser(text)
    tree = parser.condition() if condition else parser.comparison()
    if parser.rest[0][0] != "end":
        raise ValueError(f"{text!r}: what is {parser.rest[0][1]!r} doing there?")
    return tree


# ---- numbers ---------------------------------------------------------------------------------------------------------

def divide(a, b):
    """int / int is an int when that is exact."""
    return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b


def raised(a, b):
    return a ** b if isinstance(a, int) and isinstance(b, int) and b >= 0 else math.pow(a, b)


def compared(test):
    return lambda a, b: int(test(a, b))


BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": divide, "//": operator.floordiv, "%": operator.mod,
          "**": raised, "<": compared(operator.lt), "<=": compared(operator.le), ">": compared(operator.gt),
          ">=": compared(operator.ge), "==": compared(operator.eq), "!=": compared(operator.ne)}
NUMBERS = {"floor": math.floor, "ceil": math.ceil, "min": min, "max": max, "exp": math.exp, "log": math.log, "sqrt": math.sqrt,
           "abs": abs, "sin": math.sin, "cos": math.cos, "tanh": math.tanh, "erf": math.erf,
           "sign": lambda x: (x > 0) - (x < 0), "clip": lambda x, low, high: min(max(x, low), high),
           "where": lambda c, a, b: a if c else b}


def is_constant(tree):
    """Whether it holds numbers and parameters alone."""
    kind, *parts = tree
    if kind in ("number", "param"):
        return True
    if kind in ("name", "index"):
        return False
    if kind == "call":
        return all(map(is_constant, parts[1]))
    return all(map(is_constant, parts))


def true(value):
    """Whether a condition holds: a number that is not 0, or the word true."""
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def calculate(tree, scope):
    kind, *parts = tree
    if kind == "number":
        return parts[0]
    if kind == "param":
        return scope[parts[0]]
    if kind == "name":      # a bare word, of `when`
        return parts[0]
    if kind == "call":
        return NUMBERS[parts[0]](*(calculate(a, scope) for a in parts[1]))
    if kind == "not":
        return int(not true(calculate(parts[0], scope)))
    if kind == "neg":
        return -calculate(parts[0], scope)
    if kind in ("and", "or"):
        left = true(calculate(parts[0], scope))
        return int(left if left == (kind == "or") else true(calculate(parts[1], scope)))
    return BINARY[kind](*(calculate(p, scope) for p in parts))


def holds(text, scope):
    """`when:` numbers and words compared, with and, or, not."""
    return true(calculate(parse(text, condition=True), scope))
