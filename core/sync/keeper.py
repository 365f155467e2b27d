"""Whoever keeps the links: what a read may ask of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..refusal import Refusal


class Keeper(NamedTuple):
    """Links and what is proven watch each other; this is the way back."""

    distrust: Callable[[], None]
    """The link that leads has missed something: move over to another."""
    stop: Callable[[Refusal], None]
    """End the stream, for this reason."""
