"""Listen keys at BingX: one endpoint for all its products; a key is valid for an hour after mint or renewal."""

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
"""The validity of a key, s, in all documents. A renewal after 60 min is too late (404)."""


class Keys:
    """The `KeyService` of BingX. Sources differ if these requests must be signed; signed ones are accepted."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._new = True
        """True if there was no key before: then streams that recover go first."""

    def create(self) -> Service[Grant]:
        """Get a new key; earlier ones are assumed to stay valid until their own end."""
        yield from self._rest.now()
        data = yield from self._rest.call("POST", KEY_PATH, {}, new=self._new)
        self._new = False
        return Grant(listen_key(data), VALID_FOR, self._rest.exchange_ms((yield from clock())))

    def renew(self, key: str) -> Service[None]:
        """Extend the key. Only a 200 with an empty body or a success in it does so; a 204 extends nothing."""
        yield from self._rest.call("PUT", KEY_PATH, {"listenKey": key})

    def delete(self, key: str) -> Service[None]:
        """Delete the key; if it is gone, nothing happens."""
        try:
            yield from self._rest.call("DELETE", KEY_PATH, {"listenKey": key})
        except RequestRefused as error:
            if error.refusal.kind is not RefusalKind.GONE:
                raise


class Handshake:
    """A `ports.socket.Handshake` with the key in the URL. `ws_url` has a path and no query."""

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
        """Wait until the socket may be dialled, for at most a part of the `timeout`; streams that recover go first."""
        slot = yield from self._endpoint.queued_turn(self._patience, new=self._new)
        self._new = False
        return slot

    def url(self, key: str) -> str:
        """The URL of this key's stream, in the same environment."""
        self._secrets.name(key)
        return f"{self._ws_url}?listenKey={quote(key, safe='')}"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """Return the refusal for a socket that did not open."""
        if isinstance(error, TransportFailed):
            return unanswered(error.reached, str(error))
        verdict = judge(HttpResponse(error.status, error.headers, error.body), about_key=True, secrets=self._secrets)
        if isinstance(verdict, Refusal):
            return verdict
        return Refusal(RefusalKind.RETRY, str(error.status), str(error))  # a 2xx is no handshake
