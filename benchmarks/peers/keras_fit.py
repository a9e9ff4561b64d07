"""Keras: a Sequential model and `fit` over arrays; the backend is what KERAS_BACKEND says."""

from typing import Any

import keras

from benchmarks.peers.laps import Laps
from benchmarks.workloads import Workload


class EndWhenAsked(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, laps: Laps) -> None:
        super().__init__()
        self.laps = laps

    def on_epoch_end(self, _epoch: int, logs: Any = None) -> None:
        self.model.stop_training = not self.laps.more()


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    hidden = [keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal") for width in work.hidden]
    model = keras.Sequential([keras.layers.Input((work.sizes[0],)), *hidden, keras.layers.Dense(work.sizes[-1])])
    optimizers = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "adadelta": keras.optimizers.Adadelta}
    model.compile(
        optimizer=optimizers[work.optimizer](work.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    if laps.more():
        model.fit(images, labels, batch_size=work.batch, epochs=10**9, verbose=0, callbacks=[EndWhenAsked(laps)])
