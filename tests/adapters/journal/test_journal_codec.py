"""The journal's encoding gives each event back unchanged, of any kind and with any content."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.adapters.journal.codec import CLASSES, pack, unpack
from listenkey.core.events import Balance, ExchangeEvent, ExchangeEventKind, Position, Unknown

numbers = st.decimals(allow_nan=False, allow_infinity=False)
integers = st.integers() | st.integers(-(1 << 80), 1 << 80)
scalars = st.none() | st.booleans() | integers | st.floats(allow_nan=False) | st.text() | numbers
json_like = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def values(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if name == "raw":
        return json_like
    if name == "frame":
        return st.none() | st.binary() | st.text()
    if name == "balances":
        return st.lists(struct(Balance), max_size=3).map(tuple)
    if name == "positions":
        return st.lists(struct(Position), max_size=3).map(tuple)
    if annotation == int or annotation == int | None:  # noqa: E721 - an annotation is not an instance
        return integers if annotation is int else st.none() | integers
    if annotation == Decimal or annotation == Decimal | None:
        return numbers if annotation is Decimal else st.none() | numbers
    return st.from_type(annotation)


def struct(cls: type[Any], **fixed: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    fields = {name: values(name, hints[name]) for name in cls.__struct_fields__ if name not in fixed}
    return st.builds(cls, **fields, **{name: st.just(value) for name, value in fixed.items()})


events = st.sampled_from(list(ExchangeEventKind)).flatmap(lambda kind: struct(CLASSES[kind], kind=kind))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_round_trip(event: ExchangeEvent) -> None:
    """An event of any kind is equal after storing, in each field and its type: Decimal, `bytes` and `str` are kept."""
    back = unpack(event.kind.value, pack(event))
    assert back == event
    assert repr(back) == repr(event)


def test_every_kind_has_a_class() -> None:
    """Each kind of event has a class that the journal can store."""
    assert set(CLASSES) == set(ExchangeEventKind)


def test_content_nested_too_deeply() -> None:
    """Content nested too deeply for an encoder is stored as its frame, and raises nothing."""
    raw: Any = []
    for _ in range(100_000):
        raw = [raw]
    event = Unknown(event_id="unknown:1", exchange_ts=None, source="ws", frame="[[[...", raw=raw)
    back = unpack("UNKNOWN", pack(event))
    assert isinstance(back, Unknown)
    assert (back.raw, back.frame) == ("[[[...", "[[[...")
    while raw:  # dropped level by level, as freeing it at once would recurse as well
        raw = raw[0]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("NO_SUCH_KIND", b"\x80"),
        ("HEALTH", b""),
        ("HEALTH", b"\xc1"),
        ("HEALTH", b"\x80"),
        ("UNKNOWN", b"\x81\xa3raw\x01"),
        ("FULL_FILL", b"\x93\x01\x02\x03"),
    ],
)
def test_damage_is_named(kind: str, body: bytes) -> None:
    """Bytes that are no event raise msgspec's error, which the journal turns into its own."""
    with pytest.raises(msgspec.MsgspecError):
        unpack(kind, body)
