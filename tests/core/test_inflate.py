"""Binary frames: their content or a reason, with no more memory than the limit allows."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.core.inflate import MEMBERS, NotInflatable, Oversized, inflate

LIMIT = 1 << 20
PING = gzip.compress(b"Ping", mtime=0)


@given(st.binary(max_size=5000), st.integers(0, 9))
def test_round_trip(content: bytes, level: int) -> None:
    """Compressed bytes come back, even if they have exactly the limit's size."""
    assert inflate(gzip.compress(content, level), max(1, len(content))) == content


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 65_536, 1_000_000])
def test_the_limit_is_exact(size: int) -> None:
    """A content of the limit's size passes, one byte more does not. (zlib returns 16 KiB at a time.)"""
    content = bytes(size)
    assert inflate(gzip.compress(content), size) == content
    with pytest.raises(Oversized, match=f"more than {size} bytes"):
        inflate(gzip.compress(content + b"x"), size)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", b""),
        ("the magic number only", b"\x1f\x8b"),
        ("half of the magic number", b"\x1f"),
        ("no checksum", PING[:-8]),
        ("half of the length", PING[:-2]),
        ("half of the content", PING[: len(PING) // 2]),
        ("wrong checksum", PING[:-8] + b"\0\0\0\0" + PING[-4:]),
        ("wrong length", PING[:-4] + b"\xff\0\0\0"),
        ("zeros behind it", PING + b"\0\0\0"),
        ("garbage behind it", PING + b"garbage"),
        ("a second member that is truncated", PING + PING[:-1]),
    ],
)
def test_not_inflatable(name: str, data: bytes) -> None:
    """Bytes that begin as gzip but are not whole members to the last byte are refused; so is an empty frame."""
    with pytest.raises(NotInflatable):
        inflate(data, LIMIT)


@given(st.binary(min_size=1, max_size=5000), st.integers(0, 9))
@settings(deadline=None)
def test_zlib(content: bytes, level: int) -> None:
    """A whole zlib stream is its content, within the same limit."""
    assert inflate(zlib.compress(content, level), len(content)) == content
    with pytest.raises(Oversized):
        inflate(zlib.compress(content, level), len(content) - 1)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"1",
        b'{"e":"ORDER_TRADE_UPDATE"}',
        b"\x1fno gzip",
        zlib.compress(b"Ping", wbits=-15),
        zlib.compress(b"Ping")[:-1],
        zlib.compress(b"Ping") + b"x",
        b"x\x9c and no more of it",
    ],
)
def test_bytes_as_they_are(data: bytes) -> None:
    """Bytes that are neither gzip nor one whole zlib stream are returned as they are, unless larger than the limit."""
    assert inflate(data, len(data)) == data
    with pytest.raises(Oversized):
        inflate(data, len(data) - 1)


@given(st.binary(max_size=200))
def test_total(data: bytes) -> None:
    """Any bytes, with or without a gzip header, give content or one of two exceptions."""
    for frame in (data, PING[:10] + data, PING + data):
        try:
            assert len(inflate(frame, 100)) <= 100
        except (NotInflatable, Oversized):
            continue


def test_members_are_joined() -> None:
    """Members one after the other are joined, and share the limit."""
    assert inflate(PING * 3, 12) == inflate(PING * 3, 1 << 20) == b"PingPingPing"
    with pytest.raises(Oversized):
        inflate(PING * 3, 11)


def test_a_flood_of_members() -> None:
    """Each empty member costs a copy of the rest, so only a few are allowed."""
    empty = gzip.compress(b"")
    assert inflate(empty * MEMBERS, LIMIT) == b""
    with pytest.raises(NotInflatable, match="more than"):
        inflate(empty * 50_000, LIMIT)


def test_bombs_stay_small() -> None:
    """100 MB of zeros, in one member or after a harmless one, are refused within little more than the limit."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    assert len(bomb) < 100_000
    for data in (bomb, PING + bomb, zlib.compress(bytes(100_000_000), 9)):
        tracemalloc.start()
        with pytest.raises(Oversized):
            inflate(data, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * LIMIT
