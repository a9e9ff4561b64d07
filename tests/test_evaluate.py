"""Evaluation gives what plain PyTorch gives, for every kind of layer and on both sides of a batch's edge."""

import pytest
import torch
from torch.nn import functional

from tests.running import quick
from tui_trainer.engine import evaluate as evaluation
from tui_trainer.engine import model
from tui_trainer.engine.data import Examples

NETWORKS = [
    (),
    ("activation=tanh",),
    ("activation=leaky_relu",),
    ("activation=maxout",),
    ("activation=identity",),
    ("network.bias=false",),
    ("batch_norm=true",),
    ("batch_norm=true", "activation=gelu"),
    ("network.dropout=0.5", "network.input_dropout=0.2"),
    ("hidden_sizes=",),
]


@pytest.mark.parametrize("count", [1, evaluation.BATCH + 7])
@pytest.mark.parametrize("settings", NETWORKS)
def test_loss_and_accuracy_are_those_of_the_plain_forward(settings: tuple[str, ...], count: int) -> None:
    config = quick("hidden_sizes=24-16", *settings)
    network = model.build(config)
    draw = torch.Generator().manual_seed(count)
    images = torch.rand(count, config.dataset.inputs, generator=draw)
    labels = torch.randint(config.dataset.classes, (count,), generator=draw)
    for module in network:
        if isinstance(module, torch.nn.BatchNorm1d):  # as if it had been trained: ReLU after it must still act
            module.running_mean = torch.randn(module.num_features, generator=draw)
    loss, accuracy = evaluation.evaluate(network, Examples(images, labels))
    assert network.training

    exact = network.double().eval()(images.double())
    assert loss == pytest.approx(functional.cross_entropy(exact, labels).item(), rel=1e-5)
    assert accuracy == pytest.approx((exact.argmax(1) == labels).double().mean().item(), abs=1.5 / count)
    assert (loss, accuracy) == evaluation.evaluate(network.float(), Examples(images, labels))
