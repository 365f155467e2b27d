"""The plugin of pytest: a simulated exchange, new for each test that asks for `listenkey_exchange`.

Loaded with pytest, so it imports nothing of the library before the fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .exchange import SimulatedExchange

SETTINGS, FAULT = "listenkey_exchange", "listenkey_fault"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers",
        f"{SETTINGS}(**settings): settings of the test's simulated exchange, those of `listenkey simulate`",
    )
    config.addinivalue_line(
        "markers",
        f"{FAULT}(name, *, after=0.0, seconds=None, count=1, **parameters): a fault of the test's simulated exchange",
    )


@pytest.fixture
def listenkey_exchange(request: pytest.FixtureRequest) -> Iterator[SimulatedExchange]:
    """A simulated BingX that fails on command, on loopback, in a thread of its own."""
    with _made(request.node) as exchange:
        request.node.stash[_EXCHANGE] = exchange
        yield exchange


_EXCHANGE = pytest.StashKey["SimulatedExchange"]()


def _made(node: pytest.Item) -> SimulatedExchange:
    try:
        from .exchange import SimulatedExchange
    except ImportError as error:
        pytest.fail(f"listenkey_exchange needs {error.name}: pip install 'listenkey[aiohttp]'", pytrace=False)
    settings: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers(SETTINGS))):  # the test's own marker comes before its class's
        settings |= marker.kwargs
    try:
        if any(marker.args for marker in node.iter_markers(SETTINGS)):
            raise ValueError("settings are given by name")
        exchange = SimulatedExchange(**settings)
        for marker in reversed(list(node.iter_markers(FAULT))):
            exchange.fault(*marker.args, **marker.kwargs)
    except (TypeError, ValueError) as error:
        pytest.fail(f"listenkey_exchange: {error}", pytrace=False)
    return exchange


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the state and log of the exchange to the report of a failed test."""
    made = yield
    exchange = item.stash.get(_EXCHANGE, None)
    if made.failed and made.when == "call" and exchange is not None:
        from .report import report

        made.sections.append(("simulated exchange", report(exchange.truth(), exchange.settings)))
    return made
