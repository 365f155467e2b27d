"""Whoever watches the door: a recorder, a dashboard, a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..core.actions import Action
from ..core.inputs import Input


class Observer(Protocol):
    """Called with each step of a stream in order, in its own thread and before anything of it is carried out."""

    def __call__(self, now: float, received: Input, ordered: Sequence[Action], /) -> None:
        """An input, its time (monotonic, seconds), and what came of it.

        It should be quick and must raise nothing: what it raises ends the stream, and is what the consumer sees. Values
        hold what is secret, listen keys and frames; their `repr` does not show it.
        """
