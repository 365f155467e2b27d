"""An exchange over loopback that repeats secrets it has received in bodies, headers, frames and close reasons."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any, Self

from aiohttp import WSCloseCode, web

from listenkey.ports.http import HttpResponse

from ..adapters.venues.planted import planted
from ..adapters.venues.samples import samples
from .finder import secret
from .plants import behind, broken, pages, written

NAME = "parrot"
"""The name of its thread."""
PATIENCE = 300.0
"""Seconds after which a test fails."""


class Parrot:
    """Serves one account in its own thread.

    `secrets` has the secrets it has received; `spoken` is set when all frames were sent. The first socket is refused,
    the second redirected; three more get all kinds of frames and end with a reason. After that the account is quiet.
    The second request to each path gets a bad answer, as long as there are kinds of them.
    """

    def __init__(self, family: str, seed: int, api_secret: str) -> None:
        self._planted, self._samples = planted(family), samples(family)
        self._draw = Random(seed)
        self.secrets = [api_secret]
        self.signatures: list[str] = []
        self.spoken, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=NAME)
        self._dialect = next(iter(self._samples.DIALECTS.values()))
        self._minted = ""
        self._sockets = 0
        self._answers = deque(self._spoiled())
        self._calls: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    @property
    def urls(self) -> dict[str, str]:
        """Its addresses, as options of `open_venue`."""
        return {"rest_url": f"http://127.0.0.1:{self._port}", "ws_url": f"ws://127.0.0.1:{self._port}/market"}

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_get("/market", self._socket)
        app.router.add_route("*", "/{path:.*}", self._request)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = runner.addresses[0][1]
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    def planted(self) -> str:
        """Return a secret it has received, in one of its forms."""
        known = self._draw.choice([*self.secrets, *self.signatures[-1:]])
        return known if known in self.signatures else self._draw.choice([known, *written(known)])

    def _spoiled(self) -> Iterator[Any]:
        for kind in (*self._planted.spoiled(), *pages()):
            if kind.name not in self._planted.MORTAL:
                yield kind

    async def _request(self, request: web.Request) -> web.StreamResponse:
        self._hear(request)
        name = request.path.rpartition("/")[2]
        calls = self._calls[request.path] = self._calls.get(request.path, 0) + 1
        if calls == 2 and self._answers and name != self._planted.TIME:  # each path has one bad answer
            return await self._say(request, self._answers.popleft().answer(self.planted(), self._draw.randrange(200)))
        if (request.method, name) in self._planted.CALM:
            content = self._planted.rows(self.planted(), 0) if calls % 2 else self._planted.CALM
            return _plainly(self._planted.good(content[request.method, name]))
        if request.method == "POST":
            self._minted = secret(self._draw, 64)
            self.secrets.append(self._minted)
        return _plainly(self._planted.keyed(request.method, self._minted))

    async def _say(self, request: web.Request, answer: HttpResponse) -> web.StreamResponse:
        if self._draw.randrange(4) == 0:  # the connection ends within the answer
            response = web.StreamResponse(status=answer.status, headers={"Content-Length": str(len(answer.body) + 99)})
            await response.prepare(request)
            await response.write(answer.body)
            assert request.transport is not None
            request.transport.close()
            return response
        headers = {"X-Said": self.planted(), "Set-Cookie": f"key={self.planted()}", **answer.headers}
        return web.Response(status=answer.status, reason=f"No {self.planted()}", body=answer.body, headers=headers)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._hear(request)
        self._sockets += 1
        if self._sockets == 1:
            return await self._say(request, HttpResponse(500, {}, behind(self.planted(), 70).encode()))
        if self._sockets == 2:
            return web.Response(status=302, headers={"Location": f"/market?listenKey={self.planted()}"})
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await self._live(socket)
        if self._sockets < 6:
            await self._talk(socket, self._sockets - 3)
            reason = f"bye {self.planted()}".encode()[:120]
            await socket.close(code=WSCloseCode.GOING_AWAY, message=reason)
            return socket
        self.spoken.set()
        async for _ in socket:
            pass
        return socket

    async def _talk(self, socket: web.WebSocketResponse, part: int) -> None:
        """Send a third of all kinds of frames on a socket, with those that end a link last."""
        last = ("oversized", "end of a key", "error")
        plants = (*self._planted.plants(), *broken(self._samples.packed))
        kinds = sorted(plants, key=lambda plant: plant.name.startswith(last))[part::3]
        for plant in kinds:
            frame = plant.frame(self.planted(), self._draw.choice([0, 3, 20, 90, 4050, 4080]))
            await _send(socket, frame)
            await asyncio.sleep(0.01)
        await self._live(socket)

    async def _live(self, socket: web.WebSocketResponse) -> None:
        """Send the frames that prove the link of the client's n-th socket; on another socket they are garbage."""
        for text in self._samples.alive(self._dialect, max(1, self._sockets - 2)):
            await _send(socket, self._samples.packed(text))

    def _hear(self, request: web.Request) -> None:
        api_key = request.headers.get(self._planted.HEADER)
        if api_key is not None and api_key not in self.secrets:
            self.secrets.append(api_key)
        signature = request.query.get("signature")
        if signature is not None:
            self.signatures.append(signature)


async def _send(socket: web.WebSocketResponse, frame: bytes | str) -> None:
    await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))


def _plainly(answer: HttpResponse) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
