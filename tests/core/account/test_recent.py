"""The ids of recent deliveries: the last `SIZE` of them are remembered, and no more."""

from __future__ import annotations

from listenkey.core.account.recent import SIZE, RecentIds


def test_the_last_are_remembered() -> None:
    """A new id drops the oldest one; an id that is known drops none."""
    recent = RecentIds()
    for number in range(3 * SIZE):
        recent.add(f"id {number}")
        recent.add(f"id {number}")
        assert (f"id {number - SIZE + 1}" in recent) is (number + 1 >= SIZE)
        assert f"id {number - SIZE}" not in recent
