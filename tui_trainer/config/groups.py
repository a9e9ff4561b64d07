"""The fields, group by group: type, bounds, default, and help written for a student.

One file, though long: a hyperparameter is found, read and changed in one place.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _knob(
    default: Any, help: str, lower: str = "", higher: str = "", unit: str = "", when: str = "", **bounds: Any
) -> Any:
    """A field with its help: what it is, what less and more of it do.

    `when`, as `activation: maxout`, names the field of the same group, and its values, that make this one count.
    """
    extra: dict[str, Any] = {"lower": lower, "higher": higher, "unit": unit, "when": when}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: object) -> object:
    """A single number stands for a tuple of one."""
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else _as_tuple(value)


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


Width = Annotated[int, Field(ge=1, le=65_536)]
Share = Annotated[float, Field(ge=0, lt=1)]
Milestone = Annotated[int, Field(ge=1, le=1_000_000)]
Text = Annotated[str, Field(max_length=1000)]

DataName = Literal[
    "digits",
    "mnist",
    "fashion-mnist",
    "kmnist",
    "emnist-balanced",
    "emnist-letters",
    "emnist-digits",
    "xor",
    "and",
    "moons",
    "circles",
    "spiral",
    "blobs",
    "csv",
    "npz",
]


class Data(Group):
    name: DataName = _knob(
        "digits",
        "The data set. digits needs no download and trains in seconds; xor to blobs are points in a plane; "
        "csv and npz are your own files.",
    )
    file: Text = _knob("", "Your file. A csv has a header line; an npz holds arrays x and y.", when="name: csv npz")
    label_column: Text = _knob("label", "The column that holds the class of each row.", when="name: csv")
    split: Literal["auto", "all", "70-15-15", "60k-10k", "50k-10k-10k", "held-out"] = _knob(
        "auto",
        "How examples are divided into train, validation and test; auto takes the data set's usual cut. "
        "With 60k-10k, and with all, validation is the test set, so an epoch picked on it flatters the accuracy; "
        "held-out takes as many of the last training images for validation as there are test images.",
    )
    train_size: int = _knob(
        0,
        "Train on only this many examples, the first of the training part; 0 takes all.",
        lower="overfits sooner: a way to see regularisation work",
        higher="generalises better, slower epochs",
        unit="examples",
        ge=0,
        le=100_000_000,
    )
    scaling: Literal["scale", "standardise"] = _knob(
        "scale",
        "How inputs are scaled: scale brings pixels to [0, 1] and leaves other data as they are; standardise gives "
        "every input mean 0 and standard deviation 1 over the training part.",
    )
    examples: int = _knob(
        400,
        "How many points are drawn.",
        lower="faster, a rougher picture",
        higher="slower, a clearer boundary",
        unit="points",
        when="name: moons circles spiral blobs",
        ge=20,
        le=1_000_000,
    )
    spread: float = _knob(
        0.1,
        "Standard deviation of the noise on each point.",
        lower="classes lie apart",
        higher="classes overlap",
        when="name: moons circles spiral blobs",
        ge=0,
        le=10,
    )


class Network(Group):
    hidden_sizes: Annotated[tuple[Width, ...], BeforeValidator(_as_tuple)] = _knob(
        (64, 64),
        "Units in each hidden layer, as 128-64; none leaves a single linear layer (logistic regression).",
        lower="faster, may underfit",
        higher="fits more, slower, may overfit",
        unit="units",
        max_length=100,
    )
    activation: Literal["relu", "leaky_relu", "elu", "tanh", "sigmoid", "silu", "gelu", "maxout", "identity"] = _knob(
        "relu",
        "The non-linearity after each hidden layer. ReLU trains fast; leaky ReLU and ELU keep a slope below zero; tanh "
        "is smooth; sigmoid learns slowly when stacked; maxout takes the largest of several linear pieces; identity "
        "shows what depth is worth without one.",
    )
    leaky_slope: float = _knob(
        0.1,
        "The slope of leaky ReLU below zero.",
        lower="closer to ReLU",
        higher="closer to a straight line",
        when="activation: leaky_relu",
        ge=0,
        lt=1,
    )
    maxout_pieces: int = _knob(
        2,
        "Linear pieces of each maxout unit.",
        lower="fewer weights",
        higher="a more flexible unit, more weights",
        unit="pieces",
        when="activation: maxout",
        ge=2,
        le=16,
    )
    bias: bool = _knob(True, "Give each layer a bias, so that its lines need not pass through the origin.")
    batch_norm: bool = _knob(
        False,
        "Normalise each hidden layer's sums over the batch before the activation. Trains faster with large rates; "
        "behaves differently in training and evaluation.",
    )
    init: Literal[
        "pytorch",
        "he_normal",
        "he_uniform",
        "xavier_normal",
        "xavier_uniform",
        "lecun_normal",
        "orthogonal",
        "zeros",
    ] = _knob(
        "he_normal",
        "How weights start. He suits ReLU, Xavier suits tanh and sigmoid, LeCun is N(0, 1/inputs), orthogonal keeps "
        "lengths, pytorch is nn.Linear's default, zeros shows why not. Biases start at 0, except with pytorch.",
    )
    init_gain: Literal["published", "activation"] = _knob(
        "published",
        "Scale of the initial weights. published: as the paper of the chosen init has it (He: √2, or leaky ReLU's own; "
        "the others: 1). activation: PyTorch's recommended gain for the activation (tanh 5/3, ReLU √2, sigmoid 1).",
    )
    dropout: Annotated[tuple[Share, ...], BeforeValidator(_one_or_more)] = _knob(
        (0.0,),
        "Share of hidden units switched off at random in each training step (never in evaluation): one number for all "
        "hidden layers, or one for each, as 0.2,0.5.",
        lower="fits the training set more closely",
        higher="regularises more; too high underfits",
        min_length=1,
        max_length=100,
    )
    input_dropout: float = _knob(
        0.0,
        "Share of inputs switched off at random in each training step.",
        lower="sees every pixel",
        higher="relies on no single pixel",
        ge=0,
        lt=1,
    )

    @property
    def pieces(self) -> int:
        """Sums behind each hidden unit."""
        return self.maxout_pieces if self.activation == "maxout" else 1


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
Momentum = Annotated[
    float,
    _knob(
        0.0,
        "Share of the previous update carried into the next.",
        lower="plain gradient descent",
        higher="faster along steady directions, may overshoot",
        ge=0,
        lt=1,
    ),
]
Betas = Annotated[
    tuple[Share, ...],
    BeforeValidator(_as_tuple),
    _knob(
        (0.9, 0.999),
        "Decay of the running mean of gradients, and of their squares.",
        lower="reacts faster, noisier",
        higher="smoother, slower to react",
        min_length=2,
        max_length=2,
    ),
]
Eps = Annotated[
    float,
    _knob(
        1e-8,
        "Added to the denominator so that it is never zero.",
        lower="larger updates for rare gradients",
        higher="closer to plain gradient descent",
        gt=0,
        le=1,
    ),
]


class Sgd(Group):
    name: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.01
    momentum: Momentum = 0.0
    nesterov: bool = _knob(False, "Look ahead along the momentum before taking the gradient; needs momentum above 0.")
    dampening: float = _knob(
        0.0,
        "Share of each new gradient kept out of the momentum.",
        lower="full gradient",
        higher="smaller updates",
        ge=0,
        lt=1,
    )


class Adagrad(Group):
    name: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = 0.01
    lr_decay: float = _knob(
        0.0, "Divides the rate by 1 + decay · step.", lower="steadier", higher="slows sooner", ge=0, le=1
    )
    initial_accumulator: float = _knob(
        0.0,
        "Where the sum of squared gradients starts.",
        lower="large first updates",
        higher="gentle start",
        ge=0,
        le=100,
    )
    eps: Eps = 1e-10


class RmsProp(Group):
    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = 0.001
    alpha: float = _knob(
        0.99,
        "Decay of the running mean of squared gradients.",
        lower="reacts faster",
        higher="remembers longer",
        ge=0,
        lt=1,
    )
    momentum: Momentum = 0.0
    centered: bool = _knob(False, "Divide by the gradients' standard deviation instead of their root mean square.")
    eps: Eps = 1e-8


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


class Adam(Group):
    name: Literal["adam"] = "adam"
    learning_rate: LearningRate = 0.001
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8


class AdamW(Group):
    name: Literal["adamw"] = "adamw"
    learning_rate: LearningRate = 0.001
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8


class NAdam(Group):
    name: Literal["nadam"] = "nadam"
    learning_rate: LearningRate = 0.002
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    momentum_decay: float = _knob(
        0.004,
        "How slowly the Nesterov momentum warms up.",
        lower="sooner at full momentum",
        higher="later",
        ge=0,
        le=1,
    )


class RAdam(Group):
    name: Literal["radam"] = "radam"
    learning_rate: LearningRate = 0.001
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8


class Muon(Group):
    name: Literal["muon"] = "muon"
    learning_rate: LearningRate = 0.02
    momentum: Momentum = 0.95
    nesterov: bool = _knob(True, "Look ahead along the momentum.")
    adam_learning_rate: float = _knob(
        0.001,
        "Step size for what Muon does not train: biases, normalisation and the output layer, which AdamW updates.",
        lower="slower, steadier",
        higher="faster, until the loss oscillates",
        gt=0,
        le=100,
    )


OPTIMIZERS: dict[str, type[Group]] = {
    "sgd": Sgd,
    "adagrad": Adagrad,
    "rmsprop": RmsProp,
    "adadelta": Adadelta,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "radam": RAdam,
    "muon": Muon,
}
AnyOptimizer = Sgd | Adagrad | RmsProp | Adadelta | Adam | AdamW | NAdam | RAdam | Muon
OPTIMIZER_HELP = (
    "How gradients become updates. SGD is plainest; Adagrad, RMSprop and Adadelta scale each weight's rate; Adam adds "
    "momentum to that and is the usual choice; AdamW decays weights apart from the gradient; NAdam and RAdam refine "
    "its start; Muon makes each hidden matrix's update orthogonal."
)


Per = Annotated[Literal["step", "epoch"], _knob("epoch", "Whether the rate moves after every step or once an epoch.")]
Warmup = Annotated[
    float,
    _knob(
        0.0,
        "Epochs in which the rate first rises in a straight line to where the schedule starts; 0 starts at once.",
        lower="sooner at full rate",
        higher="a gentler start",
        unit="epochs",
        ge=0,
        le=1_000_000,
    ),
]
Gamma = Annotated[
    float, _knob(0.1, "What the rate is multiplied by.", lower="falls faster", higher="falls slower", gt=0, le=1)
]


class Constant(Group):
    name: Literal["constant"] = "constant"
    warmup_epochs: Warmup = 0.0


class StepDecay(Group):
    name: Literal["step"] = "step"
    warmup_epochs: Warmup = 0.0
    every_epochs: int = _knob(
        10, "Epochs between two falls of the rate.", lower="falls sooner", higher="falls later", unit="epochs", ge=1
    )
    gamma: Gamma = 0.1


class MultiStep(Group):
    name: Literal["multi_step"] = "multi_step"
    warmup_epochs: Warmup = 0.0
    milestones: Annotated[tuple[Milestone, ...], BeforeValidator(_as_tuple)] = _knob(
        (10, 15),
        "Epochs after which the rate falls, as 10-15.",
        lower="falls sooner",
        higher="longer at the full rate",
        unit="epochs",
        min_length=1,
        max_length=100,
    )
    gamma: Gamma = 0.1


class Exponential(Group):
    name: Literal["exponential"] = "exponential"
    warmup_epochs: Warmup = 0.0
    per: Per = "epoch"
    gamma: Gamma = 0.95


class Cosine(Group):
    name: Literal["cosine"] = "cosine"
    warmup_epochs: Warmup = 0.0
    per: Per = "step"
    cycles: int = _knob(
        1,
        "How often the rate falls along half a cosine; more than 1 are warm restarts.",
        lower="one long fall",
        higher="more restarts",
        unit="cycles",
        ge=1,
        le=1000,
    )
    final_share: float = _knob(
        0.0,
        "Share of the learning rate at the end of each cycle.",
        lower="comes to rest",
        higher="keeps moving",
        ge=0,
        le=1,
    )


class OneCycle(Group):
    name: Literal["one_cycle"] = "one_cycle"
    rise: float = _knob(
        0.25,
        "Share of the training in which the rate rises to its peak, the learning rate; then it falls.",
        lower="sooner at the peak",
        higher="a longer rise",
        gt=0,
        lt=1,
    )
    start_divisor: float = _knob(
        25.0,
        "The rate starts at the peak divided by this.",
        lower="starts faster",
        higher="starts more gently",
        ge=1,
        le=1e9,
    )
    final_divisor: float = _knob(
        1e4,
        "The rate ends at its start divided by this.",
        lower="keeps moving at the end",
        higher="comes to rest",
        ge=1,
        le=1e12,
    )


class Plateau(Group):
    name: Literal["plateau"] = "plateau"
    warmup_epochs: Warmup = 0.0
    gamma: Gamma = 0.1
    metric: Literal["val_loss", "val_accuracy"] = _knob("val_loss", "What must get better.")
    patience: int = _knob(
        5,
        "Epochs without improvement before the rate falls.",
        lower="falls sooner",
        higher="waits longer",
        unit="epochs",
        ge=0,
        le=1_000_000,
    )
    min_delta: float = _knob(
        0.0,
        "An improvement smaller than this does not count.",
        lower="any improvement counts",
        higher="only large ones count, so the rate falls sooner",
        ge=0,
        le=100,
    )


SCHEDULES: dict[str, type[Group]] = {
    "constant": Constant,
    "step": StepDecay,
    "multi_step": MultiStep,
    "exponential": Exponential,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "plateau": Plateau,
}
AnySchedule = Constant | StepDecay | MultiStep | Exponential | Cosine | OneCycle | Plateau
SCHEDULE_HELP = (
    "How the learning rate changes over the training: constant; step and multi_step falls; exponential and cosine "
    "annealing; one_cycle, up and down once; plateau, which falls when validation stops getting better."
)


class Layers(Group):
    rates: Literal["same", "slice_last", "slice"] = _knob(
        "same",
        "Learning rates of the layers. same: one for all. slice_last: the last layer gets the learning rate, the "
        "others a third of it. slice: from first_rate for the first layer to the learning rate for the last, each a "
        "constant factor above the one before.",
    )
    first_rate: float = _knob(
        1e-5,
        "The first layer's learning rate.",
        lower="keeps what it has learnt",
        higher="learns like the last layer",
        when="rates: slice",
        gt=0,
        le=100,
    )
    frozen: int = _knob(
        0,
        "How many of the first layers keep their weights.",
        lower="more is trained",
        higher="less is trained, faster; for fine-tuning",
        unit="layers",
        ge=0,
        le=101,
    )
    unfreeze_epoch: int = _knob(
        0,
        "Epoch from which frozen layers are trained too; 0 never.",
        lower="sooner adapted to the new task (above 0)",
        higher="the new layers settle first",
        unit="epoch",
        ge=0,
        le=1_000_000,
    )


class Regularization(Group):
    weight_decay: float = _knob(
        0.0,
        "How strongly weights are pulled to zero: λ of an L2 penalty.",
        lower="fits the training set more closely",
        higher="smaller weights, smoother; too high underfits",
        ge=0,
        le=100,
    )
    weight_decay_mode: Literal["auto", "gradient", "loss", "decoupled"] = _knob(
        "auto",
        "gradient adds λ·w to each gradient (E = mean loss + λ/2·‖w‖², the lab's). loss adds λ·Σw² to the loss, so the "
        "gradient gains 2·λ·w (fast.ai's). decoupled shrinks weights by learning rate · λ apart from the gradient "
        "(AdamW's). auto is decoupled with adamw and muon, gradient with the others.",
    )
    weight_decay_on: Literal["all", "weights"] = _knob(
        "all", "all parameters, as PyTorch does, or weights only, leaving biases and normalisation alone."
    )
    max_norm: float = _knob(
        0.0,
        "Largest length of the weights into one unit; longer ones are cut back after each step. 0 is off.",
        lower="tighter (above 0)",
        higher="looser",
        ge=0,
        le=1e6,
    )
    clip_norm: float = _knob(
        0.0,
        "Largest length of the whole gradient; longer ones are scaled down. 0 is off.",
        lower="tames spikes, slows learning (above 0)",
        higher="rarely acts",
        ge=0,
        le=1e6,
    )
    clip_value: float = _knob(
        0.0, "Largest size of each number of the gradient. 0 is off.", lower="tighter", higher="looser", ge=0, le=1e6
    )
    label_smoothing: float = _knob(
        0.0,
        "Share of the target spread evenly over all classes.",
        lower="sure of the labels",
        higher="less sure; too high underfits",
        ge=0,
        lt=1,
    )


class EarlyStopping(Group):
    mode: Literal["off", "record", "stop"] = _knob(
        "off",
        "record notes the epoch at which training would have stopped and goes on; stop ends it there.",
    )
    metric: Literal["val_accuracy", "val_loss"] = _knob(
        "val_accuracy", "What must get better.", when="mode: record stop"
    )
    patience: int = _knob(
        10,
        "Epochs without improvement before stopping.",
        lower="stops sooner",
        higher="waits longer",
        unit="epochs",
        when="mode: record stop",
        ge=1,
        le=1_000_000,
    )
    min_delta: float = _knob(
        0.0,
        "An improvement smaller than this does not count.",
        lower="any improvement counts",
        higher="only large ones count",
        when="mode: record stop",
        ge=0,
        le=100,
    )


class Noise(Group):
    input_noise: float = _knob(
        0.0,
        "Standard deviation of normal noise added to every input, drawn anew each epoch from (seed, epoch).",
        lower="cleaner images",
        higher="regularises; too high hides the digit",
        ge=0,
        le=10,
    )
    distortion: float = _knob(
        0.0,
        "Images are turned, scaled and shifted at random by up to this share (0.1: 9°, 10 %, 10 % of the width), "
        "drawn anew each epoch.",
        lower="images as they are",
        higher="more varied images",
        ge=0,
        le=1,
    )
    label_noise: float = _knob(
        0.0,
        "Share of training labels replaced by a random other class, drawn once from the seed.",
        lower="true labels",
        higher="memorising starts to hurt",
        ge=0,
        lt=1,
    )
    on_evaluation: bool = _knob(False, "Put input noise and distortion, drawn once, on validation and test images too.")


class Training(Group):
    epochs: int = _knob(
        20, "Passes over the training set.", lower="stops sooner", higher="longer; may overfit", ge=1, le=1_000_000
    )
    steps: int = _knob(
        0,
        "Updates after which training ends, if above 0; epochs then does not count.",
        lower="stops sooner",
        higher="longer",
        unit="steps",
        ge=0,
        le=1_000_000_000,
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
    drop_last: bool = _knob(False, "Leave the last, smaller batch of each epoch out.")
    accumulate: int = _knob(
        1,
        "Batches whose gradients make one update, as if they were one large batch.",
        lower="more updates",
        higher="smoother updates with no more memory",
        unit="batches",
        ge=1,
        le=100_000,
    )
    seed: int = _knob(
        0,
        "Decides initial weights, batch order, dropout and noise: same seed, same bits.",
        ge=0,
        le=2**63 - 1,
    )
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16"] = _knob(
        "auto",
        "Arithmetic of the matrix products. auto and fp32 are full precision; tf32 and fp16 (with loss scaling) need "
        "CUDA; bf16 is faster and coarser.",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = _knob(
        "auto", "Where to train. auto takes CUDA if there is one, then MPS, then the CPU."
    )
    step_path: Literal["auto", "autograd", "manual", "compiled", "graph"] = _knob(
        "auto",
        "What computes a step. autograd trains every network; manual and compiled are written for plain ones on the "
        "CPU, compiled needs a C++ compiler; graph replays recorded steps on CUDA. auto takes the fastest that can, "
        "and graph never; another path gives other bits.",
    )
    deterministic: bool = _knob(
        True, "Use only algorithms that give the same bits every time; without, some are faster on CUDA."
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
