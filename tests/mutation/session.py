"""Runs tests once with pytest in this process: silent, derandomised, with a time limit for each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import hypothesis
import pytest

from .source import ROOT

TESTS = "tests/core"
OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
hypothesis.settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(hypothesis.HealthCheck),
)


class Session:
    """A pytest plugin that selects and orders tests, limits their times, and collects results."""

    def __init__(
        self, seconds: Mapping[str, float] | None = None, limit: Callable[[float], float] | None = None
    ) -> None:
        self._seconds = seconds
        """The seconds of each test without a mutant; only these run, quickest first. None: all run, in their order."""
        self._limit = limit
        self.took: dict[str, float] = {}
        self.failed: str | None = None
        self.began: Callable[[str], object] = lambda _test: None

    def run(self, files: Sequence[str]) -> bool:
        """Run the tests of these files; True if all of them passed."""
        code = pytest.main([*OPTIONS, "--rootdir", str(ROOT), *files], plugins=[self])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and self.failed is None:
            self.failed = "collection"
        return self.failed is None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        seconds = self._seconds
        if seconds is not None:
            items[:] = sorted((item for item in items if item.nodeid in seconds), key=lambda item: seconds[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.began(item.nodeid)
        if self._limit is not None and self._seconds is not None:
            allow(self._limit(self._seconds[item.nodeid]))
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.took[item.nodeid] = time.process_time() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid


def allow(seconds: float) -> None:
    """Limit this process to `seconds` of CPU time, after which the kernel ends it."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def keep_to_this_process() -> None:
    """Skip tests that start a process, since there is no mutant in it."""

    def refused(*_args: Any, **_options: Any) -> NoReturn:
        pytest.skip("another process would not have the mutant")

    subprocess.Popen = refused  # type: ignore[assignment,misc]


def be_silent() -> None:
    """Hide all output of pytest and the tests."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


hypothesis.settings.load_profile("mutation")
