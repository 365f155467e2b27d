"""The flags of `simulate` that are settings of the simulated exchange, one row each."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from typing import Any, NamedTuple, get_args

from ..simulator.clearing import UID
from ..simulator.codes import Codes
from ..simulator.faults import FAULTS, parse_fault
from ..simulator.kinds import FAULTS_OF
from ..simulator.orders import Triggered
from ..simulator.records import ClosedStops
from ..simulator.wire import EventName, WireName
from .figures import amount, positive, whole


class Flag(NamedTuple):
    """A flag, the setting of the exchange that it sets, and the function that reads it."""

    name: str
    setting: str
    reading: dict[str, Any]


def _fault(text: str) -> str:
    """A fault of any wire; the chosen wire is checked later."""
    name = text.partition("@")[0]
    try:
        parse_fault(text, next((kinds for kinds in FAULTS_OF.values() if name in kinds), FAULTS))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _pair(text: str) -> tuple[str, str]:
    """Read a pair; an error shows nothing of the text, which may be secret."""
    key, colon, secret = text.partition(":")
    if not (key and colon and secret and text.isascii() and text.isprintable() and " " not in text):
        raise ArgumentTypeError("allowed is KEY:SECRET, printable ASCII without spaces")
    return key, secret


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ArgumentTypeError(f"{text!r}: allowed is on or off")
    return text == "on"


def _times(what: str) -> dict[str, Any]:
    return {"type": amount, "metavar": "SECONDS", "help": what}


FLAGS = (
    Flag("--seed", "seed", {"type": whole, "default": 0, "metavar": "N"}),
    Flag(
        "--time-scale",
        "time_scale",
        {"type": amount, "default": 1.0, "metavar": "N", "help": "exchange seconds per second; 0: only by `advance`"},
    ),
    Flag(
        "--prices",
        "prices",
        {
            "action": "append",
            "default": [],
            "metavar": "[SYMBOL=]FILE",
            "help": "CSV of trades (time, price[, quantity]) or candles (time, open, high, low, close[, volume]), "
            "of BTC-USDT if no symbol is said",
        },
    ),
    Flag("--fills-per-second", "fills_per_second", {"type": amount, "default": 0.0, "metavar": "N"}),
    Flag("--fault", "faults", {"action": "append", "type": _fault, "default": [], "metavar": "NAME@SECONDS"}),
    Flag("--wire", "wire", {"choices": get_args(WireName), "default": "modern", "help": "which shape its frames have"}),
    Flag(
        "--event-name",
        "event_name",
        {
            "choices": get_args(EventName),
            "default": "ORDER_TRADE_UPDATE",
            "help": "mixed: drawn for each frame",
        },
    ),
    Flag(
        "--triggered",
        "triggered",
        {
            "choices": get_args(Triggered),
            "default": "framed",
            "help": "a conditional order's end: another order executes, with or without a frame, or it does so itself",
        },
    ),
    Flag(
        "--closed-stops",
        "closed_stops",
        {"choices": get_args(ClosedStops), "default": "listed", "help": "unknown: no such order, once it is over"},
    ),
    Flag("--signed-shorts", "signed_shorts", {"action": "store_true", "help": "one-way shorts have a minus by REST"}),
    Flag("--account-id", "account_id", {"default": UID, "metavar": "ID", "help": "the id that a balance names"}),
    Flag("--one-way", "hedge", {"action": "store_false", "help": "one position a symbol, not one a side"}),
    Flag("--codes", "codes", {"choices": get_args(Codes), "default": "current", "help": "former: before 2025-10-16"}),
    Flag(
        "--credentials",
        "credentials",
        {
            "action": "append",
            "type": _pair,
            "default": [],
            "metavar": "KEY:SECRET",
            "help": "one more API key of the same account",
        },
    ),
    Flag("--ping-interval", "ping_interval", {"default": None, **_times("between pings, 0 for none")}),
    Flag("--snapshot-interval", "snapshot_interval", {"default": 0.0, **_times("between whole pushes, 0 for none")}),
    Flag("--config-interval", "config_interval", {"default": 0.0, **_times("between configurations, 0 for none")}),
    Flag(
        "--limits",
        "rate_limits",
        {"type": _switch, "default": True, "metavar": "on|off", "help": "whether calls are limited"},
    ),
    Flag("--key-validity", "key_validity", {"type": positive, "default": 3600.0, "metavar": "SECONDS"}),
)


def settings(options: Namespace) -> dict[str, Any]:
    """The settings that were chosen."""
    chosen = {flag.setting: getattr(options, flag.setting) for flag in FLAGS}
    return chosen | {"credentials": dict(chosen["credentials"])}
