"""Judges an HTTP answer: it is a document, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.http import HttpResponse
from ..amounts import moment, number
from ..dates import http_date
from ..refusals import NONE, redacted
from .codes import FATAL, LONGEST_WAIT, RATE_LIMITED, RESTRICTED, is_success, refusal

_decode = msgspec.json.Decoder(float_hook=number).decode

FIREWALL = 300.0
"""The wait, s, after a 403 without a code: that is the firewall, "typically a 5 minute ban"."""

_LOOKED_AT, _OPENING = 4096, 120
"""The bytes of a body of which a line is shown, and the most characters of that line."""
_STATUS_WAIT = {401: 60.0, 403: FIREWALL, 418: FIREWALL, 429: 10.0}


class Document(NamedTuple):
    """The content of a successful answer: its `data`, or all of it if it has no envelope; None if it was empty."""

    data: Any


def judge(
    response: HttpResponse,
    *,
    about_key: bool = False,
    exchange_ms: int | None = None,
    secrets: Secrets = NONE,
    brings_key: bool = False,
) -> Document | Refusal:
    """Return the document of a success, else the refusal. A success has a 2xx status, and no error code inside.

    `about_key`: the request named a listen key, so 404 means that it is gone, and an empty 200 that it was extended or
    deleted. `exchange_ms` is the exchange's clock now; without it, times in messages give a fixed wait. Secrets become
    stars before the body is read, unless a success `brings_key`: then a body that is not understood is not shown, since
    it may contain a key that is not known yet.
    """
    good = 200 <= response.status < 300
    if not (brings_key and good):
        response = response._replace(body=secrets.redact(response.body))
    shown = None if brings_key and good else secrets
    status, headers, body = response
    try:
        content = _decode(body) if body.strip() else None
    except (ValueError, RecursionError):
        return _by_status(response, about_key, exchange_ms, "an answer that is not JSON", shown)
    code = content.get("code") if isinstance(content, dict) else None
    if isinstance(content, dict) and code is not None and not is_success(code):
        message = content.get("msg")
        found = refusal(
            code,
            message if isinstance(message, str) else "",
            about_key=about_key,
            exchange_ms=exchange_ms or moment(content.get("timestamp"), content.get("timeStamp")),
            secrets=secrets,
        )
        if about_key and status == 404 and found.code not in _ABOVE_STATUS:
            found = msgspec.structs.replace(found, kind=RefusalKind.GONE)
        if found.retry_after is None and found.kind is RefusalKind.RETRY:
            found = msgspec.structs.replace(found, retry_after=_wait(status, headers, exchange_ms))
        return found
    if not good:
        return _by_status(response, about_key, exchange_ms, "no code", shown)
    if content is None:
        if status == 204 or not about_key:
            return Refusal(RefusalKind.RETRY, str(status), "an empty answer, which confirms nothing")
        return Document(None)
    if code is not None and isinstance(content, dict):
        return Document(content.get("data"))
    return Document(content)


def allowance(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """The calls that the narrowest limit still allows, and the exchange time, ms, until when; None if missing."""
    left, until = (headers.get(f"x-ratelimit-requests-{name}", "").strip() for name in ("remain", "expire"))
    if not all(text.isascii() and text.isdigit() and len(text) < 16 for text in (left, until)):
        return None
    return int(left), int(until)


def _by_status(
    response: HttpResponse, about_key: bool, exchange_ms: int | None, why: str, shown: Secrets | None
) -> Refusal:
    status, headers, body = response
    kind = RefusalKind.GONE if about_key and status == 404 else RefusalKind.RETRY
    opening = "" if shown is None else redacted(body[:_LOOKED_AT].decode("utf-8", "replace"), shown)[:_OPENING]
    message = f"HTTP {status}, {why}{': ' + opening if opening else ''}"
    wait = _wait(status, headers, exchange_ms) if kind is RefusalKind.RETRY else None
    return Refusal(kind, str(status), message, wait)


def _wait(status: int, headers: Mapping[str, str], exchange_ms: int | None) -> float | None:
    """Seconds from `Retry-After`, in either of its forms, else the default of the status."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    until = http_date(text)
    now = http_date(headers.get("date", ""))
    if now is None and exchange_ms is not None:
        now = exchange_ms / 1000
    if until is not None and now is not None:
        return min(max(until - now, 0.0), LONGEST_WAIT)
    return _STATUS_WAIT.get(status)


_ABOVE_STATUS = frozenset(str(code) for code in (*FATAL, *RATE_LIMITED, *RESTRICTED))
