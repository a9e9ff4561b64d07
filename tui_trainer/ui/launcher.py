"""Starting workers and coordinators from the dashboard, with one worker that has loaded torch beforehand."""

from __future__ import annotations

from pathlib import Path

from tui_trainer.runs.directory import Run
from tui_trainer.runs.launch import Standby, launch
from tui_trainer.studies import start
from tui_trainer.studies.directory import StudyDirectory


class Launcher:
    def __init__(self) -> None:
        self._standby: Standby | None = None

    def warm_up(self) -> None:
        """Have a standby worker, unless there is one."""
        if self._standby is None:
            try:
                self._standby = Standby()
            except OSError:  # without one, a start only takes longer
                return

    def start(self, run: Run, data_root: Path) -> None:
        """Raises `InputError` when no worker can be started."""
        standby, self._standby = self._standby, None
        launch(run, data_root, standby=standby)

    def start_study(self, directory: StudyDirectory) -> None:
        """Raises `InputError` when no coordinator can be started."""
        start.launch(directory)

    def close(self) -> None:
        if self._standby is not None:
            self._standby.dismiss()
            self._standby = None
