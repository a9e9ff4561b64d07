"""The table of configs that are compared with the reference, and what must appear in it."""

import itertools
from pathlib import Path
from typing import Any

from tui_trainer.config import OPTIMIZERS, SCHEDULES, RunConfig, apply, flatten, knobs

BASE = (
    "hidden_sizes=12-8 epochs=2 batch_size=16 train_size=90 threads=1 device=cpu learning_rate=0.01 seed=3 "
    "init=pytorch step_path=autograd"
)
"""Six updates an epoch, the last of ten examples."""

KNOBS = """
activation=leaky_relu leaky_slope=0.3
activation=elu
activation=tanh
activation=sigmoid
activation=silu
activation=gelu
activation=maxout maxout_pieces=3
activation=identity
bias=false
batch_norm=true bias=false
hidden_sizes=none
dropout=0.1,0.5
input_dropout=0.2
init_gain=activation init=xavier_normal activation=tanh
optimizer=sgd learning_rate=0.1 momentum=0.9 dampening=0.3
optimizer=sgd learning_rate=0.1 momentum=0.9 nesterov=true
optimizer=adagrad learning_rate=0.1 lr_decay=0.1 initial_accumulator=0.01 optimizer.eps=1e-7
optimizer=rmsprop learning_rate=0.002 alpha=0.9 optimizer.momentum=0.5 optimizer.eps=1e-6
optimizer=rmsprop learning_rate=0.002 centered=true
optimizer=adadelta learning_rate=0.5 rho=0.8 optimizer.eps=1e-5
optimizer=adam betas=0.8,0.99 optimizer.eps=1e-6
optimizer=adamw betas=0.8,0.99 optimizer.eps=1e-6 weight_decay=0.1
optimizer=nadam betas=0.8,0.99 optimizer.eps=1e-6 momentum_decay=0.01
optimizer=radam betas=0.8,0.99 optimizer.eps=1e-6
optimizer=muon learning_rate=0.05 optimizer.momentum=0.8 optimizer.nesterov=false adam_learning_rate=0.005
optimizer=muon hidden_sizes=none
schedule=constant warmup_epochs=0.5
schedule=step warmup_epochs=0.5 schedule.every_epochs=1 gamma=0.3
schedule=multi_step warmup_epochs=0.5 milestones=1-2 gamma=0.3 epochs=3
schedule=exponential warmup_epochs=0.5 gamma=0.8 per=step
schedule=exponential per=epoch gamma=0.5
schedule=cosine warmup_epochs=0.5 per=step final_share=0.1
schedule=cosine per=step cycles=3
schedule=cosine per=epoch epochs=3
schedule=one_cycle rise=0.4 start_divisor=10 final_divisor=100
schedule=plateau warmup_epochs=0.5 gamma=0.5 schedule.metric=val_loss schedule.patience=0 schedule.min_delta=9 epochs=3
schedule=plateau schedule.metric=val_accuracy schedule.patience=1 epochs=5 learning_rate=0.0001
rates=slice first_rate=0.001
rates=slice_last optimizer=sgd learning_rate=0.1
rates=slice first_rate=0.01 optimizer=muon learning_rate=0.02
rates=slice hidden_sizes=none
frozen=1
frozen=2 unfreeze_epoch=2 batch_norm=true
frozen=2 unfreeze_epoch=2 weight_decay=0.1 weight_decay_mode=loss optimizer=sgd max_norm=0.3
weight_decay=0.1 weight_decay_mode=auto
weight_decay=0.1 weight_decay_mode=gradient optimizer=sgd weight_decay_on=weights
weight_decay=0.1 weight_decay_mode=gradient optimizer=adamw
weight_decay=0.1 weight_decay_mode=gradient optimizer=muon weight_decay_on=weights
weight_decay=0.1 weight_decay_mode=loss optimizer=sgd
weight_decay=0.1 weight_decay_mode=loss optimizer=sgd clip_norm=0.5
weight_decay=0.1 weight_decay_mode=loss clip_value=0.01 optimizer=sgd weight_decay_on=weights
weight_decay=0.1 weight_decay_mode=loss optimizer=muon
weight_decay=0.1 weight_decay_mode=loss accumulate=4 optimizer=sgd
weight_decay=0.1 weight_decay_mode=decoupled optimizer=sgd
weight_decay=0.1 weight_decay_mode=decoupled optimizer=adamw weight_decay_on=weights
weight_decay=0.1 weight_decay_mode=decoupled optimizer=nadam schedule=one_cycle rates=slice
weight_decay=0.1 weight_decay_mode=gradient optimizer=rmsprop clip_norm=0.5
max_norm=0.4
clip_norm=0.5
clip_value=0.01
clip_norm=0.5 clip_value=0.05 accumulate=2
label_smoothing=0.1
early_stopping.mode=record early_stopping.metric=val_loss early_stopping.min_delta=9 early_stopping.patience=1
early_stopping.mode=stop early_stopping.metric=val_accuracy early_stopping.patience=2 epochs=9 learning_rate=0.001
input_noise=0.3
distortion=0.2
distortion=0.1 input_noise=0.1 on_evaluation=true label_noise=0.2
label_noise=0.3
steps=8
drop_last=true
drop_last=true accumulate=2
drop_last=true batch_size=50
accumulate=4
precision=fp32 deterministic=false device=auto
precision=bf16
precision=bf16 optimizer=sgd batch_norm=true clip_norm=0.5
scaling=standardise
split=auto data=digits
split=70-15-15 data=digits train_size=0 batch_size=60
data=xor batch_size=3 hidden_sizes=4 split=all
data=and batch_size=4 hidden_sizes=none
data=moons examples=60 spread=0.2 scaling=standardise
data=circles
data=spiral
data=blobs
data=csv file=FILE.csv label_column=kind scaling=standardise train_size=0
data=npz file=FILE.npz train_size=0
""".strip().splitlines()
KNOBS += [f"optimizer={name} learning_rate=0.003" for name in OPTIMIZERS]
KNOBS += [f"init={name}" for name in knobs()["network.init"].choices]
ON_MNIST = [
    "data=mnist split=60k-10k",
    "data=mnist split=50k-10k-10k distortion=0.1",
    "data=mnist split=auto train_size=40 optimizer=sgd",
]
ON_CUDA = ["device=cuda", "device=cuda precision=tf32", "device=cuda precision=fp16", "device=cuda precision=bf16"]

LIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "learning_rate": ("optimizer=adam", {"optimizer.learning_rate": 0.03, "optimizer.betas": (0.5, 0.9)}),
    "sgd": ("optimizer=sgd", {"optimizer.momentum": 0.9, "optimizer.nesterov": True}),
    "rmsprop gains a momentum": ("optimizer=rmsprop", {"optimizer.momentum": 0.9}),
    "rmsprop is centered": ("optimizer=rmsprop", {"optimizer.centered": True, "optimizer.alpha": 0.9}),
    "muon": ("optimizer=muon", {"optimizer.adam_learning_rate": 0.01, "optimizer.momentum": 0.5}),
    "decay": ("optimizer=adamw", {"regularization.weight_decay": 0.3}),
    "decay in the loss": ("optimizer=sgd weight_decay_mode=loss", {"regularization.weight_decay": 0.3}),
    "dropout": ("dropout=0.1", {"network.dropout": (0.5, 0.2), "network.input_dropout": 0.3}),
    "limits": ("optimizer=sgd", {"regularization.clip_norm": 0.1, "regularization.max_norm": 0.3}),
    "clip": ("clip_norm=0.3", {"regularization.clip_norm": 0.0, "regularization.clip_value": 0.01}),
    "smoothing": ("optimizer=sgd", {"regularization.label_smoothing": 0.3}),
    "freezing": ("optimizer=adam batch_norm=true", {"layers.frozen": 2}),
    "unfreezing": ("frozen=2 batch_norm=true", {"layers.frozen": 0}),
    "epochs": ("schedule=cosine", {"training.epochs": 4}),
    "steps": ("schedule=one_cycle", {"training.steps": 15}),
    "schedule": ("optimizer=sgd", {"schedule.name": "exponential", "schedule.per": "step"}),
}
"""What is set after the fourth update, by what it shows: settings, changes."""

REGULARISERS = (
    "label_smoothing=0",
    "dropout=0.3",
    "input_dropout=0.2",
    "batch_norm=true",
    "weight_decay=0.05 weight_decay_mode=gradient",
    "weight_decay=0.05 weight_decay_mode=loss",
    "weight_decay=0.05 weight_decay_mode=decoupled",
    "max_norm=0.5",
    "clip_norm=0.3",
    "clip_value=0.02",
    "label_smoothing=0.2",
    "input_noise=0.2",
)

ELSEWHERE = {
    "data.name": {"fashion-mnist", "kmnist", "emnist-balanced", "emnist-letters", "emnist-digits"},  # not downloaded
    "data.split": {"held-out"},  # only emnist's
    "training.device": {"mps"},  # no such machine
    "training.step_path": None,  # test_step_paths
    "checkpoints.every_epochs": None,  # what is kept; nothing to train
    "checkpoints.best": None,
    "checkpoints.last_seconds": None,
}
"""Choices, or whole fields, that no case has, and why."""


def config_of(words: str, files: Path = Path()) -> RunConfig:
    settings = [word.replace("FILE", str(files / "own")) for word in words.split()]
    chosen = {word.partition("=")[0] for word in settings}
    base = [word for word in BASE.split() if word.partition("=")[0] not in chosen]
    return apply(RunConfig(), [*(w for w in settings if w.startswith("optimizer=")), *base, *settings])


def all_pairs(columns: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows with a value from each column, in which every two values of different columns meet at least once."""
    open_pairs = {
        ((a, x), (b, y))
        for (a, left), (b, right) in itertools.combinations(enumerate(columns), 2)
        for x in left
        for y in right
    }
    rows = []
    while open_pairs:
        (a, x), (b, y) = min(open_pairs)
        row = {a: x, b: y}
        for number in (n for n in range(len(columns)) if n not in row):
            row[number] = max(
                columns[number],
                key=lambda value: sum(tuple(sorted(((number, value), other))) in open_pairs for other in row.items()),
            )
        open_pairs -= set(itertools.combinations(sorted(row.items()), 2))
        rows.append(tuple(row[n] for n in range(len(columns))))
    return rows


PAIRS = all_pairs(
    [
        tuple(f"activation={name}" for name in knobs()["network.activation"].choices),
        tuple(f"init={name}" for name in knobs()["network.init"].choices),
        tuple(f"optimizer={name}" for name in OPTIMIZERS),
        REGULARISERS,
    ]
)


def missing(configs: list[RunConfig]) -> list[str]:
    """Choices, booleans and numbers that differ from their default, of all knobs, that are in no config."""
    seen: dict[tuple[str, str], set[object]] = {}
    for config in configs:
        for path, value in flatten(config).items():
            seen.setdefault((_owner(path, config.optimizer.name, config.schedule.name), path), set()).add(value)
    absent = []
    for optimizer, schedule in itertools.zip_longest(OPTIMIZERS, SCHEDULES, fillvalue="constant"):
        for path, knob in knobs(optimizer, schedule).items():
            values = seen.get((_owner(path, optimizer, schedule), path), set())
            wanted: set[object] = (
                set(knob.choices) if knob.choices else {True, False} if knob.kind == "boolean" else set()
            )
            exempt = ELSEWHERE.get(path, set())
            if exempt is None:
                continue
            absent += [f"{optimizer} {schedule} {path}={value}" for value in wanted - values - exempt]
            if not wanted and not values - {knob.default}:
                absent.append(f"{optimizer} {schedule} {path}: only {knob.default}")
    return absent


def _owner(path: str, optimizer: str, schedule: str) -> str:
    """The optimizer or schedule whose setting this is."""
    return (
        {"optimizer": optimizer, "schedule": schedule}.get(path.partition(".")[0], "")
        if not path.endswith(".name")
        else ""
    )
