"""Reads the one JSON object that a frame of most venues is: its numbers exact, and no key in it twice."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ...core.reports import Unreadable
from .amounts import number

_decode = msgspec.json.Decoder(float_hook=number).decode
_DEEPEST = 32


def the_object(frame: bytes | str) -> dict[str, Any] | Unreadable:
    """The object in a frame, or why there is none."""
    try:
        content = _decode(frame)
    except RecursionError:
        return Unreadable("nested too deeply")
    except ValueError as error:  # malformed JSON, text that is not UTF-8, integers beyond any size
        return Unreadable(str(error)[:200])
    if not isinstance(content, dict):
        return Unreadable(f"a JSON {_KINDS.get(type(content), 'value')} where an object belongs")
    colons = frame.count(b'":') if isinstance(frame, bytes) else frame.count('":')
    inner = content.get("o")
    if isinstance(inner, dict) and colons == len(content) + len(inner):
        return content
    keys = _count(content)
    if keys < 0:
        return Unreadable("nested too deeply")
    if keys != colons and _repeats(frame):
        return Unreadable("a key appears twice in one object")
    return content


def _count(content: Any) -> int:
    """How many keys there are in all objects, or -1 when they are nested deeper than any consumer could follow."""
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
