"""The exchange's door for REST: limits, keys, the account as far as it is shown, and what faults make of it."""

from __future__ import annotations

from random import Random
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

from .agenda import Agenda
from .faults import Fault
from .setup import EPOCH, Setup
from .spoiling import Spoiling
from .weather import Weather

_encode = msgspec.json.encode
TORN = 0.3
"""Share of the requests inside a read that fail: it has about ten."""


class Door:
    """`refused` lists all calls that failed: when, what, and why. `ended_keys` are those that end before their time."""

    def __init__(
        self, agenda: Agenda, weather: Weather, setup: Setup, exchange: Exchange, keys: ListenKeys, ended_keys: set[str]
    ) -> None:
        self.refused: list[tuple[float, str, str]] = []
        self._agenda = agenda
        self.weather = weather
        self._setup = setup
        self._keys = keys
        self._ended_keys = ended_keys
        self._limits = Limits()
        self.spoiling = Spoiling(weather, setup.policy.audit_interval)
        self._skew = 0
        self._torn: Random | None = None
        self._rest = Rest(
            exchange,
            fill_shape=setup.fill_shape,
            symbol_required=setup.by_symbol,
            signed_shorts=setup.signed_shorts,
            closed_stops=setup.closed_stops,
            income_trades=setup.income_trades,
            fill_rows=setup.fill_rows,
        )
        weather.begins.append(self._begin)
        weather.ends.append(self._end)

    def _begin(self, fault: Fault, random: Random) -> None:
        if fault.kind == "skew":
            self._skew = random.randint(-1000, 1000)
        elif fault.kind == "torn_reads":
            self._torn = random

    def _end(self, fault: Fault, random: Random) -> None:
        if fault.kind == "skew":
            self._skew = 0

    def answer(self, method: str, url: str, now: int) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        parts = urlsplit(url)
        path = parts.path
        broken = self._broken(method, path, now)
        if broken is not None:
            self.refused.append((self._agenda.now, method + path, "fault"))
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
            return HttpResponse(200, {}, _encode(self.spoiling.spoil(path, found)))
        except OrderRefused as error:
            self._limits.failed(method, path, error.code, now)
            self.refused.append((self._agenda.now, method + path, error.message))
            return _json(200, {"code": error.code, "msg": error.message, "data": {}, "timestamp": now})

    def _broken(self, method: str, path: str, now: int) -> HttpResponse | None:
        weather = self.weather
        if weather.on("outage"):
            return HttpResponse(503, {}, b"<html>maintenance</html>")
        fault = weather.on("rest_down")
        if fault is None and path != KEYS_PATH:
            fault = weather.on("reads_down") or self._tears() or self.spoiling.fails()
        if fault is None and path == KEYS_PATH and method == "PUT":
            fault = weather.on("renew_busy")
        if fault is None or (fault.variant == "empty" and method in ("PUT", "DELETE")):  # there it is a success
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

    def _tears(self) -> Fault | None:
        fault = self.weather.on("torn_reads")
        return fault if fault is not None and self._torn is not None and self._torn.random() < TORN else None

    def _about_keys(self, method: str, params: dict[str, str], now: int) -> HttpResponse:
        weather, key = self.weather, params.get("listenKey", "")
        if method == "POST":
            if weather.on("mint_error"):
                raise OrderRefused(100500, "The current system is busy, please try again later")
            key = self._keys.mint(now, same=weather.on("same_key") is not None)
            bare = {"listenKey": key}
            return _json(200, {"code": 0, "msg": "", "data": bare} if self._setup.wrapped_keys else bare)
        if method == "PUT":
            if weather.on("renew_gone"):
                self._ended_keys.add(key)
                self._keys.delete(key, now)
            done = self._keys.renew(key, now)
        else:
            done = self._keys.delete(key, now)
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
