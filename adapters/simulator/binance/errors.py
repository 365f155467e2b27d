"""The venue's refusals: the HTTP status of each code, and the codes of the model's refusals on this wire."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..orders import OrderRefused

ABSENT = "not modelled by this simulated exchange"
UNKNOWN_ORDER, NO_SUCH_ORDER = -2011, -2013
"""The code of an unknown order in a cancellation, and in a query."""
MALFORMED, BAD_VALUE, UNREAD = -1102, -1130, -1104
STATUS: Mapping[int, int] = MappingProxyType({-2014: 401, -2015: 401, -1003: 429, -1015: 429, -1008: 503, -1016: 503})
"""The HTTP status of each code, where it is not 400."""
WORDS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        101204: (-2019, "Margin is insufficient."),
        101205: (-2022, "ReduceOnly Order is rejected."),
        101215: (-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected."),
        101400: (-1111, "Precision is over the maximum defined for this asset."),
        101414: (-4028, "Leverage is not valid"),
        101481: (-4116, "ClientOrderId is duplicated."),
        104103: (-4068, "Position side cannot be changed if there exists position."),
        109420: (-2022, "ReduceOnly Order is rejected."),
        109421: (NO_SUCH_ORDER, "Order does not exist."),
        109422: (UNKNOWN_ORDER, "Unknown order sent."),
        109425: (-1121, "Invalid symbol."),
        110415: (-2007, "Invalid callBack rate."),
        110419: (-2021, "Order would immediately trigger."),
        110420: (-2021, "Order would immediately trigger."),
        110425: (-4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."),
        **dict.fromkeys(range(110411, 110415), (-2021, "Order would immediately trigger.")),
    }
)
"""The venue's code and text by the model's code; all other codes of the model become `BAD_VALUE`."""


class Refusal(Exception):
    """The venue refuses a call: `code`, `message`, HTTP status, and headers if there are any."""

    def __init__(
        self, code: int, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = STATUS.get(code, 400) if status is None else status
        self.headers = headers or {}


def translated(refused: OrderRefused) -> Refusal:
    """Return a refusal of the model with the venue's code and text."""
    code, words = WORDS.get(refused.code, (BAD_VALUE, refused.message))
    return Refusal(code, words)


def missing(name: str) -> Refusal:
    """Return the refusal of a parameter that is missing or malformed."""
    return Refusal(MALFORMED, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def invalid(name: str) -> Refusal:
    """Return the refusal of a parameter whose value the venue does not know."""
    return Refusal(BAD_VALUE, f"Data sent for parameter '{name}' is not valid.")


def not_modelled(what: str) -> Refusal:
    """Return the refusal of a feature that this exchange does not model."""
    return Refusal(UNREAD, f"{what}: {ABSENT}.")


def no_such_path(method: str, path: str) -> Refusal:
    """Return the refusal, HTTP 404, of a path that does not exist."""
    return Refusal(-5000, f"Path {path}, Method {method} is invalid: {ABSENT}.", status=404)
