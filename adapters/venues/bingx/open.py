"""Puts the parts of BingX together: what `family.Family` asks of a folder."""

from __future__ import annotations

from ....core.policy import Policy
from ....core.secrets import Secrets
from ....ports.clock import Clock
from ....ports.http import HttpClient
from ....ports.questions import QuestionStore
from ....ports.socket import SocketDialer
from ..family import Hosts, Services
from .codes import CREDENTIALS
from .hosts import host as host
from .hosts import hosts as hosts
from .keys import Keys
from .opener import Opener
from .reader import Reader
from .rest import Rest
from .swap import SwapDialect

PING_SECONDS = 5.0


def dialect(venue: str, *, cumulative_costs: bool = False) -> SwapDialect:
    """The dialect of USDT-M swaps, of both environments."""
    return SwapDialect(venue, cumulative_costs=cumulative_costs)


def services(
    hosts: Hosts,
    *,
    http: HttpClient,
    dialer: SocketDialer,
    api_key: str,
    api_secret: str,
    clock: Clock,
    policy: Policy,
    secrets: Secrets,
    store: QuestionStore | None = None,
) -> Services:
    """Keys, reader and opener of one account; all its requests go through one `Rest`."""
    timeout = policy.request_timeout
    rest = Rest(http, hosts.rest_url, api_key, api_secret, clock=clock, timeout=timeout, secrets=secrets)
    dial, most = policy.connect_timeout, policy.max_frame_bytes
    return Services(
        Keys(rest),
        Reader(rest, store=store),
        Opener(dialer, hosts.ws_url, timeout=dial, max_bytes=most, secrets=secrets),
        frozenset(map(str, CREDENTIALS)),
    )
