"""Tables of stories in which something goes wrong: each says what must hold, and the harness judges the rest."""

from . import accounts, alone, binance, frames, reads, sockets
from .table import Played, played

__all__ = ["Played", "accounts", "alone", "binance", "frames", "played", "reads", "sockets"]
