"""Imports a module from a text in memory instead of its file; no file is changed."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType


class TextLoader(importlib.machinery.SourceFileLoader):
    """Compiles the text, with the name and line numbers of the file."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        super().__init__(name, str(path))
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


class TextFinder:
    """A finder that goes before all others, and finds modules by name."""

    def __init__(self, loaders: dict[str, TextLoader]) -> None:
        self._loaders = loaders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        loader = self._loaders.get(name)
        return None if loader is None else importlib.util.spec_from_file_location(name, loader.path, loader=loader)


def supply(texts: dict[str, tuple[Path, str]]) -> None:
    """Let these modules be imported from these texts; none of them may have been imported before."""
    assert not set(texts) & set(sys.modules)
    loaders = {name: TextLoader(name, path, text) for name, (path, text) in texts.items()}
    sys.meta_path.insert(0, TextFinder(loaders))
