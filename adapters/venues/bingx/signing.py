"""Signs requests: HMAC-SHA256, lower-case hex, over the sorted and unencoded `k=v&k=v`.

The example hash in the venue's documentation does not match its own inputs; the venue accepts what is computed here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

Params = Mapping[str, str | int]


def plain(params: Params) -> str:
    """The text that is signed: keys in ASCII order, values as they are."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params))


def encoded(params: Params) -> str:
    """The query for the URL, in the same order: values are encoded, and completely if any of them has `[` or `{`."""
    safe = "" if any(mark in str(value) for value in params.values() for mark in "[{") else ",:;@/|!*'()"
    return "&".join(f"{name}={quote(str(params[name]), safe=safe)}" for name in sorted(params))


def signature(text: str, secret: str) -> str:
    """The signature of an unencoded query string."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(params: Params, secret: str) -> str:
    """The query of a signed request: the parameters, and then the signature."""
    return f"{encoded(params)}&signature={signature(plain(params), secret)}"
