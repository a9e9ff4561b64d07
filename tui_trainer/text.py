"""Words on their way to a person: refusals, foreign text made harmless, numbers with units."""

import os
import unicodedata
from collections.abc import Iterable

BETWEEN = " | "
"""Joins problems to one line that is taken apart again; no problem has it in its words."""
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class InputError(Exception):
    """Something asked for cannot be done; one line for each thing wrong, nothing was changed.

    The command line prints the lines and exits with status 2.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def reason(error: Exception) -> str:
    """What the system says, without the number and the path that are around it."""
    return getattr(error, "strerror", None) or str(error)


def clean(foreign: str, limit: int = 1000) -> str:
    """`foreign` on one line, without control, direction and zero-width characters, `limit` characters at most.

    Nor with variation selectors: terminals do not agree on how wide they make the character before them.
    """
    if len(foreign) <= limit and foreign.isascii() and foreign.isprintable():  # most words, and fast
        return foreign
    cut = foreign[: limit + 1]
    visible = "".join(
        " " if c in "\t\r\n" else c
        for c in cut
        if c in "\t\r\n" or not (unicodedata.category(c) in INVISIBLE or "\ufe00" <= c <= "\ufe0f")
    )
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def unicode_terminal() -> bool:
    """Whether the locale promises UTF-8. Python itself coerces `C` to UTF-8, so the variables are asked."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "C.UTF-8")
    return "utf" in named.lower()


class _StandIns(dict[int, str]):
    """Characters outside ASCII → what stands for them in as many cells, found out when first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = found = chr(code) if code < 128 else _stand_in(chr(code))
        return found


def _stand_in(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[0]  # é is e, ² is 2
    if base.isascii():
        return base
    if "\u2500" <= character < "\u2580":  # lines of boxes
        return next(
            (plain for name, plain in ((" AND ", "+"), ("HORIZ", "-"), ("VERT", "|")) if name in _name(base)), "+"
        )
    if "\u2580" <= character < "\u25a0":
        return "#"
    if "\u2800" <= character < "\u2900":  # braille
        return " " if character == "\u2800" else "."
    if unicodedata.combining(character):
        return ""
    return "??" if unicodedata.east_asian_width(character) in "WF" else "?"


def _name(character: str) -> str:
    return unicodedata.name(character, "")


_GLYPHS = (
    "●o ▲^ ■# ◆x ○% △@ □& ◇= ★* ▽v ◎$ –- —- −- …. ·. •* ×x ‖= ⏸= ✓v ✗x ◌~ ▶> ▸> ▴^ ▾v ▼v ◀< →> ←< ↑^ ↓v ≈~ ≡= ≤< ≥> √v "
    "αa εe λl φp ΔD ΣS ±~ °o ‹< ›> ‘' ’' “\" ”\" ▁_ ▂. ▃, ▄: ▅- ▆= ▇+ ░. ▒: ▓+ ▔- ▕| ▏| ▎| ▍| ▌| ▋| ▊| ▐|"
)
_STAND_INS = _StandIns({ord(pair[0]): pair[1] for pair in _GLYPHS.split()})


def in_ascii(text: str) -> str:
    """`text` in ASCII, as wide as before: glyphs by what stands for them, letters without their accents, others `?`."""
    return text if text.isascii() else text.translate(_STAND_INS)


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known word closest to `word`, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


def plural(count: int, noun: str) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """`0:31`, `12:05`, `3:04:05`; `4.2 s` under ten seconds, `51 ms` under a tenth of one."""
    if 0 < seconds < 0.0995:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes in binary units: `960 B`, `1.2 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def percent(fraction: float | None, digits: int = 2) -> str:
    """`97.86 %`, or a dash where there is no number yet."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


def loss(value: float) -> str:
    """Four decimals, `0.2310`, as far as they say something: `1.23e-04`."""
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or not value else f"{value:.2e}"


def rate(per_second: float | None, deviation: float | None = None) -> str:
    """Images a second, three significant digits: `812 images/s`, `1.24 M images/s`, `1.24 ± 0.03 M images/s`."""
    if per_second is None:
        return "–"
    limit, unit = next((known for known in ((1e6, "M "), (1e3, "k ")) if per_second >= known[0]), (1.0, ""))
    number = f"{per_second / limit:.3g}"
    spread = f" ± {deviation / limit:.{len(number.partition('.')[2])}f}" if deviation is not None else ""
    return f"{number}{spread} {unit}images/s"
