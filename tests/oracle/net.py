"""A model of the language as a PyTorch computation in float64: values of the flow, loss, and (by autograd) gradients.

Written from docs/language.md alone, for truth and not for speed.  Net(model) finds the parameters by running the flow once
on zeros; forward() then runs it on a batch.  Tensors are [N][...], names made in a repeat [N][T][...].
"""
import math

import torch
import torch.nn.functional as F

from language import data_shapes, pair, value

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "linear": lambda x: x}

# What a bare value sets in a layer of a net: `- conv: 20`.
MAIN = {"conv": "filters", "maxpool": "size", "dense": "units", "dropout": "rate", "reshape": "shape"}
OPERATORS = {"conv", "maxpool", "dense", "relu", "tanh", "sigmoid", "dropout", "add", "multiply", "concat", "slice",
             "reshape", "flatten", "gru", "spn", "last"}


# ---- the sampler, written out -------------------------------------------------------------------------------------

def grid(h, w):
    """Target points x (columns) and y (rows), corners at exactly -1 and 1."""
    if h < 2 or w < 2:
        raise ValueError("a sampling grid needs two points a side")
    y, x = (-1 + 2 * torch.arange(n, dtype=torch.float64) / (n - 1) for n in (h, w))
    return x.expand(h, w), y[:, None].expand(h, w)


def pick(image, y, x, valid):
    """image[n][:][y[n]][x[n]] where valid, else 0.  image [N,C,H,W]; y, x, valid [N,h,w]; result [N,C,h,w]."""
    n, c, height, width = image.shape
    index = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).long().reshape(n, 1, -1).expand(n, c, -1)
    found = image.reshape(n, c, -1).gather(2, index).reshape(n, c, *y.shape[1:])
    return found * valid[:, None]


def spn(image, A, h, w, border):
    n, _, height, width = image.shape
    A = A.reshape(n, 2, 3, 1, 1)
    gx, gy = grid(h, w)
    xs, ys = (A[:, k, 0] * gx + A[:, k, 1] * gy + A[:, k, 2] for k in (0, 1))
    if border == "legacy":      # scaled by W, not W - 1; both pixels are clipped, so that the weights cancel outside
        x, y = (xs + 1) / 2 * width, (ys + 1) / 2 * height
        x0, x1 = (torch.floor((x.detach() + k).clamp(0, width - 1)) for k in (0, 1))
        y0, y1 = (torch.floor((y.detach() + k).clamp(0, height - 1)) for k in (0, 1))
        inside = {(r, s): torch.ones_like(x0) for r in (0, 1) for s in (0, 1)}
    else:
        x, y = (xs + 1) / 2 * (width - 1), (ys + 1) / 2 * (height - 1)
        if border == "clamp":   # on the border and beyond it: the border's pixel, and no gradient
            x = torch.where((x > 0) & (x < width - 1), x, x.detach().clamp(0, width - 1))
            y = torch.where((y > 0) & (y < height - 1), y, y.detach().clamp(0, height - 1))
        elif border != "zero":
            raise ValueError(f"no border {border}")
        x0, y0 = torch.floor(x.detach()), torch.floor(y.detach())
        x1, y1 = x0 + 1, y0 + 1
        inside = {(r, s): ((yr >= 0) & (yr <= height - 1) & (xs_ >= 0) & (xs_ <= width - 1)).double()
                  for r, yr in enumerate((y0, y1)) for s, xs_ in enumerate((x0, x1))}
    return (((x1 - x) * (y1 - y))[:, None] * pick(image, y0, x0, inside[0, 0])
            + ((x - x0) * (y1 - y))[:, None] * pick(image, y0, x1, inside[0, 1])
            + ((x1 - x) * (y - y0))[:, None] * pick(image, y1, x0, inside[1, 0])
            + ((x - x0) * (y - y0))[:, None] * pick(image, y1, x1, inside[1, 1]))


def gru(x, h, weight_ih, weight_hh, bias_ih, bias_hh=None):
    """h' = (1 - z) n + z h, rows in the order r, z, n; the reset gate acts after the product with W_hn."""
    ir, iz, new = (x.flatten(1) @ weight_ih.T + bias_ih).chunk(3, 1)
    hr, hz, hn = (h @ weight_hh.T + (0 if bias_hh is None else bias_hh)).chunk(3, 1)
    r, z = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
    return (1 - z) * torch.tanh(new + r * hn) + z * h


# ---- losses and initialisers, each a row of a table ----------------------------------------------------------------------

def cross_entropy(logits, labels, a):
    if logits.shape[:-1] != labels.shape:
        raise ValueError(f"logits {tuple(logits.shape)} with labels {tuple(labels.shape)}")
    logp = torch.log_softmax(logits, -1).gather(-1, labels[..., None])
    return -(torch.log(logp.exp() + a["epsilon"]) if a.get("epsilon") else logp).mean()


def mse(left, right, a):
    if left.shape != right.shape:
        raise ValueError(f"mse of {tuple(left.shape)} and {tuple(right.shape)}")
    return ((left - right) ** 2).mean()


LOSSES = {"cross_entropy": cross_entropy, "mse": mse}

# Initialisers that start the bias of their layer too, and how; where weights start is read from the program.
BIAS_INITS = {"identity_affine": "identity"}


# ---- the net --------------------------------------------------------------------------------------------------------

class Net:
    def __init__(self, model):
        """self.shapes: parameter name -> shape; self.inits: name -> its initialiser as written (biases: "zeros")."""
        self.model, self.scope, self.train = model, dict(model["params"]), False
        self.nets = model.get("nets") or {}
        self.data = data_shapes(model)
        self.weights, self.shapes, self.inits = None, {}, {}
        inputs = {name: torch.zeros(1, *shape, dtype=torch.float64)
                  for name, kind, shape, _ in self.data if name in model["inputs"]}
        with torch.no_grad():
            self.flow(inputs)

    def parameter(self, name, shape, init):
        shape = tuple(shape)
        if self.shapes.setdefault(name, shape) != shape:
            raise ValueError(f"{name} is {self.shapes[name]} in one place and {shape} in another")
        self.inits.setdefault(name, init)
        return torch.zeros(shape, dtype=torch.float64) if self.weights is None else self.weights[name]

    def forward(self, weights, inputs, targets, train=False):
        """Loss (0-d) and all names of the flow.  weights: name -> tensor; inputs: name -> [N][...] as read (u8 / 255)."""
        if set(weights) != set(self.shapes):
            raise KeyError(f"parameters differ: {sorted(set(weights) ^ set(self.shapes))}")
        self.weights, self.train = weights, train
        values = self.flow(inputs)
        return self.loss(values, targets), {k: v for k, v in values.items() if k not in inputs}

    def flow(self, inputs):
        values = dict(inputs)
        for entry in self.model["flow"]:
            if "repeat" in entry:
                self.repeat(entry, values)
            else:
                (name, call), = entry.items()
                values[name] = self.call(name, call, values, {})
        return values

    def repeat(self, entry, outer):
        states, cells = {}, {}
        n = next(iter(outer.values())).shape[0]
        for name, given in (entry.get("carry") or {}).items():
            if "gru" in given:
                cells[name] = given["gru"] if isinstance(given["gru"], dict) else {"units": given["gru"]}
                shape = (value(cells[name]["units"], self.scope),)
            else:
                shape = tuple(value(given["shape"], self.scope))
            start = value(cells.get(name, given).get("init", "zeros"), self.scope)
            if start == "zeros":
                states[name] = torch.zeros(n, *shape, dtype=torch.float64)
            elif start == "trained":
                states[name] = self.parameter(name + ".init", shape, "zeros").expand(n, *shape)
            else:
                states[name] = outer[start].reshape(n, *shape)
        made = {}
        for t in range(value(entry["repeat"], self.scope)):
            self.scope["t"] = t
            inner = {**outer, **states}
            for line in entry["do"]:
                (name, call), = line.items()
                inner[name] = self.call(name, call, inner, cells)
                made.setdefault(name, []).append(inner[name])
            states = {name: inner[name] for name in states}
        del self.scope["t"]
        outer.update({name: torch.stack(steps, 1) for name, steps in made.items()})

    def call(self, name, call, values, cells):
        """One entry of the flow: the key that is an operator or a net holds the inputs, the rest are attributes."""
        op, = [key for key in call if key in OPERATORS or key in self.nets]
        names = call[op] if isinstance(call[op], list) else [call[op]]
        inputs = [values[n] for n in names]
        if op in self.nets:
            return self.apply(op, *inputs)
        attributes = value({k: v for k, v in call.items() if k != op}, self.scope)
        if op == "gru" and name in cells:
            attributes = value(cells[name], self.scope)
        return self.operator(op, name, inputs, attributes)

    def apply(self, net, x):
        """The layers of a net, one after the other."""
        counted = {}
        for layer in self.nets[net]:
            op, given = (layer, None) if isinstance(layer, str) else next(iter(layer.items()))
            if op in self.nets:
                x = self.apply(op, x)
                continue
            counted[op] = counted.get(op, 0) + 1
            attributes = given if isinstance(given, dict) else {} if given in (None, "") else {MAIN[op]: given}
            attributes = value(attributes, self.scope)
            x = self.operator(op, f"{net}.{attributes.get('name', op + str(counted[op]))}", [x], attributes)
        return x

    def operator(self, op, name, inputs, a):
        return getattr(self, "op_" + op)(name, *inputs, a=a)

    def bias(self, name, count, a):
        if a.get("bias", "true") == "false":
            return None
        init = a.get("init")
        return self.parameter(name + ".bias", (count,), BIAS_INITS.get(next(iter(init)) if isinstance(init, dict) else init, "zeros"))

    def op_conv(self, name, x, a):
        size, stride, padding = pair(a.get("kernel", 3)), pair(a.get("stride", 1)), pair(a.get("padding", 0))
        w = self.parameter(name + ".weight", (a["filters"], x.shape[1], *size), a.get("init", "glorot_uniform"))
        y = F.conv2d(x, w, self.bias(name, a["filters"], a), stride, padding)
        return ACTIVATIONS[a.get("act", "linear")](y)

    def op_maxpool(self, name, x, a):   # torch keeps the first of equal maxima, in row-major order
        size = a.get("size", 2)
        return F.max_pool2d(x.contiguous(), pair(size), pair(a.get("stride", size)))

    def op_dense(self, name, x, a):
        x = x.flatten(1)
        w = self.parameter(name + ".weight", (a["units"], x.shape[1]), a.get("init", "glorot_uniform"))
        b = self.bias(name, a["units"], a)
        return ACTIVATIONS[a.get("act", "linear")](F.linear(x, w, b))

    def op_relu(self, name, x, a):
        return torch.relu(x)

    def op_tanh(self, name, x, a):
        return torch.tanh(x)

    def op_sigmoid(self, name, x, a):
        return torch.sigmoid(x)

    def op_dropout(self, name, x, a):
        if self.train and a["rate"] != 0:
            raise ValueError(f"{name}: the masks of dropout are the program's own; compare in eval mode or at rate 0")
        return x

    def op_add(self, name, *xs, a):
        return sum(xs[1:], xs[0])

    def op_multiply(self, name, *xs, a):
        return math.prod(xs[1:], start=xs[0])

    def op_concat(self, name, *xs, a):
        return torch.cat(xs, a.get("axis", 0) + 1)

    def op_slice(self, name, x, a):
        axis = a.get("axis", 0) + 1
        if "index" in a:
            return x.select(axis, a["index"])
        first = a.get("from", 0)
        return x.narrow(axis, first, a.get("to", x.shape[axis]) - first)

    def op_reshape(self, name, x, a):
        return x.reshape(x.shape[0], *a["shape"])

    def op_flatten(self, name, x, a):
        return x.flatten(1)

    def op_last(self, name, x, a):
        return x[:, -1]

    def op_gru(self, name, x, h, a):
        units, init = a["units"], a.get("weight_init", {"normal": 0.1})
        b = self.parameter(name + ".bias_hh", (3 * units,), "zeros") if a.get("bias_hh") == "true" else None
        return gru(x, h, self.parameter(name + ".weight_ih", (3 * units, x.flatten(1).shape[1]), init),
                   self.parameter(name + ".weight_hh", (3 * units, units), init),
                   self.parameter(name + ".bias_ih", (3 * units,), "zeros"), b)

    def op_spn(self, name, image, A, a):
        d = a.get("downsample", 1)
        h, w = a.get("size", [math.floor(image.shape[2] / d), math.floor(image.shape[3] / d)])
        return spn(image, A, h, w, a.get("border", "zero"))

    def loss(self, values, targets):
        given, total = self.model["loss"], 0
        for entry in given if isinstance(given, list) else [given]:
            kind, = [key for key in entry if key in LOSSES]
            attributes = value({k: v for k, v in entry.items() if k != kind}, self.scope)
            operands = [targets[name] if name in targets else values[name] for name in entry[kind]]
            total = total + attributes.get("weight", 1) * LOSSES[kind](*operands, attributes)
        return total

    def gradients(self, arrays, inputs, targets, train=False):
        """(loss, values, gradients) as detached tensors, for parameters given as float64 tensors."""
        leaves = {k: v.detach().clone().requires_grad_(True) for k, v in arrays.items()}
        loss, values = self.forward(leaves, inputs, targets, train)
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        grads = {k: torch.zeros_like(v) if g is None else g for (k, v), g in zip(leaves.items(), found)}
        return loss.detach(), {k: v.detach() for k, v in values.items()}, grads


# ---- optimisers and schedules, each a row of a table -----------------------------------------------------------------------
# A rule of an optimiser changes w in place.  g is the gradient after clipping and decay, s the settings, states a dict that is
# kept from update to update, count the number of this update, from 1.

def kept(states, name, like):
    return states.setdefault(name, torch.zeros_like(like))


def rmsprop(w, g, rate, s, states, count):
    r = states["r"] = s["decay"] * kept(states, "r", w) + (1 - s["decay"]) * g * g
    inside = s["epsilon_inside"] == "true"
    w -= rate * g / (torch.sqrt(r + s["epsilon"]) if inside else torch.sqrt(r) + s["epsilon"])


def sgd(w, g, rate, s, states, count):
    v = states["v"] = s["momentum"] * kept(states, "v", w) + g
    w -= rate * v


def adam(w, g, rate, s, states, count):
    m = states["m"] = s["beta1"] * kept(states, "m", w) + (1 - s["beta1"]) * g
    v = states["v"] = s["beta2"] * kept(states, "v", w) + (1 - s["beta2"]) * g * g
    w -= rate * (m / (1 - s["beta1"] ** count)) / (torch.sqrt(v / (1 - s["beta2"] ** count)) + s["epsilon"])


OPTIMISERS = {"rmsprop": rmsprop, "sgd": sgd, "adam": adam}


def divide(rate, epoch, epochs, s):
    return rate / s["divide"] ** ((epoch - s["first"]) // s["every"] + 1) if epoch >= s["first"] else rate


SCHEDULES = {}                              # by name: { NAME: { settings } }
BARE_SCHEDULE = divide                      # whose settings stand under `schedule:` themselves


class Optimiser:
    """Clipping, weight decay and update as docs/language.md has them; every setting must stand in the model."""

    def __init__(self, model):
        given = value(model["train"], model["params"])
        (kind, self.settings), = given["optimiser"].items()
        self.rule, self.clip, self.decay = OPTIMISERS[kind], given.get("clip", {}), given.get("weight_decay", 0)
        self.schedule, self.patience, self.epochs = given.get("schedule"), given.get("patience", 0), given.get("epochs", 100)
        self.count, self.states = 0, {}

    def rate(self, epoch):
        s, rate = self.schedule, self.settings["rate"]
        if s in (None, "constant"):
            return rate
        name = next(iter(s))
        rule, settings = (SCHEDULES[name], s[name]) if name in SCHEDULES else (BARE_SCHEDULE, s)
        return rule(rate, epoch, self.epochs, settings)

    def step(self, weights, grads, epoch):
        """Updates `weights` in place."""
        grads, rate = dict(grads), self.rate(epoch)
        self.count += 1
        if "element" in self.clip:
            grads = {k: g.clamp(-self.clip["element"], self.clip["element"]) for k, g in grads.items()}
        if "norm" in self.clip:
            c, norm = self.clip["norm"], math.sqrt(sum(float((g * g).sum()) for g in grads.values()))
            lasagne = self.clip.get("rule", "torch") == "lasagne"
            factor = min(norm, c) / (1e-7 + norm) if lasagne else min(1.0, c / (norm + 1e-6))
            grads = {k: g * factor for k, g in grads.items()}
        for k, w in weights.items():
            self.rule(w, grads[k] + self.decay * w, rate, self.settings, self.states.setdefault(k, {}), self.count)
