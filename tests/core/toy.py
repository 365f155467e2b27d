"""A venue of one-line text frames, easy to read in scripts; `;` puts several reports into one frame.

ping 7            a heartbeat, answered with `pong 7`
ack 3.0           the opening frame 3.0 is accepted
error gone 3.0    an error frame (retry, gone or fatal), here for the opening frame 3.0
expired K1        the key K1 has expired; `expired` alone does not say which, `expired -` names an empty key
order A NEW 0/3   order A of 3 is new; it may name its position side, as in `order A NEW 0/3 LONG`
fill A 2/3 +1     1 of order A was filled, 2 of 3 in all; the venue may leave out the `+1`
wallet 90         the account has 90 USD
held 2 LONG       it holds 2 of one side; `held 0` names no side, as where positions are netted
note anything     well-formed, and not understood; `doubt anything` looks like news of the account
data anything     of a documented kind for which there is no event
dubious           an answer by which the key may be dead; `closing`: the socket will soon be closed

An order, a fill, a wallet or a position may end with its exchange time, as in `wallet 90 @1700000000000`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from listenkey.core.backoff import CallLimit
from listenkey.core.dialect import Opening
from listenkey.core.events import Balance, Position
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import (
    AccountReport,
    Acknowledged,
    ClosingSoon,
    Heartbeat,
    KeyExpired,
    KeyInDoubt,
    OrderReport,
    Rejected,
    Report,
    Unreadable,
    Unrecognised,
)

FAILING = CallLimit(15, 480.0)


class Toy:
    """The dialect of these frames; `openings` frames must be acknowledged before a link is proven."""

    name = "toy"
    cumulative_costs = False
    time_grain_ms = 1000
    failing_calls = FAILING
    counts_available = False

    def __init__(self, openings: int = 0, policy: Mapping[str, float] | None = None) -> None:
        self.openings = openings
        self.policy: Mapping[str, float] = policy or {}

    def opening(self, socket: int) -> tuple[Opening, ...]:
        return tuple(Opening(f"{socket}.{n}", f"subscribe {socket}.{n}") for n in range(self.openings))

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        try:
            text = frame.decode() if isinstance(frame, bytes) else frame.encode().decode()
        except UnicodeError:
            return (Unreadable("not text"),)
        return tuple(_report(words.split()) for words in text.split(";"))


class SilentToy(Toy):
    """The same for a venue that opens sockets for dead keys, where liveness is probed."""

    policy: Mapping[str, float] = {"probe_after": 30, "renew_interval": 300, "delete_keys": 0}

    def __init__(self, openings: int = 0) -> None:
        super().__init__(openings, self.policy)

    def probe(self, socket: int) -> tuple[Opening, ...]:
        return (Opening(f"{socket}?", f"question {socket}"),)


def _report(words: list[str]) -> Report:
    try:
        ts = int(words.pop()[1:]) if words[-1].startswith("@") else None
        return _known(words[0], words[1:], ts)
    except (ValueError, ArithmeticError, IndexError):
        return Unreadable("not a sentence of the toy venue")


def _known(verb: str, words: list[str], ts: int | None) -> Report:
    match verb, words:
        case "ping", _:
            return Heartbeat(" ".join(("pong", *words)))
        case "ack", [identity]:
            return Acknowledged(identity)
        case "error", [kind, *identity]:
            refusal = Refusal(RefusalKind(kind), "1", "an error frame")
            return Rejected(identity[0] if identity else None, refusal)
        case "expired", _:
            return KeyExpired(words[0].removeprefix("-") if words else None)
        case "order", [order, status, amounts, *side]:
            return _order(order, status, amounts, ts, position_side=side[0] if side else None)
        case "fill", [order, amounts, *last]:
            done, of = amounts.split("/")
            status = "FILLED" if done == of else "PARTIALLY_FILLED"
            return _order(order, status, amounts, ts, _number(last[0]) if last else None)
        case "wallet", [amount]:
            balance = Balance(asset="USD", wallet_balance=_number(amount))
            return AccountReport(reason="ORDER", balances=(balance,), positions=(), by_fill=True, exchange_ts=ts)
        case "held", [amount, *sides]:
            position = Position(symbol="TOY", side=sides[0] if sides else None, qty=_number(amount))
            return AccountReport(
                reason="ORDER", balances=(), positions=(position,), by_fill=True, one_way=not sides, exchange_ts=ts
            )
        case "note" | "doubt" | "data", _:
            return Unrecognised({"words": words}, doubtful=verb == "doubt", known=verb == "data")
        case "dubious", _:
            return KeyInDoubt()
        case "closing", _:
            return ClosingSoon()
    raise ValueError(verb)


def _order(
    order: str,
    status: str,
    amounts: str,
    ts: int | None,
    last: Decimal | None = None,
    position_side: str | None = None,
) -> OrderReport:
    done, of = (_number(amount) for amount in amounts.split("/"))
    return OrderReport(
        symbol="TOY",
        order_id=order,
        status=status,
        cumulative_qty=done,
        side="BUY",
        position_side=position_side,
        qty=of,
        average_price=Decimal(100) if done else None,
        last_qty=last,
        last_price=None if last is None else Decimal(100),
        exchange_ts=ts,
        longest=max(map(len, (order, status, amounts))),
    )


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > 20:
        raise ValueError(text)
    return number
