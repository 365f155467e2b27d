"""The sdist and the wheel of this tree: everything is in them, under one name, and nothing else comes along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import listenkey

ROOT = Path(__file__).parents[1]
LINKED = ("core", "ports", "adapters")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]


def _modules(folder: Path) -> set[str]:
    return {f"{path.relative_to(folder)}" for path in folder.rglob("*.py")}


def test_the_packages_listed_are_those_on_disk() -> None:
    """A package that is on disk and not listed would be missing from the wheel, silently."""
    folders = {path.parent for name in LINKED for path in (ROOT / name).rglob("*.py")}
    expected = {f"listenkey.{'.'.join(folder.relative_to(ROOT).parts)}": folder for folder in folders}
    expected["listenkey"] = ROOT / "listenkey"
    assert sorted(SETUPTOOLS["packages"]) == sorted(expected)
    assert {name: ROOT / folder for name, folder in SETUPTOOLS["package-dir"].items()} == expected
    assert all((folder / "__init__.py").is_file() for folder in folders)


@pytest.mark.parametrize("name", LINKED)
def test_the_face_links_to_the_folder(name: str) -> None:
    """Editors and type checkers find the modules by these links."""
    assert os.readlink(ROOT / "listenkey" / name) == f"../{name}"


@pytest.fixture(scope="module", params=["links", "links as text files"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it, with and without links in the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("listenkey", *LINKED):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    if request.param != "links":
        for name in LINKED:
            (source / "listenkey" / name).unlink()
            (source / "listenkey" / name).write_text(f"../{name}")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", f"{out}", f"{source}"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return out


def _wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    """Every module once, as a real file, under `listenkey/`."""
    with _wheel(built) as wheel:
        entries = [entry for entry in wheel.infolist() if ".dist-info/" not in entry.filename]
        (top_level,) = (name for name in wheel.namelist() if name.endswith("/top_level.txt"))
        assert wheel.read(top_level).split() == [b"listenkey"]
    expected = {"listenkey/py.typed"} | {f"listenkey/{path.name}" for path in (ROOT / "listenkey").glob("*.py")}
    for name in LINKED:
        expected |= {f"listenkey/{name}/{module}" for module in _modules(ROOT / name)}
    assert sorted(entry.filename for entry in entries) == sorted(expected)
    assert not any(entry.external_attr >> 28 == 0o12 for entry in entries), "a link in the wheel"


def test_the_sdist_is_enough_to_build_from(built: Path) -> None:
    """The wheel was built from it; the licence and the read-me are in it too."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "core/connection.py", "listenkey/__main__.py"} <= names


def test_nothing_generic_is_importable(built: Path, tmp_path: Path) -> None:
    """With the wheel on the path there is `listenkey` and no `core`, `ports`, `adapters` or `tests`."""
    (wheel,) = built.glob("*.whl")
    program = (
        "import sys, importlib.util; sys.path.insert(0, sys.argv[1]); import listenkey.adapters.driver.driver\n"
        "print(listenkey.adapters.driver.__file__)\n"
        "print([name for name in ('core', 'ports', 'adapters', 'tests') if importlib.util.find_spec(name)])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", program, f"{wheel}"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    where, generic = run.stdout.splitlines()
    assert Path(where).is_relative_to(wheel)
    assert generic == "[]"


def test_the_bare_install_needs_no_extra() -> None:
    """Core, ports, driver, journal and mock work without aiohttp, websockets, httpx2 and rich."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('aiohttp', 'websockets', 'httpx2', 'rich')))\n"
        "import listenkey, listenkey.adapters.driver.driver, listenkey.adapters.journal, listenkey.adapters.mock\n"
        "import listenkey.adapters.venues.bingx.swap, listenkey.core.connection, listenkey.__main__"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


def test_one_version() -> None:
    """The version is said in two places and is the same."""
    assert PROJECT["project"]["version"] == listenkey.__version__
