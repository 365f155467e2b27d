"""Checkouts measure themselves: each with its own benchmarks and package, in its own folder."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import probe
from benchmarks.measure import ROOT
from benchmarks.sides import Broken, Checkout

DESK = "EPOCH = 0\nclass Desk:\n    def frames(self, fills, since):\n        return [b''] * fills\n"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a checkout with this text as `benchmarks.decode`."""

    def made(name: str, decode: str) -> Path:
        root = tmp_path / name
        for folder, files in (
            ("listenkey", {"__init__.py": ""}),
            ("benchmarks", {"desk.py": DESK, "decode.py": decode}),
        ):
            (root / folder).mkdir(parents=True)
            for file, text in {"__init__.py": "", **files}.items():
                (root / folder / file).write_text(text)
        return root

    return made


def costing(us: float) -> str:
    """Return the text of a `benchmarks.decode` in which a frame costs `us` microseconds."""
    return f"def ours(frames):\n    return {us * 1000} * len(frames)\n"


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(name, marks=pytest.mark.loopback if name in ("wire", "recovery") else ())
        for name in command.SUBJECTS
    ],
)
def test_a_subject_can_be_measured_in_little(subject: str) -> None:
    """This checkout lacks nothing for any subject, and every row has a figure."""

    async def measured() -> probe.Costs:
        async with probe.SUBJECTS[subject].prepared(True) as (ready, one):
            costs = await one()
            assert costs
            return ready + costs

    assert all(math.isfinite(cost) for _, _, cost in asyncio.run(measured()))


def test_what_a_checkout_of_before_calls_otherwise_is_found() -> None:
    """The name of today is tried first, and then the former one."""
    checkout = SimpleNamespace()
    vars(checkout)["told"] = 2
    assert probe._named(checkout, "delivered") == 2
    checkout.delivered = 1
    assert probe._named(checkout, "delivered") == 1


def test_every_subject_can_be_compared() -> None:
    """Every subject that is measured can also be compared with another checkout."""
    assert list(probe.SUBJECTS) == list(command.SUBJECTS)


def test_this_checkout_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code, the table and the data agree; one quick round proves no more."""
    written = tmp_path / "against.json"
    only = ["--only", "decode", "--only", "travel"]
    code = command.main(["--against", str(ROOT), "--rounds", "1", "--quick", *only, "--json", str(written)])
    rows = json.loads(written.read_bytes())["rows"]
    assert [row["name"] for row in rows] == [
        "gzip frame to delivered event",
        "binance-usdm, frame to delivered event",
        "a virtual stream-day",
    ]
    assert code == int("beyond" in [row["verdict"] for row in rows])
    printed = capsys.readouterr().out
    assert all(row["name"] in printed and f"{row['ratio']:.3f}" in printed for row in rows)


@pytest.mark.parametrize(("us", "bound", "code"), [(5.25, "1.05", 0), (5.25, "1.03", 1)])
def test_the_exit_code_is_1_beyond_the_bound(
    us: float, bound: str, code: int, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each side is measured with its own benchmarks, so the ratio is that of their costs."""
    monkeypatch.setattr(command, "ROOT", make("this", costing(us)))
    written, arguments = tmp_path / "against.json", ["--only", "decode", "--rounds", "1", "--quick", "--bound", bound]
    assert command.main(["--against", str(make("base", costing(5.0))), "--json", str(written), *arguments]) == code
    (row,) = json.loads(written.read_bytes())["rows"]
    assert (row["this"], row["base"], row["low"], row["high"]) == (us, 5.0, 1.0, 1.0)
    assert row["ratio"] == pytest.approx(us / 5)


def test_what_a_side_lacks_is_said(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout whose benchmarks lack a function is not compared in that subject, which is no failure."""
    monkeypatch.setattr(command, "ROOT", make("this", costing(5.0)))
    base = make("base", "")
    assert command.main(["--against", str(base), "--only", "decode", "--rounds", "2", "--quick"]) == 0
    assert "in this alone: ImportError: cannot import name 'ours'" in capsys.readouterr().out


def test_a_wire_that_a_side_does_not_measure_is_left_out_there(
    make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An older checkout has fewer rows, and those that both have are compared."""
    written, arguments = tmp_path / "against.json", ["--only", "decode", "--rounds", "1", "--quick"]
    command.main(["--against", str(make("base", costing(5.0))), "--json", str(written), *arguments])
    whole, other = json.loads(written.read_bytes())["rows"]
    assert (whole["name"], whole["base"]) == ("gzip frame to delivered event", 5.0)
    assert (other["name"], other["side"]) == ("binance-usdm, frame to delivered event", "this")
    assert "in this alone" in capsys.readouterr().out


@pytest.mark.parametrize("decode", ["raise RuntimeError", "def ours(frames):\n    raise RuntimeError\n"])
def test_a_side_that_fails_ends_the_comparison(decode: str, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """The comparison ends with exit code 2 and the side's name, wherever the side fails, and without figures."""
    with pytest.raises(SystemExit) as ended:
        command.main(["--against", str(make("base", decode)), "--only", "decode", "--rounds", "1", "--quick"])
    assert ended.value.code == 2
    assert "base, decode: its process has ended" in capsys.readouterr().err


def test_a_folder_must_be_a_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is no checkout is refused before anything is measured."""
    with pytest.raises(SystemExit) as ended:
        command.main(["--against", str(tmp_path)])
    assert ended.value.code == 2
    assert "is no checkout: it has no benchmarks/__init__.py" in capsys.readouterr().err


def test_a_package_from_elsewhere_is_refused(make: Make) -> None:
    """A side that would import a package from elsewhere is not measured."""
    root = make("base", costing(5.0))
    (root / "listenkey" / "__init__.py").write_text("__file__ = '/elsewhere/listenkey/__init__.py'\n")
    with (
        Checkout("base", root).probe("decode", quick=True, seed=1) as measuring,
        pytest.raises(Broken, match="elsewhere"),
    ):
        measuring.ready()


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--svg", "figures.svg"]])
def test_options_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    """A comparison without rounds, or with a picture, is refused."""
    with pytest.raises(SystemExit) as ended:
        command.main(["--against", str(ROOT), *arguments])
    assert ended.value.code == 2
