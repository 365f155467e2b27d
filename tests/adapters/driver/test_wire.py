"""A ping or a frame for a socket that has just ended is dropped."""

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
    """A transport that refuses to open a socket."""

    async def open(self, key: str) -> Socket:
        raise RequestRefused(REFUSAL)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_it_is_dropped() -> None:
    """A ping and a frame that are sent during or after the input of the socket's end raise nothing."""
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
