"""Requests are signed by the exchange's clock, keys are minted and renewed, sockets opened, addresses tied together."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from listenkey.adapters.venues.bingx.hosts import HOSTS, hosts
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.opener import Opener
from listenkey.adapters.venues.bingx.pace import Pace
from listenkey.adapters.venues.bingx.signing import encoded, plain, signature, signed
from listenkey.adapters.venues.bingx.together import together
from listenkey.core.refusal import UNREACHED, Refusal, RefusalKind
from listenkey.ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.keys import Grant
from listenkey.ports.socket import Socket

from .venue import KEY, NOW, SECRET, Venue, reply

LISTEN_KEY = "0123456789abcdef" * 4
PATH = "/openApi/user/auth/userDataStream"
FILLS = "/openApi/swap/v2/trade/fillHistory"
WINDOW: dict[str, str | int] = {"startTs": NOW - 1000, "endTs": NOW, "pageIndex": 1, "pageSize": 50}


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_signature_vector() -> None:
    """The documented inputs, with the hash that HMAC-SHA256 gives and not the one that was printed."""
    secret = "mheO6dR8ovSsxZQCOYEFCtelpuxcWGTfHw7te326y6jOwq5WpvFQ9JNljoTwBXZGv5It07m9RXSPpDQEK2w"
    text = plain({"timestamp": 1696751141337, "symbol": "BTC-USDT", "recvWindow": 0})
    assert text == "recvWindow=0&symbol=BTC-USDT&timestamp=1696751141337"
    printed = "1e63e8cfd1c04919881e60cf369e404b9b7c87d3a09bc300f1abfdcce7da57e8"
    computed = "f8d883609dfd31c824feb4de865b071008dedb1d461451fa70847875c8e7a7a2"
    assert signature(text, secret) == computed != printed
    # RFC 4231, test case 2
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature("what do ya want for nothing?", "Jefe") == known


def test_encoding() -> None:
    """What is signed stays raw; in the URL values are encoded, and only values."""
    params: dict[str, str | int] = {"b": '[{"x":1}]', "a": "1,2", "timestamp": 5}
    assert plain(params) == 'a=1,2&b=[{"x":1}]&timestamp=5'
    assert encoded(params) == "a=1%2C2&b=%5B%7B%22x%22%3A1%7D%5D&timestamp=5"
    assert encoded({"b": "x y&z", "a": "1,2"}) == "a=1,2&b=x%20y%26z"
    assert signed(params, "s") == f"{encoded(params)}&signature={signature(plain(params), 's')}"


def test_signed_by_the_exchange_clock(venue: Venue) -> None:
    """The timestamp is the server's time and the monotonic seconds since: the host's clock is years off and unread."""

    async def run() -> None:
        rest = venue.rest()
        assert rest.exchange_ms() is None
        await rest.call("GET", FILLS, WINDOW)
        venue.clock.now += 100
        await rest.call("GET", FILLS, WINDOW)

    anyio.run(run)
    assert [call.name for call in venue.calls] == ["time", "fillHistory", "fillHistory"]
    stamps = [int(call.params["timestamp"]) for call in venue.calls[1:]]
    assert 100_019 <= stamps[1] - stamps[0] <= 100_020
    assert NOW <= stamps[0] <= NOW + 40
    call = venue.calls[1]
    text, _, sent = call.query.rpartition("&signature=")
    assert sent == signature(text, SECRET)
    assert call.headers == {"X-BX-APIKEY": KEY}
    assert venue.calls[0].query == ""


def test_resync_after_a_timestamp_refusal(venue: Venue) -> None:
    """A timestamp that is refused makes us ask for the time once more and try again; a second refusal is told."""
    bad = reply({"code": 80014, "msg": "timestamp is invalid"})

    async def run() -> None:
        rest = venue.rest()
        venue.scripted["positions"] = [bad]
        assert await rest.call("GET", "/openApi/swap/v2/user/positions", {}) == []
        venue.scripted["positions"] = [bad, bad]
        with pytest.raises(RequestRefused) as caught:
            await rest.call("GET", "/openApi/swap/v2/user/positions", {})
        assert caught.value.refusal.kind is RefusalKind.RETRY
        assert rest.exchange_ms() is None

    anyio.run(run)
    names = [call.name for call in venue.calls]
    assert names == ["time", "positions", "time", "positions", "positions", "time", "positions"]


def test_horizon_is_never_behind(venue: Venue) -> None:
    """One reading of the clock gives a time not after it and a time not before it."""

    async def run() -> None:
        rest = venue.rest()
        assert await rest.ask_time() == venue.ms()
        venue.clock.now += 0.0004
        now = rest.exchange_ms()
        assert now is not None
        assert now <= venue.ms() <= await rest.horizon()

    anyio.run(run)


def test_no_secret_in_errors(venue: Venue) -> None:
    """What the venue or a transport says is told without key, secret, signature or listen key."""

    async def run() -> None:
        rest = venue.rest()
        for answer in (
            reply({"code": 100413, "msg": f"bad {KEY} {SECRET} {LISTEN_KEY} short-one"}),
            TransportFailed("gone"),
        ):
            venue.scripted["userDataStream"] = [answer]
            with pytest.raises(RequestRefused) as caught:
                await rest.call("PUT", PATH, {"listenKey": "short-one"}, about_key=True)
            text = repr(caught.value) + caught.value.refusal.message
            assert not any(secret in text for secret in (KEY, SECRET, LISTEN_KEY, "short-one"))

    anyio.run(run)


@pytest.mark.parametrize("body", [{"listenKey": LISTEN_KEY}, {"code": 0, "msg": "", "data": {"listenKey": LISTEN_KEY}}])
@pytest.mark.parametrize("sign", [False, True])
def test_mint(venue: Venue, body: Any, sign: bool) -> None:
    """Both shapes of the answer, signed or not; the header is always there, and so is the exchange's time."""
    venue.scripted["userDataStream"] = [reply(body)]

    async def run() -> Grant:
        return await Keys(venue.rest(), signed=sign).create()

    grant = anyio.run(run)
    assert (grant.key, grant.valid_for) == (LISTEN_KEY, 3600)
    assert grant.exchange_ms is not None
    assert NOW < grant.exchange_ms <= venue.ms()
    call = venue.calls[-1]
    assert (call.method, call.path, call.headers["X-BX-APIKEY"]) == ("POST", PATH, KEY)
    assert ("signature" in call.params) is sign


@pytest.mark.parametrize(
    "body", [{}, {"listenKey": ""}, {"code": 0, "data": None}, {"listenKey": 5}, {"listenKey": "a\nb"}]
)
def test_mint_without_key(venue: Venue, body: Any) -> None:
    """No key is a refusal, whatever the code says; a 404 of minting is no key gone."""
    for answer in (reply(body), reply(b"", 404)):
        venue.scripted["userDataStream"] = [answer]
        assert refusal_of(venue, "create").kind is RefusalKind.RETRY


RENEWED = [reply(b""), reply({"code": 0, "msg": "", "data": {}}), reply({"code": "0"}), reply({})]


@pytest.mark.parametrize("answer", RENEWED)
def test_renewed(venue: Venue, answer: HttpResponse) -> None:
    """A 200 with nothing in it, or with success."""
    venue.scripted["userDataStream"] = [answer]
    anyio.run(Keys(venue.rest()).renew, LISTEN_KEY)
    call = venue.calls[-1]
    assert (call.method, call.params["listenKey"]) == ("PUT", LISTEN_KEY)


NOT_RENEWED = [
    (reply(b"", 204), RefusalKind.RETRY),
    (reply(b"This listenKey does not exist", 404), RefusalKind.GONE),
    (reply({"code": 100401, "msg": ""}), RefusalKind.GONE),
    (reply({"code": 100500, "msg": "busy"}), RefusalKind.RETRY),
    (reply(b"<html>busy</html>"), RefusalKind.RETRY),
    (reply(b"", 503), RefusalKind.RETRY),
    (TransportFailed("timed out"), RefusalKind.RETRY),
    (reply({"code": 100419, "msg": "IP"}), RefusalKind.FATAL),
]


@pytest.mark.parametrize(("answer", "kind"), NOT_RENEWED)
def test_not_renewed(venue: Venue, answer: Any, kind: RefusalKind) -> None:
    """Everything else confirms nothing: the key is gone, or to be tried again."""
    venue.scripted["userDataStream"] = [answer]
    assert refusal_of(venue, "renew", LISTEN_KEY).kind is kind


def test_delete(venue: Venue) -> None:
    """The key is named; one that does not exist is fine, a failure is not."""
    venue.scripted["userDataStream"] = [reply({"code": 0}), reply(b"", 404)]

    async def run() -> None:
        keys = Keys(venue.rest())
        await keys.delete(LISTEN_KEY)
        await keys.delete(LISTEN_KEY)

    anyio.run(run)
    assert [call.params["listenKey"] for call in venue.calls if call.method == "DELETE"] == [LISTEN_KEY] * 2
    venue.scripted["userDataStream"] = [reply(b"", 500)]
    assert refusal_of(venue, "delete", LISTEN_KEY).kind is RefusalKind.RETRY


def refusal_of(venue: Venue, method: str, *args: str) -> Refusal:
    with pytest.raises(RequestRefused) as caught:
        anyio.run(getattr(Keys(venue.rest()), method), *args)
    return caught.value.refusal


class Dialer:
    """A `SocketDialer` that says no."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.dialled: tuple[str, float, int] | None = None

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> Socket:
        self.dialled = (url, timeout, max_bytes)
        raise self.error

    async def close(self) -> None:
        pass


HANDSHAKES = [
    (HandshakeRefused(401), RefusalKind.RETRY, 60),
    (HandshakeRefused(403), RefusalKind.RETRY, 300),
    (HandshakeRefused(404), RefusalKind.GONE, None),
    (HandshakeRefused(429), RefusalKind.RETRY, 10),
    (HandshakeRefused(418, b"", {"retry-after": "7"}), RefusalKind.RETRY, 7),
    (HandshakeRefused(500, b"<html>"), RefusalKind.RETRY, None),
    (HandshakeRefused(503, b"", {"retry-after": "120"}), RefusalKind.RETRY, 120),
    (HandshakeRefused(200, b'{"code":0}'), RefusalKind.RETRY, None),
    (HandshakeRefused(401, b'{"code":100401,"msg":"listen key expired"}'), RefusalKind.GONE, None),
    (HandshakeRefused(200, b'{"code":100413,"msg":""}'), RefusalKind.FATAL, None),
    (TransportFailed("refused"), RefusalKind.RETRY, None),
]


@pytest.mark.parametrize(("reached", "code"), [(True, None), (False, UNREACHED)])
def test_a_request_that_got_nowhere_says_so(venue: Venue, reached: bool, code: str | None) -> None:
    """Only what the venue may have seen counts against its limit on failing calls."""
    lost = TransportFailed("no connection", reached=reached)
    venue.scripted["userDataStream"] = [lost]
    for asking in (
        Keys(venue.rest(pace=Pace(None))).create,
        lambda: Opener(Dialer(lost), "wss://venue.test/x").open("k"),
    ):
        with pytest.raises(RequestRefused) as caught:
            anyio.run(asking)
        assert caught.value.refusal.code == code


@pytest.mark.parametrize(("error", "kind", "wait"), HANDSHAKES)
def test_handshakes(error: Exception, kind: RefusalKind, wait: float | None) -> None:
    """A refused handshake is classified by the code in its body, else by its status."""
    dialer = Dialer(error)
    with pytest.raises(RequestRefused) as caught:
        anyio.run(Opener(dialer, "wss://venue.test/swap-market", timeout=4, max_bytes=99).open, "a/b&c")
    assert (caught.value.refusal.kind, caught.value.refusal.retry_after) == (kind, wait)
    assert dialer.dialled == ("wss://venue.test/swap-market?listenKey=a%2Fb%26c", 4, 99)


def test_hosts() -> None:
    """Each environment has its own pair; a pair of one's own is given whole."""
    assert hosts("bingx-swap") == HOSTS["bingx-swap"]
    assert "vst" in hosts("bingx-swap-vst").ws_url
    assert hosts("bingx-swap", "http://127.0.0.1:1/", "ws://[::1]:2/x") == ("http://127.0.0.1:1", "ws://[::1]:2/x")


WRONG_HOSTS = [
    ("bingx-swap", "http://a", None),
    ("bingx-swap", None, "ws://a"),
    ("bingx-swap", "ws://a", "ws://a"),
    ("bingx-swap", "http://a", "http://a"),
    ("bingx-swap", "http://a?x=1", "ws://a"),
    ("bingx-swap", "http://a", "ws://a?listenKey=1"),
    ("bingx-swap", "http://a#b", "ws://a"),
    ("bingx-swap", "http://user:word@a", "ws://a"),
    ("bingx-swap", "http://a:99999", "ws://a"),
    ("bingx-swap", "http://[", "ws://a"),
    ("bingx-swap", "http://", "ws://a"),
    ("bingx-swap", "http://a\n", "ws://a"),
]


@pytest.mark.parametrize(("venue_name", "rest_url", "ws_url"), WRONG_HOSTS)
def test_wrong_hosts(venue_name: str, rest_url: str | None, ws_url: str | None) -> None:
    """Half a pair mixes environments; what is wrong is said in one line, without what may be a password."""
    with pytest.raises(ValueError, match="must be") as caught:
        hosts(venue_name, rest_url, ws_url)
    assert "\n" not in str(caught.value)
    assert "word@" not in str(caught.value)


class Sleeper:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, **how: Any) -> Pace:
        return Pace(monotonic=self.monotonic, sleep=self.sleep, **how)


def test_pace() -> None:
    """No second has more requests than the address may send, whoever sends them; other endpoints do not wait."""
    clock = Sleeper()
    pace = clock.pace()
    sent: list[float] = []

    async def run() -> None:
        for number in range(9):
            await pace.turn("venue", f"key {number % 3}", "GET", FILLS)
            sent.append(clock.now)
        at = clock.now
        await pace.turn("venue", "key 1", "GET", "/openApi/swap/v2/user/income")
        await pace.turn("elsewhere", "key 1", "GET", FILLS)
        assert clock.now == at

    anyio.run(run)
    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[2:], strict=False))
    assert sent[-1] < 9 / 2 * 1.1


def test_places_are_given_in_order() -> None:
    """Who asks first goes first, and who gives up gives the place back."""
    waits: list[float] = []
    now = 0.0

    class GivenUp(Exception):
        pass

    async def give_up(seconds: float) -> None:
        waits.append(seconds)
        raise GivenUp

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> None:
        pace = Pace(monotonic=lambda: now, sleep=wait)
        for _ in range(6):
            await pace.turn("venue", "key", "GET", FILLS)
        assert waits == sorted(waits)
        assert len(waits) == 4
        waits.clear()
        pace = Pace(monotonic=lambda: now, sleep=give_up)
        for _ in range(2):
            await pace.turn("venue", "key", "GET", FILLS)
        for _ in range(3):
            with pytest.raises(GivenUp):
                await pace.turn("venue", "key", "GET", FILLS)
        assert len(set(waits)) == 1

    anyio.run(run)


def test_a_sleep_that_ends_a_hair_too_early_is_not_slept_for_ever() -> None:
    """What is left is less than the clock can show: to sleep for just that would move nothing."""
    clock = Sleeper()
    clock.now = 1e9

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        clock.now -= 1.2e-7 if len(clock.slept) == 1 else 0.0
        assert len(clock.slept) < 10

    async def run() -> None:
        pace = Pace(None, monotonic=clock.monotonic, sleep=sleep)
        pace.locked("venue", "key", PATH, 0.5)
        await pace.turn("venue", "key", "POST", PATH)

    anyio.run(run)
    assert clock.slept == pytest.approx([0.5, 0.001])


def test_failing_calls_stop_before_the_ban() -> None:
    """After 15 failing calls in 480 s an endpoint is left alone until the first is that old; others go on."""
    clock = Sleeper()
    pace = clock.pace(rates=None)

    async def run() -> None:
        for _ in range(15):
            await pace.turn("venue", "key", "POST", PATH)
            pace.failed("venue", "key", "POST", PATH)
            clock.now += 10
        with pytest.raises(RequestRefused) as caught:
            await pace.turn("venue", "key", "POST", PATH)
        assert caught.value.refusal == Refusal(
            RefusalKind.RETRY, UNREACHED, f"POST {PATH} failed 15 times in 480 s; held back before a ban", 330.0
        )
        await pace.turn("venue", "key", "PUT", PATH)
        await pace.turn("venue", "other", "POST", PATH)
        assert [pace.failures("venue", key, "POST", PATH) for key in ("key", "other")] == [15, 0]
        clock.now += 330
        assert pace.failures("venue", "key", "POST", PATH) == 14
        await pace.turn("venue", "key", "POST", PATH)

    anyio.run(run)


@pytest.mark.parametrize("too_fast", [100410, 109429])
def test_failures_are_counted(venue: Venue, too_fast: int) -> None:
    """Answers that refuse count, being too fast and no answer do not."""

    async def run() -> None:
        rest = venue.rest(pace=Pace(None, monotonic=venue.clock.monotonic))
        keys = Keys(rest)
        busy, bad = reply({"code": too_fast, "msg": ""}), reply({"code": 100500, "msg": ""})
        venue.scripted["userDataStream"] = [busy, TransportFailed("x"), *[bad] * 15]
        for _ in range(17):
            with pytest.raises(RequestRefused):
                await keys.renew(LISTEN_KEY)
        sent = len(venue.calls)
        with pytest.raises(RequestRefused) as caught:
            await keys.renew(LISTEN_KEY)
        assert "held back" in caught.value.refusal.message
        assert len(venue.calls) == sent

    anyio.run(run)


def test_together() -> None:
    """All results in order, or the first refusal alone, the others cancelled."""
    cancelled = []

    async def value() -> int:
        await anyio.lowlevel.checkpoint()
        return 1

    async def refuse() -> int:
        raise RequestRefused(Refusal(RefusalKind.RETRY, "x"))

    async def wait() -> int:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(True)
        return 0

    async def run() -> None:
        assert await together(value, value, value) == (1, 1, 1)
        assert await together() == ()
        with pytest.raises(RequestRefused):
            await together(wait, refuse)

    anyio.run(run)
    assert cancelled == [True]
