"""What a study's screen asks of the coordinator, and the ways that lead there and away."""

from pathlib import Path

from textual.widgets import Input, TextArea

from tests.dashboard import (
    LARGE,
    launcher_of,
    line_of,
    make_app,
    screen_of,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tests.studies import THREE, FakeStudy, live_study
from tui_trainer import presets
from tui_trainer.studies import notes
from tui_trainer.studies.commands import Add, First, Move, Skip, Stop
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.screens.study import StudyScreen


def open_on(fake: FakeStudy) -> TrainerApp:
    return make_app(fake.root, fake.directory)


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
                await wait_for(pilot, lambda: not screen_of(pilot, StudyScreen).asked, "the answer is heard")

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
