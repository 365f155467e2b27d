"""`watch` with a simulated exchange in another process or thread: its lines, its marks, and how it ends."""

from __future__ import annotations

import fcntl
import json
import re
import signal
import termios
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from listenkey.adapters.cli.verdict import Verdict, judge
from listenkey.core.events import from_json

from ...loopback.harness import PATIENCE
from .commands import API_KEY, API_SECRET, Command, Ended, Exchange, Simulate, Start

TRANSPORTS = ["aiohttp", "websockets"]
FAST = [
    *("--set", "backoff_initial=0.2", "--set", "backfill_overlap=0.5", "--set", "silence_timeout=2"),
    *("--set", "rotate_after=2", "--set", "rotate_jitter=0", "--set", "drain=0.5", "--set", "audit_interval=2"),
]


def simulated(start: Start, *flags: str) -> Simulate:
    return Simulate(start("simulate", "--port", "0", "--fills-per-second", "15", "--ping-interval", "0.5", *flags))


def beginning(truth: dict[str, Any]) -> int:
    """Exchange time, ms, of the first key grant."""
    log = truth["log"]
    return int(truth["now"] - (log["now"] - log["mints"][0]["at"]) * 1000)


def until(holds: Callable[..., bool], exchange: Exchange) -> None:
    """Wait until this holds for the exchange's log."""
    patience = time.monotonic() + PATIENCE
    while not holds(exchange.truth()["log"]):
        assert time.monotonic() < patience
        time.sleep(0.1)


def unread(command: Command) -> int:
    """Number of bytes that a command has written to its standard output and that have not been read."""
    assert command.process.stdout is not None
    waiting = array("i", [0])
    fcntl.ioctl(command.process.stdout, termios.FIONREAD, waiting)
    return waiting[0]


def judged(out: Path, truth: dict[str, Any]) -> Verdict:
    events = [from_json(line) for line in out.read_text().splitlines()]
    return judge(events, (), truth, since=beginning(truth), proven=False)


def test_every_fill_once_on_both_transports(start: Start, tmp_path: Path) -> None:
    """After rotations and a killed connection, each fill has been delivered once, with its interval, price and fee."""
    exchanges = {transport: simulated(start) for transport in TRANSPORTS}
    watches = {}
    for transport, exchange in exchanges.items():
        with (tmp_path / transport).open("w") as out:
            watches[transport] = start("watch", *exchange.flags, "--json", "--transport", transport, *FAST, out=out)
    for exchange in exchanges.values():
        until(lambda log: log["max_sockets_together"] == 2, exchange)
        exchange.fault("drop_tcp", seconds=0.4)
    for exchange in exchanges.values():
        dropped = len(exchange.truth()["log"]["openings"])
        until(lambda log, before=dropped: len(log["openings"]) > before, exchange)
        while len(exchange.truth()["fills"]) <= 40:
            time.sleep(0.2)
        exchange.quiet()
    for transport, exchange in exchanges.items():
        patience = time.monotonic() + PATIENCE
        while judged(tmp_path / transport, exchange.truth()).lost and time.monotonic() < patience:
            time.sleep(0.2)
        ended, truth = watches[transport].end(signal.SIGTERM), exchange.truth()
        exchange.command.end(signal.SIGTERM)
        verdict = judged(tmp_path / transport, truth)
        assert ended.code == 0
        # How many reads fail when a connection is killed, and so are held back, depends on the machine.
        usual = (" failed (", "reads held back (")
        assert [line for line in ended.err.splitlines() if not any(each in line for each in usual)] == []
        assert verdict.made > 20
        assert verdict.wrong == ()
        assert truth["log"]["max_sockets_together"] == 2


def test_so_many_lines_and_no_more(exchange: Exchange, start: Start) -> None:
    """`--max-events` counts lines; with `--json` each is an event of the contract."""
    flags = (*exchange.flags, "--max-events", "6")
    plain, *others = [start("watch", *flags), *(start("watch", "--json", *flags, "--transport", t) for t in TRANSPORTS)]
    for other in others:
        ended = other.end()
        assert (ended.code, len(ended.events)) == (0, 6)
        assert all({"kind", "event_id", "exchange_ts", "source", "redelivered"} <= each.keys() for each in ended.events)
    ended = plain.end()
    assert (ended.code, len(ended.out.splitlines())) == (0, 6)


@pytest.mark.parametrize("mode", ["ws", "poll"])
def test_a_bad_key_is_refused_at_once(exchange: Exchange, start: Start, mode: str) -> None:
    """A refused API key ends `watch` with exit code 3 and one line, after a single request."""
    exchange.fault("bad_credentials")
    ended = start("watch", *exchange.flags, "--json", "--mode", mode).end()
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.count("\n") == 1
    asked = [call for call in exchange.truth()["log"]["calls"] if call["code"]]
    assert len(asked) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_signal_closes_in_order(exchange: Exchange, start: Start, transport: str, number: int) -> None:
    """A signal ends `watch` with exit code 0: lines are whole, the socket is closed with 1000, the key is deleted."""
    watch = start("watch", *exchange.flags, "--json", "--transport", transport)
    first = json.loads(watch.line())
    ended = watch.end(number)
    assert first["kind"] == "HEALTH"
    assert (ended.code, ended.err) == (0, "")
    assert ended.events is not None
    log = exchange.truth()["log"]
    assert log["sockets_open"] == 0
    assert [closing["code"] for closing in log["closings"]] == [1000]
    assert [deletion["key"] for deletion in log["deletions"]] == [mint["key"] for mint in log["mints"]]


def test_a_reader_who_leaves(exchange: Exchange, start: Start) -> None:
    """If the reader of its output is gone, as with `| head -1`, `watch` ends in order and prints no error."""
    watch = start("watch", *exchange.flags, "--json")
    assert watch.line()
    assert watch.process.stdout is not None
    watch.process.stdout.close()
    watch.process.stdout = None
    ended = watch.end()
    assert (ended.code, ended.err) == (0, "")
    assert len(exchange.truth()["log"]["deletions"]) == 1


def test_a_reader_who_does_not_read(start: Start) -> None:
    """If the output is not read, the link stays up, pings are answered, and a signal ends the command in order."""
    exchange = simulated(start, "--fills-per-second", "200")
    watch = start("watch", *exchange.flags, "--json")
    until(lambda log: unread(watch) > 40_000, exchange)
    before = len(exchange.truth()["log"]["pongs"])
    until(lambda log: len(log["pongs"]) > before + 1, exchange)
    assert [closing["reason"] for closing in exchange.truth()["log"]["closings"]] == []
    watch.process.send_signal(signal.SIGTERM)
    assert watch.process.wait(PATIENCE) == 0
    assert unread(watch) > 40_000
    assert len(exchange.truth()["log"]["deletions"]) == 1


def test_a_journal_is_marked_line_by_line(exchange: Exchange, start: Start, tmp_path: Path) -> None:
    """Events whose lines were flushed are marked, no fill comes again, and `journal` shows and verifies the file."""
    file = str(tmp_path / "journal.db")
    flags = (*exchange.flags, "--json", "--journal", file, "--max-events", "6")
    first, second = start("watch", *flags).end(), start("watch", *flags).end()
    assert (first.code, second.code) == (0, 0)
    delivered = [event["event_id"] for event in first.events if "fill" in event["event_id"]]
    again = [event["event_id"] for event in second.events if not event["redelivered"]]
    assert not set(delivered) & set(again)
    shown = start("journal", "show", file).end()
    assert shown.code == 0
    assert [event["event_id"] for event in shown.events[:6]] == [event["event_id"] for event in first.events]
    assert all(event["marked"] for event in shown.events[:6])
    assert [event["serial"] for event in shown.events] == list(range(1, len(shown.events) + 1))
    verified = start("journal", "verify", file).end()
    assert (verified.code, verified.err) == (0, "")


def canaries(ended: Ended, listen_keys: list[str]) -> list[str]:
    said = ended.out + ended.err
    return [secret for secret in (API_KEY, API_SECRET, *listen_keys) if secret in said]


def test_no_secret_in_any_output(start: Start) -> None:
    """No secret is printed at log level debug, in Python's development mode, or after faults of many kinds."""
    exchange = simulated(start, "--log-level", "debug")
    flags = ("watch", *exchange.flags, "--json", "--transport")
    verbose = ("--log-level", "debug", *FAST)
    watches = [start(*flags, transport, *verbose, PYTHONDEVMODE="1") for transport in TRANSPORTS]
    until(lambda log: len(log["openings"]) >= 2, exchange)
    minted = len(exchange.truth()["log"]["mints"])
    for fault in ("garbage", "renew_404", "expire_key", "mint_error", "rest_html"):
        exchange.fault(fault)
    until(lambda log: len(log["mints"]) >= minted + 2 and log["sockets_open"], exchange)
    outcomes = [watch.end(signal.SIGTERM) for watch in watches]
    exchange.fault("bad_credentials", code=100001)
    refused = [start(*flags, transport, PYTHONDEVMODE="1") for transport in TRANSPORTS]
    outcomes += [watch.end() for watch in refused]
    keys = [mint["key"] for mint in exchange.truth()["log"]["mints"]]
    assert [ended.code for ended in outcomes] == [0, 0, 3, 3]
    assert len(keys) >= 3
    assert "debug" in outcomes[0].err
    for ended in (*outcomes, exchange.command.end(signal.SIGTERM)):
        assert canaries(ended, keys) == []
        assert re.search(r"[0-9a-f]{64}", ended.out + ended.err) is None


def test_the_simulator_ends_in_order(start: Start) -> None:
    """`simulate` ends by SIGTERM or SIGINT with exit code 0, and has printed only its first line."""
    for number in (signal.SIGTERM, signal.SIGINT):
        command = start("simulate", "--port", "0")
        assert set(json.loads(command.line())) == {"rest_url", "ws_url"}
        ended = command.end(number)
        assert (ended.code, ended.out, ended.err) == (0, "", "")
