"""Study directories: a study that was started. Its runs are ordinary run directories beside it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tui_trainer.files import write_whole
from tui_trainer.runs.directory import Directory, check_name
from tui_trainer.studies.plan import Plan
from tui_trainer.text import InputError


class StudyDirectory(Directory):
    """`<runs>/studies/<id>/`."""

    @property
    def runs_root(self) -> Path:
        return self.path.parent.parent

    @property
    def definition_file(self) -> Path:
        """The study file as it was when the study began."""
        return self.path / "definition.study.toml"

    @property
    def plan_file(self) -> Path:
        return self.path / "plan.json"

    @property
    def notes_file(self) -> Path:
        """The person's file, never written by the coordinator: conclusions."""
        return self.path / "notes.toml"

    @property
    def analyses(self) -> Path:
        return self.path / "analyses"

    @property
    def coordinator_log(self) -> Path:
        return self.path / "coordinator.log"


def studies_root(runs_root: Path) -> Path:
    return runs_root / "studies"


def id_of(name: str) -> str:
    """The directory's name for the study file of this name: `lab-report/table-1` → `lab-report-table-1`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "study"


def create(runs_root: Path, id: str, definition: bytes, plan: Plan) -> StudyDirectory:
    """A new study directory, whole or not at all. Raises `InputError`, also where there is one of this id."""
    directory = StudyDirectory(studies_root(runs_root) / check_name(id, "--as"))
    making = StudyDirectory(directory.path.with_name(f".making-{id}-{os.getpid()}"))
    try:
        making.path.mkdir(parents=True)
        making.inbox.mkdir()
        making.analyses.mkdir()
        write_whole(making.definition_file, definition)
        plan.write(making.plan_file)
        making.path.rename(directory.path)
    except OSError as error:
        shutil.rmtree(making.path, ignore_errors=True)
        if directory.path.exists():
            raise InputError(f"{directory.path}: there is a study of this name already") from None
        raise InputError(f"{directory.path}: cannot be written: {error.strerror}") from error
    return directory


def list_studies(runs_root: Path) -> Iterator[StudyDirectory]:
    """Every study that was started, by name."""
    root = studies_root(runs_root)
    try:
        names = [entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for name in sorted(names):
        if not name.startswith(".") and (root / name / "plan.json").is_file():
            yield StudyDirectory(root / name)


def find(runs_root: Path, reference: str) -> StudyDirectory:
    """The study named by its id, by its study file's name, or by the end of either. Raises `InputError`."""
    known = {directory.id: directory for directory in list_studies(runs_root)}
    if not known:
        raise InputError(f"STUDY: no study has been started in {runs_root} yet; see: tui-trainer study list")
    wanted = re.sub(r"[^A-Za-z0-9._-]+", "-", reference).strip("-.")
    ends = [id for id in known if wanted and id.endswith(f"-{wanted}")]
    if wanted in known:
        return known[wanted]
    if len(ends) == 1:
        return known[ends[0]]
    if ends:
        raise InputError(f"STUDY: {reference!r} could be {' or '.join(ends)}")
    raise InputError(f"STUDY: {reference[:80]!r} has not been started; started are: {', '.join(known)}")


def delete(directory: StudyDirectory) -> None:
    """Delete the study's directory; its runs stay. The caller holds the study's lock."""
    doomed = directory.path.with_name(f".deleted-{directory.id}")
    directory.path.rename(doomed)
    shutil.rmtree(doomed)
