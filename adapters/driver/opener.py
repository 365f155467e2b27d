"""Opens the private stream of a listen key: the venue gives the URL and classifies refusals, a transport dials."""

from __future__ import annotations

from ...core.policy import Policy
from ...ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from ...ports.socket import Handshake, Socket, SocketDialer
from ..executors.tasks import TaskExecutor


class Opener:
    """A `SocketOpener`, within the policy's `connect_timeout` and `max_frame_bytes`."""

    def __init__(self, dialer: SocketDialer, handshake: Handshake, policy: Policy, executor: TaskExecutor) -> None:
        self._dialer = dialer
        self._handshake = handshake
        self._executor = executor
        self._timeout = policy.connect_timeout
        self._max_bytes = policy.max_frame_bytes

    async def open(self, key: str) -> Socket:
        """Return an open socket. Raises `RequestRefused`."""
        await self._executor.run(self._handshake.turn())
        url = self._handshake.url(key)
        try:
            return await self._dialer.dial(url, timeout=self._timeout, max_bytes=self._max_bytes)
        except (HandshakeRefused, TransportFailed) as error:
            refusal = self._handshake.refusal(error)
        raise RequestRefused(refusal)
