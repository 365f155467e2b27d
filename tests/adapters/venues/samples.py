"""A family's part in the conformance suite: vectors, and the module `samples` in the folder of its tests.

A family is tested as soon as a venue of it is in the registry: its vectors by `test_vectors.py`, garbage by
`test_garbage.py` and `tests/hostile`, secrets by `tests/leaks` with the module `planted`, and its wire by the scenarios
of `tests/loopback`. `missing` lists the parts that a family lacks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from hypothesis.strategies import SearchStrategy

from listenkey.adapters.cli.scenario import POLICIES, STEPS
from listenkey.adapters.simulator.families import KINDS
from listenkey.adapters.venues.registry import SIMULATED, VENUES
from listenkey.core.dialect import Dialect

from ...loopback.wires import spoken
from .planted import Planted, planted

FAMILIES = tuple(dict.fromkeys(VENUES.values()))
_HERE = Path(__file__).parent


class Samples(Protocol):
    """The module `samples` in the folder of a family's tests, with examples of its frames."""

    DIALECTS: Mapping[str, Dialect]
    """The dialects by the file of their vectors: those of the registry's venues, and others that the folder has."""
    ORDER_EVENTS: Sequence[str]
    """The names that an order's frame may have."""
    EVENTS: Collection[str]
    """The names of events that the vectors must have."""
    IGNORED: Collection[str]
    """Events that give no report."""
    EXACT: bool
    """True if an order's frame always has the quantity of the fill that caused it."""
    AMOUNTS: Sequence[str]
    """The fields of `order` that are numbers: amounts, prices, ids and times."""
    FIELDS: SearchStrategy[dict[str, Any]]
    """Fields of orders, balances and positions, with any values."""
    FRAMES: SearchStrategy[dict[str, Any]]
    """Frames of the right shape with any values."""
    ROWLESS: Sequence[Mapping[str, Any]]
    """Frames of the account with a row that cannot be read."""
    TRAPS: Sequence[str]
    """Texts that resemble frames of the family."""

    def order(self, **fields: Any) -> dict[str, Any]:
        """Return the frame of a fill, of a part of an order, with these fields of the order in place of its own."""

    def account(self, **fields: Any) -> dict[str, Any]:
        """Return the frame of a balance and a position, with these fields of the account in place of its own."""

    def event(self, frame: Mapping[str, Any]) -> Any:
        """Return the name of a frame's event."""

    def alive(self, dialect: Dialect, socket: int) -> Sequence[str]:
        """Return the frames, as text, that prove the link of a socket with this number."""

    def packed(self, text: str) -> bytes | str:
        """Return the frame of this text as the venue sends it."""

    def garbage(self) -> Mapping[str, bytes]:
        """Return the frames that the simulated exchange sends as garbage."""


class Vector(NamedTuple):
    """A frame and its reports, from a line of a file in a family's folder `vectors`."""

    family: str
    file: str
    name: str
    frame: str
    reports: list[dict[str, Any]]


def samples(family: str) -> Samples:
    """Return the samples of a family. Raises `ImportError` if it has none."""
    return cast(Samples, import_module(f".{family}.samples", __package__))


def vectors(family: str) -> list[Vector]:
    """Return the vectors of a family; none if it has no folder."""
    files = sorted((_HERE / family / "vectors").glob("*.jsonl"))
    return [Vector(family, file.stem, **json.loads(line)) for file in files for line in file.read_text().splitlines()]


def missing(family: str, venues: Collection[str]) -> list[str]:
    """Return the parts that a family with these venues lacks for the conformance suite."""
    lacking = [
        f"the module {family}/{name}.py"
        for name in ("samples", "planted")
        if not (_HERE / family).is_dir() or find_spec(f".{family}.{name}", __package__) is None
    ]
    if not lacking:
        given = samples(family)
        lacking += [f"{name} in {family}/samples.py" for name in _members(Samples) if not hasattr(given, name)]
        found = planted(family)
        lacking += [f"{name} in {family}/planted.py" for name in _members(Planted) if not hasattr(found, name)]
        files = {vector.file for vector in vectors(family)}
        lacking += [f"{family}/vectors/{file}.jsonl" for file in given.DIALECTS if file not in files]
        kinds = {type(dialect) for dialect in given.DIALECTS.values()}
        opened = cast(Any, import_module(f"listenkey.adapters.venues.{family}.open"))
        lacking += [f"a dialect of {each} in DIALECTS" for each in venues if type(opened.dialect(each)) not in kinds]
    if not {*venues} & {*SIMULATED} & {*KINDS}:
        lacking.append(f"a wire of {' or '.join(venues)} in the simulated exchange, and in SIMULATED")
    if not {*venues} & {*STEPS} & {*POLICIES}:
        lacking.append(f"what befalls {' or '.join(venues)} in the demo: adapters/cli/scenario.py")
    if not any(spoken(venue) for venue in venues):
        lacking.append(f"a wire of {' or '.join(venues)} in tests/loopback/wires.py")
    return lacking


def _members(protocol: type) -> list[str]:
    own = {**protocol.__annotations__, **vars(protocol)}
    return [name for name in own if not name.startswith("_")]
