"""The REST door: faults, limits, signatures, listen keys, then the answer; every call is logged."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import msgspec
from aiohttp import web

from .codes import coded
from .faults import Fault
from .limits import KEYS_PATH, MARKET_PATHS
from .log import Call, KeyEvent
from .orders import OrderRefused
from .parameters import SIGNATURE, parameters
from .routes import Sight
from .signature import check_key, check_signature, check_timestamp
from .sockets import reset
from .venue import Venue

HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
ABSENT = "not modelled by this simulated exchange"
BUSY = "The current system is busy, please try again later"
TURNS = 10
"""Turns of the event loop that a call waits so that data of other connections is read first."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


async def hold(venue: Venue, request: web.Request, seconds: float) -> None:
    """Wait for `seconds`, or until the client is gone or the server closes."""
    until = venue.log.clock() + seconds
    while venue.log.clock() < until and not venue.closing:
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0.02)


class _Asked(NamedTuple):
    """One call as it came; `account` is the account that it belongs to, None for an unknown API key."""

    method: str
    path: str
    query: str
    body: bytes
    api_key: str | None
    address: str
    account: str | None


class Gateway:
    """Answers `/openApi/...` for a venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, and log it."""
        venue = self._venue
        response, code = await self._respond(request)
        status = response.status if response is not None else 0
        venue.log.calls.append(Call(venue.log.clock(), request.method, request.path, status, code))
        if response is None:
            reset(request.transport)
            return web.Response()
        return response

    async def _respond(self, request: web.Request) -> tuple[web.Response | None, int]:
        venue, method, path = self._venue, request.method, request.path
        venue.step()
        elapsed, now = venue.elapsed(), venue.now()
        dropped = venue.faults.active("drop_tcp", elapsed)
        if dropped is not None and dropped["rest"]:
            return None, 0
        if held := self._scoped("rest_timeout", path, elapsed):
            await hold(venue, request, float(held["hold"]))
            return None, 0
        if self._scoped("rest_error", path, elapsed):
            return web.Response(status=500), 500
        if self._scoped("rest_html", path, elapsed):
            return web.Response(status=502, text=HTML, content_type="text/html"), 502
        asked = await self._asked(request)
        placed = len(venue.exchange.orders)
        try:
            response, code = self._answer(asked, elapsed, now)
        except OrderRefused as refused:
            code = coded(refused.code, venue.codes)
            venue.limits.failed(method, path, code, venue.wall())
            body = {"code": code, "msg": refused.message, "data": {}, "timestamp": now}
            response = _json(body, 404 if code == 100404 else 200)
        has_placed = venue.trading.places(method, path) and len(venue.exchange.orders) > placed
        if has_placed and not venue.placements.accepted(path, elapsed):
            return None, 0
        if venue.trading.knows(method, path) and (ahead := venue.faults.active("stream_ahead", elapsed)):
            await hold(venue, request, float(ahead["by"]))
        left = venue.limits.left(method, path, venue.wall(), address=asked.address, account=asked.account)
        if left is not None:
            response.headers["X-RateLimit-Requests-Remain"] = str(left.remain)
            response.headers["X-RateLimit-Requests-Expire"] = str(left.expires)
        return response, code

    async def _asked(self, request: web.Request) -> _Asked:
        """Read a call; without an API key it belongs to the account if it is about a listen key."""
        if request.method == "DELETE":
            for _ in range(TURNS):  # the end of a socket, on another connection, is read first
                await asyncio.sleep(0)
        api_key, path = request.headers.get("X-BX-APIKEY"), request.path
        known = api_key in self._venue.credentials or (api_key is None and path == KEYS_PATH)
        return _Asked(
            method=request.method,
            path=path,
            query=request.raw_path.partition("?")[2],
            body=await request.read() if request.can_read_body else b"",
            api_key=api_key,
            address=request.remote or "",
            account=self._venue.exchange.uid if known else None,
        )

    def _answer(self, asked: _Asked, elapsed: float, now: int) -> tuple[web.Response, int]:
        venue, method, path = self._venue, asked.method, asked.path
        limited = venue.faults.active("rate_limit", elapsed)
        if limited is not None and _covers(limited, path):
            raise venue.limits.disabled_until(path, venue.wall() + int((limited.ends - elapsed) * 1000))
        until = venue.placements.limited_until(elapsed)
        if until is not None and venue.trading.places(method, path):
            raise venue.limits.disabled_until(path, venue.wall() + int((until - elapsed) * 1000))
        if bad := venue.faults.active("bad_credentials", elapsed):
            raise OrderRefused(bad["code"], "Incorrect apiKey, please check your valid api key")
        venue.limits.admit(method, path, venue.wall(), address=asked.address, account=asked.account)
        params = parameters(asked.query, asked.body).values
        if path == KEYS_PATH:
            return self._keys(asked, params, elapsed)
        trading = venue.trading.knows(method, path)
        if not trading and (method != "GET" or not venue.rest.knows(path)):
            raise OrderRefused(100404, f"this api is not exist: {method} {path} is {ABSENT}")
        if path not in MARKET_PATHS:
            secret = check_key(venue.credentials, asked.api_key, venue.credentials_hint)
            self._check_signed(secret, asked, params)
        if trading:
            return _json(venue.trading.answer(method, path, params, now)), 0
        return _json(venue.rest.answer(path, params, now, self._sight(path, elapsed, now))), 0

    def _keys(self, asked: _Asked, params: dict[str, str], elapsed: float) -> tuple[web.Response, int]:
        """Answer a call about listen keys: a signature is optional but checked, and only minting needs the API key."""
        venue, secret, wall = self._venue, self._venue.api_secret, self._venue.wall()
        if asked.method == "POST" or asked.api_key is not None:
            secret = check_key(venue.credentials, asked.api_key, venue.credentials_hint)
        if SIGNATURE in params:
            self._check_signed(secret, asked, params)
        match asked.method:
            case "POST":
                return self._mint(elapsed, wall)
            case "PUT" | "DELETE" if "listenKey" not in params:
                return web.Response(status=204), 204
            case "PUT":
                return self._renew(params["listenKey"], elapsed, wall)
            case "DELETE":
                return self._delete(params["listenKey"], wall)
        raise OrderRefused(100404, "this api is not exist, please refer to the API docs")

    def _mint(self, elapsed: float, wall: int) -> tuple[web.Response, int]:
        venue = self._venue
        if fault := venue.faults.take("mint_error", elapsed):
            raise OrderRefused(fault["code"], BUSY)
        same = venue.faults.active("same_key", elapsed) is not None
        key = venue.keys.mint(wall, same=same)
        venue.log.mints.append(KeyEvent(venue.log.clock(), key, in_use=bool(venue.hub.on(key))))
        if venue.wrapped_keys:
            return _json({"code": 0, "msg": "", "data": {"listenKey": key}}), 0
        return _json({"listenKey": key}), 0

    def _renew(self, key: str, elapsed: float, wall: int) -> tuple[web.Response, int]:
        venue = self._venue
        if venue.faults.take("renew_404", elapsed):
            venue.keys.delete(key, wall)
        ok = venue.keys.renew(key, wall)
        venue.log.renewals.append(KeyEvent(venue.log.clock(), key, ok, bool(venue.hub.on(key))))
        return self._done("PUT", ok, wall)

    def _delete(self, key: str, wall: int) -> tuple[web.Response, int]:
        venue = self._venue
        ok = venue.keys.delete(key, wall)
        venue.log.deleted(key, ok=ok, in_use=bool(venue.hub.on(key)))
        return self._done("DELETE", ok, wall)

    def _done(self, method: str, ok: bool, wall: int) -> tuple[web.Response, int]:
        if ok:
            return web.Response(), 0
        self._venue.limits.failed(method, KEYS_PATH, 404, wall)
        return web.Response(status=404, text="This listenKey does not exist"), 404

    def _check_signed(self, secret: str, asked: _Asked, params: dict[str, str]) -> None:
        check_signature(secret, asked.query, asked.body, self._venue.credentials_hint)
        check_timestamp(params, self._venue.wall(), tolerant=self._venue.apart)

    def _sight(self, path: str, elapsed: float, now: int) -> Sight:
        faults = self._venue.faults
        late, ahead = faults.active("late_fills", elapsed), faults.active("stream_ahead", elapsed)
        lag = max(0.0 if late is None else late["lag"], 0.0 if ahead is None else ahead["by"])
        empty = path.endswith("/balance") and faults.take("rest_empty_amounts", elapsed) is not None
        return Sight(
            fills_until=now - int(lag * 1000 * self._venue.time_scale) if late or ahead else None,
            lag_income=late is not None and bool(late["income"]),
            empty_amounts=empty,
        )

    def _scoped(self, name: str, path: str, elapsed: float) -> Fault | None:
        fault = self._venue.faults.active(name, elapsed)
        if fault is None or not _covers(fault, path):
            return None
        return self._venue.faults.take(name, elapsed)


def _covers(fault: Fault, path: str) -> bool:
    scope: str = fault["scope"]
    return scope == "all" or (scope == "keys") == (path == KEYS_PATH)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(body), status=status, content_type="application/json")
