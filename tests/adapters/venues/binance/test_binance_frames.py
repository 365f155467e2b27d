"""Every frame becomes reports: the known ones exactly, the unknown ones as they are, and none raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.adapters.venues.binance.facts import EVENTS
from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core.dialect import SilentDialect
from listenkey.core.events import ExchangeEventKind, Unknown
from listenkey.core.plain import canonical
from listenkey.core.reports import AccountReport, OrderReport, Report, Unreadable, Unrecognised

from ....examples import TIMES

DIALECT = UsdmDialect()
VECTORS = [json.loads(line) for line in (Path(__file__).parent / "vectors" / "usdm.jsonl").read_text().splitlines()]


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


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
@pytest.mark.parametrize("binary", [False, True])
def test_vector(vector: Any, binary: bool) -> None:
    """The reports in a frame, whether it came as text or as bytes."""
    frame: str = vector["frame"]
    found = plain(DIALECT.decode(frame.encode() if binary else frame))
    for report, expected in zip(found, vector["reports"], strict=True):
        for unsaid in {"content", "why"} - expected.keys():
            report.pop(unsaid, None)
        assert report == expected


def test_every_event_that_is_asked_for_has_a_vector() -> None:
    """What a socket listens to is what has been read."""
    seen = set()
    for vector in VECTORS:
        for line in vector["frame"].splitlines():
            if line.startswith("{"):
                content = json.loads(line)
                seen.add(content.get("data", content).get("e"))
    assert set(EVENTS) <= seen


BODY = json.loads(
    '{"s":"ETHUSDT","c":"mine","S":"BUY","o":"LIMIT","f":"GTC","q":"2","p":"10","ap":"10","sp":"0","x":"TRADE",'
    '"X":"PARTIALLY_FILLED","i":7,"l":"1","z":"1","L":"10","n":"0.01","N":"USDT","T":4,"t":9,"m":false,"R":false,'
    '"ps":"BOTH","rp":"0.5"}'
)


def order(**fields: Any) -> str:
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 5, "T": 4, "o": {**BODY, **fields}})


def report_of(frame: str) -> OrderReport:
    (report,) = DIALECT.decode(frame)
    assert isinstance(report, OrderReport)
    return report


FORCED = [
    ("autoclose-17", "LIMIT", "TRADE", True),
    ("autoclose-17", "LIMIT", "NEW", True),
    ("adl_autoclose", "LIMIT", "CALCULATED", True),
    ("adl_autoclose_12", "LIMIT", "TRADE", True),
    ("adl_autoclose-12", "LIMIT", "TRADE", True),
    ("settlement_autoclose-3", "MARKET", "CALCULATED", False),
    ("delivery_autoclose-3", "MARKET", "TRADE", False),
    ("delivery-3", "MARKET", "CALCULATED", False),
    ("mine", "LIQUIDATION", "TRADE", True),
    ("mine", "LIMIT", "CALCULATED", True),
    ("my-autoclose-17", "LIMIT", "TRADE", False),
    ("", "MARKET", "TRADE", False),
]


@pytest.mark.parametrize(("client_order_id", "kind", "execution", "liquidation"), FORCED)
def test_forced_orders(client_order_id: str, kind: str, execution: str, liquidation: bool) -> None:
    """The client order id of the venue's own orders says what they are, before the type and the execution do."""
    assert report_of(order(c=client_order_id, o=kind, x=execution)).liquidation is liquidation


@pytest.mark.parametrize("execution", ["TRADE", "CALCULATED", "NEW", "SOMETHING", None])
def test_a_fill_is_what_has_a_quantity(execution: str | None) -> None:
    """Nobody has captured a forced close: whatever it says of why it came, a quantity and a trade are a fill."""
    report = report_of(order(x=execution))
    assert (report.last_qty, report.trade_id, report.fee, report.realized_pnl) == (
        Decimal(1),
        "9",
        Decimal("0.01"),
        Decimal("0.5"),
    )


@pytest.mark.parametrize("execution", ["NEW", "CANCELED", "EXPIRED", "AMENDMENT"])
def test_no_fill_has_no_costs(execution: str) -> None:
    """A frame that no fill caused tells of no fee and no trade, though its fields stand there."""
    report = report_of(order(x=execution, X="PARTIALLY_FILLED", l="0", L="0", n="0", t=0, rp="0"))
    assert (report.last_qty, report.last_price, report.trade_id, report.fee, report.realized_pnl) == (
        Decimal(0),
        *[None] * 4,
    )


@pytest.mark.parametrize("trade", [0, -1, None])
def test_a_fill_without_a_trade(trade: int | None) -> None:
    """A trade id that is none is None, and the fill stands."""
    report = report_of(order(t=trade))
    assert (report.last_qty, report.trade_id) == (Decimal(1), None)


@pytest.mark.parametrize("absent", [{"n": None, "N": None}, {"n": ""}])
def test_a_fee_that_is_not_said(absent: dict[str, Any]) -> None:
    """It is None, never zero."""
    assert report_of(order(**absent)).fee is None


STATUS = [
    ("NEW", "0", "NEW"),
    ("NEW", "1", "PARTIALLY_FILLED"),
    ("NEW", "2", "FILLED"),
    ("NEW_ADL", "0", "NEW"),
    ("NEW_INSURANCE", "2", "FILLED"),
    ("EXPIRED_IN_MATCH", "1", "EXPIRED"),
    ("CANCELED", "1", "CANCELED"),
    ("REJECTED", "0", "REJECTED"),
    ("HALTED", "1", "HALTED"),
]


@pytest.mark.parametrize(("word", "done", "status"), STATUS)
def test_status(word: str, done: str, status: str) -> None:
    """Known words become ours, by what was executed where they do not say it; an unknown one is not dropped."""
    assert report_of(order(X=word, z=done, l="0")).status == status


@pytest.mark.parametrize("kind", ["MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_market_orders_have_no_price(kind: str) -> None:
    """Whatever stands there."""
    assert report_of(order(o=kind, p="12")).price is None


@pytest.mark.parametrize(("price", "told"), [("12", Decimal(12)), ("0", None), ("", None), ("NaN", None)])
def test_price(price: str, told: Decimal | None) -> None:
    """No price is None, never zero."""
    assert report_of(order(p=price)).price == told


@pytest.mark.parametrize(
    ("envelope", "inner", "time"),
    [({"T": 3}, {"T": 4}, 4), ({"T": 3}, {"T": 0}, 3), ({"T": 0}, {"T": None}, 5), ({"T": 0, "E": 0}, {"T": 0}, None)],
)
def test_time(envelope: dict[str, Any], inner: dict[str, Any], time: int | None) -> None:
    """The trade's time, else the envelope's, else the event's; never a clock of ours."""
    assert report_of(json.dumps(json.loads(order(**inner)) | envelope)).exchange_ts == time


@pytest.mark.parametrize("odd", ["1,2", "1\n", " 1", "1_0", "Infinity", "", "1e400", None, True, [], {}])
@pytest.mark.parametrize("name", ["p", "ap", "L", "n", "rp"])
def test_one_amount_that_is_none_leaves_the_others_alone(name: str, odd: Any) -> None:
    """They are looked at together, and each is read for itself."""
    usual, report = report_of(order()), report_of(order(**{name: odd}))
    fields = {"p": "price", "ap": "average_price", "L": "last_price", "n": "fee", "rp": "realized_pnl"}
    for each, field in fields.items():
        assert getattr(report, field) == (None if each == name else getattr(usual, field))


@pytest.mark.parametrize("number", [12, 12.5, 1e2])
def test_an_amount_may_be_a_number(number: float) -> None:
    """Exactly, though the venue writes texts."""
    assert report_of(order(p=number)).price == Decimal(str(number))


DOUBTFUL = [
    {"s": ""},
    {"i": 0},
    {"X": None},
    {"q": "-1"},
    {"q": "x"},
    {"z": None},
    {"l": None},
    {"l": "3", "z": "2"},
    {"l": "-1"},
]


@pytest.mark.parametrize("fields", DOUBTFUL)
def test_an_order_that_cannot_be_trusted(fields: dict[str, Any]) -> None:
    """Nothing of it is told as true, and the account is read; it names the order where the frame does."""
    (report,) = DIALECT.decode(order(**fields))
    assert isinstance(report, Unrecognised)
    assert report.doubtful
    assert (report.order is None) is bool(fields.keys() & {"s", "i"})


ROWS = [
    *({"B": ["USDT"]}, {"B": "USDT"}, {"B": [{"wb": "1"}]}, {"B": [{"a": "USDT", "wb": ""}]}),
    *({"P": [["ETHUSDT"]]}, {"P": [{"s": "", "pa": "1"}]}, {"P": [{"s": "ETHUSDT", "pa": "NaN"}]}),
    *({"P": [{"s": [], "ps": side}, {"s": "ETHUSDT", "ps": "BOTH", "pa": "0"}]} for side in ("LONG", "BOTH")),
]


@pytest.mark.parametrize("body", ROWS)
def test_rows_that_are_none(body: dict[str, Any]) -> None:
    """One row that cannot be read makes the whole push doubtful: nothing of it is told as true."""
    (report,) = DIALECT.decode(json.dumps({"e": "ACCOUNT_UPDATE", "E": 5, "a": body}))
    assert isinstance(report, Unrecognised)
    assert report.doubtful


ACCOUNT: dict[str, Any] = {
    "B": [{"a": "USDT", "wb": "9.5", "cw": "9.5", "bc": "0"}, {"a": "BNB", "wb": "1", "cw": "1", "bc": "0"}],
    "P": [{"s": "ETHUSDT", "pa": "-1", "ep": "10", "up": "0.5", "mt": "cross", "iw": "0", "ps": "SHORT"}],
    "m": "ORDER",
}
KEY = "k" * 64


def push(**fields: Any) -> str:
    return json.dumps({"e": "ACCOUNT_UPDATE", "E": 5, "T": 4, "a": {**ACCOUNT, **fields}})


@pytest.mark.parametrize("frame", [order(), order(c="x" * 36), push(), push(P=[]), push(P=ACCOUNT["P"] * 9)])
@pytest.mark.parametrize("binary", [False, True])
def test_a_usual_frame_holds_no_text_as_long_as_a_key(frame: str, binary: bool) -> None:
    """So nobody has to look for one in it."""
    (report,) = DIALECT.decode(frame.encode() if binary else frame)
    assert isinstance(report, (OrderReport, AccountReport))
    assert report.longest < len(KEY)


LONG = [
    order(c=KEY),
    order(zz=KEY),
    order(**{KEY: 1}),
    order(zz={"y": KEY}),
    order(zz=[KEY]),
    push(m=KEY),
    push(B=[{**ACCOUNT["B"][0], "zz": KEY}]),
    push(P=[{**ACCOUNT["P"][0], KEY: 0}]),
    json.dumps({"stream": KEY, "data": json.loads(order())}),
    json.dumps({**json.loads(push()), KEY: 1}),
    f"[{order(c=KEY)}]",
    f'{order()}\n{{"e":"TRADE_LITE","c":"{KEY}"}}',
]


@pytest.mark.parametrize("frame", LONG)
def test_a_long_text_is_looked_at(frame: str) -> None:
    """Wherever it stands, be it a key or in a part of which nothing is read."""
    (report,) = DIALECT.decode(frame)
    assert isinstance(report, (OrderReport, AccountReport))
    assert report.longest >= len(KEY)


TWICE = [
    order().replace('"c": "mine"', '"z": "2"'),
    order().replace('"c": "mine"', '"c": "mine", "z": "2"'),
    order().replace('"c": "mine"', '"c": "a:b", "c" : "mine"'),
    push().replace('"cw": "9.5"', '"wb": "9"'),
    push().replace('"m": "ORDER"', '"m": "ORDER", "B": []'),
]


@pytest.mark.parametrize("frame", TWICE)
def test_a_key_that_stands_twice(frame: str) -> None:
    """A parser would silently take the last of them; nothing of such a frame is believed."""
    assert [type(report) for report in DIALECT.decode(frame)] == [Unreadable]


def test_what_a_socket_asks() -> None:
    """Each socket asks what it listens to, with an unsigned number that its answer bears."""
    (opening,) = DIALECT.opening(4)
    assert json.loads(opening.text) == {"method": "LIST_SUBSCRIPTIONS", "id": 4}
    assert DIALECT.probe(4) == (opening,)
    assert DIALECT.decode('{"result":["x@ACCOUNT_UPDATE"],"id":4}') == DIALECT.decode('{"result":null,"id":4}')
    assert plain(DIALECT.decode('{"result":null,"id":4}')) == [{"report": "Acknowledged", "id": opening.id}]


def test_properties() -> None:
    """A dialect of either environment; a dead key opens a socket, and nobody deletes the account's key unasked."""
    assert UsdmDialect("binance-usdm-testnet").name == "binance-usdm-testnet"
    assert UsdmDialect(cumulative_costs=True).cumulative_costs
    assert not DIALECT.cumulative_costs
    assert isinstance(DIALECT, SilentDialect)
    assert not DIALECT.counts_available
    assert DIALECT.time_grain_ms == 1
    assert DIALECT.policy["delete_keys"] == 0


DEEP = ['{"a":' * 5000, "[" * 5000, '{"a":' * 500 + "1" + "}" * 500, '{"a":[' * 40 + "]}" * 40]


@pytest.mark.parametrize("frame", [*DEEP, b"\xff\xfe", "\ud800", '{"i":' + "9" * 9999 + "}"])
def test_unreadable(frame: bytes | str) -> None:
    """What would break a parser, or a consumer that walks what was parsed, is unreadable and harmless."""
    assert [type(report) for report in DIALECT.decode(frame)] == [Unreadable]


def sane(reports: tuple[Report, ...]) -> None:
    """Whatever came out can be told on: its amounts are finite and small, its content can be written as JSON."""
    for report in reports:
        if isinstance(report, OrderReport):
            canonical(report.cumulative_qty)
            assert report.last_qty is not None
            assert 0 <= report.last_qty <= report.cumulative_qty
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
    VALUE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*"scSofqpxXilzLnNTtmRabSPBe", "ap", "ps", "rp", "wb", "cw", "bc", "pa", "ep", "up", "mt"])
FIELDS = st.dictionaries(NAMES, JSON, max_size=8)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "e": st.sampled_from([*EVENTS, "TRADE_LITE", "serverShutdown"]) | JSON,
        "E": JSON,
        "o": FIELDS | JSON,
        "a": st.fixed_dictionaries(
            {}, optional={"B": st.lists(FIELDS, max_size=2) | JSON, "P": st.lists(FIELDS, max_size=2) | JSON, "m": JSON}
        ),
        "ac": FIELDS | JSON,
        "data": FIELDS | JSON,
        "stream": JSON,
        "result": JSON,
        "error": JSON,
        "code": JSON,
        "id": JSON,
        "msg": JSON,
        "listenKey": JSON,
    },
)


@settings(max_examples=60 * TIMES)
@given(st.binary() | st.text())
def test_total_over_noise(frame: bytes | str) -> None:
    """Nothing from the wire raises: noise, which is never nothing."""
    reports = DIALECT.decode(frame)
    assert reports
    sane(reports)


@settings(max_examples=40 * TIMES, suppress_health_check=[HealthCheck.too_slow])
@given(FRAMES)
def test_total_over_frames(content: dict[str, Any]) -> None:
    """Nothing from the wire raises: frames of the right shape with anything in them."""
    frame = json.dumps(content)
    sane(DIALECT.decode(frame.replace("NaN", "1e999").replace("Infinity", "1e999999999")))
    sane(DIALECT.decode(frame))


def texts(content: Any) -> Iterator[str]:
    """All keys and texts in it."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from content
    if isinstance(content, (dict, list)):
        for inner in content.values() if isinstance(content, dict) else content:
            yield from texts(inner)


@settings(max_examples=40 * TIMES, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([order, push]), st.dictionaries(NAMES, st.text(max_size=60) | JSON, max_size=4))
def test_no_text_is_longer_than_the_report_says(made: Callable[..., str], fields: dict[str, Any]) -> None:
    """Of its keys, of its values, of what is not read: else a secret might be passed on."""
    frame = made(**fields)
    for report in DIALECT.decode(frame):
        if isinstance(report, (OrderReport, AccountReport)):
            assert report.longest >= max(map(len, texts(json.loads(frame))))


@settings(max_examples=60 * TIMES, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, VALUE), st.dictionaries(NAMES, VALUE))
def test_total_over_orders(fields: dict[str, Any], envelope: dict[str, Any]) -> None:
    """Nothing from the wire raises: an order with some fields gone wrong is a report, or doubtful."""
    frame = json.dumps({**json.loads(order(**fields)), **envelope, "e": "ORDER_TRADE_UPDATE"})
    (report,) = DIALECT.decode(frame)
    sane((report,))
    assert isinstance(report, (OrderReport, Unreadable)) or (isinstance(report, Unrecognised) and report.doubtful)
