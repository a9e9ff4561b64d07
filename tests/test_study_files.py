"""Study files: what is wrong in one is told line by line; the bundled ones are sound and say what was printed."""

from pathlib import Path

import pytest

from tests.running import Cli
from tests.test_bad_input import refused
from tests.test_presets import spoil
from tui_trainer import presets
from tui_trainer.studies import catalogue, plan
from tui_trainer.studies.measures import measure
from tui_trainer.text import InputError

RUN = '[[runs]]\npreset = "digits"\n'
BUNDLED = [name for name, _ in catalogue.files()]


def written(folder: Path, content: str | bytes, name: str = "own") -> Path:
    path = folder / f"{name}.study.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FILES: dict[str, tuple[str | bytes, list[str]]] = {
    "no runs": ("", ["runs: is missing; a study needs [[runs]] or [[grids]]"]),
    "unknown key": ("titel = 'x'\n" + RUN, ["titel: no such key (did you mean 'title'?)"]),
    "unknown key of a run": (RUN + "sets = {}\n", ["runs.0.sets: no such key (did you mean 'set'?)"]),
    "no preset": ("[[runs]]\n", ["runs.0.preset: is missing"]),
    "unknown preset": ('[[runs]]\npreset = "digit"\n', ["runs.0: preset 'digit' is unknown (did you mean 'digits'?)"]),
    "wrong types": (
        "seeds = true\ntitle = 3\none_at_a_time = 1\n" + RUN,
        ["title: 3 is not a text", "seeds: True is not a whole number", "one_at_a_time: 1 is neither true nor false"],
    ),
    "limits": ("seeds = 0\n" + RUN, ["seeds: 0 is below the least allowed, 1"]),
    "infinite": ("[tolerance]\nval_loss = inf\n" + RUN, ["tolerance.val_loss: inf is not a finite number"]),
    "no list": ("runs = 3\n", ["runs: 3 is not a list"]),
    "no table": ("set = 3\n" + RUN, ["set: 3 is not a table"]),
    "unknown field": (RUN + "set.epoch = 3\n", ["runs.0.set.epoch: no such setting (did you mean 'epochs'?)"]),
    "bad values": (
        RUN + "set = { epochs = 0, dropout = [2.0] }\n",
        ["runs.0.set.network.dropout", "runs.0.set.training.epochs: 0 is below the least allowed, 1"],
    ),
    "two rows of one name": (RUN + RUN, ["runs.1: a second row is called 'digits'"]),
    "empty grid": ('[[grids]]\npreset = "digits"\nfields = {}\n', ["grids.0.fields: is empty"]),
    "grid over nothing": (
        '[[grids]]\npreset = "digits"\nfields.epochs = []\n',
        ["grids.0.fields.epochs: has no values"],
    ),
    "a million runs": (
        f'[[grids]]\npreset = "digits"\nfields = {{ epochs = {list(range(1, 1001))}, seed = {list(range(1000))} }}\n',
        ["grids.0: 1,000,000 combinations, more than 1,000; take fewer values, or set most ("],
    ),
    "unknown measures": (
        "columns = ['val_acuracy', 'epochs']\n[tolerance]\nloss = 1.0\n" + RUN + "published = { best = 1.0 }\n",
        [
            "runs.0.published: 'best' is no measure",
            "tolerance: 'loss' is no measure",
            "columns: 'val_acuracy' is neither a field, by its whole path, nor a measure (did you mean 'val_accuracy'",
            "columns: 'epochs' is neither a field",
        ],
    ),
    "unknown charts": (
        "charts = ['best_epoch', 'x against training.epochs', 'seconds against epochs', 'seconds against y']\n" + RUN,
        [
            "charts: 'best_epoch' is not measured every epoch",
            "charts: 'x' is no measure",
            "charts: 'epochs': write the whole path, training.epochs",
            "charts: 'y': no such setting",
        ],
    ),
    "claims": (
        RUN
        + '[[claims]]\ntext = "a"\nmeasure = "time"\nholds = "falls"\nrows = ["digts"]\n'
        + '[[claims]]\ntext = "b"\nmeasure = "seconds"\nholds = "above"\n'
        + '[[claims]]\ntext = "c"\nmeasure = "seconds"\nholds = "grows"\n',
        ["claims.2.holds: 'grows' is not one of falls, rises, ratio, below or above"],
    ),
    "claims about nothing": (
        RUN
        + '[[claims]]\ntext = "a"\nmeasure = "time"\nholds = "falls"\nrows = ["digts"]\n'
        + '[[claims]]\ntext = "b"\nmeasure = "seconds"\nholds = "above"\n',
        [
            "claims.0.rows: 'digts' is not a row (did you mean 'digits'?)",
            "claims.0.rows: falls needs two rows or more",
            "claims.1.rows: above compares two rows, here are 0",
            "claims.0.measure: 'time' is no measure",
        ],
    ),
    "analyses": (
        RUN + '[[analyses]]\nkind = "curve"\n[[analyses]]\n',
        ["analyses.0: ", "analyses.1.kind: is missing; one of sharpness, line, throughput"],
    ),
    "analyses of nothing": (
        RUN + '[[analyses]]\nkind = "line"\nfirst = "a"\nsecond = "digits"\n[[analyses]]\nkind = "sharpness"\n'
        "epsilons = [0.0]\n",
        ["analyses.0.first: 'a' is not a row", "analyses.1.epsilons: 0.0 must be above 0 and at most 1"],
    ),
    "control characters": ('"\\u001b[2J" = 1\n' + RUN, ["[2J: no such key"]),
    "not UTF-8": (b'title = "\xff"', ["not UTF-8 at byte 9"]),
    "not TOML": ("[[runs]", ["not TOML"]),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_is_told_in_a_line_each(name: str, tmp_path: Path) -> None:
    content, words = FILES[name]
    path = written(tmp_path, content)
    with pytest.raises(InputError) as refusal:
        catalogue.load(str(path))
    lines = refusal.value.problems
    assert len(lines) == len(words), lines
    for line, expected in zip(lines, words, strict=True):
        assert line.startswith(f"{path}: {expected}") and line.isprintable() and len(line) < 500


def test_the_command_line_refuses_it_before_anything_is_written(cli: Cli) -> None:
    path = str(written(cli.data, FILES["a million runs"][0]))
    for command in (("presets", "check"), ("study", "run")):
        (line,) = refused(cli, *command, path)
        assert "1,000,000 combinations" in line
    sound = str(written(cli.data, RUN, "sound"))
    assert cli("presets", "check", sound) == f"{sound}: sound; 1 rows, 1 runs\n"
    for options, words in {
        ("--jobs", "0"): "--jobs: '0' is neither auto nor a number from 1 to 1024",
        ("--seeds", "0"): "--seeds",
        ("--set", "epoch=3"): "--set epoch: no such setting",
        ("--device", "tpu"): "'tpu' is not one of",
        ("--as", "../x"): "--as: '../x' is not a name",
    }.items():
        (line,) = refused(cli, "study", "run", sound, *options)
        assert words in line
    (line,) = refused(cli, "study", "run", "evaluation-repot")
    assert (
        line == "study 'evaluation-repot' is unknown (did you mean 'evaluation-report'?); see: tui-trainer study list"
    )
    for verb in ("show", "stop", "delete"):
        (line,) = refused(cli, "study", verb, "table-1")
        assert line.startswith("STUDY: no study has been started in")
    (line,) = refused(cli, "train", "digits", "--queue", "--from", "last")
    assert line.startswith("RUN: ") or line.startswith("--queue: ")


@pytest.mark.parametrize("kind", ["gigabyte", "fifo", "directory", "device", "UTF-16", "deep", "deep tables", "twice"])
def test_files_that_are_none(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "own.study.toml"
    spoil(kind, path)
    with pytest.raises(InputError) as refusal:
        catalogue.load(str(path))
    assert all(line.startswith(str(path)) and line.isprintable() for line in refusal.value.problems)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + RUN.encode(), RUN.replace("\n", "\r\n").encode()])
def test_files_as_editors_write_them(content: bytes, tmp_path: Path) -> None:
    assert catalogue.load(str(written(tmp_path, content))).study.runs[0].preset == "digits"


def test_ones_own_studies_stand_beside_the_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path)
    written(tmp_path, RUN, "mine")
    written(tmp_path, "x", "broken")
    found, problems = catalogue.load_all()
    assert [definition.name for definition in found] == [*BUNDLED, "yours/mine"]
    assert len(problems) == 1 and str(tmp_path / "broken.study.toml") in problems[0]
    assert catalogue.load("mine").name == "yours/mine" and catalogue.load("table-1").name == "lab-report/table-1"
    assert not [name for name, _ in presets.files() if "study" in name]


def test_two_studies_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path)
    for name in ("my rates", "my-rates"):
        written(tmp_path, RUN, name)
    with pytest.raises(InputError, match="a second study would be called yours-my-rates"):
        catalogue.load("my-rates")
    assert len(catalogue.load_all()[1]) == 2


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_study_is_sound_and_explains_itself(name: str) -> None:
    study = catalogue.load(name).study
    assert 10 < len(study.title) <= 60 and study.summary.strip() and study.source and study.notes.strip()
    for row in plan.rows(study, study.seeds, [], 1):
        for key, printed in row.published.items():
            assert 0 <= printed <= 1 or measure(key).unit != "%", "accuracies are fractions"


def test_table_1_lays_both_readings_of_its_second_row_beside_the_same_figures() -> None:
    study = catalogue.load("lab-report/table-1").study
    by_name = {row.name: row for row in plan.rows(study, 1, [], 1)}
    for activation in ("relu", "tanh", "sigmoid"):
        four, two = by_name[f"128-64-32-16-{activation}"], by_name[f"128-64-{activation}"]
        assert len(four.config.network.hidden_sizes) == 4 and len(two.config.network.hidden_sizes) == 2
        assert four.published == two.published != by_name[f"128-128-{activation}"].published
