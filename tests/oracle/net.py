"""A model of the language as a PyTorch computation in float64: values of the flow, loss, and (by autograd) gradients.

Written from the description of the language alone, for truth and not for speed.  Net(model) finds the parameters by running
the flow once on zeros; forward() then runs it on a batch.  Tensors are [N][...], names made in a repeat [N][T][...]; whole
numbers (tokens, labels) are int64.  A tensor may have notes: `classes` and `side` (where one_hot puts the classes) on whole
numbers; `steps` (how many of its first axes are steps) and `final` (the position of the step run last) on what a repeat made.
"""
import math

import torch
import torch.nn.functional as F

import layers
from elementwise import BINARY, UNARY, WITH_NUMBERS, activation, align, formula
from expression import calculate, holds, parse
from language import data_shapes, is_true, listed, value
from losses import LOSSES, PENALTIES

# What a bare value sets in a layer of a net: `- conv: 20`.
MAIN = {"conv": "filters", "conv_transpose": "filters", "maxpool": "size", "avgpool": "size", "dense": "units", "dropout": "rate",
        "reshape": "shape", "upsample": "factor", "softmax": "axis", "log_softmax": "axis", "sum": "axes", "mean": "axes",
        "max": "axes", "transpose": "axes", "flip": "axis", "pad": "by", "layer_norm": "axes", "rms_norm": "axes",
        "group_norm": "groups", "embedding": "units", "batch_norm": "momentum", "gelu": "approximate",
        **{name: next(iter(numbers)) for name, (_, numbers) in WITH_NUMBERS.items() if name != "gelu"}}
CELLS = {"gru": 3, "lstm": 4, "rnn": 1}     # rows of the weights: so many times the units
NOT_INPUTS = ("constant", "parameter", "random")

# Initialisers that start the bias of their layer too, and how; where weights start is read from the program.
BIAS_INITS = {"identity_affine": "identity", "identity": "identity"}


class Several(dict):
    """What a cell or a net of several outputs gives: read as NAME.key; NAME alone is the output `alone`, if any."""

    alone = None


class Place:
    """Where an entry stands: path of its parameters, numbers that $ names, steps, values, cells that its repeat carries."""

    def __init__(self, path, params, steps, values, cells=None):
        self.path, self.params, self.steps, self.values, self.cells = path, params, steps, values, cells or {}
        self.scope = {**params, **steps}


def note(x, **notes):
    for key, what in notes.items():
        setattr(x, key, what)
    return x


def noted(x, operands):
    """Whole numbers keep the classes of those that they were taken from."""
    if torch.is_tensor(x) and not x.is_floating_point():
        for one in operands:
            if hasattr(one, "classes") and x is not one:
                note(x, classes=one.classes, side=one.side, ignored=one.ignored)
    return x


def stacked(y, operands):
    """What is computed element by element has the steps in front that its operands of as many dimensions have."""
    steps = [x.steps for x in operands if hasattr(x, "steps") and x.ndim == y.ndim]
    return note(y, steps=max(steps)) if steps and all(y is not x for x in operands) else y


def number_repeats(entries, names):
    """id(entry) -> its name: repeat1, repeat2, ... in the order of the file, inner ones and named ones counted."""
    for entry in entries:
        if "repeat" in entry:
            names[id(entry)] = entry.get("name", f"repeat{len(names) + 1}")
            number_repeats(entry["do"], names)
    return names


class Net:
    def __init__(self, model):
        """self.shapes: parameter name -> shape; self.inits: name -> its initialiser as written (biases: "zeros");
        self.kinds: name -> weights, bias, norms or other; self.buffers: running statistics, name -> shape;
        self.copies: net -> the paths under which its parameters stand; self.trained: parameters that are not frozen."""
        self.model, self.train, self.count = model, False, 1
        self.nets = {name: net if isinstance(net, dict) else {"layers": net} for name, net in (model.get("nets") or {}).items()}
        self.data = data_shapes(model)
        self.weights, self.shapes, self.inits, self.kinds, self.buffers, self.copies, self.updates = None, {}, {}, {}, {}, {}, {}
        self.repeats = number_repeats(model["flow"], {})
        with torch.no_grad():
            self.flow({name: torch.zeros(1, *shape, dtype=torch.int64 if kind in ("i32", "labels") else torch.float64)
                       for name, kind, shape, _ in self.data})
        self.trained = [name for name in self.shapes if not is_true(self.training(name).get("freeze", "false"))]

    # ---- parameters ----

    def parameter(self, name, shape, init, kind="other"):
        shape = tuple(shape)
        if self.shapes.setdefault(name, shape) != shape:
            raise ValueError(f"{name} is {self.shapes[name]} in one place and {shape} in another")
        self.inits.setdefault(name, init)
        self.kinds.setdefault(name, kind)
        return torch.zeros(shape, dtype=torch.float64) if self.weights is None else self.weights[name]

    def buffer(self, name, shape, start):
        self.buffers.setdefault(name, tuple(shape))
        self.inits.setdefault(name, start)
        return torch.zeros(shape, dtype=torch.float64) if self.weights is None else self.updates.get(name, self.weights.get(name))

    def under(self, key):
        """The beginnings of parameter names that a key of `train: nets:` or of a penalty means: a net's uses and copies."""
        return sorted(self.copies.get(key, ())) if key in self.nets else [key]

    def named(self, key):
        return [name for name in self.shapes if any(name == p or name.startswith(p + ".") for p in self.under(key))]

    def training(self, name):
        """The settings of `train: nets:` for one parameter: those of the longest beginning."""
        found = {}
        for key, settings in ((self.model.get("train") or {}).get("nets") or {}).items():
            for beginning in self.under(key):
                if name == beginning or name.startswith(beginning + "."):
                    found[len(beginning)] = settings
        return value({k: v for k, v in found[max(found)].items() if k != "init"}, self.model["params"]) if found else {}

    # ---- running ----

    def forward(self, weights, inputs, targets, train=False):
        """Loss (0-d) and all names of the flow.  weights: name -> tensor; inputs: name -> [N][...] as read (u8 / 255)."""
        needed = set(self.shapes) | (set() if train else set(self.buffers))
        if needed - set(weights) or set(weights) - set(self.shapes) - set(self.buffers):
            raise KeyError(f"parameters differ: {sorted((needed - set(weights)) | (set(weights) - needed - set(self.buffers)))}")
        self.weights, self.train, self.updates = weights, train, {}
        values, made = self.flow({**inputs, **targets})
        return self.loss(values), made

    def flow(self, data):
        """All values at the end of the flow, and its names as out/ has them."""
        self.count = next(iter(data.values())).shape[0]
        ignores = self.ignores()
        values = {}
        for name, _, _, classes in self.data:
            given = (self.model.get("targets") or {}).get(name) or {}
            side = "last" if "length" in given else "first"
            values[name] = note(data[name].view(data[name].shape), classes=classes, side=side, ignored=ignores.get(name))
        place = Place("", self.model["params"], {}, values)
        made = self.block(self.model["flow"], place, None)
        labels = {}
        for label, name in made:
            labels.setdefault(name, []).append(label)
        return values, {name if len(labels[name]) == 1 or label is None else f"{label}.{name}": v for (label, name), v in made.items()}

    def ignores(self):
        """Target -> the label that a loss ignores."""
        return {entry["cross_entropy"][1]: value(entry["ignore"], self.model["params"]) for entry in self.losses()
                if "cross_entropy" in entry and "ignore" in entry}

    def block(self, entries, place, label):
        """Runs entries; (label of the repeat, name) -> value of all that they define.  place.values gets them too."""
        made = {}
        for entry in entries:
            if "repeat" in entry:
                if holds(entry.get("when", "1"), place.scope):
                    inner = self.repeat(entry, place)
                    made.update(inner)
                    place.values.update({name: v for (_, name), v in inner.items()})
                    for name, given in (entry.get("carry") or {}).items():
                        if f"{name}.h" in place.values and "lstm" in given:
                            place.values[name] = place.values[f"{name}.h"]
                continue
            (name, given), = entry.items()
            if isinstance(given, dict) and not holds(given.get("when", "1"), place.scope):
                continue
            found = self.entry(name, given, place)
            if isinstance(found, Several):
                named = {f"{name}.{key}": v for key, v in found.items()}
                if found.alone:
                    place.values[name] = found[found.alone]
            else:
                named = {name: found}
            place.values.update(named)
            made.update({(label, key): v for key, v in named.items()})
        return made

    def entry(self, name, given, place):
        return self.operand(given, place, [place.path + name, {}], name)

    def repeat(self, entry, outer):
        steps = value(entry["repeat"], outer.scope)
        states, cells = {}, {}
        for name, given in (entry.get("carry") or {}).items():
            kind = next(iter(given))
            if kind in CELLS:
                cells[name] = given[kind] if isinstance(given[kind], dict) else {"units": given[kind]}
                shape, init = [value(cells[name]["units"], outer.scope)], cells[name].get("init", "zeros")
                cells[name] = value({k: v for k, v in cells[name].items() if k != "init"}, outer.scope)
            else:
                shape, init = value(listed(given["shape"]), outer.scope), given.get("init", "zeros")
            if kind == "lstm":
                for part in ("h", "c"):
                    start = init[part] if isinstance(init, dict) else init
                    states[f"{name}.{part}"] = self.start(start, shape, outer, f"{name}.{part}")
                states[name] = states[f"{name}.h"]
            else:
                states[name] = self.start(init, shape, outer, name)
        found = {}
        for t in reversed(range(steps)) if is_true(entry.get("reverse", "false")) else range(steps):
            named = {} if "t" in outer.params else {"t": t}
            named.update({entry["step"]: t} if "step" in entry else {})
            place = Place(outer.path, outer.params, {**outer.steps, **named}, {**outer.values, **states}, cells)
            found[t] = self.block(entry["do"], place, self.repeats.get(id(entry)))
            states = {name: place.values[name] for name in states}
        final = 0 if is_true(entry.get("reverse", "false")) else steps - 1
        return {key: noted(note(torch.stack([found[t][key] for t in range(steps)], 1), final=final,
                                steps=getattr(found[0][key], "steps", 0) + 1), [found[0][key]]) for key in found[0]}

    def start(self, init, shape, place, name):
        """A state before the first step."""
        if isinstance(init, str) and init.startswith("$") and init[1:] in place.scope:
            init = str(place.scope[init[1:]])
        if init == "zeros":
            return torch.zeros(self.count, *shape, dtype=torch.float64)
        if init == "trained":
            return self.parameter(f"{place.path}{name}.init", shape, "zeros").expand(self.count, *shape)
        given = self.operand(init, place, [place.path + name, {}])
        if given[0].numel() == math.prod(shape):
            return given.reshape(self.count, *shape)
        return align(given, given.new_zeros(1, *shape))[0].expand(self.count, *shape)

    def operand(self, given, place, owner, name=None):
        """The value of a name, a number, a formula or a call.  owner: [path of the entry, operators counted in it];
        name: the entry's, where this is what stands behind it."""
        if isinstance(given, str):
            return self.formula(given, place)
        op = next(iter(given))
        if op == "formula":
            return self.formula(given[op], place)
        path = owner[0]
        if name is None:        # nested: numbered before what is in it
            owner[1][op] = owner[1].get(op, 0) + 1
            path = f"{owner[0]}.{op}{owner[1][op]}"
        attributes = {k: v for k, v in given.items() if k not in (op, "when")}
        if op not in self.nets and op in NOT_INPUTS:
            return self.operator(op, path, [value(given[op], place.scope)], value(attributes, place.scope))
        inputs = [self.operand(one, place, owner) for one in listed(given[op])]
        if op in self.nets:
            new = is_true(attributes.pop("new", "false"))
            attributes.pop("name", None)
            return self.apply(op, inputs, path if new else op, value(attributes, place.scope), place)
        if op in CELLS:
            return self.cell(op, path, inputs, value(attributes, place.scope), place, name, listed(given[op]))
        return self.operator(op, path, inputs, value(attributes, place.scope))

    def formula(self, text, place):
        tree, seen = parse(text), []

        def leaf(kind, name, index=None):
            x = self.look_up(name, place)
            if kind == "index":
                x = noted(layers.narrow(x, {"index": index}), [x])
            if not x.is_floating_point():
                raise TypeError(f"{text}: arithmetic on the whole numbers {name}")
            seen.append(x)
            return x

        if tree[0] == "name":
            return self.look_up(tree[1], place)
        if tree[0] == "index":
            x = self.look_up(tree[1], place)
            return noted(layers.narrow(x, {"index": calculate(tree[2], place.scope)}), [x])
        y = formula(tree, place.scope, leaf)
        if not torch.is_tensor(y):
            return torch.full((self.count,), float(y), dtype=torch.float64)
        return stacked(y, seen)

    def look_up(self, name, place):
        """A value, or a parameter by its name: the same for each example."""
        if name in place.values:
            return place.values[name]
        for full in (place.path + name, name):
            if full in self.shapes:
                p = self.parameter(full, self.shapes[full], None)
                return p.expand(self.count, *p.shape)
        raise KeyError(f"no value {name}")

    # ---- nets ----

    def apply(self, net, inputs, path, given, caller):
        """A use of a net; its parameters stand under `path`."""
        form = self.nets[net]
        self.copies.setdefault(net, set()).add(path)
        params = dict(self.model["params"])
        for key, text in (form.get("params") or {}).items():
            params[key] = given.pop(key) if key in given else value(text, params)
        if given:
            raise KeyError(f"{net} has no parameter {', '.join(given)}")
        steps = {k: v for k, v in caller.steps.items() if k not in params}
        if "layers" in form:
            x, = inputs
            return self.layers(form["layers"], x, Place(path + ".", params, steps, {}))
        names = listed(form["in"])
        if len(names) != len(inputs):
            raise ValueError(f"{net} takes {names}")
        place = Place(path + ".", params, steps, dict(zip(names, inputs)))
        self.block(form["do"], place, None)
        out = form["out"]
        if isinstance(out, dict):
            return Several((key, self.operand(one, place, [path, {}])) for key, one in out.items())
        return self.operand(out, place, [path, {}])

    def layers(self, given, x, place):
        """The layers of a net, one after the other."""
        counted = {}
        for layer in given:
            op, main = (layer, None) if isinstance(layer, str) else next(iter(layer.items()))
            attributes = dict(main) if isinstance(main, dict) else {} if main in (None, "") else {MAIN[op]: main}
            if not holds(attributes.pop("when", "1"), place.scope):
                continue
            counted[op] = counted.get(op, 0) + 1
            attributes = value(attributes, place.scope)
            path = place.path + attributes.pop("name", f"{op}{counted[op]}")
            if op in self.nets:
                new = is_true(attributes.pop("new", "false"))
                x = self.apply(op, [x], path if new else op, attributes, place)
            else:
                x = self.operator(op, path, [x], attributes)
        return x

    # ---- operators ----

    def operator(self, op, name, inputs, a):
        a = dict(a)
        act = a.pop("act", "linear")
        if op in UNARY or op in WITH_NUMBERS:
            y = activation(inputs[0], {op: {k: v for k, v in a.items() if k != "name"}} if op in WITH_NUMBERS else op)
        elif op in BINARY and op not in ("min", "max"):
            y = BINARY[op](*align(*inputs))
        else:
            y = getattr(self, "op_" + op)(name, *inputs, a=a)
        y = activation(y, act)
        if op in UNARY or op in WITH_NUMBERS or op in BINARY or op in ("add", "multiply"):
            y = stacked(y, inputs)
        return noted(y, inputs)

    def bias(self, name, count, a):
        if not is_true(a.get("bias", "true")):
            return None
        init = a.get("init")
        init = BIAS_INITS.get(next(iter(init)) if isinstance(init, dict) else init, "zeros")
        return self.parameter(name + ".bias", (count,), init, "bias")

    def op_conv(self, name, x, a):
        kernel = layers.each_axis(a.get("kernel", 3), x.ndim - 2)
        w = self.parameter(name + ".weight", (a["filters"], x.shape[1] // a.get("groups", 1), *kernel),
                           a.get("init", "glorot_uniform"), "weights")
        return layers.conv(x, w, self.bias(name, a["filters"], a), a)

    def op_conv_transpose(self, name, x, a):
        kernel = layers.each_axis(a.get("kernel", 3), x.ndim - 2)
        w = self.parameter(name + ".weight", (x.shape[1], a["filters"] // a.get("groups", 1), *kernel),
                           a.get("init", "glorot_uniform"), "weights")
        return layers.conv_transpose(x, w, self.bias(name, a["filters"], a), a)

    def op_maxpool(self, name, x, a):
        return layers.maxpool(x, a)

    def op_avgpool(self, name, x, a):
        return layers.avgpool(x, a)

    def op_global_avgpool(self, name, x, a):
        return x.reshape(x.shape[0], x.shape[1], -1).mean(2)

    def op_global_maxpool(self, name, x, a):
        return layers.largest(x.reshape(x.shape[0], x.shape[1], -1), {"axes": 1})

    def op_upsample(self, name, x, a):
        return layers.upsample(x, a)

    def op_dense(self, name, x, a):
        x = x if a.get("over") == "last" else x.reshape(x.shape[0], -1)
        w = self.parameter(name + ".weight", (a["units"], x.shape[-1]), a.get("init", "glorot_uniform"), "weights")
        return F.linear(x, w, self.bias(name, a["units"], a))

    def op_matmul(self, name, x, y, a):
        return layers.matmul(x, y, a)

    def op_softmax(self, name, x, a):
        return torch.softmax(x, layers.axis_of(x, a.get("axis", -1)))

    def op_log_softmax(self, name, x, a):
        return torch.log_softmax(x, layers.axis_of(x, a.get("axis", -1)))

    def op_sum(self, name, x, a):
        return layers.total(x, a)

    def op_mean(self, name, x, a):
        return layers.mean(x, a)

    def op_max(self, name, x, a):
        return layers.largest(x, a)

    def op_transpose(self, name, x, a):
        return x.permute(0, *layers.axes_of(x, a.get("axes", list(reversed(range(x.ndim - 1))))))

    def op_flip(self, name, x, a):
        return x.flip(layers.axes_of(x, a.get("axis", 0)))

    def op_pad(self, name, x, a):
        return layers.pad(x, a)

    def op_dropout(self, name, x, a):
        if self.train and a["rate"] != 0:
            raise ValueError(f"{name}: the masks of dropout are the program's own; compare in eval mode or at rate 0")
        return x

    def op_random(self, name, kind, a):
        if kind not in ("normal", "uniform"):
            raise ValueError(f"random {kind}")
        if a.get("amount", 1) != 0 and (self.train or a.get("eval", "zeros") != "zeros"):
            raise ValueError(f"{name}: what is drawn is the program's own; compare in eval mode with eval: zeros")
        return torch.zeros(self.count, *listed(a.get("shape", [])), dtype=torch.float64)

    def one_shape(self, name, xs):
        if any(x.shape != xs[0].shape for x in xs):
            raise ValueError(f"{name}: {[tuple(x.shape) for x in xs]} are not of one shape")

    def op_add(self, name, *xs, a):
        self.one_shape(name, xs)
        return sum(xs[1:], xs[0])

    def op_multiply(self, name, *xs, a):
        self.one_shape(name, xs)
        return math.prod(xs[1:], start=xs[0])

    def op_concat(self, name, *xs, a):
        xs = [x[:, None] if x.ndim == 1 else x for x in xs]
        return torch.cat(xs, layers.axis_of(xs[0], a.get("axis", 0)))

    def op_stack(self, name, *xs, a):
        xs = [x[:, None] if x.ndim == 1 else x for x in xs]
        return torch.stack(xs, layers.axis_of(xs[0][:, None], a.get("axis", 0)))

    def op_slice(self, name, x, a):
        return layers.narrow(x, a)

    def op_reshape(self, name, x, a):
        return x.reshape(x.shape[0], *listed(a["shape"]))

    def op_flatten(self, name, x, a):
        return x.reshape(x.shape[0], -1)

    def op_last(self, name, x, a):
        return x[:, getattr(x, "final", -1)]

    def op_stop_gradient(self, name, x, a):
        return x.detach()

    def op_constant(self, name, given, a):
        if isinstance(given, dict):
            x = torch.arange(value(given["range"], self.model["params"]), dtype=torch.float64)
        else:
            x = torch.tensor(value(given, self.model["params"]), dtype=torch.float64)
            if "shape" in a:
                shape = listed(a["shape"])
                x = x.expand(shape) if x.ndim == 0 else x.reshape(shape)
        return x.expand(self.count, *x.shape)

    def op_parameter(self, name, given, a):
        p = self.parameter(name + ".weight", value(listed(given), self.model["params"]), a.get("init", "zeros"))
        return p.expand(self.count, *p.shape)

    def op_coordinates(self, name, x, a):
        maps = [layers.points(n).reshape([-1 if j == k else 1 for j in range(x.ndim - 2)]).expand(x.shape[2:])
                for k, n in enumerate(x.shape[2:])]
        return torch.stack(maps).expand(x.shape[0], x.ndim - 2, *x.shape[2:])

    def op_one_hot(self, name, x, a):
        classes = a.get("classes", x.classes)
        present = (x >= 0) & (x < classes)
        if x.ignored is not None:
            present &= x != x.ignored
        y = F.one_hot(torch.where(present, x, torch.zeros_like(x)), classes).double() * present[..., None]
        return y.movedim(-1, 1 + getattr(x, "steps", 0)) if x.side == "first" else y

    def op_real(self, name, x, a):
        return x.double()

    def op_embedding(self, name, x, table=None, *, a):
        if table is None:
            return F.embedding(x, self.parameter(name + ".weight", (x.classes, a["units"]), a.get("init", {"normal": 1}), "weights"))
        rows = table.gather(1, x.reshape(x.shape[0], -1, 1).expand(-1, -1, table.shape[2]))
        return rows.reshape(*x.shape, table.shape[2])

    def op_prelu(self, name, x, a):
        w = layers.by_channel(self.parameter(name + ".weight", (x.shape[1],), a.get("init", {"constant": 0.25})), x)
        return torch.where(x > 0, x, w * x)

    def affine(self, name, shape, a, bias=True):
        """Factor and shift of a norm, or 1 and 0."""
        if not is_true(a.get("affine", "true")):
            return torch.ones(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64)
        return (self.parameter(name + ".weight", shape, "ones", "norms"),
                self.parameter(name + ".bias", shape, "zeros", "norms") if bias else torch.zeros(shape, dtype=torch.float64))

    def op_batch_norm(self, name, x, a):
        scale, shift = (layers.by_channel(p, x) for p in self.affine(name, x.shape[1:2], a))
        names = [name + ".running_mean", name + ".running_var"]
        running = [self.buffer(n, x.shape[1:2], start) for n, start in zip(names, ("zeros", "ones"))]
        y, *found = layers.batch_norm(x, *running, a.get("epsilon", 1e-5), self.train)
        if self.train and running[0] is not None:
            momentum = a.get("momentum", 0.1)
            self.updates.update({n: (1 - momentum) * r + momentum * f for n, r, f in zip(names, running, found)})
        return y * scale + shift

    def norm_over_axes(self, name, x, a, centred):
        axes = layers.axes_of(x, a.get("axes", [-1]))
        scale, shift = self.affine(name, [x.shape[k] for k in axes], a, bias=centred)
        full = lambda p: p.permute(*sorted(range(len(axes)), key=lambda i: axes[i])).reshape(
            [x.shape[k] if k in axes else 1 for k in range(1, x.ndim)])
        return layers.normed(x, axes, a.get("epsilon", 1e-5), centred) * full(scale) + full(shift)

    def op_layer_norm(self, name, x, a):
        return self.norm_over_axes(name, x, a, True)

    def op_rms_norm(self, name, x, a):
        return self.norm_over_axes(name, x, a, False)

    def op_group_norm(self, name, x, a):
        scale, shift = (layers.by_channel(p, x) for p in self.affine(name, x.shape[1:2], a))
        return layers.group_norm(x, a["groups"], a.get("epsilon", 1e-5)) * scale + shift

    def op_instance_norm(self, name, x, a):
        return self.op_group_norm(name, x, {**a, "groups": x.shape[1]})

    def op_spn(self, name, image, A, a):
        d = a.get("downsample", 1)
        h, w = a.get("size", [math.floor(image.shape[2] / d), math.floor(image.shape[3] / d)])
        return layers.spn(image, layers.affine(A, a.get("transform", "affine")), h, w, a.get("border", "zero"))

    # ---- cells ----

    def cell(self, kind, path, inputs, attributes, place, name, operands):
        """gru, lstm, rnn: of this repeat's carry where `name` is carried, else free, with units as attribute."""
        a = place.cells.get(name, attributes)
        x, h = inputs[:2]
        if kind == "lstm":
            c = inputs[2] if len(inputs) > 2 else place.values[operands[1] + ".c"]
        units, init, rows = a.get("units", h.shape[1]), a.get("weight_init", {"normal": 0.1}), CELLS[kind]
        second = [self.parameter(f"{path}.bias_hh", (rows * units,), "zeros", "bias")] if is_true(a.get("bias_hh", "false")) else []
        weights = [self.parameter(f"{path}.weight_ih", (rows * units, x[0].numel()), init, "weights"),
                   self.parameter(f"{path}.weight_hh", (rows * units, units), init, "weights"),
                   self.parameter(f"{path}.bias_ih", (rows * units,), "zeros", "bias"), *second]
        x, h = x.reshape(x.shape[0], -1), h.reshape(h.shape[0], -1)
        if kind == "gru":
            return layers.gru(x, h, *weights)
        if kind == "rnn":
            y = x @ weights[0].T + weights[2] + h @ weights[1].T + (weights[3] if len(weights) > 3 else 0)
            return activation(y, a.get("act", "tanh"))
        both = Several(zip("hc", layers.lstm(x, h, c.reshape(h.shape), *weights)))
        both.alone = "h"
        return both

    # ---- loss and gradients ----

    def losses(self):
        return listed(self.model["loss"])

    def loss(self, values):
        place, total = Place("", self.model["params"], {}, values), 0
        for entry in self.losses():
            kind = next(iter(entry))
            attributes = value({k: v for k, v in entry.items() if k != kind}, self.model["params"])
            factor = attributes.pop("weight", 1)
            if kind in PENALTIES:
                found = sum(PENALTIES[kind](self.weights[n]) for n in self.named(entry[kind]) if self.kinds[n] == "weights")
            else:
                operands = [self.operand(one, place, ["loss", {}]) for one in listed(entry[kind])]
                if kind == "cross_entropy" and getattr(operands[1], "side", "") == "last" and operands[1].ndim == 2:
                    operands[0] = operands[0].flatten(1, -2)              # of a repeat in a repeat: the steps of both, one after the other
                found = LOSSES[kind](*operands, attributes, self.class_axis(operands) if kind == "cross_entropy" else None)
            total = total + factor * found
        return total

    def class_axis(self, operands):
        """Where the classes of [N][...] logits are: last for a target with `length` or one label; else behind the steps."""
        logits, target = operands
        if not target.is_floating_point() and (target.ndim == 1 or target.side == "last"):
            return logits.ndim - 1
        axis = 1 + getattr(logits, "steps", 0)
        fits = lambda k: logits.shape == target.shape if target.is_floating_point() \
            else logits.shape[:k] + logits.shape[k + 1:] == target.shape
        return axis if axis < logits.ndim and fits(axis) else next(k for k in range(1, logits.ndim) if fits(k))

    def gradients(self, arrays, inputs, targets, train=False):
        """(loss, values, gradients) as detached tensors, for parameters given as float64 tensors; none for what is frozen."""
        leaves = {k: v.detach().clone().requires_grad_(k in self.trained) for k, v in arrays.items()}
        loss, values = self.forward(leaves, inputs, targets, train)
        wanted = [k for k in leaves if k in self.trained]
        found = torch.autograd.grad(loss, [leaves[k] for k in wanted], allow_unused=True) if loss.requires_grad else [None] * len(wanted)
        grads = {k: torch.zeros_like(leaves[k]) if g is None else g for k, g in zip(wanted, found)}
        return loss.detach(), {k: v.detach() for k, v in values.items()}, grads
