"""Which checkpoints are written when, and which of them stay."""

import errno
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_trainer.config.groups import Checkpoints
from tui_trainer.engine import checkpoint
from tui_trainer.engine.checkpoint import Meta, Snapshot, scan
from tui_trainer.runs import events, notes
from tui_trainer.runs.directory import Run
from tui_trainer.text import InputError, reason

FOR_GOOD = {"save", "every"}  # kinds that only a person deletes


class Retention:
    """The checkpoints of one run: the best so far waits in memory and is written with the next save.

    On disk, the best of the newest checkpoint is always there too: it is written first, and older files are deleted
    last.
    """

    def __init__(
        self,
        folder: Path,
        policy: Checkpoints,
        known: dict[str, events.Checkpoint],
        report: Callable[[events.AnyEvent], None],
    ) -> None:
        self.folder = folder
        self.policy = policy
        self.report = report
        self.kinds = {path.name: set(known[path.name].kinds if path.name in known else ()) for path in scan(folder)}
        self.waiting: Snapshot | None = None
        self.saved_at = time.monotonic()
        self._make_true(known)

    def _make_true(self, known: dict[str, events.Checkpoint]) -> None:
        """Say what a worker that was killed had no time to say: files it committed, and files it deleted."""
        for name in known.keys() - self.kinds.keys():
            self.report(events.Removed(file=name))
        for name in sorted(self.kinds.keys() - known.keys()):
            with suppress(InputError):
                self._announce(checkpoint.read(self.folder / name).meta)

    def keep_best(self, snapshot: Snapshot) -> None:
        self.waiting = snapshot

    def keep_waiting(self) -> None:
        """Commit the waiting best: the run has failed, and no save will follow."""
        if self.waiting is None:
            return
        try:
            self._commit(self.waiting)
        except OSError as error:
            name = self.waiting.meta.file_name
            self.report(events.Log(level="error", message=f"{name} could not be saved: {reason(error)}"))

    def is_due(self) -> bool:
        """Is it time for the automatic save at an epoch's end?"""
        return time.monotonic() - self.saved_at >= self.policy.last_seconds

    def save(self, snapshot: Snapshot) -> str:
        """Commit the waiting best, then `snapshot`, announce both, delete what is no longer needed.

        Returns what went wrong, in words, or nothing. The run goes on either way; what failed is tried again with the
        next save.
        """
        try:
            if self.waiting is not None:
                if self.waiting.meta.step == snapshot.meta.step:
                    kinds = sorted({"best", *snapshot.meta.kinds})
                    snapshot = Snapshot(msgspec.structs.replace(snapshot.meta, kinds=kinds), snapshot.tensors)
                else:
                    self._commit(self.waiting)
                    self.waiting = None
            self._commit(snapshot)
            self.waiting = None  # only now: where this save failed, the best goes with the next
        except OSError as error:
            self.saved_at = time.monotonic()
            if error.errno == errno.ENOENT and not self.folder.is_dir():
                raise  # the run itself is gone
            message = f"{snapshot.meta.file_name} could not be saved: {reason(error)}"
            self.report(events.Log(level="error", message=message))
            return message
        self.saved_at = time.monotonic()
        self._prune(snapshot)
        return ""

    def _commit(self, snapshot: Snapshot) -> None:
        if not self._is_written(snapshot):  # a file of this very position is the same state: it only gains kinds
            checkpoint.write(snapshot, self.folder)
        self._announce(snapshot.meta)

    def _announce(self, meta: Meta) -> None:
        name = meta.file_name
        self.kinds[name] = self.kinds.get(name, set()) | set(meta.kinds)
        self.report(
            events.Checkpoint(
                file=name,
                kinds=sorted(self.kinds[name]),
                epoch=meta.epoch,
                step=meta.step,
                bytes=(self.folder / name).stat().st_size,
                weights_sha256=meta.weights_sha256,
                val_accuracy=meta.val_accuracy,
            )
        )

    def _is_written(self, snapshot: Snapshot) -> bool:
        """Is this very state on disk, and sound? A damaged file that a resume passed over may bear its name."""
        path = self.folder / snapshot.meta.file_name
        if path.name not in self.kinds:
            return False
        try:
            return checkpoint.read(path).meta.weights_sha256 == snapshot.meta.weights_sha256
        except InputError:
            return False

    def _prune(self, newest: Snapshot) -> None:
        best = newest.meta.best
        try:
            pins = notes.read(Run(self.folder.parent)).pins
        except InputError:  # what a person pinned cannot be known: nothing goes until it can
            return
        for path in list(scan(self.folder)):
            kinds = self.kinds.get(path.name, set())
            is_best = best is not None and path.name.endswith(f"-s{best.step:06}.safetensors")
            stays = path.name == newest.meta.file_name or kinds & FOR_GOOD or is_best or path.name in pins
            if stays or path.name not in self.kinds:
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # the folder has just turned read-only, perhaps; tried again after the next save
                message = f"{path.name} could not be deleted: {reason(error)}"
                self.report(events.Log(level="error", message=message))
                continue
            del self.kinds[path.name]
            self.report(events.Removed(file=path.name))

    def best_file(self, snapshot: Snapshot) -> Path | None:
        """The file of the best epoch known to `snapshot`, if it is on disk."""
        best = snapshot.meta.best
        pattern = f"e*-s{best.step:06}.safetensors" if best else ""
        return next(self.folder.glob(pattern), None) if best else None
