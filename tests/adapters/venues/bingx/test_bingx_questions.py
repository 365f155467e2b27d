"""Questions about orders that the venue may not know: they are few, also across processes, and do not delay lists."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from listenkey.adapters.venues.bingx.questions import Questions
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import RequestRefused, StreamStopped, TransportFailed
from listenkey.ports.questions import Question

from .venue import NOW, Venue, fill_row, order_row, reply

DAY = 86_400_000
SINCE = NOW - 60_000
ORDER = "/openApi/swap/v2/trade/order"


def ref(order_id: int) -> OrderRef:
    return OrderRef("BTC-USDT", str(order_id))


def refs(first: int, count: int) -> tuple[OrderRef, ...]:
    return tuple(ref(number) for number in range(first, first + count))


class Notes:
    """A store in memory, which can be full."""

    def __init__(self) -> None:
        self.kept: list[Question] = []
        self.full = False

    def questions(self) -> Sequence[Question]:
        return list(self.kept)

    def keep_questions(self, asked: Sequence[Question]) -> None:
        if self.full:
            raise StreamStopped("the disk is full")
        self.kept = list(asked)


def fresh(venue: Venue, store: Notes | None = None) -> Reader:
    """Return the reader of a process that has just begun."""
    return Reader(venue.rest(), store=store)


def denied_at(venue: Venue) -> list[float]:
    """Return the times, in seconds, of the questions about unknown orders."""
    known = {str(row["orderId"]) for row in venue.orders}
    times = zip(venue.times, venue.calls, strict=True)
    return [at for at, call in times if call.name == "order" and call.params["orderId"] not in known]


@pytest.mark.parametrize("alone", [False, True])
def test_a_process_that_begins_again_every_minute_asks_no_more_than_one_that_goes_on(alone: bool) -> None:
    """At most ten orders are denied in any 480 s, across processes and kinds of reads, until all are denied."""
    venue, notes = Venue(), Notes()
    venue.orders = [order_row(50, NOW - 3 * DAY)]
    gone = refs(100, 22)
    denied: set[OrderRef] = set()

    for _ in range(19):
        left = [ref(50), *(order for order in gone if order not in denied)]
        reader = fresh(venue, notes)
        for since in (None,) if alone else (venue.ms() - 5000, venue.ms() - 5000):
            denied.update(venue.run(reader.read(since, left)).denied)
        venue.clock.now += 60
    times = denied_at(venue)
    assert max(sum(last - 480 < at <= last for at in times) for last in times) == 10
    assert denied == set(gone)


def test_without_a_store_a_process_counts_for_itself() -> None:
    """Without a store a process asks about ten unknown orders in 480 s."""
    venue = Venue()

    reader = fresh(venue)
    whole = venue.run(reader.read(SINCE, refs(100, 30)))
    alone = venue.run(reader.read(None, refs(100, 30)))
    assert venue.count("order") == len(whole.denied) == 10
    assert alone.denied == whole.denied
    assert alone.unasked == {*refs(100, 30)} - alone.denied


def test_an_order_that_was_found_is_no_question() -> None:
    """A question about an order that is found does not count any more, and a listed order needs none."""
    venue, notes = Venue(), Notes()
    venue.orders = [order_row(number, NOW - 3 * DAY) for number in range(100, 130)]
    venue.orders.append(order_row(50, NOW - 5000))
    during: list[Question] = []
    venue.before["order", 40] = lambda: during.extend(notes.kept)

    reader = fresh(venue, notes)
    whole = venue.run(reader.read(SINCE, refs(100, 30)))
    alone = venue.run(reader.read(None, (ref(50), *refs(100, 30))))
    assert len(whole.orders) == len(alone.orders) == 31
    assert not alone.unasked
    assert 0 < len(during) <= 10
    assert notes.kept == []


def test_a_question_counts_before_it_goes_out() -> None:
    """A question is stored before it is sent, so that it counts even if the process dies or no answer comes."""
    venue, notes = Venue(), Notes()
    during: list[Question] = []
    venue.before["order", 1] = lambda: during.extend(notes.kept)
    venue.scripted["order"] = [TransportFailed("no answer"), reply({"code": 80016, "msg": "order does not exist"})]
    account = venue.run(fresh(venue, notes).read(SINCE, refs(100, 1)))
    assert account.denied == {ref(100)}
    assert len(during) == len(notes.kept) == 1


def test_a_store_that_is_full_stops_the_read_plainly() -> None:
    """A store that fails raises its own error, not in an exception group."""
    venue, notes = Venue(), Notes()
    notes.full = True
    with pytest.raises(StreamStopped, match="full"):
        venue.run(fresh(venue, notes).read(SINCE, refs(100, 3)))


def test_clocks_that_are_set_back_keep_nobody_waiting_for_long() -> None:
    """A question with a time in the future counts as asked now."""
    questions = Questions()
    for order in refs(100, 10):
        questions.ask(order, NOW + 10 * DAY)
    questions.ask(ref(110), NOW)
    assert questions.room(NOW) == 0
    questions.found(ref(200))
    questions.shown(("200",))
    assert questions.room(NOW + 479_999) == 0
    assert questions.room(NOW + 480_000) == 10


def test_a_denial_holds_across_processes_until_a_list_shows_the_order() -> None:
    """A new process does not ask again about orders that were denied just before, until a list has shown them."""
    venue, notes = Venue(), Notes()
    first = venue.run(fresh(venue, notes).read(SINCE, refs(100, 4)))
    asked = venue.count("order")
    again = venue.run(fresh(venue, notes).read(SINCE, refs(98, 6)))
    alone = venue.run(fresh(venue, notes).read(None, refs(100, 4)))
    assert first.denied == alone.denied == {*refs(100, 4)}
    assert again.denied == {*refs(98, 6)}
    assert venue.count("order") == asked + 2
    venue.orders = [order_row(number, NOW - 1000) for number in (100, 101)]
    assert ref(100) not in venue.run(fresh(venue, notes).read(SINCE, refs(100, 4))).denied
    venue.orders = []
    assert ref(100) in venue.run(fresh(venue, notes).read(SINCE, refs(100, 4))).denied
    assert venue.count("order") == asked + 4
    venue.clock.now += 481
    venue.run(fresh(venue, notes).read(SINCE, refs(102, 1)))
    assert venue.count("order") == asked + 5


LOCKS = {
    "by the venue": [{"code": 109429, "msg": f"is in the disabled period and will be unblocked after {NOW + 300_000}"}],
    "after failures": [{"code": 100500, "msg": "busy"}] * 5,
}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_list_waits_for_an_endpoint_that_is_locked(lock: str) -> None:
    """Reads leave out the orders of a locked endpoint, and ask for them when it is free.

    A read of single orders lists those it did not ask for in `unasked`.
    """
    venue = Venue()
    venue.orders = [order_row(50, NOW - 5000), order_row(51, NOW - 3 * DAY)]
    venue.fills = [fill_row(7, 50, NOW - 5000)]

    reader = fresh(venue)
    venue.scripted["order"] = [reply(body) for body in LOCKS[lock]]
    reads: list[Account] = []
    for _ in LOCKS[lock]:
        with suppress(RequestRefused):  # the endpoint fails and is not locked yet
            reads = [venue.run(reader.read(SINCE, (ref(51),)))]
    sent = venue.count("order")
    reads.append(venue.run(reader.read(SINCE, (ref(51),))))
    reads.append(venue.run(reader.read(None, (ref(50), ref(51)))))
    assert venue.count("order") == sent
    venue.clock.now += 480
    reads.append(venue.run(reader.read(None, (ref(50), ref(51)))))
    first, second, locked, free = reads
    for whole in (first, second):
        assert [row.order_id for row in whole.fills] == ["50"]
        assert ref(51) not in whole.denied
    assert not locked.orders
    assert not locked.fills
    assert locked.unasked == {ref(50), ref(51)}
    assert {report.order_id for report in free.orders} == {"50", "51"}
    assert not free.unasked


def test_room_is_left_for_orders_that_are_in_no_list_and_have_fills() -> None:
    """A whole read leaves two questions for orders with fills that are in no list; a listed order needs none."""
    venue = Venue()
    venue.fills = [fill_row(number, number, NOW - 5000) for number in (50, 60, 61)]
    venue.orders = [order_row(50, NOW - 5000)]

    reader = fresh(venue)
    whole = venue.run(reader.read(SINCE, refs(100, 12)))
    alone = venue.run(reader.read(None, (ref(50), ref(60), ref(61), ref(111))))
    assert len(whole.denied) == 8
    assert alone.denied == {ref(60), ref(61)}
    assert [report.order_id for report in alone.orders] == ["50"]
    assert alone.unasked == {ref(111)}


def test_failures_whose_repeat_passes_hold_back_no_read() -> None:
    """Failures whose repeat succeeds do not hold back reads until there are ten in 480 s."""
    venue = Venue()

    def fails() -> None:
        venue.scripted["balance"] = [reply({"code": 100500, "msg": "busy"})]

    reader = fresh(venue)
    for number in range(10):
        venue.before["balance", 2 * number + 1] = fails
    for _ in range(9):
        venue.run(reader.read(venue.ms() - 5000))
        venue.clock.now += 10
    for words in ("busy", "held back"):
        with pytest.raises(RequestRefused, match=words):
            venue.run(reader.read(venue.ms() - 5000))
    venue.clock.now += 80
    venue.run(reader.read(venue.ms() - 5000))
    assert venue.count("balance") == 20
