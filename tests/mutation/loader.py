"""One module is imported from a text in memory instead of its file; nothing on disk is touched."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType


class TextLoader(importlib.machinery.SourceFileLoader):
    """Compiles the text; file name and line numbers are those of the file."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        super().__init__(name, str(path))
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


class TextFinder:
    """Goes before every other finder, and knows modules by their names."""

    def __init__(self, loaders: dict[str, TextLoader]) -> None:
        self._loaders = loaders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        loader = self._loaders.get(name)
        return None if loader is None else importlib.util.spec_from_file_location(name, loader.path, loader=loader)


def supply(texts: dict[str, tuple[Path, str]]) -> None:
    """From now on these modules are made of these texts; none of them may have been imported before."""
    assert not set(texts) & set(sys.modules)
    loaders = {name: TextLoader(name, path, text) for name, (path, text) in texts.items()}
    sys.meta_path.insert(0, TextFinder(loaders))
