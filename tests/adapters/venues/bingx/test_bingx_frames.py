"""Every frame becomes reports: the known ones exactly, the unknown ones as they are, and none raises."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.adapters.venues.bingx.spot import SpotDialect
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.dialect import Dialect
from listenkey.core.events import ExchangeEventKind, Unknown
from listenkey.core.plain import canonical
from listenkey.core.reports import AccountReport, OrderReport, Report, Unreadable, Unrecognised

SWAP, SPOT = SwapDialect(), SpotDialect()
DIALECTS: dict[str, Dialect] = {"swap": SWAP, "spot": SPOT}


def vectors() -> list[tuple[str, Any]]:
    folder = Path(__file__).parent / "vectors"
    return [
        (name, json.loads(line)) for name in DIALECTS for line in (folder / f"{name}.jsonl").read_text().splitlines()
    ]


def plain(value: Any) -> Any:
    """A report as the vectors write it: its name, and the fields that say something."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        shown = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
        defaults = {field.name: field.default for field in msgspec.structs.fields(value)}
        said = {name: plain(found) for name, found in shown.items() if repr(found) != repr(defaults[name])}
        said.pop("longest", None)  # which says how the frame was read, not what is in it
        return {"report": type(value).__name__, **said}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return {name: plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("venue", "vector"), vectors(), ids=lambda part: part if isinstance(part, str) else part["name"]
)
@pytest.mark.parametrize("binary", [False, True])
def test_vector(venue: str, vector: Any, binary: bool) -> None:
    """The reports in a frame, whether it came as text or inflated from a binary one."""
    frame: str = vector["frame"]
    found = plain(DIALECTS[venue].decode(frame.encode() if binary else frame))
    for report, expected in zip(found, vector["reports"], strict=True):
        for unsaid in {"content", "why"} - expected.keys():
            report.pop(unsaid, None)
        assert report == expected


MARKET_LIKE = [
    "MARKET",
    "STOP_MARKET",
    "TAKE_PROFIT_MARKET",
    "TRIGGER_MARKET",
    "TRAILING_STOP_MARKET",
    "TRAILING_TP_SL",
    "TRIGGER_REVERSE_MARKET",
    "TAKE_STOP_MARKET",
    "LIQUIDATION",
]
PRICED = ["LIMIT", "STOP", "TAKE_PROFIT", "TRIGGER_LIMIT", "TAKE_STOP_LIMIT", "SOMETHING_NEW"]


def order(**fields: Any) -> bytes:
    body = {"s": "BTC-USDT", "i": 7, "S": "BUY", "o": "LIMIT", "q": "2", "p": "10", "X": "NEW", "z": "0", "ps": "LONG"}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 5, "o": {**body, **fields}}).encode()


def report_of(frame: bytes) -> OrderReport:
    (report,) = SWAP.decode(frame)
    assert isinstance(report, OrderReport)
    return report


@pytest.mark.parametrize("kind", MARKET_LIKE + PRICED)
def test_protective_price(kind: str) -> None:
    """`p` of whatever executes at the market is protective; of the rest it is the price."""
    report = report_of(order(o=kind, p="437.12"))
    assert report.order_type == kind
    assert report.price == (None if kind in MARKET_LIKE else Decimal("437.12"))


@pytest.mark.parametrize("price", ["", "0.00000000", "NaN", None, "1e400", [], True])
def test_price_that_is_none(price: Any) -> None:
    """No price is None, never zero."""
    assert report_of(order(p=price)).price is None


STATUS = {
    "NEW": "NEW",
    "PENDING": "NEW",
    "Pending": "NEW",
    "WORKING": "NEW",
    "CANCELLED": "CANCELED",
    "CANCELED": "CANCELED",
    "FAILED": "REJECTED",
    "EXPIRED": "EXPIRED",
    "Unknown": "Unknown",
    "RUNNING": "RUNNING",
    "HALTED": "HALTED",
}


@pytest.mark.parametrize(("word", "status"), STATUS.items())
def test_status(word: str, status: str) -> None:
    """Known words become ours; an unknown one stays and is not dropped."""
    assert report_of(order(X=word)).status == status


TIMES = [
    ({"T": 3}, {"T": 4}, 4),
    ({"T": 3}, {"T": 0}, 3),
    ({"T": 0}, {"T": 0}, 5),
    ({}, {}, 5),
    ({"T": "3"}, {}, 3),
    ({"T": -1}, {"T": 10**30}, 5),
    ({"E": None}, {}, None),
]


@pytest.mark.parametrize(("envelope", "inner", "time"), TIMES)
def test_time(envelope: dict[str, Any], inner: dict[str, Any], time: int | None) -> None:
    """The trade's time, else the update's, else the event's; never a clock of ours."""
    content = json.loads(order(**inner)) | envelope
    assert report_of(json.dumps(content).encode()).exchange_ts == time


def test_case_of_keys() -> None:
    """`s` and `S`, `l` and `L`, `n` and `N` are different fields."""
    report = report_of(order(s="A-B", S="SELL", l="1", L="9", n="-0.5", N="USDT", z="1", X="PARTIALLY_FILLED"))
    assert (report.symbol, report.side) == ("A-B", "SELL")
    assert (report.last_qty, report.last_price) == (Decimal(1), Decimal(9))
    assert (report.fee, report.fee_asset) == (Decimal("0.5"), "USDT")


ROWS = [{"B": ["USDT"]}, {"B": "USDT"}, {"P": [["BTC-USDT"]]}, {"P": [{"s": "", "pa": "1"}]}, {"B": [{"wb": "1"}]}]


@pytest.mark.parametrize("body", ROWS)
def test_rows_that_are_none(body: dict[str, Any]) -> None:
    """One row that cannot be read makes the whole push doubtful: nothing of it is told as true."""
    (report,) = SWAP.decode(json.dumps({"e": "ACCOUNT_UPDATE", "E": 5, "a": body}))
    assert isinstance(report, Unrecognised)
    assert report.doubtful


def test_spot_order_without_status() -> None:
    """What spot leaves out is doubtful as well."""
    (report,) = SPOT.decode('{"e":"executionReport","E":5,"s":"A-B","i":1,"z":0}')
    assert isinstance(report, Unrecognised)
    assert report.doubtful


def test_exact_ids() -> None:
    """Ids beyond 2^53 are exact, as a number and as text."""
    big = 1767767539205742593
    assert report_of(order(i=big)).order_id == report_of(order(i=str(big))).order_id == str(big)


def test_opening() -> None:
    """Nothing is sent on the swap; spot subscribes twice, with ids made of the socket's number."""
    assert SWAP.opening(4) == ()
    first, second = SPOT.opening(4)
    assert json.loads(first.text) == {"id": first.id, "reqType": "sub", "dataType": "spot.executionReport"}
    assert json.loads(second.text) == {"id": second.id, "reqType": "sub", "dataType": "ACCOUNT_UPDATE"}
    assert len({ident for socket in (4, 5) for ident, _ in SPOT.opening(socket)}) == 4


def test_properties() -> None:
    """Costs are read per fill until told otherwise, in one place."""
    assert [dialect.name for dialect in DIALECTS.values()] == ["bingx-swap", "bingx-spot"]
    assert SwapDialect("bingx-swap-vst", cumulative_costs=True).cumulative_costs
    for dialect in DIALECTS.values():
        assert not dialect.cumulative_costs
        assert dialect.policy == {}


DEEP = [b'{"a":' * 5000, b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"a":[' * 40 + b"]}" * 40]


@pytest.mark.parametrize(
    "frame", [*DEEP, b"\xff\xfe", b"\xef\xbb\xbf", "\ud800", '{"a":"\ud800"}', b'{"i":' + b"9" * 9999 + b"}"]
)
def test_unreadable(frame: bytes | str) -> None:
    """What would break a parser, or a consumer that walks what was parsed, is unreadable and harmless."""
    for dialect in DIALECTS.values():
        assert [type(report) for report in dialect.decode(frame)] == [Unreadable]


def sane(reports: tuple[Report, ...]) -> None:
    """Whatever came out can be told on: its amounts are finite and small, its content can be written as JSON."""
    assert reports
    for report in reports:
        if isinstance(report, OrderReport):
            canonical(report.cumulative_qty)
            assert report.cumulative_qty.is_finite()
            assert report.cumulative_qty >= 0
        if isinstance(report, AccountReport):
            assert all(balance.wallet_balance is not None for balance in report.balances)
            assert all(position.qty >= 0 for position in report.positions)
        if isinstance(report, Unrecognised):
            kind = ExchangeEventKind.UNKNOWN
            told = Unknown(kind=kind, event_id="x", exchange_ts=None, source="ws", raw=report.content).to_json()
            assert len(told) < 10_000_000


NASTY = st.sampled_from(["", "NaN", "Infinity", "1e400", "-1", "0", "1_0", "\u0661", " 1", "0.5", "1e-99", "9" * 60])
VALUE = st.one_of(NASTY, st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=5))
JSON = st.recursive(
    VALUE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
NAMES = st.sampled_from(
    [*"sciSoqpxXNnTzlLEQCtO", "sp", "ap", "ps", "rp", "td", "wb", "cw", "bc", "pa", "ep", "up", "mt"]
)
FIELDS = st.dictionaries(NAMES, JSON)
EVENTS = [
    "ORDER_TRADE_UPDATE",
    "TRADE_UPDATE",
    "ACCOUNT_UPDATE",
    "ACCOUNT_CONFIG_UPDATE",
    "SNAPSHOT",
    "executionReport",
]
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "e": st.sampled_from([*EVENTS, "listenKeyExpired"]) | JSON,
        "E": JSON,
        "o": FIELDS | JSON,
        "a": st.fixed_dictionaries(
            {}, optional={"B": st.lists(FIELDS) | JSON, "P": st.lists(FIELDS) | JSON, "m": JSON}
        ),
        "ac": FIELDS | JSON,
        "data": FIELDS | JSON,
        "dataType": JSON,
        "code": JSON,
        "id": JSON,
        "msg": JSON,
        "ping": JSON,
        "listenKey": JSON,
    },
)


@given(st.binary() | st.text())
def test_total_over_noise(frame: bytes | str) -> None:
    """Nothing from the wire raises: noise."""
    for dialect in DIALECTS.values():
        sane(dialect.decode(frame))


@given(FRAMES)
def test_total_over_frames(content: dict[str, Any]) -> None:
    """Nothing from the wire raises: frames of the right shape with anything in them."""
    frame = json.dumps(content)
    for dialect in DIALECTS.values():
        sane(dialect.decode(frame.replace("NaN", "1e999").replace("Infinity", "1e999999999")))
        sane(dialect.decode(frame))


@given(st.dictionaries(NAMES, VALUE), st.dictionaries(NAMES, VALUE))
def test_total_over_orders(fields: dict[str, Any], envelope: dict[str, Any]) -> None:
    """Nothing from the wire raises: an order with some fields gone wrong is a report, or doubtful."""
    frame = json.dumps({**json.loads(order(**fields)), **envelope, "e": "TRADE_UPDATE"})
    reports = SWAP.decode(frame)
    sane(reports)
    assert isinstance(reports[0], (OrderReport, Unreadable)) or (
        isinstance(reports[0], Unrecognised) and (reports[0].doubtful)
    )
