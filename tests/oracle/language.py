"""The model language, read a second time, for the oracle and its helpers.

read_model(path, sets) gives the document as plain dicts and lists of text, and the values of its parameters;
value(text, scope) does the arithmetic.  Nothing here was taken from the compiler, so that both can be wrong only apart.
It trusts the file: mistakes are the compiler's to report, here they end in a Python error.
"""
import pathlib
import re

import yaml

from expression import calculate, number, parse

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


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
    return calculate(parse(text), scope)


def is_true(word):
    """An attribute that is true or false."""
    return str(word).lower() == "true"


def listed(given):
    return given if isinstance(given, list) else [given]


class Parameters(dict):
    """The values of `params`, each reckoned when first read: a parameter of an included file may use one of the model's."""

    def __init__(self, texts):
        super().__init__()
        self.texts = texts
        for key in texts:
            self[key]

    def __missing__(self, key):
        self[key] = value(self.texts[key], self)
        return self[key]


def read_document(path):
    """The document at `path` with what it includes: params of included files first, where its own win; nets of all."""
    path = pathlib.Path(path)
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    params, nets = {}, {}
    for name in listed(document.get("include") or []):
        other = read_document(path.parent / name)
        for mine, theirs in ((params, other["params"]), (nets, other["nets"])):
            if set(mine) & set(theirs):
                raise ValueError(f"{name}: {set(mine) & set(theirs)} included twice")
            mine.update(theirs)
    own = document.get("nets") or {}
    if set(nets) & set(own):
        raise ValueError(f"{path}: {set(nets) & set(own)} also in an included file")
    document["params"], document["nets"] = {**params, **(document.get("params") or {})}, {**nets, **own}
    return document


def read_model(path, sets=()):
    """The document at `path`, its parameters under "params"; `sets` are texts "key=value"."""
    model = read_document(path)
    overrides = dict(text.split("=", 1) for text in sets)
    if set(overrides) - set(model["params"]):
        raise KeyError(f"{path} has no parameter {', '.join(set(overrides) - set(model['params']))}")
    model["params"] = dict(Parameters({**model["params"], **overrides}))
    model["batch"] = value(model.get("batch", "100"), model["params"])
    return model


def fractions(model):
    """Targets of real numbers that a loss reads as shares: name -> "unit" (0 to 1) or "shares" (of which the sum is 1)."""
    kinds = {}
    for entry in listed(model.get("loss") or []):
        loss = next(iter(entry))
        if loss in ("binary_cross_entropy", "cross_entropy"):
            kinds[str(entry[loss][1])] = "unit" if loss == "binary_cross_entropy" else "shares"
    return kinds


def data_shapes(model):
    """(name, kind, shape, classes) of each input and target; kind is u8, f32, i32, labels, unit or shares; shapes without the batch."""
    scope, rows, shares = model["params"], [], fractions(model)
    for name, given in (model.get("inputs") or {}).items():
        given = value({k: v for k, v in given.items() if k != "augment"}, scope)
        rows.append((name, given.get("dtype", "f32"), tuple(given["shape"]), given.get("classes", 0)))
    for name, given in (model.get("targets") or {}).items():
        given = value(given, scope)
        if "classes" in given:
            shape = tuple(given["shape"]) if "shape" in given else (given["length"],) if "length" in given else ()
            rows.append((name, "labels", shape, given["classes"]))
        else:
            rows.append((name, shares.get(name, "f32"), tuple(given["shape"]), 0))
    return rows


def pair(v):
    return (v[0], v[1]) if isinstance(v, list) else (v, v)
