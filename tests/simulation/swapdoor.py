"""BingX's door for REST: keys, limits, the account, and what faults make of the answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.limits import KEYS_PATH, Limits
from listenkey.adapters.simulator.listenkeys import ListenKeys
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.routes import Sight
from listenkey.adapters.simulator.signature import check_timestamp
from listenkey.ports.http import HttpResponse

from .door import Door
from .setup import EPOCH, Setup
from .spoiling import OF_SWAP
from .weather import Weather

_encode = msgspec.json.encode


class SwapDoor(Door):
    """BingX's answers by REST. Each stream has a key of its own, and renewals name it."""

    def __init__(self, weather: Weather, setup: Setup, exchange: Exchange, keys: ListenKeys) -> None:
        super().__init__(weather, setup, exchange, keys, OF_SWAP)
        self._limits = Limits()
        self._rest = Rest(
            exchange,
            fill_shape=setup.fill_shape,
            symbol_required=setup.by_symbol,
            signed_shorts=setup.signed_shorts,
            closed_stops=setup.closed_stops,
            income_trades=setup.income_trades,
            fill_rows=setup.fill_rows,
            fill_windows=setup.fill_windows,
        )

    def answer(self, method: str, url: str, now: int) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        parts = urlsplit(url)
        path = parts.path
        broken = self._broken(method, path, now)
        if broken is not None:
            self.refused.append((self.weather.now, method + path, "fault"))
            return None if broken.status == 0 else broken
        try:
            self._limits.admit(method, path, now)
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            if "signature" in params:
                check_timestamp(params, now, tolerant=False)
            if path == KEYS_PATH:
                return self._about_keys(method, params, now)
            if path.endswith("/server/time"):
                return _json(200, {"code": 0, "msg": "", "data": {"serverTime": now + self._skew}})
            self.spoiling.refuse(path, params)
            found = self._rest.answer(path, params, now, self._sight(path, now))
            return HttpResponse(200, {}, _encode(self._spoilt(path, found)))
        except OrderRefused as error:
            self._limits.failed(method, path, error.code, now)
            self.refused.append((self.weather.now, method + path, error.message))
            return _json(200, {"code": error.code, "msg": error.message, "data": {}, "timestamp": now})

    def _spoilt(self, path: str, found: Any) -> Any:
        """Return the answer as faults change it."""
        hollow = self.spoiling.hollow(path)
        if hollow is not None:
            return hollow[0]
        self.spoiling.spoil(path, found["data"])
        return found

    def _broken(self, method: str, path: str, now: int) -> HttpResponse | None:
        if self.weather.on("outage"):
            return HttpResponse(503, {}, b"<html>maintenance</html>")
        fault = self._met(method, about_keys=path == KEYS_PATH)
        if fault is None or (fault.variant == "empty" and method in ("PUT", "DELETE")):  # that is a success
            return None
        match fault.variant:
            case "timeout":
                return HttpResponse(0, {}, b"")
            case "500":
                return HttpResponse(500, {}, b"")
            case "html":
                return HttpResponse(502, {}, b"<html><body>502 Bad Gateway</body></html>")
            case "empty":
                return HttpResponse(200, {}, b"")
            case "429":
                return HttpResponse(429, {"retry-after": "3"}, b"")
        refusal = self._limits.disabled_until(path, EPOCH + int((fault.at + fault.seconds) * 1000))
        return _json(200, {"code": refusal.code, "msg": refusal.message, "data": {}, "timestamp": now})

    def _about_keys(self, method: str, params: dict[str, str], now: int) -> HttpResponse:
        weather, key = self.weather, params.get("listenKey", "")
        if method == "POST":
            if weather.on("mint_error"):
                raise OrderRefused(100500, "The current system is busy, please try again later")
            key = self.keys.mint(now, same=weather.on("same_key") is not None)
            bare = {"listenKey": key}
            return _json(200, {"code": 0, "msg": "", "data": bare} if self._setup.wrapped_keys else bare)
        if method == "PUT":
            if weather.on("renew_gone"):
                self.ended_keys.add(key)
                self.keys.delete(key, now)
            done = self.keys.renew(key, now)
        else:
            done = self.keys.delete(key, now)
        if done:
            return HttpResponse(200, {}, b"")
        self._limits.failed(method, KEYS_PATH, 404, now)
        return HttpResponse(404, {}, b"This listenKey does not exist")

    def _sight(self, path: str, now: int) -> Sight:
        lag = self.weather.on("lag")
        return Sight(
            fills_until=None if lag is None else now - 500 - lag.salt % 3000,
            lag_income=lag is not None and "income" in lag.variant,
            empty_amounts=path.endswith("/balance") and self.weather.on("blank") is not None,
        )


def _json(status: int, body: object) -> HttpResponse:
    return HttpResponse(status, {}, _encode(body))
