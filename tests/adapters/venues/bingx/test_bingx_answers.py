"""An answer is a success or a classified refusal, and its message contains no secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.adapters.venues.bingx.answers import Document, judge
from listenkey.adapters.venues.bingx.codes import is_clock_problem, is_unknown_order, refusal
from listenkey.adapters.venues.refusals import redacted
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.secrets import Secrets
from listenkey.ports.http import HttpResponse

from .venue import NOW, reply

RETRY, GONE, FATAL = RefusalKind.RETRY, RefusalKind.GONE, RefusalKind.FATAL


def refused(response: HttpResponse, **how: Any) -> Refusal:
    found = judge(response, **how)
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize("code", [100001, 100004, 100412, 100413, 100414, 100419])
@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
@pytest.mark.parametrize("as_text", [False, True])
def test_fatal_codes(code: int, status: int, as_text: bool) -> None:
    """A code of a bad key, signature or address is fatal with any status."""
    found = refused(reply({"code": str(code) if as_text else code, "msg": "no"}, status), about_key=True)
    assert (found.kind, found.code) == (FATAL, str(code))


TOO_FAST = [100409, 100410, 109429]
OF_ORDERS = [80016, 80017, 80018, 80019, 109420, 109421, 109422, 109423]
BUSY = [100500, 100503, 109500, 110500, 80001, 80012]
RETRIED = [*TOO_FAST, *OF_ORDERS, *BUSY, 100400, 100404, 100421, 80014, 109400, 101204, 424242]


@pytest.mark.parametrize("code", RETRIED)
def test_other_codes_are_retried(code: int) -> None:
    """Any other code is `RETRY`."""
    assert refused(reply({"code": code, "msg": "no"})).kind is RETRY


def test_long_waits() -> None:
    """The code of risk control has a wait of 300 s."""
    assert refused(reply({"code": 109403, "msg": ""})).retry_after == 300


UNLOCKS = [
    ("code:{code}:The endpoint trigger frequency limit rule is currently in the disabled period "
     "and will be unblocked after {at}", 42.5),
    ("over 20 error code:100202 requests within 480000 ms for this api, please verify and fix it ,"
     "can retry after time: {at}", 42.5),
    ("The current system is busy, please try again later", None),
    ("Request rate limit exceeded...", None),
]  # fmt: skip


@pytest.mark.parametrize("code", TOO_FAST)
@pytest.mark.parametrize(("message", "wait"), UNLOCKS)
def test_unlock_times(code: int, message: str, wait: float | None) -> None:
    """The wait until an unlock time is counted from the exchange's time, or is 60 s if that is unknown.

    A refusal without an unlock time has no wait, so its caller backs off as after any failure.
    """
    body = {"code": code, "msg": message.format(code=code, at=NOW + 42_500)}
    assert refused(reply(body), exchange_ms=NOW).retry_after == wait
    assert refused(reply({**body, "timestamp": NOW})).retry_after == wait
    assert refused(reply(body)).retry_after == (None if wait is None else 60)


@pytest.mark.parametrize(("ahead", "wait"), [(-5000, 0), (0, 0), (10**11, 86400)])
def test_unlock_times_at_the_edges(ahead: int, wait: float) -> None:
    """An unlock time in the past gives a wait of 0, and one too far ahead is limited to a day."""
    body = {"code": "100410", "msg": f"unblocked after {NOW + ahead}"}
    assert refused(reply(body), exchange_ms=NOW).retry_after == wait


STATUSES = [
    (reply(b"", 204), RETRY, None),
    (reply(b"<html>", 200), RETRY, None),
    (reply(b"<html>", 401), RETRY, 60),
    (reply(b"<html>", 403), RETRY, 300),
    (reply(b"", 404), RETRY, None),
    (reply(b"", 418), RETRY, 300),
    (reply(b"", 429), RETRY, 10),
    (reply(b"", 418, retry_after="7"), RETRY, 7),
    (reply(b"", 429, retry_after="999999999999"), RETRY, 86400),
    (reply(b"", 429, retry_after="-1"), RETRY, 10),
    (reply(b"", 429, retry_after="Thu, 09 Oct 2025 08:53:40 GMT", date="Thu, 09 Oct 2025 08:53:20 GMT"), RETRY, 20),
    (reply(b"", 429, retry_after="Thu, 09 Oct 2025 08:53:10 GMT", date="Thu, 09 Oct 2025 08:53:20 GMT"), RETRY, 0),
    (reply(b"", 429, retry_after="soon"), RETRY, 10),
    (reply({"code": 100410, "msg": "busy"}, 429, retry_after="3"), RETRY, 3),
    (reply(b"", 500), RETRY, None),
    (reply(b"<html>", 502), RETRY, None),
    (reply({"code": 0, "data": {}}, 503), RETRY, None),
    (reply(b"", 301), RETRY, None),
    (reply(b"", 200), RETRY, None),
    (reply(b"[" * 9999, 200), RETRY, None),
    (reply({"code": "soon", "msg": 7}, 200), RETRY, None),
]


@pytest.mark.parametrize(("response", "kind", "wait"), STATUSES)
def test_statuses(response: HttpResponse, kind: RefusalKind, wait: float | None) -> None:
    """An answer without a code is classified by its status."""
    found = refused(response)
    assert (found.kind, found.retry_after) == (kind, wait)


def test_retry_after_by_the_exchange() -> None:
    """A Retry-After date is measured by the answer's `Date`, else by the exchange's clock, else a default is used."""
    response = reply(b"", 429, retry_after="Thu, 09 Oct 2025 08:53:40 GMT")
    assert refused(response, exchange_ms=NOW).retry_after == pytest.approx(19.5)
    assert refused(response).retry_after == 10


KEY_GONE = [
    reply(b"This listenKey does not exist", 404),
    reply(b"", 404),
    reply({"code": 100401, "msg": ""}),
    reply({"code": "100401", "msg": "listen key expired"}, 401),
    reply({"code": 100400, "msg": "This listenKey does not exist"}),
    reply({"code": 100404, "msg": ""}, 404),
]


@pytest.mark.parametrize("response", KEY_GONE)
def test_key_gone(response: HttpResponse) -> None:
    """A 404 or a code for a missing key means that the key is gone if the request names a key, and else `RETRY`."""
    assert refused(response, about_key=True).kind is GONE
    assert refused(response).kind is RETRY


@pytest.mark.parametrize("code", TOO_FAST)
def test_busy_is_not_gone(code: int) -> None:
    """A rate limit with the status 404 does not mean that the key is gone."""
    assert refused(reply({"code": code, "msg": ""}, 404), about_key=True).kind is RETRY


SUCCESSES = [
    (reply({"code": 0, "msg": "", "data": [1]}), [1]),
    (reply({"code": "0", "msg": "", "data": {}}), {}),
    (reply({"code": 0}), None),
    (reply({"listenKey": "k"}), {"listenKey": "k"}),
    (reply([1]), [1]),
    (reply({"code": None, "x": 1}), {"code": None, "x": 1}),
]


@pytest.mark.parametrize(("response", "data"), SUCCESSES)
def test_success(response: HttpResponse, data: Any) -> None:
    """An answer with a code of 0, as number or text, or without a code is a success."""
    assert judge(response) == Document(data)


def test_empty_success() -> None:
    """An empty 200 is a success of a renewal, and 204 means that nothing was extended."""
    assert judge(reply(b""), about_key=True) == Document(None)
    assert refused(reply(b"", 204), about_key=True).kind is RETRY


CLOCK = [
    (80014, "timestamp is invalid", True),
    (109400, "Invalid parameters, err:timestamp", True),
    (100421, "Null timestamp or timestamp mismatch", True),
    (100421, "", True),
    (100421, "This pair is currently restricted from API trading", False),
    (80014, "the query range is more than seven days", False),
    (109400, "Invalid parameters, err:startTs: field is required", False),
    (100001, "timestamp", False),
]


@pytest.mark.parametrize(("code", "message", "is_clock"), CLOCK)
def test_clock_problems(code: int, message: str, is_clock: bool) -> None:
    """The message distinguishes a bad timestamp from the other meanings of its codes."""
    assert is_clock_problem(refusal(code, message)) is is_clock


def test_unknown_orders() -> None:
    """An unknown order is recognised by code or text; finished orders and rate limits are not unknown orders."""
    assert is_unknown_order(refusal(80016, ""))
    assert is_unknown_order(refusal("109421", ""))
    assert is_unknown_order(refusal(100400, "order does not exist"))
    for code in (*TOO_FAST, 80018, 80019, 109422, 109423):
        assert not is_unknown_order(refusal(code, "busy"))


def test_redaction() -> None:
    """A redacted text has no given secret and nothing as long as a key, and is one short printable line."""
    signature = "f8d883609dfd31c824feb4de865b071008dedb1d461451fa70847875c8e7a7a2"
    text = f"bad\nkey short-key\x1b[2J sig={signature} " + "word " * 100
    found = redacted(text, Secrets(["short-key", "", "abc"]))
    assert "short-key" not in found
    assert signature not in found
    assert found.isprintable()
    assert len(found) <= 200
    body = f"<html>{signature}</html>".encode()
    assert signature not in refused(reply(body, 500)).message


@given(st.binary(), st.integers(100, 599), st.booleans())
def test_total(body: bytes, status: int, about_key: bool) -> None:
    """`judge` classifies any bytes with any status without an exception."""
    judge(HttpResponse(status, {}, body), about_key=about_key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.fixed_dictionaries({}, optional={"code": JSON, "msg": JSON, "data": JSON, "timestamp": JSON}), st.text())
def test_total_over_envelopes(body: dict[str, Any], retry_after: str) -> None:
    """`judge` classifies any values in an envelope without an exception."""
    judge(reply(body, 429, retry_after=retry_after, date=retry_after), exchange_ms=NOW)
