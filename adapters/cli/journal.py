"""`listenkey journal`: the events of a journal as lines of JSON, or everything that is wrong with it."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from ...ports.errors import ListenKeyError
from ..journal import show, summary, verify
from .exits import Exit, Failure
from .lines import Lines


def run(options: Namespace) -> Exit:
    """Show or verify; a file that is no journal is wrong usage."""
    try:
        return _show(options.file) if options.verb == "show" else _verify(options.file)
    except ListenKeyError as error:
        raise Failure(Exit.USAGE, f"journal {options.verb}: {error}") from None


def _show(path: str) -> Exit:
    lines, mark = Lines(), summary(path).mark
    for serial, event in show(path):
        told = {"serial": serial, "marked": serial <= mark, **event.to_dict()}
        lines.write_now(msgspec.json.encode(told))
    return Exit.DONE


def _verify(path: str) -> Exit:
    lines = Lines()
    findings = verify(path)
    for finding in findings:
        lines.write_now(str(finding).encode())
    if findings:
        return Exit.NEGATIVE
    found = summary(path)
    lines.write_now(f"{path}: sound, {found.entries} entries, dealt with up to {found.mark}".encode())
    return Exit.DONE
