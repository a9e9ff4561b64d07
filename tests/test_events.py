"""The log of a run survives torn writes, foreign lines and full disks; every reader sees the same run."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_trainer.runs import events
from tui_trainer.runs.events import EventLog, Log
from tui_trainer.runs.reader import EventReader


def lines(*messages: str) -> list[events.AnyEvent]:
    return [Log(time=1.0, level="info", message=message) for message in messages]


def write(path: Path, *messages: str) -> None:
    log = EventLog(path)
    for event in lines(*messages):
        log.append(event)
    log.close()


def test_a_torn_tail_is_dropped_then_cut_wherever_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, "one", "two – with é", "three")
    whole = path.read_bytes()
    ends = [0, *(place + 1 for place, byte in enumerate(whole) if byte == ord("\n"))]
    told = lines("one", "two – with é", "three")
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        complete = sum(end <= cut for end in ends) - 1
        reader = EventReader(path)
        assert list(reader.read()) == told[:complete]
        assert reader.offset == ends[complete]
        write(path, "after")
        assert list(reader.read()) == lines("after")
        assert list(EventReader(path).read()) == [*told[:complete], *lines("after")]
        assert path.read_bytes().endswith(b"\n")
        assert not reader.unreadable


def test_a_torn_tail_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, "one")
    with path.open("ab") as stream:
        stream.write(b"x" * 200_000)
    write(path, "two")
    assert list(EventReader(path).read()) == lines("one", "two")
    assert path.stat().st_size < 1000


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b'{"type":"log"}',
        b'{"type":"log","level":"loud","message":""}',
        b'{"type":"from the future"}',
        b'{"type":"metrics","loss":NaN}',
        b'{"type":"log","level":"info","message":1}',
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"\0" * 4096,
    ],
    ids=range(12),
)
def test_a_line_that_is_no_event_is_skipped_and_counted(foreign: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, "one")
    with path.open("ab") as stream:
        stream.write(foreign + b"\n")
    write(path, "two")
    reader = EventReader(path)
    assert list(reader.read()) == lines("one", "two")
    assert reader.unreadable == 1


def test_a_line_longer_than_is_read_at_once_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 5000 + b"\n")
    write(path, "two")
    reader = EventReader(path)
    assert [*reader.read(1000), *reader.read(1000)] == lines("two") and reader.unreadable == 1
    with path.open("ab") as stream:
        stream.write(b"x" * 5000)  # not whole yet
    assert reader.read(1000) == []


def test_what_a_later_version_adds_to_an_event_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type":"log","time":1.0,"level":"info","message":"one","colour":"red"}\n')
    assert list(EventReader(path).read()) == lines("one")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(("fits", "full", "half", "read")), max_size=40))
def test_on_a_disk_that_fills_and_empties_gaps_are_stated_and_nothing_is_torn(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    log, reader = EventLog(path), EventReader(path)
    real, wrote, seen, lost, expected = os.pwrite, "fits", [], 0, []

    def pwrite(descriptor: int, line: bytes, offset: int) -> int:
        if wrote == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, line[: len(line) // 2] if wrote == "half" else line, offset)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", pwrite)
        for number, act in enumerate([*acts, "fits"]):
            if act == "read":
                before = reader.offset
                seen += [event.message for event in reader.read() if isinstance(event, Log)]
                assert reader.offset >= before
                continue
            wrote = act
            log.append(Log(level="info", message=str(number)))
            if act != "fits":
                lost += 1
                continue
            expected += [f"{lost} events could not be written and are lost"] * (lost > 0) + [str(number)]
            lost = 0
    seen += [event.message for event in reader.read() if isinstance(event, Log)]
    assert seen == expected and not reader.unreadable


def test_reading_in_small_pieces_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, *map(str, range(100)))
    reader, found = EventReader(path), list[events.AnyEvent]()
    while piece := list(reader.read(limit=200)):
        found += piece
    assert found == lines(*map(str, range(100)))


@pytest.mark.parametrize("kind", ["absent", "fifo", "directory"])
def test_where_there_is_no_log_there_are_no_events(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    assert list(EventReader(path).read()) == []
