"""Events in one line for a person: kind, order and amounts."""

from __future__ import annotations

from decimal import Decimal

from ...core.events import (
    AccountUpdate,
    BalanceChange,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    GapNotice,
    HealthChange,
    OrderState,
    Unknown,
)
from ...core.plain import canonical

K = ExchangeEventKind
LONGEST_NAME = 40
REASONS = {
    "lost_socket": "the socket was lost",
    "silent": "the socket fell silent",
    "key_gone": "the listen key is gone",
    "hole": "a frame is missing",
    "balance": "the balance does not add up",
    "oversized": "a frame was too large",
    "read_failed": "the account could not be read",
    "late": "the venue showed a fill late",
    "start": "this run follows an earlier one",
}


def sentence(event: ExchangeEvent) -> str:
    """Return the event as one line, with `?` for figures that are unknown."""
    match event:
        case Fill():
            return f"{'filled' if event.kind is K.FULL_FILL else 'part'} {fill(event)}"
        case FillRevised():
            return f"revised {fill(event)}, pnl {amount(event.realized_pnl)}"
        case OrderState():
            return f"{_STATES.get(event.kind, event.status)} {_order(event)}"
        case AccountUpdate():
            what = "account" if event.complete else f"account ({event.reason or '?'})"
            balances = ", ".join(f"{each.asset} {amount(each.wallet_balance)}" for each in event.balances)
            count = len(event.positions)
            positions = f"{count} position{'' if count == 1 else 's'}" if count else ""
            return f"{what}: {', '.join(filter(None, (balances, positions))) or 'no change'}"
        case FundingFee():
            sure = "provisional " if event.provisional else ""
            return f"{sure}funding {amount(event.amount)} {event.asset or '?'} {event.symbol or ''}".rstrip()
        case BalanceChange():
            return f"{event.reason.lower()} {amount(event.amount)} {event.asset or '?'}"
        case ConfigUpdate():
            levers = f"leverage {event.long_leverage or '?'}/{event.short_leverage or '?'}"
            return f"{event.symbol or '?'}: {levers}, margin {event.margin_mode or '?'}"
        case GapNotice():
            return notice(event)
        case HealthChange():
            return f"{event.health}, {event.state.lower()}"
        case Unknown(raw={"e": str(name)}) if len(name) <= LONGEST_NAME and name.isidentifier():
            return f"{name}, delivered as it came"
    return "a frame that is not understood"


def fill(event: Fill | FillRevised) -> str:
    """Return symbol, side, quantity, price and fee of a fill."""
    fee = f"fee {amount(event.fee)} {event.fee_asset or ''}".rstrip()
    side = " ".join(filter(None, (event.side or "?", event.position_side)))
    return f"{event.symbol} {side} {amount(event.fill_qty)} at {amount(event.fill_price)}, {fee}"


def notice(event: GapNotice) -> str:
    """Return the text of a gap."""
    why = REASONS.get(event.reason, event.reason)
    if event.kind is K.GAP_OPENED:
        return f"gap opened: {why}"
    recovered = f"{event.recovered} fill{'' if event.recovered == 1 else 's'} recovered"
    if event.kind is K.GAP_CLOSED:
        return f"gap closed: {recovered}, {'nothing is missing' if event.proven else 'not proven'}"
    return f"reconnected: {why}; {recovered}"


def amount(value: Decimal | None) -> str:
    """Return the amount in canonical form, `?` if it is unknown."""
    return "?" if value is None else canonical(value)


def _order(event: OrderState) -> str:
    price = "market" if event.price is None else f"at {amount(event.price)}"
    done = f", {amount(event.cumulative_qty)} done" if event.cumulative_qty else ""
    return f"{event.symbol} {event.side or '?'} {amount(event.qty)} {price}{done}"


_STATES = {
    K.ORDER_ACK: "order",
    K.CANCEL_ACK: "cancelled",
    K.ORDER_REJECT: "rejected",
    K.ORDER_EXPIRED: "expired",
}
