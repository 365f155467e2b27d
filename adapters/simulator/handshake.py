"""The WebSocket door: who may open a socket, and what greets whoever does."""

from __future__ import annotations

from aiohttp import web

from .log import Refusal
from .sockets import MAX_SOCKETS, reset
from .venue import Venue

CLOSE_TIMEOUT = 0.5


class Handshake:
    """Answers `/swap-market?listenKey=...` for a venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, from its handshake to its end."""
        venue = self._venue
        venue.step()
        key, elapsed = request.query.get("listenKey", ""), venue.elapsed()
        if venue.faults.active("drop_tcp", elapsed):
            self._refused(key, "drop_tcp")
            reset(request.transport)
            return web.Response()
        if fault := venue.faults.take("refuse", elapsed):
            self._refused(key, "refuse")
            return web.Response(status=fault["status"])
        if not venue.keys.valid(key, venue.wall()):
            self._refused(key, "key")
            return web.json_response({"code": 100401, "msg": "listen key expired"}, status=401)
        if len(venue.hub) >= MAX_SOCKETS:
            self._refused(key, "sockets")
            return web.Response(status=429)
        ws = web.WebSocketResponse(compress=False, timeout=CLOSE_TIMEOUT)
        await ws.prepare(request)
        stream = venue.hub.join(key, ws, request)
        try:
            if fault := venue.faults.take("accept_close", elapsed):
                await stream.close("accept_close", fault["code"])
            else:
                if venue.greets:
                    venue.greet(stream, venue.now(), 0.0)
                await stream.run()
        finally:
            venue.hub.leave(stream, ws.close_code)
        return ws

    def _refused(self, key: str, reason: str) -> None:
        self._venue.log.refused.append(Refusal(self._venue.log.clock(), key, reason))
