"""A run whose worker only pretends: it writes the events of a lively training at a steady rate.

    python -m benchmarks.live_run RUNS_FOLDER [--rate 10] [--seconds 60] [--epochs 400]

What a dashboard costs can so be measured without a training beside it. The run's id is the first line printed.
"""

import argparse
import math
import random
import time
from pathlib import Path

from tests.dashboard import FakeRun
from tui_trainer.runs import events
from tui_trainer.runs.commands import Set

EVENTS_AN_EPOCH = 5


class LiveRun:
    """Losses that fall with noise, an epoch every few events, checkpoints and a live change now and then."""

    def __init__(self, root: Path, epochs: int = 400) -> None:
        self.fake = FakeRun(root, "digits", epochs, "live").take().start()
        self.noise = random.Random(0)  # the same run each time
        self.told = 0

    def tell(self) -> None:
        """The next event, and at the end of an epoch what comes with it."""
        self.told += 1
        epoch = self.told / EVENTS_AN_EPOCH
        loss = 2.3 * math.exp(-epoch / 60) + 0.05 + 0.04 * self.noise.random()
        fake = self.fake
        fake.write(
            events.Metrics(
                epoch=int(epoch),
                step=round(epoch * fake.steps),
                loss=loss,
                accuracy=1 - loss / 4,
                gradient_norm=1 + self.noise.random(),
                learning_rate=0.001,
                images_per_second=120_000 * (1 + 0.1 * self.noise.random()),
                seconds=self.told / 10,
            )
        )
        if self.told % EVENTS_AN_EPOCH == 0:
            self._end(self.told // EVENTS_AN_EPOCH, loss)

    def _end(self, epoch: int, loss: float) -> None:
        fake, step = self.fake, epoch * self.fake.steps
        val_loss = loss + 0.03 + epoch / 4000 + 0.02 * self.noise.random()
        fake.write(
            events.Epoch(
                epoch=epoch,
                step=step,
                train_loss=loss,
                train_accuracy=1 - loss / 4,
                val_loss=val_loss,
                val_accuracy=1 - val_loss / 4,
                learning_rate=0.001,
                images_per_second=123_000.0,
                seconds=epoch * EVENTS_AN_EPOCH / 10,
                training_seconds=0.45,
                evaluation_seconds=0.04,
                saving_seconds=0.01,
            )
        )
        if epoch % 10 == 0:
            fake.save(epoch)
        if epoch % 25 == 0:
            changes = {"optimizer.learning_rate": 0.001 / (1 + epoch / 25)}
            command = Set(changes=changes)
            fake.write(events.Applied(id=command.id, command="set", epoch=epoch, step=step, changes=changes))

    def close(self) -> None:
        self.fake.release()
        self.fake.log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("runs", type=Path)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--told", type=int, default=200, help="events written before it begins")
    options = parser.parse_args()
    live = LiveRun(options.runs, options.epochs)
    for _ in range(options.told):
        live.tell()
    print(live.fake.run.id, flush=True)
    began = time.monotonic()
    for due in range(round(options.seconds * options.rate)):
        time.sleep(max(0.0, began + due / options.rate - time.monotonic()))
        live.tell()
    live.close()


if __name__ == "__main__":
    main()
