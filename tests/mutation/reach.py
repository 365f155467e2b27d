"""The run without mutants: the tests, the time of each, and the lines of the modules that it runs."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import coverage

from .fork import each
from .loader import supply
from .mutant import Mutant
from .session import TESTS, Session, be_silent, keep_to_this_process
from .source import Source

LONGEST = 600.0
COLLECTION = "collection"


class Reach(NamedTuple):
    """The reach: `seconds` of each test by id, and the tests by file and line; `imported` has lines run by imports."""

    seconds: dict[str, float]
    tests: dict[str, dict[int, list[str]]]
    imported: dict[str, set[int]]

    def within(self, seconds: float) -> Reach:
        """Return the reach without tests that take longer."""
        return self._replace(seconds={test: took for test, took in self.seconds.items() if took <= seconds})

    def of(self, mutant: Mutant) -> dict[str, float]:
        """Return the tests that can notice the mutant, with their seconds."""
        path = str(mutant.source.path)
        if self.imported[path].intersection(mutant.lines):
            return self.seconds
        by_line = self.tests[path]
        tests = {test for line in mutant.lines for test in by_line.get(line, ())}
        return {test: seconds for test, seconds in self.seconds.items() if test in tests}


def reach(modules: list[Source]) -> Reach:
    """Run all tests and collect the lines of each; libraries that they import are then imported here.

    Raises `ValueError` if a test fails without a mutant.
    """
    ((_, outcome),) = each([modules], _clean, 1, lambda _: LONGEST)
    if outcome.signal or outcome.result["failed"]:
        raise ValueError(f"without a mutant there fails: {outcome.signal or outcome.result['failed']}")
    for name in outcome.result["warm"]:
        with suppress(Exception):
            importlib.import_module(name)
    tests = {path: {int(line): at for line, at in by.items()} for path, by in outcome.result["tests"].items()}
    imported = {path: set(lines) for path, lines in outcome.result["imported"].items()}
    return Reach(outcome.result["took"], tests, imported)


def _clean(modules: list[Source]) -> dict[str, Any]:
    be_silent()
    keep_to_this_process()
    supply({module.name: (module.path, module.text) for module in modules})
    session = Session()
    before = set(sys.modules)
    paths = [str(module.path) for module in modules]
    tracer = coverage.Coverage(data_file=None, config_file=False, include=paths)
    session.began = tracer.switch_context
    tracer.start()
    for module in modules:
        importlib.import_module(module.name)
    tracer.switch_context(COLLECTION)
    session.run([TESTS])
    tracer.stop()
    tests: dict[str, dict[int, list[str]]] = {path: {} for path in paths}
    imported: dict[str, list[int]] = {path: [] for path in paths}
    data = tracer.get_data()
    for measured in data.measured_files():
        path = str(Path(measured).resolve())
        for line, contexts in data.contexts_by_lineno(measured).items():
            tests[path][line] = sorted(set(contexts) - {"", COLLECTION})
            if "" in contexts:
                imported[path].append(line)
    warm = sorted(name for name in set(sys.modules) - before if _is_installed(sys.modules[name]))
    return {"failed": session.failed, "took": session.took, "tests": tests, "imported": imported, "warm": warm}


def _is_installed(module: ModuleType) -> bool:
    """True if the module is of a library, not of the package under test or its tests."""
    return f"{os.sep}site-packages{os.sep}" in (getattr(module, "__file__", None) or "")
