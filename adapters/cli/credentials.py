"""The API key and secret, which come from two variables of the environment and from no other source."""

from __future__ import annotations

import os
from typing import NamedTuple

from .exits import Exit, Failure
from .secrecy import KEY_VARIABLE, SECRET_VARIABLE


class Credentials(NamedTuple):
    """The API key and secret; both are secret and never shown, not even by `repr`."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "Credentials(***)"


def credentials() -> Credentials:
    """Read both from the environment."""
    found = Credentials(_read(KEY_VARIABLE), _read(SECRET_VARIABLE, may_be_a_key=True))
    if not all(found):
        raise Failure(Exit.USAGE, f"credentials come from {KEY_VARIABLE} and {SECRET_VARIABLE}: set both")
    return found


def are_given() -> bool:
    """True if one of the two is set."""
    return bool(_read(KEY_VARIABLE) or _read(SECRET_VARIABLE))


def _read(name: str, *, may_be_a_key: bool = False) -> str:
    """Read one variable; a private key may contain line ends, and spaces in its first and last line."""
    value = os.environ.get(name, "")
    if may_be_a_key and value.lstrip().startswith("-----BEGIN") and value.isascii():
        return value
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise Failure(Exit.USAGE, f"{name} must be printable ASCII without spaces")
    return value
