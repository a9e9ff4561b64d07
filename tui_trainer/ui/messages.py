"""What screens ask of the app: the app alone knows the other screens and starts workers."""

from __future__ import annotations

from textual.message import Message

from tui_trainer.config import RunConfig
from tui_trainer.presets import Preset
from tui_trainer.runs.directory import Run


class FormWanted(Message):
    """The person wants to change this preset before training it."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset


class StartWanted(Message):
    """The person wants to train this config."""

    def __init__(self, config: RunConfig, name: str, preset: str) -> None:
        super().__init__()
        self.config = config
        self.name = name
        self.preset = preset


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


class StartLikely(Message, bubble=True):
    """The person looks at something they may start soon."""
