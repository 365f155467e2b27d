"""Any inputs, in any order and at any time, raise nothing; and the same inputs give the same actions again."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection, Misuse
from listenkey.core.events import Balance, Position
from listenkey.core.kinds import IncomeKind
from listenkey.core.link.link import Phase
from listenkey.core.policy import Mode, Policy
from listenkey.core.refusal import PUT_OFF, Refusal, RefusalKind
from listenkey.core.reports import Account, FillReport, IncomeReport, OrderReport

from ..examples import TIMES
from .judge import Judge
from .scripted import connected
from .toy import SilentToy, Toy
from .world import EPOCH, FATAL, GONE, RETRY

SILENT = 3
ODD = (0.0, -1.0, 1e-9, 1.0, 60.0, 3600.0, 1e300, math.inf, -math.inf, math.nan)
KEYS = ("K1", "K2", "K3", "", "{", "\ud800")
FRAMES: tuple[str | bytes, ...] = (
    *("ping", "ping 7", "ack 3.0", "ack 3.1", "expired", "expired K1", "expired K2", "note K1", "doubt it"),
    *("dubious", "closing", "data x", "expired K1; dubious"),
    *("error retry", "error fatal", "error gone 3.0", "ping; error fatal; ping; expired; note x", "wallet 5"),
    *("order A NEW 0/3", "fill A 1/3", "fill A 1/3 +1", "fill A 2/3 +1", "fill A 3/3", "order A CANCELED 2/3"),
    *(
        f"order B NEW 0/9 @{EPOCH}",
        f"fill B 4/9 +2 @{EPOCH + 5000}",
        "fill B 9/9",
        "order A ODD 1/3",
        "order B NEW 0/0",
    ),
    *("", " ", ";;;", "\ud800", "x" * 2000, b"", b"ping", b"\x1f\x8b\x08", "fill A -1/3", "fill A 5/3 +9", "wallet -1"),
)
REFUSALS = (
    *(RETRY, GONE, FATAL),
    *(Refusal(RefusalKind.RETRY, None, "\ud800", after) for after in ODD),
    *(Refusal(RefusalKind.RETRY, PUT_OFF, "later", after) for after in ODD),
    Refusal(RefusalKind.RETRY, "x" * 300, "busy", 30.0),
)
PAUSES = (
    *(0.0, 0.0, 0.0, 0.01, 0.01, 0.1, 0.1, 0.2, 0.3, 0.3, 0.5, 1.0, 1.1, 1.5, 3.1, 5.0, 7.5, 10.0, 16.0, 60.0),
    *(500.0, 3700.0, 90_000.0, 1e9, -1.0, -1e11),
)
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"max_frame_bytes": 1000, "rotate_after": 30, "drain": 0, "hold_limit": 0, "reorder_window": 0},
    {"audit_interval": 0, "backfill_overlap": 0, "renew_interval": 0.001, "poll_interval": 0.001, "rotate_jitter": 0},
    {"silence_timeout": 1e9, "request_timeout": 1e9, "connect_timeout": 1e9, "backoff_max": 1e9, "rotate_after": 0},
    {"probe_after": 2, "delete_keys": 0, "renew_interval": 7, "silence_timeout": 3},
    {"silence_timeout": 0.001, "request_timeout": 0.001, "connect_timeout": 0.001, "backoff_initial": 0.001},
)


def account(n: int, at: float, since: int | None) -> Account:
    """An account that depends on the number `n`."""
    now = EPOCH + int(at * 1000) % 10**15
    done = Decimal(n % 4)
    orders = [
        OrderReport(
            symbol="TOY",
            order_id=name,
            status="FILLED" if done == 3 else "PARTIALLY_FILLED" if done else "NEW",
            cumulative_qty=done,
            qty=Decimal(3),
            side="BUY",
            exchange_ts=now,
            created_ts=EPOCH,
        )
        for name in "ABC"[: n % 4]
    ]
    fills = [
        FillReport(symbol="TOY", order_id="A", qty=Decimal(1), price=Decimal(100), exchange_ts=now, trade_id=str(trade))
        for trade in range(n % 5)
    ]
    income = [
        IncomeReport(
            income_type=kind.upper(), kind=kind, amount=Decimal(n), tran_id=str(n % 3), exchange_ts=now, asset="USD"
        )
        for kind in (IncomeKind.FUNDING, IncomeKind.OTHER, IncomeKind.FEE)[: n % 4]
    ]
    return Account(
        as_of=now,
        exchange_ms=now + n,
        since=(EPOCH, None, since)[n % 3],
        whole=n % 7 > 0,
        settled=n % 5 > 0,
        moving=frozenset("A"[: n % 2]),
        one_way=n % 2 == 0,
        balances=(Balance(asset="USD", wallet_balance=Decimal(n)),),
        positions=(Position(symbol="TOY", side=("LONG", None)[n % 2], qty=Decimal(n % 3)),),
        orders=tuple(orders),
        open_orders=frozenset("AB"[: n % 3]),
        fills=tuple(fills),
        income=tuple(income),
    )


def toy(openings: int) -> Toy:
    """A dialect with so many opening frames; with `SILENT` that of a silent venue, with one."""
    return SilentToy(1) if openings == SILENT else Toy(openings)


class Stranger:
    """Sends random inputs, fitting or not, as a list of numbers says; at the end it stops in order."""

    def __init__(self, seed: int, openings: int, policy: dict[str, Any], mode: Mode) -> None:
        self.connection = Connection(toy(openings), Policy(**policy), seed=seed, mode=mode)
        self.judge = Judge(self.connection, consistent=False)
        self.now = 0.0
        self.requests: list[actions.Action] = []
        self.sockets: list[int] = []
        self.said: list[tuple[float, inputs.Input]] = []
        self.done: list[list[actions.Action]] = []

    def say(self, received: inputs.Input, pause: float = 0.0) -> None:
        at = self.now + pause
        self.now = max(self.now, at)
        self.said.append((at, received))
        try:
            ordered = self.connection.handle(received, now=at)
        except Misuse:
            assert isinstance(received, inputs.Start)
            return
        self.done.append(ordered)
        self.judge.step(at, received, ordered)
        for action in ordered:
            if isinstance(action, (actions.CreateKey, actions.RenewKey, actions.DeleteKey, actions.ReadAccount)):
                self.requests.append(action)
            elif isinstance(action, actions.OpenSocket):
                self.sockets.append(action.socket)

    def act(self, deed: str, n: int, pause: float) -> None:
        """Do one step; `n` chooses the socket or request, and the content."""
        socket = self.sockets[-1 - n % min(3, len(self.sockets))] if self.sockets and n % 11 else n % 7 - 1
        match deed:
            case "well":
                self.go_well(n)
            case "tick":
                self.say(inputs.Tick(), pause)
            case "due":
                self.say(inputs.Tick(), max(0.0, min(self.connection.deadline, 1e11) - self.now))
            case "answer":
                self.answer(n, pause)
            case "refuse":
                asked = self.requests.pop(n % len(self.requests)) if self.requests else None
                number = getattr(asked, "request", n % 9)
                self.say(inputs.Refused(number, REFUSALS[n % len(REFUSALS)]), pause)
            case "stray":
                self.say(self.stray(n), pause)
            case "opened":
                self.say(inputs.SocketOpened(socket), pause)
            case "closed":
                refusal = (None, *REFUSALS)[n % (len(REFUSALS) + 1)]
                self.say(inputs.SocketClosed(socket, None, refusal), pause)
            case "frame":
                self.say(inputs.FrameReceived(socket, FRAMES[n % len(FRAMES)]), pause)
            case "ping":
                self.say(inputs.FrameReceived(socket, "ping") if n % 3 else inputs.Heard(socket), pause)
            case "asked":
                self.say((inputs.Rotate(), inputs.Rotate(), inputs.Resync(), inputs.Start())[n % 4], pause)
            case "stop":
                self.say(inputs.Stop() if n % 5 == 0 else inputs.Tick(), pause)

    def go_well(self, n: int) -> None:
        """Take the newest socket, else a request, one step further; if there is none, wait for the next timer."""
        socket = max(self.judge.open, default=0)
        phases = {link.socket: link.phase for link in self.connection.links}
        if socket and phases[socket] is Phase.OPENING:
            self.say(inputs.SocketOpened(socket), 0.1)
        elif socket and phases[socket] in (Phase.SUBSCRIBING, Phase.PROVING):
            self.say(inputs.FrameReceived(socket, f"ping; ack {socket}.0; ack {socket}.1"), 0.1)
        elif self.requests:
            self.answer(len(self.requests) - 1 if n % 2 else n, 0.1)
        elif self.judge.open:
            self.say(inputs.FrameReceived(socket, "ping"), 3.0)
        else:
            self.act("due", n, 0.0)

    def answer(self, n: int, pause: float) -> None:
        asked = self.requests.pop(n % len(self.requests)) if self.requests else None
        match asked:
            case actions.CreateKey(request):
                valid = 3600.0 if n % 3 else ODD[n % len(ODD)]
                key = f"N{n}" if n % 2 else KEYS[n % len(KEYS)]
                self.say(inputs.KeyGranted(request, key, valid, (EPOCH + n, None, 10**30, -5)[n % 4]), pause)
            case actions.RenewKey(request, key):
                self.say(inputs.KeyRenewed(request, (key, key, None, *KEYS)[n % (3 + len(KEYS))]), pause)
            case actions.DeleteKey(request):
                self.say(inputs.KeyDeleted(request), pause)
            case actions.ReadAccount(request, since):
                self.say(inputs.AccountRead(request, account(n, self.now, since)), pause)
            case _:
                self.say(inputs.Tick(), pause)

    def stray(self, n: int) -> inputs.Input:
        number = n % 13 - 2
        return (
            inputs.KeyGranted(number, KEYS[n % len(KEYS)], ODD[n % len(ODD)]),
            inputs.KeyRenewed(number, KEYS[n % len(KEYS)]),
            inputs.Heard(number),
            inputs.KeyDeleted(number),
            inputs.AccountRead(number, account(n, self.now, None)),
            inputs.Refused(number, REFUSALS[n % len(REFUSALS)]),
            inputs.SocketOpened(number),
            inputs.FrameReceived(number, FRAMES[n % len(FRAMES)]),
        )[n % 8]

    def leave(self) -> None:
        """Stop, and let every timer fire without an answer: then the connection must be finished."""
        self.say(inputs.Stop())
        for _ in range(500):
            if self.connection.deadline < math.inf:
                self.say(inputs.Tick(), self.connection.deadline - self.now)
        assert self.connection.finished
        assert self.connection.deadline == math.inf


DEEDS = (
    *("well",) * 40,
    *("tick", "due", "answer", "answer", "refuse", "stray", "opened", "closed"),
    *("frame", "frame", "frame", "ping", "asked", "asked", "stop"),
)
Deed = tuple[str, int, float]
lives = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 1000), st.sampled_from(PAUSES)), max_size=60)


def meet(
    deeds: Iterable[Deed], seed: int = 0, openings: int = 0, policy: int = 0, mode: Mode = "ws", start: bool = True
) -> Stranger:
    stranger = Stranger(seed, openings, POLICIES[policy], mode)
    if start:
        stranger.say(inputs.Start())
    for deed, n, pause in deeds:
        stranger.act(deed, n, pause)
    return stranger


@settings(max_examples=80 * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lives,
    st.integers(0, 3),
    st.integers(0, SILENT),
    st.integers(0, len(POLICIES) - 1),
    st.sampled_from(("ws", "ws", "ws", "poll")),
    st.booleans(),
)
def test_nothing_from_outside_raises(
    deeds: list[Deed], seed: int, openings: int, policy: int, mode: Mode, start: bool
) -> None:
    """In any state no input raises, every rule of the judge holds, and `Stop` ends the stream."""
    meet(deeds, seed, openings, policy, mode, start).leave()


@pytest.mark.parametrize("policy", range(len(POLICIES)))
def test_long_nonsense(policy: int) -> None:
    """The same for long runs, which reach rarer states."""
    for seed in range(12):
        rng = Random(seed)
        deeds = [(rng.choice(DEEDS[:-1]), rng.randrange(1000), rng.choice(PAUSES[:-3])) for _ in range(400)]
        meet(deeds, seed, seed % (SILENT + 1), policy).leave()


@settings(max_examples=20 * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lives, st.integers(0, 3), st.integers(0, len(POLICIES) - 1))
def test_the_same_again(deeds: list[Deed], seed: int, policy: int) -> None:
    """The same inputs at the same times with the same seed give the same actions in the same order."""
    first = meet(deeds, seed, 0, policy)
    again = Connection(Toy(), Policy(**POLICIES[policy]), seed=seed)
    done = []
    for at, received in first.said:
        try:
            done.append(again.handle(received, now=at))
        except Misuse:
            continue
    assert done == first.done


SCRIPT = """
from random import Random
from {package}.test_any_input import DEEDS, PAUSES, meet
for seed in range(8):
    rng = Random(seed)
    deeds = [(rng.choice(DEEDS[:-1]), rng.randrange(1000), rng.choice(PAUSES[:-3])) for _ in range(300)]
    print([[repr(action) for action in ordered] for ordered in meet(deeds, seed).done])
"""


def test_the_same_in_another_process() -> None:
    """The order of actions does not depend on how a process hashes its strings."""
    root = Path(__file__).resolve().parents[2]
    script = SCRIPT.format(package="tests.core")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            cwd=root,
            capture_output=True,
            check=True,
            timeout=600,
        ).stdout
        for hash_seed in (1, 2, 3)
    }
    assert len(outputs) == 1


def test_another_seed_moves_only_jitter() -> None:
    """With the same inputs, another seed changes when timers are due, but not what is done first."""
    lives = [connected(100, seed=seed) for seed in range(5)]
    assert len({tuple(world.outline()) for world in lives}) == 1
    assert len({world.connection.deadline for world in lives}) == 1
    for world in lives:
        world.drop()
    assert len({world.connection.deadline for world in lives}) == 5
    assert len({tuple(world.outline()) for world in lives}) == 1
