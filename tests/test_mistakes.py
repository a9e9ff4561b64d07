"""Mistakes: what a checkpoint confuses with what, counted as plain PyTorch counts it, and how they are shown."""

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from textual.coordinate import Coordinate

from tests.dashboard import LARGE, FakeRun, live_run, make_app, screen_of, seen, wait_for, wait_for_screen, wait_to_see
from tests.running import Cli, make_run, process_put_back, quick, watched, work
from tui_trainer.engine import mistakes, pictures, trained
from tui_trainer.runs import events
from tui_trainer.runs.directory import Run
from tui_trainer.text import InputError
from tui_trainer.ui import pixels, settings
from tui_trainer.ui.screens.mistakes import MistakesScreen
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.widgets import job_line
from tui_trainer.ui.widgets.confusion import Confusion
from tui_trainer.ui.widgets.gallery import Gallery


def mistakes_of(run: Run, split: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (file,) = run.checkpoints.iterdir()
    capsys.readouterr()
    with process_put_back():
        mistakes.find_mistakes(str(run.path), str(file), split, "")
    *progress, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert progress and all("progress" in told for told in progress)
    found: dict[str, Any] = last["result"]
    return found


@pytest.mark.parametrize(
    "settings", [("epochs=1",), ("epochs=1", "scaling=standardise"), ("data=moons", "epochs=2")], ids=str
)
def test_counts_and_worst_examples_are_those_of_the_plain_forward(
    settings: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(root, quick(*settings, "checkpoints.best=false"))
    assert work(run).status == "finished"
    found = mistakes_of(run, "test", capsys)
    with process_put_back():
        subject = trained.load(trained.newest(run), Path())
    test, model = subject.splits.test, subject.model.eval()
    with torch.no_grad():
        probabilities = model(test.images).softmax(1)
    predicted = probabilities.argmax(1)
    pairs = list(zip(test.labels.tolist(), predicted.tolist(), strict=True))
    classes = range(len(found["classes"]))
    assert found["confusion"] == [[pairs.count((t, p)) for p in classes] for t in classes]
    assert found["examples"] == len(test) and found["correct"] == sum(t == p for t, p in pairs) < len(test)
    for label in classes:
        of_class, called = [p for t, p in pairs if t == label], [t for t, p in pairs if p == label]
        assert found["recall"][label] == pytest.approx(of_class.count(label) / len(of_class))
        assert found["precision"][label] == (pytest.approx(called.count(label) / len(called)) if called else None)
    losses = [example["loss"] for example in found["mistakes"]]
    assert losses == sorted(losses, reverse=True)
    wrong = [index for index, (t, p) in enumerate(pairs) if t != p]
    assert {example["index"] for example in found["mistakes"]} <= set(wrong)
    assert len(found["mistakes"]) >= min(len(wrong), mistakes.WORST)
    first = found["mistakes"][0]
    assert first["true_probability"] == pytest.approx(probabilities[first["index"], first["true"]].item(), rel=1e-4)
    if found["image_shape"]:
        assert found["boundary"] is None and len(first["inputs"]) == 64 and set(first["inputs"]) <= set(range(256))
    else:
        assert len(found["boundary"]["points"]) == len(wrong)
        assert first["inputs"] == test.images[first["index"]].tolist()


@pytest.mark.parametrize("settings", [("epochs=2",), ("data=moons", "epochs=3", "dropout=0.5")], ids=str)
def test_the_worker_counts_what_it_confuses_on_validation(settings: tuple[str, ...], root: Path) -> None:
    run = make_run(root, quick(*settings))
    counted: list[events.AnyEvent] = []
    with watched(counted.append), mock.patch.object(pictures.Pace, "is_due", lambda _: True):
        state = work(run)
    told = [event for event in counted if isinstance(event, events.Confusion)]
    assert [event.epoch for event in told] == [event.epoch for event in state.epochs_done]
    for event, epoch in zip(told, state.epochs_done, strict=True):
        right = sum(row[label] for label, row in enumerate(event.counts))
        assert right / sum(map(sum, event.counts)) == pytest.approx(epoch.val_accuracy, abs=1e-9)
    with process_put_back():
        subject = trained.load(trained.newest(run), Path())
    validation = subject.splits.validation
    with torch.no_grad():
        predicted = subject.model.eval()(validation.images).argmax(1)
    pairs = list(zip(validation.labels.tolist(), predicted.tolist(), strict=True))
    classes = range(len(told[-1].counts))
    assert state.confusion == told[-1] and told[-1].counts == [[pairs.count((t, p)) for p in classes] for t in classes]


def test_the_last_counts_are_told_whatever_the_pace_but_not_of_very_many_classes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures.Pace, "is_due", lambda _: False)
    state = work(make_run(root, quick("epochs=2")))
    assert state.confusion and state.confusion.epoch == 2
    monkeypatch.setattr(events, "MOST_CLASSES", 9)
    assert work(make_run(root, quick("epochs=1"))).confusion is None


def test_pictures_are_scaled_to_whole_pixels_and_drawn_with_ink() -> None:
    assert pixels.factor((8, 8), 40, 8) == 2 and pixels.factor((28, 28), 78, 14) == 1
    assert pixels.factor((28, 28), 78, 7) == 1 / 2 and pixels.factor((28, 28), 10, 1) == 1 / 14
    small = pixels.scaled([[0, 100], [200, 100]], 1 / 2)
    assert small == [[100]] and pixels.scaled(small, 2) == [[100, 100], [100, 100]]
    assert pixels.cells([[0, 255], [255, 255], [255, 0]]) == [[(0, 15), (15, 15)], [(15, 0), (0, 0)]]
    assert [pixels.character(*pair) for pair in ((0, 0), (0, 15), (15, 15))] == [" ", "=", "@"]
    for side in (8, 28):
        for times in (1 / 3, 1.0, 2.0):
            picture = pixels.scaled([[7] * side] * side, times)
            assert (len(picture), len(picture[0])) == pixels.extent((side, side), times)


def result(*wrong: tuple[int, int], split: str = "test") -> dict[str, Any]:
    """Of three classes, with these mistakes, each of a loss of its own."""
    confusion = [[5, 0, 0], [0, 5, 0], [0, 0, 5]]
    for true, predicted in wrong:
        confusion[true][predicted] += 1
    examples = [
        {
            **{"index": 40 + n, "true": t, "predicted": p, "probability": 0.9, "true_probability": 0.05},
            **{"loss": 3.0 - n, "inputs": [255, 0, 0, 255]},
        }
        for n, (t, p) in enumerate(wrong)
    ]
    return {
        **{"run": "x", "checkpoint": "e0001-s000040.safetensors", "epoch": 1, "step": 40, "split": split},
        **{
            "examples": 15 + len(wrong),
            "device": "cpu",
            "loss": 1.0,
            "accuracy": 15 / (15 + len(wrong)),
            "correct": 15,
        },
        **{"classes": ["cat", "dog", "owl"], "confusion": confusion, "recall": [1.0, 0.8, None]},
        **{"precision": [0.9, None, 1.0], "image_shape": [2, 2], "mistakes": examples, "boundary": None},
    }


class FakeJob:
    """Gives the next of `results`, or refuses with it where it is words."""

    results: list[dict[str, Any] | str]
    asked: list[tuple[str, ...]]

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.asked.append(arguments)

    def result(self, on_progress: Any) -> dict[str, Any]:
        outcome = self.results.pop(0)
        if isinstance(outcome, str):
            raise InputError(outcome)
        return outcome

    def cancel(self) -> None: ...


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> type[FakeJob]:
    FakeJob.results, FakeJob.asked = [], []
    monkeypatch.setattr(job_line, "Job", FakeJob)
    return FakeJob


async def test_a_cell_of_the_table_decides_which_mistakes_are_shown(root: Path, jobs: type[FakeJob]) -> None:
    fake = FakeRun(root, epochs=2).start().train(1, 2)
    fake.save(2)
    fake.finish()
    jobs.results = [result((1, 0), (0, 2), (1, 2)), "the data [bold are \x1b[31mgone", result(split="train")]
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, "RunScreen")
        await wait_to_see(pilot, "finished")
        await pilot.press("w")
        await wait_for_screen(pilot, "MistakesScreen")
        await wait_to_see(
            pilot, "3 mistakes in 18 test examples", "1 of 3", "true dog, predicted cat with 90.0 %", "precision %"
        )
        screen = screen_of(pilot, MistakesScreen)
        table, gallery = screen.query_one(Confusion), screen.query_one(Gallery)
        table.move_cursor(row=1, column=3)
        await wait_to_see(pilot, "1 of 1", "true dog, predicted owl", "dog → owl  90 %")
        table.move_cursor(row=1, column=2)  # the diagonal: all of this class
        await wait_to_see(pilot, "1 of 2", "true dog, predicted cat")
        gallery.focus()
        await pilot.press("right", "right")
        await wait_to_see(pilot, "2 of 2", "dog → owl")
        await pilot.press("a")
        await wait_to_see(pilot, "1 of 3")
        await pilot.press("t")
        await wait_to_see(pilot, "! the data [bold are [31mgone")
        await pilot.press("t")
        await wait_to_see(
            pilot, "no mistakes in 15 train examples, 100.00 % right", "every example is classified right"
        )
        assert [split for _, _, split, _ in jobs.asked] == ["test", "validation", "train"]
        await pilot.press("b", "escape")
        await wait_for_screen(pilot, "RunScreen")


async def test_without_colours_signs_are_darker_the_more_often(
    root: Path, jobs: type[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    fake = FakeRun(root, epochs=2).start().train(1, 2)
    fake.save(2)
    fake.finish()
    jobs.results = [result(*[(1, 0)] * 1000, *[(0, 2)] * 300, (1, 2))]
    app = make_app(root, fake.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("w")
        await wait_to_see(pilot, "█1,000", "▒  300", "░    1", "recall %")
        lines = [line.split() for line in seen(pilot).splitlines()]
        recall = next(line[-1] for line in lines if line[:1] == ["dog"])
        precision = next(line[2] for line in lines if line[:1] == ["precision"])
        assert (recall, precision) == ("80.0", "90.0")  # with the same decimals
        app.settings = Settings(ascii="on")
        app.take_looks()
        await wait_to_see(pilot, "#1,000", ":  300", ".    1")


@pytest.mark.parametrize("look", [("theme", "trainer-mono"), ("ascii", "on")], ids=str)
async def test_pictures_without_colours_or_blocks_are_characters(
    look: tuple[str, str], root: Path, jobs: type[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "settings_file", lambda: root / "settings.toml")
    fake = FakeRun(root, epochs=2).start().train(1, 2)
    fake.save(2)
    fake.finish()
    jobs.results = [result((1, 0))]
    app = make_app(root, fake.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        app.change_setting(*look)
        await pilot.press("w")
        await wait_to_see(pilot, "1 of 1", "     @@@@@")  # ink right below, paper left above
        assert "▀" not in seen(pilot)


def counted(fake: FakeRun, epoch: int, *wrong: tuple[int, int]) -> FakeRun:
    """What the worker counts of the digits after an epoch."""
    counts = [[20 * (t == p) for p in range(10)] for t in range(10)]
    for true, predicted in wrong:
        counts[true][predicted] += 1
    return fake.write(events.Confusion(epoch=epoch, step=epoch * fake.steps, split="validation", counts=counts))


async def test_the_table_moves_with_a_live_run_and_the_examples_stay(root: Path, jobs: type[FakeJob]) -> None:
    looked = result(*[(1, 0)] * 3, split="validation")
    jobs.results = [looked, "no such data", looked | {"step": 10**9}]
    with live_run(root) as fake:
        fake.save(3)
        counted(fake, 3, (3, 5))
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running")
            await pilot.press("w")
            await wait_to_see(pilot, "1 mistake in 201 validation examples, 99.50 % right · after epoch 3", "1 of 3")
            await wait_to_see(pilot, "examples of e0001-s000040", "true dog, predicted cat")
            table = screen_of(pilot, MistakesScreen).query_one(Confusion)
            table.move_cursor(row=1, column=1)
            await wait_to_see(pilot, "1 of 3")
            counted(fake, 4, (3, 5), (1, 0), (1, 0))
            await wait_to_see(pilot, "3 mistakes in 203", "after epoch 4", " 91 ", "1 of 3  true dog")
            assert table.cursor_coordinate == Coordinate(1, 1)
            assert table.get_cell_at(Coordinate(1, 1)).plain.split() == ["2"]
            await pilot.press("t")
            await wait_to_see(pilot, "! no such data")  # of other examples, nothing is known
            counted(fake, 5, (9, 8))
            fake.train(4)
            await wait_for(pilot, lambda: table.app.screen_stack[-2].follower.state.epoch == 4, "read")  # type: ignore[attr-defined]
            await wait_to_see(pilot, "! no such data")
            await pilot.press("t", "t")
            await wait_for(pilot, lambda: len(jobs.asked) > 2, "looked again")
    assert [split for _, _, split, _ in jobs.asked][:2] == ["validation", "train"]


async def test_the_table_is_there_before_and_without_examples(root: Path, jobs: type[FakeJob]) -> None:
    jobs.results = ["the data are gone"]
    with live_run(root) as fake:
        fake.save(3)
        counted(fake, 3, (3, 5))
        async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "running")
            await pilot.press("w")
            await wait_to_see(pilot, "1 mistake in 201 validation examples", "after epoch 3", "! the data are gone")
            counted(fake, 4)
            await wait_to_see(pilot, "no mistakes in 200 validation examples, 100.00 % right · after epoch 4")


async def test_a_wide_table_shows_whole_classes_and_where_it_goes_on(root: Path, jobs: type[FakeJob]) -> None:
    fake = FakeRun(root, epochs=2).start().train(1, 2)
    fake.save(2)
    fake.finish()
    found = result((1, 0))
    count = range(14)
    found |= {"classes": [f"class{n:02}" for n in count], "recall": [1.0] * 14, "precision": [1.0] * 14}
    found["confusion"] = [[1200 * (row == column) for column in count] for row in count]
    jobs.results = [found]
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("w")
        await wait_to_see(pilot, "true \\ predicted", "›")
        titles = next(line for line in seen(pilot).splitlines() if "predicted" in line)
        assert [word for word in titles.split()[3:] if word != "›"] == ["class…"] * 7
        await pilot.press(*["right"] * 15)
        await wait_to_see(pilot, "‹", "recall %")
        assert "true \\ predicted" in seen(pilot)
        await pilot.resize_terminal(200, 40)
        await wait_to_see(pilot, " ".join(f"class{n:02} " for n in count), "recall %")


async def test_the_table_moves_before_there_is_a_checkpoint(root: Path, jobs: type[FakeJob]) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running")
            await pilot.press("w")  # of what nothing is known yet
            await wait_for_screen(pilot, "RunScreen")
            counted(fake, 4, (3, 5))
            fake.train(4)
            await wait_to_see(pilot, "w mistakes")
            await pilot.press("w")
            await wait_to_see(
                pilot, "1 mistake in 201 validation examples", "after epoch 4", "! there is no last checkpoint"
            )
            counted(fake, 5)
            await wait_to_see(pilot, "no mistakes in 200", "after epoch 5")


async def test_fewer_pictures_than_mistakes_are_said_to_be_fewer(root: Path, jobs: type[FakeJob]) -> None:
    fake = FakeRun(root, epochs=2).start().train(1, 2)
    fake.save(2)
    fake.finish()
    found = result((1, 0), (0, 2), (1, 2))
    found["confusion"][1][0] += 1200
    found["examples"] += 1200
    jobs.results = [found]
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, "RunScreen")
        await wait_to_see(pilot, "finished")
        await pilot.press("w")
        await wait_to_see(pilot, "1,203 mistakes in 1,218 test examples", "1 of 3 shown of 1,203  true dog")
        await pilot.press("down", "right", "right")
        await wait_to_see(pilot, "1 of 2 shown of 1,202  true dog, predicted cat")  # the diagonal
        await pilot.press("right")
        await wait_to_see(pilot, "1 of 1  true dog, predicted owl")
        await pilot.press("a")
        await wait_to_see(pilot, "1 of 3 shown of 1,203  true dog")


def test_a_list_of_the_worst_says_how_many_there_are(cli: Cli) -> None:
    cli("train", "digits", "--plain", "--set", "epochs=1", "--set", "learning_rate=0.0002")
    printed = cli("mistakes", "last", "--split", "train", "-n", "3")
    wrong = int(printed.split(": ")[1].split(" mistakes")[0].replace(",", ""))
    assert wrong > mistakes.WORST and f"\n3 of {wrong:,} mistakes, the worst first\n" in printed
    found = json.loads(cli("mistakes", "last", "--split", "train", "--json"))
    assert found["examples"] - found["correct"] == wrong > len(found["mistakes"]) > mistakes.WORST


async def test_a_run_without_such_a_checkpoint_says_so(root: Path, jobs: type[FakeJob]) -> None:
    fake = FakeRun(root, epochs=3).start().train(1, 2)
    fake.save(1)
    fake.train(3).finish()
    async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "finished")
        await pilot.press("w")
        await wait_to_see(pilot, "! there is no best checkpoint on disk yet")
        jobs.results = [result((1, 0))]
        await pilot.press("b")
        await wait_to_see(pilot, "1 mistake in 16 test examples")
        await wait_for(pilot, lambda: jobs.asked[0][1].endswith("e0001-s000040.safetensors"), "the newest one")
