"""Fixtures: the transports under test, each on its event loops, and a certificate that is not trusted."""

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
    """Leave imported objects out of the garbage collection, which runs after each test here."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def anyio_backend(setting: Setting) -> Iterator[tuple[str, dict[str, object]]]:
    """Run asyncio in debug mode, because it logs more, and its log must contain no secret."""
    yield setting.backend, {"debug": True} if setting.backend == "asyncio" else {}
    gc.collect()  # a resource that was left open now causes a warning, and warnings are errors


@pytest.fixture
async def transport(setting: Setting) -> AsyncIterator[Transport]:
    opened = open_transport(setting.name, ssl_context=trusting())
    yield opened
    await opened.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait 0.1 s instead of a second for a peer that does not answer a close, because many do not."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.1)


@pytest.fixture(scope="session", name="certificate")
def fixture_certificate() -> Certificate:
    return certificate()
