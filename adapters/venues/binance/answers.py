"""Judges an HTTP answer: it is a document, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.http import HttpResponse
from ..amounts import number, whole
from ..dates import http_date
from ..refusals import NONE, redacted
from .codes import BANNED, FIREWALL, LONGEST_WAIT, WEIGHED, is_too_fast, refusal

_decode = msgspec.json.Decoder(float_hook=number).decode
_LOOKED_AT, _OPENING = 4096, 120
"""The bytes of a body of which a line is shown, and the most characters of that line."""
_STATUS_WAIT = {403: FIREWALL, 418: BANNED, 429: WEIGHED}
_WEIGHT = "x-mbx-used-weight-1m"


class Document(NamedTuple):
    """The content of a successful answer; None if it was empty."""

    data: Any


def judge(
    response: HttpResponse,
    *,
    about_key: bool = False,
    exchange_ms: int | None = None,
    secrets: Secrets = NONE,
) -> Document | Refusal:
    """Return the document of a success, else the refusal. A success has its status, and no code below zero.

    `about_key`: the request was about the listen key; its success may be empty, and may contain a new key, which is not
    known yet, so nothing of it is shown. `exchange_ms` is the exchange's clock now, if it is known; without it the end
    of a ban is taken from the seconds that the answer names, if it does.
    """
    if exchange_ms is None and (second := http_date(response.headers.get("date", ""))) is not None:
        exchange_ms = int(second * 1000)
    good = 200 <= response.status < 300
    if not (about_key and good):
        response = response._replace(body=secrets.redact(response.body))
    shown = None if about_key and good else secrets
    status, headers, body = response
    try:
        content = _decode(body) if body.strip() else None
    except (ValueError, RecursionError):
        return _by_status(response, "an answer that is not JSON", shown)
    code = whole(content.get("code")) if isinstance(content, dict) else None
    if isinstance(content, dict) and code is not None and (code < 0 or not good):
        message = content.get("msg")
        found = refusal(
            code,
            message if isinstance(message, str) else "",
            about_key=about_key,
            exchange_ms=exchange_ms,
            secrets=secrets,
        )
        return _waiting(found, status, headers)
    if not good:
        return _by_status(response, "no code", shown)
    if content is None and not about_key:
        return Refusal(RefusalKind.RETRY, str(status), "an empty answer, which confirms nothing")
    return Document(content)


def used_weight(headers: Mapping[str, str]) -> int | None:
    """The weight that this address has used in the minute; None if it is missing or negative, as on test hosts."""
    text = headers.get(_WEIGHT, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _waiting(found: Refusal, status: int, headers: Mapping[str, str]) -> Refusal:
    """The refusal with the time to wait, from its text, else the header, else the default of its status."""
    if found.kind is not RefusalKind.RETRY or found.retry_after is not None:
        return found
    wait = _wait(status, headers)
    if wait is None and is_too_fast(found):
        wait = WEIGHED
    return msgspec.structs.replace(found, retry_after=wait)


def _by_status(response: HttpResponse, why: str, shown: Secrets | None) -> Refusal:
    status, headers, body = response
    opening = "" if shown is None else redacted(body[:_LOOKED_AT].decode("utf-8", "replace"), shown)[:_OPENING]
    message = f"HTTP {status}, {why}{': ' + opening if opening else ''}"
    return Refusal(RefusalKind.RETRY, str(status), message, _wait(status, headers))


def _wait(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`, else the default of the status."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    return _STATUS_WAIT.get(status)
