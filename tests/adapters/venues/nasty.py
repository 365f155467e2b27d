"""Values for hypothesis that any field of a frame may have without an error."""

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
    """Return a strategy for objects with values for some of these names."""
    return st.dictionaries(st.sampled_from(names), JSON, max_size=8)
