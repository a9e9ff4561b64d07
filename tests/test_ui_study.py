"""The study's screen: what it shows of every state, what it asks of the coordinator; and the ways that lead there."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.dashboard import launcher_of, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tests.fake_study import THREE, FakeStudy, live_study
from tui_trainer import presets
from tui_trainer.studies import notes
from tui_trainer.studies.commands import Add, First, Move, Skip, Stop
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.screens.study import StudyScreen

LARGE = (120, 40)


def open_on(fake: FakeStudy) -> TrainerApp:
    return make_app(fake.root, fake.directory)


def screen_of(pilot: Pilot[str]) -> StudyScreen:
    screen = pilot.app.screen
    assert isinstance(screen, StudyScreen)
    return screen


def order(pilot: Pilot[str]) -> list[str]:
    return screen_of(pilot).table.order


def line_of(pilot: Pilot[str], word: str) -> str:
    """The first line of the table with this word."""
    table = seen(pilot).splitlines()[4:]
    return next((line for line in table if word in line), "")


async def test_a_live_study_fills_its_table(root: Path) -> None:
    with live_study(root, seeds=2) as fake:
        fake.finish("slow", 0, accuracy=0.94)
        async with open_on(fake).run_test(size=(200, 60)) as pilot:
            await wait_to_see(pilot, "▶ running", "Three rates", "1/6 runs", "elapsed", "learning rate")
            await wait_for(pilot, lambda: "waiting 1/2" in line_of(pilot, "slow"), "one seed is done")
            assert "0.0001" in line_of(pilot, "slow")
            assert "94.00 %" in line_of(pilot, "slow")
            assert "batch size" not in seen(pilot)  # the same in every row
            fake.finish("slow", 1, accuracy=0.96)
            await wait_for(pilot, lambda: "95.00 ± 1.41 %" in line_of(pilot, "slow"), "mean and deviation")
            running = fake.begin("fast", 0).train(1, 2, 3)
            await wait_for(pilot, lambda: "▶ running 0/2" in line_of(pilot, "fast"), "a third run")
            await wait_for(pilot, lambda: "3/10" in line_of(pilot, "fast"), "its epochs")
            running.train(4)
            await wait_for(pilot, lambda: "4/10" in line_of(pilot, "fast"), "its progress")


async def test_printed_figures_claims_and_noise_stand_beside_ours(root: Path) -> None:
    fake = FakeStudy(root).take().tell("running")
    for row, accuracy in (("slow", 0.90), ("middling", 0.965), ("fast", 0.95)):
        fake.finish(row, accuracy=accuracy)
    fake.tell("finished").release()
    async with open_on(fake).run_test(size=(200, 60)) as pilot:
        await wait_to_see(pilot, "✓ finished", "3/3 runs", "1 of 2 printed figures reproduced")
        await wait_to_see(pilot, "✗ differs", "✓ reproduced", "-5.00 points", "✓ holds", "A middling rate beats")
        await wait_to_see(pilot, "seed noise is unknown", "The third row was never printed.")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("queued", ["◌ queued", "behind evaluation-report", "f first", "· waiting 2."]),
        ("stopped", ["■ stopped", "r goes on with it", "0/3 runs"]),
        ("interrupted", ["! interrupted", "r goes on with it"]),
        ("analysing", ["▶ analysing", "sharpness of slow"]),
    ],
)
async def test_every_state_has_its_words(root: Path, status: str, words: list[str]) -> None:
    fake = FakeStudy(root).take()
    if status == "queued":
        fake.tell("queued", "behind evaluation-report")
    elif status == "analysing":
        fake.tell("analysing", "sharpness of slow")
    else:
        fake.tell("running")
        if status == "stopped":
            fake.tell("stopped")
        fake.release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, *words)
    fake.release()


async def test_a_row_that_failed_and_one_that_was_interrupted(root: Path) -> None:
    fake = FakeStudy(root).take().tell("running")
    fake.begin("slow").train(1, 2)
    from tui_trainer.studies import events

    fake.write(events.Failed(member="fast/0", reason="out of memory"))
    fake.release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_for(pilot, lambda: "! interrupted" in line_of(pilot, "slow"), "the worker is gone")
        assert "✗ failed" in line_of(pilot, "fast")


async def test_r_goes_on_with_a_study_that_was_interrupted(root: Path) -> None:
    fake = FakeStudy(root).take().tell("running")
    fake.release()
    app = open_on(fake)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "! interrupted")
        launcher_of(app).then = fake.take
        await pilot.press("r")
        await wait_for(pilot, lambda: launcher_of(app).studies == [fake.directory], "a coordinator is started")
        fake.tell("running")
        await wait_to_see(pilot, "▶ running", "one run after another")
    fake.release()


async def test_stop_asks_first(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("x")
            await wait_to_see(pilot, "Stop Three rates?")
            await pilot.press("escape")
            await wait_for_screen(pilot, "StudyScreen")
            assert fake.commands == []
            await pilot.press("x", "s")
            await wait_to_see(pilot, "stopping…")
            await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Stop], "a wish to stop")
            fake.acknowledge()
            fake.tell("stopped").release()
            await wait_to_see(pilot, "■ stopped", "r goes on with it")


async def test_rows_are_dropped_moved_and_added(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "waiting 3.")

            async def sent(kind: type, **fields: object) -> None:
                await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [kind], f"{kind.__name__} is sent")
                (command,) = fake.commands
                assert {name: getattr(command, name) for name in fields} == fields
                fake.acknowledge()
                await wait_for(pilot, lambda: not screen_of(pilot).asked, "the answer is heard")

            await pilot.press("down", "less_than_sign")
            await sent(Move, row="middling", before="slow")
            await pilot.press("greater_than_sign")
            await sent(Move, row="middling", before="")
            await pilot.press("d")
            await sent(Skip, targets=["middling"])
            await pilot.press("a", *"digits name=slow", "enter")
            await wait_to_see(pilot, "there is a row 'slow' already")
            await pilot.press(*"er", "enter")
            await wait_for(pilot, lambda: len(fake.commands), "a new row")
            (command,) = fake.commands
            assert isinstance(command, Add)
            assert command.row["name"] == "slower"


async def test_a_queued_study_is_put_first_and_a_refusal_is_told(root: Path) -> None:
    fake = FakeStudy(root).take()
    fake.tell("queued", "behind another")
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "◌ queued")
        await pilot.press("f")
        await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [First], "a wish to be first")
        fake.acknowledge(ok=False, message="it is not waiting")
        await wait_for(pilot, lambda: len(pilot.app._notifications), "the refusal")
        assert "it is not waiting" in next(iter(pilot.app._notifications)).message
    fake.release()


async def test_a_live_row_is_dropped_only_after_a_question(root: Path) -> None:
    with live_study(root) as fake:
        fake.begin("slow").train(1)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_for(pilot, lambda: "▶ running" in line_of(pilot, "slow"), "it trains")
            await pilot.press("d")
            await wait_to_see(pilot, "Drop slow?")
            assert fake.commands == []
            await pilot.press("d")
            await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Skip], "a wish to skip")


async def test_enter_opens_the_run_of_a_row_and_esc_leads_back(root: Path) -> None:
    with live_study(root, seeds=2) as fake:
        fake.finish("slow", 0)
        wanted = fake.finish("slow", 1)
        alone = fake.finish("middling", 0)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_for(pilot, lambda: "✓ finished 2/2" in line_of(pilot, "slow"), "two seeds")
            await pilot.press("enter")
            await wait_to_see(pilot, "Open slow", "seed 0", "seed 1")
            await pilot.press("2")
            await wait_for_screen(pilot, "RunScreen")
            assert isinstance(pilot.app.screen, RunScreen)
            assert pilot.app.screen.run_directory == wanted.run
            await pilot.press("escape")
            await wait_for_screen(pilot, "StudyScreen")
            await pilot.press("down", "enter")
            await wait_for_screen(pilot, "RunScreen")
            assert pilot.app.screen.run_directory == alone.run
            await pilot.press("escape", "escape")
            await wait_for_screen(pilot, "HomeScreen")


async def test_sorting_by_keys_and_clicks(root: Path) -> None:
    with live_study(root) as fake:
        slow = fake.finish("slow", accuracy=0.97)
        fake.finish("middling", accuracy=0.95)
        async with open_on(fake).run_test(size=(200, 60)) as pilot:
            await wait_to_see(pilot, "97.00 %")
            assert order(pilot) == ["slow", "middling", "fast"]
            await pilot.press("O")
            await wait_for(pilot, lambda: order(pilot) == ["fast", "middling", "slow"], "the other way")
            assert screen_of(pilot).table.chosen == "slow"  # the highlight stays on its row
            header = seen(pilot).splitlines()[5]
            await pilot.click("StudyTable", offset=(header.index(" test accuracy") + 3, 1))
            await wait_for(pilot, lambda: order(pilot) == ["slow", "middling", "fast"], "best first, none last")
            await pilot.click("StudyTable", offset=(header.index(" test accuracy") + 3, 1))
            await wait_for(pilot, lambda: order(pilot) == ["middling", "slow", "fast"], "turned round, none still last")
            await pilot.click("StudyTable", offset=(5, 3))
            await wait_for_screen(pilot, "RunScreen")
            assert isinstance(pilot.app.screen, RunScreen)
            assert pilot.app.screen.run_directory == slow.run


async def test_the_filter_narrows_rows_and_hotkeys_sleep_while_typing(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "waiting 3.")
            await pilot.press("slash", *"idx")
            assert pilot.app.screen.query_one("#filter", Input).value == "idx"
            await wait_for(pilot, lambda: order(pilot) == [], "no row has this word")
            await pilot.press("backspace", "enter")
            await wait_for(pilot, lambda: order(pilot) == ["middling"], "one row has this word")
            await pilot.press("escape")
            await wait_for(pilot, lambda: order(pilot) == ["slow", "middling", "fast"], "all rows again")


async def test_charts_follow_the_table(root: Path) -> None:
    with live_study(root, seeds=2) as fake:
        for row in ("slow", "middling"):
            for seed in (0, 1):
                fake.finish(row, seed, accuracy=0.9 + seed / 50)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "validation accuracy %", "● slow  ▲ middling")
            await pilot.press("down")
            await wait_for(pilot, lambda: screen_of(pilot).charts.chosen == "middling", "the row is chosen")
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "validation loss", "y log")
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "test accuracy against learning rate")
            await pilot.press("tab", "m")
            await wait_for(pilot, lambda: "✓ finished 2/2" not in seen(pilot), "the chart has all the room")
            await pilot.press("escape")
            await wait_to_see(pilot, "✓ finished 2/2")


async def test_conclusions_are_kept_beside_the_study(root: Path) -> None:
    fake = FakeStudy(root).take().tell("finished")
    fake.release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("c")
        await wait_for_screen(pilot, "ConclusionsScreen")
        await pilot.press(*"Rates matter [b]", "escape")
        await wait_to_see(pilot, "not saved")
        await pilot.press("ctrl+s")
        await wait_for_screen(pilot, "StudyScreen")
        assert notes.conclusions(fake.directory) == "Rates matter [b]"
        await wait_to_see(pilot, "Conclusions", "Rates matter [b]")
        await pilot.press("c")
        await wait_for_screen(pilot, "ConclusionsScreen")
        assert pilot.app.screen.query_one(TextArea).text == "Rates matter [b]"


async def test_a_report_is_written_where_the_person_says(root: Path, tmp_path: Path) -> None:
    fake = FakeStudy(root).take().tell("running")
    fake.finish("slow", accuracy=0.9)
    fake.tell("finished").release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("w")
        await wait_for_screen(pilot, "ReportScreen")
        await pilot.press("down", "down", "down")
        field = pilot.app.screen.query_one(Input)
        await wait_for(pilot, lambda: field.value.endswith("three-rates.csv"), "the ending of its kind")
        field.value = str(tmp_path / "mine.csv")
        await pilot.press("enter")
        await wait_to_see(pilot, f"✓ {tmp_path}/mine.csv"[:60])
        assert "slow" in (tmp_path / "mine.csv").read_text()


async def test_foreign_words_are_shown_literally(root: Path) -> None:
    text = THREE.replace("Three rates", "[red]x[/][@click=app.exit]\\u001b]0;y\\u0007")
    text = text.replace("A middling rate", "[b]A[/b] middling\\u202e rate")
    with live_study(root, text) as fake:
        fake.finish("slow")
        async with open_on(fake).run_test(size=(200, 60)) as pilot:
            await wait_to_see(pilot, "[red]x[/][@click=app.exit]]0;y", "[b]A[/b] middling rate")
            assert "\x1b" not in seen(pilot)
            fake.directory.notes_file.write_text('conclusions = "first\\u001b[31m\\nsecond [b]"')
            await pilot.press("c")
            await wait_to_see(pilot, "first[31m", "second [b]")
            assert pilot.app.screen.query_one(TextArea).text == "first[31m\nsecond [b]"


@pytest.mark.parametrize("size", [(20, 5), (60, 12), (80, 24), (200, 60)])
async def test_every_size_shows_how_far_it_is(root: Path, size: tuple[int, int]) -> None:
    with live_study(root) as fake:
        fake.finish("slow")
        async with open_on(fake).run_test(size=size) as pilot:
            await wait_to_see(pilot, "▶ running", "1/3 runs")


async def test_narrow_screens_show_verdicts_in_place_of_charts(root: Path) -> None:
    with live_study(root) as fake:
        fake.finish("slow", accuracy=0.95)
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "validation accuracy %")
            assert "reproduced" not in seen(pilot)
            await pilot.press("v")
            await wait_to_see(pilot, "Published beside ours", "✓ reproduced")
            assert "validation accuracy %" not in seen(pilot)


async def test_home_lists_studies_and_starts_them(root: Path) -> None:
    own = presets.own_folder()
    own.mkdir(parents=True, exist_ok=True)
    file = own / "rates.study.toml"
    file.write_text(THREE)
    app = make_app(root)
    try:
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "≡ rates")
            await pilot.press("end")
            await wait_to_see(pilot, "Three rates", "3 rows", "2 printed figures and 1 claim", "a paper of 2019")
            await pilot.press("enter")
            await wait_for_screen(pilot, "StudyScreen")
            (directory,) = launcher_of(app).studies
            assert directory.plan_file.exists()
            await pilot.press("escape")
            await wait_to_see(pilot, "study · Three rates", "0/3 runs")
            await pilot.press("tab", "enter")
            await wait_for_screen(pilot, "StudyScreen")
            assert len(launcher_of(app).studies) == 1  # opened, not started again
    finally:
        file.unlink()


async def test_leaving_a_live_study_says_how_to_come_back(root: Path) -> None:
    with live_study(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_for(pilot, lambda: app._exit, "the app has left")
        assert app.return_value == "the study goes on · attach again: tui-trainer study attach three-rates"
        assert fake.commands == []


async def test_help_tells_the_keys_of_the_study_and_its_states(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=(120, 50)) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("question_mark")
            await wait_to_see(pilot, "drop row: Leave the highlighted row out", "◌ queued", "earlier: Start the row")
            assert "Cursor up" not in seen(pilot)
