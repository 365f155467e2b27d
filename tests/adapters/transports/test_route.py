"""Proxy and source address are checked when a transport is opened, and an error names the wrong option."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from listenkey import Policy, open_venue
from listenkey.adapters.transports import open_transport, route

ALLOWED = "http://, https://, socks5://, socks5h://"


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
@pytest.mark.parametrize(
    "proxy",
    [
        *("127.0.0.1:8080", "proxy.example", "", "ftp://127.0.0.1", "socks4://127.0.0.1:1", "http://", "http://[::1"),
        *("http://user:hunter2@127.0.0.1:1/path", "http://127.0.0.1:1?a=b", "http://h:99999", "http://127.0.0.1:x"),
        *(
            " http://user:hunter2@h:1",
            "http://user:hunter2@h\n:1",
            "http://user:hunter2@ho st:1",
            "http://hunter2@a..b:1",
        ),
        *("http://user:hunter2@[v1.x]:1", "http://user:hunter2\x01@h:1", "http://user:hunter2@\ud800:1"),
    ],
)
def test_a_proxy_that_is_none_is_refused(name: str, proxy: str) -> None:
    """An invalid proxy is refused with the allowed schemes, and without its value, which may have a password."""
    with pytest.raises(ValueError, match=r"^proxy must be") as refused:
        open_transport(name, proxy=proxy)
    assert ALLOWED in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_route_shows_no_password() -> None:
    """The `repr` of a route shows no password."""
    assert "hunter2" not in repr(route.Route("http://user:hunter2@proxy.example"))


@pytest.mark.parametrize(("name", "module"), [(name, each) for name, some in route.NEEDED.items() for each in some])
def test_socks_is_an_extra(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library of SOCKS only a SOCKS proxy is refused, with the name of the extra."""
    monkeypatch.setattr(route, "find_spec", lambda wanted: None if wanted == module else object())
    with pytest.raises(ValueError, match=r"proxy.*listenkey\[socks\]"):
        open_transport(name, proxy="socks5://127.0.0.1:1080")


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize(
    "account", ["hunter2:" + "x" * 256, "x" * 256 + ":hunter2", "hunter2" + "%41" * 249 + ":p", "u:hunter2%C3%A9"]
)
def test_what_socks_cannot_carry_is_refused(name: str, scheme: str, account: str) -> None:
    """A user or password of SOCKS that is too long or not ASCII is refused, and neither is shown."""
    with pytest.raises(ValueError, match=r"^proxy: .*255") as refused:
        open_transport(name, proxy=f"{scheme}://{account}@127.0.0.1:1")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
def test_what_socks_can_carry_is_accepted(name: str) -> None:
    """A user and a password of SOCKS may have 255 decoded characters; an HTTP proxy has no such limit."""
    open_transport(name, proxy=f"socks5://{'u' * 255}:{'%41' * 255}@127.0.0.1:1")
    open_transport(name, proxy=f"http://{'u' * 256}:{'p' * 256}@127.0.0.1:1")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_user_without_a_password_is_refused_where_the_library_does(scheme: str) -> None:
    """With websockets a user without a password is refused at once; an empty password, and aiohttp, are accepted."""
    with pytest.raises(ValueError, match=r"^proxy: .*password") as refused:
        open_transport("websockets", proxy=f"{scheme}://hunter2@127.0.0.1:1")
    assert "hunter2" not in str(refused.value)
    open_transport("websockets", proxy=f"{scheme}://user:@127.0.0.1:1")
    open_transport("aiohttp", proxy=f"{scheme}://user@127.0.0.1:1")


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
@pytest.mark.parametrize(
    "options",
    [
        {"source_address": "home"},
        {"source_address": ""},
        {"source_address": "127.0.0.1", "proxy": "http://127.0.0.1:1"},
        {"source_address": "127.0.0.1", "http_session": object()},
        {"proxy": "socks5://127.0.0.1:1", "http_session": object()},
    ],
    ids=["no address", "empty", "with a proxy", "with a session", "SOCKS with a session"],
)
def test_what_contradicts_itself_is_refused(name: str, options: dict[str, Any]) -> None:
    """Options that exclude each other are refused, and the error names one."""
    with pytest.raises(ValueError, match=r"source_address|^proxy"):
        open_transport(name, **options)


@pytest.mark.parametrize(("seconds", "mode", "warned"), [(5, "ws", 1), (5.1, "ws", 0), (1, "poll", 0)])
def test_a_silence_shorter_than_the_venues_rhythm_is_warned_of(
    seconds: float, mode: Any, warned: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A `silence_timeout` not longer than the venue's ping interval is warned of once, unless the mode is `poll`."""
    with caplog.at_level(logging.WARNING, "listenkey"):
        open_venue("bingx-swap", api_key="k", api_secret="s", mode=mode, policy=Policy(silence_timeout=seconds))
    assert [record.getMessage().count("pings every 5 s") for record in caplog.records] == [1] * warned
