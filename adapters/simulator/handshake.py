"""The WebSocket door: accepts or refuses sockets, and sends snapshots. A socket without a key follows the market."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from .log import Refusal
from .sockets import MAX_SOCKETS, Hub, Stream, reset
from .venue import Venue

CLOSE_TIMEOUT = 0.5
_Stream = TypeVar("_Stream", bound=Stream)


class Handshake:
    """Answers `/swap-market?listenKey=...` for a venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket, from its handshake to its end."""
        venue = self._venue
        venue.step()
        public, key = "listenKey" not in request.query, request.query.get("listenKey", "")
        elapsed = venue.elapsed()
        if venue.faults.active("drop_tcp", elapsed):
            self._refused(key, "drop_tcp")
            reset(request.transport)
            return web.Response()
        if fault := venue.faults.take("refuse", elapsed):
            self._refused(key, "refuse")
            return web.Response(status=fault["status"])
        if not public and not venue.keys.valid(key, venue.wall()):
            self._refused(key, "key")
            return web.json_response({"code": 100401, "msg": "listen key expired"}, status=401)
        if len(venue.sockets()) >= MAX_SOCKETS:
            self._refused(key, "sockets")
            return web.Response(status=429)
        ws = web.WebSocketResponse(compress=False, timeout=CLOSE_TIMEOUT)
        await ws.prepare(request)
        if public:
            await self._serve(venue.feeds, venue.feeds.join(key, ws, request), ws)
            return ws
        stream = venue.hub.join(key, ws, request)
        if venue.greets and venue.faults.active("accept_close", elapsed) is None:
            venue.greet(stream, venue.now(), 0.0)
        await self._serve(venue.hub, stream, ws)
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
