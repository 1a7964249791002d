"""Features of draw.py: layers with all their options, whole numbers, products, draws.  Each adds entries to the flow, or none where no value fits."""
import math

from drawing import act, initialiser, operand, tame


def given_or(d, p, **attributes):
    """Each of the attributes with a chance of p."""
    return {key: value for key, value in attributes.items() if d.chance(p)}


def weights(d, fan_out=1):
    """Where weights and biases start, and whether there is a bias."""
    found = given_or(d, 0.3, init=initialiser(d))
    if d.chance(0.25):
        return {**found, "bias": False}
    return {**found, **given_or(d, 0.25, bias_init=d.r.choice([0.1, {"uniform": 0.5}, {"normal": [0.1, 0.2]}, "ones", {"constant": -0.2}, "zeros"]))}


def dense(d):
    name = d.pick(fits=lambda s: math.prod(s) <= 200)
    if not name:
        return
    units = d.r.randint(1, 9)
    given = {"dense": operand(d, name), "units": units, **act(d), **weights(d), **given_or(d, 0.1, over="all")}
    if d.chance(0.2):
        return d.add("d", {d.r.choice(["tanh", "relu", "sigmoid", "softplus", "selu"]): {k: v for k, v in given.items() if k != "act"}}, [units])
    made = d.add("d", given, [units])
    if d.chance(0.15) and len(d.values[name]) <= 1:                  # the weight again: tied
        code = d.add("l", {"matmul": [made, f"{made}.weight"]}, d.values[name] or [1])
        if d.chance(0.5):
            d.add("l", {"matmul": [f"{made}.weight", code]}, [units])


def lines(d):
    """dense, each position of the last axis by itself."""
    name = d.pick(fits=lambda s: len(s) in (2, 3))
    if name:
        units = d.r.randint(1, 5)
        d.add("d", {"dense": name, "units": units, "over": "last", **act(d), **weights(d)}, [*d.values[name][:-1], units])


# ---- maps and lines ---------------------------------------------------------------------------------------------------------------

def per_axis(d, axes, draw):
    """A number for all axes of a map, or one for each; and both as a list."""
    found = [draw() for _ in range(axes)]
    if axes == 1 or d.chance(0.5):
        return found[0], [found[0]] * axes
    return found, found


def conv(d):
    """A convolution of [C,H,W] or [C,T]: groups, dilation, padding of one number, for each axis, for each side, or the same size."""
    name = d.pick(fits=lambda s: len(s) in (2, 3) and min(s[1:]) >= 2 and s[0] <= 8)
    if not name:
        return
    c, *sizes = d.values[name]
    axes = len(sizes)
    kernel, kernels = per_axis(d, axes, lambda: d.r.choice([1, 2, 3, 3]))
    stride, strides = per_axis(d, axes, lambda: d.r.choice([1, 1, 1, 2]))
    dilation, dilations = per_axis(d, axes, lambda: d.r.choice([1, 1, 2]))
    groups = d.r.choice([1, 1, c, *(g for g in range(1, c + 1) if c % g == 0)])
    filters = groups * d.r.randint(1, 4 if groups == 1 else 2)
    how = d.r.choice(["none", "number", "sides", "same"])
    spans = [a * (k - 1) for a, k in zip(dilations, kernels)]
    given = {"conv": operand(d, name), "filters": filters, "kernel": kernel}
    around = [0] * axes
    if how == "same":
        stride, strides, around = 1, [1] * axes, spans
        given["padding"] = "same"
    elif how == "number" and min(kernels) > 1:
        padding, paddings = per_axis(d, axes, lambda: d.r.choice([0, 1]))
        given["padding"], around = padding, [2 * p for p in paddings]
    elif how == "sides":
        given["padding"] = [[d.r.randint(0, max(0, k - 1)), d.r.randint(0, max(0, k - 1))] for k in kernels]
        around = [sum(p) for p in given["padding"]]
    made = [(n + p - span - 1) // s + 1 for n, p, span, s in zip(sizes, around, spans, strides)]
    if min(n + p - span for n, p, span in zip(sizes, around, spans)) < 1 or filters * math.prod(made) > 400:
        return
    given.update({key: value for key, value, plain in (("stride", stride, 1), ("dilation", dilation, 1), ("groups", groups, 1)) if value != plain})
    d.add("v", {**given, **act(d), **weights(d), **given_or(d, 0.15, winograd=d.r.choice(["never", "auto"]))}, [filters, *made])


def conv_transpose(d):
    name = d.pick(fits=lambda s: len(s) in (2, 3) and math.prod(s) <= 60 and s[0] <= 8)
    if not name:
        return
    c, *sizes = d.values[name]
    axes = len(sizes)
    kernel, kernels = per_axis(d, axes, lambda: d.r.choice([1, 2, 3]))
    stride, strides = per_axis(d, axes, lambda: d.r.choice([1, 2]))
    dilation, dilations = per_axis(d, axes, lambda: d.r.choice([1, 1, 2]))
    groups = d.r.choice([1, 1, *(g for g in range(1, c + 1) if c % g == 0)])
    filters = groups * d.r.randint(1, 3 if groups == 1 else 2)
    padding, paddings = per_axis(d, axes, lambda: d.r.choice([0, 0, 1]))
    beyond, beyonds = per_axis(d, axes, lambda: d.r.choice([0, 1]))
    if any(b >= max(s, a) for b, s, a in zip(beyonds, strides, dilations)):
        beyond, beyonds = 0, [0] * axes
    made = [(n - 1) * s - 2 * p + a * (k - 1) + b + 1 for n, s, p, a, k, b in zip(sizes, strides, paddings, dilations, kernels, beyonds)]
    if min(made) < 1 or filters * math.prod(made) > 400:
        return
    given = {"conv_transpose": operand(d, name), "filters": filters, "kernel": kernel, "stride": stride}
    given.update({key: value for key, value, plain in (("padding", padding, 0), ("output_padding", beyond, 0), ("dilation", dilation, 1), ("groups", groups, 1)) if value != plain})
    d.add("v", {**given, **act(d), **weights(d)}, [filters, *made])


def pool(d):
    """Pools of [C,H,W] or [C,T], with padding, and windows that stick out."""
    name = d.pick(fits=lambda s: len(s) in (2, 3) and min(s[1:]) >= 3)
    if not name:
        return
    c, *sizes = d.values[name]
    op, ceil = d.r.choice(["maxpool", "avgpool"]), d.chance(0.4)
    size, windows = per_axis(d, len(sizes), lambda: d.r.choice([2, 3]))
    stride, strides = per_axis(d, len(sizes), lambda: d.r.choice([1, 2, 3]))
    padding, paddings = per_axis(d, len(sizes), lambda: d.r.choice([0, 0, 1]))
    given = {op: name, "size": size}
    if d.chance(0.3):
        strides = windows
    else:
        given["stride"] = stride
    given.update({**({"padding": padding} if padding else {}), **({"ceil": True} if ceil else given_or(d, 0.1, ceil=False))})
    if op == "avgpool" and d.chance(0.4):
        given["count_padding"] = True

    def length(n, k, s, p):
        whole = n + 2 * p - k
        m = (-(-whole // s) if ceil else whole // s) + 1
        return m - 1 if ceil and (m - 1) * s >= n + p else m       # PyTorch: a window begins in the input or in the padding before it
    d.add("q", given, [c, *map(length, sizes, windows, strides, paddings)])


def global_pool(d):
    name = d.pick(fits=lambda s: len(s) >= 2)
    if name:
        d.add("g", {d.r.choice(["global_avgpool", "global_maxpool"]): name}, d.values[name][:1])


def upsample(d):
    name = d.pick(fits=lambda s: len(s) in (2, 3) and math.prod(s) <= 80)
    if name:
        c, *sizes = d.values[name]
        factor, factors = per_axis(d, len(sizes), lambda: d.r.choice([1, 2, 2, 3]))
        given = {"upsample": name, "factor": factor, **given_or(d, 0.6, mode=d.r.choice(["nearest", "bilinear"]) if len(sizes) == 2 else "nearest")}
        d.add("u", given, [c, *(n * k for n, k in zip(sizes, factors))])


def norm(d):
    name = d.pick(fits=lambda s: len(s) >= 1 and math.prod(s) >= 4 and s[-1] >= 3)
    if not name:
        return
    shape = d.values[name]
    rank = len(shape)
    kind = d.r.choice(["layer_norm", "rms_norm"] + (["group_norm", "instance_norm"] * 2 if rank >= 2 and math.prod(shape[1:]) >= 4 else []))
    given = {kind: name}
    if kind in ("layer_norm", "rms_norm") and rank > 1 and d.chance(0.5):
        given["axes"] = sorted(set(d.r.sample(range(rank), d.r.randint(1, rank - 1)) + [rank - 1]))
    if kind == "group_norm":
        given["groups"] = d.r.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
    d.add("n", {**given, **given_or(d, 0.3, affine=False), **given_or(d, 0.3, act=d.r.choice(["relu", "tanh", "sigmoid"])), **given_or(d, 0.3, epsilon=d.r.choice([1e-3, 1e-5]))}, shape)


def batch_norm(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        given = {"batch_norm": operand(d, name), **given_or(d, 0.3, affine=False), **given_or(d, 0.3, momentum=d.number(0.05, 0.6)), **given_or(d, 0.3, epsilon=1e-3), **act(d)}
        d.add("n", given, d.values[name])


def prelu(d):
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        d.add("e", {"prelu": name}, d.values[name])


TRANSFORMS = {"affine": 6, "scale": 4, "attention": 3, "translation": 2, "similarity": 4}


def sampler(d):
    """A crop of a map, by each of the transforms; sometimes a second one of the first."""
    image, code = d.pick(3, lambda s: min(s[1:]) >= 3), d.pick(fits=lambda s: 1 <= len(s) <= 2 and math.prod(s) <= 60)
    if not image or not code:
        return
    for _ in range(d.r.choice([1, 1, 2])):
        kind, (c, h, w) = d.r.choice(list(TRANSFORMS)), d.values[image]
        start = d.r.choice(["identity", {"uniform": 0.3}] + (["identity_affine"] * 2 if kind == "affine" else ["identity"]))
        A = d.add("A", {"dense": code, "units": TRANSFORMS[kind], "init": start}, [TRANSFORMS[kind]])
        d.used.add(A)
        size, made = ({"size": [2, 3]}, [2, 3]) if d.chance(0.6) else ({"downsample": 1.5}, [int(h / 1.5), int(w / 1.5)]) if d.chance(0.7) else ({}, [h, w])
        image = d.add("w", {"spn": [image, A], **size, **({} if kind == "affine" and d.chance(0.5) else {"transform": kind}),
                            **given_or(d, 0.7, border=d.r.choice(["zero", "clamp", "legacy"]))}, [c, *made])
        d.used.add(image)
    d.used.discard(image)


# ---- whole numbers, products, draws -------------------------------------------------------------------------------------------------

def tokens(d):
    """Whole numbers, moved about and kept whole; one_hot, real, embedding, a table that is a parameter, the table again as a product."""
    classes, n = d.r.randint(2, 5), d.r.randint(2, 4)
    x = d.name("x")
    d.inputs[x] = {"shape": [n], "dtype": "i32", "classes": classes}
    if d.chance(0.4):
        read, n = d.r.choice([({"flip": x}, n), ({"slice": x, "from": 1}, n - 1), ({"concat": [x, x]}, 2 * n), ({"reshape": x, "shape": [n]}, n)])
        k = d.name("k")
        d.flow.append({k: read})
        x = k
    units, how = d.r.randint(1, 4), d.r.randrange(5)
    if how == 0:
        d.add("e", {"one_hot": x}, [classes, n])
    elif how == 1:
        d.add("e", {"real": x}, [n])
    elif how == 2:
        e = d.name("e")
        d.flow.append({e: f"{x}[0]"})
        d.add("e", {d.r.choice(["real", "one_hot"]): e}, [] if "real" in d.flow[-1] else [classes])
        made = next(iter(d.flow[-1]))
        d.values[made] = () if "real" in d.flow[-1][made] else (classes,)
    elif how == 3:
        table = d.add("p", {"parameter": [classes, units], "init": {"normal": 0.5}}, [classes, units])
        d.add("e", {"embedding": [x, table]}, [n, units])
    else:
        e = d.add("e", {"embedding": x, "units": units, **given_or(d, 0.5, init=d.r.choice([{"uniform": 0.5}, "orthogonal", "glorot_normal"]))}, [n, units])
        if d.chance(0.6):
            d.add("l", {"matmul": [e, f"{e}.weight"], "transpose_b": True}, [n, classes])


def product(d):
    """A product of two values: matrices, a vector on either side, several matrices with one."""
    a = d.pick(fits=lambda s: 1 <= len(s) <= 3 and math.prod(s) <= 60)
    if not a:
        return
    x = d.values[a]
    turn = len(x) >= 2 and d.chance(0.4)
    inner = x[-2] if turn else x[-1]
    b = d.pick(fits=lambda s: len(s) in (1, 2) and inner in s and math.prod(s) <= 60) if d.chance(0.6) else None
    if not b:
        shape = d.r.choice([[inner], [inner, d.r.randint(1, 4)], [d.r.randint(1, 4), inner]])
        b = d.add("p", {"parameter": shape, "init": d.r.choice([{"normal": 0.5}, "orthogonal" if len(shape) > 1 else "ones", {"uniform": [-0.5, 0.7]}])}, shape)
        d.used.add(b)
    y = d.values[b]
    turned = len(y) == 2 and y[0] != inner
    rows = [] if len(x) == 1 else [*x[:-2], x[-1] if turn else x[-2]]
    columns = [] if len(y) == 1 else [y[0] if turned else y[1]]
    d.add("l", {"matmul": [a, b], **({"transpose_a": True} if turn else {}), **({"transpose_b": True} if turned else {})}, [*rows, *columns])


def places(d):
    """Where positions lie; what is held; draws, which are 0 in evaluation."""
    x, y = d.pick(fits=lambda s: len(s) in (2, 3)), d.pick()
    if x:
        d.add("at", {"coordinates": x}, (len(d.values[x]) - 1, *d.values[x][1:]))
    held = d.add("held", {"stop_gradient": y}, d.values[y])
    if d.chance(0.4):
        shape = d.values[held]
        noise = d.add("noise", {"random": d.r.choice(["normal", "uniform"]), **({"shape": list(shape)} if shape else {}), **given_or(d, 0.8, amount=d.number(0.1, 2)),
                                **given_or(d, 0.3, eval="zeros")}, shape)
        d.used.update((held, noise))
        d.add("v", f"{held} + {noise}", shape)


def dropped(d):
    """A dropout: nothing in evaluation, or at a rate of 0."""
    name = d.pick(fits=lambda s: len(s) >= 1)
    if name:
        over = d.r.choice([{}, {"over": "elements"}, {"over": "channels"}])
        d.add("z", {"dropout": name, "rate": d.r.choice([0.3, 0.5, 0, 0]), **given_or(d, 0.3, ramp=2), **over}, d.values[name])


def stepped(d):
    """Every step-th position of an axis."""
    name = d.pick(fits=lambda s: len(s) >= 1 and max(s) >= 3)
    if name:
        shape = d.values[name]
        axis = max(range(len(shape)), key=lambda k: shape[k])
        first, step = d.r.randint(0, 1), d.r.randint(2, 3)
        d.add("s", {"slice": name, "axis": axis - d.r.choice([0, len(shape)]), "from": first, "step": step}, [*shape[:axis], -(-(shape[axis] - first) // step), *shape[axis + 1:]])


LAYERS = [      # (function, how often, operators that it needs)
    (dense, 4, ()), (lines, 1, ("dense.over",)), (conv, 5, ("conv_transpose",)), (conv_transpose, 3, ("conv_transpose",)), (pool, 3, ("avgpool",)), (global_pool, 1, ("global_avgpool",)),
    (upsample, 2, ("upsample",)), (norm, 3, ("layer_norm",)), (batch_norm, 2, ("batch_norm",)), (prelu, 1, ("prelu",)), (sampler, 3, ()), (tokens, 2, ("one_hot", "embedding")),
    (product, 2, ("matmul",)), (places, 1, ("coordinates", "random")), (dropped, 1, ()), (stepped, 1, ("flip",)),
]
