import keras
from keras import layers, ops


class Glimpses(layers.Layer):
    def __init__(self, units, steps):
        super().__init__()
        self.units, self.steps, self.cell = units, steps, layers.GRUCell(units, reset_after=False)
        self.where = layers.Dense(4, kernel_initializer=keras.initializers.RandomNormal(stddev=0.1))

    def build(self, shape):
        self.cell.build((shape[0], 16))
        self.where.build((shape[0], self.units))
        self.start = self.add_weight((1, self.units), initializer="zeros")

    def bank(self, size, centre, apart, wide):
        place = ops.array([-1.5, -0.5, 0.5, 1.5])
        middle = centre[:, None] + place * apart[:, None]
        k = ops.exp(-((ops.arange(size, dtype="float32") - middle[..., None]) ** 2) / wide[:, None, None])
        return k / ops.sum(k, axis=2, keepdims=True)

    def call(self, image):
        h = ops.repeat(self.start, ops.shape(image)[0], axis=0)
        for _ in range(self.steps):
            p = self.where(h)
            apart, wide = ops.exp(0.3 * p[:, 2]), 2 * ops.exp(p[:, 3])
            fy = self.bank(8, 4 + 2 * p[:, 0], apart, wide)
            fx = self.bank(7, 3.5 + 2 * p[:, 1], apart, wide)
            patch = fy @ image[..., 0] @ ops.transpose(fx, (0, 2, 1))
            h, _ = self.cell(ops.reshape(patch, (-1, 16)), h)
        return h


image = keras.Input((8, 7, 1), name="image")
scores = layers.Dense(4)(Glimpses(5, 3)(image))
model = keras.Model(image, {"label": scores})
model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(inputs, targets, batch_size=20, epochs=40)
