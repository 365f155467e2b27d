"""Listen keys at Binance: the account has one, which all clients get; it is valid for an hour after the last request.

No request names a key. So only the key in an answer shows if ours is still valid; if the answer to a renewal has none,
as documented, another POST gets the valid one, extended.
"""

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
from .facts import EVENTS
from .pace import PATIENCE, SHARED, Pace
from .rest import Rest
from .rows import listen_key, named_key

VALID_FOR = 3600.0
"""The documented validity of a key, s."""


class Keys:
    """The `KeyService` of Binance."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._new = True
        """True if there was no key before: then streams that recover go first."""
        self._named: str | None = None
        """The account's key in the last answer."""

    def create(self) -> Service[Grant]:
        """Get the account's key, extended, or a new one if it has none."""
        yield from self._rest.now()
        key = listen_key((yield from self._rest.mint(new=self._new)))
        self._new, self._named = False, key
        return Grant(key, VALID_FOR, self._rest.exchange_ms((yield from clock())))

    def renew(self, key: str) -> Service[str]:
        """Extend the account's key and return it; it is another one if ours is gone and a client has made the next."""
        found = named_key((yield from self._rest.key("PUT")))
        self._named = listen_key((yield from self._rest.key("POST"))) if found is None else found
        return self._named

    def delete(self, key: str) -> Service[None]:
        """Delete the account's key, for all clients; if it is gone, nothing happens.

        If another key has followed it, no request is sent: it would delete that one.
        """
        if self._named is not None and key != self._named:
            return
        try:
            yield from self._rest.key("DELETE")
        except RequestRefused as error:
            if error.refusal.kind is not RefusalKind.GONE:
                raise


class Handshake:
    """A `ports.socket.Handshake` with key and events in the URL. `ws_url` has a path and no query.

    The venue refuses no handshake for its key: a socket with a dead key opens and stays silent.
    """

    def __init__(
        self, ws_url: str, *, timeout: float = 10.0, pace: Pace = SHARED, secrets: Secrets | None = None
    ) -> None:
        self._ws_url = ws_url
        self._secrets = Secrets() if secrets is None else secrets
        self._door = pace.handshakes(urlsplit(ws_url).netloc)
        self._patience = PATIENCE * timeout
        self._new = True

    def turn(self) -> Service[float]:
        """Wait until the socket may be dialled, for at most a part of the `timeout`; streams that recover go first."""
        place = yield from self._door.turn(self._patience, new=self._new)
        self._new = False
        return place

    def url(self, key: str) -> str:
        """The URL of this key's stream, with the wanted events."""
        self._secrets.name(key)
        return f"{self._ws_url}?listenKey={quote(key, safe='')}&events={'/'.join(EVENTS)}"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """Return the refusal for a socket that did not open."""
        if isinstance(error, TransportFailed):
            return unanswered(error.reached, str(error))
        verdict = judge(HttpResponse(error.status, error.headers, error.body), secrets=self._secrets)
        if isinstance(verdict, Refusal):
            return verdict
        return Refusal(RefusalKind.RETRY, str(error.status), str(error))  # a 2xx is no handshake
