"""Entry of a study's coordinator: `python -m tui_trainer.studies STUDY_DIR LOCK JOBS [now]`. Never imports torch."""

import os
import sys
from pathlib import Path


def main() -> int:
    from tui_trainer.studies.coordinator import Coordinator
    from tui_trainer.studies.directory import StudyDirectory

    directory, lock, jobs, *when = sys.argv[1:]
    os.set_inheritable(int(lock), False)
    return Coordinator(StudyDirectory(Path(directory)), int(jobs)).run(now="now" in when)


if __name__ == "__main__":
    sys.exit(main())
