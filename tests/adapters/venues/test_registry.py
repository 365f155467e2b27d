"""The list of venues: each has a family with all that is required of one."""

from __future__ import annotations

import pytest

from listenkey.adapters.simulator.kinds import FAULTS_OF
from listenkey.adapters.venues.registry import SIMULATED, VENUES, family

from .samples import FAMILIES, missing, samples


@pytest.mark.parametrize("venue", VENUES)
def test_every_venue_has_a_family(venue: str) -> None:
    """A venue's dialect has its name, and each environment has its own addresses."""
    assert family(venue).dialect(venue).name == venue
    assert family(venue).dialect(venue, cumulative_costs=True).cumulative_costs
    addresses = [family(each).hosts(each) for each in VENUES]
    assert len({*addresses}) == len(VENUES)


def test_other_names_are_refused() -> None:
    """An unknown venue is refused in one line that lists the known ones."""
    with pytest.raises(ValueError, match=r"venue must be one of bingx-swap, .*, not 'nowhere'"):
        family("nowhere")


def test_what_is_simulated_is_a_venue() -> None:
    """The simulated exchange has the wire of one listed venue of each family, and no others."""
    assert tuple(FAULTS_OF) == SIMULATED
    assert {VENUES[venue] for venue in SIMULATED} == set(VENUES.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_can_be_tested(name: str) -> None:
    """Each family has vectors for each dialect, samples, planted secrets, and a wire in the simulated exchange."""
    assert missing(name, [venue for venue in VENUES if VENUES[venue] == name]) == []


def test_what_a_family_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`missing` lists all parts for a family without any, and just the removed parts for a complete one."""
    assert missing("nowhere", ["nowhere-spot"]) == [
        "the module nowhere/samples.py",
        "the module nowhere/planted.py",
        "a wire of nowhere-spot in the simulated exchange, and in SIMULATED",
        "what befalls nowhere-spot in the demo: adapters/cli/scenario.py",
        "a wire of nowhere-spot in tests/loopback/wires.py",
    ]
    given = samples("binance")
    dialects = {**given.DIALECTS, "coinm": family("bingx-swap").dialect("bingx-swap")}
    monkeypatch.setattr(given, "DIALECTS", dialects)
    monkeypatch.delattr(given, "ROWLESS")
    assert missing("binance", ["binance-usdm-testnet"]) == [
        "ROWLESS in binance/samples.py",
        "binance/vectors/coinm.jsonl",
        "a wire of binance-usdm-testnet in the simulated exchange, and in SIMULATED",
        "what befalls binance-usdm-testnet in the demo: adapters/cli/scenario.py",
        "a wire of binance-usdm-testnet in tests/loopback/wires.py",
    ]
