"""A venue that trades: the toy exchange behind a wire and a REST service with faults."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from listenkey.core import actions, inputs
from listenkey.core.dialect import Dialect
from listenkey.core.events import AccountUpdate
from listenkey.core.policy import Mode
from listenkey.core.refusal import Refusal
from listenkey.core.reports import Account, Heartbeat, OrderReport, Report

from .exchange import Exchange, Push
from .speech import SilentSpeech, Speech, frame
from .world import GONE, RETRY, World, exchange_ms

LATENCY = 0.01


class Plan(NamedTuple):
    """The times of a read (s), the delay with which lists show things (ms), or its refusal."""

    begins: float = 0.02
    takes: float = 0.1
    lag: int = 0
    order_lag: int = 0
    refusal: Refusal | None = None
    history: int | None = None


UNANSWERED = Plan(begins=math.inf)
REFUSED = Plan(refusal=RETRY)


class TradingVenue(Exchange):
    """`fates` has, by the number of a frame, its delays in seconds: the frame arrives once for each.

    A `silent` venue has one key for the account, pushes only to sockets of it, and answers pings whatever the key.
    """

    world: World[Any]

    def __init__(self, wire: str, *, cumulative: bool, silent: bool) -> None:
        super().__init__(lambda: self.world.exchange_ms)
        self.listeners.append(self._push)
        self.dialect: Dialect = SilentSpeech(cumulative) if silent else Speech(cumulative)
        self._silent = silent
        self.wire = wire
        self.key: str | None = None
        """The account's key, if all clients share one."""
        self.fates: dict[int, tuple[float, ...]] = {}
        self._spared: dict[int, int] = {}
        self.pushed = 0
        self.reads: deque[Plan] = deque()
        """The plans of the next reads; `plan` is that of all others."""
        self.plan = Plan()
        self.reachable = True
        self.altered: Callable[[Account], Account] = lambda account: account
        """Changes each answer before it is sent."""

    # What may go wrong

    def say(self, report: Report, after: float = LATENCY, spare: int | None = None) -> None:
        """Send a frame on every open socket but the one at this place."""
        for place, (socket, key) in enumerate(self.world.open.items()):
            dead = self._silent and key != self.key
            if not (socket in self.world.mute or dead) and place != spare:
                self.world.answer(self.world.now + after, self._arrival(socket, report))

    def lose(self, *, after: int = 0) -> None:
        """Lose the next frame, or the one so many frames later."""
        self.fates[self.pushed + after] = ()

    def lose_one(self, place: int) -> None:
        """Lose the next frame on one of the sockets."""
        self._spared[self.pushed] = place

    def delay(self, *seconds: float) -> None:
        """Delay the next frame; with several delays it arrives several times."""
        self.fates[self.pushed] = seconds

    # How it answers

    def perform(self, action: actions.Action) -> None:
        world = self.world
        match action:
            case actions.CreateKey():
                world.answer(world.now + 0.05, lambda: self._grant(action.request))
            case actions.OpenSocket():
                world.answer(world.now + 0.05, lambda: self._open(action))
            case actions.CloseSocket(socket):
                world.answer(world.now + 0.02, inputs.SocketClosed(socket, 1000))
            case actions.RenewKey(request) if self._silent:
                renewed = inputs.Refused(request, GONE) if self.key is None else action.renewed(self.key)
                world.answer(world.now + 0.05, renewed)
            case actions.RenewKey(request):
                world.answer(world.now + 0.05, inputs.KeyRenewed(request))
            case actions.SendPing(socket):
                if socket in world.open and socket not in world.mute:
                    world.answer(world.now + LATENCY, inputs.Heard(socket))
            case actions.DeleteKey():
                world.answer(world.now + 0.05, action.deleted())
            case actions.ReadAccount():
                self._read(action)
            case actions.Deliver(AccountUpdate() as update):
                self._check(update)

    def _push(self, push: Push) -> None:
        delays, spare = self.fates.get(self.pushed, (LATENCY,)), self._spared.get(self.pushed)
        self.pushed += 1
        if isinstance(push, OrderReport) and self.wire != "l":
            push = msgspec.structs.replace(push, last_qty=None, last_price=None, trade_id=None)
        for delay in delays:
            self.say(push, delay, spare)

    def _arrival(self, socket: int, report: Report) -> Callable[[], object]:
        return lambda: socket in self.world.open and self.world.feed(inputs.FrameReceived(socket, frame(report)))

    def _grant(self, request: int) -> None:
        if not self.reachable:
            self.world.feed(inputs.Refused(request, RETRY))
            return
        if self.key is None or not self._silent:
            self.key = f"key{request}"
        self.world.feed(inputs.KeyGranted(request, self.key, 3600, self.world.exchange_ms))

    def _open(self, action: actions.OpenSocket) -> None:
        if not self.reachable:
            self.world.feed(action.closed())
            return
        self.world.open[action.socket] = action.key
        self.world.feed(action.opened())
        if not self._silent:
            self._ping(action.socket)

    def _ping(self, socket: int) -> None:
        world = self.world
        if socket in world.open:
            if socket not in world.mute:
                world.answer(world.now + LATENCY, self._arrival(socket, Heartbeat("pong")))
            world.answer(world.now + 5, lambda: self._ping(socket))

    def _read(self, asked: actions.ReadAccount) -> None:
        plan = self.reads.popleft() if self.reads else self.plan
        if plan.begins == math.inf:
            return
        begin, middle, end = (self.world.now + plan.begins + plan.takes * part for part in (0.0, 0.5, 1.0))
        if plan.refusal is not None:
            self.world.answer(end, asked.refused(plan.refusal))
            return

        def answer() -> None:
            times = (exchange_ms(begin), exchange_ms(middle), exchange_ms(end))
            lags = {"lag": plan.lag, "order_lag": plan.order_lag, "history": plan.history}
            if asked.since is None and asked.orders:
                account = self.alone(times, asked.orders, **lags)  # type: ignore[arg-type]
            else:
                since = times[0] - 1 if asked.since is None else asked.since
                account = self.whole(times, since, asked.orders, **lags)  # type: ignore[arg-type]
            self.world.feed(asked.read(self.altered(account)))

        self.world.answer(end, answer)

    def _check(self, update: AccountUpdate) -> None:
        """Raise if a balance or position is delivered that the account has never had."""
        now = self.world.exchange_ms
        wallets = {wallet for ts, wallet in self.wallets if ts <= now}
        held = [positions for ts, positions in self.positions if ts <= now]
        for balance in update.balances:
            assert balance.wallet_balance in wallets
        for position in update.positions:
            signed = -position.qty if position.side == "SHORT" else position.qty
            assert any(positions.get(position.symbol, Decimal(0)) == signed for positions in held)


TradingWorld = World[TradingVenue]


def trading(
    *,
    wire: str = "l",
    mode: Mode = "ws",
    start: bool = True,
    cumulative: bool = False,
    silent: bool = False,
    **policy: float,
) -> TradingWorld:
    """A stream that has just been started or, without `start`, not yet."""
    return World(TradingVenue(wire, cumulative=cumulative, silent=silent), seed=1, mode=mode, start=start, **policy)


def ready(wire: str = "l", **policy: float) -> TradingWorld:
    """A LIVE stream: its first read and the audit after it have passed; the next audit is two minutes away."""
    return trading(wire=wire, **policy).run(8)  # type: ignore[arg-type]
