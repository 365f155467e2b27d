"""Values whose `repr` does not show what may be secret, so that logs and tracebacks may show the values."""

from __future__ import annotations

from typing import Any

import msgspec

CONCEALED = frozenset({"key", "data", "frame", "reply", "content"})
"""Fields that hold a listen key, or what the venue sent or is sent, which may hold anything."""


class Concealed:
    """Stands for a value, and says no more of it than its type and length."""

    __slots__ = ("_shown",)

    def __init__(self, value: object) -> None:
        length = f" of {len(value)}" if isinstance(value, (str, bytes, tuple, list, dict)) else ""
        self._shown = f"<{type(value).__name__}{length}>"

    def __repr__(self) -> str:
        return self._shown


class Discreet(msgspec.Struct, frozen=True, gc=False):
    """A value whose `repr` says of the fields of `CONCEALED` only how long they are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        found = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, Concealed(value) if name in CONCEALED and value is not None else value) for name, value in found]
