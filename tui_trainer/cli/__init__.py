"""The command line: thin; every command is one call into another room, imported when it runs. Never imports torch."""

from __future__ import annotations

import codecs
import io
import os
import sys

from tui_trainer.text import InputError, clean, in_ascii, reason, unicode_terminal

INTERRUPTED = 130  # what typer makes of ctrl+c


def run() -> None:
    """Entry point. Exit status: 0 done, 1 the run failed, 2 bad input, 130 interrupted by ctrl+c."""
    if sys.platform == "win32":
        sys.exit("tui-trainer runs on Linux and macOS; on Windows use WSL")
    have_streams()
    speak_plainly()
    try:
        status = _execute(sys.argv[1:])
        sys.stdout.flush()  # here, where it can still be told that it fails
    except InputError as error:
        print("\n".join(error.problems), file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        forget_output()  # the reader has seen enough
        status = 0
    except OSError as error:
        where = str(error.filename or "the output")
        print(clean(f"{where}: {reason(error)}", 1000), file=sys.stderr)
        forget_output()
        status = 2
    if status == INTERRUPTED:
        print("cancelled", file=sys.stderr)
    sys.exit(status)


def _execute(arguments: list[str]) -> int:
    if not arguments:  # nothing to parse: typer, a tenth of a second, would only delay the first paint
        from tui_trainer.cli.dashboard import begin

        begin()
        return 0
    from tui_trainer.cli.commands import execute

    return execute(arguments)


def have_streams() -> None:
    """Python has none where the caller closed them, and gives their numbers to the next files that are opened."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - for as long as the program runs


def forget_output() -> None:
    """What is still in the buffer would fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def speak_plainly() -> None:
    """Where the locale is not UTF-8, print ASCII: a stand-in for every glyph."""
    if unicode_terminal():
        return

    def stand_in(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        return in_ascii(error.object[error.start : error.end]), error.end

    codecs.register_error("stand-in", stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="ascii", errors="stand-in")
