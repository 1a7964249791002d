"""Twins in PyTorch of models for daily work, written as somebody would who wants them fast on a CPU.

A twin is a class with the model's name in TWINS below; nets.py has the model's file.  Parameters and buffers have the names of the compiled program, so an
exported .npz is a state dict.  What is done for speed, beside the mode: activations in place, the optimiser's fused kernel, gradients set to None.
The pictures that resnet20 and depthwise shift in training are not shifted here, which is work that only ours does.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from nets_torch import MODES


class ConvNorm(nn.BatchNorm2d):
    """A batch norm that owns the convolution in front of it: `{ batch_norm: { conv: x } }`."""

    def __init__(self, channels, filters, kernel, stride=1, padding=0):
        super().__init__(filters)
        self.conv1 = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)

    def forward(self, x):
        return super().forward(self.conv1(x))


def relu(x):
    return F.relu(x, inplace=True)


class Pictures(nn.Module):
    """Colour pictures of 32 x 32 in ten classes."""

    def data(self, batch, random):
        return {"image": random.integers(0, 256, (batch, 3, 32, 32), dtype=np.uint8), "label": random.integers(0, 10, batch, dtype=np.uint8)}

    def loss(self, image, label):
        return F.cross_entropy(self(image / 255), label.long())


# ---- resnet20 ---------------------------------------------------------------------------------------------------------------

class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.a, self.b = nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters)
        self.c, self.d = nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters)
        if stride > 1:
            self.s = ConvNorm(channels, filters, 1, stride)

    def forward(self, x):
        y = self.d(self.c(relu(self.b(self.a(x)))))
        return relu(y.add_(self.s(x) if hasattr(self, "s") else x))


class Stage(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.b1, self.b2, self.b3 = Block(channels, filters, stride), Block(filters, filters, 1), Block(filters, filters, 1)

    def forward(self, x):
        return self.b3(self.b2(self.b1(x)))


class ResNet20(Pictures):
    def __init__(self, width=16):
        super().__init__()
        self.start = ConvNorm(3, width, 3, padding=1)
        self.s1, self.s2, self.s3 = Stage(width, width, 1), Stage(width, 2 * width, 2), Stage(2 * width, 4 * width, 2)
        self.scores = nn.Linear(4 * width, 10)

    def forward(self, image):
        return self.scores(self.s3(self.s2(self.s1(relu(self.start(image))))).mean((2, 3)))

    def optimiser(self):
        return torch.optim.SGD(decayed(self, 1e-4), lr=0.1, momentum=0.9, nesterov=True, fused=True)


# ---- depthwise --------------------------------------------------------------------------------------------------------------

class Separable(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.deep, self.a = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)
        self.wide, self.b = nn.Conv2d(channels, filters, 1, bias=False), nn.BatchNorm2d(filters)

    def forward(self, x):
        return relu(self.b(self.wide(relu(self.a(self.deep(x))))))


class Depthwise(Pictures):
    def __init__(self, width=32):
        super().__init__()
        self.start = ConvNorm(3, width, 3, padding=1)
        self.x1, self.x2, self.x3 = Separable(width, 2 * width, 1), Separable(2 * width, 4 * width, 2), Separable(4 * width, 4 * width, 1)
        self.x4, self.x5 = Separable(4 * width, 8 * width, 2), Separable(8 * width, 8 * width, 1)
        self.scores = nn.Linear(8 * width, 10)

    def forward(self, image):
        return self.scores(self.x5(self.x4(self.x3(self.x2(self.x1(relu(self.start(image))))))).mean((2, 3)))

    def optimiser(self):
        return torch.optim.AdamW(decayed(self, 0.01), lr=2e-3, fused=True)


# ---- unet -------------------------------------------------------------------------------------------------------------------

class Twice(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.conv1, self.batch_norm1 = nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters)
        self.conv2, self.batch_norm2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters)

    def forward(self, x):
        return relu(self.batch_norm2(self.conv2(relu(self.batch_norm1(self.conv1(x))))))


class UNet(nn.Module):
    def __init__(self, filters=16):
        super().__init__()
        f = filters
        self.d1, self.d2, self.d3 = Twice(1, f), Twice(f, 2 * f), Twice(2 * f, 4 * f)
        self.u2, self.e2 = nn.ConvTranspose2d(4 * f, 2 * f, 2, 2), Twice(4 * f, 2 * f)
        self.u1, self.e1 = nn.ConvTranspose2d(2 * f, f, 2, 2), Twice(2 * f, f)
        self.logits = nn.Conv2d(f, 2, 1)
        self.register_buffer("class_weights", torch.tensor([1.0, 4.0]), persistent=False)

    def forward(self, image):
        d1 = self.d1(image)
        d2 = self.d2(F.max_pool2d(d1, 2))
        e2 = self.e2(torch.cat((self.u2(self.d3(F.max_pool2d(d2, 2))), d2), 1))
        return self.logits(self.e1(torch.cat((self.u1(e2), d1), 1)))

    def data(self, batch, random):
        return {"image": random.integers(0, 256, (batch, 1, 64, 64), dtype=np.uint8), "mask": random.integers(0, 2, (batch, 64, 64), dtype=np.uint8)}

    def loss(self, image, mask):
        return F.cross_entropy(self(image / 255), mask.long(), self.class_weights)

    def optimiser(self):
        return torch.optim.AdamW(decayed(self, 0.01), lr=2e-3, fused=True)


# ---- dcgan, mlp -------------------------------------------------------------------------------------------------------------

class Decoder(nn.Module):
    def __init__(self, filters=64):
        super().__init__()
        f = filters
        self.wide, self.a = nn.Linear(64, 64 * f, bias=False), nn.BatchNorm2d(4 * f)
        self.up8, self.b = nn.ConvTranspose2d(4 * f, 2 * f, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * f)
        self.up16, self.c = nn.ConvTranspose2d(2 * f, f, 4, 2, 1, bias=False), nn.BatchNorm2d(f)
        self.logits = nn.ConvTranspose2d(f, 1, 4, 2, 1)

    def forward(self, code):
        x = relu(self.a(self.wide(code).reshape(code.shape[0], -1, 4, 4)))
        return self.logits(relu(self.c(self.up16(relu(self.b(self.up8(x)))))))

    def data(self, batch, random):
        return {"code": random.normal(size=(batch, 64)).astype("f4"), "image": random.random((batch, 1, 32, 32), dtype="f4")}

    def loss(self, code, image):
        return F.binary_cross_entropy_with_logits(self(code), image)

    def optimiser(self):
        return torch.optim.Adam(self.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.h1, self.h2, self.scores = nn.Linear(784, 512), nn.Linear(512, 512), nn.Linear(512, 10)

    def forward(self, image):
        return self.scores(relu(self.h2(relu(self.h1(image)))))

    def data(self, batch, random):
        return {"image": random.random((batch, 784), dtype="f4"), "label": random.integers(0, 10, batch, dtype=np.uint8)}

    def loss(self, image, label):
        return F.cross_entropy(self(image), label.long())

    def optimiser(self):
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, fused=True)


# ---- recurrent nets over rows and characters ------------------------------------------------------------------------------------

def gru_step(x, h, weight):
    """One step behind the input product x [N][3H]."""
    r, z, n = x.chunk(3, 1)
    hr, hz, hn = F.linear(h, weight).chunk(3, 1)
    n = torch.tanh(n + torch.sigmoid(r + hr) * hn)
    return n + torch.sigmoid(z + hz) * (h - n), None


def lstm_step(x, h, weight, c):
    i, f, g, o = (x + F.linear(h, weight)).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class Recurrent(nn.Module):
    """nn.GRU or nn.LSTM with time first; compiled, a loop of ours behind one product of all inputs, whose step is compiled, since torch.compile leaves nn.GRU
    and nn.LSTM as they are.  Our cells have one bias, so the second stays 0."""

    STEPS = {nn.GRU: gru_step, nn.LSTM: lstm_step}
    names = {"cell.weight_ih_l0": "h.weight_ih", "cell.weight_hh_l0": "h.weight_hh", "cell.bias_ih_l0": "h.bias_ih",
             "cell.weight_ih_l1": "k.weight_ih", "cell.weight_hh_l1": "k.weight_hh", "cell.bias_ih_l1": "k.bias_ih"}

    def __init__(self, kind, inputs, outputs, layers=1, units=128):
        super().__init__()
        self.cell, self.step = kind(inputs, units, layers), None
        setattr(self, self.out, nn.Linear(units, outputs))
        for name, bias in self.cell.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.zeros_(bias)
                bias.requires_grad_(False)

    def compiled(self):
        """What is timed in a mode that compiles: a net whose step is."""
        self.step = torch.compile(self.STEPS[type(self.cell)])
        return self.loss

    def states(self, x):
        """x [T][N][inputs] to the last layer's states [T][N][units]."""
        if self.step is None:
            return self.cell(x)[0]
        for layer in range(self.cell.num_layers):
            weight_ih, weight_hh, bias_ih, _ = self.cell.all_weights[layer]
            x, states = F.linear(x, weight_ih, bias_ih), []
            h = x.new_zeros(x.shape[1], weight_hh.shape[1])
            more = (h,) if isinstance(self.cell, nn.LSTM) else ()
            for row in x.unbind():
                h, *more = self.step(row, h, weight_hh, *more)
                more = [c for c in more if c is not None]
                states.append(h)
            x = torch.stack(states)
        return x

    def optimiser(self):
        return torch.optim.Adam([p for p in self.parameters() if p.requires_grad], lr=1e-3, fused=True)


class Rows(Recurrent):
    """A picture's rows, one a step."""

    out = "scores"

    def forward(self, image):
        return self.scores(self.states(image.transpose(0, 1))[-1])

    def data(self, batch, random):
        return {"image": random.random((batch, 28, 28), dtype="f4"), "label": random.integers(0, 10, batch, dtype=np.uint8)}

    def loss(self, image, label):
        return F.cross_entropy(self(image), label.long())


class LstmRows(Rows):
    """The picture comes as bytes; gradients are clipped by their norm."""

    def data(self, batch, random):
        return {"image": random.integers(0, 256, (batch, 28, 28), dtype=np.uint8), "digit": random.integers(0, 10, batch, dtype=np.uint8)}

    def loss(self, image, digit):
        return F.cross_entropy(self(image / 255), digit.long())

    def clip(self):
        nn.utils.clip_grad_norm_(self.parameters(), 1, foreach=True)


class Characters(Recurrent):
    out = "logits"

    def forward(self, text):
        return self.logits(self.states(F.one_hot(text.t().long(), self.cell.input_size).to(self.logits.weight.dtype)))

    def data(self, batch, random):
        return {name: random.integers(0, 64, (batch, 100), dtype=np.int32) for name in ("text", "next")}

    def loss(self, text, next):
        return F.cross_entropy(self(text).flatten(0, 1), next.t().flatten().long())


TWINS = {"resnet20": ResNet20, "depthwise": Depthwise, "unet": UNet, "lstm_rows": lambda: LstmRows(nn.LSTM, 28, 10), "dcgan": Decoder, "mlp": Mlp,
         "gru_rows": lambda: Rows(nn.GRU, 28, 10), "gru_stacked": lambda: Rows(nn.GRU, 28, 10, 2), "gru_chars": lambda: Characters(nn.GRU, 64, 64)}


# ---- as peers.py takes it -----------------------------------------------------------------------------------------------------

def decayed(net, decay):
    """Groups of parameters: decay on weights of convolutions and dense layers alone."""
    plain = [p for p in net.parameters() if p.dim() > 1]
    return [{"params": plain, "weight_decay": decay}, {"params": [p for p in net.parameters() if p.dim() < 2], "weight_decay": 0.0}]


class Peer:
    """A twin with its optimiser and one made-up batch: train() is a whole training step, eval() a forward pass."""

    def __init__(self, model, _d, mode, batch, threads, _dropout):
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        flags = MODES[mode]
        self.bf16, self.last = flags.get("bf16", False), flags.get("last", False)
        self.net = TWINS[model]()
        if self.last:
            self.net = self.net.to(memory_format=torch.channels_last)
        self.update = self.net.optimiser()
        self.loss, self.clip = self.net.loss, getattr(self.net, "clip", lambda: None)
        if flags.get("compile"):
            self.loss = self.net.compiled() if hasattr(self.net, "compiled") else torch.compile(self.loss)
        self.batch = self.tensors(self.net.data(batch, np.random.default_rng(1)).values())

    def tensors(self, arrays):
        found = [torch.from_numpy(a) for a in arrays]
        return [t.contiguous(memory_format=torch.channels_last) if self.last and t.dim() == 4 else t for t in found]

    @staticmethod
    def versions():
        return {"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available(), "mkl": torch.backends.mkl.is_available()}

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)

    def train(self):
        self.net.train()
        self.update.zero_grad(set_to_none=True)
        with self.autocast():
            loss = self.loss(*self.batch)
        loss.backward()
        self.clip()
        self.update.step()

    def eval(self):
        self.net.eval()
        self.update.zero_grad(set_to_none=True)
        with torch.inference_mode(), self.autocast():
            self.loss(*self.batch)

    def loss_and_grads(self, weights, *arrays):
        """With the weights and running statistics of an .npz, in their precision and evaluation mode: the loss and a dict of numpy arrays."""
        kind = torch.from_numpy(next(iter(weights.values()))).dtype
        self.net.to(kind)
        names = getattr(self.net, "names", {})
        theirs = {ours: name for name, ours in names.items()}
        self.net.load_state_dict({theirs.get(k, k): torch.from_numpy(v) for k, v in weights.items()}, strict=False)
        self.net.eval()
        self.net.zero_grad(set_to_none=True)
        batch = [t.to(kind) if t.is_floating_point() or t.dtype == torch.uint8 and i == 0 else t for i, t in enumerate(self.tensors(arrays))]
        loss = self.loss(*batch)
        loss.backward()
        return loss.item(), {names.get(k, k): p.grad.numpy() for k, p in self.net.named_parameters() if p.requires_grad}
