"""No answer to a request puts a secret into a refusal, an account, an error or its traceback, or a log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.driver.opener import Opener
from listenkey.adapters.driver.requests import Requests
from listenkey.adapters.driver.venue import Venue
from listenkey.adapters.driver.warnings import Warnings
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.transports.names import Transport
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.policy import Policy
from listenkey.core.secrets import Secrets
from listenkey.ports.errors import HandshakeRefused, ListenKeyError, RequestRefused
from listenkey.ports.http import HttpResponse
from listenkey.ports.socket import Socket

from ..adapters.venues.planted import planted
from ..adapters.venues.samples import FAMILIES, samples
from .finder import Finder, secret
from .plants import Spoiled, pages, written
from .test_frames import THOROUGH, chosen, offsets
from .testimony import Ears, of_error

families = pytest.mark.parametrize("family", FAMILIES)
Ask = Callable[[], Awaitable[Any]]


def kinds(family: str) -> dict[str, Spoiled]:
    """Return all kinds of answers with a secret, by name."""
    return {kind.name: kind for kind in (*planted(family).spoiled(), *pages())}


class Desk:
    """A venue's services over a transport whose answers the test chooses, and which can also hang."""

    def __init__(self, family: str, seed: str) -> None:
        draw = Random(seed)
        self.family, self._planted = family, planted(family)
        self.api_key, self.api_secret, self.key = secret(draw), secret(draw), secret(draw, 64)
        self.register = Secrets((self.api_key, self.api_secret))
        self.register.grant(self.key, now=0.0, valid_for=3600)
        self.signatures: list[str] = []
        self.answer: Callable[[str, str], HttpResponse] = self.calmly
        self.hangs = False
        services = self._planted.services(self.api_key, self.api_secret, self.register)
        self.keys, self.reader = services.keys, services.reader
        self.executor = TaskExecutor(self, SystemClock())
        self.opener = Opener(self, services.handshake, Policy(), self.executor)
        dialect = next(iter(samples(family).DIALECTS.values()))
        self.venue = Venue(lambda: Connection(dialect, secrets=self.register), Transport(self, self), services)

    def calmly(self, method: str, name: str) -> HttpResponse:
        """Return the good answer to a request."""
        if (method, name) in self._planted.CALM:
            return self._planted.good(self._planted.CALM[method, name])
        return self._planted.keyed(method, self.key)

    def spoiled(self, answer: HttpResponse, method: str, name: str, *, time: bool) -> HttpResponse:
        """Return this answer to each request, or, if `time` is false, to each but that for the time."""
        return answer if time or name != self._planted.TIME else self.calmly(method, name)

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        parts = urlsplit(url)
        self.signatures += [each.partition("=")[2] for each in parts.query.split("&") if each.startswith("signature=")]
        if self.hangs and parts.query:
            await anyio.sleep_forever()
        return self.answer(method, parts.path.rpartition("/")[2])

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> Socket:
        status, headers, body = self.answer("GET", "market")
        raise HandshakeRefused(status, body[:4096], headers)

    async def close(self) -> None:
        pass


async def all_calls(desk: Desk, chosen: Callable[[list[Ask]], list[Ask]] = list) -> list[str]:
    """Make all calls or a choice of them; return all texts of their results and errors."""
    said: list[str] = []
    run = desk.executor.run
    requests = Requests(
        desk.executor, desk.keys, desk.reader, lambda received: said.append(repr(received)), Warnings(lambda: False)
    )
    calls: list[Ask] = [
        lambda: run(desk.keys.create()),
        lambda: run(desk.keys.renew(desk.key)),
        lambda: run(desk.keys.delete(desk.key)),
        lambda: desk.opener.open(desk.key),
        lambda: run(desk.reader.read(None)),
        desk.venue.account_snapshot,
        lambda: requests.create(actions.CreateKey(1)),
        lambda: requests.read(actions.ReadAccount(2, None)),
        lambda: requests.delete(actions.DeleteKey(3, desk.key)),
    ]
    for call in chosen(calls):
        try:
            said.append(repr(await call()))
        except RequestRefused as error:  # its callers turn it into other errors: see `account_snapshot`
            said += [str(error), repr(error), repr(error.refusal)]
        except ListenKeyError as error:
            said += of_error(error)
    return said


@pytest.mark.parametrize(
    ("family", "names"),
    [
        pytest.param(family, names, id=f"{family}; {names[0] if THOROUGH else 'all'}")
        for family in FAMILIES
        for names in ([(name,) for name in kinds(family)] if THOROUGH else [tuple(kinds(family))])
    ],
)
def test_no_answer_brings_a_secret_out(family: str, names: tuple[str, ...]) -> None:
    """No eight characters of a secret are in the log or the results after any answer to any request."""
    draw, ears, desk = Random(3), Ears(), Desk(family, "answers")
    log = logging.getLogger("listenkey")
    log.addHandler(ears)
    level = log.level
    log.setLevel(logging.DEBUG)
    try:
        anyio.run(every_answer, desk, names, draw, ears.said)
    finally:
        log.removeHandler(ears)
        log.setLevel(level)
    assert len(ears.said) > 500
    finder = Finder((desk.api_key, desk.api_secret, desk.key))
    assert finder.leak(*ears.said) is None
    everything = "\n".join(dict.fromkeys(ears.said))
    assert not [piece for each in desk.signatures for piece in pieces(each) if piece in everything]


async def every_answer(desk: Desk, names: tuple[str, ...], draw: Random, said: list[str]) -> None:
    """Give each kind of answer with each secret to each request, or to a random one in a thorough run.

    The request for the time is mostly answered well, because all others need it.
    """
    chosen_calls = partial(draw.sample, k=1) if THOROUGH else list
    await all_calls(desk)
    for kind in names:
        for name in ("api_key", "api_secret", "key", "signature"):
            for pad in offsets(draw):
                planted = draw.choice(desk.signatures[-8:]) if name == "signature" else getattr(desk, name)
                forms = [planted] if name == "signature" else [*written(planted)]
                for form in chosen(draw, forms):
                    desk.answer = partial(desk.spoiled, kinds(desk.family)[kind].answer(form, pad), time=name == "key")
                    said += await all_calls(desk, chosen_calls)
        desk.answer = desk.calmly
        await desk.venue.account_snapshot()


def pieces(signature: str) -> list[str]:
    """Return a signature's pieces of 16 hex digits, which occur in no other text."""
    return [signature[at : at + 16] for at in range(0, len(signature) - 15, 16)]


@families
@pytest.mark.parametrize("name", ["api_key", "api_secret", "key"])
def test_no_row_brings_a_secret_out(family: str, name: str) -> None:
    """Neither an account that was read nor the excerpts of its odd rows contain a secret."""
    desk, said, given = Desk(family, name), list[str](), planted(family)
    for pad in offsets(Random(name)):
        content = given.rows(getattr(desk, name), pad)
        desk.answer = lambda method, path, content=content: given.good(content[method, path])  # type: ignore[misc]
        account = anyio.run(desk.executor.run, desk.reader.read(None))
        said += [repr(account), *(row.excerpt for row in account.odd)]
        said.append(repr(anyio.run(desk.venue.account_snapshot)))
    assert "USDT" in said[0]
    assert Finder((getattr(desk, name),)).leak(*said) is None


@families
def test_a_read_that_is_given_up_takes_no_query_along(family: str) -> None:
    """If the caller's own time-out ends a read, its error and traceback contain no part of the request."""

    async def give_up(desk: Desk) -> list[str]:
        await desk.venue.account_snapshot()
        desk.hangs = True
        try:
            with anyio.fail_after(0.05):
                await desk.venue.account_snapshot()
        except TimeoutError as error:
            return [*of_error(error)]
        raise AssertionError("it was answered")

    desk = Desk(family, "given up")
    said = anyio.run(give_up, desk)
    assert Finder((desk.api_key, desk.api_secret)).leak(*said) is None
    assert not [each for each in desk.signatures for text in said if each[:16] in text]


@families
def test_what_carries_a_key_does_not_show_it(family: str) -> None:
    """The `repr` of a mint's answer, grant and input does not contain the key."""
    desk = Desk(family, "carried")
    carried = [
        planted(family).keyed("POST", desk.key),
        anyio.run(desk.executor.run, desk.keys.create()),
        inputs.KeyGranted(1, desk.key, 1.0),
    ]
    assert Finder((desk.key,)).leak(*map(repr, carried)) is None
