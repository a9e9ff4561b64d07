"""`RunConfig`: every hyperparameter of a run, declared once with its type, bounds, default and help.

The form, `--set`, presets and `show` all read these declarations; none keeps a list of its own.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from tui_trainer import datasets
from tui_trainer.text import InputError, clean, nearest


def _knob(default: Any, help: str, lower: str = "", higher: str = "", unit: str = "", **bounds: Any) -> Any:
    """A field with help for a student: what it is, what less and more of it do."""
    return Field(
        default,
        description=help,
        json_schema_extra={"lower": lower, "higher": higher, "unit": unit},
        **bounds,
    )


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Data(Group):
    name: Literal["digits", "mnist"] = _knob("digits", "The data set. digits needs no download and trains in seconds.")
    split: Literal["auto", "70-15-15", "60k-10k", "50k-10k-10k"] = _knob(
        "auto",
        "How examples are divided into train, validation and test; auto takes the data set's usual cut. "
        "With 60k-10k the validation set is the test set, so an epoch picked on it flatters the accuracy.",
    )


Width = Annotated[int, Field(ge=1, le=65_536)]


class Network(Group):
    hidden_sizes: Annotated[tuple[Width, ...], BeforeValidator(_as_tuple)] = _knob(
        (64, 64),
        "Units in each hidden layer, as 128-64; none leaves a single linear layer (logistic regression).",
        lower="faster, may underfit",
        higher="fits more, slower, may overfit",
        unit="units",
        max_length=100,
    )
    activation: Literal["relu", "tanh", "sigmoid"] = _knob(
        "relu",
        "The non-linearity after each hidden layer. ReLU trains fast; tanh is smooth; "
        "sigmoid learns slowly when stacked.",
    )
    init: Literal["pytorch", "he_normal", "xavier_normal", "xavier_uniform", "lecun_normal"] = _knob(
        "he_normal",
        "How weights start. He suits ReLU, Xavier suits tanh and sigmoid, LeCun is N(0, 1/inputs), "
        "pytorch is nn.Linear's default. Biases start at 0, except with pytorch.",
    )
    dropout: float = _knob(
        0.0,
        "Share of hidden units switched off at random in each training step (never in evaluation).",
        lower="fits the training set more closely",
        higher="regularises more; too high underfits",
        ge=0,
        lt=1,
    )


LearningRate = Annotated[
    float,
    _knob(
        0.001,
        "Step size of each update.",
        lower="slower, steadier",
        higher="faster, until the loss oscillates or diverges",
        gt=0,
        le=100,
    ),
]


class Sgd(Group):
    name: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.01
    momentum: float = _knob(
        0.0,
        "Share of the previous update carried into the next.",
        lower="plain gradient descent",
        higher="faster along steady directions, may overshoot",
        ge=0,
        lt=1,
    )


class Adam(Group):
    name: Literal["adam"] = "adam"
    learning_rate: LearningRate = 0.001
    betas: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], BeforeValidator(_as_tuple)] = _knob(
        (0.9, 0.999),
        "Decay of the running mean of gradients, and of their squares.",
        lower="reacts faster, noisier",
        higher="smoother, slower to react",
        min_length=2,
        max_length=2,
    )
    eps: float = _knob(
        1e-8,
        "Added to the denominator so that it is never zero.",
        lower="larger updates for rare gradients",
        higher="closer to plain momentum",
        gt=0,
        le=1,
    )


class Adadelta(Group):
    name: Literal["adadelta"] = "adadelta"
    learning_rate: LearningRate = 1.0
    rho: float = _knob(
        0.9,
        "Decay of the running averages of squared gradients and updates.",
        lower="reacts faster",
        higher="remembers longer",
        ge=0,
        lt=1,
    )
    eps: float = _knob(
        1e-6,
        "Added under both square roots; also sets how large the first updates are.",
        lower="slower start",
        higher="faster start",
        gt=0,
        le=1,
    )


OPTIMIZERS: dict[str, type[Group]] = {"sgd": Sgd, "adam": Adam, "adadelta": Adadelta}


class Regularization(Group):
    weight_decay: float = _knob(
        0.0,
        "L2 penalty λ: every gradient gains λ·w, on weights and biases (E = mean loss + λ/2·‖w‖²).",
        lower="fits the training set more closely",
        higher="smaller weights, smoother; too high underfits",
        ge=0,
        le=100,
    )


class Training(Group):
    epochs: int = _knob(
        20,
        "Passes over the training set.",
        lower="stops sooner",
        higher="longer; may overfit",
        ge=1,
        le=1_000_000,
    )
    batch_size: int = _knob(
        32,
        "Examples per update. The last, smaller batch of an epoch is trained on too.",
        lower="more, noisier updates per epoch; slower epochs",
        higher="fewer, smoother updates; faster epochs, often needs a higher learning rate",
        unit="examples",
        ge=1,
        le=10_000_000,
    )
    seed: int = _knob(0, "Decides initial weights, batch order and dropout: same seed, same bits.", ge=0, le=2**63 - 1)
    precision: Literal["auto", "fp32", "tf32", "bf16"] = _knob(
        "auto",
        "Arithmetic of the matrix products. auto and fp32 are full precision; tf32 needs CUDA; "
        "bf16 is faster and coarser.",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = _knob(
        "auto", "Where to train. auto takes CUDA if there is one, then MPS, then the CPU."
    )
    threads: int = _knob(
        0,
        "CPU threads; 0 lets the machine decide. A different number gives different bits.",
        lower="leaves cores to others",
        higher="faster for wide layers and large batches",
        unit="threads",
        ge=0,
        le=1024,
    )


class Checkpoints(Group):
    every_epochs: int = _knob(
        0,
        "Keep a checkpoint every this many epochs; 0 keeps none but best, last and those you save.",
        lower="finer choice to go back to",
        higher="less disk",
        unit="epochs",
        ge=0,
        le=1_000_000,
    )
    best: bool = _knob(
        True, "Keep a checkpoint of the epoch with the highest validation accuracy (the first, on a tie)."
    )
    last_seconds: float = _knob(
        10.0,
        "Seconds between automatic saves of the newest state, at the end of an epoch.",
        lower="less work lost when the machine dies",
        higher="less time spent saving",
        unit="seconds",
        ge=0,
        le=86_400,
    )


class RunConfig(Group):
    """One training of one network. `RunConfig()` is a few seconds of digits."""

    data: Data = Data()
    network: Network = Network()
    optimizer: Annotated[Sgd | Adam | Adadelta, Discriminator("name")] = Adam()
    regularization: Regularization = Regularization()
    training: Training = Training()
    checkpoints: Checkpoints = Checkpoints()

    @model_validator(mode="after")
    def _split_belongs_to_data(self) -> Self:
        splits = datasets.dataset(self.data.name).splits
        if self.data.split not in ("auto", *splits):
            raise ValueError(
                f"data.split: {self.data.split!r} does not cut {self.data.name}; choose {', '.join(splits)}"
            )
        return self

    @property
    def dataset(self) -> datasets.Dataset:
        return datasets.dataset(self.data.name)

    @property
    def split_name(self) -> str:
        return self.dataset.default_split if self.data.split == "auto" else self.data.split

    @property
    def split(self) -> datasets.Split:
        return self.dataset.splits[self.split_name]

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
        """Weights and biases of each linear layer."""
        return [inputs * outputs + outputs for inputs, outputs in pairwise(self.layer_sizes)]

    @property
    def steps_per_epoch(self) -> int:
        """Updates an epoch, the last smaller batch included."""
        return -(-self.split.train // self.training.batch_size)

    def digest(self) -> str:
        """sha256 of the canonical JSON of every field."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Knob:
    """One field as a form or a command line sees it."""

    path: str
    kind: Literal["integer", "number", "boolean", "choice", "integers", "numbers"]
    default: Any
    help: str
    lower: str
    higher: str
    unit: str
    choices: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        return self.path.partition(".")[0]

    @property
    def name(self) -> str:
        return self.path.partition(".")[2]

    def render(self, value: Any) -> str:
        """`value` as a person writes it; `parse` reads it back."""
        if self.kind in ("integers", "numbers"):
            return ("-" if self.kind == "integers" else ",").join(map(repr, value)) or "none"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def parse(self, text: str) -> Any:
        """The value a person wrote. Raises ValueError where it is not of this kind; bounds are the config's."""
        text = text.strip()
        match self.kind:
            case "boolean":
                if text.lower() not in ("true", "false"):
                    raise ValueError("is neither true nor false")
                return text.lower() == "true"
            case "integer":
                return _number(text, int, "a whole number")
            case "number":
                return _number(text, float, "a number")
            case "integers":
                parts = text.replace(",", "-").split("-") if text.lower() not in ("none", "") else []
                return tuple(_number(part, int, "whole numbers joined by '-', as 128-64") for part in parts)
            case "numbers":
                return tuple(_number(part, float, "numbers joined by ','") for part in text.split(","))
            case "choice":
                return text


def _number(text: str, kind: type[int] | type[float], wanted: str) -> int | float:
    try:
        if "_" in text or not text.isascii() or len(text) > 40:  # int() takes 1_000, and refuses 5,000 digits
            raise ValueError
        return kind(text)
    except ValueError:
        raise ValueError(f"is not {wanted}") from None


def _kind(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        return ("integers" if get_args(item)[0] is int else "numbers"), ()
    return {bool: "boolean", int: "integer", float: "number"}[annotation], ()


def _knobs_of(group: str, model: type[BaseModel]) -> Iterator[Knob]:
    for name, info in model.model_fields.items():
        if group == "optimizer" and name == "name":
            help = "How gradients become updates. SGD is plainest, Adam the usual choice, Adadelta adapts its rate."
            yield Knob("optimizer.name", "choice", info.default, help, "", "", "", tuple(OPTIMIZERS))
            continue
        kind, choices = _kind(info.annotation)
        extra = _extra(info)
        yield Knob(f"{group}.{name}", kind, info.default, info.description or "", **extra, choices=choices)


def _extra(info: FieldInfo) -> dict[str, str]:
    found = info.json_schema_extra
    keys = ("lower", "higher", "unit")
    return {key: str(found.get(key, "")) if isinstance(found, dict) else "" for key in keys}


def knobs(optimizer: str = "adam") -> dict[str, Knob]:
    """Every field by its dotted path, in the order of the form, with the settings of the chosen optimizer."""
    found: dict[str, Knob] = {}
    for group, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if group == "optimizer":
            annotation = OPTIMIZERS.get(optimizer, Adam)
        assert isinstance(annotation, type)
        found |= {knob.path: knob for knob in _knobs_of(group, annotation)}
    return found


def build(values: Mapping[str, Any], where: str = "") -> RunConfig:
    """A config from nested tables. Raises `InputError` with every problem, each line `where: key: what, limit`."""
    prefix = f"{where}: " if where else ""
    try:
        return RunConfig.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(*(prefix + line for line in _explain(error))) from None


def _explain(error: ValidationError) -> Iterator[str]:
    """pydantic's errors in our words: the key, what was given, the limit."""
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        tagged = path[:1] == ["optimizer"] and len(path) > 1 and path[1] in OPTIMIZERS
        optimizer = path.pop(1) if tagged else "adam"  # pydantic puts the chosen union member into the path
        key = ".".join(path)
        context = item.get("ctx", {})
        given = _brief(item["input"])
        match item["type"]:
            case "value_error":
                yield str(context["error"])
                continue
            case "extra_forbidden":
                problem = _unknown(key, optimizer)
            case "greater_than_equal":
                problem = f"{given} is below the least allowed, {context['ge']}"
            case "greater_than":
                problem = f"{given} must be above {context['gt']}"
            case "less_than_equal":
                problem = f"{given} is above the most allowed, {context['le']}"
            case "less_than":
                problem = f"{given} must be below {context['lt']}"
            case "literal_error":
                choices = [str(choice) for choice in _choices(key, optimizer)]
                problem = f"{given} is not one of {', '.join(choices)}{nearest(str(item['input']), choices)}"
            case "union_tag_invalid":
                tag = str(context["tag"])
                key, problem = (
                    "optimizer.name",
                    f"{tag!r} is not one of {', '.join(OPTIMIZERS)}{nearest(tag, OPTIMIZERS)}",
                )
            case "union_tag_not_found":
                key, problem = "optimizer.name", f"is missing; one of {', '.join(OPTIMIZERS)}"
            case "too_short" if len(item["input"]) >= context["min_length"]:
                continue  # pydantic counts only the sound ones; those that are not have their own line
            case "too_long" | "too_short":
                most = "max_length" in context
                limit = f"at most {context['max_length']}" if most else f"at least {context['min_length']}"
                problem = f"has {context['actual_length']} values, must have {limit}"
            case "finite_number":
                problem = f"{given} is not a finite number"
            case "int_type" | "int_from_float":
                problem = f"{given} is not a whole number"
            case "float_type":
                problem = f"{given} is not a number"
            case "bool_type":
                problem = f"{given} is neither true nor false"
            case "model_type" | "model_attributes_type":
                problem = f"{given} is not a table of settings"
            case _:
                problem = f"{given}: {item['msg']}"
        yield clean(f"{key}: {problem}", 300)


def _brief(value: object) -> str:
    """A foreign value as its first 60 characters."""
    try:
        return repr(value)[:60]
    except (RecursionError, ValueError):  # nested, or a number, beyond what Python prints
        return f"this {type(value).__name__}"


def _choices(key: str, optimizer: str) -> tuple[str, ...]:
    knob = knobs(optimizer).get(key)
    return knob.choices if knob else ()


def _unknown(key: str, optimizer: str) -> str:
    group, _, name = key.partition(".")
    if not name:
        return f"no such table or setting{nearest(key, RunConfig.model_fields)}"
    for other in OPTIMIZERS:
        if group == "optimizer" and other != optimizer and key in knobs(other):
            return f"a setting of {other}, but the optimizer is {optimizer}"
    known = knobs(optimizer)
    here = {path.partition(".")[2]: path for path in known if path.startswith(group + ".")}
    elsewhere = [path for path in known if path.endswith("." + name)]
    return "no such setting" + (nearest(name, here) or (f" (did you mean '{elsewhere[0]}'?)" if elsewhere else ""))


def resolve(name: str, known: Mapping[str, Knob]) -> str:
    """The full path of a field named by its path, by its last part where that is unique, or by a group that has a name.

    `epochs` → `training.epochs`; `optimizer` → `optimizer.name`; `data` → `data.name`. Raises ValueError.
    """
    if name in known:
        return name
    if f"{name}.name" in known:
        return f"{name}.name"
    matches = [path for path in known if path.endswith(f".{name}")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ValueError(f"could be {' or '.join(matches)}")
    shorts = [path.partition(".")[2] for path in known]
    raise ValueError("no such setting" + nearest(name, [*known, *shorts]))


def apply(config: RunConfig, settings: list[str]) -> RunConfig:
    """`config` with `key=value` settings applied, all problems at once.

    Choosing another optimizer drops the settings of the old one, but keeps the learning rate.
    """
    values: dict[str, dict[str, Any]] = config.model_dump()
    pairs: list[tuple[str, str]] = []
    problems: list[str] = []
    optimizer: str = config.optimizer.name
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            problems.append(f"--set {setting[:60]!r}: write key=value")
            continue
        if name.strip() in ("optimizer", "optimizer.name"):
            optimizer = text.strip()
        pairs.append((name.strip(), text))
    if optimizer != config.optimizer.name:
        values["optimizer"] = {"name": optimizer, "learning_rate": config.optimizer.learning_rate}
    known = knobs(optimizer)
    for name, text in pairs:
        try:
            path = resolve(name, known)
        except ValueError as error:
            problems.append(f"--set {name}: {error}")
            continue
        group, _, field = path.partition(".")
        try:
            values[group][field] = known[path].parse(text)
        except ValueError as error:
            problems.append(f"--set {path}: {text[:60]!r} {error}")
    try:
        changed = build(values, "--set")
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(*problems)
    return changed


def change(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """`config` with fields replaced by dotted path. Raises `InputError`."""
    values = config.model_dump()
    for path, value in changes.items():
        group, _, field = path.partition(".")
        values.setdefault(group, {})[field] = value
    return build(values)


def differences(base: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Every field in which the two differ, as path → (base's value or None, other's value or None)."""
    flat_base, flat_other = flatten(base), flatten(other)
    return {
        path: (flat_base.get(path), flat_other.get(path))
        for path in flat_base | flat_other
        if flat_base.get(path) != flat_other.get(path)
    }


def flatten(config: RunConfig) -> dict[str, Any]:
    """Every value by its dotted path."""
    return {f"{group}.{name}": value for group, values in config.model_dump().items() for name, value in values.items()}
