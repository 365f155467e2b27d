"""The REST door: faults, limits, signatures, listen keys, then the answer; every call is logged."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from ..faults import Fault
from ..gateway import HTML, TURNS, hold
from ..log import Call, KeyEvent
from ..orders import OrderRefused
from ..sockets import reset
from ..venue import Venue
from .errors import Refusal, no_such_path, translated
from .family import Usdm
from .routes import Route, Sight
from .signature import check_key, check_signature, check_timestamp, parameters

KEYS_PATH = "/fapi/v1/listenKey"
PLACING = frozenset({"POST /fapi/v1/order", "POST /fapi/v1/batchOrders", "POST /fapi/v1/algoOrder"})
PUBLIC = frozenset({"NONE"})
UNKNOWN = "Unknown error, please check your request or try again later."
THROTTLED = Refusal(
    -1008,
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
)
_encode = msgspec.json.Encoder(decimal_format="string").encode


class _Asked(NamedTuple):
    """One call as it came."""

    method: str
    path: str
    query: str
    body: bytes
    api_key: str
    address: str

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str:
        """The scope of faults to which the call belongs: `keys`, `orders` or `reads`."""
        if self.path == KEYS_PATH:
            return "keys"
        return "reads" if self.method == "GET" else "orders"

    @property
    def places(self) -> bool:
        """True if the call places orders."""
        return self.route in PLACING


class Gateway:
    """Answers `/fapi/...` for a venue."""

    def __init__(self, venue: Venue, family: Usdm) -> None:
        self._venue = venue
        self._family = family

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
        venue = self._venue
        venue.step()
        elapsed = venue.elapsed()
        asked = await self._asked(request)
        dropped = venue.faults.active("drop_tcp", elapsed)
        if dropped is not None and dropped["rest"]:
            return None, 0
        if held := self._scoped("rest_timeout", asked, elapsed):
            await hold(venue, request, float(held["hold"]))
            return None, 0
        if self._scoped("rest_html", asked, elapsed):
            return web.Response(status=502, text=HTML, content_type="text/html"), 502
        placed = len(venue.exchange.orders)
        try:
            body, headers, code = *self._answer(asked, elapsed), 0
            response = web.Response(body=body, content_type="application/json", headers=headers)
        except OrderRefused as refused:
            response, code = self._refused(translated(refused), asked)
        except Refusal as refusal:
            response, code = self._refused(refusal, asked)
        if asked.places and len(venue.exchange.orders) > placed and not venue.placements.accepted(asked.path, elapsed):
            return None, 0
        if asked.scope == "orders" and (ahead := venue.faults.active("stream_ahead", elapsed)):
            await hold(venue, request, float(ahead["by"]))
        response.headers.update(self._family.limits.headers(asked.address, venue.wall()))
        return response, code

    def _refused(self, refusal: Refusal, asked: _Asked) -> tuple[web.Response, int]:
        body: dict[str, Any] = {"code": refusal.code, "msg": refusal.message}
        if not refusal.code:
            body = {"msg": refusal.message}
            if refusal.message == UNKNOWN:
                body = {"timestamp": self._venue.now(), "path": asked.path, **body}
        response = web.Response(
            body=_encode(body), status=refusal.status, content_type="application/json", headers=refusal.headers
        )
        return response, refusal.code or refusal.status

    async def _asked(self, request: web.Request) -> _Asked:
        if request.method == "DELETE":
            for _ in range(TURNS):  # the end of a socket, on another connection, is read first
                await asyncio.sleep(0)
        return _Asked(
            method=request.method,
            path=request.path,
            query=request.raw_path.partition("?")[2],
            body=await request.read() if request.can_read_body else b"",
            api_key=request.headers.get("X-MBX-APIKEY", ""),
            address=request.remote or "",
        )

    def _answer(self, asked: _Asked, elapsed: float) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers. Raises `Refusal` and `OrderRefused`."""
        venue, limits, wall = self._venue, self._family.limits, self._venue.wall()
        self._meet(asked, elapsed)
        outcome = self._scoped("unknown_outcome", asked, elapsed)
        if outcome is not None and not outcome["done"]:
            raise _unknown(outcome)
        params = parameters(asked.query, asked.body)
        route = self._family.routes.get(asked.route)
        limits.admit(asked.address, 1 if route is None else route.weighs(params), wall)
        headers: dict[str, str] = {}
        if asked.path == KEYS_PATH:
            body = self._keys(asked, elapsed, wall)
        elif route is None:
            raise no_such_path(asked.method, asked.path)
        else:
            self._check(route, asked, params)
            if route.orders:
                limits.order(self._family.uid, self._count(route, params), wall)
                headers = limits.order_headers(self._family.uid, wall)
            now = venue.now()
            body = _encode(route(params, now, self._sight(elapsed, now)))
        if outcome is not None:
            raise _unknown(outcome)
        return body, headers

    def _meet(self, asked: _Asked, elapsed: float) -> None:
        """Raise `Refusal` if a fault refuses the call."""
        venue, limits = self._venue, self._family.limits
        for name in ("ban", "rate_limit"):
            fault = venue.faults.active(name, elapsed)
            if fault is not None and _covers(fault, asked):
                until = venue.wall() + int((fault.ends - elapsed) * 1000)
                raise (
                    limits.banned(asked.address, until, venue.wall())
                    if name == "ban"
                    else limits.until(until, venue.wall())
                )
        if asked.places and venue.placements.limited_until(elapsed) is not None:
            raise limits.too_many_orders()
        if bad := venue.faults.active("bad_credentials", elapsed):
            raise Refusal(bad["code"], "Invalid API-key, IP, or permissions for action.")
        if (fault := venue.faults.active("maintenance", elapsed)) and _covers(fault, asked):
            raise Refusal(-1016, "Service is under maintenance.")
        if self._scoped("rest_error", asked, elapsed):
            raise Refusal(-1000, "An unknown error occurred while processing the request.", status=500)
        if fault := self._scoped("unavailable", asked, elapsed):
            raise THROTTLED if fault["coded"] else Refusal(0, "Service Unavailable.", status=503)

    def _check(self, route: Route, asked: _Asked, params: dict[str, str]) -> None:
        venue = self._venue
        if route.security in PUBLIC:
            return
        secret = check_key(venue.credentials, asked.api_key, venue.credentials_hint)
        check_timestamp(params, venue.wall(), tolerant=venue.apart)
        check_signature(secret, asked.query, asked.body, venue.credentials_hint)

    def _keys(self, asked: _Asked, elapsed: float, wall: int) -> bytes:
        """Answer a call about listen keys; only the API key matters, signature and parameters are ignored."""
        venue, family = self._venue, self._family
        check_key(venue.credentials, asked.api_key, venue.credentials_hint)
        owner, clock = family.owner(asked.api_key), venue.log.clock()
        if asked.method == "POST":
            if fault := venue.faults.take("mint_error", elapsed):
                raise Refusal(fault["code"], "Internal error; unable to process your request. Please try again.")
            key = family.keys.obtain(owner, wall)
            venue.log.mints.append(KeyEvent(clock, key, in_use=bool(family.hub.on(key))))
            return _encode({"listenKey": key})
        if asked.method not in {"PUT", "DELETE"}:
            raise no_such_path(asked.method, asked.path)
        current = family.keys.current(owner, wall)
        if asked.method == "PUT":
            if current is not None and venue.faults.take("renew_404", elapsed):
                family.keys.delete(current, wall)
            extended = family.keys.extend(owner, wall)
            known = extended or current or ""
            venue.log.renewals.append(KeyEvent(clock, known, extended is not None, bool(family.hub.on(known))))
            if extended is not None:
                return {"key": _encode({"listenKey": extended}), "empty": b"{}"}.get(family.readings.renewal, b"")
        elif current is not None:
            family.deleted(current, wall)
            venue.step()
            return b"{}"
        raise Refusal(-1125, "This listenKey does not exist.")

    @staticmethod
    def _count(route: Route, params: dict[str, str]) -> int:
        """The number of orders as which a call counts; for a list its entries."""
        return route.orders if "batchOrders" not in params else min(route.orders, params["batchOrders"].count("{"))

    def _sight(self, elapsed: float, now: int) -> Sight:
        faults = self._venue.faults
        late, ahead = faults.active("late_fills", elapsed), faults.active("stream_ahead", elapsed)
        lag = max(0.0 if late is None else late["lag"], 0.0 if ahead is None else ahead["by"])
        until = now - int(lag * 1000 * self._venue.time_scale)
        if late is None:
            return Sight(until) if ahead is not None else Sight()
        return Sight(until, until if late["income"] else None, until if late["orders"] else None)

    def _scoped(self, name: str, asked: _Asked, elapsed: float) -> Fault | None:
        fault = self._venue.faults.active(name, elapsed)
        if fault is None or not _covers(fault, asked):
            return None
        return self._venue.faults.take(name, elapsed)


def _covers(fault: Fault, asked: _Asked) -> bool:
    return fault["scope"] in {"all", asked.scope}


def _unknown(fault: Fault) -> Refusal:
    """Return the refusal, HTTP 503, after which it is unknown if the call was carried out."""
    return Refusal(-1000 if fault["coded"] else 0, UNKNOWN, status=503)
