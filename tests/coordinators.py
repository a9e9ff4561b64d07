"""Study files made of tiny runs, coordinators that carry them out inside the test, and waiting for what comes of it."""

import os
from collections.abc import Callable
from threading import Thread
from typing import Any

from tests.running import Cli
from tui_trainer.runs import launch
from tui_trainer.studies import catalogue, follow, start
from tui_trainer.studies.coordinator import Coordinator
from tui_trainer.studies.directory import StudyDirectory, find
from tui_trainer.studies.follow import MemberState, StudyFollower

TINY = """
[set]
hidden_sizes = [16]
batch_size = 100
epochs = 2
device = "cpu"
last_seconds = 0
"""
LASTING = TINY.replace("100", "1").replace("epochs = 2", "epochs = 100000")
"""Runs that take longer than any test waits, and are stopped."""


def written(cli: Cli, content: str, name: str = "tried") -> str:
    path = cli.data / f"{name}.study.toml"
    path.write_text(content)
    return str(path)


def rows(*names: str, **values: Any) -> str:
    fields = "".join(f"set.{key} = {value!r}\n" for key, value in values.items())
    return "".join(f'\n[[runs]]\npreset = "digits"\nname = "{name}"\n{fields}' for name in names)


def until(cli: Cli, name: str, condition: Callable[[StudyFollower], bool]) -> StudyFollower:
    """The study as soon as the condition holds."""
    follower = follow.StudyFollower(find(cli.runs, name), cli.runs)
    assert follow.wait(follower, condition, timeout=90, interval=0.01), (
        f"waited in vain; {follower.status}, {list(follower.state.log)}"
    )
    return follower


def members(follower: StudyFollower) -> dict[str, MemberState]:
    return {member.member.key: member for row in follower.rows for member in row.members}


def statuses(follower: StudyFollower) -> dict[str, str]:
    return {key: member.status for key, member in members(follower).items()}


def ended(follower: StudyFollower) -> bool:
    return not follower.alive


def begun(follower: StudyFollower) -> bool:
    """Is a run training?"""
    return any(member.state and member.state.epoch for member in members(follower).values())


def started(runs: int) -> Callable[[StudyFollower], bool]:
    return lambda follower: len(follower.state.runs) >= runs or ended(follower)


class Coordinators:
    """Coordinators in threads of this process, with one fork server for all: imports outlast any study here."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self.threads: list[tuple[Coordinator, Thread]] = []

    def prepare(self, content: str, name: str = "tried") -> StudyDirectory:
        return start.prepare(catalogue.load(written(self.cli, content, name)), self.cli.runs, self.cli.data)

    def start(self, place: StudyDirectory, jobs: int = 2, now: bool = False) -> Thread:
        lock = launch.take_lock(place)
        launch.sign(lock, launch.owner_of(os.getpid(), "coordinator"))
        started = Coordinator(place, jobs)

        def carry_out() -> None:
            try:
                started.run(now)
            finally:
                os.close(lock)

        thread = Thread(target=carry_out)
        thread.start()
        self.threads.append((started, thread))
        return thread

    def carry_out(self, place: StudyDirectory, jobs: int = 2) -> StudyFollower:
        self.start(place, jobs).join(90)
        return follow.load(place)

    def end(self) -> None:
        for started, thread in self.threads:
            started.stop("the test is over")
            thread.join(30)
