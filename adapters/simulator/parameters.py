"""The parameters of a call, from its query and body, and the texts that may have been signed.

A query alone is signed as it was sent, with its values encoded or not. If there are parameters in the body, which is a
form or a JSON object, all parameters are signed, sorted by name.
"""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from .orders import OrderRefused
from .rules import INVALID

SIGNATURE = "signature"


class Parameters(NamedTuple):
    """The parameters that were sent: all values by name, and each text that may have been signed."""

    values: dict[str, str]
    signed: tuple[str, ...]


def parameters(query: str, body: bytes = b"") -> Parameters:
    """Read a raw query and a body. Raises `OrderRefused` for a body that is neither a form nor a JSON object."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise OrderRefused(INVALID, "Invalid parameters, err:the body is no text") from None
    if text.lstrip().startswith("{"):
        sent = _object(text)
        parts = [f"{name}={value}" for name, value in sent.items()]
    else:
        sent = dict(parse_qsl(text, keep_blank_values=True))
        parts = _parts(text)
    values = dict(parse_qsl(query, keep_blank_values=True)) | sent
    if not sent.keys() - {SIGNATURE}:
        as_sent = "&".join(_parts(query))
        return Parameters(values, (as_sent, unquote(as_sent)))
    encoded = sorted(_parts(query) + parts, key=_name)
    plain = (f"{name}={values[name]}" for name in sorted(values) if name != SIGNATURE)
    return Parameters(values, ("&".join(part for part in encoded if _name(part) != SIGNATURE), "&".join(plain)))


def _object(text: str) -> dict[str, str]:
    """Read a JSON object; values are the texts as written there, without those that are null."""
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise OrderRefused(INVALID, "Invalid parameters, err:the body is no JSON object") from None
    written = {name: each if isinstance(each, str) else json.dumps(each) for name, each in found.items()}
    return {name: each for name, each in written.items() if each != "null"}


def _parts(text: str) -> list[str]:
    """The `name=value` parts of a query or form as they were sent, without the signature."""
    return [part for part in text.split("&") if part and _name(part) != SIGNATURE]


def _name(part: str) -> str:
    return part.partition("=")[0]
