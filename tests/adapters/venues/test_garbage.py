"""No frame makes a dialect of any family raise, and no report has a wrong value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.core.dialect import Dialect
from listenkey.core.events import ExchangeEventKind, Unknown
from listenkey.core.plain import canonical
from listenkey.core.reports import AccountReport, OrderReport, Report, Unreadable, Unrecognised

from ...examples import TIMES
from .samples import FAMILIES, Samples, samples

families = pytest.mark.parametrize("family", FAMILIES)
drawn = settings(deadline=None, max_examples=100 * TIMES, suppress_health_check=[HealthCheck.too_slow])
DEEP = [b'{"a":' * 5000, b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"a":[' * 40 + b"]}" * 40]
UNREADABLE: list[bytes | str] = [
    *DEEP,
    *(frame.decode() for frame in DEEP),
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    "\ud800",
    '{"a":"\ud800"}',
    b'{"i":' + b"9" * 9999 + b"}",
    '{"i":' + "9" * 9999 + "}",
]


@families
def test_unreadable(family: str) -> None:
    """A frame that is nested too deeply, is not UTF-8, or has a number too long is reported as unreadable."""
    for dialect in samples(family).DIALECTS.values():
        for frame in UNREADABLE:
            assert [type(report) for report in dialect.decode(frame)] == [Unreadable], frame[:20]


@families
def test_rows_that_are_none(family: str) -> None:
    """One row that cannot be read makes the whole push doubtful."""
    given = samples(family)
    dialect = next(iter(given.DIALECTS.values()))
    assert isinstance(dialect.decode(json.dumps(given.account()))[0], AccountReport)
    assert given.ROWLESS
    for frame in given.ROWLESS:
        (report,) = dialect.decode(json.dumps(frame))
        assert isinstance(report, Unrecognised), frame
        assert report.doubtful


def sane(given: Samples, dialect: Dialect, frame: bytes | str) -> tuple[Report, ...]:
    """Decode a frame; check that its reports have finite amounts and content that can be written as JSON."""
    reports = dialect.decode(frame)
    for report in reports:
        if isinstance(report, OrderReport):
            canonical(report.cumulative_qty)
            assert report.cumulative_qty.is_finite()
            assert report.cumulative_qty >= 0
            if given.EXACT:
                assert report.last_qty is not None
                assert 0 <= report.last_qty <= report.cumulative_qty
        if isinstance(report, AccountReport):
            assert all(balance.wallet_balance is not None for balance in report.balances)
            assert all(position.qty >= 0 for position in report.positions)
        if isinstance(report, Unrecognised):
            kind = ExchangeEventKind.UNKNOWN
            text = Unknown(kind=kind, event_id="x", exchange_ts=None, source="ws", raw=report.content).to_json()
            assert len(text) < 10_000_000
    return reports


@families
@drawn
@given(frame=st.binary() | st.text())
def test_total_over_noise(family: str, frame: bytes | str) -> None:
    """Any bytes or text give at least one report."""
    given = samples(family)
    for dialect in given.DIALECTS.values():
        assert sane(given, dialect, frame)


@families
@drawn
@given(data=st.data())
def test_total_over_frames(family: str, data: st.DataObject) -> None:
    """Frames of the right shape with any values give a report, except events that are ignored."""
    given = samples(family)
    content = data.draw(given.FRAMES)
    frame = json.dumps(content)
    for dialect in given.DIALECTS.values():
        sane(given, dialect, frame.replace("NaN", "1e999").replace("Infinity", "1e999999999"))
        assert sane(given, dialect, frame) or given.event(content) in given.IGNORED


@families
@drawn
@given(data=st.data())
def test_total_over_orders(family: str, data: st.DataObject) -> None:
    """An order frame with some wrong fields is an order's report, unreadable, or doubtful."""
    given = samples(family)
    event = data.draw(st.sampled_from(given.ORDER_EVENTS))
    content: dict[str, Any] = {**given.order(**data.draw(given.FIELDS)), **data.draw(given.FIELDS), "e": event}
    (report,) = sane(given, next(iter(given.DIALECTS.values())), json.dumps(content))
    assert isinstance(report, (OrderReport, Unreadable)) or (isinstance(report, Unrecognised) and report.doubtful)
