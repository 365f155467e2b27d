"""Runs services without an event loop, one part after the other, over whoever answers their requests at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from listenkey.ports.errors import TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Both, NoAnswer, Outcome, Request, Service, Step, Wait

T = TypeVar("T")


class Answering(Protocol):
    """A venue with a clock of its own."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, until: float) -> None:
        """Let time pass."""

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """An answer. Raises `TransportFailed`."""


def run(service: Service[T], over: Answering) -> T:
    """The result of a service. Raises what it raises."""
    try:
        step = next(service)
        while True:
            outcome = _outcome(step, over)
            step = service.send((over.monotonic(), outcome))
    except StopIteration as end:
        result: T = end.value
        return result


def _outcome(step: Step, over: Answering) -> Outcome:
    match step:
        case Request():
            try:
                return over.request(step.method, step.url, headers=step.headers, timeout=step.timeout)
            except TransportFailed as error:
                return NoAnswer(str(error), error.reached)
        case Wait(until):
            if until > over.monotonic():
                over.sleep(until)
            return None
        case Both(parts):
            try:
                return tuple(run(part, over) for part in parts)
            except Exception as error:
                for part in parts:
                    part.close()
                return error
