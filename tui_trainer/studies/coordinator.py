"""The process that carries a study out: it waits its turn, keeps the slots busy, runs the analyses, and ends.

All it knows is in its events and in the runs' own directories, so it may be killed at any moment and started again.
"""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import cast

from tui_trainer.files import write_whole
from tui_trainer.runs import commands as inbox
from tui_trainer.runs.events import Event, EventLog, Log
from tui_trainer.runs.jobs import Job
from tui_trainer.runs.reader import LineReader
from tui_trainer.studies import analyses, catalogue, commands, events
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.plan import Plan
from tui_trainer.studies.queue import queue
from tui_trainer.studies.slots import slots
from tui_trainer.studies.state import StudyState, fold
from tui_trainer.studies.workers import Workers
from tui_trainer.text import InputError

LOOK = 0.05  # seconds between two looks at locks and inbox
RETRY = 5.0  # seconds until a full disk is tried again


class Coordinator:
    """The caller holds the study's lock."""

    def __init__(self, directory: StudyDirectory, jobs: int) -> None:
        self.directory = directory
        self.plan = Plan.read(directory.plan_file)
        self.study = catalogue.parse(directory.definition_file)
        self.state = StudyState.of(self.plan)
        self.queue = queue(directory.runs_root)
        self.stopping = ""
        """Why, once somebody wants the study to stop."""
        for event in LineReader(directory.events_file, events.DECODER).read(limit=-1):
            fold(self.state, event)
        self.log = EventLog(directory.events_file)
        self.jobs = jobs
        where = slots(self.state.rows, jobs)
        self.workers = Workers(directory.runs_root, self.plan.data_root, where, self.commit)
        for member in self.state.wanted:
            if id := self.state.runs.get(member.key):
                self.workers.adopt(member, id, self.state.slots.get(member.key, 0))

    def run(self, now: bool) -> int:
        """Carry the study out; `now` does not wait for its turn. Returns the exit status."""
        self._expire_commands()
        self.tell(events.Started(pid=os.getpid(), host=platform.node(), jobs=self.jobs))
        turn = None if now else self._wait_for_turn()
        try:
            while not self.stopping:
                self.tell(events.State(status="running"))
                self._train()
                self._analyse()
                if self.workers.next(self.state.wanted) is None:  # nothing was added meanwhile
                    break
        finally:
            if turn is not None:
                os.close(turn)
        self.tell(self._last_state())
        return 0

    def stop(self, why: str) -> None:
        """Stop and save the live runs, start no others, end; from any thread, or from a signal's handler."""
        self.stopping = why

    def tell(self, event: Event) -> None:
        self.log.append(event)
        self._take_in(event)

    def commit(self, event: Event) -> None:
        """Tell durably. Raises OSError where the disk does not take it."""
        self.log.commit(event)
        self._take_in(event)

    def _take_in(self, event: Event) -> None:
        fold(self.state, cast(events.AnyEvent, event))

    def _wait_for_turn(self) -> int | None:
        """The turn, or None when somebody stopped the study before."""
        self.queue.enter(self.directory)
        try:
            while not self.stopping:
                if (turn := self.queue.take_turn(self.directory)) is not None:
                    return turn
                if self.state.status != "queued":
                    self.tell(events.State(status="queued"))
                time.sleep(LOOK)
                self._obey()
        finally:
            self.queue.leave(self.directory)
        return None

    def _train(self) -> None:
        """Keep the slots busy until every wanted run has ended, or until somebody stops the study."""
        retry_at = 0.0
        while True:
            self._obey()
            self.workers.reap()
            if self.stopping:
                self.workers.stop(self.workers.live)
            else:
                self.workers.stop(self.state.skipped)
                if time.monotonic() >= retry_at:
                    try:
                        self._fill_slots()
                    except OSError as error:  # nothing is started that could not be announced
                        retry_at = time.monotonic() + RETRY
                        self.tell(Log(level="warning", message=f"no run can be started now: {error.strerror}"))
            if not self.workers.live and retry_at <= time.monotonic():
                return
            time.sleep(LOOK)

    def _fill_slots(self) -> None:
        while (slot := self.workers.free_slot) is not None:
            if (member := self.workers.next(self.state.wanted)) is None:
                self.workers.rest()
                return
            self.workers.start(member, self.state.runs.get(member.key), slot)

    def _analyse(self) -> None:
        """Run what the study works out from its finished runs, one job after another."""
        with ThreadPoolExecutor(1) as pool:
            for analysis in list(analyses.wanted(self.study, self.state, self.directory.runs_root)):
                if self.stopping:
                    return
                self.tell(events.State(status="analysing", reason=analysis.stem))
                job = Job(*analysis.arguments)
                result = pool.submit(job.result)
                while not result.done():
                    self._obey()
                    if self.stopping:
                        job.cancel()
                    time.sleep(LOOK)
                try:
                    content = analyses.as_file(result.result())
                    write_whole(self.directory.analyses / f"{analysis.stem}.json", content)
                    self.tell(events.Analysed(stem=analysis.stem))
                except (InputError, OSError) as error:
                    if not self.stopping:
                        self.tell(events.Analysed(stem=analysis.stem, reason=str(error)))

    def _last_state(self) -> events.State:
        if self.stopping:
            return events.State(status="stopped", reason=self.stopping)
        ends = Counter(self.workers.settled.values())
        total = sum(ends.values())
        words = [f"{ends[end]} of {total} runs {end}" for end in ("failed", "stopped") if ends[end]]
        return events.State(status="finished", reason=", ".join(words))

    def _obey(self) -> None:
        """Carry out what waits in the inbox, and answer each command."""
        for command in self._received():
            try:
                for event in commands.consequences(self.state, command):
                    self.tell(event)
            except InputError as error:
                self._answer(command, False, str(error))
                continue
            match command:
                case commands.Stop():
                    self.stop("asked to stop")
                case commands.First():
                    if self.state.status != "queued":
                        self._answer(command, False, "it does not wait")
                        continue
                    self.queue.enter(self.directory, first=True)
            self._answer(command, True, "")

    def _expire_commands(self) -> None:
        for command in self._received():
            self._answer(command, False, "sent before this coordinator started; expired")

    def _received(self) -> Iterator[commands.AnyCommand]:
        """Waiting commands; each one's file goes when the next is asked for, after its answer is on disk."""
        try:
            waiting = list(inbox.waiting(self.directory.inbox, commands.DECODER))
        except OSError:  # a network file system that stutters: the next look will do
            return
        for path, command in waiting:
            if command is not None and command.id not in self.state.acknowledged:
                yield command
            with suppress(OSError):  # a folder that cannot be changed any more: it has been acknowledged
                path.unlink(missing_ok=True)

    def _answer(self, command: commands.AnyCommand, ok: bool, message: str) -> None:
        name = type(command).__name__.lower()
        self.tell(events.Applied(id=command.id, command=name, ok=ok, message=message))
