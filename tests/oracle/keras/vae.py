import keras
from keras import layers, ops


class Sampling(layers.Layer):
    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(1)

    def call(self, mu, s):
        self.add_loss(0.3 * ops.mean(0.5 * (ops.exp(s) + mu * mu - 1 - s)))
        return mu + ops.exp(0.5 * s) * keras.random.normal(ops.shape(mu), seed=self.seed)


x = keras.Input((1, 6, 6), name="x")
e = layers.Dense(12, activation="tanh")(layers.Flatten()(x))
mu, s = layers.Dense(4)(e), layers.Dense(4)(e)
z = Sampling()(mu, s)
logits = layers.Dense(36)(layers.Dense(12, activation="softplus")(z))
model = keras.Model(x, {"pixels": logits})
model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(inputs, targets, batch_size=20, epochs=40)
