"""The ids of what was delivered lately, so that nothing is delivered twice."""

from __future__ import annotations

SIZE = 512


class RecentIds:
    """The last `SIZE` of them; to look one up takes the same time however many there are."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def add(self, event_id: str) -> None:
        """Remember one more, in place of the oldest."""
        ids = self._ids
        ids[event_id] = None
        if len(ids) > SIZE:
            del ids[next(iter(ids))]
