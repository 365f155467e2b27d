"""Chaos on real sockets: a storm with each fault once, and scenes; all run at once, since they mostly wait."""

from __future__ import annotations

import asyncio
import random

import pytest

from .certificates import Certificates, certificates
from .faults import FAULTS
from .framing import Framing
from .lane import TRANSPORTS
from .scenes import SCENES
from .storm import Outcome, Plan, command, storm

PLAN = Plan(seed=3, rate=4.0, together=(3,))
Ended = dict[tuple[str, str], Exception | Outcome | None]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The end of each storm and scene: its outcome, None, or its exception."""
    return asyncio.run(_all(certificates(tmp_path_factory.mktemp("certificates"))))


async def _all(papers: Certificates) -> Ended:
    how: Ended = {}

    async def stormed(transport: str) -> None:
        try:
            how["storm", transport] = await storm(transport, PLAN, papers)
        except Exception as error:
            how["storm", transport] = error

    async def played(transport: str) -> None:
        for name, play in SCENES.items():
            try:
                await play(transport, papers)
                how[name, transport] = None
            except Exception as error:
                how[name, transport] = error

    await asyncio.gather(*(each(transport) for each in (stormed, played) for transport in TRANSPORTS))
    return how


@pytest.mark.loopback
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_storm(ended: Ended, transport: str) -> None:
    """Under every fault, three at a time, with fills during each, no fill is lost or doubled, the books match, and the
    client prints no secret and no warning.
    """
    outcome = ended["storm", transport]
    if isinstance(outcome, Exception):
        raise outcome
    assert outcome is not None
    print(outcome)
    assert outcome.good, f"{outcome}\n{command(PLAN, transport)}"
    assert set(outcome.kinds) == set(FAULTS)
    assert outcome.verdict.ledger == "MATCHED"


@pytest.mark.loopback
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", SCENES)
def test_scene(ended: Ended, name: str, transport: str) -> None:
    """Each scene's rule is in its docstring."""
    outcome = ended[name, transport]
    if isinstance(outcome, Exception):
        raise outcome


def test_framing() -> None:
    """With any cuts of the bytes, the middle of a frame is inside its payload."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    payloads = [b"a" * 10, b"b" * 125, b"c" * 126, b"", b"d" * 70_000]
    stream, inside = head, set[int]()
    for payload in payloads:
        size = len(payload)
        long = b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
        stream += b"\x82" + (bytes([size]) if size < 126 else long)
        inside |= set(range(len(stream) + 1, len(stream) + size))
        stream += payload
    for seed in range(50):
        rng, framing, at, found = random.Random(seed), Framing(), 0, 0
        while at < len(stream):
            piece = stream[at : at + rng.choice((1, 7, 100, 5_000, 100_000))]
            middle = framing.middle(piece)
            if middle is not None:
                found += 1
                assert at + middle in inside
            at += len(piece)
        assert found
