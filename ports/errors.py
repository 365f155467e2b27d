"""The errors that a caller can see, split by whose fault they are."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.refusal import Refusal


class ListenKeyError(Exception):
    """Any error that this library raises on purpose. No message holds a key, secret or signature."""


class CredentialsRefused(ListenKeyError):
    """The venue refuses the API key, its permissions, the signature or the address it comes from."""


class StreamStopped(ListenKeyError):
    """The stream gave up; the message says why."""


class JournalRefused(ListenKeyError):
    """The file cannot serve as this account's journal: it is something else, newer, another's, or in use."""


class ReadFailed(ListenKeyError):
    """The account could not be read; nothing is known about it."""


class TransportFailed(ListenKeyError):
    """No answer came: the name did not resolve, the connection failed, or time ran out. Raised by transports.

    Not `reached`: the server cannot have seen the request.
    """

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class HandshakeRefused(ListenKeyError):
    """The server answered a WebSocket handshake with something else. Raised by transports.

    `headers`, by lower-case name, are those that say when to come back; others may say things that are secret.
    """

    def __init__(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"the handshake was answered with HTTP {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class SocketEnded(ListenKeyError):
    """A socket is closed: `code` is the peer's close code, None or 1006 when there was none."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"the socket ended with code {code}")
        self.code = code


class RequestRefused(ListenKeyError):
    """A request was refused, failed or timed out; `refusal` says what that means. Raised by a venue's services."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message or refusal.kind.value)
        self.refusal = refusal
