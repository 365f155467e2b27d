"""Limits questions, which are queries of orders that the venue may not know: a denied order is a failing call."""

from __future__ import annotations

from collections.abc import Container

from ....core.reports import OrderRef
from ....ports.questions import Question, QuestionStore

QUESTIONS = 10
"""The most questions in 480 s; the rest of the failing calls that the venue allows is for other failures."""
WINDOW_MS = 480_000


class Questions:
    """Counts questions by exchange time, ms; with a `store` also those of earlier processes.

    A question is stored before it is sent, so that it counts even if the process dies then. It counts no more if the
    order was found. A denied order is not asked for again while its question counts, unless a list shows the order.
    """

    def __init__(self, store: QuestionStore | None = None) -> None:
        self._store = store
        self._asked: list[Question] | None = None

    def room(self, now: int) -> int:
        """The number of questions that may be asked now. A future time, of a clock that was set back, counts as now."""
        return max(0, QUESTIONS - len(self._lately(now)))

    def is_denied(self, ref: OrderRef, now: int) -> bool:
        """True if the venue has lately denied this order."""
        return any(asked.denied and _ref(asked) == ref for asked in self._lately(now))

    def ask(self, ref: OrderRef, now: int) -> None:
        """Note a question that is about to be sent."""
        self._keep([*self._lately(now), Question(now, *ref, denied=False)])

    def denied(self, ref: OrderRef) -> None:
        """Note that the venue denied the order."""
        self._keep([asked._replace(denied=True) if _ref(asked) == ref else asked for asked in self._known()])

    def found(self, ref: OrderRef) -> None:
        """Note that the order exists; its question does not count any more."""
        if any(_ref(asked) == ref for asked in self._known()):
            self._keep([asked for asked in self._known() if _ref(asked) != ref])

    def shown(self, order_ids: Container[str]) -> None:
        """Note that the lists show these orders: they are not denied any more."""
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
