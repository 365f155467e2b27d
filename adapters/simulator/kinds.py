"""The faults of each wire, by the name of its venue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .binance.faults import FAULTS as USDM
from .faults import FAULTS as BINGX
from .faults import FaultKind

FAULTS_OF: Mapping[str, Mapping[str, FaultKind]] = MappingProxyType({"bingx-swap": BINGX, "binance-usdm": USDM})
