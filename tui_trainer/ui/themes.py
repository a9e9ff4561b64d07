"""The two looks of the dashboard: one accent, and colours of curves that also the colour-blind tell apart."""

from textual.theme import Theme

DARK = Theme(
    name="trainer-dark",
    primary="#6cb6ff",
    accent="#6cb6ff",
    secondary="#8b949e",
    foreground="#d7dce2",
    background="#0f1318",
    surface="#0f1318",
    panel="#1b222b",
    success="#57c785",
    warning="#e3b341",
    error="#f47067",
    dark=True,
)
LIGHT = Theme(
    name="trainer-light",
    primary="#0a5bc4",
    accent="#0a5bc4",
    secondary="#57606a",
    foreground="#1f2328",
    background="#fbfbfa",
    surface="#fbfbfa",
    panel="#e9ecef",
    success="#1a7f37",
    warning="#8a5a00",
    error="#c0202a",
    dark=False,
)

THEMES = (DARK, LIGHT)

# hues of Okabe and Ito (2008), lighter on dark and darker on light than theirs, so that all reach 4.5 : 1
DARK_SERIES = ("#56b4e9", "#e69f00", "#2fc396", "#dd8fbd", "#f0e442", "#f08a5d", "#9fb6ff", "#c3c9d1")
LIGHT_SERIES = ("#0072b2", "#a85f00", "#00795a", "#a3447a", "#7a7000", "#c04a00", "#4450c8", "#4d545c")


def variables(dark: bool) -> dict[str, str]:
    """The colours of app.tcss that no theme knows: quiet text, and the lines and marks of the charts."""
    series = {f"series{n}": colour for n, colour in enumerate(DARK_SERIES if dark else LIGHT_SERIES)}
    if dark:
        return series | {
            "muted": "#8b949e",
            "faint": "#454e59",
            "train": "#6cb6ff",
            "validation": "#f0a35e",
            "best": "#f2d479",
            "saved": "#8ddb8c",
            "changed": "#dcbdfb",
        }
    return series | {
        "muted": "#57606a",
        "faint": "#b6bdc5",
        "train": "#0a5bc4",
        "validation": "#b35900",
        "best": "#8a5a00",
        "saved": "#1a7f37",
        "changed": "#7a3fb0",
    }
