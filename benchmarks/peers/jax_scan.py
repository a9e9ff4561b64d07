"""JAX: a whole epoch compiled into one `lax.scan`, parameters donated."""

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers.laps import Laps
from benchmarks.workloads import Workload

Tree = Any


def initial(work: Workload, key: Any) -> list[tuple[Any, Any]]:
    keys = jax.random.split(key, len(work.sizes))
    return [
        (jax.random.normal(key, (inputs, outputs)) * (2 / inputs) ** 0.5, jnp.zeros(outputs))
        for key, (inputs, outputs) in zip(keys, pairwise(work.sizes), strict=False)
    ]


def loss_of(parameters: Tree, x: Any, y: Any) -> Any:
    *hidden, (last_weight, last_bias) = parameters
    for weight, bias in hidden:
        x = jax.nn.relu(x @ weight + bias)
    logits = x @ last_weight + last_bias
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def update(work: Workload, parameters: Tree, gradients: Tree, state: Tree, step: Any) -> tuple[Tree, Tree]:
    rate, each = work.learning_rate, jax.tree.map
    if work.optimizer == "sgd":
        return each(lambda p, g: p - rate * g, parameters, gradients), state
    if work.optimizer == "adam":
        mean = each(lambda m, g: 0.9 * m + 0.1 * g, state[0], gradients)
        square = each(lambda v, g: 0.999 * v + 0.001 * g * g, state[1], gradients)
        scale = rate * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        moved = each(lambda p, m, v: p - scale * m / (jnp.sqrt(v) + 1e-8), parameters, mean, square)
        return moved, (mean, square)
    square = each(lambda s, g: 0.9 * s + 0.1 * g * g, state[0], gradients)
    delta = each(lambda d, s, g: jnp.sqrt((d + 1e-6) / (s + 1e-6)) * g, state[1], square, gradients)
    moved = each(lambda p, d: p - rate * d, parameters, delta)
    return moved, (square, each(lambda a, d: 0.9 * a + 0.1 * d * d, state[1], delta))


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    x, y = jnp.asarray(images), jnp.asarray(labels)
    whole = work.examples - work.examples % work.batch  # scan wants equal batches

    def epoch(carried: Tree, key: Any, x: Any, y: Any) -> tuple[Tree, Any]:
        order = jax.random.permutation(key, len(x))[:whole].reshape(-1, work.batch)

        def step(carried: Tree, chosen: Any) -> tuple[Tree, Any]:
            parameters, state, number = carried
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x[chosen], y[chosen])
            parameters, state = update(work, parameters, gradients, state, number)
            return (parameters, state, number + 1), loss

        carried, losses = jax.lax.scan(step, carried, order)
        return carried, losses

    compiled = jax.jit(epoch, donate_argnums=0)
    parameters = initial(work, jax.random.key(0))
    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    carried: Tree = (parameters, tuple(zeros), jnp.ones(()))
    number = 0
    while laps.more():
        number += 1
        carried, losses = compiled(carried, jax.random.key(number), x, y)
        float(losses.mean())
        jax.block_until_ready(carried)
