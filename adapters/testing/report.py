"""The state and log of a simulated exchange as text, for a person whose test has failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LAST = 10
"""The most rows of a list that are shown, the newest ones."""


def report(truth: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return lines of text. `truth` is `SimulatedExchange.truth()`, `settings` are those that it was made with."""
    log = truth["log"]
    began = min((each["at"] for each in (*log["calls"], *log["openings"], *log["faults"])), default=log["now"])

    def at(row: Mapping[str, Any]) -> str:
        return f"{row['at'] - began:8.3f} s"

    return "\n".join(
        [
            _origin(settings),
            f"exchange time {truth['now']}, {truth['mode'].replace('_', '-')}; "
            f"sockets open {log['sockets_open']}, frames sent {log['frames_sent']}",
            *_part("faults", (f"{at(each)}  {each['name']} {each['detail']}" for each in log["faults"])),
            *_part("calls refused", (f"{at(each)}  {_call(each)}" for each in log["calls"] if _failed(each))),
            *_part("sockets closed", (f"{at(each)}  {_closing(each)}" for each in log["closings"])),
            *_part("orders open", map(_order, (each for each in truth["orders"] if _is_open(each)))),
            *_part("fills", map(_fill, truth["fills"])),
            *_part("positions", map(_position, truth["positions"])),
            *_part("wallets", (f"{asset} {amount}" for asset, amount in truth["wallet"].items())),
        ]
    )


def _origin(settings: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items() if name not in _SECRET)
    if settings.get("time_scale") == 0:
        return f"seed {settings.get('seed', 0)}: with the same calls it is the same again; settings: {given}"
    return f"settings: {given or 'the defaults'}"


_SECRET = frozenset({"api_key", "api_secret", "credentials"})


def _part(title: str, lines: Iterable[str]) -> list[str]:
    rows = list(lines)
    earlier = len(rows) - LAST
    shown = [f"  ({earlier} earlier)", *(f"  {row}" for row in rows[-LAST:])] if earlier > 0 else rows and _in(rows)
    return [f"{title}: {'' if rows else 'none'}".rstrip(), *shown]


def _in(rows: list[str]) -> list[str]:
    return [f"  {row}" for row in rows]


def _failed(call: Mapping[str, Any]) -> bool:
    return bool(call["code"]) or call["status"] != 200


def _call(call: Mapping[str, Any]) -> str:
    answer = f"HTTP {call['status']}" if call["status"] else "no answer"
    return f"{call['method']} {call['path']}: {answer}" + (f", code {call['code']}" if call["code"] else "")


def _closing(closing: Mapping[str, Any]) -> str:
    return f"socket {closing['serial']}: {closing['reason'] or 'the client'}, code {closing['code']}"


def _is_open(order: Mapping[str, Any]) -> bool:
    return order["status"] in {"NEW", "PARTIALLY_FILLED"}


def _order(order: Mapping[str, Any]) -> str:
    return (
        f"{order['symbol']} {order['order_id']} {order['type']} {order['side']} {order['position_side'] or ''} "
        f"{order['executed']} of {order['qty']} at {order['price'] or 'market'}, {order['status']}"
    )


def _fill(fill: Mapping[str, Any]) -> str:
    return (
        f"{fill['ts']}  {fill['symbol']} {fill['order_id']} {fill['side']} {fill['qty']} at {fill['price']}, "
        f"fee {fill['fee']} {fill['fee_asset']}, pnl {fill['realized_pnl']}"
    )


def _position(position: Mapping[str, Any]) -> str:
    return (
        f"{position['symbol']} {position['side']} {position['qty']} at {position['entry_price']}, "
        f"{position['margin_mode']} {position['leverage']}x"
    )
