"""The pytest plugin, tested in processes of its own: the fixture, the markers, and the report of a failure."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

SYNC_AND_ASYNC = """
import anyio

def test_sync(listenkey_exchange):
    listenkey_exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
    assert len(listenkey_exchange.truth()["fills"]) == 1

def test_a_fresh_one_for_each(listenkey_exchange):
    assert listenkey_exchange.truth()["fills"] == []

def test_from_a_coroutine(listenkey_exchange):
    async def main():
        listenkey_exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
        await anyio.sleep(0)
        return listenkey_exchange.truth()
    assert len(anyio.run(main)["fills"]) == 1
"""

MARKED = """
import pytest

pytestmark = pytest.mark.listenkey_exchange(seed=3, hedge=False)

@pytest.mark.listenkey_exchange(seed=4, time_scale=0)
@pytest.mark.listenkey_fault("mint_error", count=2)
@pytest.mark.listenkey_fault("silent", after=60.0)
def test_settings_and_faults(listenkey_exchange):
    assert dict(listenkey_exchange.settings) == {"seed": 4, "hedge": False, "time_scale": 0}
    truth = listenkey_exchange.truth()
    assert truth["mode"] == "one_way"
    assert [fault["name"] for fault in truth["log"]["faults"]] == ["mint_error"]
"""

FAILING = """
import pytest

@pytest.mark.listenkey_exchange(seed=11, time_scale=0, api_secret="shownToNobody")
def test_fails(listenkey_exchange):
    listenkey_exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
    listenkey_exchange.place("BTC-USDT", "SELL", "0.01", position_side="LONG", type="LIMIT", price="70000")
    listenkey_exchange.fault("garbage")
    assert False

def test_passes(listenkey_exchange):
    pass
"""

WRONG = """
import pytest

@pytest.mark.listenkey_exchange(colour="red")
def test_setting(listenkey_exchange):
    pass

@pytest.mark.listenkey_fault("quake")
def test_fault(listenkey_exchange):
    pass

@pytest.mark.listenkey_exchange(3)
def test_position(listenkey_exchange):
    pass

@pytest.mark.listenkey_fault()
def test_nameless(listenkey_exchange):
    pass
"""


def ran(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers")


def test_the_fixture(pytester: pytest.Pytester) -> None:
    """Each test that uses the fixture gets a new exchange, in plain tests and in coroutines."""
    ran(pytester, SYNC_AND_ASYNC).assert_outcomes(passed=3)


def test_the_markers(pytester: pytest.Pytester) -> None:
    """A test's settings go before its module's, and faults of several markers add up."""
    ran(pytester, MARKED).assert_outcomes(passed=1)


def test_a_failure_shows_what_the_exchange_knows(pytester: pytest.Pytester) -> None:
    """A failed test shows seed, faults, orders, fills and positions, but no secret; a passed test shows nothing."""
    result = ran(pytester, FAILING)
    result.assert_outcomes(passed=1, failed=1)
    shown = result.stdout.str()
    assert shown.count("simulated exchange -") == 1
    result.stdout.fnmatch_lines(
        [
            "seed 11: *",
            "faults:",
            "*garbage begins*",
            "orders open:",
            "*BTC-USDT * LIMIT SELL LONG 0 of 0.01 at 70000, NEW",
            "fills:",
            "*BTC-USDT * BUY 0.01 at *, fee * USDT, pnl 0",
            "positions:",
            "*BTC-USDT LONG 0.01 at *, cross 5x",
            "wallets:",
        ]
    )
    assert "shownToNobody" not in shown.partition("simulated exchange -")[2]


def test_what_is_no_setting_and_no_fault(pytester: pytest.Pytester) -> None:
    """An unknown setting or fault fails the test with one line that lists the allowed names."""
    result = ran(pytester, WRONG)
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines_random(
        [
            "listenkey_exchange: 'colour' is no setting; allowed: seed, *",
            "listenkey_exchange: fault 'quake' is not one of refuse, *",
            "listenkey_exchange: settings are given by name",
        ]
    )


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """The plugin imports nothing of the rest of the library before it is used."""
    code = """
import sys
before = set(sys.modules)
import listenkey.adapters.testing.plugin
print(*sorted(name for name in set(sys.modules) - before if name.split('.')[0] not in sys.stdlib_module_names))
"""
    done = subprocess.run([sys.executable, "-c", "import pytest" + code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "listenkey",
        "listenkey.adapters",
        "listenkey.adapters.testing",
        "listenkey.adapters.testing.plugin",
    ]
