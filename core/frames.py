"""A frame as it was inflated: its identity, and what is in it as plain values."""

from __future__ import annotations

from hashlib import blake2b as _digest

import msgspec

Frame = bytes | str | None


def frame_id(kind: str, frame: Frame, place: int = 0) -> str:
    """The identity of an event that a frame tells: a digest of the frame, which holds its time and content.

    `kind` is in lower case, and `place` counts the events of one frame, from 0.
    """
    text = frame if isinstance(frame, bytes) else (frame or "").encode()
    if place:
        text += b"#%d" % place
    return kind + ":" + _digest(text, digest_size=12).hexdigest()


def decoded(frame: Frame) -> object:
    """The frame as plain values, or as text where it is not JSON."""
    try:
        return None if frame is None else msgspec.json.decode(frame)
    except (ValueError, RecursionError):
        return frame.decode(errors="replace") if isinstance(frame, bytes) else frame
