"""The tables of scenarios with faults: the docstring of each states its rule, and the harness judges the rest."""

from . import accounts, alone, binance, frames, reads, sockets
from .table import Played, played

__all__ = ["Played", "accounts", "alone", "binance", "frames", "played", "reads", "sockets"]
