import keras
from keras import layers, ops

picture, facts = keras.Input((6, 5, 2), name="picture"), keras.Input((4,), name="facts")
seen = layers.Conv2D(3, 3, activation="silu")(picture)
pooled = layers.GlobalAveragePooling2D()(seen)
peak = layers.GlobalMaxPooling2D()(seen)
known = layers.Dense(3, activation="elu")(facts)
all_of = layers.Concatenate()([pooled, peak, known])
what, size = ops.tanh(all_of), all_of * 0.5 + 1
scores = layers.Dense(5, name="kind")(what)
guess = layers.Dense(2, name="size")(size)
model = keras.Model([picture, facts], {"kind": scores, "size": guess})
optimiser = keras.optimizers.RMSprop(1e-3, rho=0.9, epsilon=1e-6, momentum=0.5, centered=True)
kind_loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
losses = {"kind": kind_loss, "size": keras.losses.Huber(delta=0.5)}
model.compile(optimiser, losses, loss_weights={"kind": 1, "size": 0.7})
targets["kind"] = keras.utils.to_categorical(targets["kind"], 5)
model.fit(inputs, targets, batch_size=20, epochs=40)
