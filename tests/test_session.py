"""Would a training outlive its session? Told from files and variables, never guessed."""

from pathlib import Path

import pytest

from tests.running import Cli
from tui_trainer import session

LOGIN = "0::/user.slice/user-1000.slice/session-3.scope"
SERVICE = "0::/user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope"
NOTHING: dict[str, str] = {}


def system(root: Path, cgroup: str = LOGIN, first_terminal: int = 0, files: dict[str, str] = NOTHING) -> Path:
    """A system's own files; `files` are those of logind."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/1").mkdir()
    (root / "proc/self/cgroup").write_text(cgroup + "\n")
    (root / "proc/self/stat").write_text("77 (a) program) S 1 77 77 34816 77 0")
    (root / "proc/1/stat").write_text(f"1 (bash) S 0 1 1 {first_terminal} 1 0")
    (root / "etc/systemd/logind.conf.d").mkdir(parents=True)
    for name, content in files.items():
        (root / "etc/systemd" / name).write_text(f"[Login]\n{content}\n")
    return root


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_user", lambda: "ada")


@pytest.mark.parametrize(
    ("files", "warns"),
    [
        ({}, False),
        ({"logind.conf": "#KillUserProcesses=yes"}, False),
        ({"logind.conf": "KillUserProcesses=yes"}, True),
        ({"logind.conf": "KillUserProcesses=yes\nKillExcludeUsers=root ada"}, False),
        ({"logind.conf": "KillUserProcesses=yes\nKillOnlyUsers=eve"}, False),
        ({"logind.conf": "KillUserProcesses=yes", "logind.conf.d/9.conf": "KillUserProcesses=no"}, False),
        ({"logind.conf.d/1.conf": "KillUserProcesses = true"}, True),
    ],
)
def test_a_login_that_kills_what_it_leaves_is_told_of(files: dict[str, str], warns: bool, tmp_path: Path) -> None:
    words = session.warning(system(tmp_path, files=files), {})
    assert ("systemd-run --user --scope" in words) == warns
    assert bool(words) == warns


def test_services_of_a_user_who_does_not_linger_end_with_the_last_session(tmp_path: Path) -> None:
    root = system(tmp_path, SERVICE)
    assert "loginctl enable-linger" in session.warning(root, {})
    (root / "var/lib/systemd/linger").mkdir(parents=True)
    (root / "var/lib/systemd/linger/ada").touch()
    assert session.warning(root, {}) == ""


def test_a_container_whose_first_process_has_our_terminal_ends_with_it(tmp_path: Path) -> None:
    assert "its first process, bash" in session.warning(system(tmp_path, "0::/", first_terminal=34816), {})


def test_a_slurm_job_takes_its_training_along(tmp_path: Path) -> None:
    words = session.warning(tmp_path, {"SLURM_JOB_ID": "4711", "SLURM_JOB_END_TIME": "0"})
    assert "Slurm job 4711" in words and "0.0 s" in words
    assert session.warning(tmp_path, {}) == ""


def test_devices_are_listed_with_the_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    out = cli("devices")
    assert "cpu" in out and "GiB free" in out and "! training ends with Slurm job 4711" in out
