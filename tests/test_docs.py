"""The documents say what the code says: tables, examples and links."""

from __future__ import annotations

import argparse
import ast
import inspect
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
from listenkey.adapters.venues.family import Family
from listenkey.core import events
from listenkey.core.policy import Policy

from .simulation.faults import KINDS
from .simulation.mistakes import BUGS
from .simulation.violation import INVARIANTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMES = [f"{path.relative_to(ROOT)}" for path in DOCUMENTS]
TEN_LINES = (ROOT / "examples" / "ten_lines.py").read_text()
MOST_LINES = 120
WIDEST = 90
RUN = {
    "README.md": "here",
    "docs/first-steps.md": "here, and tests/test_examples.py",
    "docs/embedding.md": "here",
    "docs/new-venue.md": "here",
    "docs/testing.md": "tests/adapters/mock/test_mock_guide.py",
}
"""The pages with programs, and where these are run."""
SOCKET = "ws://127.0.0.1:8765/swap-market"
RECORDS = sorted((DOCS / "adr").glob("0*.md"))


def _blocks(text: str, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for said, block in fenced if said == language]


def _between(marker: str, page: str) -> str:
    found = re.search(rf"<!-- {marker}: begin -->\n(.*?)<!-- {marker}: end -->", (DOCS / page).read_text(), re.DOTALL)
    assert found, marker
    return found[1]


def _rows(marker: str, page: str) -> list[list[str]]:
    """The cells of the table between the markers, without its head."""
    lines = _between(marker, page).strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_policy_table_is_the_policy() -> None:
    """Every field, in order, with its default."""
    listed = [(name.strip("`"), float(default)) for name, default, _ in _rows("policy", "policy.md")]
    assert listed == [(field.name, field.default) for field in fields(Policy)]
    assert all(meaning for *_, meaning in _rows("policy", "policy.md"))


def test_the_events_table_is_the_events() -> None:
    """Every kind once, with the fields that its class adds to the common ones."""
    listed: dict[str, list[str]] = {}
    before: list[str] = []
    for kinds, described in _rows("events", "events.md"):
        names = re.findall("`(.*?)`", described)
        if described.startswith("the same"):
            names = before + names
        listed.update(dict.fromkeys(re.findall("`(.*?)`", kinds), names))
        before = names
    common = events.ExchangeEvent.__struct_fields__
    own = {
        kind: [field for field in each.__struct_fields__ if field not in common]
        for kind, each in events._CLASSES.items()
    }
    assert {kind: sorted(names) for kind, names in listed.items()} == {kind: sorted(own[kind]) for kind in own}


def test_the_table_of_a_family_is_its_protocol() -> None:
    """Every member, with its parameters, in order."""
    listed = [row[0].strip("`") for row in _rows("family", "new-venue.md")]
    asked = [*Family.__annotations__]
    for name, member in vars(Family).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            given = [each for each in inspect.signature(member).parameters.values() if each.name != "self"]
            keyed = [each for each in given if each.kind is each.KEYWORD_ONLY]
            names = [each.name for each in given if each not in keyed]
            asked.append(f"{name}({', '.join([*names, *(['*'] if keyed else []), *(each.name for each in keyed)])})")
    assert listed == asked


def test_the_commands_are_the_parsers() -> None:
    """The page lists every command that is understood, and no other."""
    plain = _blocks((DOCS / "command-line.md").read_text(), "")
    (block,) = (text for text in plain if text.startswith("listenkey demo"))
    (commands,) = (each for each in parser("0")._actions if isinstance(each, argparse._SubParsersAction))
    assert [line.split()[1] for line in block.splitlines()] == list(commands.choices)


def test_the_promises_are_the_invariants() -> None:
    """Every promise that the simulated lives check is in the table, and no other; the page counts faults and bugs."""
    page = (DOCS / "guarantees.md").read_text()
    table = page.split("| promise | name in `tests/simulation` |")[1].split("\n\n")[0]
    listed = {name for row in table.splitlines()[2:] for name in re.findall("`([a-z-]+)`", row.rsplit("|", 2)[1])}
    assert listed == set(INVARIANTS)
    assert f"{len(KINDS)} kinds of fault, alone and together" in page
    assert f"**{len(BUGS)} deliberate bugs**" in page


def test_the_control_paths_are_the_simulators() -> None:
    """The table of what a test may say to the simulated exchange lists them all, and no other."""
    app = web.Application()
    Control(Venue()).add_to(app)
    routes = (route.resource for route in app.router.routes())
    paths = {each.canonical.removeprefix("/simulator/") for each in routes if each is not None}
    table = (DOCS / "testing.md").read_text().split("| path under `/simulator/` |")[1].split("\n\n")[0]
    listed = {name for row in table.splitlines()[2:] for name in re.findall("`(.*?)`", row.split("|")[1])}
    assert listed == paths - {"truth"}


@pytest.mark.parametrize("name", NAMES)
def test_every_python_block_compiles(name: str) -> None:
    """No example has a typing mistake."""
    for block in _blocks((ROOT / name).read_text(), "python"):
        ast.parse(block)


@pytest.mark.parametrize("name", ["first-steps.md", "testing.md"])
def test_what_a_beginner_copies_fits_its_box(name: str) -> None:
    """No line of a program, or of what is printed, is cut on the right of the site."""
    fenced = re.findall(r"^```\w+\n(.*?)^```$", (DOCS / name).read_text(), re.DOTALL | re.MULTILINE)
    assert [line for block in fenced for line in block.splitlines() if len(line) > WIDEST] == []


def test_the_wheel_is_named_as_it_is() -> None:
    """The one that a reader is to install is this version's."""
    for page in (README, (DOCS / "first-steps.md").read_text()):
        assert f"listenkey-{listenkey.__version__}-py3-none-any.whl[all]" in page


def test_every_program_is_run() -> None:
    """A page with programs is one whose programs a test runs."""
    assert {name for name in NAMES if _blocks((ROOT / name).read_text(), "python")} == {*RUN}


@pytest.mark.parametrize("name", ["embedding.md", "new-venue.md"])
def test_the_example_prints_what_it_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The core runs in a plain loop, and services without a network, as the pages show it."""
    page = (DOCS / name).read_text()
    (program,) = _blocks(page, "python")
    printed = page.split(program)[1].split("```\n")[2]
    exec(compile(program, name, "exec"), {})  # noqa: S102 - our own example
    assert capsys.readouterr().out == printed


def test_the_read_me_is_short() -> None:
    """It is read in a minute, and its ten lines are ten: those of the example."""
    assert len(README.splitlines()) <= MOST_LINES
    assert _blocks(README, "python") == [TEN_LINES]
    assert len([line for line in TEN_LINES.splitlines() if line]) == 10


@pytest.mark.loopback
def test_the_first_programs_follow_a_stream(tmp_path: Path) -> None:
    """The ten lines and the first of the first steps, word for word but for where the exchange is, print fills."""
    (first_fill,) = (block for block in _blocks((DOCS / "first-steps.md").read_text(), "python") if SOCKET in block)
    serve = ["-m", "listenkey", "simulate", "--port", "0", "--fills-per-second", "20"]
    with _running(serve, tmp_path) as exchange:
        where = msgspec.json.decode(next(exchange))
        urls = f"rest_url={where['rest_url']!r}, ws_url={where['ws_url']!r}"
        with _running(["-c", TEN_LINES.replace('"bingx-swap",', f'"bingx-swap", {urls},')], tmp_path) as user:
            events = (msgspec.json.decode(line) for line in user)
            fills = list(itertools.islice((event for event in events if event["kind"].endswith("_FILL")), 3))
        first = first_fill.replace("http://127.0.0.1:8765", where["rest_url"]).replace(SOCKET, where["ws_url"])
        with pytest.raises(_Seen):
            exec(compile(first, "first_fill.py", "exec"), {"print": _until_a_fill})  # noqa: S102 - our own example
    assert len(fills) == 3


class _Seen(Exception):
    """The line that was waited for has been printed."""


def _until_a_fill(kind: str, line: str) -> None:
    """Stands for `print`."""
    assert msgspec.json.decode(line)["kind"] == kind
    if kind.endswith("_FILL"):
        raise _Seen


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
    index = (DOCS / "adr" / "README.md").read_text()
    for number, path in zip(itertools.count(1), RECORDS, strict=False):
        title, _, date = path.read_text().splitlines()[:3]
        assert path.name.startswith(f"{number:04}-")
        assert title.startswith(f"# {number:04} ")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d\. (Accepted|Superseded by \[\d{4}\]\(.*\))\.", date), path.name
        assert f"[{title.removeprefix('# ')}]({path.name})" in index


def test_the_changelog_knows_this_version() -> None:
    """The version that is being released has a section."""
    assert f"## [{listenkey.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
