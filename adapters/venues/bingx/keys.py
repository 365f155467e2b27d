"""Listen keys at BingX: one endpoint for all its products; valid an hour, extended to an hour from each renewal."""

from __future__ import annotations

from typing import Any

from ....core.refusal import RefusalKind
from ....ports.errors import RequestRefused
from ....ports.keys import Grant
from ....ports.service import Service, clock
from .answers import malformed
from .pace import KEY_PATH
from .rest import Rest

VALID_FOR = 3600.0
"""Seconds; documented everywhere. A renewal at 60 min is too late (404)."""


class Keys:
    """A `KeyService`. Sources contradict each other on whether these requests are signed; signed ones all accept."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def create(self) -> Service[Grant]:
        """A new key; earlier ones are assumed to live on until their own end."""
        yield from self._rest.now()
        data = yield from self._rest.call("POST", KEY_PATH, {})
        return Grant(_key(data), VALID_FOR, self._rest.exchange_ms((yield from clock())))

    def renew(self, key: str) -> Service[None]:
        """Returns on a 200 with an empty body or with success in it; a 204 extends nothing."""
        yield from self._rest.call("PUT", KEY_PATH, {"listenKey": key})

    def delete(self, key: str) -> Service[None]:
        """Delete the key; one that is gone is fine."""
        try:
            yield from self._rest.call("DELETE", KEY_PATH, {"listenKey": key})
        except RequestRefused as error:
            if error.refusal.kind is not RefusalKind.GONE:
                raise


def _key(data: Any) -> str:
    """The key, from the bare answer or from the enveloped one."""
    found = data.get("listenKey") if isinstance(data, dict) else None
    if not isinstance(found, str) or not found or len(found) > 512 or not (found.isascii() and found.isprintable()):
        raise malformed("no listen key")
    return found
