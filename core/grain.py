"""How exact the times in a venue's lists are: one that knows whole seconds shows a fill up to a second too early."""

from __future__ import annotations

FUNDING_GRAIN = 1000
"""Rows of funding name the whole second in which it was settled, however exact the times of others are, ms."""


def floor(exchange_ms: int, grain: int) -> int:
    """The time that a list gives for this moment, ms, where its times are whole multiples of `grain`."""
    return exchange_ms // grain * grain
