"""How every place looks, at two sizes; and that each has a look without Unicode and without room.

    python -m pytest tests/test_snapshots.py --snapshot-update

draws them anew; each must then be looked at.
"""

from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from tests.dashboard import LARGE, seen, wait_for
from tests.places import LARGE_TOO, PLACES
from tests.screens import frozen, in_ascii, settled

SMALL, TINY = (80, 24), (20, 5)


@pytest.mark.parametrize("name", PLACES)
async def test_place(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    picture = snapshot.use_extension(SVGImageExtension)
    with frozen(tmp_path) as world:
        place = PLACES[name](world)
        async with place.app.run_test(size=SMALL) as pilot:
            await place.reach(pilot)
            small = place.app.export_screenshot()
            large = ""
            if name in LARGE_TOO:
                await pilot.resize_terminal(*LARGE)
                await settled(pilot)
                large = place.app.export_screenshot()
            in_ascii(place.app)
            await wait_for(pilot, lambda: seen(pilot).isascii(), "plain ASCII")
            await pilot.resize_terminal(*TINY)
            await settled(pilot)
            assert seen(pilot).isascii()
        assert small == picture(name="80x24")
        assert not large or large == picture(name="120x40")
