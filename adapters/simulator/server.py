"""The simulated venue on loopback: its REST and WebSocket doors, and the task that steps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, Unpack

from aiohttp import web

from .binance import gateway as usdm_gateway
from .binance import handshake as usdm_handshake
from .binance.family import Usdm
from .control import Control
from .gateway import Gateway
from .handshake import Handshake
from .settings import Settings
from .venue import Venue

SOCKET_PATH, USDM_SOCKET_PATH = "/swap-market", "/private/ws"
TURN = 0.02


class Server(Venue):
    """The server as an asynchronous context manager of asyncio. `port` 0 takes a free one: see `rest_url`, `ws_url`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self.rest_url = self.ws_url = ""
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._turns: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        Control(self).add_to(app)
        socket_path = self._open_doors(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, reuse_address=True).start()
        except OSError:
            await self._runner.cleanup()
            raise
        port = self._runner.addresses[0][1]
        self.rest_url = f"http://{self._host}:{port}"
        self.ws_url = f"ws://{self._host}:{port}{socket_path}"
        self._turns = asyncio.create_task(self._turn())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing = True
        await asyncio.gather(*(stream.close("shutdown", 1001) for stream in self.sockets()))
        if self._runner is not None:
            await self._runner.cleanup()
        if self._turns is not None:
            self._turns.cancel()
            (outcome,) = await asyncio.gather(self._turns, return_exceptions=True)
            # A failed simulator must not look like a quiet one.
            if isinstance(outcome, Exception) and error is None:
                raise outcome

    def _open_doors(self, router: web.UrlDispatcher) -> str:
        """Add the routes of the venue's wire; return the path of sockets that follow an account."""
        if isinstance(self.family, Usdm):
            router.add_route("*", "/fapi/{path:.*}", usdm_gateway.Gateway(self, self.family).handle)
            router.add_route("*", "/openApi/{path:.*}", self._elsewhere)
            router.add_get("/{path:.*}", usdm_handshake.Handshake(self, self.family).handle)
            return USDM_SOCKET_PATH
        router.add_get(SOCKET_PATH, Handshake(self).handle)
        router.add_route("*", "/openApi/{path:.*}", Gateway(self).handle)
        router.add_route("*", "/fapi/{path:.*}", self._elsewhere)
        return SOCKET_PATH

    async def _elsewhere(self, _request: web.Request) -> web.Response:
        """Answer a call to another venue's path: the client has the wrong venue, or the wrong exchange was started."""
        found = {"code": 404, "msg": f"this simulated exchange speaks {self.venue}: `simulate --venue` chooses another"}
        return web.json_response(found, status=404)

    async def _turn(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(TURN)


async def serve(
    *,
    announce: Callable[[Server], None] = lambda server: None,
    stop: asyncio.Event | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    **settings: Unpack[Settings],
) -> None:
    """Run a `Server` until `stop` is set or the task is cancelled; `announce` is called once, when it is up."""
    async with Server(host=host, port=port, **settings) as server:
        announce(server)
        await (stop or asyncio.Event()).wait()
