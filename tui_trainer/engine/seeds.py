"""Random streams: a function of the run's seed, a purpose and an epoch."""

import hashlib

import torch


def seed_of(seed: int, purpose: str, epoch: int = 0) -> int:
    """A 63-bit seed for one purpose and epoch: no two purposes share a stream."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """A CPU generator; what it draws is the same on every device."""
    return torch.Generator().manual_seed(seed_of(seed, purpose, epoch))
