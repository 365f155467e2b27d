"""Answers are classified for the next attempt: by status first, then by code, never by their text alone."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.adapters.venues.binance.answers import Document, judge, used_weight
from listenkey.adapters.venues.binance.codes import (
    BANNED,
    CREDENTIALS,
    FIREWALL,
    WEIGHED,
    is_clock_problem,
    is_too_fast,
    is_unknown_order,
    is_unknown_symbol,
    passes,
    wants_symbol,
)
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.secrets import Secrets
from listenkey.ports.http import HttpResponse

from ....examples import TIMES
from .venue import FIRST_KEY, NOW, reply

RETRY, GONE, FATAL = RefusalKind.RETRY, RefusalKind.GONE, RefusalKind.FATAL
BAN = f"Way too many requests; IP(1.2.3.4) banned until {NOW + 90_500}. Please use the websocket for live updates."
UNKNOWN = "Unknown error, please check your request or try again later."

CODES = [
    (400, -1125, "This listenKey does not exist.", RETRY, None),  # of a request that is not about the key
    (429, -1003, "Too many requests; current limit is 2400 requests per minute.", RETRY, WEIGHED),
    (400, -1015, "Too many new orders.", RETRY, WEIGHED),
    (418, -1003, BAN, RETRY, 90.5),
    (418, -1003, BAN.replace("IP(1.2.3.4) ", ""), RETRY, 90.5),
    (429, -1003, BAN, RETRY, 90.5),
    (418, -1003, "Way too many requests", RETRY, BANNED),
    (418, -1003, f"banned until {NOW + 10**11}", RETRY, 4 * 86400.0),
    (418, -1003, f"banned until {NOW - 5}", RETRY, 0.0),
    (503, -1008, "Request throttled by system-level protection. Please try again.", RETRY, None),
    (503, -1000, UNKNOWN, RETRY, None),
    (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.", RETRY, None),
    (400, -5028, "Timestamp for this request is outside of the ME recvWindow.", RETRY, None),
    (400, -1016, "Service is under maintenance.", RETRY, WEIGHED),
    (400, 239999, "Service is shutting down.", RETRY, WEIGHED),
    (401, -2014, "API-key format invalid.", FATAL, None),
    (401, -2015, "Invalid API-key, IP, or permissions for action.", FATAL, None),
    (400, -1022, "Signature for this request is not valid.", FATAL, None),
    (400, -1109, "Invalid account.", FATAL, None),
    (400, -1004, "Server is busy, please wait and try again", RETRY, None),
    (400, -2013, "Order does not exist.", RETRY, None),
    (400, -99999, "Something new.", RETRY, None),
]


def refused(response: HttpResponse, **options: Any) -> Refusal:
    verdict = judge(response, exchange_ms=NOW, **options)
    assert isinstance(verdict, Refusal)
    return verdict


@pytest.mark.parametrize(("status", "code", "message", "kind", "wait"), CODES)
def test_codes(status: int, code: int, message: str, kind: RefusalKind, wait: float | None) -> None:
    """Each code has its kind of refusal, and the venue's time to wait or a known one."""
    found = refused(reply({"code": code, "msg": message}, status))
    assert (found.kind, found.code, found.retry_after) == (kind, str(code), wait)


@pytest.mark.parametrize("message", ["This listenKey does not exist.", "Please use POST to recreate it", ""])
def test_the_key_is_gone(message: str) -> None:
    """The code -1125 says that the key is gone, with any text, if the request was about the key."""
    assert refused(reply({"code": -1125, "msg": message}, 400), about_key=True).kind is GONE


STATUSES = [
    (503, b'{"msg":"Service Unavailable."}', None),
    (503, json.dumps({"timestamp": 1638827401078, "path": "/fapi/v1/order", "msg": UNKNOWN}).encode(), None),
    (503, b"Internal error; unable to process your request. Please try again.", None),
    (502, b"<html>Bad gateway</html>", None),
    (408, b"", None),
    (403, b"<html>Request blocked</html>", FIREWALL),
    (418, b"<html>teapot</html>", BANNED),
    (429, b"", WEIGHED),
    (401, b"", None),
    (200, b"", None),
    (200, b"<html>ok</html>", None),
    (301, b"{}", None),
]


@pytest.mark.parametrize(("status", "body", "wait"), STATUSES)
def test_answers_without_a_code(status: int, body: bytes, wait: float | None) -> None:
    """An answer without a code is classified by its status, always as `RETRY`."""
    found = refused(HttpResponse(status, {}, body))
    assert (found.kind, found.code, found.retry_after) == (RETRY, str(status), wait)


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7.0), ("0", 0.0), ("soon", WEIGHED), ("", WEIGHED), ("9" * 40, 4 * 86400.0)]
)
def test_retry_after(header: str, wait: float) -> None:
    """Retry-After is in seconds, and the end of a ban in the text goes before it."""
    body = {"code": -1003, "msg": "Too many requests"}
    assert refused(reply(body, 429, retry_after=header)).retry_after == wait
    assert refused(reply({**body, "msg": BAN}, 418, retry_after=header)).retry_after == 90.5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"date": formatdate(NOW // 1000, usegmt=True)}, 91.0), ({"date": "noon"}, BANNED), ({}, BANNED)],
)
def test_a_ban_without_a_clock(headers: dict[str, str], wait: float) -> None:
    """The end of a ban is used only if the exchange's time is known, here from the answer's `Date`."""
    verdict = judge(reply({"code": -1003, "msg": BAN}, 418)._replace(headers=headers))
    assert isinstance(verdict, Refusal)
    assert verdict.retry_after == wait


@pytest.mark.parametrize("body", [[], {}, [{"code": 1}], {"code": 200, "msg": "success"}, {"serverTime": 5}])
def test_success(body: Any) -> None:
    """A 2xx answer without a code below zero is a success."""
    assert judge(reply(body)) == Document(body)


def test_an_empty_success_about_the_key() -> None:
    """An empty answer to a request about the key is a success, as documented."""
    assert judge(reply(b""), about_key=True) == Document(None)


def test_a_code_in_a_success() -> None:
    """A 200 answer with a code below zero is a refusal."""
    assert refused(reply({"code": -1000, "msg": UNKNOWN})).code == "-1000"


def test_which_is_which() -> None:
    """Each refusal that callers treat specially is recognised, and others are not."""

    def found(code: int | str, message: str = "") -> Refusal:
        return Refusal(RETRY, str(code), message)

    assert all(map(is_too_fast, (found(-1003), found(-1015), found(429), found(418))))
    assert all(map(is_clock_problem, (found(-1021), found(-5028))))
    assert not is_clock_problem(found(-1022))
    assert is_unknown_order(found(-2013))
    assert is_unknown_symbol(found(-1121))
    assert wants_symbol(found(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."))
    assert not wants_symbol(found(-1102, "Mandatory parameter 'limit' was not sent"))
    assert passes(found(-1000))
    assert passes(found(503))
    assert not any(map(passes, (found(-2013), found(-1121), Refusal(FATAL, "-2015"), Refusal(RETRY, "-1003", "", 5.0))))


def test_nothing_secret_is_shown() -> None:
    """A refusal's message contains no known secret and no text that may be one."""
    secrets = Secrets(("short-and-known",))
    for body in (
        f"<html>{FIRST_KEY} short-and-known</html>".encode(),
        {"code": -1, "msg": f"{FIRST_KEY} short-and-known"},
    ):
        found = refused(reply(body, 502), secrets=secrets)
        assert FIRST_KEY not in found.message
        assert "short-and-known" not in found.message
    assert FIRST_KEY not in refused(reply(f"<{FIRST_KEY}".encode()), about_key=True).message


def test_codes_of_credentials_are_fatal() -> None:
    """Each code of wrong credentials is `FATAL`."""
    assert all(refused(reply({"code": code, "msg": ""}, 400)).kind is FATAL for code in CREDENTIALS)


@pytest.mark.parametrize(("text", "used"), [("17", 17), ("-1", None), ("", None), ("x", None), ("9" * 12, None)])
def test_weight(text: str, used: int | None) -> None:
    """The used weight is the header's number; -1, which the test environment has sent, and other texts give None."""
    assert used_weight({"x-mbx-used-weight-1m": text}) == used
    assert used_weight({}) is None


@settings(max_examples=50 * TIMES)
@given(st.integers(100, 599), st.binary(), st.booleans())
def test_total(status: int, body: bytes, about_key: bool) -> None:
    """`judge` classifies any answer without an exception."""
    judge(HttpResponse(status, {}, body), about_key=about_key)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)


@settings(max_examples=50 * TIMES, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(100, 599), st.fixed_dictionaries({}, optional={"code": VALUES, "msg": VALUES, "listenKey": VALUES}))
def test_total_over_objects(status: int, body: dict[str, Any]) -> None:
    """`judge` classifies any values in an answer's fields without an exception."""
    judge(reply(body, status), about_key=True, exchange_ms=NOW)
