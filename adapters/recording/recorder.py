"""Records the inputs and actions of a connection in one file that only grows; `replay` runs it again.

Every secret is replaced by a placeholder of the same length before it is written: listen keys as the venue grants or
names them, and the secrets that the recorder was given. Placeholders replace the keys everywhere, in frames too, so
that the file is itself a run, and its replay is exact. A frame is kept inflated; of one that cannot be inflated the
length and an excerpt of the beginning are kept (`core/excerpt.py`), and of one that is too large only that fact: the
core does not look further either.

A file is a line that names the format, then records: a length (4 bytes, big-endian), a kind (`H` for the parameters of
a run, `S` for a step of it) and MessagePack. A last record that is cut short is what a killed process leaves; it does
not count.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from ...core import actions, inputs
from ...core.dialect import Dialect
from ...core.events import ExchangeEventKind
from ...core.excerpt import beginning, closed, hides
from ...core.ids import frame_id
from ...core.inflate import NotInflatable, Oversized, inflate
from ...core.policy import Mode, Policy
from ...core.reports import KeyExpired
from ...core.secrets import SHORTEST, Secrets
from ..journal.codec import pack

MAGIC = b"listenkey recording 2\n"
BEFORE = b"listenkey recording 1\n"
"""The format of listenkey 0.1, whose actions and inputs were different."""
REMEMBERED_IDS = 64
"""The number of event ids that are kept because a redacted frame changed them; such events may come steps later."""

_log = logging.getLogger("listenkey")
encode = msgspec.msgpack.Encoder().encode
_BY_FRAME = tuple(kind.lower() for kind in (ExchangeEventKind.ACCOUNT_UPDATE, ExchangeEventKind.UNKNOWN))
"""Kinds of event whose id is a digest of their frame."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a connection."""

    venue: str
    cumulative_costs: bool
    policy: dict[str, float]
    seed: str
    mode: Mode


class Recorder:
    """An observer of a `Driver` that writes a new file, readable by its owner only; `secrets` must not appear in it.

    Raises `FileExistsError` if the file exists already, and `OSError` if it cannot be made. After that it never raises:
    a full disk ends the recording, which is logged, but not the stream. A file that was moved or removed is noticed
    only at the end.
    """

    def __init__(self, path: str | PathLike[str], *, secrets: Secrets | None = None) -> None:
        self.path = Path(path)
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            raise FileExistsError(f"{self.path}: a recording needs a new file, and this one exists") from None
        except OSError as error:
            raise _not_made(error, self.path) from None
        self._identity = os.fstat(descriptor)
        self._file = FileIO(descriptor, "wb")
        try:
            self._put(MAGIC)
        except OSError as error:
            self.discard()
            raise _not_made(error, self.path) from None
        self._dialect: Dialect | None = None
        self._limit = 0
        self._hidden: dict[bytes, bytes] = {}
        self._ids: dict[bytes, bytes] = {}
        self._secrets = Secrets() if secrets is None else secrets

    def begin(self, dialect: Dialect, policy: Policy, seed: int, mode: Mode) -> None:
        """Record the parameters of a new connection; the next steps belong to it."""
        self._dialect = dialect
        effective = policy.over(dialect.policy)
        self._limit = effective.max_frame_bytes
        numbers = {name: getattr(effective, name) for name in effective.__dataclass_fields__}
        run = Run(
            venue=dialect.name, cumulative_costs=dialect.cumulative_costs, policy=numbers, seed=str(seed), mode=mode
        )
        self._write(b"H", encode(run))

    def __call__(self, now: float, received: inputs.Input, ordered: Sequence[actions.Action]) -> None:
        """Write one step."""
        if self._file.closed:
            return
        try:
            if isinstance(received, inputs.KeyGranted | inputs.KeyRenewed) and received.key is not None:
                self._hide(received.key)
            if isinstance(received, inputs.FrameReceived):
                content: object = (received.socket, *self._frame(received.data))
            else:
                content = _plain_input(received)
            step = encode((now, type(received).__name__, content, done(ordered)))
        except (ValueError, OverflowError, RecursionError, TypeError) as error:
            self._give_up(f"{type(received).__name__} cannot be written: {type(error).__name__}")
            return
        self._write(b"S", self._redacted(step))

    def close(self) -> None:
        """Close the file; idempotent. A file that is incomplete or missing is logged."""
        if self._file.closed:
            return
        try:
            self._file.close()
        except OSError as error:
            _log.warning("the recording %s may not be whole: %s", self.path, error)
            return
        if not self._is_there():
            _log.warning("the recording %s was moved, removed or replaced while it was written", self.path)

    def discard(self) -> None:
        """Remove the file again, as nothing will be recorded."""
        with suppress(OSError):
            self._file.close()
        if self._is_there():
            with suppress(OSError):
                self.path.unlink()

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(self._identity, os.stat(self.path))
        except OSError:
            return False

    def _frame(self, data: bytes | bytearray | memoryview | str) -> tuple[str, bytes] | tuple[str, bytes, int]:
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)
        if isinstance(data, str):
            if len(data) > self._limit:
                return "long text", b""
            return "text", self._hidden_in(data.encode(errors="surrogatepass"), data)
        try:
            inflated = inflate(data, self._limit)
        except Oversized:
            return "oversized", b""
        except NotInflatable:
            return "unreadable", beginning(data, self._redacted), len(data)
        if inflated is data and hides(data, self._redacted):
            return "inflated", closed(data)
        return "inflated", self._hidden_in(inflated, inflated)

    def _hidden_in(self, content: bytes, frame: bytes | str) -> bytes:
        """Return the content without keys; a notice of a key's end may name that of another stream."""
        if b"istenKey" in content and self._dialect is not None:
            for report in self._dialect.decode(frame):
                if isinstance(report, KeyExpired) and report.key is not None:
                    self._hide(report.key)
        redacted = self._redacted(content)
        if redacted != content:
            for kind in _BY_FRAME:
                for place in range(self._events_in(frame)):
                    old, new = (frame_id(kind, each, place).encode() for each in (content, redacted))
                    self._ids[old] = new
                    if len(self._ids) > REMEMBERED_IDS:
                        del self._ids[next(iter(self._ids))]
        return redacted

    def _events_in(self, frame: bytes | str) -> int:
        return 1 if self._dialect is None else min(len(self._dialect.decode(frame)), REMEMBERED_IDS // 2)

    def _hide(self, secret: str) -> None:
        name = secret.encode(errors="surrogatepass")
        if len(name) >= SHORTEST and name not in self._hidden and name not in self._hidden.values():
            self._hidden[name] = f"k{len(self._hidden)}".encode().ljust(len(name), b"x")
            self._hidden = dict(sorted(self._hidden.items(), key=lambda item: -len(item[0])))

    def _redacted(self, content: bytes) -> bytes:
        for secret, placeholder in self._hidden.items():
            content = content.replace(secret, placeholder)
        for old, new in self._ids.items():
            content = content.replace(old, new)
        return self._secrets.redact(content)

    def _write(self, kind: bytes, body: bytes) -> None:
        if self._file.closed:
            return
        try:
            self._put(len(body).to_bytes(4, "big") + kind + body)
        except (OSError, OverflowError) as error:
            self._give_up(str(error))

    def _put(self, data: bytes) -> None:
        """Write all of the data, in parts if a nearly full disk takes only a part."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def _give_up(self, why: str) -> None:
        with suppress(OSError):
            self._file.close()
        _log.warning("the recording %s ends here, the stream goes on: %s", self.path, why)


def _not_made(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, f"the recording cannot be made: {error.strerror}", str(path))


def done(ordered: Sequence[actions.Action]) -> list[object]:
    """Return the actions as plain values. The text of an anomaly is left out, since it quotes the frame."""
    plain: list[object] = []
    for action in ordered:
        match action:
            case actions.Deliver(event):
                plain.append(("Deliver", *_event(event)))
            case actions.Report(anomaly):
                plain.append(("Report", anomaly.name, anomaly.count))
            case actions.ReadAccount(request, since, orders):  # the purpose changes nothing here
                plain.append(("ReadAccount", {"request": request, "since": since, "orders": orders}))
            case _:
                plain.append((type(action).__name__, action))
    return plain


def _plain_input(received: inputs.Input) -> object:
    if not isinstance(received, inputs.Start):
        return received
    checkpoint = received.checkpoint
    if checkpoint is None:
        return None
    return checkpoint.began, checkpoint.proven_until, [_event(event) for event in checkpoint.events]


def _event(event: Any) -> tuple[str, bytes, bool]:
    return event.kind.value, pack(msgspec.structs.replace(event, frame=None)), event.frame is not None
