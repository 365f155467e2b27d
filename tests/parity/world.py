"""One connection and its exchange on virtual time, without sockets: frames come from the simulated wire, and reads
from the venue's reader with simulated REST answers. This one is BingX's; `usdm` is Binance's.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.pushes import Push, config_of
from listenkey.adapters.simulator.rest import Rest as Answers
from listenkey.adapters.simulator.routes import CLEAR, Sight
from listenkey.adapters.simulator.wire import PING, Wire, WireName, key_expired, packed
from listenkey.adapters.venues.bingx.pace import Pace
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.dialect import Dialect
from listenkey.core.events import AccountUpdate, ExchangeEvent, Fill, GapNotice
from listenkey.core.policy import Mode, Policy
from listenkey.ports.errors import RequestRefused
from listenkey.ports.http import HttpResponse
from listenkey.ports.reader import AccountReader

from .. import inline
from .history import Actor, Deed, History, Mishap

EPOCH = 1_700_000_000_250
LATENCY = 0.003
"""Seconds for which a frame or an answer is under way."""
LISTENING_AT = 10.0
"""Seconds after the epoch at which the stream begins."""
FIRST_DEED = 1.5
"""Seconds from the beginning to the first deed, as fills of the second of the beginning may be delivered or not."""
BEFORE, AFTER = 7.0, 14.0
POLICY = Policy(
    silence_timeout=7,
    healthy_after=2,
    backoff_initial=0.5,
    backoff_max=2,
    drain=1,
    audit_interval=10,
    poll_interval=4,
    backfill_overlap=2,
)


class World:
    """A connection in `mode` that runs through a history. `exact` is True if frames have all of their fill."""

    def __init__(self, mode: Mode, history: History, *, wire: WireName = "modern") -> None:
        self._set_up(history, wire)
        self._begin(mode, history)

    def _set_up(self, history: History, wire: WireName) -> None:
        """Make the exchange and its wire."""
        self.exchange = Exchange(now=EPOCH, seed=history.seed, hedge=history.hedge, triggered=history.triggered)
        self._dialect: Dialect = SwapDialect()
        self._answers = Answers(self.exchange, closed_stops=history.closed_stops)
        self._wire = Wire(wire, seed=history.seed, event_name="mixed")
        self.exact = self._wire.exact
        self._reader: AccountReader = Reader(Rest("https://venue.test", "k", "s", pace=Pace(limited=False)))

    def _begin(self, mode: Mode, history: History) -> None:
        self.now = 0.0
        self.connection = Connection(self._dialect, POLICY, seed=history.seed, mode=mode)
        self.events: list[ExchangeEvent] = []
        self.spoil_frame: Callable[[dict[str, Any]], None] = lambda frame: None
        """A deliberate fault that changes a frame before it is sent; `spoil_answer` changes the rows of an answer."""
        self.spoil_answer: Callable[[str, Any], None] = lambda path, body: None
        self._actor = Actor(self.exchange)
        self._ahead = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._deeds = [
            *_timed(history.before, LISTENING_AT - BEFORE),
            *_timed(history.deeds, LISTENING_AT + FIRST_DEED),
        ]
        self._deeds = sorted(each for each in self._deeds if not LISTENING_AT - 2 < each[0] < LISTENING_AT + FIRST_DEED)
        self._sockets: dict[int, tuple[str, bool]] = {}
        self._expired: set[str] = set()
        self._fates: dict[str, int] = {}
        self._swapped: bytes | str | None = None
        self._refuse = 0
        self._hidden: tuple[float, int, bool] = (-1.0, 0, False)
        self.end = max([LISTENING_AT + 1, *(at for at, _ in self._deeds)])
        self._at(LISTENING_AT, lambda: self.feed(inputs.Start()))
        for at, _ in self._deeds:
            self._at(at, self._move)

    # Calls of a test

    def suffer(self, mishap: Mishap) -> None:
        """Plan a mishap for its time."""
        at = LISTENING_AT + mishap.at / 1000
        self.end = max(self.end, at)
        self._at(at, lambda: self._misfortune(mishap))

    def live(self) -> World:
        """Run through the history, then a quiet time, then an undisturbed read."""
        self.until(self.end + AFTER)
        self._refuse, self._fates, self._hidden = 0, {}, (-1.0, 0, False)
        for _ in range(10):
            read_before = self.connection.proven_until or 0
            self.feed(inputs.Resync())
            self.until(self.now + 16)
            ts = EPOCH + round(self.end * 1000)
            if (self.connection.proven_until or 0) > max(ts, read_before) and self.connection.health == "LIVE":
                return self
        raise AssertionError(f"never settled: {self.connection.health}, {self.connection.state}, {self.gaps()}")

    def until(self, when: float) -> None:
        """Run until this time, s."""
        while True:
            due = min(self.connection.deadline, self._heap[0][0] if self._heap else math.inf)
            if due > when:
                self.now = max(self.now, when)
                return
            self.now = max(self.now, due)
            if self._heap and self._heap[0][0] <= self.now:
                heapq.heappop(self._heap)[2]()
            else:
                self.feed(inputs.Tick())

    def feed(self, received: inputs.Input) -> None:
        """Hand an input to the connection and carry out its actions."""
        for action in self.connection.handle(received, now=self.now):
            self._perform(action)

    # Results for a test

    @property
    def fills(self) -> list[Fill]:
        """The delivered fills."""
        return [event for event in self.events if isinstance(event, Fill)]

    def gaps(self) -> list[str]:
        """The gap events with their reasons."""
        return [f"{event.kind} {event.reason}" for event in self.events if isinstance(event, GapNotice)]

    def accounts(self) -> list[AccountUpdate]:
        """The delivered account updates."""
        return [event for event in self.events if isinstance(event, AccountUpdate)]

    # Interfaces for services: a request takes time, in which the exchange moves on

    def monotonic(self) -> float:
        """The monotonic time, s."""
        return max(self.now, self._ahead)

    def sleep(self, until: float) -> None:
        """Wait until this time, while the exchange moves on."""
        self._ahead = until
        self._catch_up(until)

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return the exchange's answer to a request."""
        self._pass_time()
        parts = urlsplit(url)
        answer = self._answer(parts.path, dict(parse_qsl(parts.query)), self.ms(self._ahead))
        self._pass_time()
        return answer

    # Parts that differ by venue

    def _answer(self, path: str, params: dict[str, str], now: int) -> HttpResponse:
        """Return the answer to a request."""
        try:
            body = self._answers.answer(path, params, now, self._sight(now))
        except OrderRefused as refused:
            body = {"code": refused.code, "msg": refused.message, "data": {}, "timestamp": now}
        else:
            self.spoil_answer(path, body["data"])
        return HttpResponse(200, {}, msgspec.json.encode(body))

    def _sight(self, now: int) -> Sight:
        hidden = self._hidden_until(now)
        return CLEAR if hidden is None else Sight(fills_until=hidden, lag_income=self._hides_all)

    def _written(self, push: Push) -> list[bytes | str]:
        """Return the frame of a push, and those that go with it."""
        frame = self._wire.frame(push)
        self.spoil_frame(frame)
        return [packed(frame)]

    def _greeted(self, socket: int) -> None:
        """Send the frames that come unasked on a new socket."""
        account, now = self.exchange.account, self.ms(self.now)
        balances = [account.balance(asset) for asset in account.book.wallets]
        configs = [config_of(account, symbol, now, now) for symbol in account.leverage]
        for frame in self._wire.snapshot(balances, self.exchange.positions(now), configs, now):
            self._arrive(socket, packed(frame))
        self._ping(socket)

    def _ping(self, socket: int) -> None:
        if socket in self._sockets:
            if not self._sockets[socket][1]:
                self._arrive(socket, PING)
            self._at(self.now + 3, lambda: self._ping(socket))

    def _expiry(self, key: str) -> list[bytes | str]:
        """Return the frames that are pushed when a key has ended."""
        return [packed(key_expired(key, self.ms(self.now)))]

    def _key(self, request: int) -> str:
        """Return the key of this mint."""
        return f"{request:064x}"

    def _renewed(self, key: str) -> str | None:
        """Return the key that a renewal names, or None."""
        return None

    # The simulation

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._order), what))

    @staticmethod
    def ms(when: float) -> int:
        return EPOCH + round(when * 1000)

    def _pass_time(self) -> None:
        self._ahead = self.monotonic() + LATENCY
        self._catch_up(self._ahead)

    def _catch_up(self, when: float) -> None:
        while self._deeds and self._deeds[0][0] <= when:
            at, deed = self._deeds.pop(0)
            self._actor.do(deed, self.ms(at))
            for latency in (0.005, 0.007):
                self._at(at + latency, self._flush)

    def _move(self) -> None:
        self._catch_up(self.now)

    def _flush(self) -> None:
        for push in self.exchange.due(self.ms(self.now)):
            data, *besides = self._written(push)
            for each in besides:
                self._send(each)
            if self._spend("lose"):
                continue
            if self._spend("swap") and self._swapped is None:
                self._swapped = data
                continue
            self._send(data)
            if self._swapped is not None:
                swapped, self._swapped = self._swapped, None
                self._send(swapped)
            if self._spend("repeat"):
                self._send(data)

    def _spend(self, fate: str) -> bool:
        left = self._fates.get(fate, 0)
        if left:
            self._fates[fate] = left - 1
        return bool(left)

    def _send(self, data: bytes | str) -> None:
        for socket, (key, silent) in self._sockets.items():
            if not silent and key not in self._expired:
                self._arrive(socket, data)

    def _arrive(self, socket: int, data: bytes | str | None) -> None:
        """Bring a frame, or a pong if it is None."""

        def arrive() -> None:
            if socket in self._sockets:
                self.feed(inputs.Heard(socket) if data is None else inputs.FrameReceived(socket, data))

        self._at(self.now + LATENCY, arrive)

    def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.CreateKey(request):
                granted = inputs.KeyGranted(request, self._key(request), 3600, self.ms(self.now))
                self._at(self.now + LATENCY, lambda: self.feed(granted))
            case actions.RenewKey(request, key):
                renewed = inputs.KeyRenewed(request, self._renewed(key))
                self._at(self.now + LATENCY, lambda: self.feed(renewed))
            case actions.OpenSocket(socket, key):
                self._at(self.now + LATENCY, lambda: self._open(socket, key))
            case actions.CloseSocket(socket, code):
                self._sockets.pop(socket, None)
                self._at(self.now + LATENCY, lambda: self.feed(inputs.SocketClosed(socket, code)))
            case actions.ReadAccount():
                self._read(action)
            case actions.Deliver(event):
                self.events.append(event)

    def _open(self, socket: int, key: str) -> None:
        if self._ahead > self.now:  # a read has moved the exchange on: the first frames must not be from the future
            self._at(self._ahead, lambda: self._open(socket, key))
            return
        if self._spend("cut"):
            self.feed(inputs.SocketClosed(socket))
            return
        self._sockets[socket] = key, False
        self.feed(inputs.SocketOpened(socket))
        self._greeted(socket)

    def _read(self, asked: actions.ReadAccount) -> None:
        self._ahead = max(self._ahead, self.now)
        try:
            account = inline.run(self._reader.read(asked.since, asked.orders, purpose=asked.purpose), self)
            answer: inputs.Input = inputs.AccountRead(asked.request, account)
        except RequestRefused as error:
            answer = inputs.Refused(asked.request, error.refusal)
        if self._spend("refuse"):
            answer = inputs.Refused(asked.request, inputs.Refusal(inputs.RefusalKind.RETRY, "busy"))
        self._at(self._ahead, lambda: self.feed(answer))

    def _hidden_until(self, now: int) -> int | None:
        """The exchange time, ms, from which on fills are hidden; None if none are."""
        until, behind, _ = self._hidden
        return None if self.monotonic() >= until else now - behind

    @property
    def _hides_all(self) -> bool:
        """True if the bookings of the hidden fills are hidden as well."""
        return self._hidden[2]

    def _misfortune(self, mishap: Mishap) -> None:
        size = mishap.size
        match mishap.kind:
            case "lose" | "repeat" | "swap" | "refuse":
                self._fates[mishap.kind] = size % 3 + 1
            case "kill" | "cut":
                if mishap.kind == "cut":
                    self._fates["cut"] = size % 3 + 1
                for socket in tuple(self._sockets):
                    del self._sockets[socket]
                    self.feed(inputs.SocketClosed(socket, 1006))
            case "silence":
                self._sockets = {socket: (key, True) for socket, (key, _) in self._sockets.items()}
            case "expire":
                for socket, (key, _) in tuple(self._sockets.items()):
                    self._expired.add(key)
                    if size % 2:
                        for pushed in self._expiry(key):
                            self._arrive(socket, pushed)
            case "rotate":
                self.feed(inputs.Rotate())
            case "resync":
                self.feed(inputs.Resync())
            case "hide" | "hide all":
                self._hidden = (self.now + 3, size * 150, mishap.kind == "hide all")


def _timed(deeds: tuple[Deed, ...], start: float) -> list[tuple[float, Deed]]:
    timed = []
    for deed in deeds:
        start += deed.after / 1000
        timed.append((start, deed))
    return timed
