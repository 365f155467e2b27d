"""The venue's pure parts: listen keys, faults, and the effects of faults on frames."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.faults import FAULTS, GARBAGE, Fault, Faults, draw_faults, parse_fault
from listenkey.adapters.simulator.garbage import garbage
from listenkey.adapters.simulator.listenkeys import VALIDITY_MS, ListenKeys
from listenkey.adapters.simulator.tampering import Tampering

BEGIN = 1_758_608_899_000

NAMES = (
    "refuse delay drop_tcp silent accept_close lose_frame repeat_frame reorder_frames expire_key expire_silently "
    "renew_404 mint_error rate_limit rest_error rest_html rest_empty_amounts rest_timeout late_fills garbage "
    "oversized same_key bad_credentials lose_answer late_cancel partial_cancel reject_reduce_only limit_bracket "
    "stop_while_away stream_behind stream_ahead"
)


def test_a_key_lives_an_hour_from_its_last_renewal() -> None:
    """Each minted key is new and has 64 hex digits; it ends after its validity, and then cannot be renewed."""
    keys = ListenKeys()
    first, second = keys.mint(0), keys.mint(10)
    assert first != second
    assert len(first) == 64
    assert set(first) <= set("0123456789abcdef")
    assert keys.renew(first, VALIDITY_MS - 1)
    assert keys.valid(first, 2 * VALIDITY_MS - 2)
    assert not keys.valid(second, VALIDITY_MS + 10)
    assert not keys.renew(second, VALIDITY_MS + 10)
    assert keys.expired(VALIDITY_MS + 10) == [second]
    assert keys.expired(VALIDITY_MS + 10) == []
    assert keys.delete(first, VALIDITY_MS)
    assert not keys.delete(first, VALIDITY_MS)


def test_keys_can_be_shared_and_expired() -> None:
    """With `same` a valid key is minted again; an expiry is reported once, and a silent one never."""
    keys = ListenKeys()
    fresh = keys.mint(0, same=True)
    assert not keys.shared
    assert keys.mint(5, same=True) == fresh
    assert keys.shared == {fresh}
    assert keys.expire(6, silently=True) == [fresh]
    assert keys.expired(7) == []
    again = keys.mint(8)
    keys.expire(9)
    assert keys.expired(9) == [again]


def test_keys_that_end_together_are_named_in_the_order_of_their_minting() -> None:
    """Keys that expire together are listed in the order of minting, so that the same seed gives the same frames."""
    keys = ListenKeys()
    minted = [keys.mint(0) for _ in range(9)]
    keys.expire(1)
    assert keys.expired(1) == minted


def test_the_names_of_all_faults() -> None:
    """The names of all faults are exactly these, because users rely on them."""
    assert set(FAULTS) == set(NAMES.split())
    assert set(GARBAGE) == {"", *garbage()}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("silent@3", Fault(name="silent", at=3.0)),
        ("drop_tcp@0.5+2", Fault(name="drop_tcp", at=0.5, seconds=2.0)),
    ],
)
def test_faults_are_parsed(text: str, fault: Fault) -> None:
    """A fault is written as NAME@SECONDS, with an optional duration after a plus sign."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["", "silent", "silent@", "@3", "quake@3", "silent@soon", "silent@-1", "silent@nan"])
def test_a_fault_that_is_none_is_refused_with_what_is_allowed(text: str) -> None:
    """A text that is no fault is refused with one line that gives the allowed form."""
    with pytest.raises(ValueError, match="allowed is") as error:
        parse_fault(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"name": "quake"}, "is not one of refuse"),
        ({"name": "silent", "seconds": math.inf}, "finite"),
        ({"name": "refuse", "count": 0}, "1 or more"),
        ({"name": "refuse", "params": {"by": 3}}, "allowed: status"),
        ({"name": "refuse", "params": {"status": 200}}, "from 400 to 599"),
        ({"name": "delay", "params": {"by": "long"}}, "a number"),
        ({"name": "delay", "params": {"by": True}}, "a number"),
        ({"name": "lose_frame", "params": {"account": 1}}, "true or false"),
        ({"name": "garbage", "params": {"kind": "plastic"}}, "all or not_gzip or truncated"),
        ({"name": "rest_error", "params": {"scope": "some"}}, "reads or keys or all"),
    ],
)
def test_parameters_are_checked(fault: dict[str, Any], says: str) -> None:
    """A name or value that is not allowed is refused, and the error lists the allowed ones."""
    with pytest.raises(ValueError, match=r"allowed|is not one of") as error:
        Fault(**fault)
    assert says in str(error.value)


def test_faults_begin_hold_and_are_spent() -> None:
    """A fault is used once or `count` times, or holds for its duration; one without end holds until it is cleared."""
    faults = Faults([Fault(name="refuse", at=1.0)])
    faults.order("mint_error", at=2.0, seconds=3.0)
    faults.order("bad_credentials", at=0.0)
    faults.order("rest_error", at=0.0, count=2)
    faults.order("silent", at=0.0)
    assert {fault.name for fault in faults.begin(0.0)} == {"bad_credentials", "rest_error", "silent"}
    assert faults.active("silent", 0.0) is None
    assert faults.take("refuse", 0.9) is None
    faults.begin(1.0)
    assert faults.take("refuse", 9.0)
    assert faults.take("refuse", 9.0) is None
    faults.begin(2.0)
    assert faults.take("mint_error", 4.9)
    assert faults.take("mint_error", 4.99)
    assert faults.take("mint_error", 5.0) is None
    assert [bool(faults.take("rest_error", 1.0)) for _ in range(3)] == [True, True, False]
    fault = faults.take("bad_credentials", 1e9)
    assert fault is not None
    assert fault["code"] == 100413
    faults.clear("bad_credentials")
    assert faults.active("bad_credentials", 1e9) is None
    with pytest.raises(ValueError, match="is not one of"):
        faults.clear("quake")


def test_faults_are_drawn_from_a_seed() -> None:
    """The same seed draws the same faults, ordered by time."""
    drawn = draw_faults(4, 30, 100.0)
    assert drawn == draw_faults(4, 30, 100.0)
    assert drawn != draw_faults(5, 30, 100.0)
    assert [each.at for each in drawn] == sorted(each.at for each in drawn)
    assert {each.name for each in draw_faults(1, 20, 10.0, names=["silent"])} == {"silent"}


class Desk:
    """Passes an order's frames through the faults; a frame is named by its kind and the cumulative quantity."""

    def __init__(self) -> None:
        self.exchange = Exchange(now=10**12 * 2)
        self.faults = Faults()
        self.tampering = Tampering(self.faults)
        self.order = self.exchange.place("SOL-USDT", "BUY", Decimal(3), now=0, silent=True)

    def order_fault(self, name: str, **params: Any) -> None:
        self.faults.order(name, at=0.0, **params)
        self.faults.begin(0.0)

    def fill(self, qty: int = 1, now: float = 0.0) -> list[bytes]:
        self.exchange.fill(self.order.id, Decimal(qty), now=0)
        return self.passed(now)

    def passed(self, now: float = 0.0) -> list[bytes]:
        out = []
        for push in self.exchange.due(10**13):
            executed = self.exchange.orders[self.order.id].executed
            name = f"{type(push).__name__[0]}{executed}".encode()
            out += self.tampering.pass_on(push, name, now)
        return out


def test_frames_pass_untouched_without_a_fault() -> None:
    """Without a fault all frames pass, unchanged and in order."""
    assert Desk().fill() == [b"O1", b"A1"]


def test_a_lost_frame_is_one_fill_and_with_account_its_push_too() -> None:
    """`lose_frame` drops one order frame, with `account` its account frame too, and the next fill's frames pass."""
    desk = Desk()
    desk.order_fault("lose_frame")
    assert desk.fill() == [b"A1"]
    desk.order_fault("lose_frame", account=True)
    assert desk.fill() == []
    assert desk.fill() == [b"O3", b"A3"]


def test_a_repeated_frame_comes_twice() -> None:
    """`repeat_frame` sends one order frame twice, and the next one once."""
    desk = Desk()
    desk.order_fault("repeat_frame")
    assert desk.fill() == [b"O1", b"O1", b"A1"]
    assert desk.fill() == [b"O2", b"A2"]


def test_two_frames_of_one_order_swap() -> None:
    """`reorder_frames` holds a frame until the order's next one, sends them swapped, and is then spent."""
    desk = Desk()
    desk.order_fault("reorder_frames")
    assert desk.fill() == [b"A1"]
    assert desk.tampering.overdue(0.1) == []
    assert desk.fill() == [b"O2", b"O1", b"A2"]
    assert desk.fill() == [b"O3", b"A3"]


def test_a_frame_does_not_wait_for_ever() -> None:
    """A held frame without a second one is sent after `within`, and the fault stays for the next pair."""
    desk = Desk()
    desk.order_fault("reorder_frames", within=0.5)
    assert desk.fill() == [b"A1"]
    assert desk.tampering.overdue(0.5) == [b"O1"]
    assert desk.tampering.overdue(0.5) == []
    assert desk.fill() == [b"A2"]
    assert desk.fill() == [b"O3", b"O2", b"A3"]
