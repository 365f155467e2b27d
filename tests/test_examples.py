"""The programs of `examples/` and of docs/first-steps.md do what they say, against the simulated exchange."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import anyio
import pytest

from listenkey.adapters.testing.exchange import SimulatedExchange

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGE = (ROOT / "docs" / "examples.md").read_text()
STEPS = (ROOT / "docs" / "first-steps.md").read_text()
MOST_LINES = 110
PATIENCE = 600


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_read_in_one_go(path: Path) -> None:
    """It is short, and the page of examples names it."""
    assert len(path.read_text().splitlines()) < MOST_LINES
    assert f"[{path.name}](../examples/{path.name})" in PAGE


@pytest.mark.loopback
@pytest.mark.listenkey_exchange(fills_per_second=20)
def test_many_accounts(
    listenkey_exchange: SimulatedExchange,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An account whose credentials are refused says so, and the other one goes on."""
    many = _loaded("many_accounts")
    for name, secret in (("GOOD", "simulated"), ("BAD", "another")):
        monkeypatch.setenv(f"{name}_API_KEY", "simulated")
        monkeypatch.setenv(f"{name}_API_SECRET", secret)
    printed = ""
    where = f"venue='bingx-swap'\nrest_url={listenkey_exchange.rest_url!r}\nws_url={listenkey_exchange.ws_url!r}\n"
    file = tmp_path / "accounts.toml"
    file.write_text("".join(f"[accounts.{each.lower()}]\nvariables='{each}'\n{where}" for each in ("GOOD", "BAD")))

    async def both() -> None:
        nonlocal printed
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(many.main, file)
            with anyio.fail_after(PATIENCE):
                while not (
                    "bad: CredentialsRefused" in printed and re.search(r"^good: \S+ (BUY|SELL) ", printed, re.M)
                ):
                    await anyio.sleep(0.05)
                    printed += capsys.readouterr().out
            tasks.cancel_scope.cancel()

    anyio.run(both)
    assert "bad: LIVE" not in printed


def _files(folder: Path) -> list[str]:
    """Write the programs of the page, each under the name in its first line; the names."""
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", STEPS, re.DOTALL | re.MULTILINE)
    assert len(blocks) == STEPS.count("```python")
    for name, program in blocks:
        (folder / name).write_text(program)
    return [name for name, _ in blocks]


STEPS_TESTS = {
    "test_bot": ["test_a_fill_during_an_outage_is_counted_once"],
    "test_faults": ["test_a_lost_frame", "test_a_restart"],
    "test_binance": ["test_the_bot_at_binance"],
}


@pytest.mark.loopback
def test_the_first_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the page pass, with its bot, as they stand; its first program has a test in tests/test_docs.py.

    Among them: an account that holds something before the bot begins, and a bot that starts again.
    """
    assert _files(tmp_path) == ["first_fill.py", "bot.py", *(f"{name}.py" for name in STEPS_TESTS)]
    monkeypatch.syspath_prepend(tmp_path)
    ran: dict[str, list[str]] = {}
    try:
        for module in STEPS_TESTS:
            loaded = vars(importlib.import_module(module))
            tests = {name: test for name, test in loaded.items() if name.startswith("test_")}
            for test in tests.values():
                _called(test, tmp_path)
            ran[module] = [*tests]
    finally:
        for module in ("bot", *STEPS_TESTS):
            sys.modules.pop(module, None)
    assert ran == STEPS_TESTS


def _called(test: Callable[..., None], folder: Path) -> None:
    """Call a test with the fixtures that it names, as pytest does."""
    given: dict[str, object] = {"tmp_path": folder}
    with ExitStack() as stack:
        for mark in getattr(test, "pytestmark", ()):
            given[mark.name] = stack.enter_context(SimulatedExchange(**mark.kwargs))
        test(**{name: given[name] for name in inspect.signature(test).parameters})
