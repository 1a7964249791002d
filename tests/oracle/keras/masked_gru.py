import keras
from keras import layers, ops


class MaskedGRU(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units, self.cell = units, layers.GRUCell(units)

    def build(self, shape):
        self.cell.build((shape[0], shape[2]))
        self.start = self.add_weight((1, self.units), initializer="zeros")

    def call(self, x, m):
        h = ops.repeat(self.start, ops.shape(x)[0], axis=0)
        for t in range(x.shape[1]):
            g, _ = self.cell(x[:, t], h)
            h = m[:, t, None] * g + (1 - m[:, t, None]) * h
        return h


x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), name="mask")
end = MaskedGRU(4)(x, ops.sigmoid(4 * mask))
scores = layers.Dense(3)(end)
model = keras.Model([x, mask], {"label": scores})
model.compile(keras.optimizers.Adam(1e-3, amsgrad=True), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(inputs, targets, batch_size=20, epochs=40)
