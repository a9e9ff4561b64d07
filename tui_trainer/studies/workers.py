"""The runs of a study under way: started, told to stop, looked after until their workers have gone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_trainer.runs import directory, follow
from tui_trainer.runs.directory import Run
from tui_trainer.runs.events import Event
from tui_trainer.runs.launch import ForkServer, Standby, launch, liveness, terminate
from tui_trainer.studies import events
from tui_trainer.studies.plan import Member
from tui_trainer.studies.slots import Slot
from tui_trainer.text import InputError

MOST_DEATHS = 3  # of a run's workers in a row, without a step further than before


@dataclass
class Live:
    member: Member
    run: Run
    slot: int
    told_to_stop: bool = False


class Workers:
    """`commit` writes an event durably, which must come before the directory it announces."""

    def __init__(
        self, runs_root: Path, data_root: Path, slots: Sequence[Slot], commit: Callable[[Event], None]
    ) -> None:
        self.runs_root = runs_root
        self.data_root = data_root
        self.slots = slots
        self.commit = commit
        self.live: dict[str, Live] = {}
        self.settled: dict[str, str] = {}
        """Members that need no worker any more → how their runs ended."""
        self.reached: dict[str, tuple[int, int]] = {}
        """Member → the furthest step of any of its workers, and deaths since it was reached."""
        self.fork_server: ForkServer | None = None
        self.standbys: dict[int, Standby] = {}

    @property
    def free_slot(self) -> int | None:
        if len(self.live) >= len(self.slots):  # with runs of an earlier coordinator there may be more
            return None
        taken = {live.slot for live in self.live.values()}
        return next((slot for slot in range(len(self.slots)) if slot not in taken), None)

    def next(self, wanted: Sequence[Member]) -> Member | None:
        return next((m for m in wanted if m.key not in self.settled and m.key not in self.live), None)

    def adopt(self, member: Member, id: str, slot: int) -> None:
        """Look after the run if it has a worker that an earlier coordinator started."""
        run = Run(self.runs_root / id)
        if liveness(run) == "alive":
            self.live[member.key] = Live(member, run, slot % len(self.slots))

    def start(self, member: Member, id: str | None, slot: int) -> None:
        """Start the member's run, or go on with it where it stands; one that has ended is settled.

        `id`: announced before; the directory may be there whole, in part, or not at all.
        """
        try:
            run = self._directory(member, id)
            state = follow.load(run)
            if state.status == "finished" or (state.status == "failed" and state.started):
                self.settled[member.key] = state.status
                return
            launch(run, self.data_root, standby=self._prepared(slot), environment=self.slots[slot])
        except InputError as error:
            self._give_up(member, "; ".join(error.problems))
            return
        self.live[member.key] = Live(member, run, slot)
        self.commit(events.Launched(member=member.key, slot=slot))

    def _prepared(self, slot: int) -> Standby | None:
        """A process that has torch imported already, if there is one; the next one for this slot is warmed up."""
        if sys.platform == "linux" and not self.slots[slot]:
            self.fork_server = self.fork_server or ForkServer()
            return self.fork_server
        # neither CUDA nor the libraries of macOS survive a fork
        ready = self.standbys.pop(slot, None)
        self.standbys[slot] = Standby(self.slots[slot])
        return ready

    def rest(self) -> None:
        """Let go of prepared processes while no run is to be started."""
        for prepared in (*self.standbys.values(), *([self.fork_server] if self.fork_server else [])):
            prepared.dismiss()
        self.standbys.clear()
        self.fork_server = None

    def _directory(self, member: Member, id: str | None) -> Run:
        if not id:
            id = directory.new_id(member.run_name)
            self.commit(events.Announced(member=member.key, run=id))
        run = Run(self.runs_root / id)
        if run.config_file.exists():
            return run
        if run.path.exists():  # its making was cut short; the config is written last
            shutil.rmtree(run.path)
        return directory.create(self.runs_root, member.config, member.run_name, member.preset, self.data_root, id=id)

    def reap(self) -> bool:
        """Take note of workers that have gone; True when there were any. A killed one's run is left to be resumed."""
        gone = [live for live in self.live.values() if liveness(live.run) != "alive"]
        for live in gone:
            del self.live[live.member.key]
            try:
                self._settle(live)
            except InputError as error:  # its directory has gone, or is not readable any more
                self._give_up(live.member, "; ".join(error.problems))
        return bool(gone)

    def _settle(self, live: Live) -> None:
        state, key = follow.load(live.run), live.member.key
        if state.status == "failed" and not state.started:
            self._give_up(live.member, state.reason)
        elif state.status != "interrupted":
            self.settled[key] = state.status
        else:
            step, deaths = self.reached.get(key, (-1, 0))
            deaths = 1 if state.step > step else deaths + 1
            self.reached[key] = (max(step, state.step), deaths)
            if deaths >= MOST_DEATHS:
                self._give_up(live.member, f"its worker died {deaths} times at step {state.step:,}: {state.reason}")

    def _give_up(self, member: Member, reason: str) -> None:
        self.settled[member.key] = "failed"
        self.commit(events.Failed(member=member.key, reason=reason))

    def stop(self, keys: Container[str]) -> None:
        """Tell the workers of these members to save and end."""
        for key, live in self.live.items():
            if key in keys and not live.told_to_stop:
                terminate(live.run)
                live.told_to_stop = True
