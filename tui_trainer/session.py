"""Would a training outlive the session it was started from? Looks at the system's own files; asks no other program.

A worker leaves its terminal, but some systems end everything a person has started when they log out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from tui_trainer.text import clean, duration

CONFIG_FOLDERS = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd")  # by rank
YES = ("1", "yes", "y", "true", "t", "on")  # as systemd reads them
TTY_FIELD = 4  # of /proc/N/stat, counted behind the name in brackets


def warning(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> str:
    """What would end a training when the person leaves, with the remedy; empty where nothing is known to."""
    try:
        return _slurm(environment) or _container(root) or _logind(root)
    except OSError:  # folders that may not be looked into tell nothing
        return ""


def _slurm(environment: Mapping[str, str]) -> str:
    job = environment.get("SLURM_JOB_ID")
    if not job:
        return ""
    end = environment.get("SLURM_JOB_END_TIME", "")
    left = f" in {duration(max(0, int(end) - time.time()))}" if end.isdecimal() else ""
    return (
        f"training ends with Slurm job {clean(job, 40)}{left}; what must outlast this job: "
        "sbatch --wrap 'tui-trainer train … --plain'"
    )


def _container(root: Path) -> str:
    """The first process of a machine has no terminal; where it has ours, all ends when we leave it."""
    ours, first = _stat(root / "proc/self/stat"), _stat(root / "proc/1/stat")
    if not ours or not first or ours[1] == "0" or ours[1] != first[1]:
        return ""
    return (
        f"training ends with this container when its first process, {first[0]}, ends; to outlast it, start the "
        "container with docker run -d … sleep infinity and enter it with docker exec -it"
    )


def _stat(file: Path) -> tuple[str, str] | None:
    """A process's name and the number of its terminal, 0 without one."""
    try:
        before, _, after = file.read_text(errors="replace").rpartition(")")
    except OSError:
        return None
    fields = after.split()
    return (clean(before.partition("(")[2], 40), fields[TTY_FIELD]) if len(fields) > TTY_FIELD else None


def _logind(root: Path) -> str:
    """A login's own scope is ended at logout if logind is set so; the user's services end unless the user lingers."""
    user = _user()
    try:
        groups = (root / "proc/self/cgroup").read_text(errors="replace")
    except OSError:
        return ""
    lingers = (root / "var/lib/systemd/linger" / user).exists()
    if "/session-" in groups and _kills(root, user):
        first = "" if lingers else "loginctl enable-linger, then "
        return (
            "training ends when you log out (KillUserProcesses=yes); to outlast it: "
            f"{first}systemd-run --user --scope tmux, and tui-trainer in there"
        )
    if "/user@" in groups and not lingers:
        return "training ends when you log out of your last session; to outlast it: loginctl enable-linger"
    return ""


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _kills(root: Path, user: str) -> bool:
    """Does logind kill what this user has left running? A later file, and a later line, overrules."""
    folders = [root / folder for folder in CONFIG_FOLDERS]
    main = next((folder / "logind.conf" for folder in folders if (folder / "logind.conf").is_file()), None)
    extra: dict[str, Path] = {}
    for folder in reversed(folders):
        extra |= {file.name: file for file in (folder / "logind.conf.d").glob("*.conf")}
    settings = {"KillUserProcesses": "no", "KillOnlyUsers": "", "KillExcludeUsers": "root"}
    for file in [*([main] if main else []), *(extra[name] for name in sorted(extra))]:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, equals, value = line.partition("=")
            if equals and key.strip() in settings:
                settings[key.strip()] = value.strip()
    only = settings["KillOnlyUsers"].split()
    if user in settings["KillExcludeUsers"].split() or (only and user not in only):
        return False
    return settings["KillUserProcesses"].lower() in YES
