"""How many orders may be asked for that the venue may not know: "no such order" is a failing call to it."""

from __future__ import annotations

from collections.abc import Container

from ....core.reports import OrderRef
from ....ports.questions import Question, QuestionStore

QUESTIONS = 10
"""So many in 480 s; the rest of the calls that may fail is for what fails otherwise."""
WINDOW_MS = 480_000


class Questions:
    """Counts by exchange time, ms. With a `store` also what the processes before have asked.

    A question counts before it goes out, so that a process that dies then has not forgotten it. One that found an order
    counts no more. One that was denied need not be asked again for as long as it counts, unless a list shows the order.
    """

    def __init__(self, store: QuestionStore | None = None) -> None:
        self._store = store
        self._asked: list[Question] | None = None

    def room(self, now: int) -> int:
        """How many may be asked now. A time to come, by a clock that was set since, counts as now."""
        return max(0, QUESTIONS - len(self._lately(now)))

    def is_denied(self, ref: OrderRef, now: int) -> bool:
        """True if the venue has lately denied this order."""
        return any(asked.denied and _ref(asked) == ref for asked in self._lately(now))

    def ask(self, ref: OrderRef, now: int) -> None:
        """One goes out."""
        self._keep([*self._lately(now), Question(now, *ref, denied=False)])

    def denied(self, ref: OrderRef) -> None:
        """The venue knows no such order."""
        self._keep([asked._replace(denied=True) if _ref(asked) == ref else asked for asked in self._known()])

    def found(self, ref: OrderRef) -> None:
        """There is such an order."""
        if any(_ref(asked) == ref for asked in self._known()):
            self._keep([asked for asked in self._known() if _ref(asked) != ref])

    def shown(self, order_ids: Container[str]) -> None:
        """The lists show these orders: what was denied of them is so no more."""
        if any(asked.denied and asked.order_id in order_ids for asked in self._known()):
            self._keep(
                [asked._replace(denied=asked.denied and asked.order_id not in order_ids) for asked in self._known()]
            )

    def _lately(self, now: int) -> list[Question]:
        return [asked._replace(at=min(asked.at, now)) for asked in self._known() if asked.at > now - WINDOW_MS]

    def _known(self) -> list[Question]:
        if self._asked is None:
            self._asked = [] if self._store is None else list(self._store.questions())
        return self._asked

    def _keep(self, asked: list[Question]) -> None:
        self._asked = asked
        if self._store is not None:
            self._store.keep_questions(asked)


def _ref(asked: Question) -> OrderRef:
    return OrderRef(asked.symbol, asked.order_id)
