"""The model language, read a second time: docs/language.md in Python, for the oracle and its helpers.

read_model(path, sets) gives the document as plain dicts and lists of text, and the values of its parameters;
value(text, scope) does the arithmetic.  Nothing here was taken from the compiler, so that both can be wrong only apart.
It trusts the file: mistakes are the compiler's to report, here they end in a Python error.
"""
import ast
import math
import re

import yaml

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
INTEGER = re.compile(r"[-+]?\d+")
FUNCTIONS = {"floor": math.floor, "ceil": math.ceil, "min": min, "max": max}


def divide(a, b):
    """int / int is an int when that is exact."""
    return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b


OPERATORS = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
             ast.Div: divide, ast.FloorDiv: lambda a, b: a // b, ast.Mod: lambda a, b: a % b}


def number(text):
    return int(text) if INTEGER.fullmatch(text) else float(text)


def calculate(node, scope):
    if isinstance(node, ast.Expression):
        return calculate(node.body, scope)
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return scope[node.id.removeprefix("p__")]
    if isinstance(node, ast.UnaryOp):
        operand = calculate(node.operand, scope)
        return -operand if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](calculate(node.left, scope), calculate(node.right, scope))
    if isinstance(node, ast.Call):
        return FUNCTIONS[node.func.id](*(calculate(a, scope) for a in node.args))
    raise ValueError(f"not arithmetic: {ast.dump(node)}")


def value(text, scope):
    """A scalar, or a list or dict of scalars, with the parameters filled in: int, float or word."""
    if isinstance(text, list):
        return [value(item, scope) for item in text]
    if isinstance(text, dict):
        return {key: value(item, scope) for key, item in text.items()}
    if not isinstance(text, str):
        return text
    if NUMBER.fullmatch(text):
        return number(text)
    if "$" not in text and not re.search(r"\d.*[-+*/%]|[-+*/%(].*\d", text):
        return text
    return calculate(ast.parse(re.sub(r"\$(\w+)", r"p__\1", text), mode="eval"), scope)


def read_model(path, sets=()):
    """The document at `path`, its parameters under "params"; `sets` are texts "key=value"."""
    with open(path, encoding="utf-8") as file:
        model = yaml.load(file, Loader=yaml.BaseLoader)
    overrides = dict(text.split("=", 1) for text in sets)
    scope = {}
    for key, text in (model.get("params") or {}).items():
        scope[key] = value(overrides.pop(key, text), scope)
    if overrides:
        raise KeyError(f"{path} has no parameter {', '.join(overrides)}")
    model["params"] = scope
    model["batch"] = value(model.get("batch", "100"), scope)
    return model


def data_shapes(model):
    """(name, kind, shape, classes) of each input and target; kind is u8, f32 or labels; shapes without the batch."""
    scope, rows = model["params"], []
    for name, given in (model.get("inputs") or {}).items():
        given = value(given, scope)
        rows.append((name, given.get("dtype", "f32"), tuple(given["shape"]), 0))
    for name, given in (model.get("targets") or {}).items():
        given = value(given, scope)
        if "classes" in given:
            rows.append((name, "labels", (given["length"],) if "length" in given else (), given["classes"]))
        else:
            rows.append((name, "f32", tuple(given["shape"]), 0))
    return rows


def pair(v):
    return (v[0], v[1]) if isinstance(v, list) else (v, v)
