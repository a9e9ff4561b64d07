"""Starting workers and coordinators from the dashboard, with one worker that has loaded torch beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer import machine
from tui_trainer.config import RunConfig
from tui_trainer.runs.directory import Run, read_record
from tui_trainer.runs.follow import load
from tui_trainer.runs.gpu import place
from tui_trainer.runs.launch import Standby, launch
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from tui_trainer.studies.directory import StudyDirectory


class Launcher:
    def __init__(self) -> None:
        self.gpu = ""
        """The UUID of the GPU that new runs go to; empty: the freest."""
        self._standby: Standby | None = None
        self._environment: dict[str, str] = {}

    def warm_up(self) -> None:
        """Have a standby worker, unless there is one. It touches its GPU, so it cannot change to another."""
        if self._standby is None:
            try:
                self._environment, _ = place(RunConfig(), self.gpu)
                self._standby = Standby(self._environment)
            except (OSError, InputError):  # without one, a start only takes longer
                return

    def choose_gpu(self, uuid: str) -> None:
        """New runs go to this GPU from now on; empty: to the freest."""
        self.gpu = uuid
        if self._standby is not None:
            self.close()
            self.warm_up()

    def start(self, run: Run, data_root: Path) -> str:
        """What the person must be told of it, mostly nothing. Raises `InputError` when no worker can be started."""
        environment, said = self._place(run)
        standby, self._standby = self._standby, None
        if standby and environment not in ({}, self._environment):
            standby.dismiss()
            standby = None
        launch(run, data_root, standby=standby, environment=environment)
        return said

    def _place(self, run: Run) -> tuple[dict[str, str], str]:
        """The GPU it was on, if it has begun; else the one chosen, of which a standby may have a hold already."""
        if not machine.gpus():
            return {}, ""
        config, begun = read_record(run).config, load(run).started
        if begun is None and self._standby and config.training.device != "cpu":
            return self._environment, ""
        return place(config, "" if begun else self.gpu, begun.gpu if begun else "")

    def start_study(self, directory: StudyDirectory) -> None:
        """Raises `InputError` when no coordinator can be started."""
        from tui_trainer.studies import start  # a dashboard that starts needs it not yet

        start.launch(directory)

    def close(self) -> None:
        if self._standby is not None:
            self._standby.dismiss()
            self._standby = None
