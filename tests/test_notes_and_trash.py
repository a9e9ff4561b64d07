"""What a person notes on runs, takes away and brings back, and the disk they take."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard import FakeRun, live_run
from tests.running import Cli, make_run, quick, watched, work
from tui_trainer.runs import directory, disk, events, follow, notes, summaries, trash
from tui_trainer.text import InputError


def finished(root: Path, name: str = "", **checkpoints: int) -> FakeRun:
    """A finished run of ten epochs, the last its best; `kind=epoch` is a checkpoint it has."""
    fake = FakeRun(root, name=name).take().start().train(*range(1, 11))
    for kind, epoch in checkpoints.items():
        fake.save(epoch, kind).write_bytes(b"x" * 100)
    return fake.finish()


def test_tags_note_and_archive_are_kept_beside_what_else_a_person_wrote(root: Path) -> None:
    run = make_run(root)
    assert notes.read(run) == notes.Notes()
    run.notes_file.write_text('# mine\nlab = "b12"\ntags = ["old"]\n')
    assert notes.tag(run, ["+debug", "base-line", "-old"]).tags == ("debug", "base-line")
    notes.annotate(run, " a note\nof two lines ")
    notes.archive(run)
    assert notes.read(run) == notes.Notes(("debug", "base-line"), "a note\nof two lines", (), True)
    assert run.notes_file.read_text().startswith('# mine\nlab = "b12"\n')
    with pytest.raises(InputError, match=r"'Big' is not one[^\n]*\n[^\n]*'' is not one"):
        notes.tag(run, ["+Big", "-", "fine"])
    with pytest.raises(InputError, match="4,000"):
        notes.annotate(run, "x" * 4001)
    assert notes.read(run).note == "a note\nof two lines"


@given(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [b"tags = 3", b"format = 9", b'archived = "yes"', b"pins = [1]", b'note = "\\u001b[2J\\u202E"']
        ),
    )
)
def test_foreign_notes_are_clean_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    run = make_run(tmp_path_factory.mktemp("foreign"))
    run.notes_file.write_bytes(content)
    try:
        found = notes.read(run)
    except InputError as error:
        assert str(run.notes_file) in error.problems[0] and all(line.isprintable() for line in error.problems)
        with pytest.raises(InputError):
            notes.archive(run)  # what cannot be read is not written over
    else:
        assert "\x1b" not in found.note + "".join(found.tags)


def test_a_pinned_checkpoint_outlives_every_save_after_it(root: Path) -> None:
    run = directory.create(root, quick("epochs=5", "step_path=autograd"), "pinned", "", Path("/nowhere"))
    saved: list[str] = []

    def pin_the_first(event: events.AnyEvent) -> None:
        if isinstance(event, events.Checkpoint):
            saved.append(event.file)
            if len(saved) == 1:
                notes.pin(run, event.file)

    with watched(pin_the_first):
        state = work(run)
    kept = {path.name for path in run.checkpoints.iterdir()}
    assert saved[0] in kept and kept == state.checkpoints.keys()
    assert kept < set(saved)  # others went


def test_only_checkpoints_that_nothing_keeps_are_cleared_away(root: Path) -> None:
    fake = finished(root, every=2, save=4, best=6, last=10)
    pinned = fake.run.checkpoints / "e0006-s000240.safetensors"
    notes.pin(fake.run, pinned.name)
    found, _ = summaries.read_all(root)
    report = disk.report(found, root)
    spare = report.spare[fake.run.id]
    assert [file[:5] for file in spare] == ["e0002"] and report.spare_bytes == 100
    assert report.total.checkpoints == 400 and report.total.events == fake.run.events_file.stat().st_size
    for file, words in ((pinned.name, "is pinned"), ("../config.toml", "not a checkpoint")):
        with pytest.raises(InputError, match=words):
            disk.remove(fake.run, [file])
    fake.take()
    with pytest.raises(InputError, match="already has a worker"):
        disk.remove(fake.run, spare)
    fake.release()
    assert disk.remove(fake.run, spare) == 100
    found, _ = summaries.read_all(root)
    assert disk.report(found, root).spare == {}
    assert follow.load(fake.run).checkpoints.keys() == {path.name for path in fake.run.checkpoints.iterdir()}


def test_deleted_runs_come_back_whole_until_the_trash_is_emptied(root: Path) -> None:
    one, two = finished(root, "one").run, finished(root, "two").run
    before = follow.load(one).summary()
    trash.move(one)
    trash.move(two)
    assert not list(directory.list_runs(root)) and trash.find(root, "last").id == two.id
    assert trash.restore(trash.find(root, one.id[:-1])) == one and follow.load(one).summary() == before
    assert trash.empty(root) == 1 and trash.contents(root) == []
    assert list(directory.list_runs(root)) == [one] and list(root.glob(".*")) == []
    with pytest.raises(InputError, match="is empty"):
        trash.find(root, "last")
    with live_run(root) as fake, pytest.raises(InputError, match="already has a worker"):
        trash.move(fake.run)
    assert fake.run in directory.list_runs(root)


def test_the_command_line_notes_archives_deletes_and_brings_back(cli: Cli) -> None:
    run = finished(cli.runs, "one", every=2, last=10).run
    assert cli("tag", "last", "+debug", "-old", "seed-1") == f"{run.id}: debug seed-1\n"
    assert cli("pin", "last", "e2") == f"{run.id}: e0002-s000080.safetensors pinned\n"
    shown = json.loads(cli("runs", "--json"))[0]
    assert (shown["tags"], shown["pins"]) == (["debug", "seed-1"], ["e0002-s000080.safetensors"])
    cli("archive", "last")
    assert cli("runs") == "none of 1 run; archived ones: --archived\n"
    assert cli("delete", "last", run.id).count("\n") == 1
    assert cli("delete", "--undo") == f"{run.id}: is back\n"
    notes.pin(run, "e0002-s000080.safetensors", pinned=False)
    status, out, err = cli.result("disk", "--free")
    assert status == 2 and "nothing keeps 1 checkpoint: 100 B" in out and "--yes" in err
    assert cli("disk", "--free", "--yes").endswith("100 B freed\n")
