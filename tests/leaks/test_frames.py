"""No frame puts a secret into an event, an action, a report, a `repr`, a journal, a recording or a replay."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.recording.replay import replay
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.policy import Policy
from listenkey.core.secrets import Secrets

from ..adapters.venues.planted import planted
from ..adapters.venues.samples import FAMILIES, samples
from .finder import Finder, secret
from .plants import Plant, broken, written

THOROUGH = "LISTENKEY_OFFSETS" in os.environ
"""True to test every offset instead of some, as in `make soak`."""
POLICY = Policy(max_frame_bytes=65536, rotate_after=60, rotate_jitter=0, drain=1, renew_interval=30)
AT = 1_758_608_899_350


def kinds(family: str) -> tuple[Plant, ...]:
    """Return all kinds of frames with a secret."""
    return (*planted(family).plants(), *broken(samples(family).packed))


class Stage:
    """A connection that has rotated, with its journal and recording; all its output is in `said`."""

    def __init__(self, family: str, folder: Path, seed: int) -> None:
        draw = Random(seed)
        self._samples = samples(family)
        self._dialect = dialect = next(iter(self._samples.DIALECTS.values()))
        self.api_key, self.api_secret = secret(draw), secret(draw)
        self.keys = [secret(draw, 64) for _ in range(3)]
        self.signature = "".join(draw.choices("QXZJqxzj", k=64))
        self.folder = folder
        register = Secrets((self.api_key, self.api_secret))
        register.sign(self.signature)
        self.recorder = Recorder(folder / "run.rec", secrets=register)
        self.recorder.begin(dialect, POLICY, seed, "ws")
        self.connection = Connection(dialect, POLICY, seed=seed, secrets=register)
        self.journal = SqliteJournal(folder / "journal")
        self.now = 100.0
        self.said: list[str | bytes] = []
        self.sockets: list[int] = []
        self.minted = 0
        self._minted = iter(self.keys)
        self.feed(inputs.Start())
        self.passes(70)

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets that must not be found, by name."""
        named = {"api key": self.api_key, "api secret": self.api_secret, "signature": self.signature}
        return {**named, "live key": self.keys[1], "rotated key": self.keys[0]}

    def feed(self, received: inputs.Input) -> None:
        """Hand in an input, and answer the actions."""
        ordered = self.connection.handle(received, now=self.now)
        self.recorder(self.now, received, ordered)
        self.said += [repr(received), repr(ordered)]
        events = [action.event for action in ordered if isinstance(action, actions.Deliver)]
        self.journal.append(events, None)
        for event in events:
            self.said += [event.to_json(), repr(event.frame), event.event_id]
        for action in ordered:
            for answer in self._answers(action):
                self.feed(answer)

    def passes(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.now + seconds
        while self.connection.deadline <= until:
            self.now = max(self.now, self.connection.deadline)
            self.feed(inputs.Tick())
        self.now = until

    def hears(self, frame: bytes | str) -> None:
        """Receive a frame on each open socket."""
        for socket in tuple(self.sockets):
            self.feed(inputs.FrameReceived(socket, frame))
        if not self.sockets:
            self.passes(5)

    def end(self) -> list[str | bytes]:
        """Stop the stream; return all output and all stored bytes."""
        self.passes(2)
        for file in self.folder.iterdir():
            self.said.append(file.read_bytes())
        self.feed(inputs.Stop())
        self.recorder.close()
        self.journal.close()
        self.said += [file.read_bytes() for file in self.folder.iterdir()]
        return self.said

    def _answers(self, action: actions.Action) -> Iterator[inputs.Input]:
        match action:
            case actions.CreateKey(request):
                self.minted += 1
                key = next(self._minted, self.keys[-1])
                yield inputs.KeyGranted(request, key, 1e7, AT + int(self.now * 1000))
            case actions.RenewKey(request, key):
                yield inputs.KeyRenewed(request, key)
            case actions.OpenSocket(socket):
                self.sockets.append(socket)
                yield inputs.SocketOpened(socket)
                for text in self._samples.alive(self._dialect, socket):
                    yield inputs.FrameReceived(socket, self._samples.packed(text))
            case actions.SendPing(socket):
                yield inputs.Heard(socket)
            case actions.CloseSocket(socket):
                if socket in self.sockets:
                    self.sockets.remove(socket)
                yield inputs.SocketClosed(socket, 1000)


def offsets(draw: Random) -> list[int]:
    """Return offsets of the secret around the lengths at which texts are cut."""
    cuts = (0, 32, 48, 120, 200, 4096)
    if THOROUGH:
        return [cut + near for cut in cuts for near in range(-70, 10) if cut + near >= 0]
    return [max(0, draw.choice(cuts) - draw.randrange(60))]


def chosen(draw: Random, forms: list[str]) -> list[str]:
    """Return one of the forms, or in a thorough run the first and a random one."""
    return list(dict.fromkeys((forms[0], draw.choice(forms)))) if THOROUGH else [draw.choice(forms[:1] + forms)]


@pytest.mark.parametrize(
    ("family", "seed"),
    [(family, seed) for family in FAMILIES for seed in range(len(kinds(family)) if THOROUGH else 2)],
)
def test_no_frame_brings_a_secret_out(family: str, seed: int, tmp_path: Path) -> None:
    """No eight characters of a secret leave the library by any kind of frame, in any form, live or rotated."""
    draw = Random(seed)
    stage = Stage(family, tmp_path, seed)
    names, finder = stage.secrets, Finder(stage.secrets.values())
    for plant in [kinds(family)[seed]] if THOROUGH else kinds(family):
        for name in names if THOROUGH else draw.sample(sorted(names), 2):
            forms = [names[name]] if name == "signature" else [*written(names[name])]
            for pad in offsets(draw):
                for form in chosen(draw, forms):
                    stage.hears(plant.frame(form, pad))
                    stage.passes(1.5)
    assert stage.minted > 1
    said = stage.end()
    assert finder.leak(*said) is None
    assert replay(tmp_path / "run.rec") is None


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The finder finds a secret in each form and a piece of eight characters, but not one of seven."""
    hidden = secret(Random(1))
    finder = Finder([hidden])
    found: list[Any] = [finder.leak(f"some text {form} and more") for form in written(hidden)]
    assert None not in found
    assert finder.leak(f"some text {hidden[20:28]}!") is not None
    assert finder.leak(f"some text {hidden[20:27]}!") is None
    assert finder.leak(hidden.encode("utf-16")) is not None
