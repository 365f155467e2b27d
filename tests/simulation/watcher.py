"""Who watches the process from the outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from listenkey.core import actions, inputs
from listenkey.core.events import ExchangeEvent

if TYPE_CHECKING:
    from .process import Process


class Watcher(Protocol):
    """Hears of every step, once it is done."""

    def handled(self, process: Process, now: float, received: inputs.Input, ordered: list[actions.Action]) -> None:
        """The core was handed something."""

    def stored(self, process: Process, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """Events and what they prove are safe."""

    def consumed(self, process: Process, event: ExchangeEvent) -> None:
        """The consumer has an event."""

    def marked(self, process: Process) -> None:
        """The consumer came back for the next."""
