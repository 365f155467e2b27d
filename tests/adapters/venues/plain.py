"""Reports in the form of the vectors."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """Return a report as its name and its fields other than defaults; several reports as a list."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        shown = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
        defaults = {field.name: field.default for field in msgspec.structs.fields(value)}
        said = {name: plain(found) for name, found in shown.items() if repr(found) != repr(defaults[name])}
        said.pop("longest", None)  # it depends on how the frame was read
        return {"report": type(value).__name__, **said}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return {name: plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value
