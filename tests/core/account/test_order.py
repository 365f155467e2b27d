"""The coverage of one order: tables for the interval that a report claims, properties for the coverage."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.core.account.order import Order, Piece
from listenkey.core.reports import OrderRef, OrderReport

from ..exchange import D
from ..judge import merged

GRAIN = D("1e-8")


def report(status: str, cumulative: str, last: str | None = None, ts: int | None = None, **more: object) -> OrderReport:
    given = {"symbol": "BTC-USDT", "order_id": "1", "qty": D(10), "price": D(100), **more}
    return OrderReport(
        status=status,
        cumulative_qty=D(cumulative),
        last_qty=None if last is None else D(last),
        exchange_ts=ts,
        **given,  # type: ignore[arg-type]
    )


def order_at(base: str | None, *intervals: tuple[str, str]) -> Order:
    order = Order(OrderRef("BTC-USDT", "1"), None if base is None else D(base))
    for start, end in intervals:
        order.cover(D(start), D(end), D(100))
    return order


def state_of(order: Order) -> dict[str, object]:
    return {name: getattr(order, name) for name in Order.__slots__}


@pytest.mark.parametrize(
    ("delivered", "frame", "claim", "lacks"),
    [
        pytest.param([], ("NEW", "0"), None, False, id="a placement executes nothing"),
        pytest.param([("0", "2")], ("NEW", "0"), None, False, id="NEW after PARTIALLY_FILLED"),
        pytest.param([], ("FILLED", "3"), ("0", "3"), False, id="market order without NEW"),
        pytest.param([], ("FILLED", "3", "3"), ("0", "3"), False, id="market order without NEW, with l"),
        pytest.param([], ("FILLED", "3", "1"), ("2", "3"), True, id="its last part came first"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "5"), ("2", "5"), False, id="cumulative only: from the top on"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "5", "3"), ("2", "5"), False, id="adjacent"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "5", "2"), ("3", "5"), True, id="a hole between"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "5", "4"), ("1", "5"), False, id="overlaps in part"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "2", "2"), ("0", "2"), False, id="repeated, with l"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "2"), None, False, id="repeated, without"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "2", "0"), None, False, id="amended, on the wire with l"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "5", "0"), None, True, id="amended above a hole, with l"),
        pytest.param([("0", "2")], ("PARTIALLY_FILLED", "1"), None, False, id="older, without l"),
        pytest.param([("0", "2")], ("CANCELED", "2"), None, False, id="cancel of what is covered"),
        pytest.param([("0", "2")], ("CANCELED", "5"), None, True, id="cancel above the coverage"),
        pytest.param([("0", "2")], ("EXPIRED", "5"), None, True, id="expiry above the coverage"),
        pytest.param([("0", "2")], ("CANCELED", "5", "3"), ("2", "5"), False, id="a cancel that brings its last fill"),
        pytest.param([], ("REJECTED", "0"), None, False, id="rejected"),
        pytest.param([("0", "2")], ("Unknown", "5"), ("2", "5"), False, id="unknown status, more executed"),
        pytest.param([("0", "2")], ("WORKING", "2"), None, False, id="unknown status, nothing executed"),
        pytest.param([("0", "2")], ("FILLED", "5", "9"), ("0", "5"), False, id="l beyond the beginning"),
        pytest.param([("0", "2"), ("4", "5")], ("PARTIALLY_FILLED", "7", "2"), ("5", "7"), False, id="above an island"),
        pytest.param([("0", "2"), ("4", "5")], ("PARTIALLY_FILLED", "3", "1"), ("2", "3"), False, id="into the hole"),
        pytest.param([("0", "2"), ("4", "5")], ("CANCELED", "5"), None, False, id="cancel at an island's end"),
        pytest.param([("0", "2"), ("4", "5"), ("7", "8")], ("FILLED", "9"), ("8", "9"), False, id="above two islands"),
        pytest.param([("0", "2")], ("NEW", "5"), None, True, id="a placement above the coverage"),
        pytest.param([("0", "2")], ("REJECTED", "5"), None, True, id="a rejection above the coverage"),
    ],
)
def test_what_a_report_claims(
    delivered: list[tuple[str, str]], frame: tuple[str, ...], claim: tuple[str, str] | None, lacks: bool
) -> None:
    """With a last quantity (`l`) a claim has its own start, else it starts at the top; it waits for fills below it."""
    order = order_at("0", *delivered)
    status, cumulative, *last = frame
    shown = report(status, cumulative, *last)  # type: ignore[arg-type]
    assert order.claim(shown) == (None if claim is None else (D(claim[0]), D(claim[1])))
    assert order.lacks(shown, order.claim(shown)) is lacks


@pytest.mark.parametrize(
    ("shown", "then", "stale"),
    [
        pytest.param(None, ("NEW", "0", None, 1), False, id="nothing shown yet"),
        pytest.param(("PARTIALLY_FILLED", "2", None, 5), ("NEW", "0", None, 9), True, id="less than was shown"),
        pytest.param(("NEW", "0", None, 5), ("FILLED", "2", None, 4), False, id="more, though it is dated earlier"),
        pytest.param(("NEW", "0", None, 5), ("NEW", "0", None, 4), True, id="as much, dated earlier"),
        pytest.param(("NEW", "0", None, 5), ("NEW", "0", None, 5), False, id="as much, dated the same"),
        pytest.param(("NEW", "0", None, 5), ("NEW", "0", None, None), False, id="as much, undated"),
        pytest.param(("NEW", "0", None, 5), ("CANCELED", "0", None, 4), False, id="an end is an end, however dated"),
        pytest.param(("CANCELED", "2", None, 5), ("NEW", "2", None, 9), True, id="nothing after the end"),
        pytest.param(("FILLED", "2", None, 5), ("FILLED", "2", None, 5), True, id="FILLED twice"),
        pytest.param(("REJECTED", "0", None, 5), ("NEW", "0", None, 9), True, id="nothing after a rejection"),
        pytest.param(("EXPIRED", "0", None, 5), ("NEW", "0", None, 9), True, id="nothing after an expiry"),
        pytest.param(("NEW", "0", None, 5), ("PARTIALLY_FILLED", "1", None, 4), False, id="more, not at an end"),
        pytest.param(("NEW", "0", None, None), ("NEW", "0", None, 4), False, id="as much, after one undated"),
    ],
)
def test_what_is_stale(
    shown: tuple[str, str, None, int | None] | None, then: tuple[str, str, None, int | None], stale: bool
) -> None:
    """A frame older than what its order has shown is stale and changes nothing."""
    order = order_at("0")
    if shown is not None:
        order.note(report(*shown))
    assert order.is_stale(report(*then)) is stale


@pytest.mark.parametrize(
    ("frame", "is_open", "closed_ts"),
    [
        pytest.param(("PARTIALLY_FILLED", "5", "3", 7), True, None, id="a part"),
        pytest.param(("FILLED", "5", "3", 7), False, 7, id="the last part ends it, when the report says"),
        pytest.param(("FILLED", "5", "3", None), False, None, id="the last part, undated"),
    ],
)
def test_the_next_fill_extends_the_coverage(
    frame: tuple[str, str, str, int | None], is_open: bool, closed_ts: int | None
) -> None:
    """A fill that begins where all that was seen ends is covered in one step; the last one of an order also ends it."""
    order = order_at("0", ("0", "2"))
    assert order.extend(report(*frame)) == D(3)
    assert (order.coverage.contiguous, order.coverage.top, order.seen, order.whole) == (D(5), D(5), D(5), True)
    assert (order.open, order.closed_ts) == (is_open, closed_ts)


def test_coverage_of_which_nothing_was_seen_is_extended_from_its_beginning() -> None:
    """A running order may have shown no frame below its base: the first fill then begins at the base."""
    order = order_at("3")
    assert order.extend(report("PARTIALLY_FILLED", "4", "1"))
    assert (order.coverage.contiguous, order.seen) == (D(4), D(4))


@pytest.mark.parametrize(
    ("base", "delivered", "before", "frame"),
    [
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "5"), id="it does not say how much"),
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "2", "0"), id="it says nothing was executed"),
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "1", "-1"), id="it takes something back"),
        pytest.param("0", [("0", "2")], None, ("NEW", "5", "3"), id="a placement"),
        pytest.param("0", [("0", "2")], None, ("CANCELED", "5", "3"), id="a cancel that brings its last fill"),
        pytest.param("0", [("0", "2")], None, ("EXPIRED", "5", "3"), id="an expiry that brings its last fill"),
        pytest.param("0", [("0", "2")], None, ("", "5", "3"), id="no status"),
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "5", "2"), id="a hole below it"),
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "5", "4"), id="it overlaps in part"),
        pytest.param("0", [("0", "2")], None, ("PARTIALLY_FILLED", "2", "2"), id="repeated"),
        pytest.param("0", [("0", "2")], ("CANCELED", "2"), ("PARTIALLY_FILLED", "5", "3"), id="the order has ended"),
        pytest.param("0", [("0", "5")], ("FILLED", "5"), ("FILLED", "6", "1"), id="the order is filled"),
        pytest.param("0", [("0", "2"), ("4", "5")], None, ("PARTIALLY_FILLED", "3", "1"), id="below an island"),
        pytest.param("0", [("0", "2"), ("4", "5")], None, ("PARTIALLY_FILLED", "6", "1"), id="above an island"),
        pytest.param(None, [], None, ("PARTIALLY_FILLED", "3", "3"), id="its beginning is not known"),
    ],
)
def test_what_is_not_simply_the_next_fill_changes_nothing(
    base: str | None, delivered: list[tuple[str, str]], before: tuple[str, str] | None, frame: tuple[str, ...]
) -> None:
    """`extend` leaves reports with holes, ends or overlaps to the general path, and changes nothing itself."""
    order = order_at(base, *delivered)
    if before is not None:
        order.note(report(*before, ts=5))
    was, (status, cumulative, *last) = state_of(order), frame
    assert order.extend(report(status, cumulative, *last)) is None  # type: ignore[arg-type]
    assert state_of(order) == was


def test_below_what_a_frame_has_shown_nothing_is_simply_next() -> None:
    """If a frame has shown more than is covered, no fill is simply the next one."""
    order = order_at("0", ("0", "2"))
    order.seen = D(4)
    was = state_of(order)
    assert order.extend(report("PARTIALLY_FILLED", "3", "1")) is None
    assert state_of(order) == was


def test_an_interval_that_was_raised_over_is_not_covered_again() -> None:
    """An interval delivered below a hole stays covered when the hole is written off and an older fill then turns up."""
    order = order_at("0", ("0", "2"))
    order.begin(D(3))
    order.begin(D(0))
    assert order.cover(D(0), D(3), D(100)) == []


def test_a_beginning_that_was_raised_over_nothing_is_lowered_again() -> None:
    """If nothing was delivered the base itself moves up; an older fill that turns up then moves it down again."""
    order = order_at("0")
    order.begin(D(3))
    order.begin(D(1))
    assert order.cover(D(0), D(3), D(100)) == [Piece(D(1), D(3), D(100), False)]


def test_an_order_of_unknown_beginning_is_never_whole() -> None:
    """Without a base it is not known what is due, even if nothing was seen."""
    order = Order(OrderRef("BTC-USDT", "1"))
    assert not order.whole
    order.begin(D(0))
    assert order.whole


@pytest.mark.parametrize(
    ("base", "delivered", "know", "price"),
    [
        pytest.param("3", [], "0", "103", id="lowered to the beginning"),
        pytest.param("3", [], "1", None, id="lowered to where it is still not known what went before"),
        pytest.param("0", [("0", "2")], "2", "106", id="known to begin where it ends already"),
        pytest.param("0", [], "2", None, id="raised"),
    ],
)
def test_what_is_known_of_the_price_below_moves_with_the_beginning(
    base: str, delivered: list[tuple[str, str]], know: str, price: str | None
) -> None:
    """The notional below `reach` is known only if the coverage begins where the order begins."""
    order = order_at(base, *delivered)
    order.begin(D(know))
    (piece,) = order.cover_average(order.coverage.top, D(4), D(103))
    assert piece.price == (None if price is None else D(price))


def test_a_report_that_overlaps_is_cut_and_its_costs_are_not_the_piece_s() -> None:
    """A report that overlaps the coverage is cut to the intervals not covered; only an uncut piece keeps the fee."""
    order = order_at("0", ("0", "2"), ("3", "4"))
    pieces = order.cover(D(1), D(6), D("99.5"))
    assert pieces == [Piece(D(2), D(3), D("99.5"), False), Piece(D(4), D(6), D("99.5"), False)]
    assert order.whole
    assert order.cover(D(6), D(7), D(1)) == [Piece(D(6), D(7), D(1), True)]


@pytest.mark.parametrize(
    ("frames", "prices"),
    [
        pytest.param([("2", "101.5")], ["101.5"], id="the first price is the average"),
        pytest.param([("1", "100"), ("3", "100.66666667")], ["100", "101"], id="the rest of a rounded average"),
        pytest.param([("2", "100"), ("4", None), ("6", "101")], ["100", None, None], id="no average, then unknown"),
        pytest.param(
            [("2", "100"), ("4", None), ("6", "101"), ("8", "102")], ["100", None, None, "105"], id="and known again"
        ),
        pytest.param([("7", "100.21428571"), ("9", "100.16666667")], ["100.2142857", "100"], id="after a merged one"),
        pytest.param([("0.1", "64.36"), ("0.3", "64.37333333")], ["64.36", "64.38"], id="fractions"),
    ],
)
def test_a_price_from_two_averages_is_the_shortest_that_they_allow(
    frames: list[tuple[str, str | None]], prices: list[str | None]
) -> None:
    """Without `l` the price is the difference of two notionals; the rounding of the averages is taken out."""
    order = order_at("0")
    delivered = []
    for cumulative, average in frames:
        shown = report("PARTIALLY_FILLED", cumulative, average_price=None if average is None else D(average))
        claim = order.claim(shown)
        assert claim is not None
        delivered += [piece.price for piece in order.cover_average(*claim, shown.average_price)]
    assert delivered == [None if price is None else D(price) for price in prices]


@pytest.mark.parametrize(("start", "end"), [("2", "2"), ("2", "1"), ("1", "1"), ("3", "3")])
def test_what_has_no_length_covers_nothing(start: str, end: str) -> None:
    """An interval without length covers nothing, wherever it begins."""
    order = order_at("0", ("0", "2"))
    assert order.cover(D(start), D(end), D(100)) == []
    assert (order.coverage.contiguous, order.coverage.top) == (D(2), D(2))


def test_a_hole_that_is_filled_leaves_no_doubt_about_the_price_above_it() -> None:
    """When a hole is filled, the notional above it is known again, and so is the next price."""
    order = order_at("0", ("1", "3"))
    order.cover(D(0), D(1), D(102))
    (piece,) = order.cover_average(D(3), D(4), D(101))
    assert piece.price == D(101) * 4 - 102 - 200


@pytest.mark.parametrize(
    ("base", "fills", "price"),
    [
        pytest.param("0", [("1", "100"), ("3", "103"), ("4", "99")], "105", id="all of them priced"),
        pytest.param("0", [("1", "100"), ("3", None), ("4", "99")], None, id="one without a price"),
        pytest.param("2", [("3", "103"), ("4", "99")], None, id="nobody knows what was paid before"),
    ],
)
def test_prices_of_fills_that_extended_the_coverage_count_when_a_frame_says_only_the_average(
    base: str, fills: list[tuple[str, str | None]], price: str | None
) -> None:
    """The notional is carried on from fills with `l` to frames without."""
    order = order_at(base)
    for end, paid in fills:
        last = str(D(end) - order.coverage.contiguous)
        assert order.extend(report("PARTIALLY_FILLED", end, last, last_price=None if paid is None else D(paid)))
    (piece,) = order.cover_average(D(4), D(5), D("102"))
    assert piece.price == (None if price is None else D(price))


def test_a_shorter_price_than_the_averages_allow_is_not_taken() -> None:
    """The tolerance is half a unit in the last place of each average: 100 would be three units away."""
    order = order_at("0", ("0", "1"))
    (piece,) = order.cover_average(D(1), D(3), D("100.00000002"))
    assert piece.price == D("100.00000003")


def test_a_read_s_average_says_what_the_interval_below_was_worth() -> None:
    """The average of a read gives the notional of exactly that interval, if nothing better is known."""
    running = order_at("5")
    running.value(D(4), D(100))
    running.value(D(5), None)
    assert running.cover_average(D(5), D(6), D(101))[0].price is None
    running = order_at("5")
    running.value(D(5), D(100))
    running.value(D(5), D(999))
    assert running.cover_average(D(5), D(6), D(101))[0].price == D(106)


def test_no_price_is_made_up_where_it_cannot_be_known() -> None:
    """Above an interval that is not due, or above an island, the notional is unknown and the price None."""
    running = order_at("5")
    assert running.cover_average(D(5), D(6), D(100))[0].price is None
    assert running.cover_average(D(6), D(7), D(100))[0].price == D(100)
    islands = order_at("0", ("1", "2"))
    assert islands.cover_average(D(2), D(3), D(100))[0].price is None


def test_what_was_paid_is_not_counted_twice() -> None:
    """The notional is unknown if an older fill turns up below a read's average, or a hole below a piece is filled."""
    running = order_at("3", ("3", "5"))
    running.value(D(5), D(100))
    running.begin(D(0))
    running.cover(D(0), D(3), D(100))
    assert running.cover_average(D(5), D(6), D(100))[0].price is None
    holed = order_at("0", ("1", "2"))
    assert holed.cover_average(D(2), D(3), D(100))[0].price is None
    holed.cover(D(0), D(1), D(100))
    assert holed.cover_average(D(3), D(4), D(100))[0].price is None


@pytest.mark.parametrize(("places", "short"), [(16, True), (17, True), (18, False)])
def test_how_short_a_short_price_is(places: int, short: bool) -> None:
    """Up to 17 decimal places are tried to undo the rounding of an average; a longer price is given in full."""
    order, price = order_at("0", ("0", "1")), D(100) + 7 * D(10) ** -places
    average = ((100 + 2 * price) / 3).quantize(D(10) ** -(places + 2))
    (piece,) = order.cover_average(D(1), D(3), average)
    assert piece.price is not None
    assert abs(piece.price - price) < D(10) ** -(places + 1)
    assert (piece.price == price) is short


def test_a_price_that_is_no_short_decimal_is_given_in_full() -> None:
    """An average with more digits than any price has is not rounded."""
    order = order_at("0", ("0", "3"))
    average = D("100.1234567890123456789012")
    (piece,) = order.cover_average(D(3), D(4), average)
    assert piece.price == average * 4 - 300


splits = st.lists(st.integers(1, 6), min_size=1, max_size=8)
ticks = st.integers(90_000, 110_000).map(lambda n: D(n) / 1000)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Decimal, Decimal, Decimal]]:
    """The fills of an order: (start, end, price)."""
    fills, start = [], D(0)
    for part in draw(splits):
        end = start + D(part) / 2
        fills.append((start, end, draw(ticks)))
        start = end
    return fills


@settings(deadline=None, max_examples=200)
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 8))
def test_each_interval_is_covered_once_whatever_comes_in_whatever_order(
    fills: list[tuple[Decimal, Decimal, Decimal]], rng: random.Random, base_at: int
) -> None:
    """In any order, with repeats, overlaps and lowered bases, every unit is covered exactly once in the end."""
    base = fills[min(base_at, len(fills) - 1)][0]
    order = Order(OrderRef("BTC-USDT", "1"), base)
    shown = [*fills, *fills, *fills]
    rng.shuffle(shown)
    delivered: list[tuple[Decimal, Decimal]] = []
    for start, end, price in shown:
        if rng.random() < 0.2 and start < (order.coverage.base or 0):
            order.begin(start)
        if start < (order.coverage.base or 0):
            continue
        claim = order.claim(report("PARTIALLY_FILLED", str(end), str(end - start)))
        assert claim == (start, end)
        before = order.coverage.contiguous_with(start, end)
        for piece in order.cover(start, end, price):
            assert piece.price == price
            assert all(piece.end <= low or piece.start >= high for low, high in delivered)
            delivered.append((piece.start, piece.end))
        assert order.coverage.contiguous == before
        assert order.coverage.contiguous <= order.coverage.top
        assert order.seen == max(high for _, high in (*delivered, (D(0), end)))
    for start, end, price in fills:
        if start >= (order.coverage.base or 0):
            delivered += [(piece.start, piece.end) for piece in order.cover(start, end, price)]
    assert order.coverage.base is not None
    rest = [(start, end) for start, end, _ in fills if start >= order.coverage.base]
    assert merged(delivered) == merged(rest)
    assert sorted(delivered) == rest
    assert order.whole


@settings(deadline=None, max_examples=150)
@given(histories(), st.data())
def test_without_l_lost_frames_merge_and_nothing_is_missing(
    fills: list[tuple[Decimal, Decimal, Decimal]], data: st.DataObject
) -> None:
    """If the wire has only totals, a frame covers everything up to its total; a single fill keeps its price."""
    arrives = data.draw(st.lists(st.booleans(), min_size=len(fills), max_size=len(fills)))
    order = Order(OrderRef("BTC-USDT", "1"), D(0))
    notional, merges, reached = D(0), 0, D(0)
    for (start, end, price), here in zip(fills, arrives, strict=True):
        notional += price * (end - start)
        merges += 1
        if not here:
            continue
        average = (notional / end).quantize(GRAIN)
        for _ in range(data.draw(st.integers(1, 2))):
            shown = report("PARTIALLY_FILLED", str(end), average_price=average)
            claim = order.claim(shown)
            if claim is None:
                continue
            (piece,) = order.cover_average(*claim, average)
            assert piece.start == reached
            assert piece.price is not None
            if merges == 1:
                assert piece.price == price
            reached, merges = piece.end, 0
        assert order.coverage.top == order.coverage.contiguous == end


@settings(deadline=None, max_examples=100)
@given(histories(), st.data())
def test_frames_and_rows_mix(fills: list[tuple[Decimal, Decimal, Decimal]], data: st.DataObject) -> None:
    """Fills from frames without `l` and fills from rows are covered once together, and their notionals agree."""
    order = Order(OrderRef("BTC-USDT", "1"), D(0))
    notional, delivered = D(0), []
    for n, (start, end, price) in enumerate(fills):
        notional += price * (end - start)
        way = data.draw(st.sampled_from(("frame", "rows", "nothing")))
        if way == "frame":
            shown = report("PARTIALLY_FILLED", str(end), average_price=(notional / end).quantize(GRAIN))
            claim = order.claim(shown)
            assert claim is not None
            delivered += order.cover_average(*claim, shown.average_price)
        elif way == "rows":
            for row in fills[: n + 1]:
                delivered += order.cover(*row)
    covered = [(D(0), order.coverage.top)] if delivered else []
    assert merged((piece.start, piece.end) for piece in delivered) == covered
    assert all(piece.price is not None for piece in delivered)
    exact = sum((price * (end - start) for start, end, price in fills if end <= order.coverage.top), D(0))
    assert abs(sum((piece.price or D(0)) * (piece.end - piece.start) for piece in delivered) - exact) < D("1e-5")
