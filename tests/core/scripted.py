"""A venue of scripted answers: each request gets the next of its list."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from listenkey.core import actions, inputs
from listenkey.core.dialect import Dialect
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account

from .toy import SilentToy, Toy
from .world import RETRY, World, exchange_ms


class Answer(NamedTuple):
    """The answer to one request: its delay in seconds, its refusal, the key granted; and how long a socket lives."""

    after: float = 0.1
    refusal: Refusal | None = None
    key: str | None = None
    valid_for: float = 3600.0
    lives: float = math.inf


YES = Answer()
NEVER = Answer(math.inf)


def no(refusal: Refusal = RETRY, after: float = 0.1) -> Answer:
    return Answer(after, refusal)


def busy(retry_after: float) -> Answer:
    return Answer(0.1, Refusal(RefusalKind.RETRY, "busy", "", retry_after))


class ScriptedVenue:
    """Each request gets the next answer of its list, or YES when the list is at its end.

    A socket that is open says `ping` after 0.1 s and then every `pings` seconds, unless it is mute. The end of a closed
    socket is known after 0.05 s.

    A `silent` venue opens sockets for dead keys and says nothing unasked; its renewals name their key, or the answer's.
    """

    world: World[Any]

    def __init__(self, mints: Sequence[Answer], openings: int, *, pings: float, silent: bool) -> None:
        self.dialect: Dialect = SilentToy(openings) if silent else Toy(openings)
        self._silent = silent
        self._pings = pings
        self.mints = deque(mints)
        self.renewals, self.deletions, self.dials = deque[Answer](), deque[Answer](), deque[Answer]()
        self.acks, self.reads, self.closings = deque[Answer](), deque[Answer](), deque[Answer]()
        self.account: Callable[[int, int | None], Account] = empty_account
        self._keys = (f"K{n}" for n in itertools.count(1))

    def say(self, text: str | bytes, socket: int | None = None) -> list[actions.Action]:
        """Let a frame come in, by default on the leader; news of the account is dated now."""
        if isinstance(text, str) and text.split(" ")[0] in ("order", "fill", "wallet", "held"):
            text = f"{text} @{self.world.exchange_ms}"
        return self.world.feed(inputs.FrameReceived(self.world.leader if socket is None else socket, text))

    def perform(self, action: actions.Action) -> None:
        now = self.world.now
        match action:
            case actions.CreateKey(request):
                answer = _next(self.mints)
                key = answer.key or ("" if answer.refusal else next(self._keys))
                at = exchange_ms(now + answer.after)
                self._answer(answer, inputs.KeyGranted(request, key, answer.valid_for, at), request)
            case actions.RenewKey(request):
                answer = _next(self.renewals)
                named = answer.key if answer.key is not None else action.key if self._silent else None
                self._answer(answer, action.renewed(named or None), request)
            case actions.SendPing(socket):
                if socket in self.world.open and socket not in self.world.mute:
                    self.world.answer(now + 0.05, inputs.Heard(socket))
            case actions.DeleteKey():
                self.world.answer(now + _next(self.deletions).after, action.deleted())
            case actions.ReadAccount(request, since):
                account = self.account(self.world.exchange_ms, since)
                self._answer(_next(self.reads), inputs.AccountRead(request, account), request)
            case actions.OpenSocket():
                self._dial(action)
            case actions.SendFrame(socket, data) if data.startswith("subscribe"):
                answer = _next(self.acks)
                verdict = f"error {answer.refusal.kind.value}" if answer.refusal else "ack"
                frame = inputs.FrameReceived(socket, f"{verdict} {data.removeprefix('subscribe ')}")
                self.world.answer(now + answer.after, frame)
            case actions.CloseSocket(socket):
                self.world.answer(now + _next(self.closings).after / 2, inputs.SocketClosed(socket, 1000))

    def _dial(self, action: actions.OpenSocket) -> None:
        answer, socket = _next(self.dials), action.socket
        when = self.world.now + answer.after
        if answer.refusal is not None:
            self.world.answer(when, inputs.SocketClosed(socket, None, answer.refusal))
        elif when < math.inf:
            self.world.open[socket] = action.key
            self.world.answer(when, inputs.SocketOpened(socket))
            if not self._silent:
                self.world.answer(when + 0.1, lambda: self._ping(socket))
            if answer.lives < math.inf:
                self.world.answer(when + answer.lives, lambda: socket in self.world.open and self.world.drop(socket))

    def _ping(self, socket: int) -> None:
        if socket in self.world.open:
            if socket not in self.world.mute:
                self.say("ping", socket)
            self.world.answer(self.world.now + self._pings, lambda: self._ping(socket))

    def _answer(self, answer: Answer, yes: inputs.Input, request: int) -> None:
        verdict = inputs.Refused(request, answer.refusal) if answer.refusal else yes
        self.world.answer(self.world.now + answer.after, verdict)


ScriptedWorld = World[ScriptedVenue]


def scripted(
    *,
    mints: Sequence[Answer] = (),
    seed: int = 0,
    openings: int = 0,
    pings: float = 5.0,
    silent: bool = False,
    **policy: Any,
) -> ScriptedWorld:
    """A stream that has just been started."""
    return World(ScriptedVenue(mints, openings, pings=pings, silent=silent), seed=seed, **policy)


def connected(until: float = 10.0, **options: Any) -> ScriptedWorld:
    """A stream in CONNECTED whose first read is done."""
    world = scripted(**options).run(until)
    assert world.state == "CONNECTED"
    return world


def empty_account(at: int, since: int | None) -> Account:
    """An account without orders, fills, positions or balances."""
    return Account(as_of=at, exchange_ms=at, since=since, whole=True, settled=True)


def _next(answers: deque[Answer]) -> Answer:
    return answers.popleft() if answers else YES


def gaps_between(times: list[float]) -> Iterator[float]:
    return (after - before for before, after in itertools.pairwise(times))
