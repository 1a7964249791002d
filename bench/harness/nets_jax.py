"""The nets of Table 1 in JAX: a whole training step is one jit with its arguments donated.

Layout is NHWC, which XLA's CPU convolutions want; the parameters of an .npz are transposed once, when they are loaded.  Pools are
a maximum over a reshape: its gradient is elementwise, while that of reduce_window is a scatter.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

EPSILON = 1e-5

jax.config.update("jax_default_prng_impl", "rbg")                  # the fast one


def conv(p, name, x, stride=1):
    y = jax.lax.conv_general_dilated(x, p[name + ".weight"], (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + p[name + ".bias"]


def pool(x):
    n, h, w, c = x.shape
    return x[:, :h // 2 * 2, :w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def dense(p, name, x):
    return x @ p[name + ".weight"] + p[name + ".bias"]


def front(p, x):
    x = jax.nn.relu(pool(conv(p, "front.conv1", pool(x))))
    x = jax.nn.relu(pool(conv(p, "front.conv2", x)))
    x = jax.nn.relu(conv(p, "front.conv3", x))
    return x.reshape(x.shape[0], -1)


def drop(x, rate, key):
    return x if key is None or rate == 0 else jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def classify(p, x, stride, rate, keys):
    x = drop(jax.nn.relu(pool(conv(p, "classify.conv1", x, stride))), rate, keys[0])
    x = drop(jax.nn.relu(pool(conv(p, "classify.conv2", x))), rate, keys[1])
    x = drop(jax.nn.relu(conv(p, "classify.conv3", x)), rate, keys[2])
    return dense(p, "classify.dense2", jax.nn.relu(dense(p, "classify.dense1", x.reshape(x.shape[0], -1))))


def sample(image, A, size):
    """image [N][100][100], A [N][T][6] to [N * T][size][size][1]; zeros outside, corners at -1 and 1."""
    line = jnp.linspace(-1.0, 1.0, size, dtype=A.dtype)
    y, x = jnp.meshgrid(line, line, indexing="ij")
    points = jnp.stack([x.ravel(), y.ravel(), jnp.ones_like(x.ravel())])
    at = (A.reshape(*A.shape[:2], 2, 3) @ points + 1) * 49.5       # [N][T][x, y][points]
    crop = lambda image, at: jax.scipy.ndimage.map_coordinates(image, [at[1], at[0]], order=1, mode="constant")
    return jax.vmap(jax.vmap(crop, (None, 0)))(image, at).reshape(-1, size, size, 1)


def gru(p, c, steps=3, units=256):
    from_x, h, states = dense({"x.weight": p["h.weight_ih"], "x.bias": p["h.bias_ih"]}, "x", c), jnp.zeros((c.shape[0], units), c.dtype), []
    for _ in range(steps):
        from_h = h @ p["h.weight_hh"]
        r, z = jnp.split(jax.nn.sigmoid(from_x[:, :2 * units] + from_h[:, :2 * units]), 2, 1)
        n = jnp.tanh(from_x[:, 2 * units:] + r * from_h[:, 2 * units:])
        h = (1 - z) * n + z * h
        states.append(h)
    return jnp.stack(states, 1)


def loss(p, image, digits, key, *, model, d, dropout):
    """Without a key there is no dropout."""
    image = image.astype(p["classify.conv1.weight"].dtype) / 255
    keys = [None] * 3 if key is None else jax.random.split(key, 3)
    if model != "conv":
        c = front(p, image)
        seen = jax.nn.relu(dense(p, "l", c))[:, None] if model == "ffn_spn" else gru(p, c)
        image = sample(image[..., 0], dense(p, "A", seen), 100 // d)
    scores = classify(p, image, d if model == "conv" else 1, dropout, keys).reshape(-1, 3, 10)
    right = jnp.take_along_axis(jax.nn.softmax(scores), digits[..., None], -1)
    return -jnp.log(right + EPSILON).mean()


def update(p, squares, grads, model, rate=5e-4, decay=0.9, epsilon=1e-6):
    if model == "rnn_spn":
        grads = jax.tree.map(lambda g: g.clip(-1, 1), grads)
    norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree.leaves(grads)))
    grads = jax.tree.map(lambda g: g * jnp.minimum(1, 5 / (norm + 1e-6)), grads)
    squares = jax.tree.map(lambda r, g: decay * r + (1 - decay) * g * g, squares, grads)
    return jax.tree.map(lambda w, g, r: w - rate * g * jax.lax.rsqrt(r + epsilon), p, grads, squares), squares


class Peer:
    """As in nets_torch.py; threads are those of the processors that the process may use when jax starts."""

    def __init__(self, model, d, mode, batch, threads, dropout):
        del mode, threads
        self.model, self.d = model, d
        self.loss = functools.partial(loss, model=model, d=d, dropout=dropout)
        random = np.random.default_rng(1)
        self.p = self.inward({k: random.normal(0, 0.05, s).astype(np.float32) for k, s in self.shapes().items()})
        if model != "conv":
            self.p["A.weight"], self.p["A.bias"] = 0 * self.p["A.weight"], jnp.array([1.0, 0, 0, 0, 1, 0])
        self.squares = jax.tree.map(jnp.zeros_like, self.p)
        self.image = jnp.array(random.integers(0, 256, (batch, 100, 100, 1), np.uint8))
        self.digits = jnp.array(random.integers(0, 10, (batch, 3)))
        self.key = jax.random.key(1)
        self.forward = jax.jit(lambda p, image, digits: self.loss(p, image, digits, None))

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
        def step(p, squares, key, image, digits):
            key, now = jax.random.split(key)
            grads = jax.grad(self.loss)(p, image, digits, now)
            return *update(p, squares, grads, model), key

        self.step = step

    @staticmethod
    def versions():
        return {"jax": jax.__version__}

    def side(self):
        """Rows of the third convolution's output, in the classifier."""
        first = (100 - 3) // self.d + 1 if self.model == "conv" else 100 // self.d - 2
        return (first // 2 - 2) // 2 - 2

    def shapes(self):
        """As exported."""
        filters, units, outputs = (32, 256, 10) if self.model == "rnn_spn" else (96, 400, 30)
        weights = {"classify.conv1": (filters, 1, 3, 3), "classify.conv2": (filters, filters, 3, 3),
                   "classify.conv3": (filters, filters, 3, 3), "classify.dense1": (units, filters * self.side() ** 2),
                   "classify.dense2": (outputs, units)}
        if self.model != "conv":
            weights |= {"front.conv1": (20, 1, 3, 3), "front.conv2": (20, 20, 3, 3), "front.conv3": (20, 20, 3, 3)}
            weights |= {"l": (200, 1620), "A": (6, 200)} if self.model == "ffn_spn" else {"A": (6, 256)}
        shapes = {k + ".weight": s for k, s in weights.items()} | {k + ".bias": (s[0],) for k, s in weights.items()}
        if self.model == "rnn_spn":
            shapes |= {"h.weight_ih": (768, 1620), "h.weight_hh": (768, 256), "h.bias_ih": (768,)}
        return shapes

    def channels(self, name):
        """Of the map that this dense weight reads flattened, or 0."""
        return {"classify.dense1.weight": 32 if self.model == "rnn_spn" else 96, "l.weight": 20, "h.weight_ih": 20}.get(name, 0)

    def inward(self, weights):
        """From the exported layout: convolutions HWIO, dense [in][out], features in the order rows, columns, channels."""
        p = {}
        for name, w in weights.items():
            if w.ndim == 2 and self.channels(name):
                w = w.reshape(w.shape[0], self.channels(name), -1).transpose(0, 2, 1).reshape(w.shape[0], -1)
            p[name] = jnp.array(w.transpose(2, 3, 1, 0) if w.ndim == 4 else w.T)
        return p

    def outward(self, p):
        weights = {}
        for name, w in p.items():
            w = np.asarray(w)
            w = w.transpose(3, 2, 0, 1) if w.ndim == 4 else w.T
            if w.ndim == 2 and self.channels(name):
                w = w.reshape(w.shape[0], -1, self.channels(name)).transpose(0, 2, 1).reshape(w.shape[0], -1)
            weights[name] = w
        return weights

    def train(self):
        self.p, self.squares, self.key = self.step(self.p, self.squares, self.key, self.image, self.digits)
        jax.block_until_ready(self.p)

    def eval(self):
        self.forward(self.p, self.image, self.digits).block_until_ready()

    def loss_and_grads(self, weights, image, digits):
        """With the weights of an .npz and in their precision, without dropout: the loss and a dict of numpy arrays."""
        with jax.enable_x64(next(iter(weights.values())).dtype == np.float64):
            image, digits = jnp.array(image.transpose(0, 2, 3, 1)), jnp.array(digits)
            both = jax.jit(jax.value_and_grad(lambda p, image: self.loss(p, image, digits, None)))
            value, grads = both(self.inward(weights), image)
            return float(value), self.outward(grads)
