"""Requests are signed with the exchange's time, keys minted and renewed, handshakes judged, hosts given in pairs."""

from __future__ import annotations

from typing import Any

import pytest

from listenkey.adapters.venues.bingx.facts import FAILING_CALLS
from listenkey.adapters.venues.bingx.hosts import HOSTS, hosts
from listenkey.adapters.venues.bingx.keys import Handshake, Keys
from listenkey.adapters.venues.bingx.pace import Endpoint, Pace
from listenkey.adapters.venues.bingx.signing import encoded, plain, signature, signed
from listenkey.core.refusal import UNREACHED, Refusal, RefusalKind
from listenkey.ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Request, Service, Wait

from .venue import KEY, NOW, SECRET, Venue, reply

LISTEN_KEY = "0123456789abcdef" * 4
PATH = "/openApi/user/auth/userDataStream"
FILLS = "/openApi/swap/v2/trade/fillHistory"
WINDOW: dict[str, str | int] = {"startTs": NOW - 1000, "endTs": NOW, "pageIndex": 1, "pageSize": 50}


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_signature_vector() -> None:
    """The documented inputs give the hash of HMAC-SHA256, not the one printed in the document."""
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
    """The signed text is raw, and in the URL only the values are encoded."""
    params: dict[str, str | int] = {"b": '[{"x":1}]', "a": "1,2", "timestamp": 5}
    assert plain(params) == 'a=1,2&b=[{"x":1}]&timestamp=5'
    assert encoded(params) == "a=1%2C2&b=%5B%7B%22x%22%3A1%7D%5D&timestamp=5"
    assert encoded({"b": "x y&z", "a": "1,2"}) == "a=1,2&b=x%20y%26z"
    assert signed(params, "s") == f"{encoded(params)}&signature={signature(plain(params), 's')}"


def test_signed_by_the_exchange_clock(venue: Venue) -> None:
    """The timestamp is the server's time plus the monotonic seconds since then; the host's clock is not read."""

    rest = venue.rest()
    assert rest.exchange_ms(venue.clock.now) is None
    venue.run(rest.call("GET", FILLS, WINDOW))
    venue.clock.now += 100
    venue.run(rest.call("GET", FILLS, WINDOW))
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
    """After a refused timestamp the time is asked for again and the call repeated; a second refusal is raised."""
    bad = reply({"code": 80014, "msg": "timestamp is invalid"})

    rest = venue.rest()
    venue.scripted["positions"] = [bad]
    assert venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {})) == []
    venue.scripted["positions"] = [bad, bad]
    with pytest.raises(RequestRefused) as caught:
        venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {}))
    assert caught.value.refusal.kind is RefusalKind.RETRY
    assert rest.exchange_ms(venue.clock.now) is None
    names = [call.name for call in venue.calls]
    assert names == ["time", "positions", "time", "positions", "positions", "time", "positions"]


def test_horizon_is_never_behind(venue: Venue) -> None:
    """One reading of the clock gives a lower and an upper bound of the exchange's time."""

    rest = venue.rest()
    assert venue.run(rest.ask_time()) == venue.ms()
    venue.clock.now += 0.0004
    now = rest.exchange_ms(venue.clock.now)
    assert now is not None
    assert now <= venue.ms() <= venue.run(rest.horizon())


def test_no_secret_in_errors(venue: Venue) -> None:
    """Errors of the venue and of a transport are passed on without key, secret, signature or listen key."""

    rest = venue.rest()
    for answer in (
        reply({"code": 100413, "msg": f"bad {KEY} {SECRET} {LISTEN_KEY} short-one"}),
        TransportFailed("gone"),
    ):
        venue.scripted["userDataStream"] = [answer]
        with pytest.raises(RequestRefused) as caught:
            venue.run(rest.call("PUT", PATH, {"listenKey": "short-one"}))
        text = repr(caught.value) + caught.value.refusal.message
        assert not any(secret in text for secret in (KEY, SECRET, LISTEN_KEY, "short-one"))


@pytest.mark.parametrize("body", [{"listenKey": LISTEN_KEY}, {"code": 0, "msg": "", "data": {"listenKey": LISTEN_KEY}}])
def test_mint(venue: Venue, body: Any) -> None:
    """A mint reads both shapes of the answer, is signed, and returns the exchange's time."""
    venue.scripted["userDataStream"] = [reply(body)]

    grant = venue.run(Keys(venue.rest()).create())
    assert (grant.key, grant.valid_for) == (LISTEN_KEY, 3600)
    assert grant.exchange_ms is not None
    assert NOW < grant.exchange_ms <= venue.ms()
    call = venue.calls[-1]
    assert (call.method, call.path, call.headers["X-BX-APIKEY"]) == ("POST", PATH, KEY)
    assert "signature" in call.params


@pytest.mark.parametrize(
    "body", [{}, {"listenKey": ""}, {"code": 0, "data": None}, {"listenKey": 5}, {"listenKey": "a\nb"}]
)
def test_mint_without_key(venue: Venue, body: Any) -> None:
    """A mint's answer without a valid key, or with 404, is refused with `RETRY`."""
    for answer in (reply(body), reply(b"", 404)):
        venue.scripted["userDataStream"] = [answer]
        assert refusal_of(venue, "create").kind is RefusalKind.RETRY


RENEWED = [reply(b""), reply({"code": 0, "msg": "", "data": {}}), reply({"code": "0"}), reply({})]


@pytest.mark.parametrize("answer", RENEWED)
def test_renewed(venue: Venue, answer: HttpResponse) -> None:
    """An empty 200, or one with a code of success, is a renewal."""
    venue.scripted["userDataStream"] = [answer]
    venue.run(Keys(venue.rest()).renew(LISTEN_KEY))
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
    """Any other answer to a renewal is a refusal of its kind: gone, `RETRY` or fatal."""
    venue.scripted["userDataStream"] = [answer]
    assert refusal_of(venue, "renew", LISTEN_KEY).kind is kind


def test_delete(venue: Venue) -> None:
    """A deletion names the key, and succeeds if the key does not exist; a failure is raised."""
    venue.scripted["userDataStream"] = [reply({"code": 0}), reply(b"", 404)]

    keys = Keys(venue.rest())
    venue.run(keys.delete(LISTEN_KEY))
    venue.run(keys.delete(LISTEN_KEY))
    assert [call.params["listenKey"] for call in venue.calls if call.method == "DELETE"] == [LISTEN_KEY] * 2
    venue.scripted["userDataStream"] = [reply(b"", 500)]
    assert refusal_of(venue, "delete", LISTEN_KEY).kind is RefusalKind.RETRY


def refusal_of(venue: Venue, method: str, *args: str) -> Refusal:
    with pytest.raises(RequestRefused) as caught:
        venue.run(getattr(Keys(venue.rest()), method)(*args))
    return caught.value.refusal


HANDSHAKES: list[tuple[HandshakeRefused | TransportFailed, RefusalKind, float | None]] = [
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
    """A request or handshake that did not reach the venue has the code `UNREACHED`, so it is no failing call."""
    lost = TransportFailed("no connection", reached=reached)
    venue.scripted["userDataStream"] = [lost]
    assert refusal_of(venue, "create").code == code
    assert Handshake("wss://venue.test/x").refusal(lost).code == code


@pytest.mark.parametrize(("error", "kind", "wait"), HANDSHAKES)
def test_handshakes(error: HandshakeRefused | TransportFailed, kind: RefusalKind, wait: float | None) -> None:
    """A refused handshake is classified by the code in its body, else by its status."""
    handshake = Handshake("wss://venue.test/swap-market")
    assert handshake.url("a/b&c") == "wss://venue.test/swap-market?listenKey=a%2Fb%26c"
    refusal = handshake.refusal(error)
    assert (refusal.kind, refusal.retry_after) == (kind, wait)


def test_hosts() -> None:
    """Each environment has its own pair of hosts, and a user's hosts are given as a pair."""
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
    """Half a pair of hosts or a wrong URL is refused in one line, without a password."""
    with pytest.raises(ValueError, match="must be") as caught:
        hosts(venue_name, rest_url, ws_url)
    assert "\n" not in str(caught.value)
    assert "word@" not in str(caught.value)


def endpoint(pace: Pace, path: str = FILLS, *, method: str = "GET", key: str = "key") -> Endpoint:
    return pace.endpoint("venue", key, method, path)


def test_a_short_lock_is_waited_for_also_if_it_was_prolonged(venue: Venue) -> None:
    """A short lock is waited for, and also its prolongation during the wait."""
    pace = Pace(limited=False)
    post = endpoint(pace, PATH, method="POST")
    post.lock(0.5)
    service = post.turn()
    next(service)
    assert service.send((0.0, None)) == Wait(0.5)
    endpoint(pace, PATH, method="PUT").lock(0.75)
    assert service.send((0.5, None)) == Wait(0.75)
    assert service.send((0.75, None)) == Wait(0.75)


def test_failing_calls_stop_before_the_ban(venue: Venue) -> None:
    """After 15 failing calls in 480 s an endpoint gets no calls until the first is that old; others do."""
    pace = Pace(limited=False)
    post, other = (endpoint(pace, PATH, method="POST", key=key) for key in ("key", "other"))
    for _ in range(15):
        post.failed(venue.run(post.turn()))
        venue.clock.now += 10
    with pytest.raises(RequestRefused) as caught:
        venue.run(post.turn())
    assert caught.value.refusal == Refusal(
        RefusalKind.RETRY, UNREACHED, f"POST {PATH} failed 15 times in 480 s; held back before a ban", 330.0
    )
    venue.run(endpoint(pace, PATH, method="PUT").turn())
    venue.run(other.turn())
    assert [each.failures(venue.clock.now) for each in (post, other)] == [15, 0]
    venue.clock.now += 330
    assert post.failures(venue.clock.now) == 14
    venue.run(post.turn())


@pytest.mark.parametrize("too_fast", [100410, 109429])
def test_failures_are_counted(venue: Venue, too_fast: int) -> None:
    """Refusals count as failing calls, but rate limits and missing answers do not."""
    keys = Keys(venue.rest())
    busy, bad = reply({"code": too_fast, "msg": ""}), reply({"code": 100500, "msg": ""})
    venue.scripted["userDataStream"] = [busy, TransportFailed("x"), *[bad] * 15]
    for _ in range(17):
        with pytest.raises(RequestRefused):
            venue.run(keys.renew(LISTEN_KEY))
    sent = len(venue.calls)
    with pytest.raises(RequestRefused) as caught:
        venue.run(keys.renew(LISTEN_KEY))
    assert "held back" in caught.value.refusal.message
    assert len(venue.calls) == sent


def test_a_read_that_is_given_up_counts_as_failed_when_it_may_have() -> None:
    """A read that is given up counts as failing from its time-out at the latest; a single one delays no others."""
    venue = Venue()
    rest = venue.rest(timeout=10.0)
    venue.run(rest.now())
    endpoint, service = rest.endpoint("GET", FILLS), rest.call("GET", FILLS, WINDOW)
    step = next(service)
    while not isinstance(step, Request):
        step = service.send((venue.clock.now, None))
    service.close()
    window = FAILING_CALLS.window
    assert endpoint.failures(venue.clock.now + window + 9.9) == 1
    assert endpoint.failures(venue.clock.now + window + 10.1) == 0
    assert endpoint.held_back(venue.clock.now) == 0


def test_reads_that_are_given_up_again_and_again_close_no_endpoint_for_minutes() -> None:
    """Reads that are given up again and again are spaced, and never close the endpoint for more than 80 s."""
    venue = Venue()
    rest = venue.rest(timeout=10.0)
    venue.run(rest.now())
    endpoint, sent = rest.endpoint("GET", FILLS), 0
    for _ in range(300):
        venue.clock.now += 3.0
        services = [rest.call("GET", FILLS, WINDOW) for _ in range(4)]  # one read for each of four symbols
        for service in services:
            sent += _is_sent(service, venue)
        for service in services:
            service.close()
        assert endpoint.held_back(venue.clock.now) <= 80.0
    assert sent > 900 / 80


def _is_sent(service: Service[Any], venue: Venue) -> bool:
    """True if the request goes out, rather than wait for another or be held back."""
    try:
        step = next(service)
        while isinstance(step, Wait) and step.until <= venue.clock.now:
            step = service.send((venue.clock.now, None))
    except RequestRefused:
        return False
    return isinstance(step, Request)


def test_a_clock_that_does_not_answer_is_no_failure_of_who_asked_for_it(venue: Venue) -> None:
    """If the time cannot be read in two attempts, the call is refused, and no failure of its own endpoint counts."""
    venue.scripted["time"] = [reply({"code": 100500, "msg": "busy"}, 500)] * 2
    rest = venue.rest()
    with pytest.raises(RequestRefused):
        venue.run(rest.call("GET", FILLS, WINDOW))
    assert [call.name for call in venue.calls] == ["time", "time"]
    assert rest.endpoint("GET", FILLS).failures(venue.clock.now) == 0
