"""See `venues/bingx/swap.py`."""

from ..venues.bingx.swap import SwapDialect as SwapDialect
