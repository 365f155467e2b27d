"""The events that a consumer gets: their ids, the form of their amounts, and the JSON of each kind."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.core.events import (
    AccountUpdate,
    Balance,
    BalanceChange,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    GapNotice,
    GapReason,
    Health,
    HealthChange,
    OrderState,
    Position,
    Unknown,
    from_json,
)
from listenkey.core.ids import digest_id, fill_id, order_state_id, revision_id
from listenkey.core.plain import canonical

COMMON = "kind event_id exchange_ts source redelivered"
ORDER = "symbol order_id client_order_id side position_side order_type status price qty cumulative_qty"
DESIGN = {
    **dict.fromkeys(("ORDER_ACK", "CANCEL_ACK", "ORDER_REJECT", "ORDER_EXPIRED"), ORDER),
    **dict.fromkeys(
        ("PARTIAL_FILL", "FULL_FILL"),
        f"{ORDER} fill_qty fill_price trade_id fee fee_asset realized_pnl liquidation",
    ),
    "FILL_REVISED": f"{ORDER} fill_qty fill_price trade_id fee fee_asset realized_pnl liquidation replaces",
    "ACCOUNT_UPDATE": "reason balances positions complete",
    "FUNDING_FEE": "amount asset symbol provisional replaces",
    "BALANCE_CHANGE": "amount asset symbol reason",
    "CONFIG_UPDATE": "symbol long_leverage short_leverage margin_mode",
    **dict.fromkeys(("GAP_OPENED", "GAP_CLOSED", "RECONNECTED"), "reason since recovered proven"),
    "HEALTH": "health state",
    "UNKNOWN": "raw",
}
"""The names of the contract, by kind."""
BALANCE = "asset wallet_balance available change equity unrealized_pnl used_margin maintenance_margin"
POSITION = "symbol side qty entry_price unrealized_pnl margin_mode leverage mark_price liquidation_price"


def order(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": ExchangeEventKind(kind),
        "symbol": "TOY",
        "order_id": "900719925474099312",
        "client_order_id": None,
        "side": "BUY",
        "position_side": None,
        "order_type": "LIMIT",
        "status": "NEW",
        "price": Decimal("1.50"),
        "qty": Decimal("0.10000000"),
        "cumulative_qty": Decimal("0E-8"),
        **more,
    }


def fields(kind: str) -> tuple[type[ExchangeEvent], dict[str, Any]]:
    """The class of a kind, and example values of its own fields."""
    if kind in ("PARTIAL_FILL", "FULL_FILL", "FILL_REVISED"):
        costs = {"fee": Decimal("-0.1"), "fee_asset": None, "realized_pnl": None, "liquidation": False}
        filled = order(kind, fill_qty=Decimal("0.1"), fill_price=Decimal("1E+2"), trade_id=None, **costs)
        return (FillRevised, {**filled, "replaces": "fill:x"}) if kind == "FILL_REVISED" else (Fill, filled)
    if kind.startswith(("ORDER", "CANCEL")):
        return OrderState, order(kind)
    if kind.startswith(("GAP", "RE")):
        reason = GapReason.LOST_SOCKET
        return GapNotice, {
            "kind": ExchangeEventKind(kind),
            "reason": reason,
            "since": None,
            "recovered": 3,
            "proven": True,
        }
    examples: dict[str, tuple[type[ExchangeEvent], dict[str, Any]]] = {
        "ACCOUNT_UPDATE": (
            AccountUpdate,
            {
                "reason": None,
                "balances": (Balance(asset="USD", wallet_balance=Decimal("-0.00")),),
                "positions": (Position(symbol="TOY", side=None, qty=Decimal(0)),),
                "complete": True,
            },
        ),
        "FUNDING_FEE": (
            FundingFee,
            {"amount": Decimal("-1e-7"), "asset": "USD", "symbol": None, "provisional": True, "replaces": None},
        ),
        "BALANCE_CHANGE": (
            BalanceChange,
            {"amount": Decimal(5), "asset": None, "symbol": None, "reason": "TRANSFER"},
        ),
        "CONFIG_UPDATE": (
            ConfigUpdate,
            {"symbol": "TOY", "long_leverage": 5, "short_leverage": None, "margin_mode": None},
        ),
        "HEALTH": (HealthChange, {"health": Health.SUSPECT, "state": "CONNECTED"}),
        "UNKNOWN": (Unknown, {"raw": {"e": ["x", 1, 1.5, None, {"deep": True}]}}),
    }
    return examples[kind]


def event(kind: str) -> ExchangeEvent:
    made, given_fields = fields(kind)
    return made(event_id=f"some:{kind}", exchange_ts=1_700_000_000_000, source="ws", frame=b"raw", **given_fields)


def test_every_kind_has_its_names() -> None:
    """Each kind has the names of the contract."""
    assert set(DESIGN) == {kind.value for kind in ExchangeEventKind}


@pytest.mark.parametrize("kind", DESIGN)
def test_json_shape(kind: str) -> None:
    """A line has exactly the names of its kind, null for absent values, amounts as strings, and no frame."""
    line = event(kind).to_json()
    assert b"\n" not in line
    plain = json.loads(line)
    assert set(plain) == set(f"{COMMON} {DESIGN[kind]}".split())
    assert plain["kind"] == kind
    assert plain["redelivered"] is False
    assert plain == event(kind).to_dict()
    for name, value in fields(kind)[1].items():
        if value is None:
            assert plain[name] is None
        elif isinstance(value, Decimal):
            assert plain[name] == canonical(value)
    for balance in plain.get("balances", ()):
        assert set(balance) == set(BALANCE.split())
        assert balance["wallet_balance"] == "0"
        assert balance["available"] is None
    for position in plain.get("positions", ()):
        assert set(position) == set(POSITION.split())
        assert position["qty"] == "0"


@pytest.mark.parametrize("kind", DESIGN)
def test_round_trip(kind: str) -> None:
    """JSON is read back as the same event, whatever the order of its keys; only the frame is not kept."""
    original = event(kind)
    plain = json.loads(original.to_json())
    shuffled = json.dumps(dict(sorted(plain.items(), reverse=True)))
    for line in (original.to_json(), original.to_json().decode(), shuffled):
        read = from_json(line)
        assert type(read) is type(original)
        assert read == msgspec.structs.replace(original, frame=None)
        assert read.to_json() == original.to_json()


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "{",
            "[]",
            "1",
            "null",
            '"FULL_FILL"',
            "{}",
            '{"kind": null}',
            '{"kind": "NEWS"}',
            '{"kind": ["HEALTH"]}',
        ),
        '{"kind": {"a": 1}}',
        '{"kind": "HEALTH", "event_id": "x", "exchange_ts": null, "source": "moon", "health": "LIVE", "state": "IDLE"}',
        '{"kind": "FULL_FILL", "event_id": "x", "exchange_ts": null, "source": "ws"}',
    ],
)
def test_not_an_event(line: str) -> None:
    """Any other text is refused with one kind of exception."""
    with pytest.raises(msgspec.DecodeError):
        from_json(line)


def test_an_event_does_not_change() -> None:
    """Events are compared by content and cannot be changed."""
    health = event("HEALTH")
    assert health == event("HEALTH")
    with pytest.raises(AttributeError):
        health.source = "poll"  # type: ignore[misc]


# Amounts


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("0.10000000", "0.1"),
        ("0.1", "0.1"),
        ("1E-1", "0.1"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1.00E+2", "100"),
        ("100.00", "100"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0E+5", "0"),
        ("0E-18", "0"),
        ("-1.50", "-1.5"),
        ("1e-18", "0.000000000000000001"),
        ("123456789012345678901234567890.123456789012345678", "123456789012345678901234567890.123456789012345678"),
    ],
)
def test_canonical(written: str, text: str) -> None:
    """No exponent, no trailing zero, no negative zero."""
    assert canonical(Decimal(written)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_canonical_is_the_amount(amount: Decimal) -> None:
    """The text has the exact amount, and equal amounts have the same text."""
    text = canonical(amount)
    assert Decimal(text) == amount
    assert canonical(Decimal(text)) == text
    padded = Decimal(f"{amount:f}" + ("0" if "." in f"{amount:f}" else ".0"))
    assert canonical(padded) == text
    assert not text.startswith("-0") or Decimal(text) != 0


# Ids


def test_fill_id() -> None:
    """`fill:SYMBOL:ORDER:CUMULATIVE`, however the amount was written."""
    assert {fill_id("TOY", "7", Decimal(text)) for text in ("0.10000000", "0.1", "1E-1")} == {"fill:TOY:7:0.1"}


def test_revision_id() -> None:
    """`revised:SYMBOL:ORDER:CUMULATIVE:PRICE:FEE:PNL`; an unknown figure leaves its place empty, zero does not."""
    half, zero = Decimal("0.50"), Decimal("0E-8")
    assert revision_id("TOY", "7", half, Decimal("1E+2"), half, zero) == "revised:TOY:7:0.5:100:0.5:0"
    assert revision_id("TOY", "7", half, None, None, None) == "revised:TOY:7:0.5:::"


def test_a_revision_is_no_fill_and_no_state() -> None:
    """Taken for a fill its quantity would count twice; taken for a state it would follow an order."""
    assert not issubclass(FillRevised, OrderState)
    assert set(FillRevised.__struct_fields__) == {*Fill.__struct_fields__, "replaces"}


def test_order_state_id() -> None:
    """`order:SYMBOL:ORDER:STATUS:CUMULATIVE:QTY:PRICE`; an absent figure leaves its place empty, zero does not."""
    half, zero = Decimal("0.50"), Decimal("0E-8")
    assert order_state_id("TOY", "7", "NEW", zero, half, Decimal("60000.0")) == "order:TOY:7:NEW:0:0.5:60000"
    assert order_state_id("TOY", "7", "CANCELED", half, None, None) == "order:TOY:7:CANCELED:0.5::"
    assert order_state_id("TOY", "7", "CANCELED", half, zero, zero) == "order:TOY:7:CANCELED:0.5:0:0"


def test_digest_id() -> None:
    """A digest of kind, time and content: equal for equal content, however written, and different otherwise."""
    base = digest_id("HEALTH", 5, Decimal("0.10"), ("a", None), Balance(asset="USD", wallet_balance=Decimal("1.0")))
    assert base.startswith("health:")
    assert base == digest_id("HEALTH", 5, Decimal("0.1"), ("a", None), Balance(asset="USD", wallet_balance=Decimal(1)))
    others = {
        digest_id("HEALTH", 5),
        digest_id("HEALTH", None),
        digest_id("HEALTH", 0),
        digest_id("HEALTH", 5, None),
        digest_id("HEALTH", 5, 0),
        digest_id("HEALTH", 5, "0"),
        digest_id("HEALTH", 5, ()),
        digest_id("HEALTH", 5, {"a": Decimal(1)}),
        digest_id("GAP_OPENED", 5),
        digest_id("HEALTH", 10**30),
    }
    assert len(others | {base}) == 11
