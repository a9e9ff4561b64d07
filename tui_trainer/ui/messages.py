"""What screens ask of the app: the app alone knows the other screens and starts workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig
    from tui_trainer.presets import Preset
    from tui_trainer.runs.directory import Run, Start
    from tui_trainer.runs.events import Checkpoint
    from tui_trainer.runs.follow import Follower
    from tui_trainer.studies.catalogue import Definition
    from tui_trainer.studies.directory import StudyDirectory


@dataclass(frozen=True)
class Fork:
    """Where a run begins that continues another: that run's name and config now, and the checkpoint with its place."""

    name: str
    config: RunConfig
    epoch: int
    step: int
    start: Start
    data_root: Path


class FormWanted(Message):
    """The person wants to change this preset before training it, perhaps by first finding a learning rate."""

    def __init__(self, preset: Preset, find_rate: bool = False) -> None:
        super().__init__()
        self.preset = preset
        self.find_rate = find_rate


class ForkWanted(Message):
    """The person wants a new run from this checkpoint of a run, or from its newest."""

    def __init__(self, follower: Follower, checkpoint: Checkpoint | None = None) -> None:
        super().__init__()
        self.follower = follower
        self.checkpoint = checkpoint


class StartWanted(Message):
    """The person wants to train this config, from the seed or from where `fork` says."""

    def __init__(self, config: RunConfig, name: str, preset: str, fork: Fork | None = None) -> None:
        super().__init__()
        self.config = config
        self.name = name
        self.preset = preset
        self.fork = fork


class AllRunsWanted(Message):
    """The person wants to see every run there is."""


class OpenWanted(Message):
    """The person wants to see this run."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


class ResumeWanted(Message):
    """The person wants this run, which has no worker, to go on."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


class CompareWanted(Message):
    """The person wants to see these runs side by side."""

    def __init__(self, runs: Sequence[Run]) -> None:
        super().__init__()
        self.runs = runs


class StudyWanted(Message):
    """The person wants to see this study."""

    def __init__(self, directory: StudyDirectory) -> None:
        super().__init__()
        self.directory = directory


class StudyStartWanted(Message):
    """The person wants the runs of this study file."""

    def __init__(self, definition: Definition) -> None:
        super().__init__()
        self.definition = definition


class StudyResumeWanted(Message):
    """The person wants this study, which has no coordinator, to go on."""

    def __init__(self, directory: StudyDirectory) -> None:
        super().__init__()
        self.directory = directory


class PresetSaved(Message, bubble=True):
    """There is another preset of the person's own."""


class HomeWanted(Message):
    """Nothing else is open any more."""


class DataWanted(Message):
    """The person wants to see the data sets, this one first."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.name = name


class GpuWanted(Message):
    """The person wants new runs to go to the GPU of this UUID; empty: to the freest."""

    def __init__(self, uuid: str) -> None:
        super().__init__()
        self.uuid = uuid


class StartLikely(Message, bubble=True):
    """The person looks at something they may start soon."""
