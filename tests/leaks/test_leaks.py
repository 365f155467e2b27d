"""No output and no file of a process contains a secret that the venue repeats, with both transports."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from listenkey import Policy, open_venue
from listenkey.adapters.venues.registry import VENUES
from listenkey.ports.errors import ReadFailed

from ..adapters.venues.samples import FAMILIES
from .finder import Finder, secret
from .parrot import NAME, PATIENCE, Parrot
from .test_answers import pieces
from .testimony import Ears, of_error

pytestmark = pytest.mark.loopback

TRANSPORTS = ["aiohttp", "websockets"]
VENUE = {family: next(venue for venue in VENUES if VENUES[venue] == family) for family in FAMILIES}
THOROUGH = "LISTENKEY_OFFSETS" in os.environ
SEEDS = range(8 if THOROUGH else 1)
PAIRS = [
    (family, transport)
    for place, family in enumerate(FAMILIES)
    for transport in (TRANSPORTS if THOROUGH or not place else TRANSPORTS[place % 2 :][:1])
]
"""The first family runs on both transports, the others in turn on one; `make soak` runs all."""
BRISK: dict[str, Any] = {
    "backoff_initial": 0.1,
    "backoff_max": 0.2,
    "renew_interval": 1.0,
    "request_timeout": 60,
    "drain": 0.2,
}
BRISK |= {"connect_timeout": 60, "silence_timeout": 60, "max_frame_bytes": 65536}


@pytest.mark.parametrize(("family", "transport"), PAIRS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_says_and_stores_no_secret(family: str, transport: str, seed: int, tmp_path: Path) -> None:
    """Standard output, log, journal and recording have no secret, in Python's development mode with debug logging."""
    draw = Random(seed)
    api_key, api_secret = secret(draw), secret(draw)
    environment = {"LISTENKEY_API_KEY": api_key, "LISTENKEY_API_SECRET": api_secret, "PYTHONASYNCIODEBUG": "1"}
    out, err = tmp_path / "out", tmp_path / "err"
    with Parrot(family, seed, api_secret) as parrot, out.open("wb") as printed, err.open("wb") as logged:
        command = [sys.executable, "-X", "dev", "-m", "listenkey", "watch", "--json", "--transport", transport]
        command += ["--venue", VENUE[family]]
        command += ["--rest-url", parrot.urls["rest_url"], "--ws-url", parrot.urls["ws_url"], "--log-level", "debug"]
        command += ["--journal", str(tmp_path / "journal"), "--record", str(tmp_path / "run.rec")]
        for name, value in BRISK.items():
            command += ["--set", f"{name}={value}"]
        with subprocess.Popen(command, stdout=printed, stderr=logged, env={**os.environ, **environment}) as process:
            try:
                assert parrot.spoken.wait(PATIENCE), err.read_text()[-2000:]
                said = contents(tmp_path)
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0, err.read_text()[-2000:]
            finally:
                process.kill()
    assert b'"UNKNOWN"' in out.read_bytes()
    assert b"debug: " in err.read_bytes()
    assert f"info: listenkey: {VENUE[family]} at " in err.read_text(errors="replace")
    nothing_leaks([*said, *contents(tmp_path)], parrot)


def contents(folder: Path) -> list[bytes]:
    """Return the contents of all files of a folder."""
    return [file.read_bytes() for file in sorted(folder.iterdir())]


def nothing_leaks(said: list[bytes], parrot: Parrot) -> None:
    assert Finder(parrot.secrets).leak(*said) is None
    everything = b"\n".join(said).decode("latin-1")
    assert parrot.signatures
    assert not [piece for each in parrot.signatures for piece in pieces(each) if piece in everything]


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Collect all logging at level DEBUG."""
    root, heard = logging.getLogger(), Ears(but=NAME)
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(heard)
    root.setLevel(level)


@pytest.mark.parametrize(("family", "transport"), PAIRS)
def test_no_log_and_no_error_holds_a_secret(family: str, transport: str, ears: Ears) -> None:
    """No log record and no error has a secret, with arguments and local variables, in asyncio's debug mode."""
    draw = Random(transport)
    api_key, api_secret = secret(draw), secret(draw)
    with Parrot(family, 11, api_secret) as parrot:
        hearing = overheard(parrot, VENUE[family], transport, api_key, api_secret, ears.said)
        asyncio.run(asyncio.wait_for(hearing, PATIENCE), debug=True)
    nothing_leaks([each.encode(errors="surrogatepass") for each in ears.said], parrot)


async def overheard(parrot: Parrot, venue: str, transport: str, api_key: str, api_secret: str, said: list[str]) -> None:
    asyncio.get_running_loop().slow_callback_duration = 0.0
    opened = open_venue(
        venue,
        api_key=api_key,
        api_secret=api_secret,
        rest_url=parrot.urls["rest_url"],
        ws_url=parrot.urls["ws_url"],
        transport=transport,
        policy=Policy(**BRISK),
        seed=1,
    )
    async with opened:
        for _ in range(3):
            try:
                said.append(repr(await opened.account_snapshot()))
            except ReadFailed as error:
                said += of_error(error)
        async with opened.subscribe() as stream:
            async for event in stream:
                said += [repr(event), repr(event.frame), repr(stream.links)]
                if parrot.spoken.is_set():
                    break
