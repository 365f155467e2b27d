"""Successful answers that are wrong: no list, rows that cannot be read, orders that the venue has lost."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from listenkey.adapters.simulator.binance.errors import NO_SUCH_ORDER, Refusal
from listenkey.adapters.simulator.orders import OrderRefused

from .faults import Fault
from .weather import Weather

HOLLOW: dict[str, Any] = {
    "bare": {},
    "empty": {"code": 0, "msg": ""},
    "busy": {"code": 0, "msg": "system busy, please try again later", "data": {}},
    "null": {"code": 0, "msg": "", "data": None},
    "once": {"code": 0, "msg": "", "data": None},
    "once []": {"code": 0, "msg": "", "data": []},
}


class Columns(NamedTuple):
    """A venue's names of columns and endpoints, and its refusals of an unknown order and of income."""

    fills: str
    trade: str
    positions: str
    denied: Callable[[], Exception]
    forbidden: Callable[[], Exception]

    def spoilt(self, of: str) -> tuple[str, str]:
        """Return the endpoints that show such a row, and the column by which one row of three is chosen."""
        return {
            "fill": (self.fills, self.trade),
            "order": ("Order", "orderId"),
            "position": (self.positions, "positionAmt"),
            "income": ("income", "tranId"),
        }[of]


STUMBLE_EVERY = 7
STUTTER = 0.4
_OVER = frozenset({"FILLED", "CANCELED", "CANCELLED", "EXPIRED", "REJECTED", "FAILED"})
OF_SWAP = Columns(
    "fillHistory",
    "tradeId",
    "positions",
    lambda: OrderRefused(80016, "order not exist"),
    lambda: OrderRefused(100004, "Permission denied as the API key was created without the permission"),
)
OF_USDM = Columns(
    "userTrades",
    "id",
    "positionRisk",
    lambda: Refusal(NO_SUCH_ORDER, "Order does not exist."),
    lambda: Refusal(-2015, "Invalid API-key, IP, or permissions for action."),
)


class Spoiling:
    """Changes answers by the faults in force. `ghosts` are the ids of orders that the venue denies.

    A list of fills has at most `most_fills` rows.
    """

    def __init__(self, weather: Weather, columns: Columns, audit_interval: float, most_fills: int | None) -> None:
        self.ghosts: set[int] = set()
        self._columns = columns
        self._weather = weather
        self._audit_interval = audit_interval
        self._most_fills = float("inf") if most_fills is None else most_fills
        self._answered: set[Fault] = set()
        self._spoiled: set[int] = set()
        self._shown: dict[tuple[str, str], float] = {}
        """When each unreadable row was first shown, by the kind of row and its name."""
        self._emptied = False
        """The last list of positions was an empty one in place of a true one."""
        self._asked = 0
        self._random = Random(0)
        weather.begins.append(self._begin)

    def _begin(self, fault: Fault, random: Random) -> None:
        if fault.kind == "stutter":
            self._random = random
        elif fault.kind == "odd":
            self._shown.clear()

    @property
    def newest_odd(self) -> float:
        """When the newest of the unreadable rows was first shown."""
        return max(self._shown.values(), default=float("-inf"))

    def is_about(self, order_id: int, trade_id: int) -> bool:
        """True if a row that cannot be read may be about this fill, or about its order."""
        odd = self._weather.on("odd")
        if odd is None or odd.variant not in ("fill", "order"):
            return False
        if odd.variant == "order":
            return _is_chosen(order_id, odd)
        return order_id in self._spoiled or _is_chosen(trade_id, odd)

    def is_written_off(self, order_id: int, trade_id: int) -> bool:
        """True if it may, and the row has been unreadable for two audit intervals."""
        odd = self._weather.on("odd")
        if odd is None or self._weather.now - odd.at < 2 * self._audit_interval:
            return False
        return self.is_about(order_id, trade_id)

    def fails(self) -> Fault | None:
        """The fault by which this read fails, if one does."""
        weather = self._weather
        stutter = weather.on("stutter")
        if stutter is not None and self._random.random() < STUTTER:
            return stutter
        stumble = weather.on("stumble")
        if stumble is not None:
            self._asked += 1
            if self._asked % STUMBLE_EVERY == 0:
                return stumble
        return weather.on("flap")

    def refuse(self, path: str, params: dict[str, str]) -> None:
        """Raise the venue's refusal if a fault refuses this request."""
        if path.endswith("/income") and self._weather.on("no_income") is not None:
            raise self._columns.forbidden()
        if path.endswith("/order") and int(params.get("orderId", 0)) in self.ghosts:
            raise self._columns.denied()

    def hollow(self, path: str) -> tuple[Any] | None:
        """Return the answer, in a tuple, that replaces a list of positions, or None if none does.

        No two in a row are empty lists: nothing could show that these are not true.
        """
        if not path.endswith(f"/{self._columns.positions}"):
            return None
        hollow, emptied, self._emptied = self._weather.on("hollow"), self._emptied, False
        if hollow is None or hollow in self._answered or (emptied and hollow.variant == "once []"):
            return None
        self._emptied = hollow.variant == "once []"
        if hollow.variant.startswith("once"):
            self._answered.add(hollow)
        return (HOLLOW[hollow.variant],)

    def spoil(self, path: str, data: Any) -> None:
        """Change the rows of an answer as the faults in force demand."""
        columns = self._columns
        name = path.rsplit("/", 1)[1]
        rows = _rows(data)
        if name in ("openOrders", "allOrders") and self.ghosts:
            rows[:] = [row for row in rows if int(row["orderId"]) not in self.ghosts]
        if name == columns.fills and 0 < len(rows) < self._most_fills - 1 and self._weather.on("zero") is not None:
            rows.append({**rows[-1], _size(rows[-1]): "0", columns.trade: "77"})
        unread = self._weather.on("unread")
        if unread is not None and "rder" in name:
            for row in rows:
                if row["status"] in _OVER and _is_chosen(row["orderId"], unread):
                    row["executedQty"] = ""
        fault = self._weather.on("odd")
        if fault is not None:
            self._note_odd(name, fault, _make_odd(name, rows, fault, *columns.spoilt(fault.variant)))
            if fault.variant == "fill" and name == columns.fills:
                self._spoiled |= {int(row["orderId"]) for row in rows if row[_size(row)] == ""}

    def _note_odd(self, name: str, fault: Fault, odd: list[str]) -> None:
        shown, of, now = self._shown, fault.variant, self._weather.now
        if of == "position" and name == self._columns.positions:  # a position that was closed is new again
            self._shown = {key: at for key, at in shown.items() if key[0] != of}
        self._shown |= {(of, row): shown.get((of, row), now) for row in odd}


def _make_odd(name: str, rows: list[dict[str, Any]], fault: Fault, endpoint: str, chooser: str) -> list[str]:
    """Make the chosen rows of an answer unreadable; return the names of these rows."""
    if endpoint.lower() not in name.lower():
        return []
    if fault.variant == "position":
        chosen, figure = rows, "positionAmt"
    else:
        chosen = [row for row in rows if _is_chosen(row[chooser], fault)]
        figure = {"order": "status", "income": "income"}.get(fault.variant, "")
    for row in chosen:
        row[figure or _size(row)] = ""
    if fault.variant == "position":
        return [f"{row['symbol']} {row['positionSide']}" for row in chosen]
    return [str(row[chooser]) for row in chosen]


def _rows(data: Any) -> list[dict[str, Any]]:
    """The rows of an answer, to be changed in place."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, (list, dict))), [])
    return data if isinstance(data, list) else [data]


def _size(row: dict[str, Any]) -> str:
    return "volume" if "volume" in row else "qty"


def _is_chosen(value: Any, fault: Fault) -> bool:
    """True for one value in three, the same ones as long as the fault lasts."""
    digits = "".join(letter for letter in str(value) if letter.isdigit())
    return (int(digits or 0) + fault.salt) % 3 == 0
