"""Studies as plain lines, for pipes, logs and terminals without a screen."""

from __future__ import annotations

import time

from tui_trainer.plain import StopOnInterrupt, print_line, print_table, results
from tui_trainer.runs import launch
from tui_trainer.studies.follow import SETTLED, StudyFollower
from tui_trainer.studies.report import content as report
from tui_trainer.text import clean


def follow_to_the_end(follower: StudyFollower) -> str:
    """Print what happens until the study has no coordinator any more, then its table; returns its status."""
    said: set[str] = set()
    follower.catch_up()
    follower.new_lines()
    while True:
        for line in follower.new_lines():
            print_line(line)
        for member in (member for row in follower.rows for member in row.members):
            if member.status in SETTLED and member.state and member.member.key not in said:
                said.add(member.member.key)
                print(results(member.state), flush=True)
        if not follower.alive:
            break
        time.sleep(0.1)
        follower.poll()
    print()
    print_study(follower)
    return follower.status


class StopStudyOnInterrupt(StopOnInterrupt):
    """While active, ctrl+c stops and saves the study's runs; another, two seconds later or more, ends all at once."""

    def __init__(self, follower: StudyFollower) -> None:
        super().__init__(follower.directory)
        self.follower = follower

    def end(self) -> None:
        super().end()
        for row in self.follower.rows:
            for member in row.members:
                if member.run:
                    launch.kill(member.run)


def print_study(follower: StudyFollower) -> None:
    """The table, what must be said under it, printed figures beside ours, claims."""
    found = report.gather(follower)
    print(*(words for words in (found.title, found.state) if words), "", sep="\n")
    rows = [(line.name, line.standing, *(cell.text for cell in line.cells)) for line in found.table.lines]
    print_table(("row", "state", *(column.title for column in found.table.header)), rows)
    print("", *map(clean, (*found.footnotes, *found.verdicts)), sep="\n")
    if found.comparisons:
        print()
        print_table(report.PUBLISHED_HEADINGS, [report.published_row(one) for one in found.comparisons])
    if found.claims:
        print()
        print_table(("claim", "verdict", "by"), [report.claim_row(one) for one in found.claims])
