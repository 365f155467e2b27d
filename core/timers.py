"""Named deadlines on the caller's own clock: armed, cancelled, and handed out in the order in which they fall due."""

from __future__ import annotations

import math

Name = tuple[str, int]
"""What is due, and for which request, socket or key; 0 where there is only one."""


class Timers:
    """At most a few dozen names; a name has one deadline. Asking whether anything is due costs one comparison."""

    __slots__ = ("_deadlines", "_exact", "not_before")

    def __init__(self) -> None:
        self._deadlines: dict[Name, float] = {}
        self._exact = True
        self.not_before = math.inf
        """No deadline is earlier than this; one that was moved away may leave it too early, until `deadline` looks."""

    @property
    def deadline(self) -> float:
        """The earliest deadline, `math.inf` if nothing is armed."""
        if not self._exact:
            self.not_before = min(self._deadlines.values(), default=math.inf)
            self._exact = True
        return self.not_before

    def arm(self, name: Name, at: float) -> None:
        """Fall due at this time, whatever was armed under the name before."""
        if self._deadlines.get(name) == self.not_before:
            self._exact = False
        self._deadlines[name] = at
        if at < self.not_before:
            self.not_before, self._exact = at, True

    def arm_by(self, name: Name, at: float) -> None:
        """Fall due at this time, or sooner if that is when it was armed for."""
        if self._deadlines.get(name, math.inf) > at:
            self.arm(name, at)

    def cancel(self, name: Name) -> None:
        """Forget the name, if it is armed."""
        if self._deadlines.pop(name, None) == self.not_before:
            self._exact = False

    def armed(self, name: Name) -> bool:
        """Whether the name is armed."""
        return name in self._deadlines

    def pop_due(self, now: float) -> tuple[Name, float] | None:
        """Disarm the earliest name due by `now` and return it with its deadline; None if nothing is due."""
        if self.not_before > now or self.deadline > now:
            return None
        self._exact = False
        name = min(self._deadlines, key=self._deadlines.__getitem__)
        return name, self._deadlines.pop(name)
