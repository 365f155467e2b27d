"""The interface of a family of venues: addresses, the pure side, and services, which are free of I/O as well."""

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
    """The two addresses of one environment, neither with a query."""

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
    """How often the venue says something on a socket on which nothing happens."""

    def limits(self) -> Sequence[str]:
        """The limits that the services keep, each in a few words; they are said when a stream begins."""

    def dialect(self, venue: str, *, cumulative_costs: bool = False) -> Dialect:
        """The pure side of the venue's wire."""

    def hosts(self, venue: str, rest_url: str | None = None, ws_url: str | None = None) -> Hosts:
        """The venue's own pair, or the pair given. Raises `ValueError` for half a pair or what is no URL."""

    def host(self, rest_url: str) -> str:
        """The name of the host behind an address of REST; the venue's fallback names count as its first one."""

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
        """Return the services of the account that the credentials are of; `secrets` is given signatures, and searched;
        the questions they have asked are kept in the store.
        """
