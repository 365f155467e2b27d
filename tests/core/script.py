"""Whole lives as scripts: a connection on virtual time, and a party that plays everything outside of it."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent, GapNotice, Health, HealthChange
from listenkey.core.link.lifecycle import State
from listenkey.core.policy import Policy
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account

from .judge import Judge
from .toy import SilentToy, Toy

EPOCH = 1_700_000_000_000
RETRY, GONE, FATAL = (Refusal(kind, kind.value) for kind in RefusalKind)
T = TypeVar("T")
Seen = inputs.Input | actions.Action


class Answer(NamedTuple):
    """What a request gets, and when; a granted key's name and validity; how long an opened socket lives."""

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


class Life:
    """One connection and the world around it.

    A request gets the next answer of its list, or YES when the list is at its end. A socket that is open says `ping`
    after 0.1 s and then every `pings` seconds, unless it is mute. A closed socket is told of after 0.05 s.

    A `silent` venue opens sockets for dead keys and says nothing unasked; its renewals name their key, or the answer's.
    """

    def __init__(
        self,
        *,
        mints: Sequence[Answer] = (),
        seed: int = 0,
        openings: int = 0,
        pings: float = 5.0,
        silent: bool = False,
        **policy: Any,
    ) -> None:
        toy = SilentToy(openings) if silent else Toy(openings)
        self.connection = Connection(toy, Policy(**policy), seed=seed)
        self._silent = silent
        self.judge = Judge(self.connection)
        self.now = 0.0
        self.log: list[tuple[float, Seen]] = []
        self.inputs: list[tuple[float, inputs.Input]] = []
        self.states: list[State] = [State.IDLE]
        """The lifecycle's states, one after the other."""
        self.mints = deque(mints)
        self.renewals: deque[Answer] = deque()
        self.deletions: deque[Answer] = deque()
        self.dials: deque[Answer] = deque()
        self.acks: deque[Answer] = deque()
        self.reads: deque[Answer] = deque()
        self.closings: deque[Answer] = deque()
        self.account: Callable[[int, int | None], Account] = empty_account
        self.mute: set[int] = set()
        self.keys = (f"K{n}" for n in itertools.count(1))
        self.open: set[int] = set()
        self._pings = pings
        self._order = itertools.count()
        self._plan: list[tuple[float, int, inputs.Input | Callable[[], object]]] = []
        self.play(inputs.Start())

    # What a script says

    def play(self, received: inputs.Input, *, now: float | None = None) -> list[actions.Action]:
        """Hand in an input at this moment, or at another."""
        at = self.now if now is None else now
        ordered = self.connection.handle(received, now=at)
        self.now = max(self.now, at)
        self.inputs.append((at, received))
        self.log.append((self.now, received))
        self.log.extend((self.now, action) for action in ordered)
        if self.connection.state is not self.states[-1]:
            self.states.append(self.connection.state)
        self.judge.step(self.now, received, ordered)
        for action in ordered:
            self._perform(action)
        return ordered

    def at(self, when: float, happening: inputs.Input | Callable[[], object]) -> None:
        """Let it happen then."""
        heapq.heappush(self._plan, (when, next(self._order), happening))

    def run(self, until: float) -> Life:
        """Let time pass."""
        while True:
            planned = self._plan[0][0] if self._plan else math.inf
            when = min(planned, self.connection.deadline)
            if when > until:
                self.now = max(self.now, until)
                return self
            if planned <= when:
                self._happen(heapq.heappop(self._plan))
            else:
                self.play(inputs.Tick(), now=when)

    def frame(self, text: str | bytes, socket: int | None = None) -> list[actions.Action]:
        """A frame comes in, by default on the socket that leads; news of the account bears the time."""
        if isinstance(text, str) and text.split(" ")[0] in ("order", "fill", "wallet"):
            text = f"{text} @{self._exchange_ms(0)}"
        return self.play(inputs.FrameReceived(self.leader if socket is None else socket, text))

    def drop(self, socket: int | None = None, refusal: Refusal | None = None) -> list[actions.Action]:
        """The connection breaks, by default of the socket that leads."""
        broken = self.leader if socket is None else socket
        self.open.discard(broken)
        return self.play(inputs.SocketClosed(broken, 1006, refusal))

    def sleep_until(self, when: float) -> list[actions.Action]:
        """Our own process is stopped: nothing is handled until then, and what was planned happens afterwards."""
        late = [(max(at, when), order, what) for at, order, what in self._plan]
        heapq.heapify(late)
        self._plan = late
        return self.play(inputs.Tick(), now=when)

    # What a script asks

    @property
    def leader(self) -> int:
        return self.connection.links[0].socket

    @property
    def successor(self) -> int:
        return self.connection.links[1].socket

    @property
    def state(self) -> str:
        """The lifecycle's, as its word: a script says it again and again, and each time it is another."""
        return self.connection.state

    @property
    def health(self) -> str:
        return self.connection.health

    def seen(self, kind: type[T]) -> list[T]:
        """Every input or action of this type."""
        return [thing for _, thing in self.log if isinstance(thing, kind)]

    def times(self, kind: type) -> list[float]:
        """When each input or action of this type was."""
        return [round(now, 6) for now, thing in self.log if isinstance(thing, kind)]

    def count(self, kind: type) -> int:
        return len(self.seen(kind))

    @property
    def events(self) -> list[ExchangeEvent]:
        return [delivered.event for delivered in self.seen(actions.Deliver)]

    @property
    def gaps(self) -> list[tuple[str, str]]:
        """Kind and reason of each notice of a gap."""
        return [(event.kind.value, event.reason.value) for event in self.events if isinstance(event, GapNotice)]

    @property
    def healths(self) -> list[Health]:
        return [event.health for event in self.events if isinstance(event, HealthChange)]

    @property
    def anomalies(self) -> list[str]:
        return [report.anomaly.name for report in self.seen(actions.Report)]

    def outline(self, *kinds: type) -> list[str]:
        """The names of all actions in order, or of these types."""
        return [type(thing).__name__ for _, thing in self.log if isinstance(thing, kinds or actions.Action)]

    # How the world answers

    def _happen(self, planned: tuple[float, int, inputs.Input | Callable[[], object]]) -> None:
        when, _, happening = planned
        self.now = max(self.now, when)
        if callable(happening):
            happening()
        else:
            self.play(happening)

    def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.CreateKey(request):
                answer = self._next(self.mints)
                key = answer.key or ("" if answer.refusal else next(self.keys))
                granted = inputs.KeyGranted(request, key, answer.valid_for, self._exchange_ms(answer.after))
                self._answer(answer, granted, request)
            case actions.RenewKey(request):
                answer = self._next(self.renewals)
                named = answer.key if answer.key is not None else action.key if self._silent else None
                self._answer(answer, action.renewed(named or None), request)
            case actions.SendPing(socket):
                if socket in self.open and socket not in self.mute:
                    self.at(self.now + 0.05, inputs.Heard(socket))
            case actions.DeleteKey():
                answer = self._next(self.deletions)
                self.at(self.now + answer.after, action.deleted())
            case actions.ReadAccount(request, since):
                self._read(request, since)
            case actions.OpenSocket(socket):
                self._dial(socket)
            case actions.SendFrame(socket, data) if data.startswith("subscribe"):
                answer = self._next(self.acks)
                verdict = f"error {answer.refusal.kind.value}" if answer.refusal else "ack"
                frame = inputs.FrameReceived(socket, f"{verdict} {data.removeprefix('subscribe ')}")
                self.at(self.now + answer.after, frame)
            case actions.CloseSocket(socket):
                self.open.discard(socket)
                closing = self._next(self.closings)
                self.at(self.now + closing.after / 2, inputs.SocketClosed(socket, 1000))

    def _dial(self, socket: int) -> None:
        answer = self._next(self.dials)
        when = self.now + answer.after
        if answer.refusal is not None:
            self.at(when, inputs.SocketClosed(socket, None, answer.refusal))
        elif when < math.inf:
            self.open.add(socket)
            self.at(when, inputs.SocketOpened(socket))
            if not self._silent:
                self.at(when + 0.1, lambda: self._ping(socket))
            if answer.lives < math.inf:
                self.at(when + answer.lives, lambda: self._cut(socket))

    def _cut(self, socket: int) -> None:
        if socket in self.open:
            self.drop(socket)

    def _ping(self, socket: int) -> None:
        if socket in self.open:
            if socket not in self.mute:
                self.frame("ping", socket)
            self.at(self.now + self._pings, lambda: self._ping(socket))

    def _read(self, request: int, since: int | None) -> None:
        answer = self._next(self.reads)
        account = self.account(self._exchange_ms(0), since)
        self._answer(answer, inputs.AccountRead(request, account), request)

    def _answer(self, answer: Answer, yes: inputs.Input, request: int) -> None:
        self.at(self.now + answer.after, inputs.Refused(request, answer.refusal) if answer.refusal else yes)

    def _exchange_ms(self, after: float) -> int:
        return 0 if after == math.inf else EPOCH + round((self.now + after) * 1000)

    @staticmethod
    def _next(answers: deque[Answer]) -> Answer:
        return answers.popleft() if answers else YES


def empty_account(exchange_ms: int, since: int | None) -> Account:
    """Nothing has happened."""
    return Account(as_of=exchange_ms, exchange_ms=exchange_ms, since=since, whole=True, settled=True)


def connected(until: float = 10.0, **options: Any) -> Life:
    """A life that is well under way: CONNECTED, its first read done."""
    life = Life(**options)
    life.run(until)
    assert life.state == "CONNECTED"
    return life


def gaps_between(times: list[float]) -> Iterator[float]:
    return (after - before for before, after in itertools.pairwise(times))
