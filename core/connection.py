"""The door: bytes and time go in, actions come out. It fires what is due, routes the input and has no rules itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .actions import Action
from .book import Book
from .context import Context, of_its_fee
from .dialect import Dialect, SettlingDialect
from .events import Health
from .health import Vitals
from .inputs import (
    AccountRead,
    FrameReceived,
    Heard,
    Input,
    KeyDeleted,
    KeyGranted,
    KeyRenewed,
    Refused,
    Resync,
    Rotate,
    SocketClosed,
    SocketOpened,
    Start,
    Stop,
    Tick,
)
from .intake import Intake
from .link.lifecycle import State
from .link.supervisor import Supervisor
from .link.view import LinkView, view
from .policy import MODES, WAYS, Mode, Policy
from .secrets import Secrets
from .sync.continuity import Continuity


class Misuse(RuntimeError):
    """The caller broke the rules of the door; nothing has changed."""


class Connection:
    """One account's stream, without I/O and without a clock.

    `handle` takes an input and the caller's monotonic time in seconds, and returns what is to be done. The seed decides
    the jitter and nothing else; the same seed and the same inputs at the same times give the same actions. What of a
    frame is secret is in none of them: the listen keys, and whatever else the register `secrets` knows.
    """

    def __init__(
        self,
        dialect: Dialect,
        policy: Policy | None = None,
        *,
        seed: int = 0,
        mode: Mode = "ws",
        secrets: Secrets | None = None,
    ) -> None:
        if isinstance(dialect, str):
            raise Misuse(f"a connection takes the dialect of a venue, not its name: {dialect!r} is for `open_venue`")
        if mode not in MODES:
            raise Misuse(f"mode must be {WAYS}, not {mode!r}")
        self.policy = (policy or Policy()).over(dialect.policy)
        self.mode = mode
        self._polls = mode == "poll"
        self.secrets = Secrets() if secrets is None else secrets
        """The register of secrets: it is given listen keys as they are granted, extended or named by the venue."""
        self._context = Context(
            self.policy,
            seed,
            self.secrets,
            grain=dialect.time_grain_ms,
            failing_calls=dialect.failing_calls,
            settlement=dialect.settlement if isinstance(dialect, SettlingDialect) else of_its_fee,
        )
        self._continuity = Continuity(
            self._context,
            dialect,
            mode,
            distrust=lambda: self._supervisor.distrust(),
            stop=lambda refusal: self._supervisor.stop(refusal),
        )
        self._supervisor = Supervisor(self._context, dialect, self._continuity)
        self._intake = Intake(self._context, dialect, self._supervisor, self._continuity)
        self._vitals = Vitals(self._context, self._supervisor, self._continuity, polls=self._polls)
        self._ended = False
        self._started = False
        self._inputs: dict[type, Callable[[Any], None]] = {
            FrameReceived: self._intake.take,
            Heard: self._intake.hear,
            Tick: lambda _tick: None,
            Start: self._start,
            Stop: lambda _stop: self._stop(),
            Rotate: lambda _rotate: self._supervisor.rotate(),
            Resync: lambda _resync: self._resync(),
            KeyGranted: self._key_granted,
            KeyRenewed: lambda renewed: self._supervisor.renewed(renewed.request, renewed.key),
            KeyDeleted: lambda deleted: self._supervisor.deleted(deleted.request),
            SocketOpened: lambda opened: self._supervisor.opened(opened.socket),
            SocketClosed: lambda closed: self._supervisor.closed(closed.socket, closed.code, closed.refusal),
            AccountRead: lambda read: self._continuity.read(read.request, read.account),
            Refused: self._refused,
        }

    @property
    def state(self) -> State:
        """Where the lifecycle is."""
        return self._supervisor.state

    @property
    def deadline(self) -> float:
        """When to call again with `Tick` if nothing else happens; `math.inf` if nothing is due."""
        return self._context.timers.deadline

    @property
    def health(self) -> Health:
        """How far the stream can be trusted."""
        return self._vitals.health

    @property
    def finished(self) -> bool:
        """Stopped, and nothing is in flight; until then keep feeding it."""
        return self._supervisor.finished

    @property
    def links(self) -> tuple[LinkView, ...]:
        """The link that leads and its successor, as they are now."""
        pair = self._supervisor.pair
        return tuple(view(link) for link in (pair.leader, pair.successor) if link is not None)

    @property
    def began(self) -> int | None:
        """Exchange time, ms, from which on fills are due; None before the venue has named a time."""
        return self._continuity.began

    @property
    def books(self) -> tuple[Book, ...]:
        """The ledger: one book for each asset, unproven while a gap is open."""
        return self._continuity.books

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, up to which everything has been delivered; None before a read has passed."""
        return self._continuity.proven_until

    def handle(self, received: Input, *, now: float) -> list[Action]:
        """Fire every timer due by `now`, then take the input; what is to be done, in order.

        A `now` that goes backwards counts as no time. Raises `Misuse` for a second `Start`, an input of no known type,
        a frame that is neither text nor bytes, or a `now` that is no number of seconds, before anything has changed.
        """
        take = self._inputs.get(type(received))
        if take is None:
            if type(received) is Start:
                raise Misuse(f"Start came twice; the state is {self.state}")
            raise Misuse(f"{type(received).__name__} is not an input")
        if not -_FOREVER < now < _FOREVER:
            raise Misuse(f"now must be in seconds, not {now!r}")
        health_dirty = True
        if type(received) is FrameReceived:
            health_dirty = self._polls
            if not isinstance(received.data, (bytes, str)):
                received = _copied(received)
        context = self._context
        timers = context.timers
        if now > context.now:
            context.now = now
        actions: list[Action] = []
        context.actions = actions
        context.health_dirty = health_dirty
        if timers.not_before <= context.now:
            self._fire()
        take(received)
        if timers.not_before <= context.now:
            self._fire()
        if context.health_dirty:
            self._conclude()
        return actions

    def _conclude(self) -> None:
        """Conclude a call: deliver the health, if it has changed, and after all else the end."""
        self._vitals.deliver()
        finish = self._supervisor.finish
        if finish is not None and not self._ended:
            self._ended = True
            self._context.emit(finish)

    def _fire(self) -> None:
        timers, alarms, now = self._context.timers, self._context.alarms, self._context.now
        self._context.health_dirty = True
        while (due := timers.pop_due(now)) is not None:
            (name, identity), deadline = due
            alarms[name](identity, now - deadline)

    def _start(self, start: Start) -> None:
        self._begin()
        self._continuity.start(start.checkpoint)
        if not self._polls:
            self._supervisor.start()

    def _stop(self) -> None:
        self._begin()
        self._supervisor.stop()

    def _begin(self) -> None:
        self._started = True
        self._inputs.pop(Start, None)  # a second one is no input

    def _resync(self) -> None:
        if self._started and not self._supervisor.stopped:
            self._continuity.resync()

    def _key_granted(self, granted: KeyGranted) -> None:
        if self._supervisor.granted(granted.request, granted.key, granted.valid_for):
            self._continuity.begin(granted.exchange_ms)

    def _refused(self, refused: Refused) -> None:
        self._supervisor.refused(refused.request, refused.refusal)
        self._continuity.refused(refused.request, refused.refusal)


def _copied(received: FrameReceived) -> FrameReceived:
    """The frame as bytes of our own, from whatever buffer it lies in."""
    data = received.data
    if not isinstance(data, (bytearray, memoryview)):
        raise Misuse(f"a frame must be bytes or str, not {type(data).__name__}")
    try:
        return FrameReceived(received.socket, bytes(data))
    except ValueError as error:
        raise Misuse(f"a frame must be bytes or str: {error}") from None


_FOREVER = 1e12
"""Seconds; beyond it a float cannot separate one millisecond from the next."""
