"""`listenkey journal`: the events of a journal as lines of JSON, what is wrong with it, or some of it taken out."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from ...ports.errors import ListenKeyError
from ..journal import forget, show, summary, verify
from .exits import Exit, Failure
from .lines import Lines


def run(options: Namespace) -> Exit:
    """Show, verify or forget entries; a file that is no journal is wrong usage."""
    try:
        match options.verb:
            case "show":
                return _show(options.file)
            case "verify":
                return _verify(options.file)
            case _:
                return _forget(options.file, None if options.all else options.orders)
    except ListenKeyError as error:
        raise Failure(Exit.USAGE, f"journal {options.verb}: {error}") from None


def _show(path: str) -> Exit:
    lines, mark = Lines(), summary(path).mark
    for serial, event in show(path):
        line = {"serial": serial, "marked": serial <= mark, **event.to_dict()}
        lines.write_now(msgspec.json.encode(line))
    return Exit.DONE


def _verify(path: str) -> Exit:
    lines = Lines()
    findings = verify(path)
    for finding in findings:
        lines.write_now(str(finding).encode())
    if findings:
        return Exit.NEGATIVE
    found = summary(path)
    noun = "entry" if found.entries == 1 else "entries"
    lines.write_now(f"{path}: sound, {found.entries} {noun}, dealt with up to {found.mark}".encode())
    return Exit.DONE


def _forget(path: str, orders: list[str] | None) -> Exit:
    lines = Lines()
    for order, events, unmarked in forget(path, orders):
        what = "everything" if order is None else f"order {order.symbol}:{order.order_id}"
        lines.write_now(f"{path}: forgot {what}, {events} events, {unmarked} of them not dealt with".encode())
    return Exit.DONE
