"""Frames that are not about orders and balances: envelopes, answers to requests, an expired key, other events."""

from __future__ import annotations

from typing import Any

from ....core.refusal import Refusal, RefusalKind
from ....core.reports import Acknowledged, ClosingSoon, KeyExpired, KeyInDoubt, OrderRef, Rejected, Report, Unrecognised
from ..amounts import identity, moment, text, whole
from ..refusals import redacted

_DATA = frozenset(
    {
        "MARGIN_CALL",
        "ALGO_UPDATE",
        "STRATEGY_UPDATE",
        "GRID_UPDATE",
        "CONDITIONAL_ORDER_TRIGGER_REJECT",
    }
)
"""Documented events without news of the account that no other event has: they are delivered as they are."""


def unwrapped(content: dict[str, Any]) -> dict[str, Any]:
    """The event itself, without the `stream` and `data` in which combined streams wrap it."""
    inner = content.get("data")
    return inner if isinstance(inner, dict) and "stream" in content and "e" not in content else content


def control(content: dict[str, Any], event: dict[str, Any]) -> tuple[Report, ...]:
    """Read a frame without order, balance or setting; `event` is the event that is wrapped in it."""
    name = event.get("e")
    if name == "listenKeyExpired":
        key = event.get("listenKey")
        return (KeyExpired(key if key == "" else text(key)),)
    if name == "serverShutdown":  # documented for spot alone
        return (ClosingSoon(),)
    if name is None and "result" in content and (number := whole(content.get("id"))) is not None:
        # The answer to LIST_SUBSCRIPTIONS names the streams of this socket. It is empty on a socket to which no event
        # will come; no document states if a dead key is such a case.
        answer = Acknowledged(str(number))
        return (answer, KeyInDoubt()) if content["result"] == [] else (answer,)
    if name is None and "error" in content and (number := whole(content.get("id"))) is not None:
        return (Acknowledged(str(number)),)  # not understood, but answered: that proves the stream as well
    if name is None and (code := whole(content.get("code"))) is not None:
        return (Rejected(None, Refusal(RefusalKind.RETRY, str(code), redacted(text(content.get("msg")) or ""))),)
    return (unrecognised(content, event, known=text(name) in _DATA),)


def unrecognised(
    content: dict[str, Any],
    event: dict[str, Any],
    *,
    doubtful: bool = False,
    order: OrderRef | None = None,
    known: bool = False,
) -> Unrecognised:
    """The frame as it is, with its time; an unknown event that looks like news of the account is `doubtful` too."""
    about_account = not known and any(isinstance(event.get(name), dict) for name in ("o", "a"))
    return Unrecognised(
        content, moment(event.get("T"), event.get("E")), doubtful or about_account, order=order, known=known
    )


def named(event: dict[str, Any]) -> OrderRef | None:
    """The order that a frame names, even if the rest of the frame is wrong."""
    order = event.get("o")
    if not isinstance(order, dict):
        return None
    symbol, order_id = text(order.get("s")), identity(order.get("i"))
    return None if symbol is None or order_id is None else OrderRef(symbol, order_id)
