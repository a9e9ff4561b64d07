"""Entry of every process with torch: `train`, `standby`, `fork-server`, or a one-off job."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path


def main() -> int:
    # read once, when CUDA's context is made
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # read once, when OpenMP is loaded: threads that spin long for each other stall as soon as anything else wants
    # their core (two runs on two cores were nine times slower); this short a spin costs a run alone nothing
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    job, *arguments = sys.argv[1:]
    match job:
        case "train":
            order, lock = arguments
            return train(order.encode(), int(lock))
        case "standby":
            return standby()
        case "fork-server":
            return fork_server()
        case _:
            # cancelled: what a job has half made is removed on its way out
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
            return run_job(job, arguments)


def train(order: bytes, lock: int) -> int:
    """Be the worker of the run in `order` (JSON), whose lock is held through descriptor `lock`."""
    from tui_trainer.engine.worker import read_order, work

    os.set_inheritable(lock, False)
    return work(read_order(order))


def import_ahead() -> None:
    """Import what a worker will, and what it would need late: torch.optim a compiler, small data sets sklearn."""
    import sklearn.datasets  # noqa: F401
    import torch._dynamo  # noqa: F401

    import tui_trainer.engine.worker  # noqa: F401
    from tui_trainer.engine import compiled

    compiled.library()  # built, the first time on this machine


def standby() -> int:
    """Import everything and touch the device, wait on stdin for a run and its lock, then become its worker."""
    import socket

    import torch

    import_ahead()
    torch.set_flush_denormal(True)  # as every worker does, before the threads that inherit it are made
    products = torch.zeros(256, 256, requires_grad=True) @ torch.zeros(256, 256)
    products.sum().backward()  # makes the threads, loads the libraries of matrix products
    if torch.cuda.is_available():
        torch.zeros(1, device="cuda")
    with socket.socket(fileno=0) as channel:
        order, locks, _, _ = socket.recv_fds(channel, 65_536, 1)
    return become_worker(order, locks[0]) if locks else 0  # else the dashboard has gone


def fork_server() -> int:
    """Import everything, and fork a worker for every run and lock that come in on stdin; it answers with its process.

    No device is touched, nothing computed: a fork would spoil it.
    """
    import socket

    import_ahead()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # workers that end leave no zombies
    with socket.socket(fileno=0) as channel:
        while True:
            order, locks, _, _ = socket.recv_fds(channel, 65_536, 1)
            if not locks:
                return 0  # the coordinator has gone
            if os.fork() == 0:
                channel.send(str(os.getpid()).encode())
                break
            os.close(locks[0])
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return become_worker(order, locks[0])


def become_worker(order: bytes, lock: int) -> int:
    """Let go of stdin, send all output to the run's log, and be its worker."""
    from tui_trainer.engine.worker import read_order

    wanted = read_order(order)
    os.environ.update(wanted.environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(Path(wanted.run) / "worker.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    return train(order, lock)


def run_job(job: str, arguments: list[str]) -> int:
    import json

    from tui_trainer.engine import analyses, jobs, mistakes, preflight, throughput
    from tui_trainer.text import InputError

    jobs_by_name: dict[str, Callable[..., None]] = {
        "check": jobs.check_file,
        "evaluate": jobs.evaluate_run,
        "mistakes": mistakes.find_mistakes,
        "export": jobs.export_run,
        "verify": jobs.verify_run,
        "fetch": jobs.fetch,
        "check-data": jobs.check_data,
        "throughput": throughput.throughput,
        "preflight": preflight.preflight,
        "lr-find": analyses.find_rate,
        "sharpness": analyses.measure_sharpness,
        "line": analyses.walk_line,
    }
    try:
        jobs_by_name[job](*arguments)
    except InputError as error:
        print(json.dumps({"problems": error.problems}), flush=True)
        return 2
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # taking apart all that was imported takes a second or two, in which a run that has ended would still look live, and
    # a script's next command on it be refused
    os._exit(status)
