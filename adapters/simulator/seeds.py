"""Seeded randomness: one independent stream for each noun, so that none disturbs another."""

from __future__ import annotations

import random


def seeded(seed: int, noun: str) -> random.Random:
    """A stream that depends on the seed and the noun alone."""
    return random.Random(f"{seed}/{noun}")  # noqa: S311
