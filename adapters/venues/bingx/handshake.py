"""The handshake of the private stream: the listen key rides in the URL, and a refusal is classified."""

from __future__ import annotations

from urllib.parse import quote

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.errors import HandshakeRefused, TransportFailed
from ....ports.http import HttpResponse
from .answers import judge, unanswered


class Handshake:
    """A `ports.socket.Handshake`. `ws_url` has a path and no query; which account a socket shows is the key's."""

    def __init__(self, ws_url: str, *, secrets: Secrets | None = None) -> None:
        self._ws_url = ws_url
        self._secrets = Secrets() if secrets is None else secrets

    def url(self, key: str) -> str:
        """Where the stream of this key is; a key works only in its own environment."""
        self._secrets.name(key)
        return f"{self._ws_url}?listenKey={quote(key, safe='')}"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """What it means that there is no socket."""
        if isinstance(error, TransportFailed):
            return unanswered(error.reached, str(error))
        verdict = judge(HttpResponse(error.status, error.headers, error.body), about_key=True, secrets=self._secrets)
        if isinstance(verdict, Refusal):
            return verdict
        return Refusal(RefusalKind.RETRY, str(error.status), str(error))  # a 2xx is no handshake, whatever it says
