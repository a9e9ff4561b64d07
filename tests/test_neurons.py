"""What every unit of a network with two inputs computes: as plain PyTorch computes it, told in few bytes, shown."""

import itertools
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseScrollDown

from tests.dashboard import (
    LARGE,
    FakeRun,
    live_run,
    make_app,
    screen_of,
    seen,
    some_layers,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tests.running import make_run, outcome, process_put_back, quick, watched, work
from tests.screens import frozen
from tui_trainer.engine import neurons, pictures, trained
from tui_trainer.engine.data import Examples
from tui_trainer.engine.model import build
from tui_trainer.runs import events
from tui_trainer.runs.events import Neurons
from tui_trainer.runs.maps import LEVELS, MOST_WEIGHTS, SIDE, ZERO, Unit, levels
from tui_trainer.runs.reader import EventReader
from tui_trainer.ui import pixels
from tui_trainer.ui.screens.neurons import NeuronsScreen
from tui_trainer.ui.widgets.neurons import NeuronGrid

MOST_BYTES = 64_000
MOONS = ("data=moons", "epochs=2", "hidden_sizes=12-6", "batch_size=32")


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("activation=tanh", "batch_norm=true"),
        ("activation=maxout",),
        ("network.bias=false", "dropout=0.5"),
        ("hidden_sizes=none",),
        ("hidden_sizes=100-3",),
    ],
    ids=str,
)
def test_the_last_pictures_are_those_of_the_final_weights(settings: tuple[str, ...], root: Path) -> None:
    run = make_run(root, quick(*MOONS, *settings))
    drawn = work(run).neurons
    assert drawn and drawn.epoch == 2
    with process_put_back():
        subject = trained.load(trained.newest(run), Path())
    model = subject.model.eval()
    x, y = torch.linspace(drawn.left, drawn.right, SIDE), torch.linspace(drawn.top, drawn.bottom, SIDE)
    values = torch.stack((x.repeat(SIDE), y.repeat_interleave(SIDE)), 1)
    expected, fed = [values], [None]
    linear: Any = None
    with torch.no_grad():
        for index, module in enumerate(model):
            values = module(values)
            linear = module if isinstance(module, torch.nn.Linear) else linear
            if index in model.activations:
                expected.append(values)
                fed.append(linear)
        expected.append(values.softmax(1))
        fed.append(linear)
    assert [layer.units for layer in drawn.layers] == [values.shape[1] for values in expected]
    for layer, values, linear in zip(drawn.layers, expected, fed, strict=True):
        assert len(layer.shown) == min(layer.units, 64 // max(len(drawn.layers) - 2, 1))
        for number, unit in enumerate(layer.shown):
            answers = values[:, number]
            assert (unit.low, unit.high) == pytest.approx((answers.min().item(), answers.max().item()), 1e-3, 1e-6)
            told = torch.tensor(levels(unit)).flatten() / 255 * max(-unit.low, unit.high)
            assert (told - answers).abs().max() <= max(-unit.low, unit.high) * (0.5 / ZERO + 1e-2)
            assert unit.is_dead == (not answers.any()) and unit.is_constant == (unit.low == unit.high)
            if linear is None or linear.out_features != layer.units:
                assert unit.bias is None and not unit.weights
                continue
            assert (unit.bias is None) == (linear.bias is None)
            assert linear.bias is None or unit.bias == pytest.approx(linear.bias[number].item(), 1e-3, 1e-9)
            row = linear.weight[number].tolist()
            strongest = sorted(range(len(row)), key=lambda source: -abs(row[source]))[:MOST_WEIGHTS]
            assert [source for source, _ in unit.weights] == strongest
            assert [weight for _, weight in unit.weights] == pytest.approx([row[s] for s in strongest], 1e-3)


@pytest.mark.parametrize("shape", ["64-64-64", "5000", "-".join(["9"] * 40), "200-200"])
def test_an_event_has_a_most_of_bytes_that_readers_take(shape: str, tmp_path: Path) -> None:
    model = build(quick("data=moons", f"hidden_sizes={shape}"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(-1e4)  # many digits
    train = Examples(torch.randn(50, 2, generator=torch.Generator().manual_seed(1)), torch.zeros(50).long())
    line = msgspec.json.encode(neurons.draw(model, train, 10**6, 10**9))
    assert len(line) < MOST_BYTES
    (tmp_path / "events.jsonl").write_bytes(line + b"\n")
    (told,) = EventReader(tmp_path / "events.jsonl").read()
    assert isinstance(told, Neurons) and told.layers[-1].units == 2


def test_numbers_that_overflow_are_told_as_finite_ones() -> None:
    model = build(quick("data=moons", "activation=identity"))
    with torch.no_grad():
        first, last = (module for module in model if isinstance(module, torch.nn.Linear))
        first.weight.fill_(math.inf)
        last.bias.fill_(math.nan)
    told = neurons.draw(model, Examples(torch.ones(3, 2) * torch.arange(3)[:, None], torch.zeros(3).long()), 1, 1)
    again = msgspec.json.decode(msgspec.json.encode(told), type=Neurons)
    numbers = [n for layer in again.layers for unit in layer.shown for n in (unit.low, unit.high, unit.bias or 0)]
    assert all(map(math.isfinite, numbers))


@pytest.mark.parametrize("settings", [("dropout=0.3",), ("activation=silu", "early_stopping.mode=stop")], ids=str)
def test_drawing_changes_no_bit_of_the_run(settings: tuple[str, ...], root: Path) -> None:
    ends = []
    for due in (True, False):
        run = make_run(root, quick(*MOONS, "epochs=4", "early_stopping.patience=1", *settings))
        with mock.patch.object(pictures.Pace, "is_due", lambda _, due=due: due):
            ends.append((outcome(work(run)), run))
    (often, _), (once, seldom) = ends
    assert often == once
    last = [event for event in EventReader(seldom.events_file).read() if isinstance(event, Neurons | events.Boundary)]
    assert [type(event) for event in last] == [events.Boundary, Neurons]  # the last ones, whatever the pace
    assert {event.epoch for event in last} == {outcome(work_state(seldom))[1][-1][0]}  # type: ignore[index]


def work_state(run: Any) -> Any:
    from tui_trainer.runs import follow

    return follow.load(run)


def test_a_network_with_other_inputs_is_not_drawn(root: Path) -> None:
    told: list[events.AnyEvent] = []
    with watched(told.append):
        work(make_run(root, quick("epochs=1")))
    assert told and not any(isinstance(event, Neurons | events.Boundary) for event in told)


def test_pictures_come_quickly_at_first_and_after_a_live_change() -> None:
    clock = SimpleNamespace(now=100.0)
    with mock.patch.object(pictures, "time", SimpleNamespace(monotonic=lambda: clock.now)):
        pace = pictures.Pace(0.5, 0.02)
        times = []
        for tick in range(100_000):
            clock.now = 100 + tick / 10
            if tick == 50_000:
                pace.restart()
            if pace.is_due():
                times.append(clock.now)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps[0] == pytest.approx(0.5) and max(gaps) == pytest.approx(100, abs=3)
    changed = next(at for at, time in enumerate(times) if time >= 5100)
    assert gaps[changed] == pytest.approx(0.5)
    assert len(times) < 2 * (50 + 50 * math.log(5000 / 25)) + 10


@given(st.lists(st.sampled_from(LEVELS), min_size=SIDE**2, max_size=SIDE**2))
def test_every_character_is_a_level(cells: list[str]) -> None:
    rows = levels(Unit("".join(cells), 0, 1))
    assert [LEVELS[round(level / 255 * ZERO) + ZERO] for row in rows for level in row] == cells
    assert [len(row) for row in rows] == [SIDE] * SIDE


def spoilt(**changes: Any) -> bytes:
    """A line whose first hidden unit differs by this from one that a worker wrote."""
    edges = {"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0}
    told = msgspec.to_builtins(Neurons(epoch=1, step=1, layers=some_layers(), **edges))
    if "layers" in changes:
        told["layers"] = changes["layers"]
    else:
        told["layers"][1]["shown"][0] |= changes
    return msgspec.json.encode(told) + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        spoilt(cells=""),
        spoilt(cells="h" * (SIDE**2 - 1)),
        spoilt(cells="h" * SIDE**2 + "\n"),
        spoilt(cells="z" * SIDE**2),
        spoilt(cells="é" * SIDE**2),
        spoilt(cells="\x1b" * SIDE**2),
        spoilt(low=None),
        spoilt(weights=[[1, 2.0]] * 1000),
        spoilt(weights=[["[bold", 1.0]]),
        spoilt(layers=[]),
        spoilt(layers=[{"units": 2, "shown": []}] * 2),
        spoilt(layers=[msgspec.to_builtins(some_layers()[0])] * 1000),
        spoilt(low=1).replace(b'"low":1,', b'"low":NaN,'),
        spoilt(low=1).replace(b'"low":1,', b'"low":1e999,'),
    ],
    ids=itertools.count(),
)
async def test_a_line_of_another_shape_is_unreadable_and_harms_nobody(line: bytes, root: Path) -> None:
    fake = FakeRun(root, "xor/xor-mlp", epochs=2).start().train(1, 2).drew(2)
    fake.finish()
    with fake.run.events_file.open("ab") as stream:
        stream.write(line)
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("h")
        await wait_to_see(pilot, "Neurons of xor-mlp", "after epoch 2", "layer 2")
    state = work_state(fake.run)
    assert state.unreadable == 1 and state.neurons.epoch == 2


async def test_strange_but_well_formed_values_are_shown(root: Path) -> None:
    """Numbers near the end of their range, weights from units that do not exist, one layer after another."""
    layers = some_layers()
    for layer in layers:
        layer.units = -(2**62)
        for unit in layer.shown:
            unit.low, unit.high, unit.bias = -1.7e308, 1.7e308, 5e-324
            unit.weights = [(2**62, 1e308), (-5, -1e308)]
    fake = FakeRun(root, "xor/xor-mlp", epochs=2).start().train(1, 2).drew(2, [*layers, *layers])
    fake.finish()
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("h")
        await wait_to_see(pilot, "Neurons of xor-mlp", "from -1.7e+308")
        for size in ((20, 5), (45, 12), (1, 1), LARGE):
            await pilot.resize_terminal(*size)
            await pilot.press(*["right", "down", "pagedown", "left"] * 3)
        await wait_to_see(pilot, "Neurons of xor-mlp")


async def test_the_key_is_there_for_two_inputs_only(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "b rewind")
            assert "h neurons" not in seen(pilot)
            await pilot.press("h")
            await wait_for_screen(pilot, "RunScreen")
    with live_run(root, preset="xor/xor-mlp") as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "h neurons")
            await pilot.press("h")
            await wait_to_see(pilot, "Neurons of xor-mlp", "drawn after the first epoch")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunScreen")


async def test_an_old_log_says_that_it_holds_none(root: Path) -> None:
    fake = FakeRun(root, "xor/xor-mlp", epochs=2).start().train(1, 2).bound(2)
    fake.finish()
    async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("h")
        await wait_to_see(pilot, "its log holds no pictures of units")
        await pilot.press("right", "down")


async def test_a_unit_is_chosen_drawn_large_and_told_in_numbers_while_it_learns(root: Path) -> None:
    with live_run(root, preset="xor/xor-mlp") as fake:
        fake.drew(3)
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "h neurons")
            await pilot.press("h")
            await wait_to_see(pilot, "after epoch 3", "inputs", "layer 1", "layer 2", "classes", "layer 1, unit 1")
            grid = screen_of(pilot, NeuronsScreen).query_one(NeuronGrid)
            assert "+1" in seen(pilot) and "x +1 " in seen(pilot)  # its weight, below the input and in its words
            await pilot.press(*["down"] * 4)
            await wait_to_see(pilot, "layer 1, unit 5", "dead: 0 everywhere", "5       dead")
            await pilot.press("right", "pagedown", "pagedown", "down")
            await wait_to_see(pilot, "layer 2, unit 8", "8 of 64 units shown", "bias -1.25", "5-8 of 64")
            await pilot.press("down", "right", "right", "right")
            await wait_to_see(pilot, "class 1", "from 0 to 1")
            await pilot.click(grid, offset=(2, 4))
            await wait_to_see(pilot, "input x", "from -1 to 1")
            await pilot.click(grid, offset=(2, 0))  # a heading
            assert grid.chosen == (0, 0)
            fake.train(4).drew(4, [*some_layers()[:1], *some_layers()[2:]])
            await wait_to_see(pilot, "after epoch 4")
            await wait_for(pilot, lambda: "layer 2" not in seen(pilot), "one layer less")


async def test_the_wheel_moves_one_layer_and_the_choice_stays(root: Path) -> None:
    with live_run(root, preset="xor/xor-mlp") as fake:
        fake.drew(3)
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "h neurons")
            await pilot.press("h")
            await wait_to_see(pilot, "1-4 of 6", "1-4 of 64")
            grid = screen_of(pilot, NeuronsScreen).query_one(NeuronGrid)
            await pilot._post_mouse_events([MouseScrollDown], grid, offset=(30, 10))
            await wait_to_see(pilot, "2-5 of 64", "1-4 of 6")
            assert grid.chosen == (1, 0)


@pytest.mark.parametrize("look", [("theme", "trainer-mono"), ("ascii", "on")], ids=str)
async def test_the_sign_is_seen_without_colours(look: tuple[str, str], tmp_path: Path) -> None:
    with frozen(tmp_path) as world:
        fake = world.run(3, preset="xor/xor-mlp").drew(3)
        app = world.app(fake)
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "running")
            app.change_setting(*look)
            await pilot.press("h")
            ramp = "".join(pixels.signed_character(level, level) for level in (-15, -8, -2, 0, 2, 8, 15))
            assert len(set(ramp)) == 7 and ramp[3] == " "
            await wait_to_see(pilot, "%=-'.:8@")  # x, from left to right
            assert "▀" not in seen(pilot)
