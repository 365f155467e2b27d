"""Reads frames that are one JSON object, as at most venues: numbers are exact, and no key may come twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...core.reports import Unreadable
from .amounts import number

_decode = msgspec.json.Decoder(float_hook=number).decode
_DEEPEST = 32
BRIEF = 36
"""The most characters of a client order id: a text of this length is too short for a venue's key."""
_Text = Annotated[str, Meta(max_length=BRIEF)]
_Scalar = _Text | int | bool | None
_Rows = list[dict[str, _Scalar]]
_decode_brief: Callable[[bytes | str], dict[str, Any]] = msgspec.json.Decoder(
    dict[str, _Scalar | dict[str, _Scalar | _Rows]]
).decode


def brief_object(frame: bytes | str) -> tuple[dict[str, Any], int] | None:
    """The object in a frame, and a bound of the length of its texts in characters.

    None if it is not an event with a body of values and rows, brief texts and no repeated key: then `the_object` reads
    it.
    """
    try:
        content = _decode_brief(frame)
    except (ValueError, RecursionError):
        return None
    parts = [content]
    for value in content.values():
        if type(value) is dict:
            parts.append(value)
    colons = _colons(frame)
    if colons != sum(map(len, parts)):
        for body in parts[1:]:
            for rows in body.values():
                if type(rows) is list:
                    parts += rows
        if colons != sum(map(len, parts)):
            return None
    return content, max(BRIEF, max(map(len, map("".join, parts))))


def the_object(frame: bytes | str) -> dict[str, Any] | Unreadable:
    """The object in a frame, or the reason why there is none."""
    try:
        content = _decode(frame)
    except RecursionError:
        return Unreadable("nested too deeply")
    except ValueError as error:  # malformed JSON, text that is not UTF-8, integers beyond any size
        return Unreadable(str(error)[:200])
    if not isinstance(content, dict):
        return Unreadable(f"a JSON {_KINDS.get(type(content), 'value')} where an object belongs")
    colons = _colons(frame)
    inner = content.get("o")
    if isinstance(inner, dict) and colons == len(content) + len(inner):
        return content
    keys = _count(content)
    if keys < 0:
        return Unreadable("nested too deeply")
    if keys != colons and _repeats(frame):
        return Unreadable("a key appears twice in one object")
    return content


def _colons(frame: bytes | str) -> int:
    """The number of colons, after keys and in texts: if it equals the number of keys, no key comes twice."""
    return frame.count(b":") if isinstance(frame, bytes) else frame.count(":")


def _count(content: Any) -> int:
    """The number of keys in all objects; -1 if they are nested too deeply."""
    keys = 0
    level = [content]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                keys += len(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return keys
        level = below
    return -1


def _repeats(frame: bytes | str) -> bool:
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(pairs)) != len(pairs)

    json.loads(frame, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found


_KINDS: dict[type, str] = {list: "list", str: "string", int: "number", bool: "boolean", type(None): "null"}
