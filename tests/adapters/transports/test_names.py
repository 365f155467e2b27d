"""A transport is opened by name, and a missing library is named in the error."""

from __future__ import annotations

import builtins
import subprocess
import sys
from typing import Any

import pytest

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.transports import open_transport
from listenkey.ports.clock import Clock


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
def test_no_event_loop_is_needed_to_open_one(name: str) -> None:
    assert open_transport(name).name == name


@pytest.mark.parametrize("name", ["", "AIOHTTP", "requests"])
def test_another_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ValueError, match="allowed are 'aiohttp', 'websockets'"):
        open_transport(name)


@pytest.mark.parametrize(("name", "library"), [("aiohttp", "aiohttp"), ("websockets", "httpx2")])
def test_a_missing_library_names_the_extra(name: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(module: str, *rest: Any, **named: Any) -> Any:
        if module.split(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(module, *rest, **named)

    for loaded in [module for module in sys.modules if module.startswith("listenkey.adapters.transports.")]:
        if not loaded.endswith(".names"):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=rf"needs {library}: pip install 'listenkey\[{name}\]'") as error:
        open_transport(name)
    assert error.value.name == library


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, listenkey.adapters.transports\n"
        "assert not {'aiohttp', 'websockets', 'httpx2', 'trio'} & set(sys.modules)\n"
        "listenkey.adapters.transports.open_transport('websockets')\n"
        "assert 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_system_clock() -> None:
    """The system clock gives seconds that do not go back, and milliseconds since the epoch."""
    clock: Clock = SystemClock()
    first, second = clock.monotonic(), clock.monotonic()
    assert first <= second
    assert clock.wall_ms() > 1_700_000_000_000
