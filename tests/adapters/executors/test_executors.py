"""An executor runs services: in an event loop of asyncio or trio, or in threads without one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import pytest
import trio

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.executors.threads import GivenUp, GiveUp, ThreadExecutor
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.ports.errors import RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import NoAnswer, Request, Service, ask, both, clock, wait

T = TypeVar("T")

ANSWER = HttpResponse(200, {}, b"yes")
GET = Request("GET", "https://venue.test/a?signature=0123456789abcdef", {}, 5.0)
REFUSED = RequestRefused(Refusal(RefusalKind.RETRY, "1", "no"))


class Http:
    """Answers each request at once, or raises the given error; base of an `HttpClient` and a `BlockingHttpClient`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, str, float]] = []

    def answer(self, method: str, url: str, timeout: float) -> HttpResponse:
        self.asked.append((method, url, timeout))
        if self.error is not None:
            raise self.error
        return ANSWER


class AsyncHttp(Http):
    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        await anyio.lowlevel.checkpoint()
        return self.answer(method, url, timeout)

    async def close(self) -> None:
        raise NotImplementedError


class BlockingHttp(Http):
    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        return self.answer(method, url, timeout)


class Bench:
    """An executor of one kind, with the client that records its requests."""

    def __init__(self, kind: str, error: Exception | None = None) -> None:
        self.kind = kind
        self.http: AsyncHttp | BlockingHttp = BlockingHttp(error) if kind == "threads" else AsyncHttp(error)

    def run(self, service: Service[T]) -> T:
        if isinstance(self.http, BlockingHttp):
            return ThreadExecutor(self.http, SystemClock()).run(service)
        return anyio.run(TaskExecutor(self.http, SystemClock()).run, service, backend=self.kind)


KINDS = ("asyncio", "trio", "threads")


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


class Ends:
    """Records which parts have begun and which were closed."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.closed: list[str] = []

    def forever(self, name: str) -> Service[str]:
        """A part that waits until it is closed."""
        self.begun.append(name)
        try:
            yield from wait(math.inf)
        except GeneratorExit:
            self.closed.append(name)
            raise
        return name


def value(found: T) -> Service[T]:
    yield from clock()
    return found


def refused() -> Service[int]:
    yield from clock()
    raise REFUSED


def test_a_request_is_answered_and_the_time_given(bench: Bench) -> None:
    """A request yields the answer unchanged, and the time of the clock at which it came."""

    def service() -> Service[tuple[bool, object]]:
        before = yield from clock()
        heard, answer = yield from ask(GET)
        return before <= heard, answer

    assert bench.run(service()) == (True, ANSWER)
    assert bench.http.asked == [("GET", GET.url, GET.timeout)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reached", [False, True])
def test_no_answer_is_a_value(kind: str, reached: bool) -> None:
    """A request without an answer yields a `NoAnswer`, and raises nothing in the service."""
    bench = Bench(kind, TransportFailed("timed out", reached=reached))
    assert bench.run(ask(GET))[1] == NoAnswer("timed out", reached)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_of_the_client_closes_the_service(kind: str) -> None:
    """An unexpected exception of the client closes the service, and is raised to the caller unchanged."""
    ended: list[bool] = []

    def service() -> Service[None]:
        try:
            yield from ask(GET)
        finally:
            ended.append(True)

    with pytest.raises(ZeroDivisionError):
        Bench(kind, ZeroDivisionError()).run(service())
    assert ended == [True]


def test_a_wait_is_never_too_short(bench: Bench) -> None:
    """A wait ends no earlier than the time it was given."""

    def service() -> Service[tuple[float, float]]:
        now = yield from clock()
        until = now + 0.02
        return until, (yield from wait(until))

    until, woken = bench.run(service())
    assert woken >= until


def test_a_sleep_that_ends_a_hair_too_early_is_not_slept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a sleep ends a little too early, a rest below the clock's resolution is extended to 1 ms, so the wait ends."""
    slept: list[float] = []

    class Coarse:
        now = 1e9

        def monotonic(self) -> float:
            return self.now

        def wall_ms(self) -> int:
            return 0

    time = Coarse()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.now += seconds - (1.2e-7 if len(slept) == 1 else 0.0)
        assert len(slept) < 10

    monkeypatch.setattr(anyio, "sleep", sleep)
    anyio.run(TaskExecutor(AsyncHttp(), time).run, wait(time.now + 0.5))
    assert slept == pytest.approx([0.5, 0.001])


def test_parts_run_together_and_their_results_are_in_order(bench: Bench) -> None:
    """The results of parts are in the order of the parts, also for nested parts, and without parts there are none."""

    def service() -> Service[Any]:
        inner = both(value(2), value(3))
        return (yield from both(value("a"), inner, ask(GET))), (yield from both())

    (first, second, (_, answer)), nothing = bench.run(service())
    assert (first, second, answer, nothing) == ("a", (2, 3), ANSWER, ())


def test_parts_really_run_at_the_same_time(bench: Bench) -> None:
    """A part that waits for the effect of a later part ends, because both run at the same time."""
    there: list[float] = []

    def first() -> Service[None]:
        now = yield from clock()
        while not there:
            now = yield from wait(now + 0.001)

    def second() -> Service[None]:
        there.append((yield from clock()))

    assert bench.run(both(first(), second())) == (None, None)


def test_parts_take_steps_in_turns(bench: Bench) -> None:
    """Between two yields only one part runs, so that parts need no lock for the data they share."""
    stepped = threading.Event()

    def slow() -> Service[bool]:
        yield from clock()
        stepped.clear()
        return stepped.wait(0.05)

    def quick() -> Service[bool]:
        for _ in range(9):
            yield from clock()
            stepped.set()
        return False

    assert not any(bench.run(both(*(part() for part in (slow, quick, slow, quick)))))


def test_a_part_that_fails_closes_the_others(bench: Bench) -> None:
    """A part that fails closes all others, nested ones too, before its exception reaches the service unchanged."""
    ends = Ends()

    def service() -> Service[list[str]]:
        with pytest.raises(RequestRefused) as caught:
            yield from both(ends.forever("a"), both(ends.forever("b"), ends.forever("c")), refused())
        assert caught.value is REFUSED
        return sorted(ends.closed)

    assert bench.run(service()) == [name for name in "abc" if name in ends.closed]
    assert bench.kind == "trio" or ends.closed  # trio may run the one that fails first, and then no other has begun


def test_what_a_service_raises_passes(bench: Bench) -> None:
    """An exception of a service is raised unchanged, not in an exception group."""
    with pytest.raises(RequestRefused) as caught:
        bench.run(both(value(1), both(refused())))
    assert caught.value is REFUSED


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_closes(backend: str) -> None:
    """Cancelling the run of a service closes all its parts."""
    ends = Ends()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            service = both(ends.forever("a"), ends.forever("b"))
            tasks.start_soon(TaskExecutor(AsyncHttp(), SystemClock()).run, service)
            while len(ends.begun) < 2:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert sorted(ends.closed) == ["a", "b"]


class Struck(BaseException):
    """A `BaseException`, as `KeyboardInterrupt` is."""


def test_what_strikes_a_part_is_the_callers_as_it_is(bench: Bench) -> None:
    """A `BaseException` in a nested part reaches the caller unchanged, not in an exception group."""

    def struck() -> Service[int]:
        yield from clock()
        raise Struck

    with pytest.raises(Struck):
        bench.run(both(value(1), both(struck())))


def test_what_was_given_up_before_it_began_asks_nothing() -> None:
    """A service that is given up before it starts sends no request, and a `GiveUp` keeps nothing of ended parts."""
    http, give_up = BlockingHttp(), GiveUp()
    executor = ThreadExecutor(http, SystemClock())
    executor.run(both(value(1), both(value(2))), give_up)
    assert not give_up._below
    give_up()
    with pytest.raises(GivenUp):
        executor.run(ask(GET), give_up)
    assert http.asked == []


def giving_up(service: Service[Any], http: BlockingHttp, begun: Callable[[GiveUp], None]) -> None:
    """Run a service in this thread while another thread gives it up."""
    give_up = GiveUp()
    other = threading.Thread(target=begun, args=(give_up,))
    other.start()
    with pytest.raises(GivenUp):
        ThreadExecutor(http, SystemClock()).run(service, give_up)
    other.join()


def test_giving_up_in_threads_closes() -> None:
    """Giving up closes the parts that have begun, or the service itself if it has not started."""
    ends = Ends()
    giving_up(both(ends.forever("a"), ends.forever("b")), BlockingHttp(), lambda give_up: give_up())
    assert set(ends.closed) <= {"a", "b"}
    again, give_up = Ends(), GiveUp()
    give_up()
    with pytest.raises(GivenUp):
        ThreadExecutor(BlockingHttp(), SystemClock()).run(again.forever("c"), give_up)
    assert again.closed == ["c"]


def test_a_request_under_way_in_a_thread_is_not_looked_at_once_it_is_given_up() -> None:
    """A request in a thread runs to its end after it is given up, but its answer is not used."""
    under_way, free = threading.Event(), threading.Event()
    seen: list[object] = []

    class Slow(BlockingHttp):
        def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
            under_way.set()
            free.wait()
            return ANSWER

    def service() -> Service[None]:
        seen.append((yield from ask(GET)))

    def begun(give_up: GiveUp) -> None:
        under_way.wait()
        give_up()
        free.set()

    giving_up(service(), Slow(), begun)
    assert seen == []


def test_a_request_does_not_show_its_query() -> None:
    """The `repr` of a request does not contain the signed query."""
    assert "0123456789" not in repr(GET)


@pytest.mark.parametrize("is_protected", [True, False])
def test_parts_are_as_safe_from_an_interruption_as_their_caller(is_protected: bool) -> None:
    """On trio a part of a protected task is protected, so that Ctrl-C comes out of the user's task; others are not."""
    found: list[bool] = []

    class Asked(AsyncHttp):
        async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
            found.append(trio.lowlevel.currently_ki_protected())
            return await super().request(method, url, headers=headers, timeout=timeout)

    async def run() -> None:
        await TaskExecutor(Asked(), SystemClock()).run(both(ask(GET), ask(GET)))

    async def run_protected() -> None:
        await run()

    trio.run(trio.lowlevel.enable_ki_protection(run_protected) if is_protected else run)
    assert found == [is_protected, is_protected]
