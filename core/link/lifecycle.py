"""The five states of a connection, as one table that `transitions` runs.

IDLE       no link; before the start, while a key is being minted, and after the end
KEYED      a key, and a link that is not proven yet
CONNECTED  a proven link
ROTATING   a proven link, and a successor on its way: first its key, then its socket, then its proof, then the drain
BACKOFF    no link; waiting before the next mint

The table holds every legal move; a trigger that has no row in a state changes nothing. A row refers to its effect, a
method of `Effects`, which is carried out after the move. Frames, heartbeats and renewals are not moves: whether a link
is alive and what it has proven is the link's own affair (`link.py`), and a gap outlives any move (`continuity.py`).

The engine is shared by all connections and keeps nothing between two calls: it is given the connection's `Lifecycle`
to move, so a hundred connections cost no more engines than one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from transitions import EventData, Machine, Transition

from .effects import Cause, Effects
from .pair import Successor

Effect = Callable[[Effects, Cause], None]


class State(StrEnum):
    """Where a connection is."""

    IDLE = "IDLE"
    KEYED = "KEYED"
    CONNECTED = "CONNECTED"
    ROTATING = "ROTATING"
    BACKOFF = "BACKOFF"


class Trigger(StrEnum):
    """The triggers of a move."""

    START = "start"
    KEY_GRANTED = "key granted"
    KEY_REFUSED = "key refused"
    REFUSED_FOR_GOOD = "refused for good"
    PROVEN = "proven"
    LOST = "lost"
    KEY_GONE = "key gone"
    DELAY_OVER = "delay over"
    AGED = "aged"
    ASKED = "asked to rotate"
    SUCCESSOR_PROVEN = "successor proven"
    SUCCESSOR_FAILED = "successor failed"
    DRAINED = "drained"
    STOP = "stop"


class Row(NamedTuple):
    """One legal move; `given` separates rows that share source and trigger."""

    source: State
    trigger: Trigger
    target: State
    effect: Effect
    given: Successor | None = None


_S, _T, _E = State, Trigger, Effects

# fmt: off
TABLE: tuple[Row, ...] = (
    Row(_S.IDLE,      _T.START,            _S.IDLE,       _E.mint),
    Row(_S.IDLE,      _T.KEY_GRANTED,      _S.KEYED,      _E.open_link),
    Row(_S.IDLE,      _T.KEY_REFUSED,      _S.BACKOFF,    _E.wait),
    Row(_S.IDLE,      _T.REFUSED_FOR_GOOD, _S.IDLE,       _E.end),
    Row(_S.KEYED,     _T.PROVEN,           _S.CONNECTED,  _E.go_live),
    Row(_S.KEYED,     _T.LOST,             _S.BACKOFF,    _E.drop_and_wait),
    Row(_S.KEYED,     _T.KEY_GONE,         _S.BACKOFF,    _E.drop_and_wait),
    Row(_S.KEYED,     _T.REFUSED_FOR_GOOD, _S.IDLE,       _E.end),
    Row(_S.BACKOFF,   _T.DELAY_OVER,       _S.IDLE,       _E.mint),
    Row(_S.CONNECTED, _T.AGED,             _S.ROTATING,   _E.mint),
    Row(_S.CONNECTED, _T.ASKED,            _S.ROTATING,   _E.mint),
    Row(_S.CONNECTED, _T.KEY_GONE,         _S.ROTATING,   _E.open_gap_and_mint),
    Row(_S.CONNECTED, _T.LOST,             _S.BACKOFF,    _E.open_gap_and_wait),
    Row(_S.ROTATING,  _T.KEY_GRANTED,      _S.ROTATING,   _E.open_successor),
    Row(_S.ROTATING,  _T.SUCCESSOR_PROVEN, _S.ROTATING,   _E.drain),
    Row(_S.ROTATING,  _T.SUCCESSOR_FAILED, _S.CONNECTED,  _E.stay),
    Row(_S.ROTATING,  _T.KEY_GONE,         _S.ROTATING,   _E.open_gap),
    Row(_S.ROTATING,  _T.DRAINED,          _S.CONNECTED,  _E.hand_over),
    Row(_S.ROTATING,  _T.LOST,             _S.IDLE,       _E.open_gap_and_promote,    Successor.WITHOUT_KEY),
    Row(_S.ROTATING,  _T.LOST,             _S.KEYED,      _E.open_gap_and_promote,    Successor.UNPROVEN),
    Row(_S.ROTATING,  _T.LOST,             _S.CONNECTED,  _E.open_gap_and_hand_over,  Successor.PROVEN),
    Row(_S.IDLE,      _T.STOP,             _S.IDLE,       _E.end),
    Row(_S.KEYED,     _T.STOP,             _S.IDLE,       _E.end),
    Row(_S.CONNECTED, _T.STOP,             _S.IDLE,       _E.end),
    Row(_S.ROTATING,  _T.STOP,             _S.IDLE,       _E.end),
    Row(_S.BACKOFF,   _T.STOP,             _S.IDLE,       _E.end),
)
# fmt: on


class Lifecycle:
    """The state of one connection."""

    __slots__ = ("_effect", "state")

    def __init__(self) -> None:
        self.state: State = State.IDLE
        self._effect: Effect | None = None

    def move(self, trigger: Trigger, given: Successor | None = None) -> Effect | None:
        """Make the move that the table allows and return its effect, or change nothing and return None."""
        if (self.state, trigger) not in _LEGAL:
            return None
        self._effect = None
        _ENGINE.events[trigger.name].trigger(self, given=given)
        return self._effect

    def note_effect(self, data: EventData) -> None:
        """Called by the engine when a row's conditions held: remember that row's effect."""
        assert data.transition is not None
        self._effect = _EFFECTS[data.transition]


_LEGAL = {(row.source, row.trigger) for row in TABLE}
_EFFECTS: dict[Transition, Effect] = {}


def _engine() -> Machine:
    engine = Machine(model=None, states=State, initial=None, auto_transitions=False, send_event=True)
    for row in TABLE:
        engine.add_transition(row.trigger.name, row.source, row.target, conditions=_given(row), after="note_effect")
        (*_, transition) = engine.events[row.trigger.name].transitions[row.source.name]
        _EFFECTS[transition] = row.effect
    return engine


def _given(row: Row) -> Callable[[EventData], bool]:
    return lambda data: row.given is None or data.kwargs["given"] is row.given


_ENGINE = _engine()


def mermaid() -> str:
    """The table as a Mermaid state diagram; moves between the same two states share an arrow."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in TABLE:
        label = row.trigger if row.given is None else f"{row.trigger} ({row.given})"
        arrows.setdefault((row.source, row.target), []).append(label)
    lines = [f"    {source} --> {target}: {' / '.join(labels)}" for (source, target), labels in arrows.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> IDLE", *lines]) + "\n"
