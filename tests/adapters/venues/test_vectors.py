"""Each family in the registry reads its vectors: a frame gives exactly the listed reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .plain import plain
from .samples import FAMILIES, Vector, samples, vectors

EACH = [pytest.param(vector, id=f"{vector.file}-{vector.name}") for family in FAMILIES for vector in vectors(family)]


@pytest.mark.parametrize("vector", EACH)
@pytest.mark.parametrize("binary", [False, True])
def test_vector(vector: Vector, binary: bool) -> None:
    """A vector's frame gives its reports, as text and as bytes."""
    frame = vector.frame.encode() if binary else vector.frame
    found = plain(samples(vector.family).DIALECTS[vector.file].decode(frame))
    for report, expected in zip(found, vector.reports, strict=True):
        for unsaid in {"content", "why"} - expected.keys():
            report.pop(unsaid, None)
        assert report == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_every_event_has_a_vector(family: str) -> None:
    """Each event of a family, also an ignored one, is in a frame of its vectors."""
    given = samples(family)
    seen = {name for vector in vectors(family) for frame in _objects(vector.frame) if (name := given.event(frame))}
    assert not {*given.EVENTS, *given.IGNORED} - seen


def _objects(frame: str) -> Iterator[dict[str, Any]]:
    for line in frame.splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        yield from (each for each in (content if isinstance(content, list) else [content]) if isinstance(each, dict))
