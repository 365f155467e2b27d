"""The interface of a family of venues: its addresses, its dialect and its services, all without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ...core.dialect import Dialect
from ...core.policy import Policy
from ...core.secrets import Secrets
from ...ports.keys import KeyService
from ...ports.questions import QuestionStore
from ...ports.reader import AccountReader
from ...ports.socket import Handshake


class Hosts(NamedTuple):
    """The two addresses of one environment, both without a query."""

    rest_url: str
    ws_url: str


class Services(NamedTuple):
    """The services of one account, and the codes of refusals that are about its credentials."""

    keys: KeyService
    reader: AccountReader
    handshake: Handshake
    credential_codes: frozenset[str]


class Family(Protocol):
    """The module `open` in the folder of a family."""

    PING_SECONDS: float
    """The interval, s, of the venue's own frames on a socket without events."""

    def limits(self) -> Sequence[str]:
        """The limits that the services keep, as short texts, which are logged when a stream begins."""

    def dialect(self, venue: str, *, cumulative_costs: bool = False) -> Dialect:
        """The dialect of the venue."""

    def hosts(self, venue: str, rest_url: str | None = None, ws_url: str | None = None) -> Hosts:
        """The pair given, else the venue's own. Raises `ValueError` for half a pair or no URL."""

    def host(self, rest_url: str) -> str:
        """The name of the host of a REST address; a fallback name of the venue is replaced by its first one."""

    def services(
        self,
        hosts: Hosts,
        *,
        api_key: str,
        api_secret: str,
        policy: Policy,
        secrets: Secrets,
        store: QuestionStore | None = None,
    ) -> Services:
        """Return the services of the credentials' account. They add signatures to `secrets`, which redacts answers, and
        keep their questions in `store`.
        """
