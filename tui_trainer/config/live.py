"""Which fields may change in a run that has begun. Another optimizer, network or data set makes it another run."""

LIVE_GROUPS = ("optimizer.", "schedule.", "checkpoints.", "early_stopping.")
LIVE_FIELDS = {
    "network.dropout",
    "network.input_dropout",
    "layers.frozen",
    "layers.unfreeze_epoch",
    "regularization.weight_decay",
    "regularization.max_norm",
    "regularization.clip_norm",
    "regularization.clip_value",
    "regularization.label_smoothing",
    "training.epochs",
    "training.steps",
}
FIXED = {"optimizer.name", "optimizer.initial_accumulator"}  # the sum starts once


def is_live(path: str) -> bool:
    """Can this field change while a run goes on?"""
    return path in LIVE_FIELDS or (path.startswith(LIVE_GROUPS) and path not in FIXED)
