"""What a person would otherwise write or install: each peer a plain file, as its users would write it.

`train(work, images, labels, laps, device)` trains an epoch for every `laps.more()` that is true. Images [n, 784]
float32 in [0, 1], labels [n] int64.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec


@dataclass(frozen=True)
class Peer:
    """A module of this package, the packages it needs, what its process finds in the environment."""

    module: str
    needs: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        return [name for name in self.needs if find_spec(name) is None]


PEERS = {
    "DataLoader loop": Peer("dataloader", ("torch", "torchvision")),
    "PyTorch, resident": Peer("resident", ("torch",)),
    "torch.compile": Peer("compiled", ("torch",)),
    "Lightning": Peer("lightning_module", ("lightning",)),
    "Keras on torch": Peer("keras_fit", ("keras", "torch"), {"KERAS_BACKEND": "torch"}),
    "Keras on JAX": Peer("keras_fit", ("keras", "jax"), {"KERAS_BACKEND": "jax"}),
    "JAX scan": Peer("jax_scan", ("jax",)),
    "scikit-learn": Peer("sklearn_mlp", ("sklearn",)),
}
