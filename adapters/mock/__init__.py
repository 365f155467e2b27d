"""A venue for a user's own tests: no network, no waiting."""

from .account import Amount
from .script import MockStream
from .venue import MockVenue

__all__ = ["Amount", "MockStream", "MockVenue"]
