"""Charts for files, drawn by matplotlib as SVG: the same data give the same bytes.

Rows are told apart by colour (Okabe and Ito's, safe for the colour-blind) and by marker. Axes and words are drawn in
`INK`, readable on white and on black; a page that knows its own colour of text may replace it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from tui_trainer.studies.measures import PER_EPOCH, Measure, measure
from tui_trainer.studies.results import Curve, Estimate, across, between, curve, groups, is_logarithmic, named, together
from tui_trainer.text import clean

if TYPE_CHECKING:
    from tui_trainer.studies.definition import Line
    from tui_trainer.studies.follow import RowState, StudyFollower

INK = "#767676"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are not formulas
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10.0,
    "lines.markersize": 4.5,
    "lines.linewidth": 1.4,
}


@dataclass(frozen=True)
class Chart:
    title: str
    svg: str
    caption: str = ""


def charts(follower: StudyFollower) -> list[Chart]:
    """Every chart of the study for which there are finished runs."""
    found: list[Chart | None] = []
    for wanted in follower.study.charts:
        series, against, field = wanted.partition(" against ")
        found.append(scatter(follower, series, field) if against else overlay(follower.rows, series))
    if follower.study.report == "evaluation-report":
        found += [setting(number, row) for number, row in enumerate(follower.rows, start=1)]
    for analysis in follower.study.analyses:
        if analysis.kind == "line":
            found.append(line(analysis, follower.analyses))
        elif analysis.kind == "throughput":
            found.append(throughput(follower.analyses.get("throughput", {})))
    return [chart for chart in found if chart]


def overlay(rows: Sequence[RowState], series: str) -> Chart | None:
    """One curve a row over epochs, the mean over seeds, with a band of ± one standard deviation."""
    words = PER_EPOCH[series]
    shown, caption = together(rows, series)
    if not shown:
        return None
    if any(len(one.points[-1].values) > 1 for one in shown):
        caption = f"{caption} Bands: ± one standard deviation over seeds.".strip()
    title = f"{_capital(words.title)} over epochs"

    def paint(axes: Axes) -> None:
        drawn = [(_curve(axes, one, words, index), one.row) for index, one in enumerate(shown)]
        axes.set(xlabel="epoch", ylabel=_label(words))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes, drawn)

    return Chart(title, _svg(paint, title), caption)


def setting(number: int, row: RowState) -> Chart | None:
    """Validation accuracy of one setting over epochs, its best epoch marked, training accuracy beside it."""
    validation, training = curve(row, "val_accuracy"), curve(row, "train_accuracy")
    if not validation or not training:
        return None
    words = PER_EPOCH["val_accuracy"]
    title = f"{number} · {clean(row.row.name, 60)}"
    best = max(range(len(validation.points)), key=lambda at: validation.points[at].mean)  # the first of equals

    def paint(axes: Axes) -> None:
        at, highest = validation.epochs[best], validation.points[best].mean
        drawn = [(_curve(axes, validation, words, 0), "validation"), (_curve(axes, training, words, 1), "training")]
        axes.axvline(at, color=INK, linewidth=0.8, linestyle=":")
        (star,) = axes.plot([at], [100 * highest], marker="*", markersize=11, color=COLOURS[0], linestyle="none")
        axes.set(xlabel="epoch", ylabel="accuracy, %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes, [*drawn, (star, f"best: epoch {at}, {words.text(highest)}")])

    return Chart(title, _svg(paint, title))


def scatter(follower: StudyFollower, name: str, field: str) -> Chart | None:
    """A measure against a field of the config; a line for each combination of the other fields that differ."""
    words, column = measure(name), named(field)
    found = groups(follower.rows, name, field, follower.analyses)
    if not found:
        return None
    numbers = [number for group in found for number, _, _ in group.points]
    texts = list(dict.fromkeys(text for group in found for _, text, _ in group.points))
    known = [number for number in numbers if number is not None]
    numeric = len(known) == len(numbers)
    title = f"{_capital(words.title)} against {column.title}"
    scale = _scale(words)

    def paint(axes: Axes) -> None:
        drawn: list[tuple[Any, str]] = []
        for index, group in enumerate(found):
            places = [
                (texts.index(text) if number is None or not numeric else number, ours)
                for number, text, ours in group.points
            ]
            places.sort(key=lambda place: place[0])
            bars = axes.errorbar(
                [place for place, _ in places],
                [scale * ours.mean for _, ours in places],
                yerr=[scale * (ours.deviation or 0.0) for _, ours in places],
                capsize=3,
                **_style(index),
            )
            drawn.append((bars, group.name))
        if not numeric:
            axes.set_xticks(range(len(texts)), [clean(text, 24) for text in texts])
        elif is_logarithmic(known):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel=column.title, ylabel=_label(words))
        if len(found) > 1:
            _legend(axes, drawn)

    spread = any(ours.deviation for group in found for _, _, ours in group.points)
    return Chart(title, _svg(paint, title), "Bars: ± one standard deviation over seeds." if spread else "")


def line(wanted: Line, analyses: dict[str, dict[str, Any]]) -> Chart | None:
    """Loss (left axis) and accuracy (right) along w(α) = α·w₂ + (1 − α)·w₁, mean and spread over seeds."""
    found = between(wanted, analyses)
    if not found:
        return None
    title = f"From {clean(wanted.first, 40)} (α = 0) to {clean(wanted.second, 40)} (α = 1)"
    alpha = found[0]["alpha"]

    def paint(axes: Axes) -> None:
        right = axes.twinx()
        right.spines["right"].set_visible(True)
        drawn = []
        for index, (split, key) in enumerate((s, k) for k in ("loss", "accuracy") for s in ("train", "test")):
            on, scale, colour = (axes, 1.0, COLOURS[0]) if key == "loss" else (right, 100.0, COLOURS[1])
            points = across(found, f"{split}_{key}")
            look: dict[str, Any] = {"color": colour, "marker": MARKERS[index], "linestyle": DASHES[split == "test"]}
            every = max(1, len(alpha) // 12)
            (curve,) = on.plot(alpha, [scale * p.mean for p in points], markevery=every, **look)
            _band(on, alpha, points, scale, colour)
            drawn.append((curve, f"{split} {key}"))
        for place in (0.0, 1.0):
            axes.axvline(place, color=INK, linewidth=0.8, linestyle=":")
        axes.set(xlabel="α", ylabel="loss")
        right.set_ylabel("accuracy, %")
        _legend(axes, drawn)

    seeds = f"{len(found)} seeds, mean and ± one standard deviation." if len(found) > 1 else "One seed."
    return Chart(title, _svg(paint, title), seeds)


def throughput(result: dict[str, Any]) -> Chart | None:
    """Images a second of each network and device as bars."""
    rows = result.get("rows", [])
    if not rows:
        return None
    names = [
        f"{'-'.join(map(str, row['hidden_sizes'])) or 'none'}, batch {row['batch_size']}, {row['device']}"
        for row in rows
    ]
    devices = list(dict.fromkeys(row["device"] for row in rows))
    title = "Throughput of this machine"

    def paint(axes: Axes) -> None:
        for at, row in enumerate(rows):
            colour = COLOURS[devices.index(row["device"]) % len(COLOURS)]
            axes.barh(at, row["images_per_second"], color=colour, height=0.6)
            axes.annotate(f" {row['images_per_second']:,.0f}", (row["images_per_second"], at), va="center")
        axes.set_yticks(range(len(names)), [clean(name, 40) for name in names])
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set(xlabel="images a second")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))

    return Chart(title, _svg(paint, title), "Hidden widths, batch size, device.")


def _curve(axes: Axes, found: Curve, words: Measure, index: int) -> Artist:
    scale = _scale(words)
    every = max(1, len(found.epochs) // 10)
    (drawn,) = axes.plot(found.epochs, [scale * p.mean for p in found.points], markevery=every, **_style(index))
    _band(axes, found.epochs, found.points, scale, COLOURS[index % len(COLOURS)])
    return drawn


def _band(axes: Axes, places: Sequence[float], points: Sequence[Estimate], scale: float, colour: str) -> None:
    if any(p.deviation for p in points):
        low = [scale * (p.mean - (p.deviation or 0.0)) for p in points]
        high = [scale * (p.mean + (p.deviation or 0.0)) for p in points]
        axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)


def _style(index: int) -> dict[str, Any]:
    """Colour and marker, the same for both in the first rows, then other dashes."""
    count = len(COLOURS)
    dashes = DASHES[index // count % len(DASHES)]
    return {"color": COLOURS[index % count], "marker": MARKERS[index % count], "linestyle": dashes}


def _scale(words: Measure) -> float:
    return 100.0 if words.unit == "%" else 1.0


def _label(words: Measure) -> str:
    unit = {"%": ", %", "s": ", seconds", "images/s": ", images/s"}.get(words.unit, "")
    return f"{words.title}{unit}"


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _legend(axes: Axes, drawn: Sequence[tuple[Any, str]]) -> None:
    """What was drawn and its name, below the axes."""
    axes.get_figure(root=True).legend(  # type: ignore[union-attr]
        [artist for artist, _ in drawn],
        [f" {clean(name, 40)}" for _, name in drawn],  # matplotlib leaves out names that begin with an underscore
        loc="outside lower center",
        ncols=min(3, len(drawn)),
        frameon=False,
    )


def _svg(paint: Callable[[Axes], None], salt: str) -> str:
    """The picture as text. `salt` keeps the ids of one page's pictures apart."""
    out = io.StringIO()
    with rc_context({**STYLE, "svg.hashsalt": salt}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's fonts draw it, not ours
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        axes.grid(color=INK, alpha=0.2, linewidth=0.6)
        paint(axes)
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()
    picture = drawn[drawn.index("<svg") :]
    return re.sub(r'<g id="[a-zA-Z_.]+_\d+">', "<g>", picture)  # names of groups: doubled where a page has two pictures
