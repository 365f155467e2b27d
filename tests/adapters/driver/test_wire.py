"""A ping or a frame that is to be written on a socket that has just ended."""

from __future__ import annotations

import pytest

from listenkey.adapters.driver.socket import SocketPump
from listenkey.adapters.driver.warnings import Warnings
from listenkey.core import actions, inputs
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.secrets import Secrets
from listenkey.ports.errors import RequestRefused
from listenkey.ports.socket import Socket

pytestmark = pytest.mark.anyio
REFUSAL = Refusal(RefusalKind.RETRY, "503", "busy")


class Closed:
    """Opens nothing."""

    async def open(self, key: str) -> Socket:
        raise RequestRefused(REFUSAL)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_it_is_dropped() -> None:
    """A timer that was due may ask for it in the very call that hears of the end, and later."""
    heard: list[inputs.Input] = []
    wanted = actions.OpenSocket(3, "K")

    def feed(received: inputs.Input) -> None:
        heard.append(received)
        wire.ping()
        wire.send("question")

    wire = SocketPump(wanted, feed, Warnings(lambda: False, Secrets()))
    await wire.run(Closed())
    wire.ping()
    assert heard == [wanted.closed(None, REFUSAL)]
