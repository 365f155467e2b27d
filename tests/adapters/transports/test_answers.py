"""A request is sent unchanged, and its answer is complete, with any status, up to a limit of size."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from listenkey.adapters.transports import Transport, limits, open_transport
from listenkey.ports.errors import TransportFailed

from .asking import answering, asked, chunked
from .conftest import Setting
from .peer import Handler, Peer, Wire

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_is_sent(transport: Transport, method: str) -> None:
    """Method, target and headers are sent unchanged, without a body."""
    target = "/openApi/a%2fb?symbol=BTC-USDT&json=%7B%22a%22%3A%5B1%5D%7D&odd=it's~!$()*,:;@&empty=&z=1+2%20&s=ab"
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        heads.append(wire.head())
        wire.answer("200 OK", b"{}")

    with Peer(handler) as peer:
        url = peer.url("http", target)
        answer = await transport.http.request(method, url, headers={"X-BX-APIKEY": "k%2b"}, timeout=5)
        assert answer.body == b"{}"
    first, *lines = heads[0].split("\r\n")
    assert first == f"{method} {target} HTTP/1.1"
    sent = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert sent["x-bx-apikey"] == "k%2b"
    assert sent["host"] == f"127.0.0.1:{peer.port}"
    assert sent.get("content-length", "0") == "0"
    assert sent["accept-encoding"] == "gzip"
    assert "cookie" not in sent


async def test_a_target_without_a_path(transport: Transport) -> None:
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        heads.append(wire.head())
        wire.answer("200 OK", b"")

    with Peer(handler) as peer:
        await asked(transport, peer, "?a=/b")
    assert heads[0].startswith("GET /?a=/b HTTP/1.1")


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "404 Not Found", "429 Slow Down", "503 Busy"])
async def test_every_status_is_an_answer(transport: Transport, status: str) -> None:
    body = b"<html>\xff not JSON, not UTF-8</html>"
    with Peer(answering(status, body, "Content-Type: text/html", "Retry-After: 7", "X-A: 1", "x-a: 2")) as peer:
        answer = await asked(transport, peer)
    assert (answer.status, answer.body) == (int(status[:3]), body)
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-a"] == "1, 2"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(transport: Transport, status: int) -> None:
    with Peer(answering(f"{status} Elsewhere", b"moved", "Location: /other")) as peer:
        answer = await asked(transport, peer)
        assert (answer.status, answer.body, answer.headers["location"]) == (status, b"moved", "/other")
        assert peer.connections == 1


async def test_gzip_is_inflated(transport: Transport) -> None:
    body = b'{"code":0}' * 1000
    with Peer(answering("200 OK", gzip.compress(body), "Content-Encoding: gzip")) as peer:
        assert (await asked(transport, peer)).body == body


async def test_gzip_in_two_members_is_one_body(transport: Transport) -> None:
    with Peer(answering("200 OK", gzip.compress(b"one ") + gzip.compress(b"two"), "Content-Encoding: x-gzip")) as peer:
        assert (await asked(transport, peer)).body == b"one two"


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (b"not gzip at all", "gzip", "not the gzip"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", "without an end"),
        (b"anything", "br", "not asked for"),
    ],
)
async def test_an_encoding_that_is_not_kept(transport: Transport, body: bytes, encoding: str, words: str) -> None:
    with (
        Peer(answering("200 OK", body, f"Content-Encoding: {encoding}")) as peer,
        pytest.raises(TransportFailed, match=words),
    ):
        await asked(transport, peer)


async def test_cookies_are_not_kept(transport: Transport) -> None:
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        for _ in range(2):
            heads.append(wire.head())
            wire.answer("200 OK", b"", "Set-Cookie: session=1; Path=/")

    with Peer(handler) as peer:
        await asked(transport, peer)
        await asked(transport, peer)
        assert peer.connections == 1  # one pool, whose connection is kept
    assert [head for head in heads if "cookie" in head.lower()] == []


async def test_a_body_up_to_the_bound(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_BYTES", 100_000)
    with Peer(answering("200 OK", b"x" * 100_000)) as peer:
        assert len((await asked(transport, peer)).body) == 100_000


LARGE: dict[str, Handler] = {
    "with a length": answering("200 OK", b"x" * 30_000_000),
    "in chunks": lambda wire: chunked(wire, 10_000, 100_000),
}


@pytest.mark.parametrize("kind", LARGE)
async def test_a_body_beyond_the_bound(transport: Transport, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is too large raises an error before its end is read, and its connection is closed."""
    monkeypatch.setattr(limits, "ANSWER_BYTES", 100_000)
    with Peer(LARGE[kind]) as peer:
        with pytest.raises(TransportFailed, match="larger than 100000 bytes"):
            await asked(transport, peer)
        assert await peer.ended()


async def test_a_body_that_inflates_beyond_the_bound(transport: Transport) -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    with (
        Peer(answering("200 OK", bomb, "Content-Encoding: gzip")) as peer,
        pytest.raises(TransportFailed, match="larger than 16777216 bytes"),
    ):
        await asked(transport, peer)


async def test_a_proxy_is_used_when_given_and_only_then(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        heads.append(wire.head())
        wire.answer("200 OK", b"by proxy")

    with Peer(handler) as proxy, Peer(answering("200 OK", b"direct")) as peer:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("http"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        direct = open_transport(setting.name)
        assert (await asked(direct, peer)).body == b"direct"
        await direct.close()
        proxied = open_transport(setting.name, proxy=proxy.url("http"))
        target = "/a?b=%2f"
        assert (await asked(proxied, peer, target)).body == b"by proxy"
        assert heads[0].startswith(f"GET {peer.url('http', target)} HTTP/1.1")
        await proxied.close()


def users_session(setting: Setting, **options: Any) -> Any:
    if setting.name == "aiohttp":
        import aiohttp

        return aiohttp.ClientSession(raise_for_status=True, **options)
    import httpx2

    return httpx2.AsyncClient(**options)


async def test_the_users_session_is_used_and_not_closed(setting: Setting) -> None:
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        for _ in range(2):
            heads.append(wire.head())
            wire.answer("302 Elsewhere", b"moved", "Location: /other")

    with Peer(handler) as peer:
        session = users_session(setting, headers={"X-Desk": "seven"})
        transport = open_transport(setting.name, http_session=session)
        assert (await asked(transport, peer)).status == 302
        await transport.close()
        again = open_transport(setting.name, http_session=session)
        assert (await asked(again, peer)).status == 302
        await again.close()
        await (session.close() if setting.name == "aiohttp" else session.aclose())
        assert peer.connections == 1
    assert ["seven" in head for head in heads] == [True, True]
