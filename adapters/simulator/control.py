"""The simulator's own endpoints, for test authors: the truth, faults, its clock, and every move on the exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from .moves import Moves
from .orders import OrderRefused
from .venue import Venue

Body = dict[str, Any]


class Control:
    """The endpoints under `/simulator/`; a request that is not understood is answered with 400 and the reason."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._moves = Moves(venue)

    def add_to(self, app: web.Application) -> None:
        """Register the endpoints."""
        app.router.add_get("/simulator/truth", self._truth)
        app.router.add_post("/simulator/fault", self._told(self._fault))
        app.router.add_post("/simulator/quiet", self._told(self._quiet))
        app.router.add_post("/simulator/advance", self._told(self._advance))
        for name in self._moves.names:
            app.router.add_post(f"/simulator/{name}", self._told(self._moving(name)))

    async def _truth(self, request: web.Request) -> web.Response:
        return _json(self._venue.truth())

    def _told(self, act: Callable[[Body], Any]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = msgspec.json.decode(await request.read() or b"{}")
                if not isinstance(body, dict):
                    raise ValueError("the body is a JSON object")
                return _json(act(body))
            except OrderRefused as refused:
                return _json({"error": refused.message, "code": refused.code}, 400)
            except (ValueError, TypeError, msgspec.MsgspecError) as error:
                return _json({"error": str(error)}, 400)

        return handle

    def _fault(self, body: Body) -> Body:
        """Plan or clear a fault: `name`, optionally `after`, `seconds`, `count`, `clear` and the fault's parameters."""
        name = body.pop("name", None)
        if not isinstance(name, str):
            raise ValueError("a fault has a name")
        if body.pop("clear", False):
            self._venue.faults.clear(name)
            return {"cleared": name}
        fault = self._venue.fault(name, **body)
        return {"name": fault.name, "at": fault.at, "seconds": fault.seconds}

    def _quiet(self, body: Body) -> Body:
        self._venue.quiet(body.get("on", True))
        return {"quiet": self._venue.flow.quiet, "fills": len(self._venue.exchange.fills)}

    def _advance(self, body: Body) -> Body:
        """Move exchange time ahead by `seconds`."""
        self._venue.advance(msgspec.convert(body.get("seconds"), float))
        return {"now": self._venue.now()}

    def _moving(self, name: str) -> Callable[[Body], Any]:
        return lambda body: self._moves.make(name, body)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
