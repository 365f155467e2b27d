"""The demos, which run to their end beside the tests; other demos are started and interrupted."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from listenkey.adapters.venues.registry import SIMULATED

from .commands import Demo, Start

pytestmark = pytest.mark.usefixtures("demos")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["plain", "json"])
def test_an_interrupted_demo_gives_no_verdict(start: Start, number: int, flags: tuple[str, ...]) -> None:
    """A demo that gets SIGTERM or SIGINT ends with exit code 0 and prints no verdict."""
    command = start("demo", *flags)
    assert command.line()
    ended = command.end(number)
    assert ended.code == 0
    assert "verdict" not in ended.out
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.name != "posix", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_terminal_is_left_as_it_was(start: Start, number: int) -> None:
    """The demo draws on the alternate screen without a cursor, and restores both when it ends."""
    screen, terminal = os.openpty()
    command = start("demo", out=terminal, TERM="xterm", COLUMNS="80", LINES="24")
    os.close(terminal)
    seen = b""
    while b"links" not in seen:
        seen += os.read(screen, 65536)
    command.process.send_signal(number)
    while True:
        try:
            more = os.read(screen, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        seen += more
    os.close(screen)
    ended = command.end()
    assert (ended.code, ended.err) == (0, "")
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
        assert seen.rindex(on) < seen.rindex(off)


@pytest.mark.parametrize("venue", SIMULATED)
def test_the_demo_ends_with_nothing_lost(demos: dict[str, Demo], venue: str) -> None:
    """Through a rotation, a killed connection, a silent socket and an expired key, each fill is delivered once."""
    demo = demos[venue]
    ended = demo.command.end()
    *events, verdict = [json.loads(line) for line in demo.out.read_text().splitlines()]
    counts = verdict["verdict"]
    assert list(counts) == ["made", "delivered", "lost", "doubled", "ledger"]
    assert (counts["lost"], counts["doubled"]) == (0, 0), ended.err
    assert counts["made"] == counts["delivered"] > 200
    *_, in_all = re.findall(r"(\d+) in all$", ended.err, re.MULTILINE)
    assert int(in_all) == counts["delivered"]
    assert ended.code == (0 if counts["ledger"] == "MATCHED" else 1)
    reasons = {event["reason"] for event in events if event["kind"] == "GAP_CLOSED"}
    assert {"lost_socket", "silent", "key_gone"} & reasons
    assert "rotated: link" in ended.err
    assert "the listen key was renewed" in ended.err
    assert re.search(r"\b[0-9A-Za-z]{64}\b", ended.err) is None
