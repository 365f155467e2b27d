"""A frame as it was inflated, and what is in it as plain values."""

from __future__ import annotations

import msgspec

Frame = bytes | str | None


def decoded(frame: Frame) -> object:
    """The frame as plain values, or as text where it is not JSON."""
    try:
        return None if frame is None else msgspec.json.decode(frame)
    except (ValueError, RecursionError):
        return frame.decode(errors="replace") if isinstance(frame, bytes) else frame
