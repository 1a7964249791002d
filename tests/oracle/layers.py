"""The arithmetic of operators, as functions of tensors [N][...]: the sampler, cells, norms, and what torch says otherwise.

Axes are those of an example.  What needs parameters by name is in net.py.
"""
import math

import torch
import torch.nn.functional as F

from language import is_true, listed, pair


# ---- the sampler, written out ----------------------------------------------------------------------------------------

def points(n):
    """n places from -1 to 1; a single one is in the middle."""
    return -1 + 2 * torch.arange(n, dtype=torch.float64) / (n - 1) if n > 1 else torch.zeros(1, dtype=torch.float64)


def grid(h, w):
    """Target points x (columns) and y (rows), corners at exactly -1 and 1."""
    return points(w).expand(h, w), points(h)[:, None].expand(h, w)


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


def affine(A, kind):
    """The six numbers of a transform, of those that it has."""
    n, p = A.shape[0], A.flatten(1).unbind(1)
    if len(p) != {"affine": 6, "scale": 4, "attention": 3, "translation": 2, "similarity": 4}[kind]:
        raise ValueError(f"{len(p)} numbers for a transform {kind}")
    zero, one = torch.zeros(n, dtype=A.dtype), torch.ones(n, dtype=A.dtype)
    if kind == "affine":
        rows = p
    elif kind == "scale":
        rows = (p[0], zero, p[1], zero, p[2], p[3])
    elif kind == "attention":
        rows = (p[0], zero, p[1], zero, p[0], p[2])
    elif kind == "translation":
        rows = (one, zero, p[0], zero, one, p[1])
    else:
        c, s = p[0] * torch.cos(p[1]), p[0] * torch.sin(p[1])
        rows = (c, -s, p[2], s, c, p[3])
    return torch.stack(rows, 1)


# ---- cells -------------------------------------------------------------------------------------------------------------

def gru(x, h, weight_ih, weight_hh, bias_ih, bias_hh=None):
    """h' = (1 - z) n + z h, rows in the order r, z, n; the reset gate acts after the product with W_hn."""
    ir, iz, new = (x.flatten(1) @ weight_ih.T + bias_ih).chunk(3, 1)
    hr, hz, hn = (h @ weight_hh.T + (0 if bias_hh is None else bias_hh)).chunk(3, 1)
    r, z = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
    return (1 - z) * torch.tanh(new + r * hn) + z * h


def lstm(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh=None):
    """(h', c'): c' = f c + i g, h' = o tanh(c'), rows in the order i, f, g, o."""
    gates = x.flatten(1) @ weight_ih.T + bias_ih + h @ weight_hh.T + (0 if bias_hh is None else bias_hh)
    i, f, g, o = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


# ---- convolutions and pools ----------------------------------------------------------------------------------------------

def sides(given, kernel, stride, dilation):
    """[before, after] of each axis of a convolution: of padding n, [h, w], a pair for each axis, or same."""
    if given == "same":
        if any(s != 1 for s in stride):
            raise ValueError("padding: same with a stride")
        spans = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return [(span // 2, span - span // 2) for span in spans]
    given = given if isinstance(given, list) else [given] * len(kernel)
    return [tuple(g) if isinstance(g, list) else (g, g) for g in given]


def spread(x, by):
    """Zeros around the last axes of x; by: a (before, after) for each of them."""
    return F.pad(x, [n for pair_ in reversed(by) for n in pair_])


def each_axis(given, axes):
    return list(given) if isinstance(given, list) else [given] * axes


def conv(x, w, b, a):
    axes = w.ndim - 2
    stride, dilation = each_axis(a.get("stride", 1), axes), each_axis(a.get("dilation", 1), axes)
    x = spread(x, sides(a.get("padding", 0), w.shape[2:], stride, dilation))
    return (F.conv1d if axes == 1 else F.conv2d)(x, w, b, stride, 0, dilation, a.get("groups", 1))


def conv_transpose(x, w, b, a):
    axes = w.ndim - 2
    stride, padding, beyond, dilation = (each_axis(a.get(key, default), axes) for key, default in
                                         (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)))
    return (F.conv_transpose1d if axes == 1 else F.conv_transpose2d)(x, w, b, stride, padding, beyond, a.get("groups", 1), dilation)


def maxpool(x, a):   # torch keeps the first of equal maxima, in row-major order
    axes, size = x.ndim - 2, a.get("size", 2)
    return (F.max_pool1d if axes == 1 else F.max_pool2d)(
        x.contiguous(), each_axis(size, axes), each_axis(a.get("stride", size), axes), each_axis(a.get("padding", 0), axes),
        ceil_mode=is_true(a.get("ceil", "false")))


def avgpool(x, a):
    axes, size = x.ndim - 2, a.get("size", 2)
    return (F.avg_pool1d if axes == 1 else F.avg_pool2d)(
        x, each_axis(size, axes), each_axis(a.get("stride", size), axes), each_axis(a.get("padding", 0), axes),
        is_true(a.get("ceil", "false")), is_true(a.get("count_padding", "false")))


def upsample(x, a):
    """nearest: each position as often as the factor says; bilinear: torch's with align_corners=False."""
    factor = each_axis(a.get("factor", 2), x.ndim - 2)
    if a.get("mode", "nearest") == "nearest":
        for axis, times in enumerate(factor):
            x = x.repeat_interleave(times, axis + 2)
        return x
    return F.interpolate(x, scale_factor=[float(f) for f in factor], mode="bilinear", align_corners=False)


# ---- axes ----------------------------------------------------------------------------------------------------------------

def axis_of(x, axis):
    """Where an example's axis stands in [N][...]."""
    rank = x.ndim - 1
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of {rank}")
    return axis % rank + 1


def axes_of(x, given):
    """Those of `axes: n` or a list; all where nothing is given."""
    return [axis_of(x, k) for k in listed(given)] if given is not None else list(range(1, x.ndim))


def total(x, a):
    return x.sum(axes_of(x, a.get("axes")), keepdim=is_true(a.get("keep", "false"))) if x.ndim > 1 else x


def mean(x, a):
    return x.mean(axes_of(x, a.get("axes")), keepdim=is_true(a.get("keep", "false"))) if x.ndim > 1 else x


def largest(x, a):
    """The gradient goes to the first of equal ones in row-major order."""
    axes = axes_of(x, a.get("axes"))
    others = [k for k in range(x.ndim) if k not in axes]
    flat = x.permute(*others, *axes).reshape(*(x.shape[k] for k in others), -1)
    y = flat.gather(-1, flat.argmax(-1, keepdim=True))[..., 0]
    return y.reshape([1 if k in axes else x.shape[k] for k in range(x.ndim)]) if is_true(a.get("keep", "false")) else y


def matmul(x, y, a):
    """torch.matmul of each example; a vector is a row on the left, a column on the right, and its axis disappears."""
    row, column = x.ndim == 2, y.ndim == 2
    if row and is_true(a.get("transpose_a", "false")) or column and is_true(a.get("transpose_b", "false")):
        raise ValueError("a vector has nothing to transpose")
    x, y = x[:, None] if row else x, y[..., None] if column else y
    x = x.mT if is_true(a.get("transpose_a", "false")) else x
    y = y.mT if is_true(a.get("transpose_b", "false")) else y
    rank = max(x.ndim, y.ndim)
    x, y = (v.reshape(v.shape[0], *[1] * (rank - v.ndim), *v.shape[1:]) for v in (x, y))
    z = x @ y
    z = z.squeeze(-1) if column else z
    return z.squeeze(-1 if column else -2) if row else z


def pad(x, a):
    """`by`: for each axis n or [before, after]; a single n means every axis but the first where there are two or more."""
    by, rank = a["by"], x.ndim - 1
    if not isinstance(by, list):
        by = [by] if rank == 1 else [0] + [by] * (rank - 1)
    for k, given in enumerate(by):
        before, after = pair(given)
        size, places = x.shape[k + 1], torch.arange(-before, x.shape[k + 1] + after)
        if a.get("mode", "zeros") == "zeros":
            blank = lambda n: x.new_zeros([n if j == k + 1 else s for j, s in enumerate(x.shape)])
            x = torch.cat([blank(before), x, blank(after)], k + 1)
        elif a["mode"] == "edge":
            x = x.index_select(k + 1, places.clamp(0, size - 1))
        else:
            if max(before, after) >= size:
                raise ValueError(f"reflect {max(before, after)} of {size}")
            x = x.index_select(k + 1, (size - 1 - (size - 1 - places.abs()).abs()))
    return x


def narrow(x, a):
    axis = axis_of(x, a.get("axis", 0))
    size = x.shape[axis]
    if "index" in a:
        if not 0 <= a["index"] < size:
            raise ValueError(f"index {a['index']} of {size}")
        return x.select(axis, a["index"])
    first, end = a.get("from", 0), a.get("to", size)
    if not 0 <= first < end <= size:
        raise ValueError(f"positions {first} to {end} of {size}")
    return x.index_select(axis, torch.arange(first, end, a.get("step", 1)))


# ---- norms -----------------------------------------------------------------------------------------------------------------

def normed(x, axes, epsilon, centred=True):
    """Over the axes of [N][...]: biased variance, or the mean square alone."""
    if centred:
        x = x - x.mean(axes, keepdim=True)
    return x / torch.sqrt((x * x).mean(axes, keepdim=True) + epsilon)


def by_channel(p, x):
    """A parameter [C] beside x [N][C]..."""
    return p.reshape(-1, *[1] * (x.ndim - 2))


def group_norm(x, groups, epsilon):
    split = x.reshape(x.shape[0], groups, -1)
    return normed(split, [2], epsilon).reshape(x.shape)


from_squares = False         # a batch norm's variance is the mean of squares less the square of the mean: oracle.doubts sets it


def batch_norm(x, mean_, var, epsilon, train):
    """(y, batch mean, unbiased batch variance); with the running ones (and None) where `train` is false."""
    axes = [k for k in range(x.ndim) if k != 1]
    if not train:
        return (x - by_channel(mean_, x)) / torch.sqrt(by_channel(var, x) + epsilon), None, None
    count = x.numel() // x.shape[1]
    if count < 2:
        raise ValueError("a batch norm of one value a channel")
    with torch.no_grad():
        found = x.mean(axes), x.var(axes, unbiased=True)
    if from_squares:
        mean = x.mean(axes, keepdim=True)
        return (x - mean) / torch.sqrt((x * x).mean(axes, keepdim=True) - mean * mean + epsilon), *found
    return normed(x, axes, epsilon), *found
