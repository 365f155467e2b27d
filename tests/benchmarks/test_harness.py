"""Every subject runs quickly; the figures, the table, the JSON and the picture agree."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import measure, peer
from benchmarks.__main__ import SUBJECTS, main
from benchmarks.desk import EPOCH, Desk
from benchmarks.floor import PARSED
from benchmarks.measure import Absent, Figure, Target, figure
from benchmarks.picture import svg
from benchmarks.report import table
from benchmarks.stage import Stage
from benchmarks.wires import WIRES, Wire
from listenkey.core.book import Reconciliation
from listenkey.core.events import ExchangeEventKind

UNWANTED = {ExchangeEventKind.UNKNOWN, ExchangeEventKind.GAP_OPENED}
TARGETS = {
    "recovery": {"<= 1.5", "<= 0.6"},
    "decode": {"<= 2.2", ">= 8"},
    "wire": {">= 60"},
    "scale": {"<= 64", "<= 5"},
    "growth": {"<= 1.2"},
    "start": {"<= 60", "<= 10"},
    "journal": {">= 10000"},
    "travel": {">= 10"},
    "exchange": {">= 20000", "<= 50"},
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_in_little(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each subject gives finite figures, and has its targets."""
    written, drawn = tmp_path / "figures.json", tmp_path / "figures.svg"
    assert main(["--quick", "--only", name, "--json", str(written), "--svg", str(drawn)]) == 0
    rows = json.loads(written.read_bytes())["rows"]
    printed = capsys.readouterr().out
    figures = [row for row in rows if "median" in row]
    assert all(row["low"] <= row["median"] <= row["high"] for row in figures)
    assert all(row["name"] in printed for row in rows)
    expected = TARGETS[name] - (set() if peer.installed() else {">= 8"})
    assert {row["target"] for row in figures} - {None} == expected
    assert ET.fromstring(drawn.read_text()).tag.endswith("svg")  # noqa: S314 - our own


def test_a_missing_peer_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the peers, which are an extra, everything else is measured."""
    monkeypatch.setattr(peer, "installed", lambda: False)
    rows = SUBJECTS["decode"][0](True)
    assert [row.why for row in rows if isinstance(row, Absent)] == [peer.MISSING]
    assert "pip install" in table(rows)


def test_quartiles_and_verdicts() -> None:
    """The verdict is that of the median; a single value is its own quartiles."""
    assert figure("a", "b", "us", [4, 1, 3, 2, 5]) == Figure(
        subject="a", name="b", unit="us", median=3, low=2, high=4, rounds=5
    )
    assert figure("a", "b", "us", [2.2], target=Target(most=2.2)).verdict == "met"
    assert figure("a", "b", "us", [2.3], target=Target(most=2.2)).verdict == "missed"
    assert figure("a", "b", "us", [7.9], target=Target(least=8)).verdict == "missed"
    assert figure("a", "b", "us", [1]).verdict == ""


def test_contenders_take_turns() -> None:
    """In each round another contender goes first, and the first round does not count."""
    order = []

    def contender(name: str, spent: int) -> measure.Contender:
        def run() -> int:
            order.append(name)
            return spent

        return run

    times = measure.in_turns({"a": contender("a", 10), "b": contender("b", 20)}, 2)
    assert "".join(order) == "abbaab"
    assert times == {"a": [10, 10], "b": [20, 20]}
    assert measure.ratios(times["b"], times["a"]) == [2, 2]


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.venue)
def test_the_desk_keeps_books_that_add_up(wire: Wire) -> None:
    """The wallet is the same in the frames, in a read, and in the ledger computed from both."""
    stage = Stage(wire)
    for _ in range(40):
        stage.now += 5.0
        for text in stage.desk.fill(stage.exchange_ms):
            stage.hear(wire.packed(text))
    read = stage.desk.read(EPOCH, (), stage.exchange_ms)
    (book,) = stage.connection.books
    assert book.status is Reconciliation.MATCHED
    assert book.k_capital == stage.desk.wallet == read.balances[0].wallet_balance
    assert len(read.fills) == 40
    assert {event.kind for event in stage.events if event.kind in UNWANTED} == set()


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.venue)
def test_the_floor_reads_what_is_on_the_wire(wire: Wire) -> None:
    """The floor takes every frame of the desk."""
    read = {type(PARSED[wire.venue](frame)).__name__ for frame in Desk(wire=wire).frames(3)}
    assert read == {"_OrderFrame", "_AccountFrame"}


def test_rows_of_another_wire_say_whose_they_are() -> None:
    """Rows of other wires have the venue's name, those of BingX do not."""
    rows = [row for row in SUBJECTS["decode"][0](True) if isinstance(row, Figure)]
    names = {row.name for row in rows}
    assert {"listenkey / floor", "binance-usdm, floor, a frame", "binance-usdm, listenkey / floor"} <= names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("listenkey / floor", "ours"),
        ("binance-usdm, listenkey / floor", "ours"),
        ("20 ms, listenkey / bare client", "ours"),
        ("naive / listenkey", "bar"),
        ("ccxt pro, cache of 10 / listenkey", "bar"),
    ],
)
def test_a_bar_is_ours_if_its_row_is(name: str, kind: str) -> None:
    """Our costs, also in floors, are drawn as ours on every wire."""
    assert f'class="{kind}"' in svg([figure("decode", name, "x", [1.0])], {})


def test_help_says_what_is_measured_of_which_wires(capsys: pytest.CaptureFixture[str]) -> None:
    """The help has every subject by its name, and every wire by its venue's name."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name}" in said for name in SUBJECTS)
    assert all(wire.venue in said for wire in WIRES)
