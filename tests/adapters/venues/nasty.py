"""Values that a frame must bear in any of its fields, for hypothesis to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

NASTY = st.sampled_from(["", "NaN", "Infinity", "1e400", "-1", "0", "1_0", "\u0661", " 1", "0.5", "1e-99", "9" * 60])
VALUE = st.one_of(NASTY, st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=5))
JSON = st.recursive(
    VALUE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


def fields(names: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """An object in which some of these have a value."""
    return st.dictionaries(st.sampled_from(names), JSON, max_size=8)
