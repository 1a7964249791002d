import keras
from keras import layers, regularizers


class WarmSteps(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        epoch = keras.ops.cast(step, "float32") / self.steps
        return self.rate * keras.ops.minimum(epoch / 3, 1) * 0.5 ** (epoch // 4)


def conv(x, filters, kernel, stride=1, activation=None, bias=True):
    options = {"use_bias": bias, "activation": activation, "kernel_regularizer": regularizers.L2(5e-3)}
    return layers.Conv2D(filters, kernel, stride, padding="same", **options)(x)


def block(x, filters, stride=1):
    a = conv(x, filters, 3, stride, activation="relu")
    b = conv(a, filters, 3)
    s = x if stride == 1 else conv(x, filters, 1, stride, bias=False)
    return layers.ReLU()(b + s)


def stage(x, filters, stride=2):
    for k in range(3):
        x = block(x, filters, stride if k == 0 else 1)
    return x


image = keras.Input((8, 8, 3), name="image")
x = conv(image, 2, 3, activation="relu")
x = stage(x, 2, stride=1)
x = stage(x, 4)
x = stage(x, 8)
x = layers.GlobalAveragePooling2D()(x)
scores = layers.Dense(5, kernel_regularizer=regularizers.L2(5e-3))(x)
model = keras.Model(image, {"label": scores})
rate = WarmSteps(0.05, steps=5)
model.compile(keras.optimizers.SGD(rate, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(inputs, targets, batch_size=20, epochs=40)
