"""Reports of a study: every format, every state, whatever the words in it; the same runs give the same bytes."""

import csv
import io
import json
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from tests.dashboard import started
from tests.running import Cli
from tests.studies import Told, finished, make_study
from tui_trainer.runs.events import State
from tui_trainer.studies import follow, notes, report
from tui_trainer.studies.report.content import gather
from tui_trainer.text import clean

FORMATS: tuple[report.Format, ...] = ("md", "html", "csv", "xlsx", "json")
LAB = """
title = "MNIST evaluation report"
report = "evaluation-report"
charts = ["val_accuracy", "best_test_accuracy against regularization.weight_decay"]
tolerance = { best_test_accuracy = 0.01 }
analyses = [{ kind = "line", first = "setting-1", second = "setting-2" }, { kind = "throughput" }]
[[runs]]
preset = "evaluation-report/setting-1"
published = { best_test_accuracy = 0.955 }
[[runs]]
preset = "evaluation-report/setting-3"
name = "setting-2"
[[claims]]
text = "decay costs accuracy"
measure = "best_test_accuracy"
rows = ["setting-1", "setting-2"]
holds = "above"
"""
PLAIN = set("html head meta title style body h1 h2 p div table thead tbody tr th td strong".split())  # noqa: SIM905
LINE = {name: [0.1, 0.2, 0.3] for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")}
ANALYSES: dict[str, Any] = {
    **{f"line-setting-1-setting-2-s{seed}": {"alpha": [-1.0, 0.5, 2.0], **LINE} for seed in (0, 1)},
    "line-setting-1-setting-2-small-s0": {"alpha": [0.0], **{name: [9.0] for name in LINE}},  # of another row
    "throughput": {
        "rows": [{"device": "cpu", "hidden_sizes": [9], "batch_size": 4, "optimizer": "sgd", "images_per_second": 5e3}]
    },
}
HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>",
    "</td>",
    "&lt;",
    "\x1b[31m",
    "\u202e",
    "|",
    "`",
    "{{7*7}}",
    "]]>",
)
Words = st.lists(
    st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1
).map("".join)


def lab(root: Path, told: Told | None = None, seeds: int = 2, **options: Any) -> follow.StudyFollower:
    return follow.load(make_study(root, LAB, told, seeds, **options))


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> follow.StudyFollower:
    """Both settings with both seeds, their seeds apart by a little."""
    root = tmp_path_factory.mktemp("complete") / "runs"
    return lab(root, lambda member: finished(best_test=0.95 + 0.001 * member.seed), analyses=ANALYSES)


@pytest.mark.parametrize("format", FORMATS)
def test_a_complete_study_in_every_format(
    complete: follow.StudyFollower, format: report.Format, tmp_path: Path
) -> None:
    output = tmp_path / f"report.{format}"
    files = report.write(complete, format, output)
    assert files[0] == output and sorted(tmp_path.iterdir()) == sorted(files)
    again = tmp_path / "again" / output.name
    again.parent.mkdir()
    report.write(follow.load(complete.directory), format, again)
    assert again.read_bytes() == output.read_bytes()
    if format == "xlsx":
        return
    content = output.read_text()
    for words in ("setting-1", "0.950") if format in ("csv", "json") else ("95.05 ± 0.07 %", "✓ reproduced", "5,000"):
        assert words in content
    if format == "md":
        pictures = re.findall(r"\(<(report-\d\.svg)>\)", content)
        assert "2 seeds, mean and" in content
        assert len(pictures) == 6 and {tmp_path / name for name in pictures} == set(files[1:])


def test_the_spreadsheet_is_laid_out_like_the_lab_sheet(complete: follow.StudyFollower) -> None:
    book = load_workbook(io.BytesIO(report.render(gather(complete), "xlsx")))
    assert book.sheetnames == [
        "Report",
        "Curves",
        "Published",
        "Claims",
        "Throughput",
        "Seeds",
        "Line 1",
        "Line 2",
        "Line 3",
    ]
    sheet = book["Report"]
    grid = [[cell.value for cell in row] for row in sheet.iter_rows()]
    (header,) = [row for row in grid if "early stopping epoch" in row]
    assert len([title for title in header if title]) == 12
    at = grid.index(header)
    line = dict(zip(header, grid[at + 2], strict=True))
    assert line["batch size"] == 200 and line["weight decay"] == 0.01 and line["100-epoch training time"] == 30
    assert line["accuracy"] == pytest.approx(0.9505)
    assert sheet.cell(at + 3, header.index("accuracy") + 1).number_format == '0.00%" ± 0.07 %"'
    words = [str(row[0]) for row in grid[at + 3 :]]
    assert any(text.startswith("Validation is the test set") for text in words) and "Conclusions" in words
    assert len(sheet._charts) == 2  # type: ignore[attr-defined]  # one a setting
    curves = [[cell.value for cell in row] for row in book["Curves"].iter_rows()]
    assert curves[0] == ["epoch", "setting-1", "setting-1, sd", "setting-2", "setting-2, sd"]
    assert curves[2] == [2, 0.96, 0, 0.96, 0]
    assert len(list(book["Seeds"].iter_rows())) == 5


class Page(HTMLParser):
    """The elements of a page and its words."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nothing_else_and_its_pictures_are_sound(complete: follow.StudyFollower) -> None:
    content = report.render(gather(complete), "html").decode()
    page = Page(content)
    assert not page.elements & {"script", "link", "img", "iframe", "object"} and "svg" in page.elements
    assert all(link.startswith("#") for link in page.links)
    assert "prefers-color-scheme: dark" in content and "url(http" not in content and "@import" not in content
    for picture in re.findall(r"<svg.*?</svg>", content, re.DOTALL):
        assert ElementTree.fromstring(picture).tag.endswith("svg")
    for name in ("setting-1", "setting-2"):
        assert page.words.count(name) > 3


@settings(max_examples=20, deadline=None)
@given(title=Words, note=Words, conclusion=Words)
def test_no_words_break_out_of_a_report(title: str, note: str, conclusion: str) -> None:
    definition = {
        "title": title,
        "notes": note,
        "source": note,
        "charts": [],
        "columns": ["data.file", "test_accuracy"],
        "runs": [
            {"preset": "digits", "name": "row", "note": note, "set": {"data": "csv", "data.file": f"={title}"[:100]}}
        ],
        "claims": [{"text": note, "measure": "seconds", "holds": "falls"}],
    }
    with TemporaryDirectory() as folder:
        study = make_study(Path(folder) / "runs", tomlkit.dumps(definition))
        notes.write_conclusions(study, conclusion)
        assert notes.conclusions(study) == conclusion
        content = gather(follow.load(study))
    shown = content.title
    assert shown == (clean(title, 200).strip() or "study") == clean(shown)

    sheets = load_workbook(io.BytesIO(report.render(content, "xlsx")))
    for sheet in sheets:
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink]
    assert sheets["Report"]["A1"].value == shown or "_x" in shown

    text = {format: report.render(content, format).decode() for format in FORMATS if format != "xlsx"}
    page = Page(text["html"])
    assert page.elements <= PLAIN and shown in page.words
    cells = [cell for row in csv.reader(io.StringIO(text["csv"])) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert json.loads(text["json"])["title"] == shown
    assert not re.search(r"(?<!\\)[<`]", text["md"])
    for format in ("md", "html", "csv"):
        assert clean(text[format], 10**6) == text[format].replace("\n", " ")


STATES: dict[str, tuple[Told, str]] = {
    "waiting": (lambda member: [], "waiting"),
    "failed": (lambda member: [*finished()[:-1], State(status="failed", reason="the loss is not finite")], "failed"),
    "under way": (lambda member: [started(), finished()[1]], "interrupted"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_study_that_is_not_finished_says_so(tmp_path: Path, state: str) -> None:
    told, words = STATES[state]
    content = gather(lab(tmp_path / "runs", told, status="stopped"))
    rendered = {format: report.render(content, format) for format in FORMATS}
    for format in ("md", "html"):
        text = rendered[format].decode()
        assert "This study is stopped" in text and f"setting-1 ({words}" in text and "– not run" in text
        assert "<svg" not in text
    said = json.loads(rendered["json"])
    assert [row["state"].partition(":")[0] for row in said["rows"]] == [words] * 2
    assert said["claims"][0]["verdict"] == said["published"][0]["verdict"] == "not run"
    grid = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(rendered["xlsx"]))["Report"].iter_rows()]
    (line,) = [row for row in grid if row[0] == "setting-1"]
    assert line[-3:] == ["–"] * 3


def test_numbers_that_are_not_finite_are_told_and_break_nothing(tmp_path: Path) -> None:
    wild = {"alpha": [-1.0, 0.5, 2.0], **LINE, "train_loss": [float("inf"), 0.1, float("nan")]}
    sharpness = {f"sharpness-setting-1-s{seed}": {"sharpness": {"0.001": float("inf")}} for seed in (0, 1)}
    definition = 'columns = ["sharpness@0.001"]\n' + LAB.replace("best_test_accuracy =", '"sharpness@0.001" =')
    study = make_study(
        tmp_path / "runs", definition, seeds=2, analyses={"line-setting-1-setting-2-s0": wild, **sharpness}
    )
    content = gather(follow.load(study))
    rendered = {format: report.render(content, format) for format in FORMATS}
    assert b"| setting-1 | inf |" in rendered["md"] and b'<td class="number">inf</td>' in rendered["html"]

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    said = json.loads(rendered["json"], parse_constant=refuse)
    assert said["analyses"]["line-setting-1-setting-2-s0"]["train_loss"] == [None, 0.1, None]
    assert said["published"][0]["verdict"] == "differs"
    cell = load_workbook(io.BytesIO(rendered["xlsx"]))["Report"]["B6"]
    assert cell.value == "inf"


def test_study_report_writes_what_the_files_name_says(tmp_path: Path) -> None:
    follower = lab(tmp_path / "runs", seeds=1)
    cli = Cli(tmp_path / "runs", tmp_path / "data")
    for format, name, options in (("html", "out.html", ()), ("xlsx", "out", ("--format", "xlsx"))):
        output = tmp_path / name
        assert cli("study", "report", "study", "-o", str(output), *options) == f"{output}\n"
        here = report.render(gather(follower), format)  # type: ignore[arg-type]
        assert output.read_bytes() == here  # by another process, with another hash seed
    assert cli("study", "report", "study").startswith("# MNIST evaluation report\n")


def test_study_report_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    make_study(tmp_path / "runs", LAB, seeds=1)
    cli = Cli(tmp_path / "runs", tmp_path / "data")
    for arguments, words in (
        (("study", "--format", "xlsx", "-o", "-"), "an xlsx needs a file"),
        (("study", "-o", str(tmp_path / "no" / "x.csv")), "cannot be written"),
        (("study", "-o", str(tmp_path)), "not a regular file"),
    ):
        status, out, err = cli.result("study", "report", *arguments)
        assert (status, out) == (2, "") and words in err


def test_conclusions_are_written_read_and_edited(tmp_path: Path) -> None:
    study = make_study(tmp_path / "runs", LAB, seeds=1)
    cli = Cli(tmp_path / "runs", tmp_path / "data")
    assert cli("study", "conclusions", "study") == "none written yet\n"
    cli("study", "conclusions", "study", "Adam\nis fine")
    study.notes_file.write_text(study.notes_file.read_text() + 'tags = ["mine"]\n')
    assert cli("study", "conclusions", "study") == "Adam\nis fine\n"
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'a').write('!')\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    for name, ends in ((str(editor), "Adam\nis fine!"), ("false", "Adam\nis fine!")):
        done = subprocess.run(
            [sys.executable, "-m", "tui_trainer", "study", "conclusions", "study", "--edit"],
            env={**cli.environment, "VISUAL": name},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (0 if name == str(editor) else 2), done.stderr
        assert notes.conclusions(study) == ends
    assert tomlkit.loads(study.notes_file.read_text())["tags"] == ["mine"]
    assert not list(study.path.glob(".*"))
    study.notes_file.write_text("broken =")
    assert cli.result("study", "conclusions", "study", "x")[0] == 2
    assert study.notes_file.read_text() == "broken ="
