"""A frame that is not one JSON object, taken apart: a byte order mark, a list, values one behind the other, lines.

Only a list that begins the frame may go over several lines. What is no JSON ends its line, and the list that it stands
in; what is on other lines is still found. A frame of n bytes costs no more than n, whatever is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from itertools import islice

from ...core.reports import Report, Unreadable

_scan = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
_space = re.compile(r"[ \t\r\n]*").match
_MARK = "\ufeff"
MOST = 10_000
"""Pieces of one frame; at a hundred bytes an event, a frame of a MiB has fewer."""
DEEPEST = 3
"""A list in a line is taken apart, and what is in it; what is packed deeper is no frame of events."""


def reports(
    frame: bytes | str, whole: Unreadable, decode: Callable[[bytes | str, int], tuple[Report, ...]], depth: int
) -> tuple[Report, ...]:
    """All that can be read of a frame that is not one object, then why the rest cannot; `whole`, if nothing can.

    `decode` reads a piece, at its depth.
    """
    found = pieces(frame) if depth < DEEPEST else ()
    if found == (frame,):
        return (whole,)
    readable: list[Report] = []
    unreadable: Unreadable | None = None
    for piece in found[:MOST]:
        for report in decode(piece, depth + 1):
            if not isinstance(report, Unreadable):
                readable.append(report)
            elif unreadable is None:
                unreadable = report
    if not readable:
        return (whole,)
    if len(found) > MOST:
        unreadable = Unreadable(f"more than {MOST} pieces")
    return tuple(readable) if unreadable is None else (*readable, unreadable)


def pieces(frame: bytes | str) -> tuple[bytes | str, ...]:
    """The pieces of a frame, in its own type; a piece may be a list again, or nothing that can be read.

    One more than `MOST` of them stands for all that follow.
    """
    if isinstance(frame, bytes):
        text = frame.decode(errors="surrogateescape")
        return tuple(piece.encode(errors="surrogateescape") for piece in islice(_pieces(text), MOST + 1))
    return tuple(islice(_pieces(frame), MOST + 1))


def _pieces(text: str) -> Iterator[str]:
    text = text.removeprefix(_MARK).strip(" \t\r\n")
    at = 0
    if text.startswith("["):
        at = yield from _elements(text, 0)
    for line in text[at:].split("\n"):
        at = _skip(line, 0)
        while at < len(line):
            at = yield from (_elements if line[at] == "[" else _one)(line, at)


def _elements(text: str, at: int) -> Generator[str, None, int]:
    """The elements of the list that begins here; where it ends, or the line in which it breaks."""
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return _skip(text, at + 1)
    while at < len(text):
        end = _value(text, at)
        if end is None:
            break
        yield text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return _skip(text, at + 1)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    return (yield from _broken(text, at))


def _one(line: str, at: int) -> Generator[str, None, int]:
    end = _value(line, at)
    if end is None:
        return (yield from _broken(line, at))
    yield line[at:end]
    return _skip(line, end)


def _broken(text: str, at: int) -> Generator[str, None, int]:
    """Yield what is no JSON, to the end of its line; return where that is. A list without an end is broken there."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    yield text[at:end].rstrip() or "["
    return end


def _value(text: str, at: int) -> int | None:
    try:
        return _scan(text, at)[1]
    except (ValueError, RecursionError):
        return None


def _skip(text: str, at: int) -> int:
    """Where the white space ends that begins here."""
    found = _space(text, at)
    assert found is not None
    return found.end()
