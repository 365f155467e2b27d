"""A simulated exchange in a thread and an event loop of its own, for tests of bots that may be synchronous or not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack

from ..simulator.moves import Moves
from ..simulator.orders import OrderRefused as OrderRefused
from ..simulator.server import Server
from ..simulator.settings import Settings
from .redirect import redirect

T = TypeVar("T")
Amount = Decimal | int | str


class Access(TypedDict):
    """The URLs of an exchange, and the API key and secret of its account."""

    api_key: str
    api_secret: str
    rest_url: str
    ws_url: str


class SimulatedExchange:
    """A simulated exchange as a context manager, which can be entered once.

    Each method is carried out in the exchange's thread before it returns. It may be called from any thread, and from
    a coroutine, which blocks its event loop for that short time.

    `port` 0 takes any free port; `settings` are those of `listenkey simulate`. Raises `ValueError` for a setting that
    is not allowed, and on entering `OSError` for a port that is taken.
    """

    def __init__(self, *, port: int = 0, **settings: Unpack[Settings]) -> None:
        if unknown := [name for name in settings if name not in Settings.__annotations__]:
            raise ValueError(f"{unknown[0]!r} is no setting; allowed: {', '.join(Settings.__annotations__)}")
        self._settings: Mapping[str, Any] = dict(settings)
        self._server = Server(port=port, **settings)
        self._moves = Moves(self._server)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._up: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="simulated exchange", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if error is None:
            self._ended.result()

    @property
    def rest_url(self) -> str:
        """The URL of its REST interface, without a path."""
        return self._server.rest_url

    @property
    def ws_url(self) -> str:
        """The URL of its WebSocket interface, with a path, without a listen key."""
        return self._server.ws_url

    @property
    def api_key(self) -> str:
        """The account's API key."""
        return self._server.api_key

    @property
    def api_secret(self) -> str:
        """The API key's secret."""
        return self._server.api_secret

    @property
    def access(self) -> Access:
        """The arguments for `open_venue("bingx-swap", **access)`. Raises `RuntimeError` if it was not entered."""
        if not self.rest_url:
            raise RuntimeError("the exchange is not up: write `with SimulatedExchange() as exchange:`")
        return {
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "rest_url": self.rest_url,
            "ws_url": self.ws_url,
        }

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings as they were given."""
        return self._settings

    def redirect(self, client: T) -> T:
        """Make a BingX client of ccxt, synchronous, asynchronous or pro, talk to this exchange, and return it.

        From then on the client is in ccxt's sandbox mode, in which ccxt knows only perpetual swaps.
        """
        return redirect(client, **self.access)

    def truth(self) -> dict[str, Any]:
        """Return the account as it is now: `fills orders positions wallet fees …`, and the exchange's `log`."""
        return self._do(self._server.truth)

    def now(self) -> int:
        """Exchange time, ms."""
        return self._do(self._server.now)

    def advance(self, seconds: float) -> None:
        """Move exchange time ahead by `seconds`; everything that is due meanwhile happens at its own time."""
        self._do(lambda: self._server.advance(seconds))

    def quiet(self, on: bool = True) -> None:
        """Stop the seeded activity, or start it again if `on` is false."""
        self._do(lambda: self._server.quiet(on))

    def fault(self, name: str, *, after: float = 0.0, seconds: float | None = None, count: int = 1, **of: Any) -> None:
        """Plan a fault: it begins in `after` seconds, and holds for `seconds` or happens `count` times.

        `listenkey simulate --list-faults` lists the faults with their parameters. Raises `ValueError` if something
        is not allowed.
        """
        self._do(lambda: self._server.fault(name, after=after, seconds=seconds, count=count, **of))

    def clear(self, name: str) -> None:
        """End a fault."""
        self._do(lambda: self._server.faults.clear(name))

    def trade(self, symbol: str, side: str, qty: Amount, **details: Any) -> list[dict[str, Any]]:
        """Place a market order and fill it at once; return its fills as in `truth`. `position_side`, `parts`."""
        fills: list[dict[str, Any]] = self.move("trade", symbol=symbol, side=side, qty=qty, **details)
        return fills

    def place(self, symbol: str, side: str, qty: Amount, **details: Any) -> dict[str, Any]:
        """Place an order that waits to be filled; return it as in `truth`. `type`, `price`, `position_side` …"""
        order: dict[str, Any] = self.move("place", symbol=symbol, side=side, qty=qty, **details)
        return order

    def fill(self, order_id: str | int, qty: Amount | None = None, *, price: Amount | None = None) -> dict[str, Any]:
        """Fill an order, or `qty` of it, at its own price or at `price`; return the fill as in `truth`."""
        fill: dict[str, Any] = self.move("fill", order_id=str(order_id), qty=qty, price=price)
        return fill

    def cancel(self, order_id: str | int) -> dict[str, Any]:
        """Cancel the unfilled rest of an order; return the order as in `truth`."""
        order: dict[str, Any] = self.move("cancel", order_id=str(order_id))
        return order

    def move(self, name: str, **details: Any) -> Any:
        """Make a move of `POST /simulator/NAME`.

        There are also `expire trigger amend liquidate funding transfer leverage margin cross`. Raises `OrderRefused`
        with the venue's `code` if the venue would refuse it, and `ValueError` for an unknown name.
        """
        if name not in self._moves.names:
            raise ValueError(f"{name!r} is not one of {', '.join(self._moves.names)}")
        return self._do(lambda: self._moves.make(name, details))

    def _do(self, act: Callable[[], T]) -> T:
        done: Future[T] = Future()

        def handed_over() -> None:
            try:
                done.set_result(act())
            except BaseException as error:
                done.set_exception(error)

        if self._thread.ident is None:  # not entered yet
            return act()
        if self._loop is None:
            raise ValueError("this simulated exchange has ended")
        self._loop.call_soon_threadsafe(handed_over)
        return done.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._ended.set_exception(error)
            if not self._up.done():
                self._up.set_exception(error)
        else:
            self._ended.set_result(None)
        finally:
            self._loop = None

    async def _serve(self) -> None:
        async with self._server:
            self._loop = asyncio.get_running_loop()
            self._up.set_result(None)
            await self._stop.wait()
