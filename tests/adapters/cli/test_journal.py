"""`watch` with the journal of another account, and `journal forget`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from listenkey.adapters.cli import journal as journal_command
from listenkey.adapters.cli import watch
from listenkey.adapters.cli.exits import Exit, Failure
from listenkey.adapters.cli.parser import parser
from listenkey.adapters.journal import SqliteJournal, summary, verify

from ...loopback.harness import fresh_key
from ...loopback.threaded import Threaded, threaded
from ..journal.test_journal_inspection import T, fill, order


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The API key with which `watch` is run."""
    found = fresh_key()
    monkeypatch.setenv("LISTENKEY_API_KEY", found)
    monkeypatch.setenv("LISTENKEY_API_SECRET", found[::-1])
    return found


@pytest.fixture
def exchange(key: str) -> Iterator[Threaded]:
    with threaded(key) as server:
        yield server


def owned(path: Path, api_key: str, user: str | None) -> Path:
    """A journal that this API key claimed at the simulated exchange, with two events that are not dealt with."""
    with closing(SqliteJournal(path)) as journal:
        journal.claim("bingx-swap", "127.0.0.1", api_key)
        journal.recognise(user)
        journal.begin(T)
        journal.append([order("1"), fill("1", "0.4", "0.4"), order("2")], T)
        journal.mark(1)
    return path


def run(*arguments: str) -> Exit:
    options = parser("0").parse_args(arguments)
    options.started = time.monotonic()
    return watch.run(options) if options.command == "watch" else journal_command.run(options)


def failure(*arguments: str) -> tuple[Exit, str]:
    """Run a command that fails; return its exit code and its one line."""
    with pytest.raises(Failure) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value.code, str(caught.value)


@pytest.mark.loopback
def test_whose_journal(
    exchange: Threaded, key: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A journal of another account is refused, and a journal of an unknown API key has to be adopted.

    A journal of another API key and account is refused at the start with exit code 2, and nothing is delivered. If the
    venue names another account for the same API key, the stream stops with exit code 4. A journal without an account
    is refused for another API key, unless it is adopted: then its events are delivered again.
    """
    flags = ("watch", "--rest-url", exchange.rest_url, "--ws-url", exchange.ws_url, "--json", "--journal")
    other = owned(tmp_path / "other", "another API key", "7")
    said = "the journal is of another account than the API key: each account needs a file of its own"
    assert failure(*flags, str(other)) == (Exit.USAGE, f"watch: --journal {other}: {said}")
    assert capfd.readouterr().out == ""

    changed = owned(tmp_path / "changed", key, "7")
    said = f"the journal {changed} is of another account than the venue now names"
    assert failure(*flags, str(changed)) == (Exit.STOPPED, said)

    unknown = owned(tmp_path / "unknown", "another API key", None)
    code, said = failure(*flags, str(unknown))
    assert code == Exit.USAGE
    assert "watch --adopt-journal" in said
    capfd.readouterr()
    with caplog.at_level(logging.WARNING, "listenkey"):
        assert run(*flags, str(unknown), "--adopt-journal", "--max-events", "3") == Exit.DONE
    assert "the journal was adopted" in caplog.text
    delivered = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [event["redelivered"] for event in delivered] == [True, True, False]


def test_forget(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`journal forget` forgets an order by its id, or everything, and prints one line; an unknown order is an error."""
    path = owned(tmp_path / "own", "api key", "7")
    assert run("journal", "forget", str(path), "--order", "1") == Exit.DONE
    said = f"journal forget: {path}: the journal has no order BTC-USDT:1"
    assert failure("journal", "forget", str(path), "--order", "BTC-USDT:1") == (Exit.USAGE, said)
    assert run("journal", "forget", str(path), "--all") == Exit.DONE
    assert capfd.readouterr().out.splitlines() == [
        f"{path}: forgot order BTC-USDT:1, 2 events, 1 of them not dealt with",
        f"{path}: forgot everything, 1 events, 1 of them not dealt with",
    ]
    assert summary(path).entries == 0
    assert verify(path) == []
