"""Start a detached worker, and tell whether one lives. The lock decides, never a process number alone."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from tui_trainer.files import open_regular
from tui_trainer.runs.directory import Run
from tui_trainer.text import InputError

LAST_WORDS = 4096  # bytes: what the last event of a run fits in
Liveness = Literal["alive", "dead", "unknown"]
Role = Literal["worker", "job", "coordinator"]


class Locked(Protocol):
    """A directory that one process at a time works on: a run's, or a study's."""

    @property
    def id(self) -> str: ...

    @property
    def lock_file(self) -> Path: ...


@dataclass(frozen=True)
class Owner:
    """Who holds, or last held, a lock."""

    pid: int
    process_started: float
    boot: str
    host: str
    role: Role = "worker"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(round(psutil.boot_time()))


def owner_of(pid: int, role: Role) -> Owner:
    import psutil

    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:  # already gone
        started = 0.0
    return Owner(pid, started, _boot_id(), platform.node(), role)


def sign(descriptor: int, owner: Owner) -> None:
    """Write the holder's name into the lock file it holds."""
    content = json.dumps(asdict(owner)).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)


def owner(place: Locked) -> Owner | None:
    """Who signed the lock file last; None when nobody did."""
    try:
        with open_regular(place.lock_file) as stream:
            return Owner(**json.loads(stream.read(4096)))
    except (OSError, ValueError, TypeError):
        return None


def take_lock(place: Locked) -> int:
    """The lock, held through the returned descriptor. Raises `InputError` when somebody holds it."""
    try:
        descriptor = os.open(place.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise InputError(f"{place.lock_file}: cannot be written: {error.strerror}") from error
    seen_held = 0
    for _ in range(3000):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            seen_held += not _is_only_probed(descriptor)
        if seen_held == 25:
            break
        time.sleep(0.01)
    os.close(descriptor)
    holder = owner(place)
    role = "coordinator" if holder and holder.role == "coordinator" else "worker"
    raise InputError(f"{place.id}: already has a {role}{f' (process {holder.pid} on {holder.host})' if holder else ''}")


def _is_only_probed(descriptor: int) -> bool:
    """A reader shares the lock for the instant of its probe, long on a busy machine; an owner never does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


@contextmanager
def locked(place: Locked) -> Iterator[None]:
    """Hold the lock for a short piece of work on the directory."""
    descriptor = take_lock(place)
    try:
        sign(descriptor, owner_of(os.getpid(), "job"))
        yield
    finally:
        os.close(descriptor)


def liveness(place: Locked) -> Liveness:
    """Does a process hold the lock? `unknown`: the last holder was on another host, whose locks may not show."""
    try:
        descriptor = os.open(place.lock_file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return "dead"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "alive"
    finally:
        os.close(descriptor)
    holder = owner(place)
    return "unknown" if holder and holder.host != platform.node() else "dead"


def kill(place: Locked) -> None:
    """End who holds the lock at once."""
    _signal(place, signal.SIGKILL)


def terminate(place: Locked) -> None:
    """Ask who holds the lock to save and end, also one that is only starting and takes no commands yet."""
    _signal(place, signal.SIGTERM)


def _signal(place: Locked, number: signal.Signals) -> None:
    """A process number that now belongs to somebody else is never signalled."""
    import psutil

    holder = owner(place)
    if holder is None or holder.host != platform.node() or liveness(place) != "alive":
        return
    try:
        process = psutil.Process(holder.pid)
        if process.create_time() == holder.process_started:
            process.send_signal(number)
    except psutil.Error:
        return


def why_interrupted(place: Locked, log: Path) -> str:
    """What is known about the end of a worker or coordinator that left no last word; `log` is its output."""
    holder = owner(place)
    if holder and holder.boot != _boot_id():
        return "the machine was restarted"
    try:
        with open_regular(log) as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 2000))
            lines = stream.read().decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    role = "coordinator" if holder and holder.role == "coordinator" else "worker"
    if lines:
        return lines[-1]
    with suppress(OSError):
        if shutil.disk_usage(log.parent).free < LAST_WORDS:
            return f"the disk is full, so the {role} could not say how it ended"
    return f"the {role} was killed (by hand, or by the system for its memory)"


def worker_command(*arguments: str) -> list[str]:
    """The command line of an engine process: a worker, a standby or a job."""
    # -P: a torch.py in the current folder must not become the worker's torch
    return [sys.executable, "-P", "-m", "tui_trainer.engine", *arguments]


class Standby:
    """A process that has already imported torch and waits for a run, to become its worker."""

    job = "standby"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.ours, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
        )
        with theirs:
            self.process = subprocess.Popen(
                worker_command(self.job),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    def hand_over(self, order: bytes, lock: int) -> int | None:
        """Give it a run and the run's lock; the worker's process, or None when it is no longer there."""
        try:
            socket.send_fds(self.ours, [order], [lock])
        except OSError:
            return None
        finally:
            self.ours.close()
        return self.process.pid if self.process.poll() is None else None

    def dismiss(self) -> None:
        self.ours.close()


class ForkServer(Standby):
    """A process that has already imported torch and forks a worker for every run it is handed; one a coordinator.

    A worker of its own then costs milliseconds, not the second or more of an import. It never touches a device, which
    a fork would spoil.
    """

    job = "fork-server"

    def hand_over(self, order: bytes, lock: int) -> int | None:
        self.ours.settimeout(60)
        try:
            socket.send_fds(self.ours, [order], [lock])
            return int(self.ours.recv(32) or 0) or None
        except OSError:
            return None


def launch(
    run: Run,
    data_root: Path,
    changes: Mapping[str, Any] | None = None,
    approximate: bool = False,
    standby: Standby | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Start a worker on the run, detached from this terminal; a standby takes it over if there is one.

    The lock is taken here and handed on, so there is no moment at which the run looks dead. Raises `InputError` when
    the run has a worker already. `changes` are made where the run stands; `approximate` resumes even where machine or
    versions changed, and so would the bits. `environment` is the worker's besides ours: which GPU it may see.
    """
    lock = take_lock(run)
    try:
        os.ftruncate(lock, 0)  # until the new worker's name is in it, it names nobody: its last holder has gone
        order = json.dumps(
            {
                "run": str(run.path.absolute()),
                "data": str(data_root.absolute()),
                "changes": dict(changes or {}),
                "approximate": approximate,
                "environment": dict(environment or {}),
            }
        )
        if standby is not None and (pid := standby.hand_over(order.encode(), lock)):
            sign(lock, owner_of(pid, "worker"))
            return
        worker = start_detached(worker_command("train", order, str(lock)), run.worker_log, lock, environment)
        sign(lock, owner_of(worker.pid, "worker"))  # so that readers know of the new worker before its first word
    except OSError as error:
        raise InputError(f"{run.path}: no worker could be started: {error.strerror}") from error
    finally:
        os.close(lock)


def start_detached(
    command: list[str], log: Path, lock: int, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one and holds the lock it is given. Raises OSError."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock,),
            env={**os.environ, **(environment or {})},
        )
