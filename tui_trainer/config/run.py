"""`RunConfig` as a whole: what its groups mean together."""

import hashlib
import json
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Discriminator, model_validator

from tui_trainer import datasets
from tui_trainer.config import groups
from tui_trainer.config.groups import Group


class RunConfig(Group):
    """One training of one network. `RunConfig()` is a few seconds of digits."""

    data: groups.Data = groups.Data()
    network: groups.Network = groups.Network()
    optimizer: Annotated[groups.AnyOptimizer, Discriminator("name")] = groups.Adam()
    schedule: Annotated[groups.AnySchedule, Discriminator("name")] = groups.Constant()
    layers: groups.Layers = groups.Layers()
    regularization: groups.Regularization = groups.Regularization()
    early_stopping: groups.EarlyStopping = groups.EarlyStopping()
    noise: groups.Noise = groups.Noise()
    training: groups.Training = groups.Training()
    checkpoints: groups.Checkpoints = groups.Checkpoints()

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        problems = [*self._data_problems(), *self._training_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _data_problems(self) -> list[str]:
        data, splits = self.data, datasets.splits_of(self.data.name)
        problems = []
        if data.split not in ("auto", *splits):
            problems.append(f"data.split: {data.split!r} does not cut {data.name}; choose {', '.join(splits)}")
        if data.name in datasets.OWN and not data.file:
            problems.append(f"data.file: is missing; {data.name} needs the path of your file")
        if self.noise.distortion and not datasets.is_image(data.name):
            problems.append(f"noise.distortion: {data.name} has no images to distort")
        return problems

    def _training_problems(self) -> list[str]:
        hidden, dropout = self.network.hidden_sizes, self.network.dropout
        problems = []
        if len(dropout) not in (1, len(hidden)):
            problems.append(
                f"network.dropout: has {len(dropout)} values for {len(hidden)} hidden layers; give 1 or all"
            )
        if self.layers.frozen > len(hidden):
            problems.append(f"layers.frozen: {self.layers.frozen} of {len(hidden) + 1} layers leave nothing to train")
        optimizer = self.optimizer
        if isinstance(optimizer, groups.Sgd) and optimizer.nesterov and (not optimizer.momentum or optimizer.dampening):
            problems.append("optimizer.nesterov: needs momentum above 0 and dampening 0")
        return problems

    @property
    def dataset(self) -> datasets.Dataset:
        """The catalogue's entry, or the description of the person's own file. Raises `InputError`."""
        if self.data.name in datasets.OWN:
            return datasets.own(self.data.name, self.data.file, self.data.label_column)
        return datasets.dataset(self.data.name)

    @property
    def file_digest(self) -> str:
        """Of what the person's own file holds, or nothing. Raises `InputError`."""
        if self.data.name in datasets.OWN:
            return datasets.own_digest(self.data.name, self.data.file, self.data.label_column)
        return ""

    @property
    def split_name(self) -> str:
        return datasets.splits_of(self.data.name)[0] if self.data.split == "auto" else self.data.split

    @property
    def split(self) -> datasets.Split:
        """How many examples each part has, `train_size` taken into account."""
        split = datasets.split_sizes(self.dataset, self.split_name, self.data.examples)
        return split.limited(self.data.train_size) if self.data.train_size else split

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Inputs, hidden widths, classes: 784-200-200-200-10."""
        return (self.dataset.inputs, *self.network.hidden_sizes, self.dataset.classes)

    @property
    def architecture(self) -> str:
        """`784-200-200-200-10`"""
        return "-".join(map(str, self.layer_sizes))

    @property
    def layer_parameters(self) -> list[int]:
        """Weights, biases and normalisation of each layer."""
        network, sizes = self.network, self.layer_sizes
        counts = []
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            hidden = index < len(sizes) - 2
            width = outputs * network.pieces if hidden else outputs
            normalisation = 2 * width if hidden and network.batch_norm else 0
            counts.append((inputs + network.bias) * width + normalisation)
        return counts

    @property
    def layer_dropout(self) -> tuple[float, ...]:
        """Dropout after each hidden layer."""
        given = self.network.dropout
        return given if len(given) > 1 else given * len(self.network.hidden_sizes)

    @property
    def steps_per_epoch(self) -> int:
        """Updates an epoch, the last smaller batch included unless it is dropped."""
        examples, size = self.split.train, self.training.batch_size
        batches = max(1, examples // size) if self.training.drop_last else -(-examples // size)
        return -(-batches // self.training.accumulate)

    @property
    def total_steps(self) -> int:
        """The horizon: where training ends unless it is stopped."""
        return self.training.steps or self.training.epochs * self.steps_per_epoch

    @property
    def total_epochs(self) -> int:
        """Epochs begun by then, the last perhaps not whole."""
        return -(-self.total_steps // self.steps_per_epoch)

    @property
    def decay_mode(self) -> str:
        """How weight decay acts, with `auto` resolved."""
        chosen = self.regularization.weight_decay_mode
        if chosen != "auto":
            return chosen
        return "decoupled" if self.optimizer.name in ("adamw", "muon") else "gradient"

    def digest(self) -> str:
        """sha256 of the canonical JSON of every field."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
