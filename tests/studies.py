"""Studies for tests, made of told events instead of training: any state of any run, in no time."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tui_trainer.runs import directory as runs
from tui_trainer.runs.events import AnyEvent, Epoch, Evaluated, EventLog, Started, State
from tui_trainer.studies import directory, events, plan
from tui_trainer.studies.catalogue import parse
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.plan import Member, Plan

Told = Callable[[Member], Sequence[AnyEvent] | None]
VALIDATION = (0.90, 0.96, 0.95)


def started(validation_is_test: bool = True) -> Started:
    return Started(
        pid=1,
        host="here",
        device="cpu",
        device_name="a processor",
        threads=1,
        precision="fp32",
        step_path="autograd",
        versions={},
        parameters=1234,
        train_examples=1000,
        steps_per_epoch=10,
        layer_sizes=[784, 200, 10],
        validation_is_test=validation_is_test,
    )


def finished(validation: Sequence[float] = VALIDATION, test: float = 0.95, best_test: float = 0.955) -> list[AnyEvent]:
    """The events of a run that went to its end: an epoch for each validation accuracy, ten seconds each."""
    best = max(range(len(validation)), key=lambda at: validation[at])
    told: list[AnyEvent] = [started()]
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
    file = root.parent / "study.study.toml"
    root.mkdir(exist_ok=True)
    file.write_text(definition)
    rows = plan.rows(parse(file), seeds, [], 1)
    made = directory.create(root, "study", file.read_bytes(), Plan("study", seeds, [], 1, root / "data", tuple(rows)))
    log = EventLog(made.events_file)
    for row in rows:
        for member in row.members:
            own = told(member) if told else finished()
            if own is None or own:
                id = f"2026-01-01-000000-{member.run_name.lower()}-{member.seed:04}"
                log.append(events.Announced(member=member.key, run=id))
                run = runs.create(root, member.config, member.run_name, member.preset, root / "data", id=id)
                tell(run, own or ())
    for stem, result in (analyses or {}).items():
        (made.analyses / f"{stem}.json").write_text(json.dumps(result))
        log.append(events.Analysed(stem=stem))
    log.append(events.State(status=status))
    log.close()
    return made


def tell(run: runs.Run, told: Sequence[AnyEvent]) -> None:
    log = EventLog(run.events_file)
    for event in told:
        log.append(event)
    log.close()
