"""Finds WebSocket frames in the bytes of a server, which may be cut into any pieces."""

from __future__ import annotations

_END_OF_HEAD = b"\r\n\r\n"
_EXTENDED = {126: 2, 127: 8}


class Framing:
    """Takes all bytes of a server, from the answer to the handshake on."""

    def __init__(self) -> None:
        self._handshake: bytearray | None = bytearray()
        self._head = bytearray()
        self._left = 0

    def middle(self, data: bytes, least: int = 2) -> int | None:
        """An offset in this next piece, inside a payload with at least `least` bytes in it; None if there is none."""
        spans = [(start, end) for start, end in self._payloads(data) if end - start >= max(2, least)]
        return (spans[0][0] + spans[0][1]) // 2 if spans else None

    def _payloads(self, data: bytes) -> list[tuple[int, int]]:
        found = []
        at = self._after_handshake(data)
        while at < len(data):
            if self._left:
                end = min(len(data), at + self._left)
                found.append((at, end))
                self._left -= end - at
                at = end
            else:
                self._head.append(data[at])
                at += 1
                self._begin()
        return found

    def _after_handshake(self, data: bytes) -> int:
        if self._handshake is None:
            return 0
        before = len(self._handshake)
        self._handshake += data
        end = self._handshake.find(_END_OF_HEAD)
        if end < 0:
            return len(data)
        self._handshake = None
        return end + len(_END_OF_HEAD) - before

    def _begin(self) -> None:
        """Begin a frame if its head is complete: two bytes, the extended length, a mask."""
        head = self._head
        if len(head) < 2:
            return
        short, masked = head[1] & 0x7F, head[1] & 0x80
        extended = _EXTENDED.get(short, 0)
        if len(head) == 2 + extended + (4 if masked else 0):
            self._left = int.from_bytes(head[2 : 2 + extended]) if extended else short
            head.clear()
