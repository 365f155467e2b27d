"""The fast path over a frame changes only the speed: its reports equal those of the patient reader."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest

from listenkey.adapters.venues.bingx import swap
from listenkey.adapters.venues.bingx.fastpath import fast_report
from listenkey.core.reports import UNKNOWN

ORDER: dict[str, Any] = {
    "s": "BTC-USDT",
    "c": "",
    "i": 1970374651259388123,
    "S": "SELL",
    "o": "LIMIT",
    "q": "0.00200000",
    "p": "112848.10000000",
    "sp": "0.00000000",
    "ap": "112848.10000000",
    "x": "TRADE",
    "X": "FILLED",
    "N": "USDT",
    "n": "-0.05642405",
    "T": 0,
    "wt": "",
    "ps": "SHORT",
    "rp": "0.00000000",
    "z": "0.00100000",
}
POSITION = {"s": "X", "pa": "1.0", "ep": "2.0", "up": "-0.1", "mt": "cross", "iw": "3", "ps": "SHORT"}
ACCOUNT: dict[str, Any] = {"m": "ORDER", "B": [{"a": "USDT", "wb": "1.5", "cw": "1", "bc": "0"}], "P": [POSITION]}


def text(event: str, **inner: Any) -> bytes:
    content = {"e": event, "E": 1758608899350, "T": 1758608899316, **inner}
    return json.dumps(content, separators=(",", ":")).encode()


def patiently(frame: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(swap, "fast_report", lambda _frame: None)
        return swap.SwapDialect().decode(frame)


def test_orders_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order frames with all combinations of their decisive fields are read alike on both paths."""
    taken = 0
    for execution, status, last, price, done, side, kind, average in itertools.product(
        ["TRADE", "NEW", "CANCELED", "CALCULATED", ""],
        ["NEW", "FILLED", "PARTIALLY_FILLED", "CANCELED", "HALTED"],
        [None, "0.0", "0.001"],
        ["0.0", "112848.1"],
        ["0", "0.001"],
        ["BOTH", "LONG"],
        ["LIMIT", "MARKET", "LIQUIDATION"],
        ["0.0", "112848.1"],
    ):
        fill = {} if last is None else {"l": last, "L": price, "td": 7}
        changes = {"x": execution, "X": status, "z": done, "ps": side, "o": kind, "ap": average}
        frame = text("ORDER_TRADE_UPDATE", o={**ORDER, **changes, **fill})
        report = fast_report(frame)
        if report is not None:
            taken += 1
            assert (msgspec.structs.replace(report, longest=UNKNOWN),) == patiently(frame, monkeypatch)
    assert taken > 1000


@pytest.mark.parametrize(
    ("average", "last", "taken"), [("0.0", "0.0", True), ("1.0", "0.0", False), ("0.0", "0.1", False)]
)
def test_a_filled_order_of_nothing_is_taken_if_nothing_contradicts_it(average: str, last: str, taken: bool) -> None:
    """A FILLED order with nothing executed is read on the fast path only without an average price and a last fill."""
    frame = text("ORDER_TRADE_UPDATE", o={**ORDER, "z": "0.0", "ap": average, "l": last, "L": "1.0"})
    assert (fast_report(frame) is not None) == taken


@pytest.mark.parametrize("reason", ["ORDER", "FUNDING_FEE", "WITHDRAW"])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_accounts_are_read_alike(reason: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Account frames with any number of positions are read alike on both paths."""
    frame = text("ACCOUNT_UPDATE", a={**ACCOUNT, "m": reason, "P": [POSITION] * rows})
    report = fast_report(frame)
    assert report is not None
    assert (msgspec.structs.replace(report, longest=UNKNOWN),) == patiently(frame, monkeypatch)


@pytest.mark.parametrize(
    "changes",
    [
        {"q": "NaN"},
        {"z": "1e400"},
        {"z": "1e-400"},
        {"ap": "Infinity"},
        {"n": ""},
        {"rp": "sNaN"},
        {"q": "0"},
        {"i": -1},
        {"s": ""},
        {"ps": "SIDEWAYS"},
        {"X": "Unknown"},
        {"brand": "new"},
        {"p": ""},
        {"i": "1970374651259388123"},
        {"l": "-1", "L": "2"},
        {"wt": "x" * 25},
        {"sg": ["x"]},
    ],
    ids=repr,
)
def test_what_is_unusual_is_left_to_the_patient_reader(changes: dict[str, Any]) -> None:
    """A frame with an unusual value is left to the patient reader."""
    assert fast_report(text("ORDER_TRADE_UPDATE", o={**ORDER, **changes})) is None


def test_a_key_that_stands_twice_is_left_to_the_patient_reader() -> None:
    """A frame in which a key is repeated is left to the patient reader, because a parser would take the last value."""
    frame = text("ORDER_TRADE_UPDATE", o=ORDER)
    assert fast_report(frame) is not None
    assert fast_report(frame.replace(b'"c":"",', b'"z":"0.002",')) is None
    assert fast_report(frame.replace(b'"c":"",', b'"c":"","z":"0.002",')) is None
    assert fast_report(frame.replace(b'"c":"",', b'"c":"a:b",')) is not None
    assert fast_report(frame.replace(b'"c":"",', b'"c":"a:b","z" :"0.002",')) is None
    account = text("ACCOUNT_UPDATE", a=ACCOUNT)
    assert fast_report(account) is not None
    assert fast_report(account.replace(b'"cw":"1",', b'"cw":"1","wb":"9",')) is None
