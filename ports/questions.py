"""The memory of orders that were asked for by their id and that the venue may not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable


class Question(NamedTuple):
    """An order was asked for at this exchange time, ms; `denied`: the venue answered that there is none."""

    at: int
    symbol: str
    order_id: str
    denied: bool


@runtime_checkable
class QuestionStore(Protocol):
    """Outlives the process, as a journal does: the venue counts what a process before this one has asked."""

    def questions(self) -> Sequence[Question]:
        """Return the questions that were last kept; nothing at first."""

    def keep_questions(self, asked: Sequence[Question]) -> None:
        """Keep these, a few, in place of those before."""
