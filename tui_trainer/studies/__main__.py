"""Entry of a study's coordinator: `python -m tui_trainer.studies STUDY_DIR LOCK JOBS [now]`. Never imports torch."""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    from tui_trainer.studies.coordinator import Coordinator
    from tui_trainer.studies.directory import StudyDirectory

    directory, lock, jobs, *when = sys.argv[1:]
    os.set_inheritable(int(lock), False)
    coordinator = Coordinator(StudyDirectory(Path(directory)), int(jobs))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: coordinator.stop(f"asked to end by {signal.Signals(number).name}"))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return coordinator.run(now="now" in when)


if __name__ == "__main__":
    sys.exit(main())
