"""The model of a stream for the views: its delivered events, samples of its links, and notes."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...core.actions import Action, Report
from ...core.events import ExchangeEvent, ExchangeEventKind, Fill, GapNotice, Health, HealthChange
from ...core.inputs import Input
from ...core.link.lifecycle import State
from ...core.link.link import Phase
from ...core.link.view import KeyView
from ...core.policy import Policy
from ..driver.stream import Stream
from . import wording
from .secrecy import redacted

K = ExchangeEventKind
REMEMBERED = 200
SPAN_SECONDS = 120.0
"""The seconds for which links and gaps are kept."""


@dataclass
class Span:
    """An interval of the host's monotonic clock, seconds, in which something held; `end` is infinite while it does."""

    what: str
    start: float
    end: float = math.inf


@dataclass
class LinkTrack:
    """One link, from its opening on, with a span for each of its phases."""

    socket: int
    spans: list[Span] = field(default_factory=list)

    @property
    def start(self) -> float:
        return self.spans[0].start

    @property
    def end(self) -> float:
        return self.spans[-1].end


@dataclass
class GapRecord:
    """One gap: `closed` is None while it is open."""

    opened: GapNotice
    opened_at: float
    closed: GapNotice | None = None
    closed_at: float = math.inf


class StreamModel:
    """The model; times are seconds of the host's monotonic clock. Its user calls `take` for every event, and `sample`
    about twenty times a second.
    """

    def __init__(self, title: str, policy: Policy, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.title = title
        self.policy = policy
        self.clock = clock
        self.started = clock()
        self.health, self.health_since = Health.BLIND, self.started
        self.state, self.state_since = State.IDLE, self.started
        self.proven_until: int | None = None
        self.read_at: float | None = None
        """The time at which the last read of the account passed."""
        self.tracks: deque[LinkTrack] = deque()
        self.blindness: deque[Span] = deque([Span("blind", self.started)])
        self.notes: deque[Span] = deque(maxlen=REMEMBERED)
        self.gaps: deque[GapRecord] = deque(maxlen=REMEMBERED)
        self.events: deque[tuple[float, ExchangeEvent]] = deque(maxlen=REMEMBERED)
        self.fills: deque[tuple[float, bool]] = deque()
        """The fills of the last two minutes: the time of each, and True if a read of the account brought it."""
        self.counts: Counter[str] = Counter()
        self.anomalies: Counter[str] = Counter()
        self.warning: tuple[float, str] | None = None
        self.notable: deque[tuple[float, str]] = deque(maxlen=REMEMBERED)
        """Lines for the plain output, which takes them out."""
        self.key: KeyView | None = None
        self.key_since = self.renewed_at = self.started
        self._led_by: int | None = None

    def take(self, event: ExchangeEvent) -> None:
        """Take a delivered event."""
        now = self.clock()
        self.events.append((now, event))
        self.counts["events"] += 1
        if event.kind in _NOTABLE:
            self.notable.append((now, wording.sentence(event)))
        if isinstance(event, Fill):
            self.counts["fills"] += 1
            self.fills.append((now, event.source == "poll"))
        elif isinstance(event, HealthChange):
            self._be(event.health, now)
        elif isinstance(event, GapNotice):
            self._notice(event, now)

    def observe(self, _now: float, _received: Input, ordered: Sequence[Action], /) -> None:
        """Count the anomalies of a step of the stream."""
        for action in ordered:
            if isinstance(action, Report):
                self.anomalies[action.anomaly.name] = action.anomaly.count

    def sample(self, stream: Stream) -> None:
        """Take the state of the stream now."""
        now = self.clock()
        if stream.state is not self.state:
            self.state, self.state_since = stream.state, now
        if stream.proven_until != self.proven_until:
            self.proven_until, self.read_at = stream.proven_until, now
        links = stream.links
        open_tracks = {track.socket: track for track in self.tracks if track.end == math.inf}
        for link in links:
            track = open_tracks.pop(link.socket, None)
            if track is None:
                track = LinkTrack(link.socket, [Span(_PHASES[Phase.OPENING], now)])
                self.tracks.append(track)
                self.counts["links"] += 1
            phase = _PHASES[link.phase]
            if track.spans[-1].what != phase:
                track.spans[-1].end = now
                track.spans.append(Span(phase, now))
        for track in open_tracks.values():
            track.spans[-1].end = now
        self._lead(links[0].socket if links and links[0].proven else None)
        self._watch_key(links[0].key if links else None, now)
        self._forget(now - SPAN_SECONDS)

    def note(self, what: str, seconds: float = 0.0) -> None:
        """Note something that is done to the stream for `seconds`."""
        now = self.clock()
        self.notes.append(Span(what, now, now + seconds))
        self.notable.append((now, f"the exchange: {what}"))

    def warn(self, record: logging.LogRecord) -> None:
        """Take a record that the library logged."""
        self.warning = (self.clock(), redacted(record.getMessage()))
        self.notable.append(self.warning)

    @property
    def renews_at(self) -> float | None:
        """The time of the next renewal of the leader's key; None without a key."""
        if self.key is None:
            return None
        return self.renewed_at + min(self.policy.renew_interval, self.key.valid_for / 2)

    def _be(self, health: Health, now: float) -> None:
        if health is Health.BLIND and self.health is not Health.BLIND:
            self.blindness.append(Span("blind", now))
        elif health is not Health.BLIND and self.health is Health.BLIND:
            self.blindness[-1].end = now
        self.health, self.health_since = health, now

    def _notice(self, event: GapNotice, now: float) -> None:
        if event.kind is K.GAP_OPENED:
            self.gaps.append(GapRecord(event, now))
            self.counts["gaps"] += 1
        elif event.kind is K.GAP_CLOSED and self.gaps:
            self.gaps[-1].closed, self.gaps[-1].closed_at = event, now
            self.counts["recovered"] += event.recovered
        elif event.kind is K.RECONNECTED:
            self.counts["reconnects"] += 1

    def _lead(self, socket: int | None) -> None:
        if socket is not None and self._led_by is not None and socket != self._led_by:
            self.counts["rotations"] += 1
            self.notable.append((self.clock(), f"rotated: link {socket} leads"))
        self._led_by = socket

    def _watch_key(self, key: KeyView | None, now: float) -> None:
        before, self.key = self.key, key
        if key is None or before is None or key.number != before.number:
            self.key_since = self.renewed_at = now
        elif key.asked_at > self.renewed_at:
            self.renewed_at = key.asked_at
            self.counts["renewals"] += 1
            self.notable.append((now, "the listen key was renewed"))

    def _forget(self, before: float) -> None:
        while self.tracks and self.tracks[0].end < before:
            self.tracks.popleft()
        while self.fills and self.fills[0][0] < before:
            self.fills.popleft()
        while len(self.blindness) > 1 and self.blindness[0].end < before:
            self.blindness.popleft()


_NOTABLE = {K.HEALTH, K.GAP_OPENED, K.GAP_CLOSED, K.RECONNECTED, K.ORDER_REJECT, K.FUNDING_FEE, K.UNKNOWN}
_PHASES = {
    Phase.OPENING: "opening",
    Phase.SUBSCRIBING: "proving",
    Phase.PROVING: "proving",
    Phase.LIVE: "live",
    Phase.DRAINING: "draining",
    Phase.GONE: "gone",
}


class ModelHandler(logging.Handler):
    """Hands log records to the model, since lines would break the picture on the terminal."""

    def __init__(self, model: StreamModel) -> None:
        super().__init__()
        self._model = model

    def emit(self, record: logging.LogRecord) -> None:
        self._model.warn(record)
