"""Puts the parts of Binance together, as a `family.Family`."""

from __future__ import annotations

from ....core.policy import Policy
from ....core.secrets import Secrets
from ....ports.questions import QuestionStore
from ..family import Hosts, Services
from .codes import CREDENTIALS
from .hosts import host as host
from .hosts import hosts as hosts
from .keys import Handshake, Keys
from .pace import HANDSHAKES
from .reader import Reader
from .rest import Rest
from .usdm import UsdmDialect
from .weights import LIMIT

PING_SECONDS = 0.0
"""The interval of the venue's own frames, s; 0, since liveness is probed."""


def limits() -> tuple[str, ...]:
    """The limits of one address, for all accounts of a process."""
    return (f"{LIMIT} weight a minute", f"{HANDSHAKES.calls} handshakes in {HANDSHAKES.seconds:g} s")


def dialect(venue: str, *, cumulative_costs: bool = False) -> UsdmDialect:
    """The dialect of USDⓈ-M futures, of both environments."""
    return UsdmDialect(venue, cumulative_costs=cumulative_costs)


def services(
    hosts: Hosts,
    *,
    api_key: str,
    api_secret: str,
    policy: Policy,
    secrets: Secrets,
    store: QuestionStore | None = None,
) -> Services:
    """Return keys, reader and handshake of one account; all its requests go through one `Rest`. The venue does not
    count questions for orders that it does not know, so `store` is not used.
    """
    rest = Rest(hosts.rest_url, api_key, api_secret, timeout=policy.request_timeout, secrets=secrets)
    return Services(
        Keys(rest),
        Reader(rest),
        Handshake(hosts.ws_url, timeout=policy.connect_timeout, secrets=secrets),
        frozenset(map(str, CREDENTIALS)),
    )
