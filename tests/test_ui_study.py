"""What the study's screen shows of every state, and how its table and charts are looked through."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.dashboard import (
    LARGE,
    line_of,
    make_app,
    screen_of,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tests.studies import THREE, FakeStudy, live_study
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.screens.study import StudyScreen
from tui_trainer.ui.widgets.line import Lines


def open_on(fake: FakeStudy) -> TrainerApp:
    return make_app(fake.root, fake.directory)


def order(pilot: Pilot[str]) -> list[str]:
    return screen_of(pilot, StudyScreen).table.order


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


async def test_sorting_by_keys_and_clicks(root: Path) -> None:
    with live_study(root) as fake:
        slow = fake.finish("slow", accuracy=0.97)
        fake.finish("middling", accuracy=0.95)
        async with open_on(fake).run_test(size=(200, 60)) as pilot:
            await wait_to_see(pilot, "97.00 %")
            assert order(pilot) == ["slow", "middling", "fast"]
            await pilot.press("O")
            await wait_for(pilot, lambda: order(pilot) == ["fast", "middling", "slow"], "the other way")
            assert screen_of(pilot, StudyScreen).table.chosen == "slow"  # the highlight stays on its row
            header = seen(pilot).splitlines()[5]
            await pilot.click("StudyTable", offset=(header.index(" test accuracy") + 3, 1))
            await wait_for(pilot, lambda: order(pilot) == ["slow", "middling", "fast"], "best first, none last")
            await pilot.click("StudyTable", offset=(header.index(" test accuracy") + 3, 1))
            await wait_for(pilot, lambda: order(pilot) == ["middling", "slow", "fast"], "turned round, none still last")
            await pilot.click("StudyTable", offset=(5, 3))
            await wait_for_screen(pilot, "RunScreen")
            assert isinstance(pilot.app.screen, RunScreen)
            assert pilot.app.screen.run_directory == slow.run


async def test_a_narrow_table_shows_whole_columns_and_where_it_goes_on(root: Path) -> None:
    with live_study(root) as fake:
        fake.finish("slow", accuracy=0.97)
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "learning rate", "weights")

            def titles() -> str:
                return seen(pilot).splitlines()[5]

            assert titles().endswith("›") and "accur" not in titles()  # which would be cut
            await pilot.press("right")
            await wait_for(pilot, lambda: "‹  epoch" in titles(), "a column on")
            assert "state" not in titles() and line_of(pilot, "slow").startswith(" ● slow")  # its name stays
            await pilot.press(*["right"] * 20)
            await wait_for(pilot, lambda: "val accuracy" in titles() and "›" not in titles(), "the last column")
            await pilot.press(*["left"] * 20)
            await wait_for(pilot, lambda: "state" in titles() and "‹" not in titles(), "the first again")


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
            await wait_for(
                pilot, lambda: screen_of(pilot, StudyScreen).charts.chosen == "middling", "the row is chosen"
            )
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "validation loss", "y log")
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "test accuracy against learning rate")
            await pilot.press("tab", "m")
            await wait_for(pilot, lambda: "✓ finished 2/2" not in seen(pilot), "the chart has all the room")
            await pilot.press("escape")
            await wait_to_see(pilot, "✓ finished 2/2")


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


@pytest.mark.parametrize(("size", "keys"), [((120, 40), []), ((80, 24), ["v"]), ((120, 40), ["tab", "tab", "m"])])
async def test_verdicts_have_all_the_room_of_their_panel(root: Path, size: tuple[int, int], keys: list[str]) -> None:
    words = " ".join(map(str, range(100, 1000)))
    fake = FakeStudy(root, f'summary = "{words}"\n{THREE}').take().tell("running")
    fake.finish("slow", accuracy=0.95)
    fake.tell("finished").release()  # nothing changes any more that would have the words wrapped again
    async with open_on(fake).run_test(size=size) as pilot:
        await wait_to_see(pilot, "✓ finished", "1/3 runs")
        await pilot.press(*keys)
        panel = pilot.app.screen.query_one("#findings-panel")
        await wait_for(pilot, lambda: panel.max_scroll_y > 0, "a scroll bar")

        def filled() -> bool:
            lines = pilot.app.screen.query_one("#findings", Lines).content.plain.splitlines()
            verdict = next((line for line in lines if line.endswith("✓ reproduced")), "")
            room = panel.scrollable_content_region.width
            return len(verdict) == room and max(map(len, lines)) == room and room - 4 < len(lines[0])

        await wait_for(pilot, filled, "words wrapped to the room, a verdict at its end")


async def test_narrow_screens_show_verdicts_in_place_of_charts(root: Path) -> None:
    with live_study(root) as fake:
        fake.finish("slow", accuracy=0.95)
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "validation accuracy %")
            assert "reproduced" not in seen(pilot)
            await pilot.press("v")
            await wait_to_see(pilot, "Published beside ours", "✓ reproduced")
            assert "validation accuracy %" not in seen(pilot)


async def test_the_way_out_is_told_however_narrow(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "▶ running")
            await wait_for(pilot, lambda: "esc home" in seen(pilot).splitlines()[-1], "the way out in the footer")
            await pilot.press("escape", "a")
            await wait_for_screen(pilot, "RunsScreen")
            await wait_for(pilot, lambda: "esc back" in seen(pilot).splitlines()[-1], "the way out in the footer")


async def test_help_tells_the_keys_of_the_study_and_its_states(root: Path) -> None:
    with live_study(root) as fake:
        async with open_on(fake).run_test(size=(120, 50)) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("question_mark")
            await wait_to_see(pilot, "drop row: Leave the highlighted row out", "◌ queued", "earlier: Start the row")
            assert "Cursor up" not in seen(pilot)
