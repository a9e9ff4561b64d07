"""The job behind the screen of mistakes: what a checkpoint confuses with what, and the examples it is most wrong on."""

from pathlib import Path
from typing import Any

import msgspec
import torch
from torch.nn import functional

from tui_trainer.engine import boundary, checkpoint, trained
from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import BATCH, confusion, evaluating, forward
from tui_trainer.engine.jobs import header, tell, telling
from tui_trainer.engine.trained import Trained

WORST = 300  # of all mistakes
WORST_OF_CELL = 6  # of each pair of classes besides, so that every cell of the matrix has examples to show
MOST_NUMBERS = 64  # of an example that is no picture


def find_mistakes(run: str, file: str, split: str, data_root: str) -> None:
    """Confusion matrix, recall and precision of each class, and the worst mistakes with their inputs.

    Reads only, as `evaluate` does. `confusion` counts examples by true class, then by predicted class; recall and
    precision of a class that never occurs, or is never predicted, are null.
    """
    snapshot = checkpoint.read(Path(file), telling("bytes"))
    subject = trained.load(snapshot, Path(data_root))
    examples = subject.splits.named(split)
    logits = answers(subject, examples)
    predicted = logits.argmax(1)
    losses = functional.cross_entropy(logits, examples.labels, reduction="none")
    classes = subject.config.dataset.class_names
    counts = confusion(examples.labels, predicted, len(classes))
    right = counts.diagonal()
    wrong = (predicted != examples.labels).nonzero().flatten()
    wrong = wrong[losses[wrong].argsort(descending=True, stable=True)]
    tell(
        result={
            **header(run, file, snapshot, split, len(examples), subject.numerics.device),
            "loss": losses.double().mean().item(),
            "accuracy": right.sum().item() / len(examples),
            "correct": int(right.sum()),
            "classes": list(classes),
            "confusion": counts.tolist(),
            "recall": shares(right, counts.sum(1)),
            "precision": shares(right, counts.sum(0)),
            "image_shape": subject.config.dataset.image_shape,
            "mistakes": [
                describe(subject, examples, logits, index) for index in shown(wrong, examples.labels, predicted)
            ],
            "boundary": plane(subject, examples, wrong, snapshot.meta.epoch, snapshot.meta.step),
        }
    )


@torch.inference_mode()
def answers(subject: Trained, examples: Examples) -> torch.Tensor:
    """The logits of every example, [n, classes]."""
    progress, found = telling("examples"), []
    with evaluating(subject.model):
        for images in examples.images.split(BATCH):
            found.append(forward(subject.model, images))
            progress(sum(map(len, found)), len(examples))
    return torch.cat(found)


def shares(part: torch.Tensor, whole: torch.Tensor) -> list[float | None]:
    return [p / w if w else None for p, w in zip(part.tolist(), whole.tolist(), strict=True)]


def shown(wrong: torch.Tensor, labels: torch.Tensor, predicted: torch.Tensor) -> list[int]:
    """Of the mistakes, worst first: the worst of all, and some of each pair of classes."""
    taken: dict[tuple[int, int], int] = {}
    found = []
    for rank, index in enumerate(wrong.tolist()):
        cell = (int(labels[index]), int(predicted[index]))
        taken[cell] = taken.get(cell, 0) + 1
        if rank < WORST or taken[cell] <= WORST_OF_CELL:
            found.append(index)
    return found


def describe(subject: Trained, examples: Examples, logits: torch.Tensor, index: int) -> dict[str, Any]:
    """One example: its number in the split, its classes, how sure the network was, and what it saw.

    `inputs` are grey levels from 0 to 255 for a picture, else the numbers themselves, if they are few.
    """
    probabilities = logits[index].double().softmax(0)
    label, predicted = int(examples.labels[index]), int(probabilities.argmax())
    inputs = examples.images[index]
    if subject.config.dataset.image_shape:
        low, high = (0.0, 1.0) if subject.config.data.scaling == "scale" else (inputs.min(), inputs.max())
        grey = ((inputs - low) / max(float(high - low), 1e-12)).clamp(0, 1)
        numbers = (255 * grey).round().int().tolist()
    else:
        numbers = inputs.tolist() if len(inputs) <= MOST_NUMBERS else []
    return {
        "index": index,
        "true": label,
        "predicted": predicted,
        "probability": probabilities[predicted].item(),
        "true_probability": probabilities[label].item(),
        "loss": functional.cross_entropy(logits[index].double(), examples.labels[index]).item(),
        "inputs": numbers,
    }


def plane(subject: Trained, examples: Examples, wrong: torch.Tensor, epoch: int, step: int) -> dict[str, Any] | None:
    """With two inputs: the decision boundary, with the mistakes as its points."""
    if examples.images.shape[1] != 2:
        return None
    whole = boundary.draw(subject.model, examples, epoch, step)
    places = zip(examples.images[wrong].tolist(), examples.labels[wrong].tolist(), strict=True)
    points = [(x, y, label) for (x, y), label in places][: boundary.SHOWN_POINTS]
    return dict(msgspec.to_builtins(msgspec.structs.replace(whole, points=points)))
