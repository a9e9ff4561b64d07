"""Jobs of the engine as their callers meet them."""

import sys

import pytest

from tui_trainer.runs import jobs
from tui_trainer.text import InputError


@pytest.mark.parametrize("end", ['{"resu', '{"progress"', ""])
def test_a_job_that_ends_while_it_writes_has_no_result(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    script = f"""print('{{"progress": 1}}'); print('{end}', end='')"""
    monkeypatch.setattr(jobs, "worker_command", lambda *_: [sys.executable, "-c", script])
    told: list[object] = []
    with pytest.raises(InputError, match="the job ended without a result"):
        jobs.run_job("any", on_progress=told.append)
    assert told == [1]
