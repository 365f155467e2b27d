"""Frames of an unexpected form, as a list, lines or a byte order mark: each event that can be read is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from listenkey.adapters.venues.bingx.spot import SpotDialect
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.adapters.venues.pieces import MOST, pieces
from listenkey.core.dialect import Dialect
from listenkey.core.refusal import RefusalKind
from listenkey.core.reports import Heartbeat, KeyExpired, OrderReport, Rejected, Report, Unreadable, Unrecognised

SOME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SWAP = SwapDialect()


def fill(order_id: int = 7, **fields: Any) -> str:
    """Return a fill that both the fast path and the patient reader can read."""
    body = {"s": "BTC-USDT", "i": order_id, "S": "BUY", "o": "MARKET", "q": "2", "p": "0", "ap": "100", "x": "TRADE"}
    rest = {"X": "PARTIALLY_FILLED", "N": "USDT", "n": "-1", "T": 1_760_000_000_000, "ps": "LONG", "rp": "0", "z": "1"}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 1_760_000_000_000, "o": {**body, **rest, **fields}})


def wallet(amount: str) -> str:
    body = {"m": "ORDER", "B": [{"a": "USDT", "wb": amount, "cw": amount, "bc": "0"}], "P": []}
    return json.dumps({"e": "ACCOUNT_UPDATE", "E": 1_760_000_000_000, "a": body})


A, B = fill(1), fill(2)
PRETTY = json.dumps([json.loads(A), json.loads(B)], indent=2)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        f"[{A},{B}]",
        f" [ {A} , {B} ] \r\n",
        f"{A}\n{B}",
        f"{A}\r\n\r\n{B}\n",
        f"{A}{B}",
        f"{A} {B}",
        f"\ufeff[{A},{B}]",
        f"\ufeff{A}\n{B}",
        f"[{A}]\n[{B}]",
        f"[[{A}],[{B}]]",
        f"[{A}][{B}]",
        f"[]\n{A}\n[{B}]\n[]",
        PRETTY,
    ],
)
def test_two_events(frame: str, binary: bool) -> None:
    """Two events in one frame give the same reports as alone, in their order."""
    one, other = (A.encode(), B.encode()) if binary else (A, B)
    assert SWAP.decode(frame.encode() if binary else frame) == (*SWAP.decode(one), *SWAP.decode(other))


@pytest.mark.parametrize("frame", [f"\ufeff{A}", f"\ufeff[{A}]", f"[{A}]", f"{A}\n", f"[[[{A}]]]"])
def test_one_event(frame: str) -> None:
    """An event behind a byte order mark, in a list of one, or on one line is read as alone."""
    assert SWAP.decode(frame.encode()) == SWAP.decode(A.encode())


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        (f"[{A},7]", [OrderReport, Unreadable]),
        (f"[{A},null,7,{B}]", [OrderReport, OrderReport, Unreadable]),
        (f"[{A},{{]", [OrderReport, Unreadable]),
        (f"[{A}", [OrderReport, Unreadable]),
        (f"[{A},", [OrderReport, Unreadable]),
        (f"[{A} {B}]", [OrderReport, OrderReport, Unreadable]),
        (f"{A}\n{{\n{B}", [OrderReport, OrderReport, Unreadable]),
        (f"[{A},\nwhat?\n{B}]", [OrderReport, OrderReport, Unreadable]),
        (f"{A}\nPing\n{B}", [OrderReport, Heartbeat, OrderReport]),
        (f'[{A},{{"news": 1}}]', [OrderReport, Unrecognised]),
        (f'[{A},{{"a": 1, "a": 2}}]', [OrderReport, Unreadable]),
        ("[[[[{}]]]]", [Unreadable]),
        ("[]", [Unreadable]),
        ("[7,8]", [Unreadable]),
        ("\ufeff", [Unreadable]),
        ("\ufeff\ufeff", [Unreadable]),
    ],
)
def test_what_stands_beside(frame: str, kinds: list[type]) -> None:
    """Each readable object of a frame is reported, and all unreadable ones together by one report at the end."""
    assert [type(report) for report in SWAP.decode(frame)] == kinds
    assert [type(report) for report in SWAP.decode(frame.encode())] == kinds


def test_a_byte_that_is_not_utf8_spoils_only_its_own_event() -> None:
    """In a list and among lines a byte that is not UTF-8 makes only its own event unreadable."""
    for between in (b"[%s,%s,%s]", b"%s\n%s\n%s"):
        frame = between % (A.encode(), fill(3, c="?").encode().replace(b"?", b"\xff"), B.encode())
        assert [type(report) for report in SWAP.decode(frame)] == [OrderReport, OrderReport, Unreadable]


def test_a_flood_of_pieces() -> None:
    """Beyond the most pieces of a frame the rest is one unreadable report."""
    frame = b"[" + b"{}," * (3 * MOST) + b"{}]"
    reports = SWAP.decode(frame)
    assert len(reports) == MOST + 1
    assert isinstance(reports[-1], Unreadable)


@pytest.mark.parametrize("dialect", [SWAP, SpotDialect()])
@pytest.mark.parametrize(
    "line", [b'[{"a":1,', b"[[1,", b"[1,", b"{", b'{"a":', b'"', b"[" * 50, b"[{}][", b"\xff", b"{}{}7,"]
)
def test_no_frame_takes_long(dialect: Dialect, line: bytes) -> None:
    """A megabyte of unfinished lists is split in one pass, not once for each, so that this test ends."""
    sane = dialect.decode((line + b"\n") * (1_000_000 // (len(line) + 1)))
    assert 1 <= len(sane) <= 2 * MOST


EVENTS = st.lists(
    st.one_of(
        st.integers(1, 10**18).map(fill),
        st.decimals(0, 10**9, places=8).map(lambda amount: wallet(f"{amount:f}")),
        st.just('{"e": "listenKeyExpired", "listenKey": "K"}'),
    ),
    max_size=6,
)
BESIDE = st.one_of(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    )
    .map(json.dumps)
    .filter(lambda text: '"' not in text or '"e"' not in text)
)


def known(reports: tuple[Report, ...]) -> list[Report]:
    return [report for report in reports if not isinstance(report, (Unreadable, Unrecognised, Heartbeat))]


@given(st.data(), EVENTS, st.booleans(), st.sampled_from(["list", "lines", "one behind the other"]))
@SOME
def test_every_readable_event_is_reported(data: st.DataObject, events: list[str], mark: bool, form: str) -> None:
    """Each readable event is reported, beside any JSON in a list and any text among lines."""
    beside = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) if form == "lines" else BESIDE
    found = []
    for event in events:
        found += [each.replace("\n", " ") for each in data.draw(st.lists(beside, max_size=2))]
        found.append(event)
    joint = {"list": ",", "lines": "\n"}.get(form, " ")
    text = joint.join(found)
    frame = ("\ufeff" if mark else "") + (f"[{text}]" if form == "list" else text)
    expected = [report for event in events for report in SWAP.decode(event.encode())]
    assume(form != "lines" or not text.lstrip().startswith("["))  # a list over several lines, which another test has
    assert [each for each in known(SWAP.decode(frame.encode())) if each in expected] == expected


@given(st.binary() | st.text(), st.integers(0, 3))
@SOME
def test_total(noise: bytes | str, depth: int) -> None:
    """Any bytes or text are split into pieces of their type, at most as long, and give reports."""
    for piece in pieces(noise):
        assert type(piece) is type(noise)
        assert len(piece) <= max(1, len(noise))
    opened = "[" * depth + A + "," + (noise if isinstance(noise, str) else noise.decode("latin-1"))
    assert SWAP.decode(opened)
    assert SWAP.decode(opened.encode(errors="surrogatepass"))


# Keys


@pytest.mark.parametrize(
    ("named", "key"),
    [({"listenKey": "K1"}, "K1"), ({"listenKey": ""}, ""), ({}, None), ({"listenKey": None}, None)],
)
def test_an_expiry_names_a_key_or_none(named: dict[str, Any], key: str | None) -> None:
    """An expiry with an empty key names a key, which is not in use; one without a key names none."""
    frame = json.dumps({"e": "listenKeyExpired", "E": 1_760_000_000_000, **named})
    assert SWAP.decode(frame) == (KeyExpired(key),)


def test_the_error_frame_of_an_expired_key() -> None:
    """An error frame with the code 100401 is a refusal that says that the key is gone."""
    (report,) = SWAP.decode('{"code": 100401, "id": "", "msg": "listen key expired"}')
    assert isinstance(report, Rejected)
    assert report.refusal.kind is RefusalKind.GONE
