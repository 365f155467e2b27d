"""Proxies of the environment: used if asked for, chosen for each URL, and refused at once if invalid."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from listenkey import open_venue
from listenkey.adapters.transports import open_transport
from listenkey.adapters.transports.environment import proxies
from listenkey.ports.errors import HandshakeRefused, TransportFailed

from .test_proxies import refusing

REST, SOCKET = "https://rest.example", "wss://push.example:8443/stream"
H, P, A = "http://h:1", "http://p:2", "http://a:3"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variables", "rest_url", "ws_url", "expected"),
    [
        ({}, REST, SOCKET, (None, None)),
        ({"HTTPS_PROXY": H, "HTTP_PROXY": P, "ALL_PROXY": A}, REST, SOCKET, (H, H)),
        ({"HTTPS_PROXY": H, "HTTP_PROXY": P}, "http://rest.example", "ws://push.example/x", (P, P)),
        ({"HTTP_PROXY": P}, REST, SOCKET, (None, None)),
        ({"ALL_PROXY": A}, REST, "ws://push.example/x", (A, A)),
        ({"https_proxy": H, "HTTPS_PROXY": P}, REST, SOCKET, (H, H)),
        ({"https_proxy": "", "HTTPS_PROXY": P}, REST, SOCKET, (None, None)),
        ({"all_proxy": "socks5://u:p@a"}, REST, SOCKET, ("socks5://u:p@a", "socks5://u:p@a")),
        ({"HTTPS_PROXY": "h:1"}, REST, SOCKET, (H, H)),
        ({"HTTPS_PROXY": H, "NO_PROXY": "rest.example"}, REST, SOCKET, (None, H)),
        ({"HTTPS_PROXY": H, "no_proxy": "localhost, .example"}, REST, SOCKET, (None, None)),
        ({"HTTPS_PROXY": H, "NO_PROXY": "push.example:8443,rest.example:444"}, REST, SOCKET, (H, None)),
        ({"HTTPS_PROXY": H, "NO_PROXY": "rest.example:443"}, REST, SOCKET, (None, H)),
        ({"HTTPS_PROXY": H, "NO_PROXY": "*"}, REST, SOCKET, (None, None)),
        ({"HTTP_PROXY": P, "NO_PROXY": "::1"}, "http://[::1]:80", "ws://[::2]/x", (None, P)),
        ({"HTTPS_PROXY": "ftp://h", "NO_PROXY": "*"}, REST, SOCKET, (None, None)),
    ],
)
def test_each_url_has_its_own(
    variables: dict[str, str],
    rest_url: str,
    ws_url: str,
    expected: tuple[str | None, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A URL's proxy depends on its scheme; lower case goes first, an empty value is none, NO_PROXY excepts hosts."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxies("env", rest_url, ws_url) == expected
    assert proxies(None, rest_url, ws_url) == (None, None)
    assert proxies(A, rest_url, ws_url) == (A, A)


@pytest.mark.parametrize("transport", ["aiohttp", "websockets"])
@pytest.mark.parametrize("value", ["ftp://user:hunter2@h:1", "http://user:hunter2@h:x", "user:hunter2@ho st"])
def test_what_is_none_is_refused_by_the_name_of_its_variable(
    transport: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invalid proxy is refused with its variable's name, not its value, and only if `proxy="env"`."""
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(ValueError, match=r"^proxy: ALL_PROXY of the environment must be a URL") as refused:
        open_venue("bingx-swap", api_key="k", api_secret="s", transport=transport, proxy="env")
    assert "hunter2" not in str(refused.value)
    open_venue("bingx-swap", api_key="k", api_secret="s", transport=transport)


def test_two_proxies_show_no_password() -> None:
    """The `repr` of two proxies shows no password."""
    assert "hunter2" not in repr(proxies("http://user:hunter2@proxy.example", REST, SOCKET))


@pytest.mark.parametrize("half", ["rest", "socket"])
@pytest.mark.parametrize("transport", ["aiohttp", "websockets"])
def test_one_half_goes_by_the_proxy_and_the_other_beside_it(
    transport: str, half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If NO_PROXY excepts the host of REST or of the socket, only the other one uses the proxy."""

    async def story() -> None:
        async with refusing() as port:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                nobody = closed.getsockname()[1]
                hosts = ("127.0.0.1", "localhost") if half == "rest" else ("localhost", "127.0.0.1")
                monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
                monkeypatch.setenv("NO_PROXY", "localhost")
                rest_url, ws_url = f"http://{hosts[0]}:{nobody}/", f"ws://{hosts[1]}:{nobody}/x"
                wires = open_transport(transport, proxy=proxies("env", rest_url, ws_url))
                try:
                    status = (await wires.http.request("GET", rest_url, headers={}, timeout=60)).status
                except TransportFailed:
                    status = 0
                assert status == (502 if half == "rest" else 0)
                with pytest.raises((TransportFailed, HandshakeRefused)) as failed:
                    await wires.dialer.dial(ws_url, timeout=60, max_bytes=100)
                assert ("502" in str(failed.value)) == (half == "socket")
                await wires.close()

    asyncio.run(story())
