"""An observer gets every step of a stream, with or without a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

import listenkey
from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.recording.replay import replay, steps
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.policy import Policy

from ...surroundings.account import Customer, Place, Service
from ...surroundings.life import venue_of

pytestmark = pytest.mark.anyio
Step = tuple[float, inputs.Input, list[actions.Action]]


class Watcher:
    """An observer that keeps each step."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.refused = anyio.Event()

    def __call__(self, now: float, received: inputs.Input, ordered: Sequence[actions.Action], /) -> None:
        self.steps.append((now, received, list(ordered)))
        if isinstance(received, inputs.Refused):
            self.refused.set()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_every_step_is_observed_beside_the_recording(tmp_path: Path) -> None:
    """The observer gets each input from `Start` to the last answer in order, with its time, as the recording does."""
    watcher, path = Watcher(), tmp_path / "run.rec"
    recorder = Recorder(path)
    recorder.begin(SwapDialect("bingx-swap"), Policy(audit_interval=0), 1, "ws")
    customer = Customer("A", Place("bingx-swap", "host"), None, 100)
    service = Service(customer, customer.api_keys[0])
    delivered = []
    with anyio.fail_after(60):
        async with venue_of(service, observer=watcher, recorder=recorder) as venue, venue.subscribe() as stream:
            async for event in stream:
                delivered.append(event)
                if event.kind == "ACCOUNT_UPDATE":
                    break
    received = [type(received) for _, received, _ in watcher.steps]
    assert received[0] is inputs.Start
    assert {inputs.KeyGranted, inputs.SocketOpened, inputs.FrameReceived, inputs.AccountRead} <= {*received}
    assert received[-1] in (inputs.KeyDeleted, inputs.SocketClosed)
    assert received.count(inputs.KeyDeleted) == 1
    times = [now for now, _, _ in watcher.steps]
    assert times == sorted(times)
    observed = [each.event for _, _, done in watcher.steps for each in done if isinstance(each, actions.Deliver)]
    assert observed[: len(delivered)] == delivered
    assert replay(path) is None
    assert steps(path) == len(watcher.steps)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_an_observer_raises_is_seen_by_the_consumer() -> None:
    """An exception of the observer ends the stream in order, and is raised to the consumer."""

    def unwell(now: float, received: inputs.Input, ordered: Sequence[actions.Action], /) -> None:
        if isinstance(received, inputs.FrameReceived):
            raise ZeroDivisionError("unwell")

    customer = Customer("A", Place("bingx-swap", "host"), None, 100)
    service = Service(customer, customer.api_keys[0])
    with anyio.fail_after(60):
        async with venue_of(service, observer=unwell) as venue, venue.subscribe() as stream:
            with pytest.raises(ZeroDivisionError, match="unwell"):
                async for _ in stream:
                    pass


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_open_venue_takes_an_observer() -> None:
    """`open_venue` takes an observer, which gets each step even if the venue cannot be reached."""
    watcher = Watcher()
    with anyio.fail_after(60):
        async with (
            listenkey.open_venue(
                "bingx-swap",
                api_key="key",
                api_secret="secret",
                rest_url="http://127.0.0.1:9",
                ws_url="ws://127.0.0.1:9",
                observer=watcher,
            ) as venue,
            venue.subscribe(),
        ):
            await watcher.refused.wait()
    (_, _, asked), (_, received, _) = watcher.steps[:2]
    assert asked == [actions.CreateKey(1)]
    assert isinstance(received, inputs.Refused)
