"""The faults of this wire: common ones, common ones with codes of this venue, and those of shared listen keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..faults import FAULTS as OF_ALL
from ..faults import FaultKind, Param

SCOPES = ("reads", "keys", "orders", "all")
GARBAGE = ("", "not_json", "not_utf8", "list", "number", "nested", "order_nan", "account_nan", "binary")
SAME = (
    *("refuse", "delay", "drop_tcp", "silent", "accept_close", "lose_frame", "repeat_frame", "reorder_frames"),
    *("expire_key", "expire_silently", "lose_answer", "limit_bracket", "stream_ahead"),
)
_SCOPE = {"scope": Param("reads", SCOPES)}
_EVERYWHERE = {"scope": Param("all", SCOPES)}
_LOWEST = -9999
FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        **{name: OF_ALL[name] for name in SAME},
        "renew_404": FaultKind("uses", "renewals answer -1125 and the key is gone"),
        "mint_error": FaultKind("uses", "minting answers `code`", {"code": Param(-1001, low=_LOWEST, high=-1)}),
        "rate_limit": FaultKind("holds", "429, with the time of its end", _EVERYWHERE, 10.0),
        "ban": FaultKind("holds", "418, banned until its end", _EVERYWHERE, 10.0),
        "rest_error": FaultKind("uses", "HTTP 500", _SCOPE),
        "rest_html": FaultKind("uses", "HTTP 502 with an HTML body", _SCOPE),
        "rest_timeout": FaultKind("uses", "no answer for `hold` seconds", _SCOPE | {"hold": Param(60.0, high=3600)}),
        "unknown_outcome": FaultKind(
            "uses",
            "HTTP 503 after the call was carried out, if `done`, or before; with or without a code",
            {"scope": Param("orders", SCOPES), "done": Param(True), "coded": Param(True)},
        ),
        "unavailable": FaultKind(
            "uses", "HTTP 503, failed for certain; with or without a code", _SCOPE | {"coded": Param(False)}
        ),
        "maintenance": FaultKind("holds", "calls answer -1016, maintenance", _EVERYWHERE, 10.0),
        "late_fills": FaultKind(
            "holds",
            "REST hides fills of the last `lag` seconds, with `income` what they booked, with `orders` new orders too",
            {"lag": Param(3.0, high=86400), "income": Param(False), "orders": Param(False)},
        ),
        "oversized": FaultKind("act", "a frame of `mebibytes`", {"mebibytes": Param(8, low=1, high=256)}),
        "garbage": FaultKind("act", "frames that are none, of one `kind` or all", {"kind": Param("", GARBAGE)}),
        "bad_credentials": FaultKind(
            "holds", "every call answers `code`", {"code": Param(-2015, low=_LOWEST, high=-1)}
        ),
        "margin_call": FaultKind("act", "the account is called for margin: a frame names its positions as they are"),
        "assets_mode": FaultKind(
            "act", "multi-assets mode is pushed and shown; margins stay as they are", {"on": Param(True)}
        ),
        "eventless": FaultKind(
            "act", "open sockets bring no event; their key lives, pings come, requests are answered"
        ),
        "delete_key": FaultKind("act", "another client deletes the key"),
        "replace_key": FaultKind("act", "another client deletes the key and asks for the next"),
        "other_client": FaultKind("act", "another client asks for the key, and listens on it from then on"),
    }
)
