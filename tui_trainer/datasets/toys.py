"""Points in a plane: small enough to watch a network draw its boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 0  # of every draw and every shuffle; the run's own seed changes the network, not the data
TURNS = 1.5
RADIUS = 3.0
CENTRES = ((0.0, 1.0), (-0.9, -0.6), (0.9, -0.6))


def draw(name: str, examples: int, spread: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`examples` points [n, 2] and their classes [n], shuffled; xor and and are always their four points."""
    import numpy as np

    if name in ("xor", "and"):
        corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
        first, second = corners.T
        return corners.astype(np.float32), first ^ second if name == "xor" else first & second
    from sklearn import datasets as drawn

    match name:
        case "moons":
            points, classes = drawn.make_moons(examples, noise=spread, random_state=SEED)
        case "circles":
            points, classes = drawn.make_circles(examples, noise=spread, factor=0.5, random_state=SEED)
        case "blobs":
            points, classes = drawn.make_blobs(examples, centers=CENTRES, cluster_std=spread, random_state=SEED)
        case "spiral":
            points, classes = _spiral(examples, spread)
        case _:
            raise ValueError(f"{name} is not drawn")
    return np.asarray(points, dtype=np.float32), np.asarray(classes, dtype=np.int64)


def _spiral(examples: int, spread: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Two arms, half a turn apart: the radius grows with the angle from 0 to `RADIUS` over `TURNS`."""
    import numpy as np

    random = np.random.RandomState(SEED)
    arm = np.arange(examples) % 2
    along = (np.arange(examples) // 2 + 1) / (examples // 2 + 1)
    angle = 2 * np.pi * TURNS * along + np.pi * arm
    points = RADIUS * along[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    points += random.normal(scale=spread, size=points.shape)
    order = random.permutation(examples)
    return points[order], arm[order].astype(np.int64)
