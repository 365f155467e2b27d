"""The owner of a journal: the venue, its REST host, the account, and the API keys that were proven to be the account's.

A stream's claim is compared before any event of the journal is delivered. Another venue, host or account is refused. An
unknown API key must be proven to be the same account's: by the account's id, or, if there are no two ids to compare, by
an order of the journal that the venue knows. A journal without API keys has no owner yet, and belongs to the account
whose API key is proven first.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from ...core.reports import OrderRef
from ...ports.errors import JournalRefused, StreamStopped

_log = logging.getLogger("listenkey")


class _Claim(NamedTuple):
    """The account that claims the journal: venue, host, and the API key's digest."""

    venue: str
    host: str
    api_key: bytes


class Owner:
    """The owner in the file at `path`, and the claim. With `adopt`, a claim is trusted if it cannot be proven."""

    def __init__(self, path: Path, connection: Connection, *, adopt: bool) -> None:
        self._path = path
        self._adopt = adopt
        self._claim: _Claim | None = None
        self._stored: _Claim | None = None
        """The claim that the file contains already; None if it is new."""
        self._recognised = True
        known = connection.execute("SELECT salt, venue, host, account FROM owner").fetchone()
        self._keys = {digest for (digest,) in connection.execute("SELECT digest FROM api_keys")}
        if known is None:
            raise StreamStopped(f"the journal {path} is damaged: it has lost its owner")
        self._salt, self._venue, self._host, self._account = known

    @property
    def recognised(self) -> bool:
        """True if the API key is known, or the journal has no owner yet."""
        return self._recognised

    def claim(self, venue: str, host: str, api_key: str) -> None:
        """Make the claim, and compare it as far as possible without the venue. Raises `JournalRefused`."""
        claim = _Claim(venue, host, self._digest("api key", api_key))
        if self._claim is not None:
            if claim != self._claim:
                raise self._refused("was opened for another venue or API key, and is not closed")
            return
        if self._keys and venue != self._venue:
            raise self._refused(f"is of an account of {self._venue}, not of {venue}: {_OTHER_FILE}")
        elsewhere = bool(self._keys) and host != self._host
        if elsewhere and not self._adopt:
            raise self._refused(f"was written at {self._host}, not at {host}; {_IF_THE_SAME}")
        known = claim.api_key in self._keys and not elsewhere
        self._claim, self._stored = claim, claim if known else None
        self._recognised = known or not self._keys

    def is_comparable(self, account_id: str | None) -> bool:
        """True if both this account's id and the journal's are known."""
        return account_id is not None and self._account is not None

    def recognise(self, account_id: str | None, found: Collection[OrderRef]) -> bool:
        """Judge the claim after the venue's answer to the API key; return True if there is something new to store.

        Raises `JournalRefused`, or `StreamStopped` if the claim was recognised before.
        """
        if self._claim is None:
            return False
        account = None if account_id is None else self._digest("account", account_id)
        if account is not None and self._account is not None and account != self._account:
            if self._recognised:
                raise StreamStopped(f"the journal {self._path} is of another account than the venue now names")
            raise self._refused(f"is of another account than the API key: {_OTHER_FILE}")
        if not self._recognised:
            if not (self.is_comparable(account_id) or found or self._adopt):
                raise self._refused(f"has not seen this API key, and nothing shows whose it is; {_IF_THE_SAME}")
            self._recognised = True
        is_new = self._claim != self._stored or (self._account is None and account is not None)
        self._account = self._account or account
        return is_new

    def store(self, connection: Connection) -> None:
        """Write the owner, in the transaction under way."""
        claim = self._claim
        assert claim is not None
        (has_events,) = connection.execute("SELECT EXISTS (SELECT 1 FROM events)").fetchone()
        connection.execute(
            "UPDATE owner SET venue = ?, host = ?, account = ?", (claim.venue, claim.host, self._account)
        )
        connection.execute("INSERT OR IGNORE INTO api_keys VALUES (?)", (claim.api_key,))
        if has_events and not self._keys:
            _log.warning("%s: the journal did not know whose it is; from now on it is this account's", self._path)
        elif self._adopt and (claim.host != self._host or claim.api_key not in self._keys):
            _log.warning("%s: the journal was adopted for another API key or place of its account", self._path)
        self._venue, self._host = claim.venue, claim.host
        self._keys.add(claim.api_key)
        self._stored = claim

    def _digest(self, of: str, text: str) -> bytes:
        return hashlib.blake2b(
            text.encode(errors="surrogatepass"), key=self._salt, person=of.encode(), digest_size=16
        ).digest()

    def _refused(self, why: str) -> JournalRefused:
        return JournalRefused(f"{self._path}: the journal {why}")


_OTHER_FILE = "each account needs a file of its own"
_IF_THE_SAME = (
    "if it is the same account's, open it with SqliteJournal(path, adopt=True) or listenkey watch --adopt-journal"
)
