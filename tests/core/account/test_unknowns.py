"""Frames that nobody understands: of each shape one is delivered in a second, with the count of those it stands for."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.core import actions, inputs
from listenkey.core.account.unknowns import EVERY, REMEMBERED, SHAPES, Unknowns, reason_of, shape_of
from listenkey.core.context import Context
from listenkey.core.events import Unknown
from listenkey.core.policy import Policy

from ..exchange import D
from ..scripted import connected
from ..trading import ready

SOME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Listener:
    """`Unknowns` at work, and its deliveries: the id and the count of each."""

    def __init__(self) -> None:
        self.context = Context(Policy(), 0)
        self.context.now = 0.0
        self.unknowns = Unknowns(self.context)

    def hear(self, shape: str, name: str = "") -> None:
        event = Unknown(event_id=name, exchange_ts=None, source="ws", raw=None)
        self.unknowns.take(shape, event)

    def wait(self, seconds: float) -> None:
        until = self.context.now + seconds
        while self.context.timers.deadline <= until:
            self.context.now = max(self.context.now, self.context.timers.deadline)
            assert self.context.timers.pop_due(self.context.now) is not None
            self.unknowns.release()
        self.context.now = until

    @property
    def events(self) -> list[tuple[str, int]]:
        events = [action.event for action in self.context.actions if isinstance(action, actions.Deliver)]
        return [(event.event_id, event.count) for event in events if isinstance(event, Unknown)]


def test_one_shape_is_delivered_once_a_second_and_what_is_left_out_is_counted() -> None:
    """So it is for unreadable frames and for unknown kinds, each by itself; `raw` stays as the venue sent it."""
    world = connected(audit_interval=0, rotate_after=0)
    for tick in range(25):
        world.at(11.02 + tick / 10, inputs.FrameReceived(world.leader, "??"))
        world.at(11.05 + tick / 10, inputs.FrameReceived(world.leader, f"note {'x' * (tick + 1)}"))
    world.run(15)
    unread = [event for event in world.events(Unknown) if "length" in event.raw]
    read = [event for event in world.events(Unknown) if "length" not in event.raw]
    assert [event.count for event in unread] == [event.count for event in read] == [1, 9, 10, 5]
    assert all(set(event.raw) == {"base64", "length"} for event in unread)
    assert [len(event.raw["words"][0]) for event in read] == [1, 10, 20, 25]
    for events in (unread, read):
        times = [now for now, seen in world.log if isinstance(seen, actions.Deliver) and seen.event in events]
        assert all(later - earlier >= EVERY for earlier, later in itertools.pairwise(times))


def test_a_known_kind_is_delivered_once_of_both_links() -> None:
    """The newest ids are remembered, so that the copies on another link, which come a moment later, are dropped."""
    listener = Listener()
    names = [f"unknown:{number}" for number in range(REMEMBERED + 1)]
    for name in (*names, *names[1:], names[0]):
        listener.unknowns.deliver(Unknown(event_id=name, exchange_ts=None, source="ws", raw=None))
    assert [name for name, _ in listener.events] == [*names, names[0]]


def test_a_count_is_delivered_where_there_is_one() -> None:
    """JSON has a `count` beside `raw` only if it is more than 1."""
    event = Unknown(event_id="unknown:1", exchange_ts=None, source="ws", raw={"e": "X"})
    assert "count" not in event.to_dict()
    plain = json.loads(msgspec.structs.replace(event, count=3).to_json())
    assert (plain["raw"], plain["count"]) == ({"e": "X"}, 3)


def test_an_order_in_a_state_that_nobody_knows_counts_too() -> None:
    """A report of an unknown status that shows no fill is UNKNOWN, and limited in the same way."""
    world = ready(audit_interval=0)
    order = world.exchange.place("9")
    world.passes(1)
    for _ in range(3):
        world.exchange.say(msgspec.structs.replace(world.exchange.report(order), status="SUSPENDED", last_qty=D(0)))
    world.passes(3)
    assert [event.count for event in world.events(Unknown)] == [1, 2]


def test_what_is_left_out_is_delivered_at_the_end() -> None:
    """A stream that stops first delivers the counts that are still due."""
    world = connected(audit_interval=0, rotate_after=0)
    for _ in range(3):
        world.exchange.say("note x")
    done = world.feed(inputs.Stop())
    (event,) = (
        action.event for action in done if isinstance(action, actions.Deliver) and action.event.kind == "UNKNOWN"
    )
    assert isinstance(event, Unknown)
    assert event.count == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"e": "X", "n": 1}, {"e": "X", "n": 2}, True),
        ({"e": "X", "n": 1}, {"n": 2, "e": "X"}, True),
        ({"e": "X"}, {"e": "Y"}, False),
        ({"id": "a1"}, {"id": "b2"}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": {"b": "X"}}, {"a": {"b": "Y"}}, True),
        ({"a": [1, 2]}, {"a": [3]}, True),
        ({"a": [1]}, {"a": ["1"]}, False),
        ([], {}, False),
        ("text", "other", True),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, {"a": {"b": {"c": {"d": {"f": 1}}}}}, True),
    ],
)
def test_shapes(one: object, other: object, same: bool) -> None:
    """Keys, types and the top-level words make a shape; numbers, other texts and lengths do not."""
    assert (shape_of(one) == shape_of(other)) is same


def test_where_it_cannot_be_read_makes_no_shape() -> None:
    """The reason alone makes the shape of an unreadable frame, not the place of the error."""
    assert reason_of("malformed (byte 12)") == reason_of("malformed (byte 9)") != reason_of("not text")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
)


@given(JSON)
@SOME
def test_shapes_are_short(content: object) -> None:
    """The shape of any frame is a short text, and always the same."""
    assert shape_of(content) == shape_of(json.loads(json.dumps(content)))
    assert len(shape_of(content)) == 24


def test_shapes_are_bounded() -> None:
    """Shapes above the limit share one count for a second; then there is room for others."""
    listener = Listener()
    for number in range(2 * SHAPES):
        listener.hear(str(number), str(number))
    assert listener.events == [(str(number), 1) for number in range(SHAPES + 1)]
    listener.hear("7", "seven")
    listener.wait(1.0)
    assert sorted(listener.events[SHAPES + 1 :]) == [(str(2 * SHAPES - 1), SHAPES - 1), ("seven", 1)]
    listener.wait(1.0)
    for number in range(SHAPES):
        listener.hear(f"new {number}", "new")
    assert listener.events.count(("new", 1)) == SHAPES


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1.5)), max_size=60))
@SOME
def test_the_counts_add_up(script: list[tuple[str, float]]) -> None:
    """The counts of a shape add up to the frames that came, and the last frame is the last delivered."""
    listener = Listener()
    for place, (shape, after) in enumerate(script):
        listener.wait(after)
        listener.hear(shape, f"{shape}{place}")
    listener.wait(EVERY)
    for shape in "abc":
        heard = [f"{shape}{place}" for place, (each, _) in enumerate(script) if each == shape]
        events = [(name, count) for name, count in listener.events if name.startswith(shape)]
        assert sum(count for _, count in events) == len(heard)
        assert [name for name, _ in events][-1:] == heard[-1:]
