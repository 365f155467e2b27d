"""The example in docs/testing.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "testing.md"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_example(backend: str) -> None:
    """Every test in the page's one code block passes, on both event loops."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(GUIDE), "exec"), names)  # noqa: S102 - it is ours
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        anyio.run(test, backend=backend)
