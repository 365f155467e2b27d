"""Requests, keys and the handshake: how they are sent and repeated, and how answers about the key are read."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from listenkey.adapters.venues.binance.facts import EVENTS
from listenkey.adapters.venues.binance.hosts import host, hosts
from listenkey.adapters.venues.binance.keys import Handshake, Keys
from listenkey.adapters.venues.binance.pace import Pace
from listenkey.adapters.venues.binance.weights import BALANCE, KEY, TIME
from listenkey.core.refusal import UNREACHED, RefusalKind
from listenkey.core.secrets import Secrets
from listenkey.ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Service

from .venue import FIRST_KEY, NOW, SECRET, Venue, refused, reply

RETRY, GONE, FATAL = RefusalKind.RETRY, RefusalKind.GONE, RefusalKind.FATAL
AHEAD = refused(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
FORMAT = refused(-2014, "API-key format invalid.", 401)
BUSY = refused(-1008, "Request throttled by system-level protection.", 503)


@pytest.fixture
def venue() -> Venue:
    return Venue()


def names(venue: Venue) -> list[str]:
    return [f"{call.method} {call.name}" for call in venue.calls]


def failure(venue: Venue, service: Service[object]) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        venue.run(service)
    return caught.value


def test_a_key_is_minted(venue: Venue) -> None:
    """A mint sends the API key in a header and nothing in the URL, after asking for the time without a key."""
    grant = venue.run(Keys(venue.rest()).create())
    assert (grant.key, grant.valid_for) == (FIRST_KEY, 3600.0)
    assert grant.exchange_ms is not None
    assert NOW <= grant.exchange_ms <= venue.ms()
    assert names(venue) == ["GET time", "POST listenKey"]
    time, key = venue.calls
    assert (time.path, time.headers, time.query) == (TIME, {}, "")
    assert (key.path, key.headers, key.query) == (KEY, {"X-MBX-APIKEY": "an-api-key"}, "")


def test_the_account_has_one_key(venue: Venue) -> None:
    """A second mint returns the same key."""
    keys = Keys(venue.rest())
    assert venue.run(keys.create()).key == venue.run(keys.create()).key


def test_a_renewal_names_the_key(venue: Venue) -> None:
    """A renewal's answer has the extended key, as measured, and nothing else is asked."""
    keys = Keys(venue.rest())
    key = venue.run(keys.create()).key
    assert venue.run(keys.renew(key)) == key
    assert names(venue)[2:] == ["PUT listenKey"]


EMPTY: dict[str, Callable[[Venue], None]] = {
    "an empty object": lambda venue: setattr(venue, "renewal_names", False),
    "an empty body": lambda venue: venue.scripted.update(listenKey=[reply(b"")]),
    "null": lambda venue: venue.scripted.update(listenKey=[reply(None)]),
}


@pytest.mark.parametrize("answer", EMPTY)
def test_a_renewal_that_names_none(venue: Venue, answer: str) -> None:
    """If a renewal's answer has no key, as documented, a POST gets the present key."""
    keys = Keys(venue.rest())
    key = venue.run(keys.create()).key
    EMPTY[answer](venue)
    assert venue.run(keys.renew(key)) == key
    assert names(venue)[2:] == ["PUT listenKey", "POST listenKey"]


@pytest.mark.parametrize("renewal_names", [False, True])
def test_a_renewal_of_another_key(venue: Venue, renewal_names: bool) -> None:
    """If another client has replaced the key, a renewal returns the other key."""
    keys = Keys(venue.rest())
    key = venue.run(keys.create()).key
    other = venue.mint()
    venue.renewal_names = renewal_names
    assert venue.run(keys.renew(key)) == other != key


def test_a_key_that_is_gone(venue: Venue) -> None:
    """A renewal of a missing key is refused as gone, and its deletion succeeds."""
    keys = Keys(venue.rest())
    key = venue.run(keys.create()).key
    venue.key = None
    assert failure(venue, keys.renew(key)).refusal.kind is GONE
    venue.run(keys.delete(key))
    venue.scripted["listenKey"] = [refused(-2015, "Invalid API-key", 401)]
    assert failure(venue, keys.delete(key)).refusal.kind is FATAL


def test_a_key_is_deleted(venue: Venue) -> None:
    """A key is deleted without being named in a request."""
    keys = Keys(venue.rest())
    venue.run(keys.delete(venue.run(keys.create()).key))
    assert venue.key is None
    assert all(FIRST_KEY not in call.url for call in venue.calls)


@pytest.mark.parametrize("renewed", [False, True])
def test_a_key_is_not_deleted_in_place_of_another(venue: Venue, renewed: bool) -> None:
    """A replaced key is not deleted, because the request would delete the present key, which others use."""
    keys = Keys(venue.rest())
    key = venue.run(keys.create()).key
    other = venue.mint()
    assert venue.run(keys.renew(key) if renewed else keys.create()) is not None
    venue.run(keys.delete(key))
    assert venue.key == other
    venue.run(keys.delete(other))
    assert venue.key is None


@pytest.mark.parametrize(
    "body", [{}, [], {"listenKey": ""}, {"listenKey": 5}, {"listenKey": "ä"}, {"listenKey": "x" * 999}]
)
def test_an_answer_without_a_key(venue: Venue, body: object) -> None:
    """A mint's answer without a valid key is refused with `RETRY`."""
    venue.scripted["listenKey"] = [reply(body)]
    assert failure(venue, Keys(venue.rest()).create()).refusal.kind is RETRY


def test_a_signed_read(venue: Venue) -> None:
    """A signed read asks for the exchange's time once, and its signature is a known secret."""
    secrets = Secrets((SECRET,))
    rest = venue.rest(secrets=secrets)
    venue.run(rest.get(BALANCE, {}))
    venue.run(rest.get(BALANCE, {}))
    assert names(venue) == ["GET time", "GET balance", "GET balance"]
    signature = venue.calls[1].params["signature"]
    assert signature not in secrets.redact(venue.calls[1].url)
    assert int(venue.calls[1].params["recvWindow"]) < 60_000


def test_a_timestamp_that_is_disliked(venue: Venue) -> None:
    """After a refused timestamp the clock is asked again and the read repeated, once."""
    venue.scripted["balance"] = [AHEAD]
    venue.run(venue.rest().get(BALANCE, {}))
    assert names(venue) == ["GET time", "GET balance"] * 2
    venue.scripted["balance"] = [AHEAD] * 9
    assert failure(venue, venue.rest().get(BALANCE, {})).refusal.code == "-1021"


@pytest.mark.parametrize(
    "answer", [BUSY, reply(b"<html>", 502), refused(-1001, "Internal error"), TransportFailed("reset")]
)
def test_a_read_that_failed_is_repeated_once(venue: Venue, answer: HttpResponse | Exception) -> None:
    """A read that fails in a passing way is repeated once, and a second failure is raised."""
    venue.scripted["balance"] = [answer]
    venue.run(venue.rest().get(BALANCE, {}))
    venue.scripted["balance"] = [answer] * 2
    assert failure(venue, venue.rest().get(BALANCE, {})).refusal.kind is RETRY
    assert venue.count("balance") == 4


@pytest.mark.parametrize("answer", [BUSY, TransportFailed("reset", reached=False)])
def test_the_clock_is_asked_twice_at_most(venue: Venue, answer: HttpResponse | Exception) -> None:
    """A request for the time is repeated once, as any read."""
    venue.scripted["time"] = [answer]
    venue.run(venue.rest().ask_time())
    venue.scripted["time"] = [answer] * 2
    assert failure(venue, venue.rest().ask_time()).refusal.kind is RETRY


def test_a_mint_is_not_repeated(venue: Venue) -> None:
    """A mint that fails is not repeated, because its caller waits by itself."""
    venue.scripted["listenKey"] = [BUSY]
    assert failure(venue, Keys(venue.rest()).create()).refusal.code == "-1008"
    assert venue.count("listenKey") == 1


@pytest.mark.parametrize("path", ["key", "read"])
def test_a_good_api_key_that_is_called_malformed(venue: Venue, path: str) -> None:
    """A code for a malformed API key is fatal, but after a success it is repeated once, as it was seen by mistake."""
    rest = venue.rest()
    keys = Keys(rest)

    def ask() -> Service[object]:
        return keys.renew(FIRST_KEY) if path == "key" else rest.get(BALANCE, {})

    name = "listenKey" if path == "key" else "balance"
    venue.scripted[name] = [FORMAT]
    assert failure(venue, ask()).refusal.kind is FATAL
    venue.run(keys.create())
    venue.scripted[name] = [FORMAT]
    venue.run(ask())
    venue.scripted[name] = [FORMAT, FORMAT]
    assert failure(venue, ask()).refusal.kind is FATAL


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refused(-1003, "Too many requests", 429), 60.0),
        (refused(-1003, "Too many requests", 429, retry_after="7"), 7.0),
        (reply(b"", 418), 120.0),
    ],
)
def test_too_fast_stops_all_of_this_address(venue: Venue, answer: HttpResponse, seconds: float) -> None:
    """After a rate limit all requests from this address are held back until the venue's time is over."""
    pace = Pace()
    ours, theirs = venue.rest(pace=pace), venue.rest(pace=pace)
    venue.run(theirs.ask_time())
    venue.scripted["balance"] = [answer]
    failure(venue, ours.get(BALANCE, {}))
    asked = len(venue.calls)
    for service in (theirs.get(BALANCE, {}), Keys(theirs).create()):
        found = failure(venue, service).refusal
        assert found.code == UNREACHED
        assert found.retry_after == pytest.approx(seconds, abs=0.1)
    assert len(venue.calls) == asked
    venue.seconds += seconds
    venue.run(theirs.get(BALANCE, {}))


def test_the_address_of_a_stream() -> None:
    """A stream's URL has the key and the names of all events, and the key is a known secret."""
    secrets = Secrets()
    handshake = Handshake("wss://stream.test/private/ws", secrets=secrets)
    url = handshake.url(FIRST_KEY)
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("wss", "stream.test", "/private/ws")
    assert parse_qs(parts.query) == {"listenKey": [FIRST_KEY], "events": ["/".join(EVENTS)]}
    assert "listenKeyExpired" in EVENTS
    assert FIRST_KEY not in secrets.redact(url)


def test_handshakes_that_fail(venue: Venue) -> None:
    """A refused handshake is `RETRY`, with the venue's time to wait, and not about the key."""
    handshake = Handshake("wss://stream.test/private/ws", pace=Pace())
    venue.run(handshake.turn())
    found = handshake.refusal(TransportFailed("no route", reached=False))
    assert (found.kind, found.code) == (RETRY, UNREACHED)
    found = handshake.refusal(HandshakeRefused(403, b"<html>blocked"))
    assert (found.kind, found.retry_after) == (RETRY, 300.0)
    assert handshake.refusal(HandshakeRefused(200, b"{}")).code == "200"
    assert handshake.refusal(HandshakeRefused(429, b"", {"retry-after": "9"})).retry_after == 9.0


def test_addresses() -> None:
    """Each environment has its own hosts, of which the test environment has two names; own hosts are given in pairs."""
    assert hosts("binance-usdm").ws_url == "wss://fstream.binance.com/private/ws"
    assert hosts("binance-usdm-testnet") != hosts("binance-usdm")
    assert host("https://testnet.binancefuture.com") == host(hosts("binance-usdm-testnet").rest_url)
    assert hosts("binance-usdm", "http://127.0.0.1:1/", "ws://127.0.0.1:1/x").rest_url == "http://127.0.0.1:1"
    with pytest.raises(ValueError, match="both or neither"):
        hosts("binance-usdm", "http://127.0.0.1:1", None)
