"""No output of the library contains an API key, secret, signature or listen key."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from listenkey.adapters.simulator.server import Server
from listenkey.adapters.venues.bingx import rest, signing
from listenkey.ports.errors import CredentialsRefused, ReadFailed

from .harness import Run, fresh_key, served, streaming, venue_at

pytestmark = pytest.mark.loopback


class Ears(logging.Handler):
    """Collects all log records."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


async def rough_life(transport: str, journal: Path, said: list[str]) -> list[str]:
    """Make every trouble that could show a secret; return the secrets that must not be in the output."""
    key = fresh_key()
    async with served(key) as server:
        async with streaming(
            server, transport, key=key, policy={"renew_interval": 0.8, "silence_timeout": 1}, journal=journal
        ) as run:
            await run.live()
            for faults, met in _troubles(run, server):
                await run.until(lambda: run.stream.state == "CONNECTED", "connected")
                for name in faults:
                    server.fault(name)
                await run.until(met, f"met {faults}")
            await run.live()
            _note(run, said)
        async with venue_at(server, transport, key=key, policy={"request_timeout": 0.5}) as venue:
            for name in ("rest_html", "rest_timeout", "bad_credentials"):
                server.fault(name, seconds=3600)
                try:
                    await venue.account_snapshot()
                except ReadFailed as failed:
                    said += traceback.format_exception(failed)
                server.faults.clear(name)
        wrong = fresh_key()
        async with venue_at(server, transport, key=wrong, policy={}) as venue:
            try:
                async with venue.subscribe() as stream:
                    async for event in stream:
                        said.append(event.to_json().decode())
            except CredentialsRefused as refused:
                said += traceback.format_exception(refused)
        keys = [mint.key for mint in server.log.mints]
    assert len(keys) > 3
    return [key, key[::-1], wrong, wrong[::-1], *keys]


def _troubles(run: Run, server: Server) -> Iterator[tuple[tuple[str, ...], Callable[[], bool]]]:
    """Yield faults that are ordered together, each with its condition; the next ones come while a gap is still open."""
    log, consumer = server.log, run.consumer

    def refused(reason: str) -> Callable[[], bool]:
        return lambda: any(each.reason == reason for each in log.refused)

    def answered(code: int) -> Callable[[], bool]:
        return lambda: any(call.code == code for call in log.calls)

    yield ("garbage",), lambda: bool(consumer.kinds("UNKNOWN"))
    yield ("expire_key",), lambda: len(log.mints) > 1
    yield ("drop_tcp",), lambda: any(closing.reason == "drop_tcp" for closing in log.closings)
    yield ("renew_404",), lambda: any(not renewal.ok for renewal in log.renewals)
    yield ("rest_error", "drop_tcp"), answered(500)
    yield ("refuse", "drop_tcp"), refused("refuse")
    yield ("mint_error", "drop_tcp"), answered(100500)
    for costly in ("silent", "oversized"):
        openings = len(log.openings)
        yield (costly,), lambda openings=openings: len(log.openings) > openings  # type: ignore[misc]


def _note(run: Run, said: list[str]) -> None:
    for event in run.consumer.events:
        said += [event.to_json().decode(), repr(event), repr(event.frame)]
    said += [repr(run.stream.links), repr(run.venue), repr(run.stream)]


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under all faults, keys, secrets, signatures and listen keys are in no log at any level, no journal, no event and
    no traceback.
    """
    signatures: list[str] = []
    signed = signing.signed

    def overheard(*args: Any) -> str:
        query = signed(*args)
        signatures.append(query.rpartition("signature=")[2])
        return query

    monkeypatch.setattr(rest, "signed", overheard)
    root, ears = logging.getLogger(), Ears()
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    said: list[str] = []

    async def both() -> list[str]:
        found = await asyncio.gather(*(rough_life(name, tmp_path / name, said) for name in ("aiohttp", "websockets")))
        return [secret for secrets in found for secret in secrets]

    try:
        secrets = asyncio.run(both())
    finally:
        root.removeHandler(ears)
        root.setLevel(level)
    assert signatures
    assert ears.lines
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir()]
    assert any("ORDER" in file or "FILL" in file for file in files)
    for text in (*ears.lines, *said, *files):
        for secret in (*secrets, *signatures):
            assert secret not in text, text[:500]
            assert secret[:12] not in text, text[:500]
