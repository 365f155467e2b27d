"""A client of Binance's REST interface: it signs with the exchange's clock, counts weight, and classifies refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ....core.kinds import Purpose
from ....core.secrets import Secrets
from ....ports.errors import RequestRefused
from ....ports.service import NoAnswer, Request, Service, ask, clock
from ..anchor import Anchor
from ..refusals import unanswered
from .answers import Document, judge, used_weight
from .codes import BAD_KEY_FORMAT, WEIGHED, is_clock_problem, is_too_fast, passes
from .pace import PATIENCE, SHARED, Pace
from .rows import server_time
from .signing import Params, encoded, signed, signer
from .weights import KEY, OF, TIME

RECEIVE_WINDOW_MS = 10_000
"""The age, ms, that a request may have when it arrives, by its timestamp."""
TRIES = 3


class Rest:
    """One account's requests. `rest_url` is the venue's address without a query, `timeout` seconds for one request.

    Requests are services, and raise `RequestRefused`. `secrets` gets each signature, and answers are read without
    the secrets that it knows. The constructor raises as `signer` does.
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
        self._sign = signer(api_secret)
        self._timeout = timeout
        self._secrets = Secrets((api_key, api_secret)) if secrets is None else secrets
        host = urlsplit(self._rest_url).netloc
        self._address = pace.address(host)
        self._mints = pace.mints(host)
        self._anchor: Anchor | None = None
        self._passed = False
        """True if the venue has accepted the API key before."""

    def exchange_ms(self, now: float) -> int | None:
        """The exchange's clock, ms, not ahead of it: its last answer and the time since. None if it was never asked."""
        return None if (anchor := self._anchor) is None else anchor.earliest(now)

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

    def admit(self, weight: int, purpose: Purpose) -> Service[None]:
        """Admit a read of this weight. Raises `RequestRefused` if it has to wait."""
        yield from self._address.admit(weight, purpose)

    def ask_time(self) -> Service[int]:
        """Ask the exchange for its clock; ms since the epoch."""
        for left in (True, False):
            try:
                data, sent, heard = yield from self._exchange("GET", TIME, "", named=False)
                self._anchor = Anchor(server_time(data), sent, heard)
                return self._anchor.at
            except RequestRefused as error:
                if not (left and passes(error.refusal)):
                    raise
        raise AssertionError("unreachable")

    def mint(self, *, new: bool) -> Service[Any]:
        """Ask for the account's listen key, in turn: streams that recover go before new ones."""
        yield from self._mints.turn(PATIENCE * self._timeout, new=new)
        return (yield from self.key("POST"))

    def key(self, method: str) -> Service[Any]:
        """Send a request about the listen key; it has the API key, and names no listen key."""
        for left in (True, False):
            try:
                return (yield from self._exchange(method, KEY, "", named=True))[0]
            except RequestRefused as error:
                if not (left and self._is_lapse(error)):
                    raise
        raise AssertionError("unreachable")

    def get(self, path: str, params: Params) -> Service[Any]:
        """Return the answer to a signed read.

        If the exchange refuses the timestamp, its clock is read and the request tried once more. A read that failed in
        a way that passes is repeated once.
        """
        repeated = False
        for left in reversed(range(TRIES)):
            # The timestamp is taken after the turn, which may be long, just before the request.
            yield from self._anchored()
            try:
                return (yield from self._exchange("GET", path, params, named=True))[0]
            except RequestRefused as error:
                is_clock = is_clock_problem(error.refusal)
                if is_clock:
                    self._anchor = None
                may_repeat = is_clock or self._is_lapse(error) or (passes(error.refusal) and not repeated)
                if left == 0 or not may_repeat:
                    raise
                repeated = repeated or not is_clock
        raise AssertionError("unreachable")

    def _anchored(self) -> Service[Anchor]:
        while (anchor := self._anchor) is None:
            yield from self.ask_time()
        return anchor

    def _is_lapse(self, error: RequestRefused) -> bool:
        """True if the venue calls an API key malformed that it accepted before: this was observed once, and passes."""
        lapsed = self._passed and error.refusal.code == str(BAD_KEY_FORMAT)
        self._passed = self._passed and not lapsed
        return lapsed

    def _exchange(
        self, method: str, path: str, params: Params | str, *, named: bool
    ) -> Service[tuple[Any, float, float]]:
        """Return the answer to a request, and the times, s, of both. A text in place of `params` is not signed."""
        sent = yield from self._address.turn(OF[path])
        query = "" if isinstance(params, str) else self._signed(params, sent)
        url = f"{self._rest_url}{path}{'?' if query else ''}{query}"
        headers = {"X-MBX-APIKEY": self._api_key} if named else {}
        heard, answer = yield from ask(Request(method, url, headers, self._timeout))
        if isinstance(answer, NoAnswer):
            raise RequestRefused(unanswered(answer.reached, f"{method} {path}: {answer.message}"))
        if (used := used_weight(answer.headers)) is not None:
            self._address.note_used(used, sent, heard)
        verdict = judge(answer, about_key=path == KEY, exchange_ms=self.exchange_ms(heard), secrets=self._secrets)
        if isinstance(verdict, Document):
            self._passed = self._passed or named
            return verdict.data, sent, heard
        if is_too_fast(verdict):
            self._address.lock(heard + (verdict.retry_after or WEIGHED))
        raise RequestRefused(verdict)

    def _signed(self, params: Params, now: float) -> str:
        at = self.exchange_ms(now)
        assert at is not None
        query, signature = signed(encoded({**params, "recvWindow": RECEIVE_WINDOW_MS, "timestamp": at}), self._sign)
        for written in {signature, query.rpartition("=")[2]}:
            self._secrets.sign(written)
        return query
