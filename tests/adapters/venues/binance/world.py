"""A Binance account on virtual time, with the real core and services, and faults between them."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from listenkey.adapters.venues.binance.keys import Keys
from listenkey.adapters.venues.binance.pace import Pace
from listenkey.adapters.venues.binance.reader import Reader
from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import AccountUpdate, ExchangeEvent
from listenkey.core.policy import Policy
from listenkey.ports.errors import RequestRefused
from listenkey.ports.service import Both, NoAnswer, Outcome, Request, Service, Wait

from .venue import Call, Row, Venue, balance_row, fill_row, income_row, order_row, position_row, refused

LATENCY = 0.02
SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT")
PRICE = Decimal(10)
Costs = tuple[Decimal, str, Decimal]
"""A fee, its asset, and a PnL in USDT."""
Done = Callable[[Any, Exception | None], None]


class World(Venue):
    """A venue whose clock is the world's; if `unreachable` no request is answered, and `silent` sockets are dead."""

    def __init__(self, seed: int, **policy: float) -> None:
        self.now = 1000.0
        super().__init__()
        self.rng = Random(seed)
        self.unreachable = self.busy = False
        self.lag = 0
        """Delay of the lists of fills and income, in ms; orders, positions and balances have none."""
        self.loses = 0.0
        """Share of the frames that are lost."""
        self.silent: set[int] = set()
        self.open: dict[int, str] = {}
        self.delivered: list[ExchangeEvent] = []
        self.truth: dict[tuple[str, str, Decimal], tuple[Decimal, Decimal, str]] = {}
        """Quantity, fee and trade id of each fill, by symbol, order and end."""
        self.wallet = {"USDT": Decimal(1000), "BNB": Decimal(1)}
        self.held = dict.fromkeys(SYMBOLS, Decimal(0))
        self._numbers = {symbol: itertools.count(1) for symbol in SYMBOLS}
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        rest = self.rest(pace=Pace(lots=self.rng))
        self._keys, self._reader = Keys(rest), Reader(rest)
        self._show()
        self.connection = Connection(UsdmDialect(), Policy(**policy), seed=seed)  # type: ignore[arg-type]
        self.feed(inputs.Start())

    @property
    def seconds(self) -> float:
        return self.now

    @seconds.setter
    def seconds(self, _: float) -> None:
        """Ignore a new time, because the world moves its clock."""

    def at(self, when: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), what))

    def passes(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            planned = self._heap[0][0] if self._heap else float("inf")
            when = min(planned, self.connection.deadline)
            if when > until:
                break
            self.now = max(self.now, when)
            if planned <= when:
                heapq.heappop(self._heap)[2]()
            else:
                self.feed(inputs.Tick())
        self.now = until

    def _window(self, call: Call, rows: list[Row], name: str) -> Any:
        if call.name == "income":
            rows = [row for row in rows if row["time"] <= self.ms() - self.lag]
        return super()._window(call, rows, name)

    def _trades(self, call: Call) -> Any:
        self.hidden_after = self.ms() - self.lag
        return super()._trades(call)

    # Changes of the account

    def place(self, symbol: str, quantity: str) -> int:
        order_id = next(self._numbers[symbol])
        side = self.rng.choice(("BUY", "SELL"))
        row = order_row(order_id, self.ms(), status="NEW", executed="0", symbol=symbol, origQty=quantity, side=side)
        row |= {"price": "10", "avgPrice": "0"}
        self.orders.append(row)
        self._push_order(row, "NEW")
        return order_id

    def running(self) -> list[Row]:
        return [row for row in self.orders if row["status"] in ("NEW", "PARTIALLY_FILLED")]

    def fill(self, row: Row, quantity: Decimal, trade: int | None = None, costs: Costs | None = None) -> int:
        """Execute a part of an order, with no fee, a fee in USDT or one in BNB; return the trade id."""
        trade = next(self._numbers[row["symbol"]]) if trade is None else trade
        executed = Decimal(row["executedQty"]) + quantity
        over = executed == Decimal(row["origQty"])
        row |= {"executedQty": str(executed), "status": "FILLED" if over else "PARTIALLY_FILLED", "avgPrice": "10"}
        row["updateTime"] = at = self.ms()
        fee, asset = self.rng.choice(((Decimal(0), "USDT"), (Decimal("0.01"), "USDT"), (Decimal("0.0001"), "BNB")))
        pnl = self.rng.choice((Decimal(0), Decimal("0.5"), Decimal("-0.25")))
        fee, asset, pnl = costs or (fee, asset, pnl)
        symbol = row["symbol"]
        shown = {"commission": str(fee), "commissionAsset": asset, "realizedPnl": str(pnl), "price": "10"}
        self.fills.append(fill_row(trade, row["orderId"], at, str(quantity), symbol=symbol, side=row["side"], **shown))
        for kind, change, unit in (("COMMISSION", -fee, asset), ("REALIZED_PNL", pnl, "USDT")):
            if change:
                named = {"tradeId": str(trade), "asset": unit, "symbol": symbol}
                self.income.append(income_row(kind, str(change), at, len(self.income) + 1, **named))
                self.wallet[unit] += change
        self.held[symbol] += quantity if row["side"] == "BUY" else -quantity
        self.truth[symbol, str(row["orderId"]), executed] = (quantity, fee, str(trade))
        self._show()
        last = {"l": str(quantity), "L": "10", "n": str(fee), "N": asset, "t": trade, "rp": str(pnl)}
        frames = [self._order_frame(row, "TRADE", **last), self._account_frame("ORDER", symbol)]
        self.rng.shuffle(frames)
        for frame in frames:
            self.push(frame)
        return trade

    def cancel(self, row: Row) -> None:
        row |= {"status": "CANCELED", "updateTime": self.ms()}
        self._push_order(row, "CANCELED")

    def fund(self, symbol: str) -> None:
        self.wallet["USDT"] -= Decimal("0.125")
        self.income.append(income_row("FUNDING_FEE", "-0.125", self.ms(), len(self.income) + 1, symbol=symbol))
        self._show()
        frame = self._account_frame("FUNDING_FEE", None)
        frame["a"]["B"] = [row | {"bc": "-0.125"} for row in frame["a"]["B"] if row["a"] == "USDT"]
        frame["a"]["S"] = symbol
        self.push(frame)

    def expire(self, *, said: bool) -> None:
        """Delete the key, as another client can, with or without a pushed expiry."""
        gone, self.key = self.key, None
        if said:
            self.push({"e": "listenKeyExpired", "E": self.ms(), "listenKey": gone}, gone)

    def cut(self) -> None:
        """Break every socket."""
        for socket in [*self.open]:
            del self.open[socket]
            self.feed(inputs.SocketClosed(socket, 1006))

    def push(self, event: dict[str, Any], key: str | None = None) -> None:
        """Push an event to every live socket of the key, except for frames that are lost."""
        text = json.dumps(event, separators=(",", ":"))
        for socket, opened_with in self.open.items():
            if opened_with == (key or self.key) and socket not in self.silent and self.rng.random() >= self.loses:
                self.at(self.now + LATENCY, lambda socket=socket: self._frame(socket, text))  # type: ignore[misc]

    # Answers to the connection

    def feed(self, received: inputs.Input) -> None:
        for action in self.connection.handle(received, now=self.now):
            self._perform(action)

    def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.CreateKey():
                self._ask(action, self._keys.create(), lambda grant: action.granted(*grant))
            case actions.RenewKey():
                self._ask(action, self._keys.renew(action.key), action.renewed)
            case actions.ReadAccount():
                service = self._reader.read(action.since, action.orders, purpose=action.purpose)
                self._ask(action, service, action.read)
            case actions.OpenSocket(socket):
                self.at(self.now + LATENCY, lambda: self._dialled(action))
            case actions.CloseSocket(socket):
                self.open.pop(socket, None)
                self.at(self.now + LATENCY, lambda: self.feed(action.closed()))
            case actions.SendPing(socket):
                if socket in self.open and socket not in self.silent:
                    self.at(self.now + 2 * LATENCY, lambda: self.feed(inputs.Heard(socket)))
            case actions.DeleteKey():
                raise AssertionError("it is the account's key")
            case actions.Deliver(event):
                self.delivered.append(event)

    def _dialled(self, action: actions.OpenSocket) -> None:
        if self.unreachable:
            self.feed(action.closed())
        else:
            self.open[action.socket] = action.key
            self.feed(action.opened())

    def _ask(self, action: Any, service: Service[Any], answer: Callable[[Any], inputs.Input]) -> None:
        def done(result: Any, error: Exception | None) -> None:
            if error is None:
                self.feed(answer(result))
            else:
                assert isinstance(error, RequestRefused), error
                self.feed(action.refused(error.refusal))

        self._run(service, done)

    def _run(self, service: Service[Any], done: Done) -> None:
        """Run a service step by step, while other things happen."""

        def advance(outcome: Outcome, *, first: bool = False) -> None:
            try:
                step = next(service) if first else service.send((self.now, outcome))
            except StopIteration as end:
                done(end.value, None)
            except Exception as error:
                done(None, error)
            else:
                self._step(step, advance)

        advance(None, first=True)

    def _step(self, step: Request | Wait | Both, advance: Callable[[Outcome], None]) -> None:
        match step:
            case Request():
                self.at(self.now + LATENCY, lambda: self._answered(step, advance))
            case Wait(until):
                self.at(until, lambda: advance(None))
            case Both(parts):
                results: list[Any] = [None] * len(parts)
                failures: list[Exception] = []
                left = len(parts)

                def ended(place: int, result: Any, error: Exception | None) -> None:
                    nonlocal left
                    left -= 1
                    results[place] = result
                    if error is not None:
                        failures.append(error)
                    if not left:
                        advance(failures[0] if failures else tuple(results))

                if not parts:
                    self.at(self.now, lambda: advance(()))
                for place, part in enumerate(parts):
                    self._run(part, lambda result, error, place=place: ended(place, result, error))  # type: ignore[misc]

    def _answered(self, asked: Request, advance: Callable[[Outcome], None]) -> None:
        if self.unreachable:
            found: Outcome = NoAnswer("nobody is there")
        elif self.busy and self.rng.random() < 0.3:
            found = refused(-1008, "Request throttled by system-level protection.", 503)
        else:
            found = self.request(asked.method, asked.url, headers=asked.headers, timeout=asked.timeout)
        self.at(self.now + LATENCY, lambda: advance(found))

    def _frame(self, socket: int, text: str) -> None:
        if socket in self.open and socket not in self.silent:
            self.feed(inputs.FrameReceived(socket, text))

    def _show(self) -> None:
        self.balances = [balance_row(asset, str(amount)) for asset, amount in self.wallet.items()]
        self.positions = [
            position_row(symbol, str(amount), entryPrice="10", updateTime=self.ms())
            for symbol, amount in self.held.items()
            if amount
        ]

    def _push_order(self, row: Row, execution: str) -> None:
        self.push(self._order_frame(row, execution))

    def _order_frame(self, row: Row, execution: str, **last: Any) -> dict[str, Any]:
        at = self.ms()
        body = {"s": row["symbol"], "c": "mine", "S": row["side"], "o": "LIMIT", "f": "GTC", "q": row["origQty"]}
        body |= {"p": "10", "ap": row["avgPrice"], "x": execution, "X": row["status"], "i": row["orderId"], "T": at}
        body |= {"l": "0", "L": "0", "n": "0", "N": "USDT", "t": 0, "rp": "0", "ps": "BOTH", "z": row["executedQty"]}
        return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": {**body, **last}}

    def _account_frame(self, reason: str, symbol: str | None) -> dict[str, Any]:
        at = self.ms()
        owned = [{"a": asset, "wb": str(amount), "cw": str(amount), "bc": "0"} for asset, amount in self.wallet.items()]
        amount = Decimal(0) if symbol is None else self.held[symbol]
        held = {"s": symbol, "pa": str(amount), "ep": "10" if amount else "0", "up": "0", "mt": "cross", "ps": "BOTH"}
        body = {"B": owned, "P": [] if symbol is None else [held], "m": reason}
        return {"e": "ACCOUNT_UPDATE", "E": at, "T": at, "a": body}

    def last_account(self) -> tuple[dict[str, Decimal | None], dict[str, Decimal]]:
        """Return the wallets and positions that all updates together give."""
        wallets: dict[str, Decimal | None] = {}
        held: dict[str, Decimal] = {}
        for event in self.delivered:
            if isinstance(event, AccountUpdate):
                if event.complete:
                    held.clear()
                wallets |= {row.asset: row.wallet_balance for row in event.balances}
                held |= {row.symbol: -row.qty if row.side == "SHORT" else row.qty for row in event.positions}
        return wallets, {symbol: amount for symbol, amount in held.items() if amount}
