"""Studies carried out by real coordinators and workers, in any weather."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.coordinators import (
    LASTING,
    TINY,
    Coordinators,
    begun,
    ended,
    members,
    rows,
    started,
    statuses,
    until,
    written,
)
from tests.running import Cli, eventually, outcome, work
from tui_trainer.runs import directory, launch
from tui_trainer.runs.events import EventLog
from tui_trainer.studies import catalogue, commands, coordinator, events, follow, start, workers
from tui_trainer.studies.directory import list_studies
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.text import InputError


@pytest.fixture
def coordinators(cli: Cli, server: launch.ForkServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Coordinators]:
    monkeypatch.setattr(workers, "ForkServer", lambda: server)
    monkeypatch.setattr(server, "dismiss", lambda: None)
    made = Coordinators(cli)
    yield made
    made.end()


TWELVE = (
    "seeds = 2\n"
    + TINY.replace("100", "20").replace("epochs = 2", "epochs = 6")
    + rows("plain", "again", threads=1)
    + '\n[[grids]]\npreset = "digits"\nset = { threads = 1 }\n'
    + "fields = { learning_rate = [0.01, 0.003], dropout = [[0.0], [0.3]] }\n"
)


def test_killed_at_any_moment_a_study_ends_as_if_nothing_had_happened(cli: Cli, coordinators: Coordinators) -> None:
    study = written(cli, TWELVE)
    chance = random.Random(7)
    for alive in (3, 8):  # runs that the coordinator has started before it is killed
        cli("study", "run", study, "--jobs", "2", "--detach")
        worker = chance.randrange(1, alive)
        follower = until(cli, "tried", started(worker))
        for member in list(members(follower).values())[:worker]:
            if member.run:
                launch.kill(member.run)
        until(cli, "tried", started(alive))
        launch.kill(follower.directory)
    assert until(cli, "tried", ended).status == "interrupted"
    rough = coordinators.carry_out(follower.directory)
    assert rough.state.starts == 3 and set(statuses(rough).values()) == {"finished"}
    assert len(list(cli.runs.glob("2*"))) == 12, "no run is doubled"
    for member in members(rough).values():
        calm = directory.create(cli.runs, member.member.config, "calm", "", cli.data)
        assert member.state and outcome(member.state) == outcome(work(calm, cli.data)), member.member.key


def test_stopped_and_gone_on_with(cli: Cli, coordinators: Coordinators) -> None:
    place = coordinators.prepare(LASTING + rows("a", "b", "c") + rows("quick", epochs=1, batch_size=100))
    cli("study", "move", "tried", "quick", "--first")  # at rest a study is changed as well as live
    coordinators.start(place)
    follower = until(cli, "tried", lambda f: statuses(f)["quick/0"] == "finished" and begun(f))
    (line,) = cli.result("study", "run", str(cli.data / "tried.study.toml"))[2].splitlines()
    assert "already has a coordinator" in line
    start.ask(place, commands.Move(row="c", before="b"))
    assert cli("study", "stop", "tried") == "tried: stopped\n"
    follower.catch_up()
    assert statuses(follower)["c/0"] in ("waiting", "stopped") and statuses(follower)["a/0"] == "stopped"
    before = dict(follower.state.runs)
    assert all(m.state and m.state.newest_checkpoint for m in members(follower).values() if m.status == "stopped")

    start.ask(place, commands.Skip(targets=["a", "b/0"]))
    cli("study", "add", "tried", "digits", "--name", "d", "--set", "epochs=1")
    coordinators.start(place)
    until(cli, "tried", lambda f: statuses(f)["c/0"] == "running")
    cli("study", "skip", "tried", "c")
    follower = until(cli, "tried", ended)
    assert follower.status == "finished"
    assert statuses(follower) == {
        "a/0": "skipped",
        "b/0": "skipped",
        "c/0": "skipped",
        "quick/0": "finished",
        "d/0": "finished",
    }
    assert before.items() <= follower.state.runs.items()
    cli("study", "skip", "tried", "a", "--undo")
    assert statuses(follow.load(place))["a/0"] == "stopped"
    cli("study", "delete", "tried", "--runs-too", "--yes")
    assert not list(cli.runs.glob("2*")) and not list(list_studies(cli.runs))


def test_a_run_that_fails_and_one_whose_workers_die_stop_no_other(cli: Cli, coordinators: Coordinators) -> None:
    diverging = rows("diverging", optimizer="sgd", learning_rate=100.0, activation="identity", epochs=50)
    doomed = diverging + rows("dying", batch_size=1, epochs=100_000)
    place = coordinators.prepare(TINY + doomed + rows("sound"))
    coordinators.start(place, jobs=1)

    def kill(follower: StudyFollower) -> bool:
        dying = members(follower)["dying/0"]
        if dying.run and "dying/0" not in follower.state.failed:
            launch.kill(dying.run)
        return ended(follower)

    follower = until(cli, "tried", kill)
    assert statuses(follower) == {"diverging/0": "failed", "dying/0": "failed", "sound/0": "finished"}
    assert (follower.status, follower.reason) == ("finished", "2 of 3 runs failed")
    assert "its worker died 3 times at step" in members(follower)["dying/0"].reason
    ids = dict(follower.state.runs)
    start.ask(place, commands.Skip(targets=["dying"]))
    again = coordinators.carry_out(place)
    assert statuses(again) == {"diverging/0": "failed", "dying/0": "skipped", "sound/0": "finished"}
    assert again.state.runs == ids, "what has ended is not begun again"


def waits_in_order(cli: Cli, *names: str) -> None:
    """The one that runs, and then those whose coordinators have taken their places."""
    eventually(lambda: [line.split()[0] for line in cli("queue").splitlines()[1:]] == [*names], " ".join(names))


def test_studies_and_runs_wait_their_turn(cli: Cli, coordinators: Coordinators) -> None:
    first, second = (coordinators.prepare(LASTING + rows("a"), name) for name in ("first", "second"))
    coordinators.start(first)
    until(cli, "first", begun)
    coordinators.start(second)
    waits_in_order(cli, "first", "second")
    cli("train", "digits", "--set", "epochs=1", "--set", "threads=1", "--name", "alone", "--queue")
    waits_in_order(cli, "first", "second", "alone")
    cli("queue", "move", "alone", "--first")
    waits_in_order(cli, "first", "alone", "second")
    urgent = coordinators.prepare(TINY + rows("a"), "urgent")
    coordinators.start(urgent, now=True).join(60)
    assert follow.load(urgent).status == "finished" and not follow.load(second).state.runs
    start.ask(first, commands.Stop())
    alone = until(cli, "alone", ended)
    assert alone.status == "finished" and statuses(alone) == {"alone/0": "finished"}
    until(cli, "second", begun)
    start.ask(second, commands.Stop())
    until(cli, "second", ended)
    assert cli("queue") == "nothing runs and nothing waits\n"


def test_a_worker_that_outlived_its_coordinator_keeps_its_slot(cli: Cli, coordinators: Coordinators) -> None:
    place = coordinators.prepare(LASTING + rows("a", "b"))
    crew = workers.Workers(cli.runs, cli.data, [{}], EventLog(place.events_file).commit)
    crew.start(follow.load(place).rows[0].members[0].member, None, 0)
    until(cli, "tried", begun)
    start.ask(place, commands.Move(row="a"))
    coordinators.start(place, jobs=1)
    for before in ("b", ""):  # between two answers the coordinator fills its slots
        start.ask(place, commands.Move(row="a", before=before))
    assert statuses(follow.load(place)) == {"a/0": "running", "b/0": "waiting"}
    start.ask(place, commands.Stop())
    assert statuses(until(cli, "tried", ended)) == {"a/0": "stopped", "b/0": "waiting"}


def test_what_was_announced_is_made_once_under_that_name(cli: Cli, coordinators: Coordinators) -> None:
    """As after kills between announcement, directory and config."""
    place = coordinators.prepare(TINY + rows("absent", "half", "whole"))
    log = EventLog(place.events_file)
    for member in ("absent", "half"):
        log.append(events.Announced(member=f"{member}/0", run=f"2026-01-01-000000-{member}-1"))
    half = cli.runs / "2026-01-01-000000-half-1"
    (half / "inbox").mkdir(parents=True)
    (half / ".config.toml.1").write_text("[ru")
    follower = coordinators.carry_out(place)
    assert set(statuses(follower).values()) == {"finished"}
    runs = [follower.state.runs[f"{name}/0"] for name in ("absent", "half", "whole")]
    assert runs[:2] == ["2026-01-01-000000-absent-1", half.name]
    assert sorted(path.name for path in cli.runs.glob("2*")) == sorted(runs)


def test_nothing_is_made_that_could_not_be_announced(cli: Cli, coordinators: Coordinators) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    follower = follow.load(coordinators.prepare(TINY + rows("a")))
    crew = workers.Workers(cli.runs, cli.data, [{}], full)
    (member,) = follower.rows[0].row.members
    with pytest.raises(OSError, match="No space left"):
        crew.start(member, None, 0)
    assert not list(cli.runs.glob("2*")) and not crew.live


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_on_a_gpu_each_worker_and_the_next_one_see_that_gpu_alone(cli: Cli, coordinators: Coordinators) -> None:
    follower = follow.load(coordinators.prepare(LASTING + rows("a", "b")))
    crew = workers.Workers(cli.runs, cli.data, [{"CUDA_VISIBLE_DEVICES": "GPU-a"}], lambda _: None)
    prepared = 0
    for row in follower.rows:
        crew.start(row.members[0].member, None, 0)
        (live,) = crew.live.values()
        holder = launch.owner(live.run)
        assert holder and holder.pid == (prepared or holder.pid)
        prepared = crew.standbys[0].process.pid
        for pid in (holder.pid, prepared):
            place = Path(f"/proc/{pid}/environ")
            looks = (place.read_bytes() for _ in range(10_000))  # empty while a process becomes another program
            assert b"CUDA_VISIBLE_DEVICES=GPU-a\0" in next(filter(None, looks), b"")
        launch.kill(live.run)
        crew.live.clear()
    last = crew.standbys[0].process
    crew.rest()
    assert last.wait(60) == 0 and not crew.standbys


class FakeJob:
    """Stands in for a process of the engine."""

    asked: list[tuple[str, ...]]
    broken: set[str]

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.asked.append(arguments)

    def result(self) -> Any:
        if self.arguments[0] in self.broken:
            raise InputError(f"{self.arguments[0]}: broken")
        return [{"images_per_second": 1.0}] if self.arguments[0] == "throughput" else {"of": self.arguments[0]}

    def cancel(self) -> None: ...


def test_analyses_follow_the_runs_and_are_made_once(
    cli: Cli, coordinators: Coordinators, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = 'kind = "sharpness"', 'kind = "line"\nfirst = "a"\nsecond = "b"', 'kind = "throughput"'
    place = coordinators.prepare(TINY + rows("a", "b") + "".join(f"\n[[analyses]]\n{words}\n" for words in wanted))
    monkeypatch.setattr(coordinator, "Job", FakeJob)

    def carry_out(*broken: str) -> list[str]:
        FakeJob.asked, FakeJob.broken = [], set(broken)
        coordinators.carry_out(place)
        return [job for job, *_ in FakeJob.asked]

    assert carry_out("line") == ["sharpness", "sharpness", "line", "throughput"]
    follower = follow.load(place)
    a, b = (str(cli.runs / follower.state.runs[f"{row}/0"]) for row in "ab")
    assert FakeJob.asked[:3] == [
        ("sharpness", a, "[0.001, 0.0005]"),
        ("sharpness", b, "[0.001, 0.0005]"),
        ("line", a, b, "-1.0", "2.0", "61"),
    ]
    done = {stem: {"of": "sharpness"} for stem in ("sharpness-a-s0", "sharpness-b-s0")}
    done["throughput"] = {"rows": [{"images_per_second": 1.0}]}  # type: ignore[dict-item]
    assert follower.analyses == done
    assert follower.state.analysed["line-a-b-s0"] == "line: broken"
    assert carry_out() == ["line"], "what there is is not made again"
    assert follow.load(place).analyses == {**done, "line-a-b-s0": {"of": "line"}}
    assert carry_out() == []


def test_more_seeds_are_added_and_another_plan_is_refused(cli: Cli, coordinators: Coordinators) -> None:
    place = coordinators.prepare(TINY + rows("a"))
    before = coordinators.carry_out(place)
    definition = catalogue.load(str(cli.data / "tried.study.toml"))
    assert start.prepare(definition, cli.runs, cli.data, seeds=2) == place
    after = coordinators.carry_out(place)
    assert statuses(after) == {"a/0": "finished", "a/1": "finished"}
    assert before.state.runs.items() <= after.state.runs.items()
    for options in (["--set", "epochs=3"], ["--seeds", "1"]):
        status, _, err = cli.result("study", "run", str(definition.path), *options)
        assert status == 2 and err.count("\n") == 1 and "--as" in err and "study delete tried" in err
