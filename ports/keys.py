"""Listen keys: minting, renewing, deleting."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..core.discreet import Concealed
from .service import Service


class Grant(NamedTuple):
    """A key, the seconds it is valid for, and the venue's clock at the grant in ms, if known."""

    key: str
    valid_for: float
    exchange_ms: int | None

    def __repr__(self) -> str:
        return f"Grant({Concealed(self.key)!r}, valid_for={self.valid_for}, exchange_ms={self.exchange_ms})"


class KeyService(Protocol):
    """Each service is one request and raises `RequestRefused`, classified, when it did not succeed."""

    def create(self) -> Service[Grant]:
        """A key that opens the private stream."""

    def renew(self, key: str) -> Service[str | None]:
        """Returns only when the venue confirmed that a key lives on for its whole validity: the key that it named, or
        None where it names none and means this one. Where keys are an account's it may be another than was asked for.
        """

    def delete(self, key: str) -> Service[None]:
        """Delete the key; one that does not exist is fine."""
