"""Reports as the vectors write them."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """A report as its name, and the fields that say something; several as a list."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        shown = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
        defaults = {field.name: field.default for field in msgspec.structs.fields(value)}
        said = {name: plain(found) for name, found in shown.items() if repr(found) != repr(defaults[name])}
        said.pop("longest", None)  # which says how the frame was read, not what is in it
        return {"report": type(value).__name__, **said}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return {name: plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value
