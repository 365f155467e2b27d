"""The policy's numbers: defaults, numbers given by the user, and numbers that are refused by name."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from typing import Any

import pytest

from listenkey.core.policy import Policy

DESIGN = {
    "renew_interval": 1800,
    "renew_retry": 5,
    "delete_keys": 1,
    "request_timeout": 10,
    "connect_timeout": 10,
    "probe_after": 0,
    "silence_timeout": 15,
    "rotate_after": 85800,
    "rotate_jitter": 300,
    "drain": 10,
    "backoff_first": 0.25,
    "backoff_initial": 1,
    "backoff_max": 30,
    "healthy_after": 30,
    "audit_interval": 120,
    "poll_interval": 5,
    "backfill_overlap": 5,
    "reorder_window": 0.25,
    "hold_limit": 3,
    "max_frame_bytes": 1048576,
    "max_pending": 100000,
}
ZERO_MEANS_SOMETHING = {
    "probe_after",
    "rotate_after",
    "rotate_jitter",
    "drain",
    "backoff_first",
    "audit_interval",
    "backfill_overlap",
    "reorder_window",
    "hold_limit",
}
WHOLE = {"max_frame_bytes", "max_pending"}
SWITCHES = {"delete_keys"}


def test_defaults() -> None:
    """The fields and their defaults are the contract's."""
    assert dataclasses.asdict(Policy()) == DESIGN


@pytest.mark.parametrize("name", [name for name in DESIGN if name not in SWITCHES])
def test_what_is_allowed(name: str) -> None:
    """From a millisecond to thirty years, and 0 where it has a meaning; the refusal names the field."""
    sensible: list[Any] = [1, 2.0, 1e9, *([0, 0.0] if name in ZERO_MEANS_SOMETHING else [])]
    senseless: list[Any] = [-1, 1e-300, 1.1e9, math.inf, -math.inf, math.nan, True, "5", None]
    if name not in WHOLE:
        sensible.append(0.001)
    if name not in ZERO_MEANS_SOMETHING:
        senseless.append(0)
    for value in sensible:
        given: dict[str, Any] = {name: value}
        assert getattr(Policy(**given), name) == value
    for value in senseless:
        with pytest.raises(ValueError, match=f"^{name} must be .*not {value!r}$"):
            Policy(**{name: value})


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_switches(name: str) -> None:
    """A switch is 0 or 1, nothing else."""
    for value in (0, 1, 0.0, 1.0):
        on_or_off: dict[str, Any] = {name: value}
        assert type(getattr(Policy(**on_or_off), name)) is int
    for senseless in (2, -1, math.nan, True, None, 1e9):
        with pytest.raises(ValueError, match=f"^{name} must be .*not {senseless!r}$"):
            Policy(**dict[str, Any]({name: senseless}))
    half: dict[str, Any] = {name: 0.5}
    with pytest.raises(ValueError, match=r"a whole number, not 0\.5"):
        Policy(**half)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_whole_numbers(name: str) -> None:
    """Counts of bytes and events are whole: 1.5 is refused, and 5.0 becomes 5."""
    half: dict[str, Any] = {name: 1.5}
    five: dict[str, Any] = {name: 5.0}
    with pytest.raises(ValueError, match=r"a whole number, not 1\.5"):
        Policy(**half)
    assert type(getattr(Policy(**five), name)) is int


def test_unknown_name() -> None:
    """An unknown field is refused as a mistake of the caller."""
    with pytest.raises(TypeError, match="rotate_afer"):
        Policy(rotate_afer=3)  # type: ignore[call-arg]


def test_over_a_dialects_defaults() -> None:
    """A number given wins over the dialect's default, even one equal to the policy's; all others are the dialect's."""
    settled = Policy(silence_timeout=15, drain=0).over({"silence_timeout": 70, "drain": 3, "renew_interval": 600})
    assert dataclasses.asdict(settled) == {**DESIGN, "drain": 0, "renew_interval": 600}
    assert Policy().over({}) == Policy()


def test_over_checks_the_dialect_too() -> None:
    """A dialect's default is checked like a number of the user."""
    with pytest.raises(ValueError, match="drain"):
        Policy().over({"drain": -1})


def test_a_copy_knows_what_was_given() -> None:
    """A copied or pickled policy still knows which numbers were given."""
    given = Policy(silence_timeout=15)
    for twin in (copy.copy(given), copy.deepcopy(given), pickle.loads(pickle.dumps(given))):  # noqa: S301
        assert twin == given
        assert twin.over({"silence_timeout": 70, "drain": 3}) == Policy(drain=3)


def test_immutable() -> None:
    """A policy cannot change while a connection uses it."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Policy().drain = 3  # type: ignore[misc]
