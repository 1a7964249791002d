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


TWINS = {"resnet20": ResNet20, "depthwise": Depthwise, "unet": UNet, "dcgan": Decoder, "mlp": Mlp}


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
        self.loss = torch.compile(self.net.loss) if flags.get("compile") else self.net.loss
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
        self.net.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()}, strict=False)
        self.net.eval()
        self.net.zero_grad(set_to_none=True)
        batch = [t.to(kind) if t.is_floating_point() or t.dim() == 4 else t for t in self.tensors(arrays)]
        loss = self.loss(*batch)
        loss.backward()
        return loss.item(), {k: p.grad.numpy() for k, p in self.net.named_parameters()}
