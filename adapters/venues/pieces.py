"""Takes a frame apart that is not one JSON object: a byte order mark, a list, values in a row, lines.

Only a list that begins the frame may have several lines. Text that is no JSON ends its line and its list; other lines
are still read. The cost of a frame of n bytes is proportional to n.
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
"""The most pieces of one frame; a frame of a MiB with events of a hundred bytes has about as many."""
DEEPEST = 3
"""The deepest nesting of lists that is taken apart; deeper ones are no frames of events."""


def reports(
    frame: bytes | str, whole: Unreadable, decode: Callable[[bytes | str, int], tuple[Report, ...]], depth: int
) -> tuple[Report, ...]:
    """The reports that can be read in a frame of several objects, then the reason for the rest; `whole` if none can.

    `decode` reads a piece at its depth.
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
    """The pieces of a frame, as bytes or text like the frame; a piece may be a list, or unreadable.

    If there are more than `MOST`, one more piece stands for all the rest.
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
    """Yield the elements of the list that begins at `at`; return where it ends, or where its broken line ends."""
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
    """Yield the text that is no JSON, to the end of its line, and return that end; an unclosed list breaks there."""
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
    """The end of the white space that begins at `at`."""
    found = _space(text, at)
    assert found is not None
    return found.end()
