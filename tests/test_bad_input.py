"""What is asked for wrongly is refused: a line for each thing wrong, exit status 2, and nothing is written."""

import errno
import gzip
import os
import shutil
from pathlib import Path
from unittest import mock

import pytest

from tests.running import Cli, make_run, quick, work
from tests.test_foreign_checkpoints import Evil
from tui_trainer.runs import directory, events, launch
from tui_trainer.runs.directory import Run


def everything_under(folder: Path) -> list[tuple[str, bytes]]:
    return sorted((str(path), path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*"))


def refused(cli: Cli, *arguments: str) -> list[str]:
    """The lines of a refusal, after checking that it is one."""
    before = everything_under(cli.runs.parent)
    status, out, err = cli.result(*arguments)
    assert (status, out) == (2, ""), (status, out, err)
    assert err and err.endswith("\n") and "Traceback" not in err
    assert err.isprintable() or all(line.isprintable() for line in err.splitlines()), err
    assert not set(err) & set("│╭╰─┃━")
    assert everything_under(cli.runs.parent) == before
    return err.splitlines()


def sets(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


COMMANDS: dict[tuple[str, ...], list[str]] = {
    ("train", "digits", *sets("epoch=3")): ["--set epoch: ", "did you mean 'epochs'"],
    ("train", "digits", *sets("epochs")): ["--set 'epochs': write key=value"],
    ("train", "digits", *sets("epochs=many")): ["--set training.epochs: 'many' is not a whole number"],
    ("train", "digits", *sets("epochs=0")): ["--set: training.epochs: 0 is below the least allowed, 1"],
    ("train", "digits", *sets("learning_rate=-0.1")): ["optimizer.learning_rate: -0.1 must be above 0"],
    ("train", "digits", *sets("learning_rate=nan")): ["optimizer.learning_rate: nan is not a finite number"],
    ("train", "digits", *sets("learning_rate=1e400")): ["optimizer.learning_rate: inf"],
    ("train", "digits", *sets("hidden_sizes=64-0")): ["network.hidden_sizes.1: 0 is below the least allowed, 1"],
    ("train", "digits", *sets("hidden_sizes=999999")): ["network.hidden_sizes.0: 999999 is above the most allowed"],
    ("train", "digits", *sets("momentum=0.9")): ["--set momentum: "],
    ("train", "digits", *sets("optimizer=sdg")): ["'sdg' is not one of", "did you mean 'sgd'"],
    ("train", "digits", *sets("split=60k-10k")): ["data.split: '60k-10k' does not cut digits"],
    ("train", "digits", *sets("data=csv")): ["--set: data.file: is missing; csv needs the path of your file"],
    ("train", "digits", *sets("data=csv", "file=/nowhere/x.csv")): ["/nowhere/x.csv: cannot be read: No such file"],
    ("train", "digits", *sets("data=csv", "file=~nobody-here/x.csv")): ["~nobody-here/x.csv: cannot be read: "],
    ("train", "digits", *sets("schedule=cosin")): ["'cosin' is not one of", "did you mean 'cosine'"],
    ("train", "digits", *sets("every_epochs=2", "schedule=step")): ["every_epochs: could be schedule.every_epochs or "],
    ("train", "digits", "--from", "x"): ["RUN: there are no runs in"],
    ("train", "digit"): ["preset 'digit' is unknown (did you mean 'digits'?)"],
    ("train", "nowhere.toml"): ["nowhere.toml: cannot be read: No such file or directory"],
    ("train", "../../etc/passwd"): ["preset '../../etc/passwd' is unknown"],
    ("train",): ["Missing argument 'PRESET'"],
    ("train", "digits", "--set"): ["--set"],
    ("train", "digits", "--name", "../x"): ["--name: '../x' is not a name"],
    ("train", "digits", "--name", ""): ["--name: '' is not a name"],
    ("train", "digits", "--name", "-rf"): ["--name: '-rf' is not a name"],
    ("train", "digits", "--name", "."): ["--name: '.' is not a name"],
    ("train", "digits", "--name", "~"): ["--name: '~' is not a name"],
    ("train", "digits", "--name", "/tmp/x"): ["--name: '/tmp/x' is not a name"],
    ("train", "digits", "--name", "a\nb"): ["--name: 'a\\nb' is not a name"],
    ("train", "digits", "--name", "x" * 300): ["60 characters at most"],
    ("train", "mnist", "--runs"): ["--runs"],
    ("evaluate", "last", "--split", "all"): ["--split"],
    ("show", "last"): ["RUN: there are no runs in"],
    ("resume",): ["Missing argument 'RUN'"],
    ("fork", "last"): ["RUN: there are no runs in"],
    ("verify",): ["Missing argument 'RUN'"],
    ("set", "last"): ["Missing argument 'KEY=VALUE"],
    ("export", "last"): ["Missing option '-o'"],
    ("presets", "show", "x"): ["preset 'x' is unknown"],
    ("presets", "check", "/"): ["/: cannot be read: "],
    ("data", "check", "cifar"): ["data set 'cifar' is unknown", "known: digits, mnist"],
    ("data", "check", "/nowhere/x.npz"): ["/nowhere/x.npz: cannot be read: No such file"],
    ("data", "fetch", "mnsit"): ["did you mean 'mnist'"],
    ("data", "check", "mnist"): ["train-images-idx3-ubyte: not there; get it with: tui-trainer data fetch mnist"],
    ("fly",): ["No such command 'fly'"],
    ("--colour",): ["No such option: --colour"],
}


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments)[:50])
def test_commands(arguments: tuple[str, ...], cli: Cli) -> None:
    lines = refused(cli, *arguments)
    assert len(lines) == (4 if arguments[:3] == ("data", "check", "mnist") else 1), lines
    for words in COMMANDS[arguments]:
        assert words in lines[0]


def test_every_problem_gets_its_line(cli: Cli) -> None:
    lines = refused(cli, "train", "digits", *sets("epochs=-1", "dropout=1", "sede=3", "batch_size=x"))
    assert len(lines) == 4
    for key in ("training.epochs", "network.dropout", "sede", "training.batch_size"):
        assert sum(key in line for line in lines) == 1


FILES: dict[str, tuple[bytes, list[str]]] = {
    "unknown key": (b"[training]\nepoch = 3\n", ["training.epoch: no such setting (did you mean 'epochs'?)"]),
    "wrong type": (b'[training]\nepochs = "3"\n', ["training.epochs: '3' is not a whole number"]),
    "not TOML": (b"[training\n", ["not TOML"]),
    "not UTF-8": (b'title = "\xff"', ["not UTF-8 at byte 9"]),
    "two problems": (b"[training]\nepochs = 0\nseed = true\n", ["training.epochs: 0", "training.seed: True"]),
    "control characters": (b'"a\\u001b[2J\\nb" = 1\n', ["no such table or setting"]),
    "nested deeply": (b"data = " + b"[" * 5000, ["not TOML"]),
    "dotted deeply": (b"data." + b".".join([b"a"] * 3000) + b" = 1\n", ["data.a"]),
    "a very long number": (b"[training]\nseed = 0x" + b"f" * 9000, ["training.seed"]),
}


@pytest.mark.parametrize("name", FILES)
def test_preset_files(name: str, cli: Cli) -> None:
    content, words = FILES[name]
    path = cli.data / "own.toml"
    path.write_bytes(content)
    for command in (("presets", "check"), ("train",)):
        lines = refused(cli, *command, str(path))
        assert len(lines) == len(words), lines
        for line, expected in zip(lines, words, strict=True):
            assert line.startswith(str(path)) and expected in line and len(line) < 400


def test_missing_data_without_a_network(cli: Cli) -> None:
    (line,) = refused(cli, "train", "setting-2")
    assert "mnist" in line and "tui-trainer data fetch mnist" in line and str(cli.data) in line
    (line,) = refused(cli, "data", "fetch", "mnist")
    assert "no download was possible" in line


def corrupt(kind: str, folder: Path, real: Path) -> None:
    """A data folder as the real one, with its training labels spoilt."""
    shutil.copytree(real / "MNIST", folder / "MNIST")
    packed = folder / "MNIST/raw/train-labels-idx1-ubyte.gz"
    if not packed.exists():
        packed.with_suffix("").unlink()
    content = bytearray(gzip.decompress((real / "MNIST/raw" / packed.name).read_bytes()))
    if kind == "one label changed":
        content[1000] ^= 1
    elif kind == "another file":
        content[:4] = b"\x7fELF"
    packed.unlink(missing_ok=True)
    packed.write_bytes(gzip.compress(bytes(content))[: -9 if kind == "cut" else None])


@pytest.mark.parametrize("kind", ["one label changed", "another file", "cut"])
def test_corrupt_idx(kind: str, cli: Cli, mnist: Path) -> None:
    corrupt(kind, cli.data, mnist)
    train = [["train", "setting-2", "--plain"], ["train", "setting-2", "--detach"]]
    for command in (["data", "check", "mnist"], *(train if kind == "one label changed" else [])):
        (line,) = refused(cli, *command)
        assert "train-labels-idx1-ubyte.gz" in line


@pytest.fixture
def run(cli: Cli) -> Run:
    run = make_run(cli.runs, quick("epochs=1"))
    work(run)
    return run


def test_runs_that_are_not_there(cli: Cli, run: Run) -> None:
    other = make_run(cli.runs)
    for command in (
        "show",
        "tail",
        "attach",
        "pause",
        "resume",
        "save",
        "stop",
        "evaluate",
        "delete",
        "fork",
        "verify",
    ):
        for reference in ("9999", "", "../runs", "[bold]", "\x1b[2J") if command == "show" else ("9999",):
            (line,) = refused(cli, command, reference)
            assert line.startswith(f"RUN: no run begins with {reference!r}")
        (line,) = refused(cli, command, run.id[:4])
        assert line.startswith(f"RUN: '{run.id[:4]}' begins 2 ids") and run.id in line and other.id in line


def test_a_preset_whose_name_no_file_can_have(cli: Cli) -> None:
    (cli.data / "x.study.toml").write_text('[[runs]]\npreset = "a\\u0000.toml"\n')
    (line,) = refused(cli, "presets", "check", str(cli.data / "x.study.toml"))
    assert line.endswith("cannot be read: no file's name holds a NUL")


def test_what_only_the_worker_can_refuse_is_one_line_too(cli: Cli, run: Run) -> None:
    (line,) = refused(cli, "fork", run.id)
    assert "nothing left to train; give it more epochs or steps" in line
    (line,) = refused(cli, "train", "digits", *sets("device=mps"))
    assert "'mps' is not available here; auto would take the best" in line
    assert list(directory.list_runs(cli.runs)) == [run]


def test_a_run_without_a_worker_is_not_left_behind(cli: Cli) -> None:
    with mock.patch.object(launch, "start_detached", side_effect=OSError(errno.EAGAIN, "no more processes")):
        (line,) = refused(cli, "train", "digits", "--detach")
    assert line.endswith("no worker could be started: no more processes")


def test_a_second_worker_for_one_run(cli: Cli, run: Run) -> None:
    with launch.locked(run):
        (line,) = refused(cli, "delete", run.id)
    assert "already has a worker" in line and f"process {os.getpid()}" in line


def test_what_is_offered_as_a_checkpoint(cli: Cli, run: Run) -> None:
    import torch

    evil = cli.data / "evil.safetensors"
    torch.save(Evil(cli.runs.parent / "canary"), evil)
    os.mkfifo(cli.data / "fifo")
    for name in (str(evil), str(cli.data / "fifo"), "e0009-s000009.safetensors", "e" + 5000 * "9", "/dev/zero", ""):
        for command in ("evaluate", "fork"):
            (line,) = refused(cli, command, run.id, "--checkpoint", name)
            assert name[:190] in line and len(line) < 1000
    (line,) = refused(cli, "export", run.id, "--checkpoint", str(evil), "-o", str(cli.data / "out.pth"))
    assert str(evil) in line


def test_places_that_cannot_be_written(cli: Cli, run: Run) -> None:
    for form, place in (("csv", "/nowhere/x"), ("csv", str(cli.data)), ("pth", "/nowhere/x"), ("pth", str(cli.data))):
        (line,) = refused(cli, "export", run.id, "--format", form, "-o", place)
        assert place in line and "cannot be written" in line
    (line,) = refused(cli, "export", run.id, "-o", str(cli.data / "x"), "--names", "a,a")
    assert line.startswith("--names: 'a,a' must be 2 different names")
    (line,) = refused(cli, "export", run.id, "-o", str(cli.data / ("x" * 300)))
    assert line.endswith("cannot be written: File name too long")
    (cli.data / "file").touch()
    (line,) = refused(cli, "train", "digits", "--runs", str(cli.data / "file"))
    assert line.startswith(f"{cli.data / 'file'}: no run can be made here")


@pytest.mark.parametrize(
    "content", ["", "x", "[run]\nformat = 99\n", '[run]\nformat = "1"\n', "[run]\nformat = 1\nx = 1\n[y]"]
)
def test_a_run_whose_config_is_spoilt_spoils_no_other(content: str, cli: Cli, run: Run) -> None:
    other = make_run(cli.runs)
    other.config_file.write_text(content)
    (line,) = refused(cli, "show", other.id)
    assert line.startswith(str(other.config_file))
    status, out, err = cli.result("runs")
    assert status == 0 and run.id in out and str(other.config_file) in err


def test_spoilt_files_of_a_run_are_no_obstacle_to_seeing_it(cli: Cli, run: Run) -> None:
    os.mkfifo(run.path / "fifo")
    for path in (run.events_file, run.worker_log, run.lock_file):
        path.unlink(missing_ok=True)
        path.hardlink_to(run.path / "fifo")
    assert "! interrupted" in cli("show", run.id)


def test_foreign_text_is_shown_clean(cli: Cli) -> None:
    path = cli.data / "own.toml"
    path.write_text('title = "\\u001b]52;c;eA==\\u0007 [bold] \\u202e \\u009b31m"\nsummary = "a\\nb"\n')
    shown = cli("presets", "show", str(path))
    assert all(line.isprintable() for line in shown.splitlines()) and "[bold]" in shown
    run = make_run(cli.runs)
    log = events.EventLog(run.events_file)
    log.append(events.Log(level="info", message="\x1b[31m" + "x" * 10_000 + "\u202e"))
    log.append(events.State(status="failed", reason="\x1b]0;title\x07 [/bold]\n2"))
    for command in ("show", "tail"):
        lines = cli(command, run.id).splitlines()
        assert all(line.isprintable() and len(line) < 1100 for line in lines) and any(
            "[/bold]" in line for line in lines
        )


EVIL_LINES = {
    "a time beyond every calendar": '{"type":"log","time":1e300,"level":"info","message":""}',
    "a step that fits no machine word": '{"type":"rewound","time":1,"epoch":1,"step":9223372036854775808,"seconds":1}',
    "epochs of no steps": '{"type":"started","time":1,"pid":1,"host":"","device":"","device_name":"","threads":1,'
    '"precision":"","step_path":"","versions":{},"parameters":1,"train_examples":1,"steps_per_epoch":0}',
    "a change to no config": '{"type":"applied","time":1,"id":"x","command":"set","epoch":1,"step":2,'
    '"changes":{"optimizer.name":"nonsense"}}',
}


@pytest.mark.parametrize("line", EVIL_LINES.values(), ids=EVIL_LINES)
def test_a_line_that_means_nothing_spoils_neither_its_run_nor_the_list(line: str, cli: Cli) -> None:
    run = make_run(cli.runs)
    events.EventLog(run.events_file).append(events.State(status="finished"))
    with run.events_file.open("a") as log:
        log.write(f"{line}\n")
    assert "finished" in cli("runs") and "finished" in cli("tail", run.id)
    shown = cli("show", run.id)
    assert "finished" in shown
    assert "1 line of events.jsonl could not be read" in shown or "nonsense" in cli("tail", run.id)
