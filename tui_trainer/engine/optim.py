"""Optimizers as PyTorch ships them, in their fastest form for the device, with a rate for each layer."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, Muon, NAdam, Optimizer, RAdam, RMSprop

from tui_trainer.config import RunConfig, groups
from tui_trainer.engine.model import Mlp, is_weight


def layer_rates(config: RunConfig) -> list[float]:
    """The learning rate of each layer, first to last, before the schedule.

    fast.ai's rules: `slice(x)` gives the last layer x and the others x/3; `slice(a, b)` goes from a to b by a constant
    factor.
    """
    last, count = config.optimizer.learning_rate, len(config.network.hidden_sizes) + 1
    match config.layers.rates:
        case "slice_last":
            return [last / 3] * (count - 1) + [last]
        case "slice" if count > 1:
            first = config.layers.first_rate
            return [first * (last / first) ** (index / (count - 1)) for index in range(count)]
    return [last] * count


def states_per_weight(config: RunConfig) -> int:
    """How many numbers the optimizer keeps for each weight, once it has stepped; with Muon at most."""
    chosen = config.optimizer
    match chosen:
        case groups.Sgd():
            return int(chosen.momentum > 0)
        case groups.Adagrad():
            return 1
        case groups.RmsProp():
            return 1 + (chosen.momentum > 0) + chosen.centered
    return 2


class Terms(NamedTuple):
    """What an update of one parameter takes: the λ of λ·w in its gradient is `penalty`, decoupled it is `shrink`."""

    rate: float
    penalty: float
    shrink: float


class Optimizers:
    """One PyTorch optimizer, or with Muon two, stepped together.

    Each parameter group carries `base_rate`, its learning rate before the schedule, and the weight decay that its
    optimizer does not know itself: `penalty` is the gradient of λ·Σw² in the loss, for each w, and so comes before
    clipping; `pull` comes after it, as PyTorch's own does; `shrink` is decoupled.
    """

    def __init__(self, config: RunConfig, model: Mlp, device: torch.device, capturable: bool = False) -> None:
        """`capturable`: rates may be tensors, and every number of the state lies on the device."""
        self.model = model
        self.members = list(_members(config, model, device, capturable))
        self.refresh(config)

    @property
    def groups(self) -> Iterator[dict[str, Any]]:
        return itertools.chain.from_iterable(member.param_groups for member in self.members)

    def refresh(self, config: RunConfig) -> None:
        """Take every setting from the config: at the start and after a live change."""
        chosen = config.optimizer
        rates = layer_rates(config)
        own = {key: value for key, value in chosen.model_dump().items() if key not in ("name", "learning_rate")}
        strength = config.regularization.weight_decay
        mode = config.decay_mode
        for member in self.members:
            native = isinstance(member, AdamW | Muon)
            for group in member.param_groups:
                decay = strength if group["decays"] else 0.0
                group["base_rate"] = rates[group["layer"]]
                if isinstance(chosen, groups.Muon) and isinstance(member, AdamW):
                    group["base_rate"] *= chosen.adam_learning_rate / chosen.learning_rate
                else:
                    group |= {key: value for key, value in own.items() if key in group}
                group["weight_decay"] = decay if mode == ("decoupled" if native else "gradient") else 0.0
                group["penalty"] = 2 * decay if mode == "loss" else 0.0
                group["pull"] = decay if mode == "gradient" and native else 0.0
                group["shrink"] = decay if mode == "decoupled" and not native else 0.0
                if isinstance(member, RMSprop):
                    self._complete(member, group)

    def _complete(self, member: RMSprop, group: dict[str, Any]) -> None:
        """RMSprop makes its buffers with its first step, and only those it needs then."""
        needed = {"momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        for state in (member.state[p] for p in group["params"] if p in member.state):
            for name, is_needed in needed.items():
                if is_needed and name not in state:
                    state[name] = torch.zeros_like(state["square_avg"])

    def terms(self) -> dict[torch.Tensor, Terms]:
        """Of every parameter, for a step path that updates by itself."""
        found: dict[torch.Tensor, Terms] = {}
        for member in self.members:
            decoupled = isinstance(member, AdamW | Muon)
            for group in member.param_groups:
                own = group["weight_decay"]
                penalty = group["pull"] + (0.0 if decoupled else own)
                terms = Terms(group["base_rate"], penalty, group["shrink"] + (own if decoupled else 0.0))
                found.update(dict.fromkeys(group["params"], terms))
        return found

    def shares(self, rates: Sequence[float]) -> dict[torch.Tensor, tuple[float, float]]:
        """How much of every parameter is in what plain SGD makes of it, and how much of its gradient is taken away."""
        terms = self.terms()
        return {
            p: (1 - rate * (terms[p].penalty + terms[p].shrink), rate)
            for group, rate in zip(self.groups, rates, strict=True)
            for p in group["params"]
        }

    def zero_grad(self) -> None:
        for member in self.members:
            member.zero_grad(set_to_none=True)

    @torch.no_grad()
    def add_penalty(self) -> None:
        """Add to each gradient what weight decay in the loss gives it."""
        for group in self.groups:
            if group["penalty"] and (moving := _moving(group)):
                torch._foreach_add_(_gradients(moving), moving, alpha=group["penalty"])

    def rates(self, factor: float) -> list[float]:
        """The learning rate of each group, when the schedule multiplies it by `factor`."""
        return [factor * group["base_rate"] for group in self.groups]

    def makes_memory(self) -> bool:
        """Will the next step make what an optimizer remembers of a parameter?"""
        return any(
            p.requires_grad and not member.state.get(p)
            for member in self.members
            for group in member.param_groups
            if not isinstance(member, SGD) or group["momentum"]
            for p in group["params"]
        )

    @torch.no_grad()
    def step(self, rates: Sequence[float] | Sequence[torch.Tensor], skip: torch.Tensor | None = None) -> None:
        """One update with the learning rate of each group; none at all where `skip`, one number, is not 0.

        The host does not learn which: what is skipped is done, and then undone on the device.
        """
        before = self._copies() if skip is not None else {}
        for group, rate in zip(self.groups, rates, strict=True):
            group["lr"] = rate
            if group["shrink"] and (moving := _moving(group)):
                torch._foreach_mul_(moving, 1 - rate * group["shrink"])
            if group["pull"] and (moving := _moving(group)):
                torch._foreach_add_(_gradients(moving), moving, alpha=group["pull"])
        for member in self.members:
            member.step()
        if skip is not None:
            for tensor, initial in self._changing():
                tensor.copy_(torch.where(skip != 0, before.get(tensor, initial), tensor))

    def _changing(self) -> Iterator[tuple[torch.Tensor, float]]:
        """What a step changes, and what it began as where the step makes it.

        These are the parameters that are not frozen, and what is remembered of them on their device.
        """
        for member in self.members:
            for parameter in (p for group in member.param_groups for p in _moving(group)):
                yield parameter, 0.0
                for name, value in member.state.get(parameter, {}).items():
                    if isinstance(value, torch.Tensor) and value.device == parameter.device:
                        yield value, float(name == "mu_product")

    def _copies(self) -> dict[torch.Tensor, torch.Tensor]:
        return {tensor: tensor.clone() for tensor, _ in self._changing()}

    def tensors(self) -> dict[str, torch.Tensor]:
        """The state, for a checkpoint: `<member>/<parameter>/<name>`.

        Parameters are numbered as in the model, since a fork may group them otherwise.
        """
        numbers: dict[torch.Tensor, int] = {p: number for number, p in enumerate(self.model.parameters())}
        return {
            f"{index}/{numbers[parameter]}/{name}": value
            for index, member in enumerate(self.members)
            for parameter, state in member.state.items()
            for name, value in state.items()
            if isinstance(value, torch.Tensor)
        }

    def fits(self, tensors: dict[str, torch.Tensor]) -> bool:
        """Can this be the state of these optimizers: known parameters, each tensor one number or of their shape?"""
        shapes = {str(number): p.shape for number, p in enumerate(self.model.parameters())}
        members = {str(index) for index in range(len(self.members))}
        for key, tensor in tensors.items():
            member, _, rest = key.partition("/")
            number, _, name = rest.partition("/")
            shape = shapes.get(number)
            if not name or member not in members or shape is None or tensor.shape not in (torch.Size(), shape):
                return False
        return True

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take the state back from a checkpoint."""
        states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in self.members]
        for key, tensor in tensors.items():
            index, number, name = key.split("/", 2)
            states[int(index)].setdefault(int(number), {})[name] = tensor
        numbers: dict[torch.Tensor, int] = {p: number for number, p in enumerate(self.model.parameters())}
        for member, known in zip(self.members, states, strict=True):
            grouped = (p for group in member.param_groups for p in group["params"])
            state = {place: known[numbers[p]] for place, p in enumerate(grouped) if numbers[p] in known}
            member.load_state_dict({"state": state, "param_groups": member.state_dict()["param_groups"]})


def _moving(group: dict[str, Any]) -> list[torch.Tensor]:
    """The parameters of a group that are not frozen."""
    return [p for p in group["params"] if p.grad is not None]


def _gradients(parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def _members(config: RunConfig, model: Mlp, device: torch.device, capturable: bool) -> Iterator[Optimizer]:
    fused = device.type in ("cpu", "cuda")  # one kernel for all parameters
    chosen = config.optimizer
    everything = parameter_groups(config, model)
    match chosen:
        case groups.Sgd():
            yield SGD(everything, fused=fused)
        case groups.Adagrad():
            start = chosen.initial_accumulator
            yield Adagrad(everything, initial_accumulator_value=start, fused=True if device.type == "cpu" else None)
        case groups.RmsProp():
            yield RMSprop(everything, foreach=True, capturable=capturable)
        case groups.Adadelta():
            yield Adadelta(everything, foreach=True, capturable=capturable)
        case groups.Adam():
            yield Adam(everything, fused=fused, capturable=capturable)
        case groups.AdamW():
            kind = AdamW if config.decay_mode == "decoupled" else Adam
            yield kind(everything, fused=fused, capturable=capturable)
        case groups.NAdam():
            yield NAdam(everything, foreach=True, capturable=capturable)
        case groups.RAdam():
            yield RAdam(everything, foreach=True, capturable=capturable)
        case groups.Muon():
            hidden = {id(p) for layer in model.layers()[:-1] for m in layer for p in m.parameters() if p.ndim == 2}
            matrices = parameter_groups(config, model, only=hidden)
            if matrices:
                yield Muon(matrices)
            yield AdamW(parameter_groups(config, model, but=hidden), fused=fused, capturable=capturable)


def parameter_groups(
    config: RunConfig, model: Mlp, only: set[int] | None = None, but: Iterable[int] = ()
) -> list[dict[str, Any]]:
    """As few groups as the settings allow, since each costs a kernel: by layer only where rates differ."""
    apart = config.layers.rates != "same"
    found: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for layer, modules in enumerate(model.layers()):
        for module in modules:
            for name, parameter in module.named_parameters():
                if id(parameter) in but or (only is not None and id(parameter) not in only):
                    continue
                decays = config.regularization.weight_decay_on == "all" or is_weight(name, parameter)
                found.setdefault((layer if apart else 0, decays), []).append(parameter)
    return [{"params": parameters, "layer": layer, "decays": decays} for (layer, decays), parameters in found.items()]
