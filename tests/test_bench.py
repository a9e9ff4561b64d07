"""`tui-trainer bench`, through the command line."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from tests.running import Cli, eventually
from tui_trainer.cli.bench import draw

QUICK = ("bench", "--device", "cpu", "--seconds", "0.01")


def test_every_width_and_batch_is_measured_and_the_printed_figures_stand_beside(cli: Cli) -> None:
    rows = json.loads(cli(*QUICK, "--widths", "8,1000", "--batches", "100,9", "--json"))
    cells = [(row["hidden_sizes"], row["batch_size"]) for row in rows]
    assert cells == [([8, 8], 100), ([8, 8], 9), ([1000, 1000], 100), ([1000, 1000], 9)]
    assert [row["printed"] for row in rows] == [None, None, 5500, None]
    assert all(row["images_per_second"] > 0 and row["device"] == "cpu" and row["optimizer"] == "adam" for row in rows)
    assert not list(cli.runs.iterdir())


def test_bars_are_aligned_and_plain_where_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    cell = {"hidden_sizes": [8, 8], "device": "cpu", "printed": None}
    draw([{**cell, "batch_size": size, "images_per_second": rate} for size, rate in ((1000, 5e5), (10, 2e4), (1, 1e3))])
    out = capsys.readouterr().out
    heading, *lines = out.splitlines()[:4]
    assert heading.split() == ["units", "batch", "device", "images/s", "printed"]
    assert [line.split()[3] for line in lines] == ["500,000", "20,000", "1,000"]
    assert len({line.index("=") for line in lines}) == 1
    longest, middle, shortest = [line.count("=") for line in lines]
    assert longest > middle > shortest > 0
    assert out.isascii()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--widths", "8,x"), "--widths: '8,x' must be whole numbers"),
        (("--batches", "0"), "--batches: '0' must be whole numbers"),
        (("--widths", "70000"), "65536"),
        (("--device", "gpu"), "training.device: 'gpu' is not one of"),
        (("--widths", ",".join(["1"] * 300), "--batches", "1,2"), "600 combinations; at most 500"),
    ],
)
def test_what_cannot_be_measured_is_refused(cli: Cli, options: tuple[str, ...], words: str) -> None:
    status, out, err = cli.result("bench", *options)
    assert (status, out) == (2, "") and words in err


def test_a_device_that_is_not_here_is_refused_by_the_job(cli: Cli) -> None:
    order = {"configs": [{}], "devices": ["mps" if sys.platform == "linux" else "cuda"]}
    command = [sys.executable, "-m", "tui_trainer.engine", "throughput", json.dumps(order)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2 and "is not available here" in json.loads(done.stdout.splitlines()[-1])["problems"][0]


def test_ctrl_c_ends_the_measurement_and_its_process(cli: Cli) -> None:
    with cli.start("bench", "--seconds", "500", "--device", "cpu") as process:
        program = psutil.Process(process.pid)
        eventually(lambda: program.children() or process.poll() is not None, "its job")
        jobs = program.children()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode and not err.strip().startswith("Traceback")
    gone, alive = psutil.wait_procs(jobs, timeout=30)
    assert gone and not alive
