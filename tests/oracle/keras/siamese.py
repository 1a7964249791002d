import keras
from keras import layers, ops


def contrastive(same, d2, margin=1.5):
    far = ops.maximum(margin - ops.sqrt(d2 + 1e-6), 0)
    return same * d2 + (1 - same) * far**2


left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
tower = keras.Sequential(
    [
        layers.Conv2D(3, 3, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(5, use_bias=False),
    ]
)
a, b = tower(left), tower(right)
d2 = ops.sum((a - b) ** 2, axis=-1)
model = keras.Model([left, right], {"same": d2})
model.compile(keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), contrastive)
model.fit(inputs, targets, batch_size=20, epochs=40)
