"""The pictures of docs/architecture.md are drawn from the code, and show all of it."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from listenkey.core.link.lifecycle import TABLE, State, Trigger

from .test_architecture import OLD_PATHS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MOVES = [row for row in TABLE if row.trigger is not Trigger.STOP]


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = _loaded()


def test_the_pictures_are_drawn_from_the_code() -> None:
    """`python docs/pictures.py` would write each as it is; that of the states has every move of the table."""
    for name, drawn in PICTURES.PICTURES.items():
        assert (DOCS / name).read_text() == drawn(), "python docs/pictures.py"
        assert f"]({name})" in (DOCS / "architecture.md").read_text()
    states = (DOCS / "states.svg").read_text()
    labels = [row.trigger if row.given is None else f"{row.trigger} ({row.given})" for row in MOVES]
    assert all(states.count(f">{label}<") == labels.count(label) for label in labels)
    assert states.count('<path class="arrow"') == len({(row.source, row.target) for row in MOVES}) + 1


def test_a_move_without_a_place_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new row of the table fails the drawing, and so does a place that no row has."""
    there = PICTURES.ARROWS
    monkeypatch.setattr(PICTURES, "ARROWS", dict([*there.items()][1:]))
    with pytest.raises(KeyError):
        PICTURES.states()
    monkeypatch.setattr(PICTURES, "ARROWS", there | {(State.BACKOFF, State.ROTATING): None})
    with pytest.raises(KeyError):
        PICTURES.states()


@pytest.mark.parametrize("band", ["adapters", "core"])
def test_the_layers_are_the_imports(band: str) -> None:
    """Every room is drawn, and every import but those that follow from others."""
    rooms = {*PICTURES.ROOMS[band]}
    imports = {room: _imported(band, room) & rooms - {room} for room in rooms}
    assert {path.parent.name for path in (ROOT / band).glob("*/__init__.py")} - OLD_PATHS <= rooms
    drawn = {room: {target for source, target in PICTURES.IMPORTS[band] if source == room} for room in rooms}
    assert drawn == {
        room: near - {far for each in near for far in _reached(imports, each)} for room, near in imports.items()
    }
    assert {f"{path.stem}" for path in (ROOT / "ports").glob("[a-z]*.py")} == {*PICTURES.PORTS}


def _imported(band: str, room: str) -> set[str]:
    """The rooms of the band that the files of a room import, and itself."""
    home = ROOT / band
    found: set[str] = set()
    for path in [*(home / room).rglob("*.py"), *home.glob(f"{room}.py")]:
        parts = path.relative_to(ROOT).parts
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                names = [node.module] if node.module else [each.name for each in node.names]
                modules = [(*parts[: -node.level], *name.split(".")) for name in names]
                found |= {module[1] for module in modules if module[0] == band and len(module) > 1}
    return found


def _reached(imports: dict[str, set[str]], room: str) -> set[str]:
    """All that a room imports, and what these import."""
    return imports[room] | {far for near in imports[room] for far in _reached(imports, near)}
