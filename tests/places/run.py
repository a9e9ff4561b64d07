"""One run in each of its states, and what lies over it."""

from __future__ import annotations

import pytest

from tests import test_mistakes
from tests.dashboard import FakeRun
from tests.screens import Open, Place, Step, World, place, see
from tui_trainer.runs import events
from tui_trainer.ui.widgets import job_line


@place()
def run_starting(world: World) -> Place:
    fake = FakeRun(world.root).take()
    world.stack.callback(fake.release)
    return Place(world.app(fake), [see("starting", "loading torch")])


@place(large=True)
def run_live(world: World) -> Place:
    fake = world.run(5)
    fake.save(4, "best")
    fake.write(events.Log(level="warning", message="a warning of some words"))
    fake.metrics(5.5, loss=0.17)
    return Place(world.app(fake), [see("running", "5/10")])


@place()
def run_paused(world: World) -> Place:
    return Place(world.app(world.run(4).write(events.State(status="paused"))), [see("paused")])


@place(large=True)
def run_finished(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished", "97.20 %")])


@place()
def run_failed(world: World) -> Place:
    fake = world.run(1)
    fake.run.worker_log.write_text("Traceback\nRuntimeError: no memory\n")
    fake.write(events.State(status="failed", reason="out of memory: batch 32")).release()
    return Place(world.app(fake), [see("failed", "out of memory")])


@place()
def run_diverged(world: World) -> Place:
    fake = world.run(2)
    fake.write(events.State(status="failed", reason="the loss is not finite; a smaller learning rate may help"))
    fake.release()
    return Place(world.app(fake), [see("failed", "not finite")])


@place()
def run_interrupted(world: World) -> Place:
    fake = world.run(2)
    fake.save(2)
    fake.release()
    return Place(world.app(fake), [see("interrupted")])


@place()
def run_stopped(world: World) -> Place:
    fake = world.run(2)
    fake.save(2)
    fake.write(events.State(status="stopped", reason="saved e0002-s000080.safetensors")).release()
    return Place(world.app(fake), [see("stopped")])


@place(large=True)
def boundary(world: World) -> Place:
    fake = world.run(3, preset="xor/xor-mlp").bound(3)
    return Place(world.app(fake), [see("running"), "right_square_bracket", see("decision boundary")])


@place(large=True)
def neurons(world: World) -> Place:
    fake = world.run(3, preset="xor/xor-mlp").bound(3).drew(3)
    return Place(world.app(fake), [see("running"), "h", Open("NeuronsScreen"), see("layer 1"), "right"])


@place(large=True)
def rewind(world: World) -> Place:
    steps: list[Step] = [see("finished"), "b", Open("RewindScreen"), see("epoch 6/6"), "left left", see("epoch 4/6")]
    return Place(world.app(world.finished()), steps)


@place()
def others(world: World) -> Place:
    for name in ("wide", "deep"):
        world.finished(name, accuracy=0.5)
    steps: list[Step] = [see("finished"), "o", Open("OthersScreen"), see("wide", "deep")]
    return Place(world.app(world.finished("mine")), steps)


@place()
def overlay(world: World) -> Place:
    place = others(world)
    place.steps.extend(["space", "enter", Open("RunScreen"), see("mine")])
    return place


@place()
def log_search(world: World) -> Place:
    fake = world.run(2)
    fake.write(*(events.Log(level="info", message=f"line {number} of many") for number in range(30)))
    return Place(world.app(fake), [see("running"), "slash", "l i n e space 1", see("match 11 of 11")])


@place()
def checkpoints(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished"), "k", see("e0006")])


@place()
def maximised(world: World) -> Place:
    return Place(world.app(world.run(5)), [see("running"), "m"])


@place()
def change_live(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "l", Open("ChangeScreen"), see("learning rate")])


@place()
def stop(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "x", Open("StopScreen"), see("Stop digits?")])


@place()
def leave(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "q", Open("LeaveScreen"), see("Leave digits?")])


@place()
def help_on_run(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "question_mark", Open("HelpScreen")])


@place()
def palette(world: World) -> Place:
    return Place(
        world.app(world.run(3)), [see("running"), "ctrl+p", Open("CommandPalette"), see("Picture", "Theme no colours")]
    )


@place(large=True)
def mistakes(world: World) -> Place:
    fake = world.finished()
    test_mistakes.FakeJob.asked = []
    test_mistakes.FakeJob.results = [test_mistakes.result((1, 0), (0, 2), (1, 2))]
    world.stack.enter_context(pytest.MonkeyPatch.context()).setattr(job_line, "Job", test_mistakes.FakeJob)
    return Place(world.app(fake), [see("finished"), "w", Open("MistakesScreen"), see("3 mistakes", "1 of 3")])
