"""Listen keys at Binance: one for the account, which everybody who asks is given; valid an hour from the last request.

No request names a key. So what says whether ours lives is the key in an answer; where the answer to a renewal, as it is
documented, has none, another POST brings the one that lives, extended.
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
"""Seconds; documented."""


class Keys:
    """A `KeyService`."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._new = True
        """True if there was no key before: a stream that recovers is let go first."""
        self._named: str | None = None
        """The account's key, as the venue named it last."""

    def create(self) -> Service[Grant]:
        """The account's key, extended, or a new one where it had none."""
        yield from self._rest.now()
        key = listen_key((yield from self._rest.mint(new=self._new)))
        self._new, self._named = False, key
        return Grant(key, VALID_FOR, self._rest.exchange_ms((yield from clock())))

    def renew(self, key: str) -> Service[str]:
        """The key that was extended, which is another one where ours is gone and somebody has made the next."""
        found = named_key((yield from self._rest.key("PUT")))
        self._named = listen_key((yield from self._rest.key("POST"))) if found is None else found
        return self._named

    def delete(self, key: str) -> Service[None]:
        """Delete the account's key, for everybody; one that is gone is fine.

        So is one that another has followed, which the request would take in its place.
        """
        if self._named is not None and key != self._named:
            return
        try:
            yield from self._rest.key("DELETE")
        except RequestRefused as error:
            if error.refusal.kind is not RefusalKind.GONE:
                raise


class Handshake:
    """A `ports.socket.Handshake`: key and events ride in the URL. `ws_url` has a path and no query.

    Nobody refuses a handshake for its key: a socket with a dead one opens and stays silent.
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
        """Wait until it may be dialled, within a part of the `timeout`; streams that had one before go first."""
        place = yield from self._door.turn(self._patience, new=self._new)
        self._new = False
        return place

    def url(self, key: str) -> str:
        """Where the stream of this key is, with all that is to come on it."""
        self._secrets.name(key)
        return f"{self._ws_url}?listenKey={quote(key, safe='')}&events={'/'.join(EVENTS)}"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """Return what it means that there is no socket."""
        if isinstance(error, TransportFailed):
            return unanswered(error.reached, str(error))
        verdict = judge(HttpResponse(error.status, error.headers, error.body), secrets=self._secrets)
        if isinstance(verdict, Refusal):
            return verdict
        return Refusal(RefusalKind.RETRY, str(error.status), str(error))  # a 2xx is no handshake, whatever it says
