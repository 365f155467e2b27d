"""Opens the private stream of one listen key: the key rides in the URL, and a refused handshake is classified."""

from __future__ import annotations

from urllib.parse import quote

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from ....ports.http import HttpResponse
from ....ports.socket import Socket, SocketDialer
from .answers import judge, unanswered


class Opener:
    """A `SocketOpener`. `ws_url` has a path and no query; `timeout` is seconds, `max_bytes` bounds one raw frame."""

    def __init__(
        self,
        dialer: SocketDialer,
        ws_url: str,
        *,
        timeout: float = 10.0,
        max_bytes: int = 1048576,
        secrets: Secrets | None = None,
    ) -> None:
        self._dialer = dialer
        self._ws_url = ws_url
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._secrets = Secrets() if secrets is None else secrets

    async def open(self, key: str) -> Socket:
        """An open socket; which account it shows is the key's, and only of the same environment."""
        self._secrets.name(key)
        url = f"{self._ws_url}?listenKey={quote(key, safe='')}"
        try:
            return await self._dialer.dial(url, timeout=self._timeout, max_bytes=self._max_bytes)
        except HandshakeRefused as error:
            refusal = _classified(error, self._secrets)
        except TransportFailed as error:
            refusal = unanswered(error, str(error))
        raise RequestRefused(refusal)


def _classified(error: HandshakeRefused, secrets: Secrets) -> Refusal:
    verdict = judge(HttpResponse(error.status, error.headers, error.body), about_key=True, secrets=secrets)
    if isinstance(verdict, Refusal):
        return verdict
    # A 2xx is no handshake either, whatever its body says.
    return Refusal(RefusalKind.RETRY, str(error.status), str(error))
