"""The unverified facts of the venue's wire, each with all its readings, the default one first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args, get_type_hints

import msgspec


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of each fact."""

    key_of: Literal["account", "api_key"] = "account"
    """All API keys of the account share one listen key, or each has its own."""
    renewal: Literal["key", "empty", "nothing"] = "key"
    """The answer to a PUT: the key, as measured; `{}`, as documented; or no body."""
    expiry: Literal["keyed", "bare", "twice", "never"] = "keyed"
    """`listenKeyExpired` names the key, or does not name it, or comes twice, or never."""
    deletion: Literal["pushed", "silent"] = "pushed"
    """A deletion is pushed as an expiry to the key's sockets, as measured, or is silent, as reported before."""
    subscriptions: Literal["asked", "alive", "none"] = "asked"
    """`LIST_SUBSCRIPTIONS` shows all keys that the socket has asked for, or the valid ones, or has no answer."""
    request_ids: Literal["whole", "text"] = "whole"
    """The ids of requests on a socket are whole numbers, as documented, or also texts, as in the vendor's SDK."""
    path_keys: Literal["silent", "delivered"] = "silent"
    """The events that come on `/private/ws/<key>`: none, as in production, or all, as on the testnet."""
    unrouted: Literal["silent", "delivered"] = "silent"
    """The events that come on `/ws/<key>`: none, as in production, or all, as on the testnet."""
    no_events: Literal["all", "none"] = "all"
    """The events that come if the URL names no `events`: all, or none."""
    client_pings: Literal["answered", "ignored"] = "answered"
    """A client's protocol pings are answered by pongs, or ignored."""
    age_cut: Literal["abrupt", "closed"] = "abrupt"
    """A socket of 24 hours ends without a close frame, or with one."""
    types: Literal["mixed", "orders_first", "account_first"] = "mixed"
    """The order of frames of different types at one moment: mixed, orders first, or the account first."""
    full_page: Literal["oldest", "newest"] = "oldest"
    """The rows that remain if a window has more than a page: the oldest, or the newest."""
    window_end: Literal["included", "excluded"] = "included"
    """A row exactly at the end of a window belongs to it, or does not."""
    window_error: Literal["-4165", "-1127"] = "-4165"
    """The code of a window that is too long."""
    orders_by: Literal["created", "updated"] = "created"
    """The time of an order that the window of `allOrders` compares: creation, or last update."""
    orders_symbol: Literal["optional", "required"] = "optional"
    """The symbol of `allOrders` is optional, or required, as before 2026-08-25."""
    free_fills: Literal["no_row", "row"] = "no_row"
    """A fill without a fee has no `COMMISSION` row, or one of 0."""
    forced: Literal["CALCULATED", "TRADE"] = "CALCULATED"
    """The execution type of a liquidation's fill."""
    forced_fee: Literal["shown", "missing"] = "shown"
    """The frame of a liquidation's fill has `n` and `N`, or does not."""
    funding_symbol: Literal["named", "missing"] = "named"
    """The push of a funding fee names its symbol in `S`, or does not."""
    special_funding: Literal["FUNDING_FEE", "own"] = "FUNDING_FEE"
    """The reason in the push of a special funding fee: that of every funding fee, or its own."""
    funding_list: Literal["empty", "missing"] = "empty"
    """The push of a funding fee in cross margin has an empty `P`, or none."""
    transaction: Literal["number", "text"] = "number"
    """`tranId` is a number, or a text."""
    retry_after: Literal["sent", "missing"] = "sent"
    """A 429 and a 418 have `Retry-After`, or do not."""
    used_weight: Literal["counted", "unknown"] = "counted"
    """The header of the used weight has the weight, or -1, as the testnet has sent."""
    fees: Literal["USDT", "BNB"] = "USDT"
    """The asset of fees: the margin asset, or BNB while there is enough left of the account's 100."""
    lite: Literal["sent", "none"] = "sent"
    """`TRADE_LITE` comes unless it is filtered out, or never."""


def readings(chosen: Mapping[str, str]) -> Readings:
    """Return the readings with these in place of the defaults. Raises `ValueError`, which names the allowed ones."""
    facts = {name: get_args(hint) for name, hint in get_type_hints(Readings).items()}
    for name, reading in chosen.items():
        if name not in facts:
            raise ValueError(f"{name!r} is no fact of which there are readings; there are {', '.join(facts)}")
        if reading not in facts[name]:
            raise ValueError(f"reading {name} is {reading!r}; allowed: {' or '.join(facts[name])}")
    return msgspec.convert(dict(chosen), Readings)
