"""Training speed against everything its user would otherwise write or install, and against the machine's own limit.

    python -m benchmarks [--only WORKLOAD …] [--peers NAME …] [--rounds 3] [--seconds 1] [--device cpu]
                         [--step-path manual] [-o FILE.md]

Needs MNIST under TUI_TRAINER_DATA and, for all peers, the extra `bench`; a peer that is not installed is skipped by
name, one that crashes or does not answer has its reason in the table. In every round each contender is measured once,
ours first; ratios are taken within a round, and the median over the rounds counts. The table is written after every
workload, so a run that is ended early leaves what it has.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks import ours, page
from benchmarks.contenders import PeerFailedError, PeerProcess
from benchmarks.floor import Floor, measured_floor
from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS, Workload
from tui_trainer.text import InputError

HEADLINE = "setting-2"  # through the dashboard, and once from the command to the last word
WHOLE_EPOCHS = 10
NOTES = """Equal arithmetic: fp32, the same data, batches and kind of initial weights, as many threads as cores, no
validation in the time of a step. Ours runs through its real worker, events and checkpoints on, in `setting-2` with the
dashboard attached; its time of a step includes writing events and looking for commands. Everyone's first epoch is
warm-up. Epochs are short where a whole one takes long: the same first examples for all. The floor is the sum of the
measured times of the step's matrix products alone (for each shape the faster of PyTorch's `mm` and oneDNN), of
gathering the batch, and of the optimizer's memory traffic; activations, loss and calls are free in it. At batch 1 and
10 a product is mostly its call, so a compiled loop can be faster than this floor."""


@dataclass
class Result:
    """Of one workload: seconds of a step by round, ours and each peer's, and of first epochs; failures in words."""

    work: Workload
    floor: Floor | None = None
    step_path: str = ""
    ours: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)
    peers_first: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> float:
        return statistics.median(self.ours)

    def ratio(self, name: str) -> float:
        """Our throughput in the peer's: the median of the rounds."""
        return statistics.median(theirs / own for own, theirs in zip(self.ours, self.peers[name], strict=False))

    def cell(self, name: str) -> str:
        if name not in self.peers:
            return self.failed.get(name, "–")
        return f"{page.micro(statistics.median(self.peers[name]))} (×{self.ratio(name):.2f})"


def measure(work: Workload, processes: Sequence[PeerProcess], options: argparse.Namespace) -> Result:
    result = Result(work)
    measure_floor(result, options.device)
    for number in range(1, options.rounds + 1):
        try:
            own = ours.sample(work, options.seconds, options.device, work.name == HEADLINE, options.step_path)
        except (InputError, subprocess.SubprocessError) as error:
            say(f"{work.name}, round {number}: ours: {error}")
            continue
        result.ours.append(own.seconds)
        result.first.append(own.first)
        result.step_path = own.step_path
        say(f"{work.name}, round {number}: ours ({own.step_path}) {page.micro(own.seconds)} µs")
        for process in processes:
            if process.name not in result.failed:
                measure_peer(result, process, options.seconds)
    return result


def measure_floor(result: Result, device: str) -> None:
    try:
        result.floor = measured_floor(result.work.sizes, result.work.batch, result.work.optimizer, device)
    except subprocess.SubprocessError as error:
        say(f"{result.work.name}: no floor: {error}")
    else:
        say(f"{result.work.name}: floor {page.micro(result.floor.step)} µs")


def measure_peer(result: Result, process: PeerProcess, seconds: float) -> None:
    name, work = process.name, result.work
    fresh = process.process is None
    try:
        told = process.sample(work, seconds)
    except PeerFailedError as error:
        result.failed[name] = str(error)
        say(f"  {name}: {error}")
        return
    step = told["seconds"] / work.steps
    if name not in result.peers:
        result.peers_first[name] = told["warm_up"] + (process.ready if fresh else 0.0)
    result.peers.setdefault(name, []).append(step)
    say(f"  {name}: {page.micro(step)} µs, ×{step / result.ours[-1]:.2f}; first epoch {told['warm_up']:.1f} s")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def report(results: Sequence[Result], names: Sequence[str], conditions: str, whole: float | None) -> Iterator[str]:
    """The section of the page, lines of Markdown."""
    yield f"`python -m benchmarks`. {conditions}."
    yield ""
    yield from page.table(
        (
            "workload",
            "µs a step",
            "images/s",
            "the machine's floor, µs",
            "of the floor",
            "products, GFLOP/s",
            "step path",
        ),
        (
            (
                r.work.name,
                page.micro(r.own),
                f"{r.work.batch / r.own:,.0f}",
                page.micro(r.floor.step) if r.floor else "–",
                f"{100 * r.floor.step / r.own:.0f} %" if r.floor else "–",
                f"{r.floor.flops / 1e9:,.0f}" if r.floor else "–",
                r.step_path,
            )
            for r in results
            if r.ours
        ),
    )
    yield ""
    yield "Peers: µs a step, and how many times as fast ours is (medians of ratios within a round)."
    yield ""
    yield from page.table(
        ("workload", *names), ((r.work.name, *(r.cell(name) for name in names)) for r in results if r.ours)
    )
    yield ""
    headline = next((r for r in results if r.work.name == HEADLINE and r.ours), None)
    if headline:
        firsts = {"ours": statistics.median(headline.first), **headline.peers_first}
        words = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in firsts.items())
        yield f"From the command to the end of the first epoch of {HEADLINE}, compilation included: {words}."
        yield ""
    if whole is not None:
        yield (
            f"{HEADLINE} from the command to the last word, {WHOLE_EPOCHS} epochs with validation after each, "
            f"checkpoints, final tests and the dashboard: {whole:.1f} s."
        )
        yield ""
    yield NOTES


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=[*WORKLOADS], metavar="WORKLOAD", help="repeatable")
    parser.add_argument("--peers", nargs="*", choices=[*PEERS], metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a sample; at least one epoch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--step-path", choices=("auto", "manual", "autograd", "graph"), default="auto", help="ours")
    parser.add_argument("-o", "--output", type=Path, help=f"default: {page.PAGE.name}, if nothing is left out")
    options = parser.parse_args()
    whole_table = options.only is None and options.peers is None and options.step_path == "auto"
    output = options.output or (page.PAGE if whole_table else None)
    names = []
    for name in PEERS if options.peers is None else options.peers:
        if missing := PEERS[name].missing:
            say(f"{name}: skipped, not installed: {', '.join(missing)}")
        else:
            names.append(name)
    conditions = page.conditions(options.device)
    results: list[Result] = []
    whole: float | None = None
    with ExitStack() as stack:
        processes = [
            stack.enter_context(PeerProcess(name, options.device, stack.enter_context(TemporaryFile())))
            for name in names
        ]
        for key in options.only or WORKLOADS:
            results.append(measure(WORKLOADS[key], processes, options))
            if key == HEADLINE and options.step_path == "auto":
                whole = measure_whole(options.device)
            section = list(report(results, names, conditions, whole))
            if output:
                page.write(output, f"Training speed on {options.device}", section)
    print("\n".join(section))


def measure_whole(device: str) -> float | None:
    try:
        return ours.whole(WORKLOADS[HEADLINE], WHOLE_EPOCHS, device)
    except InputError as error:
        say(f"{HEADLINE}, whole: {error}")
        return None


if __name__ == "__main__":
    main()
