"""The documents say what the code says: diagrams, tables, examples and links."""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

import listenkey
from listenkey.adapters.cli.parser import parser
from listenkey.adapters.simulator.control import Control
from listenkey.adapters.simulator.venue import Venue
from listenkey.core import events
from listenkey.core.link.lifecycle import mermaid
from listenkey.core.policy import Policy

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [f"{path.relative_to(ROOT)}" for path in DOCUMENTS]
FILL = re.compile(r"\S+-USDT (BUY|SELL) \S+ at \S+ fee \S+$")
RECORDS = sorted((ROOT / "docs" / "adr").glob("0*.md"))


def _blocks(text: str, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for said, block in fenced if said == language]


def _between(marker: str) -> str:
    found = re.search(rf"<!-- {marker}: begin -->\n(.*?)<!-- {marker}: end -->", README, re.DOTALL)
    assert found, marker
    return found[1]


def _rows(marker: str) -> list[list[str]]:
    """The cells of the table between the markers, without its head."""
    lines = _between(marker).strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_diagram_is_the_table() -> None:
    """What is drawn is what `lifecycle` prints from its table."""
    assert _between("diagram") == f"```mermaid\n{mermaid()}```\n"


def test_the_policy_table_is_the_policy() -> None:
    """Every field, in order, with its default."""
    told = [(name.strip("`"), float(default)) for name, default, _ in _rows("policy")]
    assert told == [(field.name, field.default) for field in fields(Policy)]
    assert all(meaning for *_, meaning in _rows("policy"))


def test_the_events_table_is_the_events() -> None:
    """Every kind once, with the fields that its class adds to the common ones."""
    told: dict[str, list[str]] = {}
    before: list[str] = []
    for kinds, described in _rows("events"):
        names = re.findall("`(.*?)`", described)
        if described.startswith("the same"):
            names = before + names
        told.update(dict.fromkeys(re.findall("`(.*?)`", kinds), names))
        before = names
    common = events.ExchangeEvent.__struct_fields__
    own = {
        kind: [field for field in each.__struct_fields__ if field not in common]
        for kind, each in events._CLASSES.items()
    }
    assert {kind: sorted(names) for kind, names in told.items()} == {kind: sorted(own[kind]) for kind in own}


def test_the_commands_are_the_parsers() -> None:
    """The read-me lists every command that is understood, and no other."""
    (block,) = (text for text in _blocks(README, "") if text.startswith("listenkey demo"))
    (commands,) = (each for each in parser("0")._actions if isinstance(each, argparse._SubParsersAction))
    assert [line.split()[1] for line in block.splitlines()] == list(commands.choices)


def test_the_control_paths_are_the_simulators() -> None:
    """The table of what a test may say to the simulated exchange lists them all, and no other."""
    app = web.Application()
    Control(Venue()).add_to(app)
    routes = (route.resource for route in app.router.routes())
    paths = {each.canonical.removeprefix("/simulator/") for each in routes if each is not None}
    table = (ROOT / "docs" / "testing.md").read_text().split("| path under `/simulator/` |")[1].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall("`(.*?)`", row.split("|")[1])}
    assert told == paths - {"truth"}


@pytest.mark.parametrize("name", NAMES)
def test_every_python_block_compiles(name: str) -> None:
    """No example has a typing mistake."""
    for block in _blocks((ROOT / name).read_text(), "python"):
        ast.parse(block)


def test_the_embedding_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The core runs in a plain loop, as the read-me shows it."""
    (program,) = (block for block in _blocks(README, "python") if "Connection(SwapDialect())" in block)
    printed = README.split(program)[1].split("```\n")[2]
    exec(compile(program, "README.md", "exec"), {})  # noqa: S102 - our own example
    assert capsys.readouterr().out == printed


@pytest.mark.loopback
def test_the_ten_lines_follow_a_stream(tmp_path: Path) -> None:
    """The first example, word for word but for where the exchange is, prints fills."""
    (program,) = (block for block in _blocks(README, "python") if "open_venue" in block)
    serve = ["-m", "listenkey", "simulate", "--port", "0", "--fills-per-second", "20"]
    with _running(serve, tmp_path) as exchange:
        where = msgspec.json.decode(next(exchange))
        with _running(["-c", program.replace('"bingx-swap",', f'"bingx-swap", **{where!r},')], tmp_path) as user:
            fills = list(itertools.islice((line for line in user if FILL.match(line)), 3))
    assert len(fills) == 3


@contextmanager
def _running(arguments: list[str], folder: Path) -> Iterator[Iterator[str]]:
    """The lines that a Python writes, which is interrupted at the end, and killed if that takes too long."""
    command = [sys.executable, "-P", "-u", *arguments]
    names = dict.fromkeys(("LISTENKEY_API_KEY", "LISTENKEY_API_SECRET"), "simulated")
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | names, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        watchdog = threading.Timer(600, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
            watchdog.cancel()


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link names a file that is there."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert "://" in target or (ROOT / name).parent.joinpath(target).exists(), target


def test_the_records_are_numbered_dated_and_listed() -> None:
    """Decisions count up from 0001 without a hole, each with a date and a state, and the index names every one."""
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    for number, path in zip(itertools.count(1), RECORDS, strict=False):
        title, _, date = path.read_text().splitlines()[:3]
        assert path.name.startswith(f"{number:04}-")
        assert title.startswith(f"# {number:04} ")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d\. (Accepted|Superseded by \[\d{4}\]\(.*\))\.", date), path.name
        assert f"[{title.removeprefix('# ')}]({path.name})" in index


def test_the_changelog_knows_this_version() -> None:
    """What is being released has a section."""
    assert f"## [{listenkey.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
