"""The world with Binance's wire: text frames, one key for the account, probes of liveness, and lists by symbol."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from listenkey.adapters.simulator.binance.errors import Refusal, no_such_path
from listenkey.adapters.simulator.binance.family import INSTRUMENTS, STOCK, WORTH
from listenkey.adapters.simulator.binance.holdings import Holdings
from listenkey.adapters.simulator.binance.readings import readings
from listenkey.adapters.simulator.binance.records import Records
from listenkey.adapters.simulator.binance.routes import CLEAR, Sight
from listenkey.adapters.simulator.binance.wire import Wire
from listenkey.adapters.simulator.binance.words import named
from listenkey.adapters.simulator.book import Wallet
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.pushes import Push
from listenkey.adapters.simulator.wire import WireName
from listenkey.adapters.venues.binance.pace import Pace
from listenkey.adapters.venues.binance.reader import Reader
from listenkey.adapters.venues.binance.rest import Rest
from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core import actions
from listenkey.core.policy import Mode
from listenkey.ports.http import HttpResponse

from .history import History
from .world import EPOCH, World

TIME = "/fapi/v1/time"
LITE = "TRADE_LITE"
_encode = msgspec.json.Encoder(decimal_format="string").encode


class UsdmWorld(World):
    """A connection in `mode` that runs through a history at a venue with these readings."""

    def __init__(self, mode: Mode, history: History, *, facts: Mapping[str, str], page: int) -> None:
        self._facts, self._page = facts, page
        super().__init__(mode, history)

    def _set_up(self, history: History, wire: WireName) -> None:
        self._readings = chosen = readings(self._facts)
        triggered = "framed" if history.triggered == "own" else history.triggered
        self.exchange = Exchange(
            now=EPOCH,
            seed=history.seed,
            hedge=history.hedge,
            triggered=triggered,
            instruments=INSTRUMENTS,
            naming=named,
        )
        if chosen.fees != "USDT":
            self.exchange.account.fees_in = (chosen.fees, WORTH)
            self.exchange.account.book.wallets.setdefault(chosen.fees, Wallet(STOCK, STOCK))
        records = Records(self.exchange, chosen)
        self._routes = {**Holdings(self.exchange, records, chosen).routes, **records.routes}
        self._written_as = Wire(self.exchange, chosen, seed=history.seed)
        self._dialect = UsdmDialect()
        self._reader = Reader(Rest("https://venue.test", "k", "s", pace=Pace(limited=False)), page=self._page)
        self.exact = chosen.forced_fee == "shown"
        self._current = ""

    def _answer(self, path: str, params: dict[str, str], now: int) -> HttpResponse:
        if path == TIME:
            return HttpResponse(200, {}, _encode({"serverTime": now}))
        hidden = self._hidden_until(now)
        sight = CLEAR if hidden is None else Sight(hidden, hidden if self._hides_all else None)
        try:
            route = self._routes.get(f"GET {path}")
            if route is None:
                raise no_such_path("GET", path)
            body = route(params, now, sight)
        except Refusal as refused:
            return HttpResponse(refused.status, {}, _encode({"code": refused.code, "msg": refused.message}))
        self.spoil_answer(path, body)
        return HttpResponse(200, {}, _encode(body))

    def _written(self, push: Push) -> list[bytes | str]:
        frames = []
        for frame in self._written_as.frames(push):
            content = msgspec.json.decode(frame)
            self.spoil_frame(content)
            if content["e"] != LITE:
                frames.append(_encode(content).decode())
        return [*frames]

    def _greeted(self, socket: int) -> None:
        """Do nothing: no frame comes unasked."""

    def _expiry(self, key: str) -> list[bytes | str]:
        return [frame.decode() for frame in self._written_as.expiry(key, self.ms(self.now))]

    def _key(self, request: int) -> str:
        if not self._current or self._current in self._expired:
            self._current = super()._key(request)
        return self._current

    def _renewed(self, key: str) -> str | None:
        """Return the account's key now; if ours has ended, another client has asked for the next one."""
        return self._key(len(self._expired) + 10**6)

    def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.SendPing(socket):
                if self._readings.client_pings == "answered":
                    self._arrive(socket, None)
            case actions.SendFrame(socket, text):
                if self._readings.subscriptions != "none":
                    asked = msgspec.json.decode(text)
                    self._arrive(socket, _encode({"result": ["a stream"], "id": asked["id"]}).decode())
            case _:
                super()._perform(action)
