"""Features of draw.py: repeats, their states and cells, steps that know their number.  Each adds entries to the flow, or none where no value fits."""
import math

from drawing import act, expression, initialiser, tame
from drawn_layers import given_or, weights


def read(d, steps):
    """(an operand that a step reads, its shape): a value of outside, its row of this step, some rows, or one from the end."""
    whole = d.pick(fits=lambda s: len(s) in (1, 2) and math.prod(s) <= 40)
    rows = d.pick(fits=lambda s: len(s) in (2, 3) and s[0] >= steps and math.prod(s[1:]) <= 40)
    if not rows or whole and d.chance(0.3):
        return (whole, d.values[whole]) if whole else (None, None)
    n, *rest = d.values[rows]
    how = d.r.choice(["row", "row", "back", "far", "some"])
    if how == "back":
        return f"{rows}[{n - 1} - $t]", rest
    if how == "far" and n >= 2 * steps:
        return {"slice": rows, "index": "2 * $t + 1"} if d.chance(0.5) else f"{rows}[2 * $t + 1]", rest
    if how == "some" and n > steps:
        return {"slice": rows, "from": "$t", "to": f"$t + {n - steps + 1}"}, [n - steps + 1, *rest]
    return f"{rows}[$t]", rest


def start(d, shape):
    """A state's `init:`: left out, zeros, trained, a value of its shape, a number."""
    values = [n for n, s in d.values.items() if tuple(s) == tuple(shape) and n not in d.inputs]
    found = d.r.choice(["", "zeros", "trained", "trained", "0.5", *([d.r.choice(values)] if values else [])])
    if found in d.values:
        d.used.add(found)
        found = d.r.choice([found, f"tanh({found})"])
    return {"init": found} if found else {}


def cell(d, kind, units):
    """A carried cell with its options."""
    given = {"units": units, **given_or(d, 0.3, bias_hh=True), **given_or(d, 0.3, weight_init=initialiser(d))}
    if kind == "rnn":
        given.update(given_or(d, 0.6, act=d.r.choice(["relu", "sigmoid", "tanh", "linear"])))
    if kind != "lstm":
        return {**given, **start(d, [units])}
    both = {part: start(d, [units]).get("init", "zeros") for part in "hc"}
    return {**given, **given_or(d, 0.4, forget_bias=d.r.choice([1, 0.5])), **({"init": both} if d.chance(0.5) else given_or(d, 0.5, init="trained"))}


def options(d, entry):
    """What a repeat may say of itself."""
    entry.update(given_or(d, 0.25, reverse=True))
    if d.chance(0.2):
        entry["name"] = d.name("again")
    if d.params and d.chance(0.2):
        name = d.r.choice(list(d.params))
        entry["when"] = f"${name} == {d.params[name]}" if d.chance(0.5) else f"${name} > {d.params[name] - 1} and not ${name} > {d.params[name]}"
    return entry


def inside(d, name, size):
    """An entry of a step that reads a vector: (what it is, its shape)."""
    net = [n for n, given in d.nets.items() if isinstance(given, dict) and "layers" in given and "width" not in given["params"]]
    kinds = ["dense", "dense", "norm", "softmax", "batch_norm", "nested"] + ["net"] * 6 * bool(net)
    kind = d.r.choice(kinds if size >= 3 else [k for k in kinds if k in ("dense", "nested", "net")])
    if kind == "net":
        used = d.r.choice(net)
        units = d.nets[used]["params"]["units"] + (len(d.nets[used]["layers"]) == 3 and d.nets[used]["params"]["deep"] == "yes")
        return {used: name, "new": True}, (units,)
    if kind == "norm":
        return {d.r.choice(["layer_norm", "rms_norm"]): name}, (size,)
    if kind == "softmax":
        return {d.r.choice(["softmax", "log_softmax"]): name}, (size,)
    if kind == "batch_norm" and d.has("batch_norm"):
        return {"batch_norm": name, **act(d)}, (size,)
    if kind == "nested":
        return {"multiply": [{"tanh": {"dense": name, "units": 3}}, {"sigmoid": {"dense": f"0.5 * {name}", "units": 3}}]}, (3,)
    return {"dense": name, "units": 3, **act(d), **weights(d)}, (3,)


def repeat(d):
    """States with cells or rules of formulas, one after the other; values of outside, of the step's row and of the step before."""
    steps = d.r.randint(1, 4)
    name, shape = read(d, steps)
    if name is None:
        return
    size, x, body, carry, made = d.r.randint(1, 5), name, [], {}, {}
    if not isinstance(name, str) or d.chance(0.4):           # a helper, of one name in all repeats
        x = f"{d.prefix}row"
        body.append({x: name})
    for _ in range(d.r.choice([1, 1, 1, 2])):
        s = d.name("q")
        kind = d.r.choice(["gru", "lstm", "rnn", "vector", "vector"])
        if kind != "vector" and d.has(kind):
            carry[s] = {kind: cell(d, kind, size)}
            body.append({s: {kind: [x, s]}})
            if kind == "lstm":
                made[s + ".h"] = made[s + ".c"] = (size,)
                s += ".h"
        else:
            step = d.name("m")
            carry[s] = {"shape": [size], **start(d, [size])}
            body += [{step: {"dense": {"concat": [x if len(shape) == 1 else {"flatten": x}, s]}, "units": size, **act(d)}}, {s: tame(d, expression(d, [s, step]))}]
            made[step] = (size,)
        made[s], x, shape = (size,), s, (size,)
    if d.chance(0.6):
        f = d.name("f")
        body.append({f: expression(d, [s, *([n for n, v in d.values.items() if v in ((size,), ())][:1])], 1)})
        made[f] = (size,)
    if d.chance(0.6):
        f = d.name("d")
        given, made[f] = inside(d, s, size)
        body.append({f: given})
    if d.chance(0.3):
        f = d.name("f")
        body.append({f: f"{s} * 0.9 ** $t + ($t > {steps // 2}) * 0.5"})
        made[f] = (size,)
    d.flow.append(options(d, {"repeat": steps, "carry": carry, "do": body}))
    for n, shape in made.items():
        d.values[n] = (steps, *shape)
    if d.chance(0.5):
        d.add("l", {"last": s}, [size])


def state_of_shape(d):
    """A state that is a number, a matrix or a map, which its step makes with a convolution, a norm or a sum."""
    name = d.pick(fits=lambda s: len(s) in (0, 2, 3) and math.prod(s) <= 60)
    if not name:
        return
    shape, steps, s, m = d.values[name], d.r.randint(2, 3), d.name("q"), d.name("m")
    body, made = [], {s: shape}
    carry = {s: {"shape": list(shape), **start(d, shape)}}
    if len(shape) >= 2 and min(shape[1:]) >= 2 and d.chance(0.7):
        given = {"conv": {"concat": [name, s]}, "filters": shape[0], "kernel": d.r.choice([1, 3]), "padding": "same", **act(d)}
        if d.has("batch_norm") and d.chance(0.3):
            given = {"batch_norm": {**given, "bias": False}}
        body.append({m: given})
        made[m] = shape
        body.append({s: f"0.5 * {s} + 0.5 * tanh({m})"})
    else:
        n = d.name("q")
        carry[n] = {"shape": []}
        body += [{n: {"add": [n, {"sum": f"0.1 * {name}"}]}}, {s: f"tanh({s} * 0.7 + {name} * {n} / ($t + 1))"}]
        made[n] = ()
    d.flow.append(options(d, {"repeat": steps, "carry": carry, "do": body}))
    for n, shape in made.items():
        d.values[n] = (steps, *shape)
    d.add("l", {"last": s}, d.values[s][1:])


def free_cells(d):
    """Cells that no repeat carries."""
    x, h = d.pick(fits=lambda s: math.prod(s) <= 60), d.pick(1)
    if not x or not h:
        return
    size = d.values[h][0]
    kind = d.r.choice(["gru", "lstm", "rnn"])
    if size > 8 or not d.has(kind):
        return
    given = {"units": size, **given_or(d, 0.3, bias_hh=True), **given_or(d, 0.3, weight_init=initialiser(d))}
    if kind != "lstm":
        return d.add("u", {kind: [x, h], **given}, [size])
    n = d.add("u", {"lstm": [x, h, f"tanh({h})"], **given, **given_or(d, 0.4, forget_bias=1)}, [size])
    d.values[n + ".h"] = d.values[n + ".c"] = d.values.pop(n)


def steps_in_a_net(d):
    """A net that has a repeat in it; its `do` sees what it is given alone."""
    name = d.pick(2, lambda s: s[0] >= 2 and math.prod(s) <= 40)
    if not name:
        return
    steps, net, units = d.values[name][0], d.name("net"), d.r.randint(1, 4)
    body = [{"repeat": steps, "carry": {"h": {"gru": {"units": "$units"}}}, "do": [{"h": {"gru": ["x[$t]", "h"]}}, {"z": {"dense": "h", "units": 2, **act(d)}}]}, {"e": {"last": "h"}}]
    d.nets[net] = {"params": {"units": units}, "in": "x", "do": body, "out": {"e": "tanh(e)", "z": "z"}}
    for new in [{}] + ([{"new": True, "units": d.r.randint(1, 4)}] if d.chance(0.5) else []):
        made = d.add("h", {net: name, **new}, [0])
        del d.values[made]
        d.values[made + ".e"], d.values[made + ".z"] = (new.get("units", units),), (steps, 2)


def repeats(d):
    """A repeat in a repeat: an inner state that starts anew in each outer step, from an outer value, a parameter or zeros; what both leave, outside."""
    name = d.pick(fits=lambda s: len(s) in (1, 2) and math.prod(s) <= 40)
    if not name:
        return
    rows = d.values[name][0] if len(d.values[name]) == 2 and d.chance(0.7) else None
    outer, inner, size = rows or d.r.randint(1, 3), d.r.randint(1, 3), d.r.randint(1, 4)
    a, b, f, c = d.name("q"), d.name("q"), d.name("f"), d.name("l")
    read = f"{name}[$i]" if rows else name
    width = math.prod(d.values[name][1:] if rows else d.values[name])
    start = d.r.choice(["zeros", "trained", a])
    if d.chance(0.4):
        state, rule = {"gru": {"units": size, "init": start}}, {"gru": [f, b]}
    else:
        state, rule = {"shape": [size], "init": start}, f"tanh({d.number(0.3, 1)} * {b} + {f} * 0.9 ** ($t + $i))"
    body = [{f: {"dense": {"concat": [{"reshape": read, "shape": [width]}, b]}, "units": size, **act(d)}}, {b: rule}]
    within = {"repeat": inner, "carry": {b: state}, "do": body}
    around = {"repeat": outer, "step": "i", "carry": {a: {"shape": [size], "init": d.r.choice(["zeros", "trained"])}}, "do": [within, {c: {"last": b}}, {a: expression(d, [a, c], 1)}]}
    if d.chance(0.3):
        within["reverse"] = True
    if d.chance(0.3):
        around["reverse"] = True
    around["do"][-1][a] = f"tanh({around['do'][-1][a]})"
    d.flow.append(around)
    d.values[a] = d.values[c] = (outer, size)
    d.values[b] = d.values[f] = (outer, inner, size)
    if d.chance(0.4):
        d.add("l", {"last": d.r.choice([a, b])}, [])
        made = next(iter(d.flow[-1]))
        d.values[made] = (size,) if d.flow[-1][made]["last"] == a else (inner, size)


def steps_of_number(d):
    """Rows of a value one after the other, by $t; a state that reads them."""
    name = d.pick(2, lambda s: s[0] >= 2)
    if not name:
        return
    rows, size = d.values[name]
    s, f = d.name("q"), d.name("f")
    entry = {"repeat": rows, "carry": {s: {"shape": [size], "init": d.r.choice(["zeros", "trained"])}},
             "do": [{f: f"{name}[$t] * 0.9 ** $t"}, {s: f"tanh({s} + {f})"}]}
    if d.chance(0.4):
        entry["reverse"] = True
    d.flow.append(entry)
    d.values[s] = d.values[f] = (rows, size)
    d.add("l", {"last": s}, [size])


STEPS = [       # (function, how often, operators that it needs)
    (repeat, 5, ("repeat.reverse", "repeat.name")), (state_of_shape, 3, ("repeat.reverse",)), (free_cells, 2, ()), (steps_in_a_net, 1, ("repeat.reverse",)), (repeats, 2, ("repeat.step",)),
    (steps_of_number, 1, ("repeat.reverse",)),
]
