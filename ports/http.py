"""An HTTP client, as a venue's services need it. It knows nothing of any venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class HttpResponse(NamedTuple):
    """A whole answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpResponse(status={self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"


class HttpClient(Protocol):
    """One connection pool. Redirects are not followed; cookies are not kept."""

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """The answer, whatever its status. The URL is sent as given, already encoded; `timeout` is seconds for all.

        Raises `TransportFailed`, with a message free of the URL's query, when no whole answer came.
        """

    async def close(self) -> None:
        """Close the pool, unless it was handed in by the user. Never raises."""


class BlockingHttpClient(Protocol):
    """The same for threads: a request blocks its own, and several threads may have one under way."""

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """As `HttpClient.request`. Raises `TransportFailed`."""
