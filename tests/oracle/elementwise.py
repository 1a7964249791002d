"""Functions that work element by element, each with the gradient that the language says at its kinks.

Tensors are [N][...]; shapes broadcast as numpy's over an example's dimensions, aligned at the right, the batch apart.
"""
import torch
import torch.nn.functional as F

from expression import COMPARISONS, NUMBERS, calculate, is_constant


def align(*values):
    """The tensors among `values` with as many dimensions, ones put in behind the batch; numbers as they are."""
    rank = max((v.ndim for v in values if torch.is_tensor(v)), default=0)
    return [v.reshape(v.shape[0], *[1] * (rank - v.ndim), *v.shape[1:]) if torch.is_tensor(v) else v for v in values]


def choose(condition, a, b):
    """a where the condition holds, else b; either may be a number."""
    condition, a, b = align(condition, a, b)
    if not torch.is_tensor(condition):
        return a if condition else b
    number = lambda v: v if torch.is_tensor(v) else torch.tensor(float(v), dtype=torch.float64)
    return torch.where(condition.bool(), number(a), number(b))


def minimum(a, b):
    a, b = align(a, b)
    return choose(a <= b, a, b)         # a tie goes to the first


def maximum(a, b):
    a, b = align(a, b)
    return choose(a >= b, a, b)


def clip(x, low, high):
    return choose(x < low, low, choose(x > high, high, x))


def inside(x, low, high):
    """x between low and high, of which the gradient is 0 on the bounds and beyond them."""
    return torch.where((x > low) & (x < high), x, x.detach().clamp(low, high))


def power(x, p):
    """2, 3, 4 multiply from the left, 0.5 is sqrt, -1 is 1/x, x ** 0 is 1 with gradient 0, any other is pow."""
    if p == 0:
        return torch.ones_like(x)
    if p in (2, 3, 4):
        y = x
        for _ in range(int(p) - 1):
            y = y * x
        return y
    return torch.sqrt(x) if p == 0.5 else 1 / x if p == -1 else torch.pow(x, p)


UNARY = {
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "abs": torch.abs, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "softplus": F.softplus, "erf": torch.erf,
    "sign": lambda x: torch.sign(x.detach()), "floor": lambda x: torch.floor(x.detach()),
    "selu": F.selu, "silu": F.silu, "square": lambda x: x * x, "negate": lambda x: -x,
    "relu6": lambda x: inside(x, 0, 6), "hard_sigmoid": lambda x: inside(x + 3, 0, 6) / 6,
}


def gelu(x, approximate="none"):
    return F.gelu(x, approximate=approximate)


# With attributes: function and the names of its further numbers, in order, with their defaults.
WITH_NUMBERS = {
    "leaky_relu": (lambda x, slope: choose(x > 0, x, slope * x), {"slope": 0.01}),
    "elu": (lambda x, alpha: F.elu(x, float(alpha)), {"alpha": 1}),
    "clip": (clip, {"low": None, "high": None}),
    "gelu": (gelu, {"approximate": "none"}),
}
BINARY = {
    "min": minimum, "max": maximum, "minimum": minimum, "maximum": maximum,
    "subtract": lambda a, b: a - b, "divide": lambda a, b: a / b,
}


def function(name):
    """A function of a formula, of tensors and numbers."""
    if name in WITH_NUMBERS:
        rule, numbers = WITH_NUMBERS[name]
        return lambda x, *given: rule(x, *given, *list(numbers.values())[len(given):])
    return BINARY[name] if name in ("min", "max") else UNARY[name]


def activation(x, given):
    """`act: relu`, `act: { leaky_relu: { slope: 0.2 } }`."""
    if given == "linear":
        return x
    name, attributes = (given, {}) if isinstance(given, str) else next(iter(given.items()))
    if name not in WITH_NUMBERS:
        return UNARY[name](x)
    rule, numbers = WITH_NUMBERS[name]
    return rule(x, *{**numbers, **(attributes if isinstance(attributes, dict) else {next(iter(numbers)): attributes})}.values())


def masked(x, condition):
    """x, of which the gradient is exactly 0 where the condition does not hold, whatever arrives there."""
    x, condition = align(x, condition)
    x, condition = torch.broadcast_tensors(x, condition)
    return torch.where(condition.bool(), x, x.detach())


OPERATIONS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}


def where(arguments, scope, leaf):
    """Each branch sees its operands only where it is chosen, so that no NaN of the other reaches them."""
    condition = formula(arguments[0], scope, leaf)
    if not torch.is_tensor(condition):
        return formula(arguments[1 if condition else 2], scope, leaf)
    chosen = [formula(branch, scope, lambda kind, *given, c=c: masked(leaf(kind, *given), c))
              for branch, c in zip(arguments[1:], (condition != 0, condition == 0))]
    return choose(condition != 0, *chosen)


def formula(tree, scope, leaf):
    """A formula's value: a number, or a tensor in float64.  leaf("name", n) and leaf("index", n, i) give the operands."""
    kind, *parts = tree
    if is_constant(tree) and not (kind == "call" and parts[0] not in NUMBERS):
        return calculate(tree, scope)
    if kind == "name":
        return leaf("name", parts[0])
    if kind == "index":
        return leaf("index", parts[0], calculate(parts[1], scope))
    if kind == "neg":
        return -formula(parts[0], scope, leaf)
    if kind == "call" and parts[0] == "where":
        return where(parts[1], scope, leaf)
    if kind == "call":
        given = [formula(a, scope, leaf) for a in parts[1]]
        if not any(map(torch.is_tensor, given)):
            given[0] = torch.tensor([float(given[0])], dtype=torch.float64)
            return function(parts[0])(*given).item()
        if parts[0] in BINARY:
            like = next(v for v in given if torch.is_tensor(v))
            given = [v if torch.is_tensor(v) else torch.full((like.shape[0],), float(v), dtype=torch.float64) for v in given]
        return function(parts[0])(*align(*given))
    a, b = align(*(formula(p, scope, leaf) for p in parts))
    if kind == "**":
        return power(a, b)
    y = OPERATIONS[kind](a, b)
    return y.double() if kind in COMPARISONS and torch.is_tensor(y) else y
