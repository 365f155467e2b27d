"""Timers by name: each is due once, in the order of deadlines, and never before."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from listenkey.core.connection import Connection
from listenkey.core.timers import OF_ACCOUNT, Name, Timer, Timers

from .toy import Toy


def drain(timers: Timers, now: float) -> list[tuple[Name, float]]:
    due = []
    while (popped := timers.pop_due(now)) is not None:
        due.append(popped)
    return due


def test_nothing_armed() -> None:
    """Without timers the deadline is infinite, and nothing is due."""
    timers = Timers()
    assert timers.deadline == math.inf
    assert timers.pop_due(1e12) is None
    timers.cancel((Timer.MINT, 0))
    assert not timers.armed((Timer.MINT, 0))


def test_due_in_the_order_of_time() -> None:
    """Timers due at once come in the order of their deadlines, equal ones as armed; a timer is due at its deadline."""
    timers = Timers()
    for name, at in [
        ((Timer.AUDIT, 0), 3.0),
        ((Timer.POLL, 0), 1.0),
        ((Timer.RENEW, 2), 2.0),
        ((Timer.RENEW, 1), 2.0),
        ((Timer.HOLD, 0), 4.0),
    ]:
        timers.arm(name, at)
    assert timers.deadline == 1.0
    assert drain(timers, 0.999) == []
    assert drain(timers, 3.0) == [
        ((Timer.POLL, 0), 1.0),
        ((Timer.RENEW, 2), 2.0),
        ((Timer.RENEW, 1), 2.0),
        ((Timer.AUDIT, 0), 3.0),
    ]
    assert timers.deadline == 4.0


def test_one_deadline_for_a_name() -> None:
    """Arming again moves the deadline, cancelling drops it; a name is a word and a number."""
    timers = Timers()
    timers.arm((Timer.QUIET, 1), 5.0)
    timers.arm((Timer.QUIET, 1), 9.0)
    timers.arm((Timer.QUIET, 2), 7.0)
    timers.arm((Timer.SILENT, 1), 8.0)
    timers.cancel((Timer.SILENT, 1))
    assert timers.armed((Timer.QUIET, 1))
    assert not timers.armed((Timer.SILENT, 1))
    assert drain(timers, 100) == [((Timer.QUIET, 2), 7.0), ((Timer.QUIET, 1), 9.0)]


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.floats(-100, 100)), max_size=40), st.floats(-100, 100))
def test_is_a_table(script: list[tuple[int, float | None]], now: float) -> None:
    """After any arming and cancelling, exactly the due timers come, sorted."""
    timers, model = Timers(), dict[int, float]()
    for number, at in script:
        if at is None:
            timers.cancel((Timer.EXPIRY, number))
            model.pop(number, None)
        else:
            timers.arm((Timer.EXPIRY, number), at)
            model[number] = at
        assert timers.deadline == min(model.values(), default=math.inf)
    due = drain(timers, now)
    assert [at for _, at in due] == sorted(at for at in model.values() if at <= now)
    assert {name[1]: at for name, at in due} == {number: at for number, at in model.items() if at <= now}
    assert timers.deadline > now


def test_every_timer_does_something() -> None:
    """Each timer has its alarm in a connection, and those of the account are not those of keys and links."""
    assert set(Connection(Toy())._context.alarms) == set(Timer)
    assert Timer.MINT not in OF_ACCOUNT
    assert len(set(OF_ACCOUNT)) == len(OF_ACCOUNT)
