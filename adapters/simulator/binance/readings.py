"""The facts of the venue's wire that nobody has verified: each with every reading of it, the default one first."""

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
    """`listenKeyExpired` names the key, or does not, comes twice, or not at all."""
    deletion: Literal["pushed", "silent"] = "pushed"
    """A deletion is pushed as an expiry to those who listen, as measured, or is silent, as reported before."""
    subscriptions: Literal["asked", "alive", "none"] = "asked"
    """`LIST_SUBSCRIPTIONS` shows what the socket has asked for, or of that only what lives, or is not answered."""
    request_ids: Literal["whole", "text"] = "whole"
    """Requests on a socket have whole numbers for ids, as documented, or text too, as the vendor's SDK has."""
    path_keys: Literal["silent", "delivered"] = "silent"
    """The events that come on `/private/ws/<key>`: none, as in production, or all, as on the testnet."""
    unrouted: Literal["silent", "delivered"] = "silent"
    """The events that come on `/ws/<key>`: none, as in production, or all, as on the testnet."""
    no_events: Literal["all", "none"] = "all"
    """The events that come where the URL names no `events`: all, or none."""
    client_pings: Literal["answered", "ignored"] = "answered"
    """A client's protocol pings are answered by pongs, or ignored."""
    age_cut: Literal["abrupt", "closed"] = "abrupt"
    """A socket of 24 hours ends without a close frame, or with one."""
    types: Literal["mixed", "orders_first", "account_first"] = "mixed"
    """In which order the frames of one moment come that are of different types."""
    full_page: Literal["oldest", "newest"] = "oldest"
    """Which end of a window the rows are of that a full page keeps."""
    window_end: Literal["included", "excluded"] = "included"
    """A row of the very end of a window belongs to it, or does not."""
    window_error: Literal["-4165", "-1127"] = "-4165"
    """The code of a window that is too long."""
    orders_by: Literal["created", "updated"] = "created"
    """Which time of an order the window of `allOrders` is about."""
    orders_symbol: Literal["optional", "required"] = "optional"
    """`allOrders` can do without a symbol, or needs one, as before 2026-08-25."""
    free_fills: Literal["no_row", "row"] = "no_row"
    """A fill that costs nothing has no `COMMISSION` row, or one of 0."""
    forced: Literal["CALCULATED", "TRADE"] = "CALCULATED"
    """The execution type of a liquidation's fill."""
    forced_fee: Literal["shown", "missing"] = "shown"
    """The frame of a liquidation's fill has `n` and `N`, or lacks them."""
    funding_symbol: Literal["named", "missing"] = "named"
    """The push of a funding fee names its symbol in `S`, or does not."""
    special_funding: Literal["FUNDING_FEE", "own"] = "FUNDING_FEE"
    """The reason that the push of a special funding fee has: that of any, or its own."""
    funding_list: Literal["empty", "missing"] = "empty"
    """The push of a funding fee in cross margin has an empty `P`, or none."""
    transaction: Literal["number", "text"] = "number"
    """How `tranId` is written."""
    retry_after: Literal["sent", "missing"] = "sent"
    """A 429 and a 418 have `Retry-After`, or do not."""
    used_weight: Literal["counted", "unknown"] = "counted"
    """The header of the used weight, or -1 in it, as the testnet has sent."""
    fees: Literal["USDT", "BNB"] = "USDT"
    """In which asset the account pays its fees: its margin's, or BNB as long as it has any, of which it has 100."""
    lite: Literal["sent", "none"] = "sent"
    """`TRADE_LITE` comes where it is not filtered out, or never."""


def readings(chosen: Mapping[str, str]) -> Readings:
    """The readings with these in place of the default ones. Raises `ValueError` naming what is allowed."""
    facts = {name: get_args(hint) for name, hint in get_type_hints(Readings).items()}
    for name, reading in chosen.items():
        if name not in facts:
            raise ValueError(f"{name!r} is no fact of which there are readings; there are {', '.join(facts)}")
        if reading not in facts[name]:
            raise ValueError(f"reading {name} is {reading!r}; allowed: {' or '.join(facts[name])}")
    return msgspec.convert(dict(chosen), Readings)
