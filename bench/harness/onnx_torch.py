"""A net of PyTorch that computes what an ONNX file of `export` says: for compilers of PyTorch, with the same weights as all others.

Only operators that the files of models/ have are here; another is a NotImplementedError with its name.  What depends on weights alone is computed once.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

TYPES = {1: torch.float32, 2: torch.uint8, 6: torch.int32, 7: torch.int64, 9: torch.bool}
UNARY = {"Abs": torch.abs, "Cos": torch.cos, "Erf": torch.erf, "Exp": torch.exp, "Floor": torch.floor, "Identity": lambda x: x, "Log": torch.log, "Neg": torch.neg,
         "Not": torch.logical_not, "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Sign": torch.sign, "Sin": torch.sin, "Sqrt": torch.sqrt, "Tanh": torch.tanh}
BINARY = {"Add": torch.add, "And": torch.logical_and, "Div": torch.div, "Equal": torch.eq, "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt,
          "LessOrEqual": torch.le, "MatMul": torch.matmul, "Max": torch.maximum, "Min": torch.minimum, "Mul": torch.mul, "Or": torch.logical_or, "PRelu": lambda x, slope: torch.where(x < 0, x * slope, x),
          "Pow": torch.pow, "Sub": torch.sub}


def padded(x, pads, value=0.0):
    """x with pads as ONNX lists them: all in front, then all behind."""
    half = len(pads) // 2
    if not any(pads):
        return x
    return F.pad(x, [p for k in range(half - 1, -1, -1) for p in (pads[k], pads[half + k])], value=value)


def windows(x, a):
    """The padding that PyTorch's own argument can say, or x with it."""
    pads = a.get("pads", [0, 0, 0, 0])
    half = len(pads) // 2
    return (x, pads[:half]) if pads[:half] == pads[half:] else (padded(x, pads), [0] * half)


def even(kind, pads):
    """Pads in front, where those behind are the same."""
    half = len(pads) // 2
    if pads[:half] != pads[half:]:
        raise NotImplementedError(f"{kind} with uneven pads")
    return pads[:half]


def conv(x, w, b, a):
    x, padding = windows(x, a)
    call = F.conv1d if w.dim() == 3 else F.conv2d
    return call(x, w, b, a["strides"], padding, a["dilations"], a["group"])


def conv_transpose(x, w, b, a):
    call = F.conv_transpose1d if w.dim() == 3 else F.conv_transpose2d
    return call(x, w, b, a["strides"], even("ConvTranspose", a["pads"]), a.get("output_padding", 0), a["group"], a["dilations"])


def gru(x, w, r, b, h, a):
    """One step; gates in the order z, r, n."""
    size = a["hidden_size"]
    of_x, of_h = F.linear(x[0], w[0], b[0, :3 * size]), F.linear(h[0], r[0], b[0, 3 * size:])
    z, reset = torch.sigmoid(of_x[:, :2 * size] + of_h[:, :2 * size]).chunk(2, 1)
    n = torch.tanh(of_x[:, 2 * size:] + reset * of_h[:, 2 * size:])
    return None, ((1 - z) * n + z * h[0])[None]


def lstm(x, w, r, b, h, c, a):
    """One step; gates in the order i, o, f, g."""
    size = a["hidden_size"]
    i, o, f, g = (F.linear(x[0], w[0], b[0, :4 * size]) + F.linear(h[0], r[0], b[0, 4 * size:])).chunk(4, 1)
    after = torch.sigmoid(f) * c[0] + torch.sigmoid(i) * torch.tanh(g)
    return None, (torch.sigmoid(o) * torch.tanh(after))[None], after[None]


def sliced(x, starts, ends, axes, steps):
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), steps.tolist() if steps is not None else [1] * len(starts)):
        if step < 0:
            x = torch.flip(x, [axis])
        else:
            n = x.shape[axis]
            x = x[(slice(None),) * (axis % x.dim()) + (slice(start, min(end, n), step),)]
    return x


def compute(kind, x, a):
    """The outputs of a node: of tensors x (None: left out) and attributes a."""
    x = x + [None] * (8 - len(x))
    if kind in UNARY:
        return UNARY[kind](x[0])
    if kind in BINARY:
        return BINARY[kind](x[0], x[1])
    match kind:
        case "AffineGrid": return F.affine_grid(x[0], [int(n) for n in x[1]], align_corners=bool(a["align_corners"]))
        case "AveragePool": return F.avg_pool2d(x[0], a["kernel_shape"], a["strides"], even("AveragePool", a["pads"]), count_include_pad=bool(a["count_include_pad"]))
        case "BatchNormalization": return F.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0.0, a["epsilon"])
        case "Cast": return x[0].to(TYPES[a["to"]])
        case "Clip": return torch.clamp(x[0], x[1].item(), x[2].item())
        case "Concat": return torch.cat([t for t in x if t is not None], a["axis"])
        case "Conv": return conv(x[0], x[1], x[2], a)
        case "ConvTranspose": return conv_transpose(x[0], x[1], x[2], a)
        case "Expand": return x[0] * torch.ones([int(n) for n in x[1]], dtype=x[0].dtype) if x[0].dim() else torch.full([int(n) for n in x[1]], x[0].item())
        case "GRU": return gru(x[0], x[1], x[2], x[3], x[5], a)
        case "LSTM": return lstm(x[0], x[1], x[2], x[3], x[5], x[6], a)
        case "Gather": return x[0].select(a["axis"], int(x[1])) if x[1].dim() == 0 and a.get("axis") else F.embedding(x[1].long(), x[0])
        case "Gemm": return F.linear(x[0], x[1] if a.get("transB") else x[1].t(), x[2])
        case "GridSample": return F.grid_sample(x[0], x[1], "bilinear", a["padding_mode"].decode(), bool(a["align_corners"]))
        case "LogSoftmax": return torch.log_softmax(x[0], a["axis"])
        case "MaxPool": return F.max_pool2d(padded(x[0], a["pads"], float("-inf")), a["kernel_shape"], a["strides"])
        case "OneHot": return torch.movedim(F.one_hot(x[0].long(), int(x[1])), -1, a["axis"]).float()
        case "ReduceMax": return torch.amax(x[0], x[1].tolist(), bool(a["keepdims"]))
        case "ReduceMean": return torch.mean(x[0], x[1].tolist(), bool(a["keepdims"]))
        case "ReduceSum": return torch.sum(x[0], x[1].tolist(), bool(a["keepdims"]))
        case "Reshape": return x[0].reshape([x[0].shape[k] if n == 0 else n for k, n in enumerate(x[1].tolist())])
        case "Resize": return F.interpolate(x[0], scale_factor=x[2].tolist()[2:], mode="nearest")
        case "Shape": return torch.tensor(x[0].shape[a.get("start", 0):a.get("end")])
        case "Slice": return sliced(x[0], x[1], x[2], x[3], x[4])
        case "Softmax": return torch.softmax(x[0], a["axis"])
        case "Split": return torch.chunk(x[0], a["num_outputs"], a.get("axis", 0))
        case "Squeeze": return x[0].squeeze(x[1].tolist()[0])
        case "Transpose": return x[0].permute(a["perm"])
        case "Unsqueeze": return x[0].unsqueeze(x[1].tolist()[0])
        case "Where": return torch.where(x[0], x[1], x[2])
    raise NotImplementedError(f"the operator {kind}")


class OnnxNet(nn.Module):
    """forward(*inputs), in the order of the file, returns a tuple of its outputs.  Shapes of a call that is traced are those of the compiled net."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.inputs, self.outputs = [i.name for i in graph.input], [o.name for o in graph.output]
        known = {t.name: torch.from_numpy(np.array(numpy_helper.to_array(t))) for t in graph.initializer}
        self.nodes = []
        for node in graph.node:
            a = {f.name: onnx.helper.get_attribute_value(f) for f in node.attribute}
            if all(not n or n in known for n in node.input):
                self.keep(known, node.output, compute(node.op_type, [known.get(n) for n in node.input], a))
            else:
                self.nodes.append((node.op_type, list(node.input), list(node.output), a))
        self.known = {}
        read = {n for _, names, _, _ in self.nodes for n in names} | set(self.outputs)
        for k, (name, value) in enumerate((n, v) for n, v in known.items() if n in read):
            if value.is_floating_point() and value.dim():
                self.register_buffer(f"weight{k}", value)
                self.known[name] = f"weight{k}"
            else:
                self.known[name] = value                # sizes and axes, which are no data

    @staticmethod
    def keep(values, names, found):
        values.update(zip(names, found if isinstance(found, (tuple, list)) else [found]))

    def forward(self, *inputs):
        values = {n: getattr(self, v) if isinstance(v, str) else v for n, v in self.known.items()} | dict(zip(self.inputs, inputs))
        for kind, names, made, a in self.nodes:
            self.keep(values, made, compute(kind, [values.get(n) for n in names], a))
        return tuple(values[n] for n in self.outputs)
