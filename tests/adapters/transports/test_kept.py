"""Connections are kept between requests, so that a read after an interruption need not open new ones."""

from __future__ import annotations

import time

import aiohttp.connector
import pytest

from listenkey.adapters.transports import Transport
from listenkey.adapters.transports.limits import KEPT_SECONDS

from .asking import answering, asked
from .peer import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


async def test_a_connection_is_kept_for_a_minute(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was idle for less than `KEPT_SECONDS` is used again, a longer idle one is not."""
    real, ahead = time.monotonic, [0.0]
    for clock in (time, aiohttp.connector):
        monkeypatch.setattr(clock, "monotonic", lambda: real() + ahead[0])
    with Peer(answering("200 OK", b"{}")) as peer:
        await asked(transport, peer)
        ahead[0] += KEPT_SECONDS - 5
        await asked(transport, peer)
        assert peer.connections == 1
        ahead[0] += KEPT_SECONDS + 1
        await asked(transport, peer)
        assert peer.connections == 2
