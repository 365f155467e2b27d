"""The observer of the process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from listenkey.core import actions, inputs
from listenkey.core.events import ExchangeEvent

if TYPE_CHECKING:
    from .process import Process


class Watcher(Protocol):
    """Is called after every step."""

    def handled(self, process: Process, now: float, received: inputs.Input, ordered: list[actions.Action]) -> None:
        """The connection was handed an input and returned these actions."""

    def stored(self, process: Process, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """These events and `proven_until` are stored."""

    def consumed(self, process: Process, event: ExchangeEvent) -> None:
        """The consumer took an event."""

    def marked(self, process: Process) -> None:
        """The consumer has dealt with its last event."""
