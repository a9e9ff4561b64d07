"""The looks of the dashboard: one accent, and colours of curves that also the colour-blind tell apart."""

from __future__ import annotations

from textual.theme import Theme

# hues of Okabe and Ito (2008), lighter on dark and darker on light than theirs, so that all reach 4.5 : 1
DARK_SERIES = ("#56b4e9", "#e69f00", "#2fc396", "#dd8fbd", "#f0e442", "#f08a5d", "#9fb6ff", "#c3c9d1")
LIGHT_SERIES = ("#0072b2", "#a85f00", "#00795a", "#a3447a", "#7a7000", "#c04a00", "#4450c8", "#4d545c")
# the same, so much further from the background that all reach 7 : 1
BRIGHT_SERIES = ("#7cc8f5", "#ffb52e", "#45dbab", "#f0a6d0", "#f7ee6a", "#ffa47d", "#b6c7ff", "#dde2e8")
DEEP_SERIES = ("#004f7d", "#6b3c00", "#00523d", "#792a59", "#504900", "#7a2e00", "#2c3796", "#363c43")
GREYS = ("#ffffff",) * 8

MARKS = ("muted", "faint", "train", "validation", "best", "saved", "changed")
"""The colours of app.tcss that no theme of textual knows: quiet text, rules, and what the charts mark."""


def _look(
    name: str,
    dark: bool,
    text: str,
    background: str,
    panel: str,
    accent: str,
    states: tuple[str, str, str],
    marks: tuple[str, ...],
    series: tuple[str, ...],
) -> Theme:
    """`states`: success, warning, error."""
    success, warning, error = states
    own = dict(zip(MARKS, marks, strict=True)) | {f"series{n}": colour for n, colour in enumerate(series)}
    return Theme(
        name=name,
        primary=accent,
        accent=accent,
        secondary=marks[0],
        foreground=text,
        background=background,
        surface=background,
        panel=panel,
        success=success,
        warning=warning,
        error=error,
        dark=dark,
        variables=own,
    )


DARK = _look(
    "trainer-dark",
    True,
    "#d7dce2",
    "#0f1318",
    "#1b222b",
    "#6cb6ff",
    ("#57c785", "#e3b341", "#f47067"),
    ("#8b949e", "#454e59", "#6cb6ff", "#f0a35e", "#f2d479", "#8ddb8c", "#dcbdfb"),
    DARK_SERIES,
)
LIGHT = _look(
    "trainer-light",
    False,
    "#1f2328",
    "#fbfbfa",
    "#e9ecef",
    "#0a5bc4",
    ("#187433", "#8a5a00", "#c0202a"),
    ("#57606a", "#b6bdc5", "#0a5bc4", "#b35900", "#8a5a00", "#187433", "#7a3fb0"),
    LIGHT_SERIES,
)
CONTRAST = _look(
    "trainer-contrast",
    True,
    "#ffffff",
    "#000000",
    "#24282d",
    "#8ccaff",
    ("#7ee8a5", "#ffd166", "#ff9c94"),
    ("#d5dbe1", "#8b949e", "#8ccaff", "#ffb877", "#ffe08a", "#a8f0a7", "#e8d2ff"),
    BRIGHT_SERIES,
)
CONTRAST_LIGHT = _look(
    "trainer-contrast-light",
    False,
    "#000000",
    "#ffffff",
    "#e4e7ea",
    "#003f94",
    ("#0a5221", "#5c3b00", "#8f0a14"),
    ("#33393f", "#6b737b", "#003f94", "#7a3600", "#5c3b00", "#0a5221", "#54218a"),
    DEEP_SERIES,
)
MONO = _look(
    "trainer-mono",
    True,
    "#ffffff",
    "#000000",
    "#101010",
    "#ffffff",
    ("#ffffff", "#ffffff", "#ffffff"),
    ("#c0c0c0", "#808080", "#ffffff", "#b0b0b0", "#ffffff", "#ffffff", "#ffffff"),
    GREYS,
)
"""No colours: what it draws loses the greys as well on its way to the terminal, see `filters.Colourless`."""

THEMES = (DARK, LIGHT, CONTRAST, CONTRAST_LIGHT, MONO)
