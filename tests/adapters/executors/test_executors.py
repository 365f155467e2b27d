"""The duties of an executor to a service, in an event loop of asyncio or trio and in threads without one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import pytest

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
    """Answers at once, or does as it is asked; `HttpClient` and `BlockingHttpClient`."""

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
    """An executor of one kind, and what it has asked its client for."""

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
    """How parts have ended, and which have begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.closed: list[str] = []

    def forever(self, name: str) -> Service[str]:
        """A part that is there to be closed."""
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
    """The answer as it came; the time is that of the clock when it was there."""

    def service() -> Service[tuple[bool, object]]:
        before = yield from clock()
        heard, answer = yield from ask(GET)
        return before <= heard, answer

    assert bench.run(service()) == (True, ANSWER)
    assert bench.http.asked == [("GET", GET.url, GET.timeout)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reached", [False, True])
def test_no_answer_is_a_value(kind: str, reached: bool) -> None:
    """It is not thrown: a service decides by itself what it means."""
    bench = Bench(kind, TransportFailed("timed out", reached=reached))
    assert bench.run(ask(GET))[1] == NoAnswer("timed out", reached)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_of_the_client_closes_the_service(kind: str) -> None:
    """It passes as it is to whoever runs the service."""
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
    """One that is over takes no time; another ends no earlier than it says."""

    def service() -> Service[tuple[float, float]]:
        now = yield from clock()
        until = now + 0.02
        return until, (yield from wait(until))

    until, woken = bench.run(service())
    assert woken >= until


def test_a_sleep_that_ends_a_hair_too_early_is_not_slept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a wait that is shorter than the clock can show is slept longer: just that would move nothing."""
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
    """All of them, also parts of parts; none are none."""

    def service() -> Service[Any]:
        inner = both(value(2), value(3))
        return (yield from both(value("a"), inner, ask(GET))), (yield from both())

    (first, second, (_, answer)), nothing = bench.run(service())
    assert (first, second, answer, nothing) == ("a", (2, 3), ANSWER, ())


def test_parts_really_run_at_the_same_time(bench: Bench) -> None:
    """One may wait for what another does."""
    there: list[float] = []

    def first() -> Service[None]:
        now = yield from clock()
        while not there:
            now = yield from wait(now + 0.001)

    def second() -> Service[None]:
        there.append((yield from clock()))

    assert bench.run(both(first(), second())) == (None, None)


def test_parts_take_steps_in_turns(bench: Bench) -> None:
    """From one step to the next a part is alone: what parts share needs no lock."""
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
    """Also parts of parts; only then does whoever asked for them hear of it, with the failure as it was."""
    ends = Ends()

    def service() -> Service[list[str]]:
        with pytest.raises(RequestRefused) as caught:
            yield from both(ends.forever("a"), both(ends.forever("b"), ends.forever("c")), refused())
        assert caught.value is REFUSED
        return sorted(ends.closed)

    assert bench.run(service()) == [name for name in "abc" if name in ends.closed]
    assert bench.kind == "trio" or ends.closed  # trio may run the one that fails first, and then no other has begun


def test_what_a_service_raises_passes(bench: Bench) -> None:
    """As it is, in no group."""
    with pytest.raises(RequestRefused) as caught:
        bench.run(both(value(1), both(refused())))
    assert caught.value is REFUSED


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_closes(backend: str) -> None:
    """The service and its parts."""
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
    """As Ctrl-C is."""


def test_what_strikes_a_part_is_the_callers_as_it_is(bench: Bench) -> None:
    """In no group, however deep it was."""

    def struck() -> Service[int]:
        yield from clock()
        raise Struck

    with pytest.raises(Struck):
        bench.run(both(value(1), both(struck())))


def test_what_was_given_up_before_it_began_asks_nothing() -> None:
    """Nor is anything kept of parts that have ended."""
    http, give_up = BlockingHttp(), GiveUp()
    executor = ThreadExecutor(http, SystemClock())
    executor.run(both(value(1), both(value(2))), give_up)
    assert not give_up._below
    give_up()
    with pytest.raises(GivenUp):
        executor.run(ask(GET), give_up)
    assert http.asked == []


def giving_up(service: Service[Any], http: BlockingHttp, begun: Callable[[GiveUp], None]) -> None:
    """Runs it in this thread, and has it given up from another one."""
    give_up = GiveUp()
    other = threading.Thread(target=begun, args=(give_up,))
    other.start()
    with pytest.raises(GivenUp):
        ThreadExecutor(http, SystemClock()).run(service, give_up)
    other.join()


def test_giving_up_in_threads_closes() -> None:
    """The service and its parts, also when it had been given up before it began."""
    ends = Ends()
    giving_up(both(ends.forever("a"), ends.forever("b")), BlockingHttp(), lambda give_up: give_up())
    assert set(ends.closed) <= {"a", "b"}
    again, give_up = Ends(), GiveUp()
    give_up()
    with pytest.raises(GivenUp):
        ThreadExecutor(BlockingHttp(), SystemClock()).run(again.forever("c"), give_up)
    assert again.closed == ["c"]


def test_a_request_under_way_in_a_thread_is_not_looked_at_once_it_is_given_up() -> None:
    """It cannot be cut off; the service is closed when it is over."""
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
    """Its URL is signed."""
    assert "0123456789" not in repr(GET)
