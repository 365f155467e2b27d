"""How many orders may be asked for that the venue may not know: "no such order" is a failing call to it."""

from __future__ import annotations

from ....ports.questions import QuestionStore

QUESTIONS = 10
"""So many in 480 s; the rest of the calls that may fail is for what fails otherwise."""
WINDOW_MS = 480_000


class Questions:
    """Counts by exchange time, ms. With a `store` also what the processes before have asked.

    A question counts before it goes out, so that a process that dies then has not forgotten it. One that brought an
    order to light counts no more.
    """

    def __init__(self, store: QuestionStore | None = None) -> None:
        self._store = store
        self._asked: list[int] | None = None

    def room(self, now: int) -> int:
        """How many may be asked now. A time to come, by a clock that was set since, counts as now."""
        return max(0, QUESTIONS - sum(at > now - WINDOW_MS for at in self._known()))

    def ask(self, now: int) -> None:
        """One goes out."""
        self._keep([*(min(at, now) for at in self._known() if at > now - WINDOW_MS), now])

    def found(self, at: int) -> None:
        """The one that went out then has found an order."""
        left = list(self._known())
        if at in left:
            left.remove(at)
            self._keep(left)

    def _known(self) -> list[int]:
        if self._asked is None:
            self._asked = [] if self._store is None else list(self._store.questions())
        return self._asked

    def _keep(self, asked: list[int]) -> None:
        self._asked = asked
        if self._store is not None:
            self._store.keep_questions(asked)
