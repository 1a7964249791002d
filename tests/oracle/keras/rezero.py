import keras
from keras import layers


class Branch(layers.Layer):
    def build(self, shape):
        self.amount = self.add_weight((), initializer="zeros")
        self.wide = layers.Dense(8, activation="relu")
        self.back = layers.Dense(shape[-1])

    def call(self, x):
        return x + self.amount * self.back(self.wide(x))


x = keras.Input((6,), name="x")
y = Branch()(Branch()(Branch()(x)))
model = keras.Model(x, {"y": y})
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
model.fit(inputs, targets, batch_size=20, epochs=40)
