"""Listen keys at BingX: one endpoint for all its products; valid an hour, extended to an hour from each renewal."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from ....ports.http import HttpResponse
from ....ports.keys import Grant
from ....ports.service import Service, clock
from ..refusals import unanswered
from .answers import judge
from .pace import KEY_PATH, PATIENCE, SHARED, Pace
from .rest import Rest
from .rows import listen_key

VALID_FOR = 3600.0
"""Seconds; documented everywhere. A renewal at 60 min is too late (404)."""


class Keys:
    """A `KeyService`. Sources contradict each other on whether these requests are signed; signed ones all accept."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._new = True
        """True if there was no key before: a stream that recovers goes first."""

    def create(self) -> Service[Grant]:
        """A new key; earlier ones are assumed to live on until their own end."""
        yield from self._rest.now()
        data = yield from self._rest.call("POST", KEY_PATH, {}, new=self._new)
        self._new = False
        return Grant(listen_key(data), VALID_FOR, self._rest.exchange_ms((yield from clock())))

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


class Handshake:
    """A `ports.socket.Handshake`: the key rides in the URL. `ws_url` has a path and no query."""

    def __init__(
        self, ws_url: str, *, timeout: float = 10.0, pace: Pace = SHARED, secrets: Secrets | None = None
    ) -> None:
        self._ws_url = ws_url
        self._secrets = Secrets() if secrets is None else secrets
        parts = urlsplit(ws_url)
        self._endpoint = pace.endpoint(parts.netloc, "", "GET", parts.path)
        self._patience = PATIENCE * timeout
        self._new = True

    def turn(self) -> Service[float]:
        """Wait until it may be dialled, within a part of the `timeout`; streams that had one before go first."""
        slot = yield from self._endpoint.queued_turn(self._patience, new=self._new)
        self._new = False
        return slot

    def url(self, key: str) -> str:
        """Where the stream of this key is; it is of the same environment."""
        self._secrets.name(key)
        return f"{self._ws_url}?listenKey={quote(key, safe='')}"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """Return the refusal for a socket that did not open."""
        if isinstance(error, TransportFailed):
            return unanswered(error.reached, str(error))
        verdict = judge(HttpResponse(error.status, error.headers, error.body), about_key=True, secrets=self._secrets)
        if isinstance(verdict, Refusal):
            return verdict
        return Refusal(RefusalKind.RETRY, str(error.status), str(error))  # a 2xx is no handshake, whatever it says
