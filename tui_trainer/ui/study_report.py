"""A study in words: the lines above its table, and what its numbers say, for the width there is."""

from __future__ import annotations

import statistics
import textwrap
import time
from collections import Counter
from collections.abc import Iterator

from textual.content import Content

from tui_trainer.studies import notes
from tui_trainer.studies.follow import MemberState, StudyFollower
from tui_trainer.studies.measures import measure
from tui_trainer.studies.results import Comparison, claims, comparisons, footnotes, verdicts
from tui_trainer.text import InputError, clean, duration, plural
from tui_trainer.ui.report import Piece, fit
from tui_trainer.ui.study_rows import LIVE, share
from tui_trainer.ui.words import MUTED, bar, status

NO_BREAK = "\N{NO-BREAK SPACE}"


def headline(follower: StudyFollower, width: int) -> Content:
    """State, title, runs done, and the time spent and left."""
    members = wanted(follower)
    done = sum(member.status == "finished" for member in members)
    times = [Content.assemble(duration(elapsed(follower)), (" elapsed", MUTED))]
    if follower.alive and (left := seconds_left(follower)) is not None:
        times.append(Content.assemble(duration(left), (" left", MUTED)))
    named = follower.directory.id if follower.title != follower.directory.id else ""
    pieces: list[Piece] = [
        (0, status(follower.status)),
        (2, Content.styled(clean(follower.title, 80), "bold")),
        (4, Content.styled(clean(named, 60), MUTED)),
        (1, Content.assemble((f"{done}/{len(members)}", "bold"), (" runs", MUTED))),
        (3, Content.styled(" · ", MUTED).join(times)),
    ]
    return fit([piece for piece in pieces if piece[1]], width)


def progress(follower: StudyFollower, width: int) -> Content:
    """How much of all training is done, and how many runs are in which state."""
    members = wanted(follower)
    done = statistics.fmean(map(share, members)) if members else 0.0
    counts = Counter(member.status for row in follower.rows for member in row.members)
    words = [f"{count} {word}" for word, count in counts.items() if word != "finished"]
    pieces: list[Piece] = [(0, Content.assemble(bar(done, max(10, width // 4)), f" {int(100 * done):>3} %"))]
    pieces += [(rank, Content.styled(word, MUTED)) for rank, word in enumerate(words, 1)]
    return fit(pieces, width)


def sentence(follower: StudyFollower, width: int, asked: str = "") -> Content:
    """What is going on, and what to do next."""
    why = f": {clean(follower.reason, 200)}" if follower.reason else ""
    if asked:
        return Content.styled(f"{asked}…", "$text-accent")
    match follower.status:
        case "queued":
            waiting = clean(follower.reason, 200) or "another study is running"
            return Content.assemble((f"starts when its turn comes: {waiting}", "$text-accent"), ("   f first", MUTED))
        case "running":
            jobs = follower.state.jobs
            words = f"{plural(jobs, 'run')} at a time" if jobs > 1 else "one run after another"
            return Content.styled(words, MUTED)
        case "analysing":
            return Content.styled(f"all runs are done; analysing{why}", "$text-accent")
        case "finished":
            return _finished(follower, width)
        case "stopped":
            return Content.assemble(("r goes on with it", "$text-accent"), (f"   stopped{why}", MUTED))
        case "interrupted":
            reason = clean(follower.reason, 200) or "the coordinator left no word"
            return Content.assemble(("r goes on with it", "$text-accent"), (f"   {reason}", "$text-warning"))


def _finished(follower: StudyFollower, width: int) -> Content:
    members = wanted(follower)
    counts = Counter(member.status for member in members)
    failed = len(members) - counts["finished"]
    found = Counter(one.verdict for one in comparisons(follower))
    pieces: list[Piece] = [(0, Content.styled(f"{plural(counts['finished'], 'run')} finished", "$text-success"))]
    if failed:
        pieces.append((0, Content.styled(f"{failed} did not: r tries again", "$text-warning")))
    if found:
        pieces.append((1, Content(f"{found['reproduced']} of {found.total()} printed figures reproduced")))
    pieces.append((2, Content.styled("c conclusions   w report", MUTED)))
    return fit(pieces, width, " · ")


def glance(follower: StudyFollower) -> Content:
    """All there is room for on a very small terminal."""
    members = wanted(follower)
    done = sum(member.status == "finished" for member in members)
    left = seconds_left(follower) if follower.alive else None
    lines = [status(follower.status), Content(f"{done}/{len(members)} runs")]
    return Content("\n").join([*lines, Content(f"{duration(left)} left" if left is not None else "")])


def wanted(follower: StudyFollower) -> list[MemberState]:
    """Every run of the study but the skipped ones."""
    return [member for row in follower.rows for member in row.members if member.status != "skipped"]


def elapsed(follower: StudyFollower) -> float:
    """Seconds from the first word of a coordinator to the last, or to now while one is at work."""
    log = follower.state.log
    if not log:
        return 0.0
    return max(0.0, (time.time() if follower.alive else log[-1].time) - log[0].time)


def seconds_left(follower: StudyFollower) -> float | None:
    """Estimated: a run takes as long as its row's others, else as all others; as many at a time as there are jobs."""
    totals: dict[str, list[float]] = {}
    for member in wanted(follower):
        done = share(member)
        if member.state and member.state.seconds > 0 and done > 0.02:
            totals.setdefault(member.member.row, []).append(member.state.seconds / done)
    if not totals:
        return None
    overall = statistics.fmean(value for values in totals.values() for value in values)
    left = [
        (1 - share(member)) * statistics.fmean(totals.get(member.member.row, [overall]))
        for member in wanted(follower)
        if member.status in (*LIVE, "waiting", "stopped", "interrupted")
    ]
    return max(sum(left) / max(follower.state.jobs, 1), max(left, default=0.0))


def findings(follower: StudyFollower, width: int) -> Content:
    """What the numbers say: printed figures beside ours, claims, seed noise, footnotes, the person's conclusions."""
    lines: list[Content] = []
    study = follower.study
    if study.summary:
        lines += [*_wrapped(study.summary, width, MUTED), Content("")]
    lines += _published(follower, width)
    for result in claims(follower):
        lines += [status(result.verdict), *_wrapped(result.claim.text, width), *_wrapped(result.detail, width, MUTED)]
        lines.append(Content(""))
    for words in (*verdicts(follower), *footnotes(follower)):
        lines += [*_wrapped(words, width, MUTED), Content("")]
    if study.notes:
        lines += [Content.styled("Notes", "bold"), *_wrapped(study.notes, width), Content("")]
    try:
        said = notes.conclusions(follower.directory)
    except InputError as error:
        said = str(error)
    lines.append(Content.assemble(("Conclusions", "bold"), ("   c edits them", MUTED)))
    lines += [line for part in said.splitlines() for line in _wrapped(part, width)]
    return Content("\n").join(lines)


def _published(follower: StudyFollower, width: int) -> Iterator[Content]:
    """Row by row: a measure, its printed figure and ours, the difference and the verdict."""
    found = comparisons(follower)
    if not found:
        return
    source = f"   {clean(follower.study.source, 200)}" if follower.study.source else ""
    yield Content.assemble(("Published beside ours", "bold"), (source, MUTED)).truncate(width, ellipsis=True)
    row = ""
    for one in found:
        if one.row != row:
            row = one.row
            yield Content.styled(clean(row, 60), "bold")
        yield from _comparison(one, width)
    yield Content("")


def _comparison(one: Comparison, width: int) -> Iterator[Content]:
    words = measure(one.measure)
    ours = words.text(one.ours.mean, one.ours.deviation) if one.ours else "–"
    delta = words.difference(one.difference) if one.difference is not None else ""
    verdict = status(one.verdict)
    title = Content(f" {words.title}").truncate(width - verdict.cell_length - 1, ellipsis=True)
    gap = max(width - title.cell_length - verdict.cell_length, 1)
    yield Content.assemble(title, " " * gap, verdict)
    numbers: list[Piece] = [
        (0, Content.assemble((" printed ", MUTED), words.text(one.printed))),
        (0, Content.assemble(("  ours ", MUTED), ours)),
        (1, Content.assemble(("  Δ ", MUTED), delta)),
    ]
    yield fit([piece for piece in numbers if piece[0] == 0 or delta], width, "")


def _wrapped(text: str, width: int, colour: str = "") -> list[Content]:
    together = clean(text, 20_000).replace(" ± ", NO_BREAK + "±" + NO_BREAK).replace(" %", NO_BREAK + "%")
    lines = textwrap.wrap(together, max(width, 10), break_on_hyphens=False)
    return [Content.styled(line.replace(NO_BREAK, " "), colour) for line in lines]
