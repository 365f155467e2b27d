"""The transports under test, each on each event loop that it supports, and a certificate that nobody trusts."""

from __future__ import annotations

import gc
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from listenkey.adapters.transports import Transport, limits, open_transport


class Setting(NamedTuple):
    name: str
    backend: str


SETTINGS = [Setting("aiohttp", "asyncio"), Setting("websockets", "asyncio"), Setting("websockets", "trio")]


@pytest.fixture(params=SETTINGS, ids="-".join)
def setting(request: pytest.FixtureRequest) -> Setting:
    chosen = request.param
    assert isinstance(chosen, Setting)
    return chosen


@pytest.fixture
def anyio_backend(setting: Setting) -> Iterator[tuple[str, dict[str, object]]]:
    """asyncio runs in debug mode: it says more, and what it says must hold no secret."""
    yield setting.backend, {"debug": True} if setting.backend == "asyncio" else {}
    gc.collect()  # whatever was left open says so now, as a warning, and warnings are errors


@pytest.fixture
async def transport(setting: Setting) -> AsyncIterator[Transport]:
    opened = open_transport(setting.name)
    yield opened
    await opened.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that never answer a close are many here, and a second each is long."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.1)


class Certificate(NamedTuple):
    """A self-signed certificate for 127.0.0.1."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the openssl command is not installed")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return Certificate(server, ssl.create_default_context(cafile=str(cert)))
