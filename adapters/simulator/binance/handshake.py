"""The WebSocket door: a socket opens on any path and with any key, also if no event will come on it."""

from __future__ import annotations

from typing import Any, TypeVar

from aiohttp import web

from ..log import Refusal
from ..sockets import MAX_SOCKETS, Hub, Stream, reset
from ..venue import Venue
from .family import Usdm
from .sockets import asked_for

CLOSE_TIMEOUT = 0.5
MARKET = ("/public/", "/market/")
_Stream = TypeVar("_Stream", bound=Stream)


class Handshake:
    """Opens the sockets of a venue: those of the market under `/public` and `/market`, those of accounts elsewhere."""

    def __init__(self, venue: Venue, family: Usdm) -> None:
        self._venue = venue
        self._family = family

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket, from its handshake to its end."""
        venue = self._venue
        venue.step()
        elapsed = venue.elapsed()
        asked = asked_for(request)
        key = asked[0].key if asked else ""
        if venue.faults.active("drop_tcp", elapsed):
            self._refused(key, "drop_tcp")
            reset(request.transport)
            return web.Response()
        if fault := venue.faults.take("refuse", elapsed):
            self._refused(key, "refuse")
            return web.Response(status=fault["status"])
        if len(venue.sockets()) >= MAX_SOCKETS:
            self._refused(key, "sockets")
            return web.Response(status=429)
        ws = web.WebSocketResponse(compress=False, timeout=CLOSE_TIMEOUT, autoping=False)
        await ws.prepare(request)
        hub: Hub[Any] = self._family.feeds if _is_public(request, key) else self._family.hub
        await self._serve(hub, hub.join(key, ws, request), ws)
        return ws

    async def _serve(self, hub: Hub[_Stream], stream: _Stream, ws: web.WebSocketResponse) -> None:
        try:
            if fault := self._venue.faults.take("accept_close", self._venue.elapsed()):
                await stream.close("accept_close", fault["code"])
            else:
                await stream.run()
        finally:
            hub.leave(stream, ws.close_code)

    def _refused(self, key: str, reason: str) -> None:
        self._venue.log.refused.append(Refusal(self._venue.log.clock(), key, reason))


def _is_public(request: web.Request, key: str) -> bool:
    """True if the request is for the market, by its path or, on a former path, by the names of its streams."""
    if request.path.startswith("/private/"):
        return False
    return (
        request.path.startswith(MARKET)
        or request.path.rpartition("/")[2].count("@") > 0
        or "@" in request.query.get("streams", "")
    )
