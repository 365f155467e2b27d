"""The transports under test, each on each event loop that it supports, and a certificate that nobody trusts."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

from listenkey.adapters.transports import Transport, limits, open_transport

from ...certificates import Certificate, certificate, trusting


class Setting(NamedTuple):
    name: str
    backend: str


SETTINGS = [Setting("aiohttp", "asyncio"), Setting("websockets", "asyncio"), Setting("websockets", "trio")]


@pytest.fixture(params=SETTINGS, ids="-".join)
def setting(request: pytest.FixtureRequest) -> Setting:
    chosen = request.param
    assert isinstance(chosen, Setting)
    return chosen


@pytest.fixture(scope="module", autouse=True)
def few_objects() -> Iterator[None]:
    """Garbage is collected after each test here; what was imported before is never part of it, and is left out."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def anyio_backend(setting: Setting) -> Iterator[tuple[str, dict[str, object]]]:
    """asyncio runs in debug mode: it says more, and what it says must hold no secret."""
    yield setting.backend, {"debug": True} if setting.backend == "asyncio" else {}
    gc.collect()  # whatever was left open says so now, as a warning, and warnings are errors


@pytest.fixture
async def transport(setting: Setting) -> AsyncIterator[Transport]:
    opened = open_transport(setting.name, ssl_context=trusting())
    yield opened
    await opened.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that never answer a close are many here, and a second each is long."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.1)


@pytest.fixture(scope="session", name="certificate")
def fixture_certificate() -> Certificate:
    return certificate()
