"""Compares an answer of a client with its part of the truth: every row, and every field that it has."""

from __future__ import annotations

from typing import NamedTuple

from .table import Moment, Row, Silence, Table, Value


class View(NamedTuple):
    """A client's table of `subject`, read by `source`, and the true one."""

    client: str
    source: str
    subject: str
    truth: Table
    theirs: Table


class Difference(NamedTuple):
    """One difference. `field` is `row` if a whole row is on one side only."""

    client: str
    source: str
    subject: str
    key: str
    field: str
    truth: Value
    theirs: Value


def differences(view: View) -> list[Difference]:
    """Return all differences. Raises `KeyError` for a field that the truth lacks, as it would never be compared."""
    found = []
    for key in [*view.truth, *(key for key in view.theirs if key not in view.truth)]:
        true, said = view.truth.get(key), view.theirs.get(key)
        if true is None or said is None:
            values = (None if row is None else _written(row) for row in (true, said))
            found.append(Difference(view.client, view.source, view.subject, key, "row", *values))
            continue
        for name in said:
            pair = true[name], said[name]
            if not same(*pair):
                found.append(Difference(view.client, view.source, view.subject, key, name, *pair))
    return found


def same(true: Value, said: Value) -> bool:
    """True if a client's value is the true one: amounts to the last digit, times to the grain that the client has."""
    if true is Silence.SILENT:
        return True
    if isinstance(said, Moment):
        return isinstance(true, int) and said.ms == true - true % said.grain
    return type(true) is type(said) and true == said


def _written(row: Row) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if value is not Silence.SILENT)
