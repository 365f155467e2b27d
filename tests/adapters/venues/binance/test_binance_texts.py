"""The longest text in a frame: frames that may contain a secret are recognised by it, and usual ones have none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core.reports import AccountReport, OrderReport, Unreadable

from ....examples import TIMES
from ..nasty import JSON
from . import samples

DIALECT = UsdmDialect()
KEY = "k" * 64
BALANCE = {"a": "USDT", "wb": "9.5", "cw": "9.5", "bc": "0"}
POSITION = {"s": "ETHUSDT", "pa": "-1", "ep": "10", "up": "0.5", "mt": "cross", "iw": "0", "ps": "SHORT"}
NAMES = st.sampled_from([*"scSofqpxXilzLnNTtmRabSPBe", "ap", "ps", "rp", "wb", "cw", "bc", "pa", "ep", "up", "mt"])


def order(**fields: Any) -> str:
    return json.dumps(samples.order(**fields))


def push(**fields: Any) -> str:
    return json.dumps(samples.account(**{"B": [BALANCE, {**BALANCE, "a": "BNB"}], "P": [POSITION], **fields}))


@pytest.mark.parametrize("frame", [order(), order(c="x" * 36), push(), push(P=[]), push(P=[POSITION] * 9)])
@pytest.mark.parametrize("binary", [False, True])
def test_a_usual_frame_holds_no_text_as_long_as_a_key(frame: str, binary: bool) -> None:
    """A usual frame has no text as long as a key, so it need not be searched for one."""
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
    push(B=[{**BALANCE, "zz": KEY}]),
    push(P=[{**POSITION, KEY: 0}]),
    json.dumps({"stream": KEY, "data": json.loads(order())}),
    json.dumps({**json.loads(push()), KEY: 1}),
    f"[{order(c=KEY)}]",
    f'{order()}\n{{"e":"TRADE_LITE","c":"{KEY}"}}',
]


@pytest.mark.parametrize("frame", LONG)
def test_a_long_text_is_looked_at(frame: str) -> None:
    """A long text counts at any place in a frame, also as a key and in parts that are not read."""
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
    """A frame in which a key is repeated is unreadable, because a parser would take the last value."""
    assert [type(report) for report in DIALECT.decode(frame)] == [Unreadable]


def texts(content: Any) -> Iterator[str]:
    """Yield all keys and texts of the content."""
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
    """No key, value or unread text is longer than the report's `longest`, or a secret might be passed on."""
    frame = made(**fields)
    for report in DIALECT.decode(frame):
        if isinstance(report, (OrderReport, AccountReport)):
            assert report.longest >= max(map(len, texts(json.loads(frame))))
