"""Runs services in threads, without an event loop: in the caller's thread, with one more for each part."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

from ...ports.clock import Clock
from ...ports.errors import TransportFailed
from ...ports.http import BlockingHttpClient
from ...ports.service import Both, NoAnswer, Outcome, Request, Service, Step, Wait

T = TypeVar("T")


class GivenUp(Exception):
    """The service was given up and closed before it had a result."""


class GiveUp:
    """Gives up a service that runs in another thread.

    Waits end at once. A request that is under way ends by its own timeout, and its answer is dropped.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._below: list[GiveUp] = []

    def __call__(self) -> None:
        """Give up the service and all its parts."""
        with self._lock:
            self._event.set()
            below = tuple(self._below)
        for part in below:
            part()

    def ended(self, below: GiveUp) -> None:
        """Note that these parts have ended, and need not be given up any more."""
        with self._lock:
            self._below.remove(below)

    def below(self) -> GiveUp:
        """Return one for parts, which can be given up alone, and are given up with the whole."""
        part = GiveUp()
        with self._lock:
            self._below.append(part)
        if self._event.is_set():
            part()
        return part

    def sleep(self, seconds: float) -> None:
        """Sleep for this time. Raises `GivenUp` at once if the service is given up."""
        if self._event.wait(max(seconds, 0.0)):
            raise GivenUp


class ThreadExecutor:
    """Runs services with requests to `http`, which must allow several threads, and the time of `clock`."""

    def __init__(self, http: BlockingHttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._stepping = threading.Lock()
        """Parts step one at a time, as in an event loop, so that their shared state needs no lock."""

    def run(self, service: Service[T], give_up: GiveUp | None = None) -> T:
        """Run a service and return its result. Raises its exceptions, and `GivenUp` after closing it."""
        give_up = GiveUp() if give_up is None else give_up
        try:
            with self._stepping:
                step = next(service)
            while True:
                give_up.sleep(0.0)
                outcome = self._outcome(step, give_up)
                give_up.sleep(0.0)
                with self._stepping:
                    step = service.send((self._clock.monotonic(), outcome))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            with self._stepping:
                service.close()

    def _outcome(self, step: Step, give_up: GiveUp) -> Outcome:
        match step:
            case Request():
                try:
                    return self._http.request(step.method, step.url, headers=step.headers, timeout=step.timeout)
                except TransportFailed as error:
                    return NoAnswer(str(error), error.reached)
            case Wait(until):
                while (left := until - self._clock.monotonic()) > 0:
                    give_up.sleep(min(left, threading.TIMEOUT_MAX))
                return None
            case Both(parts):
                below = give_up.below()
                try:
                    return self._both(parts, below)
                finally:
                    give_up.ended(below)

    def _both(self, parts: tuple[Service[Any], ...], give_up: GiveUp) -> Outcome:
        results: list[Any] = [None] * len(parts)
        failures: list[BaseException] = []

        def run(place: int) -> None:
            try:
                results[place] = self.run(parts[place], give_up)
            except BaseException as error:
                failures.append(error)
                give_up()

        threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(len(parts))]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            give_up()  # Ctrl-C may be raised here
        if not failures:
            return tuple(results)
        if not isinstance(failures[0], Exception):
            raise failures[0]
        return failures[0]
