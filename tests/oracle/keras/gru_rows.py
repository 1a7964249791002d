import keras
from keras import layers

image = keras.Input((6, 5, 1), name="image")
lines = layers.Reshape((6, 5))(image)
end = layers.GRU(5, reset_after=False)(lines)
scores = layers.Dense(4)(end)
model = keras.Model(image, {"label": scores})
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.RMSprop(5e-4, rho=0.9, epsilon=1e-6, momentum=0.9), loss)
model.fit(inputs, targets, batch_size=20, epochs=40)
