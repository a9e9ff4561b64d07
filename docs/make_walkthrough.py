"""The walk-through `docs/walkthrough.cast`, recorded from the program itself: python docs/make_walkthrough.py

An asciinema file: `asciinema play docs/walkthrough.cast`. Nothing in it is made up; runs go to a folder of its own.
"""

import codecs
import json
import os
import tempfile
from pathlib import Path

from benchmarks.terminal import Screen

CAST = Path(__file__).parent / "walkthrough.cast"
LONGEST_WAIT = 60.0
UP, DOWN, LEFT, ENTER, ESCAPE = "\x1b[A", "\x1b[B", "\x1b[D", "\r", "\x1b"
STEPS = (
    # keys, words that must then be drawn, seconds to look at them
    ("", "digits", 3.0),  # home, with the guide
    (ENTER, "finished in", 4.0),  # one key trains the digits
    ("k", "checkpoints", 1.5),
    ("k", "", 0.5),
    ("w", "predicted", 4.0),  # what it confuses
    (ESCAPE, "", 1.0),
    ("b", "Rewind", 1.0),  # back over its epochs
    *((LEFT, "", 0.25) for _ in range(12)),
    ("", "", 2.0),
    (ESCAPE, "", 1.0),
    (ESCAPE, "Presets", 1.0),
    ("e", "New run", 1.5),  # the same with other settings
    ("\x07", "", 0.7),
    ("epochs", "", 0.7),
    (ENTER, "", 0.7),
    ("\x01\x0b", "", 0.5),
    ("20000", "", 1.0),
    ("\x13", "running", 5.0),
    ("l", "learning", 1.5),  # changed while it trains
    (ESCAPE, "", 0.7),
    ("p", "paused", 1.5),
    ("p", "running", 3.0),
    ("o", "", 1.5),  # the first run over this one
    (" ", "", 0.7),
    (ENTER, "", 3.0),
    ("x", "Stop", 1.5),
    ("s", "stopped", 3.0),
    (ESCAPE, "Presets", 1.0),
    ("a", "", 3.0),  # every run in a table
    (ESCAPE, "", 1.0),
    ("q", "", 0.0),
)


def record(folder: Path) -> Screen:
    own = {name: str(folder) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "TUI_TRAINER_RUNS")}
    screen = Screen(environment={**os.environ, **own, "COLORTERM": "truecolor"})
    for keys, words, seconds in STEPS:
        screen.press(keys)
        if words and not screen.read(LONGEST_WAIT, lambda drawn, words=words: words.encode() in drawn):
            raise TimeoutError(f"{words!r} was not drawn after {keys!r}")
        screen.read(seconds)
    screen.close()
    return screen


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        screen = record(Path(folder))
    began = screen.chunks[0][0]
    lines = [{"version": 2, "width": 120, "height": 40, "title": "tui-trainer"}]
    text = codecs.getincrementaldecoder("utf-8")("replace")  # a chunk may end within a character
    moments = [[round(moment - began, 3), "o", text.decode(said)] for moment, said in screen.chunks]
    CAST.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in [*lines, *moments]) + "\n")
    print(f"{CAST}: {moments[-1][0]} s, {CAST.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
