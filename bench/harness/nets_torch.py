"""The nets of Table 1 in PyTorch, written as somebody would who wants them fast on a CPU.

Parameter names and shapes are those of the compiled programs, so an exported .npz is a state dict.  What is done for speed, beside
the mode: the classifier of the RNN-SPN sees all steps as one batch, the repeated input of the GRU is multiplied once, time is folded
into the rows of the sampling grid (no copy of the image), ReLU follows the pool (the same values, a quarter of the work) and is
in place, the sampler is not asked for the gradient of the image, clipping and optimiser are foreach calls.
"""

import torch
import torch.nn.functional as F
from torch import nn

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
EPSILON = 1e-5                      # added to each probability inside the logarithm of the loss

# layout and precision of each mode; `compile` is torch.compile of the loss and of the update
MODES = {
    "eager": {},
    "compile": {"compile": True},
    "channels_last": {"last": True},
    "compile_channels_last": {"compile": True, "last": True},
    "bf16": {"last": True, "bf16": True},
    "bf16_compile": {"compile": True, "last": True, "bf16": True},
}


def pooled(conv, x):
    return F.relu(F.max_pool2d(conv(x), 2), inplace=True)


def one_channel(x, last):
    """x [n][1][h][w] with the strides of the layout; one channel fits both, and the strides tell the convolution which is meant."""
    n, _, h, w = x.shape
    return x.reshape(n, h, w, 1).permute(0, 3, 1, 2) if last else x.reshape(n, 1, h, w)


class Front(nn.Module):
    """f_conv: [N][1][100][100] to 1620 features."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 20, 3), nn.Conv2d(20, 20, 3), nn.Conv2d(20, 20, 3)

    def forward(self, x):
        x = pooled(self.conv1, F.max_pool2d(x, 2))
        x = pooled(self.conv2, x)
        return F.relu(self.conv3(x), inplace=True).flatten(1)


class Classify(nn.Module):
    """[N][1][size][size] to `outputs` scores."""

    def __init__(self, size, filters, units, outputs, dropout, stride=1):
        super().__init__()
        side = ((((size - 3) // stride + 1) // 2 - 2) // 2) - 2
        self.rate = dropout
        self.conv1 = nn.Conv2d(1, filters, 3, stride)
        self.conv2, self.conv3 = nn.Conv2d(filters, filters, 3), nn.Conv2d(filters, filters, 3)
        self.dense1, self.dense2 = nn.Linear(filters * side * side, units), nn.Linear(units, outputs)

    def drop(self, x):
        return F.dropout(x, self.rate, self.training) if self.rate else x

    def forward(self, x):
        x = self.drop(pooled(self.conv1, x))
        x = self.drop(pooled(self.conv2, x))
        x = self.drop(F.relu(self.conv3(x), inplace=True))
        return self.dense2(F.relu(self.dense1(x.flatten(1)), inplace=True))


class Gru(nn.Module):
    """One bias, on the input's side; rows in the order r, z, n."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih = nn.Parameter(0.1 * torch.randn(3 * units, inputs))
        self.weight_hh = nn.Parameter(0.1 * torch.randn(3 * units, units))
        self.bias_ih = nn.Parameter(torch.zeros(3 * units))

    def forward(self, x, steps):
        units = self.weight_hh.shape[1]
        from_x = F.linear(x, self.weight_ih, self.bias_ih)          # x is the same at every step
        h, states = from_x.new_zeros(x.shape[0], units), []
        for _ in range(steps):
            from_h = F.linear(h, self.weight_hh)
            r, z = torch.sigmoid(from_x[:, :2 * units] + from_h[:, :2 * units]).chunk(2, 1)
            n = torch.tanh(from_x[:, 2 * units:] + r * from_h[:, 2 * units:])
            h = torch.lerp(n, h.to(n.dtype), z)                     # (1 - z) n + z h
            states.append(h)
        return torch.stack(states, 1)


class Net(nn.Module):
    """conv, ffn_spn or rnn_spn with down-sampling d; digits are [N][3]."""

    def __init__(self, model, d, dropout, last=False):
        super().__init__()
        self.model, self.size, self.last = model, 100 // d, last
        if model == "conv":
            self.classify = Classify(100, 96, 400, 30, dropout, stride=d)
            return
        self.front = Front()
        if model == "ffn_spn":
            self.steps, self.l, self.A = 1, nn.Linear(1620, 200), nn.Linear(200, 6)
            self.classify = Classify(self.size, 96, 400, 30, dropout)
        else:
            self.steps, self.h, self.A = 3, Gru(1620, 256), nn.Linear(256, 6)
            self.classify = Classify(self.size, 32, 256, 10, dropout)
        nn.init.zeros_(self.A.weight)
        self.A.bias.data.copy_(torch.tensor(IDENTITY))

    def sample(self, image, A):
        """Crops at A [N][T][6], as one batch [N * T][1][size][size]."""
        n, size = image.shape[0], self.size
        grid = F.affine_grid(A.to(image.dtype).reshape(-1, 2, 3), (n * self.steps, 1, size, size), align_corners=True)
        grid = grid.reshape(n, self.steps * size, size, 2)
        crops = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
        return one_channel(crops.reshape(n * self.steps, 1, size, size), self.last)

    def forward(self, image):
        """image u8 [N][1][100][100] to scores [N][3][10]."""
        image = one_channel(image.to(self.classify.conv1.weight.dtype) / 255, self.last)
        if self.model != "conv":
            c = self.front(image)
            seen = F.relu(self.l(c), inplace=True)[:, None] if self.model == "ffn_spn" else self.h(c, self.steps)
            image = self.sample(image, self.A(seen))
        return self.classify(image).reshape(-1, 3, 10)

    def loss(self, image, digits):
        p = self(image).softmax(-1, dtype=self.classify.conv1.weight.dtype)
        return -(p.gather(-1, digits[..., None]) + EPSILON).log().mean()


def clip(params, model):
    if model == "rnn_spn":
        nn.utils.clip_grad_value_(params, 1.0)
    nn.utils.clip_grad_norm_(params, 5.0)


def rmsprop(params, grads, squares, rate=5e-4, decay=0.9, epsilon=1e-6):
    """w -= rate g / sqrt(r + epsilon): torch.optim's has its epsilon outside the root."""
    torch._foreach_mul_(squares, decay)
    torch._foreach_addcmul_(squares, grads, grads, 1 - decay)
    below = torch._foreach_add(squares, epsilon)
    torch._foreach_sqrt_(below)
    torch._foreach_addcdiv_(params, grads, below, -rate)


class Peer:
    """A net with its optimiser and one made-up batch: train() is a whole training step, eval() a forward pass."""

    def __init__(self, model, d, mode, batch, threads, dropout):
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        flags = MODES[mode]
        self.model, self.bf16 = model, flags.get("bf16", False)
        self.net = Net(model, d, dropout, flags.get("last", False))
        if flags.get("last"):
            self.net = self.net.to(memory_format=torch.channels_last)
        self.params = list(self.net.parameters())
        self.squares = [torch.zeros_like(p) for p in self.params]
        self.loss, self.update = self.net.loss, self.clip_and_update
        if flags.get("compile"):
            self.loss, self.update = torch.compile(self.loss), torch.compile(self.update)
        self.image = torch.randint(0, 256, (batch, 1, 100, 100), dtype=torch.uint8)
        self.digits = torch.randint(0, 10, (batch, 3))

    @staticmethod
    def versions():
        return {"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available(), "mkl": torch.backends.mkl.is_available()}

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)

    def clip_and_update(self):
        with torch.no_grad():
            clip(self.params, self.model)
            rmsprop(self.params, [p.grad for p in self.params], self.squares)

    def backward(self, image, digits):
        for p in self.params:
            p.grad = None
        with self.autocast():
            loss = self.loss(image, digits)
        loss.backward()
        return loss

    def train(self):
        self.net.train()
        self.backward(self.image, self.digits)
        self.update()

    def eval(self):
        self.net.eval()
        for p in self.params:
            p.grad = None
        with torch.inference_mode(), self.autocast():
            self.loss(self.image, self.digits)

    def loss_and_grads(self, weights, image, digits):
        """With the weights of an .npz and in their precision, without dropout: the loss and a dict of numpy arrays."""
        self.net.to(torch.from_numpy(next(iter(weights.values()))).dtype)
        self.net.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        self.net.eval()
        loss = self.backward(torch.from_numpy(image), torch.from_numpy(digits).long())
        return loss.item(), {k: p.grad.numpy() for k, p in self.net.named_parameters()}
