"""What goes wrong, as tables of stories: each says what must hold, and the harness judges the rest."""

from . import accounts, alone, frames, reads, sockets
from .table import Played, played

__all__ = ["Played", "accounts", "alone", "frames", "played", "reads", "sockets"]
