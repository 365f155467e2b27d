"""An account is read, and a key minted, in threads without an event loop, over HTTP of the standard library."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.executors.threads import ThreadExecutor
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.pace import Pace
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.core.reports import OrderRef
from listenkey.ports.errors import RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse

from ..venues.bingx.venue import KEY, NOW, SECRET, Venue, fill_row, order_row, reply

pytestmark = pytest.mark.loopback


class Client:
    """A `BlockingHttpClient` that opens a connection for each request."""

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=timeout)
        try:
            connection.request(method, f"{parts.path}?{parts.query}", headers=dict(headers))
            answer = connection.getresponse()
            return HttpResponse(
                answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
            )
        except (OSError, HTTPException) as error:
            raise TransportFailed(type(error).__name__) from None
        finally:
            connection.close()


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def rest(venue: Venue) -> Iterator[Rest]:
    """An account at this venue, behind a server that answers one request at a time."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            with turn:
                status, _, body = venue.request(self.command, self.path, headers={}, timeout=0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield Rest(f"http://127.0.0.1:{server.server_port}", KEY, SECRET, pace=Pace(limited=False))
    server.shutdown()
    serving.join()
    server.server_close()


def test_an_account_is_read(venue: Venue, rest: Rest) -> None:
    """Threads read a whole account, and then single orders, of which unknown ones are denied."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 4000, status="PENDING", executed="0.0")]
    executor, reader = ThreadExecutor(Client(), SystemClock()), Reader(rest)
    account = executor.run(reader.read(NOW - 60_000))
    assert (account.whole, account.settled) == (True, True)
    assert [fill.trade_id for fill in account.fills] == ["7"]
    assert account.open_orders == {"12"}
    alone = executor.run(reader.read(None, [OrderRef("BTC-USDT", name) for name in ("11", "12", "99")]))
    assert {order.order_id for order in alone.orders} == {"11", "12"}
    assert alone.denied == {OrderRef("BTC-USDT", "99")}


def test_a_refusal_of_one_of_several_requests_is_plain(venue: Venue, rest: Rest) -> None:
    """A refusal of one of several parallel requests raises one `RequestRefused`, not an exception group."""
    venue.scripted["positions"] = [reply({"code": 100413, "msg": "Incorrect apiKey"})]
    with pytest.raises(RequestRefused) as caught:
        ThreadExecutor(Client(), SystemClock()).run(Reader(rest).read(NOW - 60_000))
    assert caught.value.refusal.code == "100413"


def test_a_key_is_minted(venue: Venue, rest: Rest) -> None:
    """A key is minted in threads, without an event loop."""
    venue.scripted["userDataStream"] = [reply({"listenKey": "k" * 64})]
    assert ThreadExecutor(Client(), SystemClock()).run(Keys(rest).create()).key == "k" * 64
