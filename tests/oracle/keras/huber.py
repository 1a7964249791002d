import keras
from keras import layers, ops


def loss(y, p, delta=0.4):
    d = ops.abs(p - y)
    miss = ops.where(d <= delta, 0.5 * d**2, delta * (d - 0.5 * delta))
    root = ops.where(d > 0.2, ops.sqrt(ops.maximum(d - 0.2, 1e-12)), 0)
    return ops.mean(miss + 0.1 * root + 0.2 * d, axis=-1)


x = keras.Input((5,), name="x")
p = layers.Dense(3)(x)
model = keras.Model(x, {"y": p})
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
model.fit(inputs, targets, batch_size=20, epochs=40)
