"""Puts the parts of BingX together, as a `family.Family`."""

from __future__ import annotations

from ....core.policy import Policy
from ....core.secrets import Secrets
from ....ports.questions import QuestionStore
from ..family import Hosts, Services
from .codes import CREDENTIALS
from .hosts import host as host
from .hosts import hosts as hosts
from .keys import Handshake, Keys
from .pace import KEY_PATH, OF_ADDRESS, OF_ADDRESS_AND_PATH, OF_KEY
from .reader import Reader
from .rest import Rest
from .swap import SwapDialect

PING_SECONDS = 5.0


def limits() -> tuple[str, ...]:
    """The limits of an API key, and of one address for all accounts of a process."""
    others = [calls for path, calls in OF_KEY.items() if path != KEY_PATH]
    return (
        f"{OF_KEY[KEY_PATH]} requests about keys a second for an API key",
        f"{min(others)} to {max(others)} of another path",
        f"{OF_ADDRESS.calls} in {OF_ADDRESS.seconds:g} s for an address",
        f"{OF_ADDRESS_AND_PATH.calls} of one path",
    )


def dialect(venue: str, *, cumulative_costs: bool = False) -> SwapDialect:
    """The dialect of USDT-M swaps, of both environments."""
    return SwapDialect(venue, cumulative_costs=cumulative_costs)


def services(
    hosts: Hosts,
    *,
    api_key: str,
    api_secret: str,
    policy: Policy,
    secrets: Secrets,
    store: QuestionStore | None = None,
) -> Services:
    """Return keys, reader and handshake of one account; all its requests go through one `Rest`."""
    rest = Rest(hosts.rest_url, api_key, api_secret, timeout=policy.request_timeout, secrets=secrets)
    return Services(
        Keys(rest),
        Reader(rest, store=store),
        Handshake(hosts.ws_url, timeout=policy.connect_timeout, secrets=secrets),
        frozenset(map(str, CREDENTIALS)),
    )
