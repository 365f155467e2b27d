"""Binance's door for REST: the account's one key, weight, the account, and what faults make of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listenkey.adapters.simulator.binance.errors import Refusal, no_such_path
from listenkey.adapters.simulator.binance.holdings import Holdings
from listenkey.adapters.simulator.binance.keys import SharedKeys
from listenkey.adapters.simulator.binance.limits import WEIGHT, Limits
from listenkey.adapters.simulator.binance.readings import Readings
from listenkey.adapters.simulator.binance.records import Records
from listenkey.adapters.simulator.binance.routes import Route, Sight
from listenkey.adapters.simulator.binance.signature import check_timestamp
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.ports.http import HttpResponse

from .door import Door
from .faults import Fault
from .setup import EPOCH, Setup
from .spoiling import OF_USDM
from .violation import Violation
from .weather import Weather

KEYS_PATH, TIME_PATH = "/fapi/v1/listenKey", "/fapi/v1/time"
OURS = "here"
"""The address that we share with other programs."""
UNKNOWN = "Unknown error, please check your request or try again later."
THROTTLED = "Request throttled by system-level protection. Please try again."
CROWD = {"half": WEIGHT // 2, "most": WEIGHT * 3 // 4}
"""The weight that the other programs spend in a minute."""
_encode = msgspec.json.Encoder(decimal_format="string").encode


class UsdmDoor(Door):
    """Binance's answers by REST. An account's clients share one key, an address's programs share one weight."""

    def __init__(
        self, weather: Weather, setup: Setup, exchange: Exchange, keys: SharedKeys, readings: Readings
    ) -> None:
        super().__init__(weather, setup, exchange, keys, OF_USDM)
        self.shared = keys
        self.owner = exchange.uid
        self._readings = readings
        self._limits = Limits(readings)
        self._crowd_minute = -1
        self.died: dict[str, int] = {}
        """When keys have ended before their time, exchange ms."""
        self._vouched: dict[str, int] = {}
        """When each key expires, judged by our own requests alone, exchange ms."""
        records = Records(exchange, readings)
        self._routes: Mapping[str, Route] = {**Holdings(exchange, records, readings).routes, **records.routes}

    def ends(self, key: str, now: int) -> None:
        """The key ends before its time, exchange ms."""
        self.ended_keys.add(key)
        self.died[key] = now

    def vouched_until(self, key: str) -> int:
        """When the key expires as far as our own requests show, exchange ms."""
        return min(self.shared._ends.get(key, 0), self._vouched.get(key, 0))

    def answer(self, method: str, url: str, now: int) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        parts = urlsplit(url)
        path = parts.path
        if self.weather.on("outage"):
            self.refused.append((self.weather.now, method + path, "fault"))
            return HttpResponse(503, {}, b"<html>maintenance</html>")
        fault = self._met(method, about_keys=path == KEYS_PATH)
        if fault is not None and fault.variant == "empty" and path == KEYS_PATH and method == "PUT":
            fault = None
        if fault is not None:
            self.refused.append((self.weather.now, method + path, "fault"))
            if fault.variant == "timeout":
                return None
        weight = self._limits.headers
        try:
            body = self._answer(method, path, dict(parse_qsl(parts.query, keep_blank_values=True)), now, fault)
            return HttpResponse(200, _headers(now, weight(OURS, now)), body)
        except Refusal as refusal:
            return HttpResponse(refusal.status, _headers(now, weight(OURS, now), refusal.headers), _said(refusal))

    def _answer(self, method: str, path: str, params: dict[str, str], now: int, fault: Fault | None) -> bytes:
        """Return the body of an answer. Raises `Refusal`."""
        if fault is not None:
            return self._broken(fault, now)
        weather = self.weather
        self._meet(now)
        outcome = weather.on("unknown_outcome")
        uncoded = outcome is not None and "no code" in outcome.variant
        unknown = Refusal(0 if uncoded else -1000, UNKNOWN, status=503)
        if outcome is not None and outcome.variant.startswith("lost"):
            raise unknown
        route = self._routes.get(f"{method} {path}")
        self._spend(1 if route is None else route.weighs(params), now)
        if path == KEYS_PATH:
            body = self._about_keys(method, now)
        elif path == TIME_PATH:
            body = _encode({"serverTime": now + self._skew})
        elif route is None:
            raise no_such_path(method, path)
        else:
            check_timestamp(params, now, tolerant=False)
            self.spoiling.refuse(path, params)
            body = _encode(self._spoilt(path, route(params, now, self._sight(now))))
        if outcome is not None:
            raise unknown
        return body

    def _meet(self, now: int) -> None:
        """Raise if a fault in force refuses every call."""
        banned = self.weather.on("banned")
        if banned is not None:
            raise self._limits.banned(OURS, _end_of(banned), now)
        if self.weather.on("maintenance"):
            raise Refusal(-1016, "Service is under maintenance.")
        down = self.weather.on("unavailable")
        if down is not None:
            raise Refusal(-1008, THROTTLED) if down.variant else Refusal(0, "Service Unavailable.", status=503)

    def _broken(self, fault: Fault, now: int) -> bytes:
        match fault.variant:
            case "500":
                raise Refusal(-1000, "An unknown error occurred while processing the request.", status=500)
            case "html":
                raise Refusal(0, "<html><body>502 Bad Gateway</body></html>", status=502)
            case "429":
                raise Refusal(0, "", status=429, headers={"Retry-After": "3"})
            case "empty":
                return b""
        raise self._limits.until(_end_of(fault), now)

    def _spend(self, weight: int, now: int) -> None:
        """Spend weight; at the beginning of a minute that of the other programs at our address first.

        A process cannot know what they have spent, nor what the one before it has, unless answers count it.
        """
        crowd = self.weather.on("crowded")
        minute = now // 60_000
        if crowd is not None and minute != self._crowd_minute:
            self._crowd_minute = minute
            self._limits.admit(OURS, CROWD[crowd.variant], now)
        try:
            self._limits.admit(OURS, weight, now)
        except Refusal as refusal:
            unknown = (self._crowd_minute, self._ended_at // 60_000)
            if minute not in unknown or self._readings.used_weight == "counted":
                raise Violation("attempts-bounded", f"too much weight in a minute: {refusal}") from refusal
            raise

    def _about_keys(self, method: str, now: int) -> bytes:
        """Create or renew the account's key; no request names it."""
        weather, keys = self.weather, self.shared
        if method == "POST":
            if weather.on("mint_error"):
                raise Refusal(-1001, "Internal error; unable to process your request. Please try again.")
            return _encode({"listenKey": self._extended(keys.obtain(self.owner, now), now)})
        current = keys.current(self.owner, now)
        if method == "DELETE":
            raise Violation("shared-key-kept", "the account's key is deleted")
        if current is not None and weather.on("renew_gone"):
            self.ends(current, now)
            keys.delete(current, now)
        extended = keys.extend(self.owner, now)
        if extended is None:
            raise Refusal(-1125, "This listenKey does not exist.")
        self._extended(extended, now)
        return {"key": _encode({"listenKey": extended}), "empty": b"{}"}.get(self._readings.renewal, b"")

    def _extended(self, key: str, now: int) -> str:
        self._vouched[key] = now + self.shared.validity_ms
        return key

    def _spoilt(self, path: str, found: Any) -> Any:
        """Return the answer as faults change it."""
        hollow = self.spoiling.hollow(path)
        if hollow is not None:
            return hollow[0]
        self.spoiling.spoil(path, found)
        if path.endswith("/balance") and self.weather.on("blank") is not None:
            for row in found:
                row["balance"] = ""
        return found

    def _sight(self, now: int) -> Sight:
        lag = self.weather.on("lag")
        if lag is None:
            return Sight()
        until = now - 500 - lag.salt % 3000
        return Sight(until, until if "income" in lag.variant else None, until if lag.salt % 2 else None)


def _headers(now: int, *parts: Mapping[str, str]) -> dict[str, str]:
    """Return the headers as a transport hands them on, with the date."""
    return {"date": formatdate(now // 1000, usegmt=True)} | {
        name.lower(): part[name] for part in parts for name in part
    }


def _said(refusal: Refusal) -> bytes:
    """Return the body of a refusal: JSON, with a code if it has one; a page or nothing if a proxy made it."""
    if not refusal.message or refusal.message.startswith("<"):
        return refusal.message.encode()
    return _encode({**({"code": refusal.code} if refusal.code else {}), "msg": refusal.message})


def _end_of(fault: Fault) -> int:
    """Return the end of a fault in exchange time, ms."""
    return EPOCH + int((fault.at + fault.seconds) * 1000)
