"""Studies as a coordinator and its workers would have written them: any state, in no time, without a process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.dashboard import FakeRun, started
from tui_trainer.runs import directory, launch
from tui_trainer.runs.commands import waiting
from tui_trainer.runs.events import AnyEvent, Epoch, Evaluated, Event, EventLog, State
from tui_trainer.studies import catalogue, commands, events, plan
from tui_trainer.studies.directory import StudyDirectory, create
from tui_trainer.studies.plan import Member

Told = Callable[[Member], Sequence[AnyEvent] | None]
VALIDATION = (0.90, 0.96, 0.95)
THREE = """
title = "Three rates"
source = "a paper of 2019"
notes = "The third row was never printed."
charts = ["val_accuracy", "val_loss", "test_accuracy against optimizer.learning_rate"]
tolerance = { test_accuracy = 0.01 }

[[runs]]
preset = "digits"
name = "slow"
set = { learning_rate = 0.0001, epochs = 10 }
published = { test_accuracy = 0.95 }

[[runs]]
preset = "digits"
name = "middling"
set = { learning_rate = 0.001, epochs = 10 }
published = { test_accuracy = 0.97 }

[[runs]]
preset = "digits"
name = "fast"
set = { learning_rate = 0.01, epochs = 10 }

[[claims]]
text = "A middling rate beats a slow one."
measure = "test_accuracy"
rows = ["middling", "slow"]
holds = "above"
"""


class FakeMember(FakeRun):
    """A run of a study, made under the id its coordinator announced."""

    def __init__(self, root: Path, member: Member) -> None:
        self.config = member.config
        id = f"2026-01-01-000000-{member.run_name.lower()}-{member.seed:04}"
        self.run = directory.create(root, self.config, member.run_name, member.preset, root / "no-data", id=id)
        self.log = EventLog(self.run.events_file)
        self.lock: int | None = None


class FakeStudy:
    """A study's directory, and its coordinator's pen."""

    def __init__(self, root: Path, text: str = THREE, seeds: int = 1, name: str = "three-rates") -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        source = root / f"{name}.study.toml"
        source.write_text(text)
        self.study = catalogue.parse(source)
        self.rows = {row.name: row for row in plan.rows(self.study, seeds, [], 1)}
        wanted = plan.Plan(name, seeds, [], 1, root / "no-data", tuple(self.rows.values()))
        self.directory: StudyDirectory = create(root, name, text.encode(), wanted)
        source.unlink()
        self.log = EventLog(self.directory.events_file)
        self.lock: int | None = None
        self.members: list[FakeMember] = []

    def take(self, jobs: int = 1) -> FakeStudy:
        """Hold the lock as a live coordinator does."""
        self.lock = launch.take_lock(self.directory)
        launch.sign(self.lock, launch.owner_of(os.getpid(), "coordinator"))
        return self.write(events.Started(pid=os.getpid(), host="box", jobs=jobs))

    def tell(self, status: events.Status, reason: str = "") -> FakeStudy:
        return self.write(events.State(status=status, reason=reason))

    def write(self, *written: Event) -> FakeStudy:
        for event in written:
            self.log.append(event)
        return self

    def announce(self, member: Member) -> FakeMember:
        """Announce a run, and make it."""
        fake = FakeMember(self.root, member)
        self.members.append(fake)
        self.write(events.Announced(member=member.key, run=fake.run.id))
        return fake

    def begin(self, row: str, seed: int = 0) -> FakeMember:
        """A run whose worker has begun."""
        fake = self.announce(next(member for member in self.rows[row].members if member.seed == seed))
        fake.take().start()
        return fake

    def finish(self, row: str, seed: int = 0, accuracy: float = 0.95) -> FakeMember:
        """A run from its first word to its last."""
        fake = self.begin(row, seed)
        fake.train(*range(1, fake.config.training.epochs + 1), accuracy=accuracy - 0.02)
        fake.finish(accuracy)
        return fake

    @property
    def commands(self) -> list[commands.AnyCommand | None]:
        """What waits in the inbox."""
        return [command for _, command in waiting(self.directory.inbox, commands.DECODER)]

    def acknowledge(self, ok: bool = True, message: str = "") -> None:
        """Answer the one command that waits."""
        ((path, command),) = waiting(self.directory.inbox, commands.DECODER)
        assert command is not None
        path.unlink()
        self.write(events.Applied(id=command.id, command=type(command).__name__.lower(), ok=ok, message=message))

    def release(self) -> None:
        """The coordinator and its workers are gone."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None
        for member in self.members:
            member.release()


@contextmanager
def live_study(root: Path, text: str = THREE, seeds: int = 1) -> Iterator[FakeStudy]:
    """A study whose coordinator lives and has begun."""
    fake = FakeStudy(root, text, seeds).take()
    fake.tell("running")
    try:
        yield fake
    finally:
        fake.release()
        fake.log.close()


def finished(validation: Sequence[float] = VALIDATION, test: float = 0.95, best_test: float = 0.955) -> list[AnyEvent]:
    """The events of a run that went to its end: an epoch for each validation accuracy, ten seconds each."""
    best = max(range(len(validation)), key=lambda at: validation[at])
    told: list[AnyEvent] = [started(validation_is_test=True)]
    for number, accuracy in enumerate(validation, start=1):
        told.append(
            Epoch(
                epoch=number,
                step=10 * number,
                train_loss=1.0 / number,
                train_accuracy=accuracy + 0.01,
                val_loss=1.2 / number,
                val_accuracy=accuracy,
                learning_rate=0.1,
                images_per_second=50_000.0,
                seconds=10.0 * number,
                training_seconds=8.0 * number,
                evaluation_seconds=1.5 * number,
                saving_seconds=0.5 * number,
            )
        )
    last, ends = len(validation), {"examples": 10_000}
    told += [
        Evaluated(which="final", split="train", epoch=last, step=10 * last, loss=0.01, accuracy=0.99, **ends),
        Evaluated(which="final", split="test", epoch=last, step=10 * last, loss=0.1, accuracy=test, **ends),
        Evaluated(
            which="best", split="test", epoch=best + 1, step=10 * best + 10, loss=0.1, accuracy=best_test, **ends
        ),
        State(status="finished"),
    ]
    return told


def make_study(
    root: Path,
    definition: str,
    told: Told | None = None,
    seeds: int = 1,
    analyses: Mapping[str, Any] | None = None,
    status: events.Status = "finished",
) -> StudyDirectory:
    """A study as its coordinator would leave it. `told`: the events of a member's run, none for one not started.

    None instead of events leaves the run to be trained by the test.
    """
    fake = FakeStudy(root, definition, seeds, name="study")
    for row in fake.rows.values():
        for member in row.members:
            own = told(member) if told else finished()
            if own is None or own:
                fake.announce(member).write(*own or ())
    for stem, result in (analyses or {}).items():
        (fake.directory.analyses / f"{stem}.json").write_text(json.dumps(result))
        fake.write(events.Analysed(stem=stem))
    fake.tell(status)
    for log in (fake.log, *(member.log for member in fake.members)):
        log.close()
    return fake.directory
