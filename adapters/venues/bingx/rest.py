"""A client of BingX's REST interface: signed by the exchange's clock, paced, and every refusal classified."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ....ports.clock import Clock
from ....ports.errors import RequestRefused, TransportFailed
from ....ports.http import HttpClient, HttpResponse
from .amounts import moment
from .answers import Document, judge, unanswered
from .codes import is_clock_problem, is_rate_limit, is_unknown_order, wants_symbol
from .pace import BRIEF, SHARED, TIME_PATH, Pace
from .signing import Params, encoded, signed

TRIES = 3


class Rest:
    """One account's requests. `rest_url` is the venue's address without a query, `timeout` seconds for one request.

    `secrets` is told of each signature, and nothing that it knows is in an answer that is read here.
    """

    def __init__(
        self,
        http: HttpClient,
        rest_url: str,
        api_key: str,
        api_secret: str,
        *,
        clock: Clock,
        timeout: float = 10.0,
        pace: Pace = SHARED,
        secrets: Secrets | None = None,
    ) -> None:
        self._http = http
        self._rest_url = rest_url.rstrip("/")
        self._host = urlsplit(rest_url).netloc
        self._api_key = api_key
        self._api_secret = api_secret
        self._clock = clock
        self._timeout = timeout
        self._pace = pace
        self._secrets = Secrets((api_key, api_secret)) if secrets is None else secrets
        self._anchor: tuple[int, float, float] | None = None

    def exchange_ms(self) -> int | None:
        """The exchange's clock, never ahead of it: its last answer and the time since. None if it was never asked."""
        if self._anchor is None:
            return None
        at, _, heard = self._anchor
        return at + int((self._clock.monotonic() - heard) * 1000)

    async def horizon(self) -> int:
        """A time that the exchange's clock has not passed, by a journey there at most. Raises `RequestRefused`.

        What was read before cannot be later: a window up to here shows all of it.
        """
        now = await self.now()
        assert self._anchor is not None
        at, sent, _ = self._anchor
        return max(now, at + math.ceil((self._clock.monotonic() - sent) * 1000))

    async def now(self) -> int:
        """The exchange's clock now, asked for if need be. Raises `RequestRefused`."""
        found = self.exchange_ms()
        return await self.ask_time() if found is None else found

    async def ask_time(self) -> int:
        """Ask the exchange for its clock; ms since the epoch. Raises `RequestRefused`."""
        try:
            return await self._ask_time()
        except RequestRefused as error:
            if not self._may_repeat("GET", TIME_PATH, error.refusal):
                raise
            found = await self._ask_time()
            self._pace.passed(self._host, self._api_key, "GET", TIME_PATH)
            return found

    async def _ask_time(self) -> int:
        await self._pace.turn(self._host, self._api_key, "GET", TIME_PATH)
        sent = self._clock.monotonic()
        response = await self._request("GET", TIME_PATH, "", {})
        heard = self._clock.monotonic()
        data = self._data("GET", TIME_PATH, response)
        found = moment(data.get("serverTime")) if isinstance(data, dict) else None
        if found is None:
            raise malformed("no server time")
        self._anchor = (found, sent, heard)
        return found

    def failures(self, method: str, path: str) -> int:
        """How many calls of this endpoint have lately been answered with an error, and count against the limit."""
        return self._pace.failures(self._host, self._api_key, method, path)

    def is_closed(self, method: str, path: str) -> bool:
        """Whether this endpoint lets no call through now, however short the others would wait."""
        return self._pace.is_closed(self._host, self._api_key, method, path)

    async def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        sign: bool = True,
        about_key: bool = False,
        may_be_empty: bool = False,
        brings_key: bool = False,
        sending: Callable[[], None] | None = None,
    ) -> Any:
        """The `data` of a successful answer. Raises `RequestRefused`. `sending` is called just before it goes out.

        A timestamp that the exchange dislikes makes us read its clock and try once more: nothing was carried out. A
        rate limit that names its end, a moment from now, is waited out: requests bunch up on their way. A read that
        failed in a way that passes is repeated once.
        """
        if about_key:
            self._secrets.name(str(params.get("listenKey", "")))
        repeated = False
        for left in reversed(range(TRIES)):
            try:
                if sign:
                    await self.now()  # before the turn, since asking may take one of its own
                await self._pace.turn(self._host, self._api_key, method, path)
                query = await self._query(params) if sign else encoded(params)
                if sending is not None:
                    sending()
                response = await self._request(method, path, query, {"X-BX-APIKEY": self._api_key})
                data = self._data(
                    method, path, response, about_key=about_key, may_be_empty=may_be_empty, brings_key=brings_key
                )
            except RequestRefused as error:
                clock = sign and is_clock_problem(error.refusal)
                if clock:
                    self._anchor = None
                if left == 0:
                    raise
                if _is_brief(error.refusal) or (clock and left == TRIES - 1):
                    continue
                if clock or repeated or not self._may_repeat(method, path, error.refusal):
                    raise
                repeated = True
            else:
                if repeated:
                    self._pace.passed(self._host, self._api_key, method, path)
                return data
        raise AssertionError("unreachable")

    async def _query(self, params: Params) -> str:
        query = signed({**params, "timestamp": await self.now()}, self._api_secret)
        self._secrets.sign(query.rpartition("=")[2])
        return query

    async def _request(self, method: str, path: str, query: str, headers: dict[str, str]) -> HttpResponse:
        url = f"{self._rest_url}{path}{'?' if query else ''}{query}"
        try:
            return await self._http.request(method, url, headers=headers, timeout=self._timeout)
        except TransportFailed as error:
            if error.reached and method == "GET":
                self._pace.failed(self._host, self._api_key, method, path)
            raise RequestRefused(unanswered(error, f"{method} {path}: {error}")) from None
        except BaseException:  # it was given up; the venue may answer it with an error all the same
            if method == "GET":
                self._pace.failed(self._host, self._api_key, method, path, again=False)
            raise

    def _data(
        self,
        method: str,
        path: str,
        response: HttpResponse,
        *,
        about_key: bool = False,
        may_be_empty: bool = False,
        brings_key: bool = False,
    ) -> Any:
        verdict = judge(
            response,
            about_key=about_key,
            may_be_empty=may_be_empty,
            exchange_ms=self.exchange_ms(),
            secrets=self._secrets,
            brings_key=brings_key,
        )
        if isinstance(verdict, Document):
            return verdict.data
        if not is_rate_limit(verdict):  # too fast is not the same as wrong
            self._pace.failed(self._host, self._api_key, method, path, again=not is_unknown_order(verdict))
        elif verdict.retry_after is not None:
            self._pace.locked(self._host, self._api_key, path, verdict.retry_after)
        raise RequestRefused(verdict)

    def _may_repeat(self, method: str, path: str, refusal: Refusal) -> bool:
        """Whether a read may be sent again at once: it failed in a way that passes, and not too many have failed."""
        if method != "GET" or refusal.kind is not RefusalKind.RETRY or refusal.retry_after is not None:
            return False
        if is_rate_limit(refusal) or is_unknown_order(refusal) or wants_symbol(refusal):
            return False
        return not self._pace.held_back(self._host, self._api_key, method, path)


def _is_brief(refusal: Refusal) -> bool:
    return is_rate_limit(refusal) and refusal.retry_after is not None and refusal.retry_after <= BRIEF


def malformed(what: str) -> RequestRefused:
    """An answer that is a success by its code and cannot be understood: nothing is known, so try again."""
    return RequestRefused(Refusal(RefusalKind.RETRY, None, f"unexpected answer: {what}"))
