"""What is remembered of orders that were asked for by their id and that the venue may not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class QuestionStore(Protocol):
    """Outlives the process, as a journal does: the venue counts what a process before this one has asked."""

    def questions(self) -> Sequence[int]:
        """What was last kept; nothing at first."""

    def keep_questions(self, asked: Sequence[int]) -> None:
        """Keep the exchange times, ms, at which orders were asked for, in place of those before."""
