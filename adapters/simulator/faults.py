"""Faults by name: when each begins, how long it holds, and how often it happens. Times are seconds of any one clock.

A fault with `seconds` holds that long. Without, it happens `count` times (by default once), or it is of a kind that
holds until it is cleared. Other modules carry the faults out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from .seeds import seeded

Manner = Literal["uses", "holds", "act"]
SCOPES = ("reads", "keys", "all")
GARBAGE = ("", "not_gzip", "truncated", "not_json", "not_utf8", "list", "number", "nested", "order_nan", "account_nan")


class Param(msgspec.Struct, frozen=True):
    """A fault's parameter: its default, and the values that it may have, or the lowest and highest."""

    default: bool | int | float | str
    among: tuple[str, ...] = ()
    low: float = 0.0
    high: float = math.inf

    def allows(self, value: object) -> bool:
        """True if the parameter may have this value."""
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(self.default, str):
            return value in self.among
        fitting = isinstance(value, int if isinstance(self.default, int) else (int, float))
        return fitting and not isinstance(value, bool) and self.low <= float(str(value)) <= self.high

    @property
    def allowed(self) -> str:
        """The values that the parameter may have, as text for a person."""
        if isinstance(self.default, bool):
            return "true or false"
        if self.among:
            return " or ".join(each or "all" for each in self.among)
        return f"a number from {self.low:g}" + (f" to {self.high:g}" if math.isfinite(self.high) else "")


class FaultKind(msgspec.Struct, frozen=True):
    """A kind of fault. Its manner: `uses` are counted, `holds` lasts until cleared, an `act` is done at once."""

    manner: Manner
    what: str
    params: Mapping[str, Param] = MappingProxyType({})
    seconds: float | None = None


_SCOPE = {"scope": Param("reads", SCOPES)}
_EVERYWHERE = {"scope": Param("all", SCOPES)}
_CODE = {"code": Param(100500)}
_LAG = {"by": Param(1.0, high=3600)}
FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "refuse": FaultKind("uses", "handshakes are refused", {"status": Param(503, low=400, high=599)}),
        "delay": FaultKind("holds", "frames arrive `by` seconds late", {"by": Param(1.0, high=3600)}, 5.0),
        "drop_tcp": FaultKind("act", "sockets are reset; with seconds, new connections too", {"rest": Param(True)}),
        "silent": FaultKind("act", "open sockets stay open and bring nothing, not even pings"),
        "accept_close": FaultKind("uses", "accepted and closed at once", {"code": Param(1000, low=1000, high=1011)}),
        "lose_frame": FaultKind("uses", "the next fill is lost, or its account push too", {"account": Param(False)}),
        "repeat_frame": FaultKind("uses", "the next fill's frame comes twice"),
        "reorder_frames": FaultKind("uses", "two frames of one order swap", {"within": Param(0.2, high=3600)}),
        "expire_key": FaultKind("act", "all keys end now; their sockets are told and stay open"),
        "expire_silently": FaultKind("act", "all keys end now; nobody is told"),
        "renew_404": FaultKind("uses", "renewals answer 404 and the key is gone"),
        "mint_error": FaultKind("uses", "minting answers `code`", _CODE),
        "rate_limit": FaultKind("holds", "too fast, with the time of its end", _EVERYWHERE, 10.0),
        "rest_error": FaultKind("uses", "HTTP 500", _SCOPE),
        "rest_html": FaultKind("uses", "HTTP 502 with an HTML body", _SCOPE),
        "rest_empty_amounts": FaultKind("uses", "balances are empty strings"),
        "rest_timeout": FaultKind("uses", "no answer for `hold` seconds", _SCOPE | {"hold": Param(60.0, high=3600)}),
        "late_fills": FaultKind(
            "holds",
            "REST hides fills of the last `lag` seconds, and with `income` what they booked",
            {"lag": Param(3.0, high=86400), "income": Param(False)},
        ),
        "garbage": FaultKind("act", "frames that are none, of one `kind` or all", {"kind": Param("", GARBAGE)}),
        "oversized": FaultKind("act", "a frame that inflates to `mebibytes`", {"mebibytes": Param(8, low=1, high=256)}),
        "same_key": FaultKind("holds", "minting answers the key in use"),
        "bad_credentials": FaultKind("holds", "every call answers `code`", {"code": Param(100413)}),
        "lose_answer": FaultKind("uses", "an order is accepted, and its answer never comes"),
        "late_cancel": FaultKind("uses", "an order is filled just before it would be cancelled"),
        "partial_cancel": FaultKind(
            "uses", "an order is filled in part just before it is cancelled", {"share": Param(0.5, low=0.01, high=0.99)}
        ),
        "reject_reduce_only": FaultKind("uses", "an order that only closes is refused", {"code": Param(101205)}),
        "limit_bracket": FaultKind(
            "uses",
            "once `calls` have placed orders, further ones are too fast for `lasting` seconds",
            {"calls": Param(1, low=1, high=1000), "lasting": Param(5.0, low=0.01, high=3600)},
        ),
        "stop_while_away": FaultKind(
            "uses",
            "an open stop is triggered while every connection is cut, for `away` seconds",
            {"away": Param(1.0, low=0.01, high=3600)},
        ),
        "stream_behind": FaultKind("holds", "the account's frames come `by` seconds after REST shows it", _LAG, 5.0),
        "stream_ahead": FaultKind(
            "holds", "REST answers orders and shows fills `by` seconds after their frames", _LAG, 5.0
        ),
    }
)
TRADING = tuple(FAULTS)[tuple(FAULTS).index("lose_answer") :]
"""The faults of a bot's own orders, and of the frames and answers about them."""
RECOVERABLE = tuple(name for name in FAULTS if name != "bad_credentials" and name not in TRADING)
"""The faults from which a stream recovers, and which need no bot."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a venue with these `kinds`: it begins at `at`, and holds for `seconds` or for `count` uses."""

    name: str
    at: float = 0.0
    seconds: float | None = None
    count: int = 1
    params: Mapping[str, Any] = MappingProxyType({})
    kinds: Mapping[str, FaultKind] = FAULTS

    def __post_init__(self) -> None:
        kind = self.kinds.get(self.name)
        if kind is None:
            raise ValueError(f"fault {self.name!r} is not one of {', '.join(self.kinds)}")
        for what, amount in (("starts at", self.at), ("lasts", self.seconds)):
            if amount is not None and not (math.isfinite(amount) and amount >= 0):
                raise ValueError(f"fault {self.name} {what} {amount} s: allowed is a finite number from 0")
        if self.count < 1:
            raise ValueError(f"fault {self.name} happens {self.count} times: allowed is 1 or more")
        for name, value in self.params.items():
            if name not in kind.params:
                allowed = ", ".join(kind.params) or "none"
                raise ValueError(f"fault {self.name} has no parameter {name!r}; allowed: {allowed}")
            if not kind.params[name].allows(value):
                allowed = kind.params[name].allowed
                raise ValueError(f"parameter {name} of fault {self.name} is {value!r}; allowed: {allowed}")

    @property
    def ends(self) -> float:
        """The time at which it ends by itself, infinity if it does not."""
        kind = self.kinds[self.name]
        seconds = kind.seconds if self.seconds is None else self.seconds
        return math.inf if seconds is None else self.at + seconds

    def __getitem__(self, param: str) -> Any:
        return self.params.get(param, self.kinds[self.name].params[param].default)


def parse_fault(text: str, kinds: Mapping[str, FaultKind] = FAULTS) -> Fault:
    """Read `NAME@SECONDS` or `NAME@SECONDS+DURATION`. Raises `ValueError`, which names the allowed forms."""
    name, at, when = text.partition("@")
    start, plus, duration = when.partition("+")
    if name not in kinds or not at:
        raise ValueError(f"fault {text!r}: allowed is NAME@SECONDS with NAME one of {', '.join(kinds)}")
    try:
        return Fault(name=name, at=float(start), seconds=float(duration) if plus else None, kinds=kinds)
    except ValueError:
        allowed = f"{name}@SECONDS or {name}@SECONDS+DURATION, in finite seconds from 0"
        raise ValueError(f"fault {text!r}: allowed is {allowed}") from None


def draw_faults(seed: int, count: int, span: float, names: Iterable[str] = RECOVERABLE) -> list[Fault]:
    """Draw `count` faults at seeded times within `span` seconds, oldest first; `holds` faults get a duration."""
    random = seeded(seed, "faults")
    among = sorted(names)
    drawn = []
    for _ in range(count):
        name = random.choice(among)
        lasting = random.random() < 0.5 or FAULTS[name].manner == "holds" or name == "silent"
        seconds = round(random.uniform(0, span / 10), 3) if lasting else None
        drawn.append(Fault(name=name, at=round(random.uniform(0, span), 3), seconds=seconds))
    return sorted(drawn, key=lambda fault: fault.at)


class Faults:
    """Keeps the faults that are planned, and those in force."""

    def __init__(self, scheduled: Iterable[Fault] = (), kinds: Mapping[str, FaultKind] = FAULTS) -> None:
        self._kinds = kinds
        self._ahead = sorted(scheduled, key=lambda fault: fault.at)
        self._held: dict[str, tuple[Fault, int]] = {}

    def order(self, name: str, *, at: float, seconds: float | None = None, count: int = 1, **params: Any) -> Fault:
        """Plan a fault. Raises `ValueError`, which names the allowed values."""
        fault = Fault(name=name, at=at, seconds=seconds, count=count, params=params, kinds=self._kinds)
        self._ahead = sorted([*self._ahead, fault], key=lambda fault: fault.at)
        return fault

    def begin(self, now: float) -> list[Fault]:
        """Return the faults that begin by now, each once; all but acts without duration are in force from now on."""
        beginning = [fault for fault in self._ahead if fault.at <= now]
        self._ahead = self._ahead[len(beginning) :]
        for fault in beginning:
            if self._kinds[fault.name].manner != "act" or fault.seconds is not None:
                self._held[fault.name] = (fault, fault.count)
        return beginning

    def clear(self, name: str) -> None:
        """End a fault now. Raises `ValueError` for an unknown name."""
        if name not in self._kinds:
            raise ValueError(f"fault {name!r} is not one of {', '.join(self._kinds)}")
        self._held.pop(name, None)

    def active(self, name: str, now: float) -> Fault | None:
        """The fault if it is in force, without counting a use."""
        fault, _ = self._held.get(name, (None, 0))
        if fault is not None and now >= fault.ends:
            del self._held[name]
            return None
        return fault

    def take(self, name: str, now: float) -> Fault | None:
        """The fault if it is in force; counts one use if its kind is `uses` and it has no duration."""
        fault = self.active(name, now)
        if fault is not None and self._kinds[name].manner == "uses" and fault.seconds is None:
            left = self._held[name][1] - 1
            if left:
                self._held[name] = (fault, left)
            else:
                del self._held[name]
        return fault
