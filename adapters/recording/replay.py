"""Replays a recording on new connections, and compares their actions. `recorder` describes the file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...core import inputs
from ...core.connection import Connection
from ...core.dialect import Dialect
from ...core.policy import Policy
from ...ports.errors import ListenKeyError
from ..journal.codec import unpack
from ..venues.registry import family
from .recorder import BEFORE, MAGIC, Run, done, encode

_INPUTS: dict[str, type[inputs.Input]] = {
    each.__name__: each
    for each in (
        inputs.Stop,
        inputs.Tick,
        inputs.Rotate,
        inputs.Resync,
        inputs.KeyGranted,
        inputs.Heard,
        inputs.KeyRenewed,
        inputs.KeyDeleted,
        inputs.SocketOpened,
        inputs.SocketClosed,
        inputs.AccountRead,
        inputs.Refused,
    )
}


class UnusableRecording(ListenKeyError):
    """The file is no recording, is damaged, has another version, or is of a venue that is not known here."""


class _Frame(msgspec.Struct, array_like=True):
    """A frame as it is kept; if only its beginning is kept, `length` is that of the whole."""

    socket: int
    form: str
    data: bytes
    length: int = 0


class Difference(NamedTuple):
    """The first step that differs from the recording. Texts are for a person; `now` is the run's own clock, s."""

    record: int
    now: float
    received: str
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"record {self.record}, at {self.now:.6f} s: {self.received}\n"
            f"  recorded: {self.expected}\n"
            f"  replayed: {self.got}"
        )


def replay(path: str | PathLike[str], *, dialect: Dialect | None = None) -> Difference | None:
    """Hand all inputs of the file to new connections; return the first difference in their actions, or None.

    `dialect` is needed only for a venue of your own. Raises `UnusableRecording`.
    """
    connection: Connection | None = None
    for number, kind, body in _records(Path(path)):
        try:
            if kind == b"H":
                run = msgspec.msgpack.decode(body, type=Run)
                connection = _connection(run, dialect or _dialect(run))
                continue
            now, name, content, recorded = msgspec.msgpack.decode(
                body, type=tuple[float, str, msgspec.Raw, msgspec.Raw]
            )
            if connection is None:
                raise UnusableRecording(f"{path}: record {number} belongs to no run")
            received = _received(name, content, connection.policy.max_frame_bytes)
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
            raise UnusableRecording(f"{path}: record {number} is damaged: {error}") from None
        try:
            replayed = encode(done(connection.handle(received, now=now)))
        except Exception as error:
            return Difference(
                number, now, _short(received), _short(_plain(recorded)), f"{type(error).__name__}: {error}"
            )
        if replayed != bytes(recorded):
            return _difference(number, now, received, _plain(recorded), _plain(replayed))
    if connection is None:
        raise UnusableRecording(f"{path}: nothing was recorded")
    return None


def steps(path: str | PathLike[str]) -> int:
    """Return the number of recorded steps. Raises `UnusableRecording`."""
    return sum(kind == b"S" for _, kind, _ in _records(Path(path)))


def _received(name: str, content: msgspec.Raw, limit: int) -> inputs.Input:
    if name == "Start":
        stored = msgspec.msgpack.decode(content, type=tuple[int, int | None, list[tuple[str, bytes, bool]]] | None)
        if stored is None:
            return inputs.Start()
        began, proven_until, events = stored
        return inputs.Start(
            inputs.Checkpoint(began, proven_until, tuple(unpack(kind, body) for kind, body, _ in events))
        )
    if name == "FrameReceived":
        frame = msgspec.msgpack.decode(content, type=_Frame)
        return inputs.FrameReceived(frame.socket, _data(frame.form, frame.data.ljust(frame.length, b"*"), limit))
    return msgspec.msgpack.decode(content, type=_INPUTS[name])


def _data(form: str, data: bytes, limit: int) -> bytes | str:
    if form == "text":
        return data.decode(errors="surrogatepass")
    if form == "long text":
        return " " * (limit + 1)
    if form == "oversized":
        return gzip.compress(bytes(limit + 1), 1, mtime=0)
    return gzip.compress(data, 1, mtime=0) if form == "inflated" else data


def _records(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    try:
        with path.open("rb") as file:
            if (first := file.read(len(MAGIC))) != MAGIC:
                raise UnusableRecording(f"{path}: {OTHERS.get(first, 'not a recording of listenkey, or a later one')}")
            number = 0
            while len(head := file.read(5)) == 5:
                number += 1
                size = int.from_bytes(head[:4], "big")
                body = file.read(size)
                if len(body) < size:
                    return
                yield number, head[4:], body
    except OSError as error:
        raise UnusableRecording(f"{path}: cannot be read: {error.strerror}") from None


def _connection(run: Run, dialect: Dialect) -> Connection:
    numbers: dict[str, Any] = run.policy
    return Connection(dialect, Policy(**numbers), seed=int(run.seed), mode=run.mode)


def _dialect(run: Run) -> Dialect:
    try:
        return family(run.venue).dialect(run.venue, cumulative_costs=run.cumulative_costs)
    except ValueError as error:
        raise UnusableRecording(f"recorded with the venue {run.venue!r}: {error}") from None


def _plain(encoded: bytes | msgspec.Raw) -> list[Any]:
    plain: list[Any] = []
    for each in msgspec.msgpack.decode(encoded, ext_hook=lambda _code, data: bytes(data).decode()):
        name, *rest = each
        plain.append([name, unpack(rest[0], rest[1])] if name == "Deliver" else each)
    return plain


def _difference(number: int, now: float, received: inputs.Input, expected: list[Any], got: list[Any]) -> Difference:
    for left, right in zip(expected, got, strict=False):
        if left != right:
            return Difference(number, now, _short(received), _short(left), _short(right))
    missing = "nothing more"
    shorter = min(len(expected), len(got))
    texts = [_short(each[shorter]) if len(each) > shorter else missing for each in (expected, got)]
    return Difference(number, now, _short(received), *texts)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


OTHERS = {BEFORE: "a recording of listenkey 0.1, which listenkey 0.1 replays"}
"""Messages for files of other formats, by their beginning."""
_LONGEST = 600
