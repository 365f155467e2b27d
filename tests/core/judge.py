"""The rules that hold at every step of every run, for any inputs; only inputs, actions and views are looked at."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent, Fill, GapNotice, Health, HealthChange

from .toy import FAILING


class Judge:
    """Checks after every step what must be true then.

    The run of the process `before` is taken into account. If the venue is not `consistent`, it may bring back an order
    that was over and forgotten: then it is not checked that each fill is delivered once and in order.
    """

    def __init__(self, connection: Connection, before: Judge | None = None, *, consistent: bool = True) -> None:
        self._connection = connection
        self._consistent = consistent
        self._patience = connection.policy.request_timeout
        self._now = -math.inf
        self._health = Health.BLIND
        self._just_closed: int | None = None
        self._mint: tuple[int, float] | None = None
        self._mint_not_before = -math.inf
        self._failed_mints: deque[float] = deque()
        self._granted: Counter[str] = Counter()
        self._deleted: Counter[str] = Counter()
        self._renewals: dict[int, str] = {}
        self.open: dict[int, str] = {}
        """Sockets that were asked for and not closed yet, with their keys."""
        self.closing: dict[int, tuple[str, float]] = {}
        """Sockets that were asked to be closed and are not reported as closed yet: key and time of the request."""
        self.finished = False
        self.gap_open = False
        self.proven: int | None = before.proven if before else None
        """The last value of `MarkProven`."""
        self._covered: dict[str, list[tuple[Decimal, Decimal]]] = before._covered if before else {}

    def step(self, now: float, received: inputs.Input, ordered: Sequence[actions.Action]) -> None:
        """One call of `handle`: its time, its input and its actions."""
        self._now = now = max(self._now, now)
        self._settle_mint(received, now)
        self._take(received, now)
        for action in ordered:
            self._order(action, now)
        self._settle_mint(received, now)
        assert self._connection.deadline > now
        assert len(self.open) <= 2
        assert self._connection.health is self._health
        assert self._connection.health is self._connection._vitals.judge(), "judged only when something changed"
        if self._connection.finished:
            assert self.finished
            assert self._connection.deadline == math.inf

    def _take(self, received: inputs.Input, now: float) -> None:
        self._just_closed = None
        match received:
            case inputs.KeyGranted(key=key):
                self._granted[key] += 1
            case inputs.KeyRenewed(request, str(key)) if self._renewals.get(request, key) != key:
                self._granted[key] += 1  # the renewal named another key than it was asked for
            case inputs.SocketClosed(socket):
                self._just_closed = socket if self.open.pop(socket, None) is not None else None
                self.closing.pop(socket, None)

    def _settle_mint(self, received: inputs.Input, now: float) -> None:
        """Called before and after the actions: random inputs may answer a request in the very call that makes it."""
        if self._mint is None:
            return
        request, asked_at = self._mint
        if now >= asked_at + self._patience:
            self._mint_failed(asked_at + self._patience)
        elif isinstance(received, inputs.KeyGranted) and received.request == request:
            self._mint = None
        elif isinstance(received, inputs.Refused) and received.request == request:
            self._mint_failed(now)
            if received.refusal.retry_after is not None:
                self._mint_not_before = max(self._mint_not_before, now + received.refusal.retry_after)

    def _order(self, action: actions.Action, now: float) -> None:
        if self.finished:
            assert isinstance(action, actions.DeleteKey), f"{action} after the end"
        match action:
            case actions.CreateKey(request):
                assert self._mint is None, "two mints in flight"
                assert now >= self._mint_not_before, "minted before the time that the venue named"
                while self._failed_mints and self._failed_mints[0] <= now - FAILING.window + 1e-6:
                    self._failed_mints.popleft()
                assert len(self._failed_mints) < FAILING.calls, "a storm of mints"
                self._mint = request, now
            case actions.RenewKey(request, key):
                assert self._granted[key]
                self._renewals[request] = key
            case actions.DeleteKey(_, key):
                self._deleted[key] += 1
                assert self._deleted[key] <= self._granted[key], "deleted twice"
                assert key not in self.open.values(), "the key of an open socket was deleted"
                for used, since in self.closing.values():
                    assert used != key or now >= since + self._patience, "deleted before the socket was closed"
            case actions.OpenSocket(socket, key):
                assert self._granted[key]
                self.open[socket] = key
            case actions.SendFrame(socket) | actions.SendPing(socket):  # its timer was due before its end
                assert socket in self.open or socket == self._just_closed
            case actions.CloseSocket(socket) if socket != self._just_closed:  # its timer was due before its end
                self.closing[socket] = self.open.pop(socket), now
            case actions.Deliver(event):
                self._deliver(event)
            case actions.MarkProven(until):
                assert self.proven is None or until >= self.proven
                self.proven = until
            case actions.Finish():
                assert not self.open
                self.finished = True

    def _deliver(self, event: ExchangeEvent) -> None:
        match event:
            case HealthChange(health=health):
                assert health is not self._health
                self._health = health
            case GapNotice():
                self.gap_open = event.kind == "GAP_OPENED" or (event.kind == "RECONNECTED" and self.gap_open)
            case Fill(order_id=order_id, fill_qty=qty, cumulative_qty=end) if self._consistent:
                start, covered = end - qty, self._covered.setdefault(order_id, [])
                assert start < end
                assert all(end <= low or start >= high for low, high in covered), f"twice: {event}"
                if not self.gap_open and covered:
                    assert start == max(high for _, high in covered), f"out of order: {event}"
                covered.append((start, end))

    def _mint_failed(self, at: float) -> None:
        self._mint = None
        self._failed_mints.append(at)


def merged(intervals: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """Adjacent intervals as one."""
    joined: list[tuple[Decimal, Decimal]] = []
    for start, end in sorted(intervals):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
