"""Two transports: aiohttp, and websockets with httpx2. They know nothing of any venue."""

from .names import Transport, open_transport

__all__ = ["Transport", "open_transport"]
