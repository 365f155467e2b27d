"""The exchange of a life, by its venue."""

from __future__ import annotations

from .exchange import Market
from .network import Network
from .setup import Setup
from .swap import SwapMarket
from .usdm import UsdmMarket
from .venues import USDM
from .weather import Weather


def market_of(network: Network, weather: Weather, setup: Setup) -> Market:
    """Return the exchange at which this life is lived."""
    return (UsdmMarket if setup.venue == USDM else SwapMarket)(network, weather, setup)
