"""Frames as the venue writes them, each a dict: frames of orders have one of three shapes and an event name.

`captured` is the oldest shape, `td` the newest that was captured: it has trade ids. `modern` also has the quantity and
price of the last fill, as in the newest documentation.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import Any, Literal, get_args

import msgspec

from .account import BalanceView, PositionView
from .amounts import ZERO, eight, plain
from .orders import TRIGGERS
from .pushes import AccountPush, ConfigPush, OrderPush, Push
from .seeds import seeded

Frame = dict[str, Any]
WireName = Literal["modern", "captured", "td"]
EventName = Literal["ORDER_TRADE_UPDATE", "TRADE_UPDATE", "mixed"]

_encoder = msgspec.json.Encoder()


def packed(content: object) -> bytes:
    """The bytes of one binary frame: a gzip member of JSON, or of the text if `content` is one."""
    text = content.encode() if isinstance(content, str) else _encoder.encode(content)
    return gzip.compress(text, 1, mtime=0)


PING = packed("Ping")


class Wire:
    """Turns pushes into frames; fields in which the real wire varies are drawn by the seed.

    `event_name` is the name in frames of orders; with `mixed` one of the two is drawn for each frame.
    """

    def __init__(
        self, name: WireName = "modern", *, seed: int = 0, event_name: EventName = "ORDER_TRADE_UPDATE"
    ) -> None:
        if name not in get_args(WireName):
            raise ValueError(f"wire is {' or '.join(get_args(WireName))}, not {name!r}")
        if event_name not in get_args(EventName):
            raise ValueError(f"event name is {' or '.join(get_args(EventName))}, not {event_name!r}")
        self.exact = name == "modern"
        """True if a frame has its fill's own quantity; without, a fill whose frame is lost merges into the next."""
        self._recent = name != "captured"
        self._event_name = event_name
        self._random = seeded(seed, "wire")

    def frame(self, push: Push) -> Frame:
        """The frame that a push becomes."""
        match push:
            case OrderPush():
                return self._order(push)
            case AccountPush():
                return self._account(push)
            case ConfigPush():
                return {"e": "ACCOUNT_CONFIG_UPDATE", "E": push.due, "ac": _config(push)}

    def snapshot(
        self,
        balances: Iterable[BalanceView],
        positions: Iterable[PositionView],
        configs: Iterable[ConfigPush],
        now: int,
    ) -> list[Frame]:
        """The frames that a new socket gets: the account, then each symbol's configuration."""
        account = {
            "m": "INIT",
            "B": [_balance(each) for each in balances],
            "P": [self._position(each) for each in positions],
        }
        frames: list[Frame] = [{"e": "SNAPSHOT", "E": now, "a": account}]
        return [*frames, *({"e": "SNAPSHOT", "E": now, "ac": _config(each)} for each in configs)]

    def _order(self, push: OrderPush) -> Frame:
        order, fill = push.order, push.fill
        price = order.price if order.price is not None else order.guard
        trade_time = push.ts if fill is not None and self._random.random() < 0.7 else 0
        body: Frame = {
            "s": order.symbol,
            "c": order.client_id,
            "i": order.id,
            "S": order.side,
            "o": order.type,
            "q": eight(order.qty),
            "p": "" if order.type in TRIGGERS and order.price is None else eight(price),
            "sp": eight(order.stop_price or ZERO),
            "ap": eight(order.average),
            "x": push.execution,
            "X": order.status,
            "N": order.asset,
            "n": eight(-fill.fee if fill else ZERO),
            "T": trade_time,
            "wt": "MARK_PRICE" if self._random.random() < 0.9 else "",
            "ps": order.position_side,
            "rp": eight(fill.pnl if fill else ZERO),
            "z": eight(order.executed),
        }
        if self._recent:
            body |= {
                "sg": "false",
                "ti": order.triggered_by,
                "ro": order.reduce_only,
                "td": fill.trade_id if fill else 0,
                "tv": f"{fill.qty * fill.price:.1f}" if fill else "0",
            }
        if self.exact:
            body |= {"l": eight(fill.qty if fill else ZERO), "L": eight(fill.price if fill else ZERO)}
        times = {"E": push.due, "T": push.ts} if self._recent else {"E": push.due}
        return {"e": self._name(), **times, "o": body}

    def _name(self) -> str:
        if self._event_name == "mixed":
            return "TRADE_UPDATE" if self._random.random() < 0.5 else "ORDER_TRADE_UPDATE"
        return self._event_name

    def _account(self, push: AccountPush) -> Frame:
        account: Frame = {"m": push.reason, "B": [_balance(each) for each in push.balances]}
        if push.positions is not None:
            account["P"] = [self._position(each) for each in push.positions]
        return {"e": "ACCOUNT_UPDATE", "E": push.due, "a": account}

    def _position(self, view: PositionView) -> Frame:
        row: Frame = {
            "s": view.symbol,
            "pa": eight(view.qty if view.side == "BOTH" else abs(view.qty)),
            "ep": eight(view.entry),
            "up": eight(view.unrealised),
            "mt": view.margin_mode,
            "iw": eight(view.margin + view.unrealised),
            "ps": view.side,
        }
        if self._recent:
            row["cr"] = eight(view.realised)
        return row


def key_expired(key: str, now: int) -> Frame:
    """The notice that a listen key has ended."""
    return {"e": "listenKeyExpired", "E": now, "listenKey": key}


def refusal(code: int, message: str, id: str = "") -> Frame:
    """The answer to a client's text that the venue does not understand."""
    return {"id": id, "code": code, "msg": message, "dataType": "", "data": None}


def _balance(view: BalanceView) -> Frame:
    change = eight(view.change) if view.change else plain(ZERO)
    return {"a": view.asset, "wb": eight(view.wallet), "cw": eight(view.free), "bc": change}


def _config(push: ConfigPush) -> Frame:
    return {"s": push.symbol, "l": push.long_leverage, "S": push.short_leverage, "mt": push.margin_mode}
