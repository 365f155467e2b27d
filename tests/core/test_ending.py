"""The end: held events are delivered, and nothing more is asked for."""

from __future__ import annotations

from listenkey.core import actions, inputs

from .trading import ready, trading


def test_at_the_end_all_that_waits_is_delivered_and_a_hole_says_so() -> None:
    """Held frames, copies and reports above a hole come before `Finish`, with a gap for the hole; no read follows."""
    world = ready(reorder_window=1)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(0.1)
    world.exchange.lose()
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "2")
    world.passes(0.1)
    reads = len(world.seen(actions.ReadAccount))
    ordered = world.feed(inputs.Stop())
    assert world.summary(8)[-2:] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 3 ws"]
    assert isinstance(ordered[-1], actions.Finish)
    world.passes(10)
    assert len(world.seen(actions.ReadAccount)) == reads
    assert world.connection.finished
    assert world.connection.deadline == float("inf")


def test_at_the_end_a_read_under_way_matters_no_more() -> None:
    """Frames held for it are delivered, and its answer is dropped."""
    world = trading()
    world.run(0.15)
    order = world.exchange.place("9")
    world.run(0.2)
    world.feed(inputs.Stop())
    assert world.summary() == [f"ORDER_ACK {order} 0 ws"]
    world.passes(10)
    assert world.summary() == [f"ORDER_ACK {order} 0 ws"]
    assert world.connection.finished


def test_what_nobody_can_place_at_the_end_leaves_a_gap_open() -> None:
    """A frame of an order without a base is delivered not as a fill but as an open gap."""
    world = trading(wire="z", start=False)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.run(5)
    world.feed(inputs.Start())
    world.passes(0.12)
    world.exchange.fill(order, "2")
    world.passes(0.05)
    world.feed(inputs.Stop())
    assert world.summary() == ["GAP_OPENED hole"]
