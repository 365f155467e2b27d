"""A client of BingX's REST interface: it signs with the exchange's clock, keeps the pace, and classifies refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ....core.secrets import Secrets
from ....ports.errors import RequestRefused
from ....ports.service import NoAnswer, Request, Service, ask, clock
from ..anchor import Anchor
from ..refusals import unanswered
from .answers import Document, allowance, judge
from .codes import is_brief, is_clock_problem, is_rate_limit, is_unknown_order, passes
from .pace import LONGEST_WINDOW, PATIENCE, SHARED, TIME_PATH, Endpoint, Pace
from .rows import server_time
from .signing import Params, signed

TRIES = 3
T = TypeVar("T")


class Rest:
    """One account's requests. `rest_url` is the venue's address without a query, `timeout` seconds for one request.

    Requests are services, and raise `RequestRefused`. `secrets` gets each signature, and answers are read without the
    secrets that it knows.
    """

    def __init__(
        self,
        rest_url: str,
        api_key: str,
        api_secret: str,
        *,
        timeout: float = 10.0,
        pace: Pace = SHARED,
        secrets: Secrets | None = None,
    ) -> None:
        self._rest_url = rest_url.rstrip("/")
        self._api_key = api_key
        self._api_secret = api_secret
        self._timeout = timeout
        self._pace = pace
        self._secrets = Secrets((api_key, api_secret)) if secrets is None else secrets
        self._anchor: Anchor | None = None

    def endpoint(self, method: str, path: str) -> Endpoint:
        """The endpoint, which keeps the pace of these calls."""
        return self._pace.endpoint(urlsplit(self._rest_url).netloc, self._api_key, method, path)

    def exchange_ms(self, now: float) -> int | None:
        """The exchange's clock, ms, not ahead of it: its last answer and the time since. None if it was never asked."""
        return None if (anchor := self._anchor) is None else anchor.earliest(now)

    def require(self, *paths: str) -> Service[None]:
        """Check that all these paths may be read now.

        Raises `RequestRefused` (RETRY) otherwise, until the last of them is open. Without this check, calls beside one
        that is held back would be given up with it and count as failed, and so close each other in turn.
        """
        now = yield from clock()
        closed = max((self.endpoint("GET", path) for path in paths), key=lambda endpoint: endpoint.open_at(now))
        closed.check(now)

    def now(self) -> Service[int]:
        """The exchange's clock now, ms, asked for if it is not known."""
        anchor = yield from self._anchored()
        return anchor.earliest((yield from clock()))

    def horizon(self) -> Service[int]:
        """A time, ms, that the exchange's clock has not passed yet; it is ahead by the time of a request at most.

        Everything that was read before is earlier, so a window up to here shows it all.
        """
        anchor = yield from self._anchored()
        return anchor.latest((yield from clock()))

    def ask_time(self) -> Service[int]:
        """Ask the exchange for its clock; ms since the epoch."""

        def attempt(endpoint: Endpoint) -> Service[int]:
            yield from endpoint.turn()
            data, sent, heard = yield from self._exchange(endpoint, "", about_key=False)
            self._anchor = Anchor(server_time(data), sent, heard)
            return self._anchor.at

        return (yield from self._tried(self.endpoint("GET", TIME_PATH), attempt, patient=False))

    def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        sending: Callable[[int], None] | None = None,
        new: bool | None = None,
    ) -> Service[Any]:
        """Return the `data` of a successful answer. `sending` is called with the exchange's clock just before a request
        is sent. `new` is given for a request that begins a stream: True if it had none before; then others go first.

        If the exchange refuses the timestamp, nothing was carried out: its clock is read and the request tried once
        more. A rate limit that ends within `BRIEF` is waited for, since requests bunch up on their way.
        """
        self._secrets.name(str(params.get("listenKey", "")))

        def attempt(endpoint: Endpoint) -> Service[Any]:
            if new is None:
                yield from endpoint.turn()
            else:
                yield from endpoint.queued_turn(PATIENCE * self._timeout, new=new)
            yield from endpoint.enter()
            try:
                now = yield from self.now()
                query = signed({**params, "timestamp": now}, self._api_secret)
                self._secrets.sign(query.rpartition("=")[2])
                if sending is not None:
                    sending(now)
                return (yield from self._exchange(endpoint, query, about_key="listenKey" in params))[0]
            finally:
                endpoint.leave()

        return (yield from self._tried(self.endpoint(method, path), attempt, patient=True))

    def _tried(self, endpoint: Endpoint, attempt: Callable[[Endpoint], Service[T]], patient: bool) -> Service[T]:
        """Return the result of an attempt. A read that failed in a way that may pass is repeated once."""
        repeated = False
        for left in reversed(range(TRIES)):
            if patient:  # before the turn, since asking may take one of its own; what fails then is another endpoint
                yield from self.now()
            try:
                found = yield from attempt(endpoint)
            except RequestRefused as error:
                refusal = error.refusal
                is_clock = patient and is_clock_problem(refusal)
                if is_clock:
                    self._anchor = None
                if left == 0:
                    raise
                if (patient and is_brief(refusal)) or (is_clock and left == TRIES - 1):
                    continue
                may_repeat = endpoint.method == "GET" and passes(refusal) and not (is_clock or repeated)
                if not may_repeat or endpoint.held_back((yield from clock())):
                    raise
                repeated = True
            else:
                if repeated:
                    endpoint.passed()
                return found
        raise AssertionError("unreachable")

    def _anchored(self) -> Service[Anchor]:
        while (anchor := self._anchor) is None:
            yield from self.ask_time()
        return anchor

    def _exchange(self, endpoint: Endpoint, query: str, about_key: bool) -> Service[tuple[Any, float, float]]:
        """The `data` of a success, and the times, s, of request and answer. Without a query no API key is sent."""
        url = f"{self._rest_url}{endpoint.path}{'?' if query else ''}{query}"
        headers = {"X-BX-APIKEY": self._api_key} if query else {}
        sent, is_read = (yield from clock()), endpoint.method == "GET"
        try:
            heard, answer = yield from ask(Request(endpoint.method, url, headers, self._timeout))
        except GeneratorExit:  # meanwhile the venue may answer it with an error all the same
            if is_read:
                endpoint.failed(sent + self._timeout)
            raise
        if isinstance(answer, NoAnswer):
            if answer.reached and is_read:
                endpoint.failed(heard)
            raise RequestRefused(unanswered(answer.reached, f"{endpoint.name}: {answer.message}"))
        now, mints = self.exchange_ms(heard), endpoint.method == "POST"
        if now is not None and (noted := allowance(answer.headers)) is not None:
            left, until = noted
            if until - now <= LONGEST_WINDOW * 1000:
                endpoint.note_allowance(left, sent, heard + (until - now) / 1000)
        verdict = judge(answer, about_key=about_key, exchange_ms=now, secrets=self._secrets, brings_key=mints)
        if isinstance(verdict, Document):
            return verdict.data, sent, heard
        if not is_rate_limit(verdict):  # a rate limit is no error of the request
            endpoint.failed(heard, again=not is_unknown_order(verdict))
        elif verdict.retry_after is not None:
            endpoint.lock(heard + verdict.retry_after)
        raise RequestRefused(verdict)
