"""A family's part in the search for secrets: frames and answers that contain one, and its services."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from listenkey.adapters.venues.family import Services
from listenkey.core.secrets import Secrets
from listenkey.ports.http import HttpResponse

from ...leaks.plants import Plant, Spoiled

Name = tuple[str, str]


class Planted(Protocol):
    """The module `planted` in the folder of a family's tests."""

    HEADER: str
    """The header that has the API key in it."""
    CALM: Mapping[Name, Any]
    """The answers without a fault, by method and last part of the path."""
    TIME: str
    """The last part of the path of the request for the time."""
    MORTAL: Collection[str]
    """Kinds of answers after which a stream sends no more requests, or none for a long time."""

    def plants(self) -> Iterator[Plant]:
        """Return the kinds of frames that the venue sends, each with a secret in it."""

    def spoiled(self) -> Iterator[Spoiled]:
        """Return the venue's errors, each with a secret in it."""

    def rows(self, secret: str, pad: int) -> Mapping[Name, Any]:
        """Return good answers whose rows contain the secret, readable or not."""

    def good(self, content: Any) -> HttpResponse:
        """Return the answer that has this content."""

    def keyed(self, method: str, key: str) -> HttpResponse:
        """Return the answer to a request about the account's listen key."""

    def services(self, api_key: str, api_secret: str, secrets: Secrets) -> Services:
        """Return the family's services at `https://venue.test` and `wss://venue.test/market`.

        They do not wait and do not count failing calls, so that every answer is used.
        """


def planted(family: str) -> Planted:
    """Return the plants of a family. Raises `ImportError` if it has none."""
    return cast(Planted, import_module(f".{family}.planted", __package__))
