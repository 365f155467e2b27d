"""Scenarios of reads that fail or do not show everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listenkey.adapters.simulator.server import Server

from ..harness import Run, down
from ..wires import EVERY, wire_of
from .table import BINGX, scenario

HELD = 3600.0
"""The seconds of a fault that holds until it is cleared."""


async def misread(run: Run, server: Server, name: str, **params: Any) -> None:
    """After a kill the read fails: the gap stays open while live fills come, and closes when a read passes."""
    await run.live()
    server.fault(name, seconds=HELD, **params)
    openings = len(server.log.openings)
    server.fault("drop_tcp")
    await run.until(lambda: len(server.log.openings) > openings, "opened another socket")
    await run.until(lambda: _flowing(run), "live fills while the gap is open")
    assert run.consumer.gap_open
    server.faults.clear(name)
    await run.until(lambda: not run.consumer.gap_open, "closed the gap")


def _flowing(run: Run) -> bool:
    """True if a gap is open and the socket's last fill came in one."""
    fills = run.consumer.fills("ws")
    return run.consumer.gap_open and bool(fills) and fills[-1].event_id in run.consumer.in_gap


for _name, _params, _policy in (
    ("rest_error", {}, {}),
    ("rest_html", {}, {}),
    ("rest_empty_amounts", {}, {}),
    ("rest_timeout", {"hold": HELD}, {"request_timeout": 5.0}),
):

    @scenario(_name, venues=EVERY if _name == "rest_error" else BINGX, policy={"hold_limit": 0.5, **_policy})
    async def failing_reads(run: Run, server: Server, name: str = _name, params: Mapping[str, Any] = _params) -> None:
        """A failed read never gives zeros or an empty account; live fills come, and the gap waits for a read."""
        await misread(run, server, name, **params)


for _income in (False, True):

    @scenario(f"late fills, {'income too' if _income else 'income at once'}", policy={"audit_interval": 2})
    async def late_fills(run: Run, server: Server, income: bool = _income) -> None:
        """Fills that a lagging venue shows later than `backfill_overlap` are found."""
        await run.live()
        server.fault("late_fills", lag=1.5, income=income)
        await down(run, server)
        await run.fills_made(5)


@scenario("rate limited", venues=EVERY)
async def rate_limited(run: Run, server: Server) -> None:
    """No attempt is made before the named end of a rate limit. To the ms: `tests/core/link/test_keyring.py`."""
    await run.live()
    server.fault("rate_limit", seconds=3, scope="all")
    server.fault("drop_tcp")
    began = server.log.clock()
    codes = wire_of(server.venue).too_fast
    await run.until(lambda: any(call.code in codes for call in server.log.calls), "refused")
    await run.until(lambda: server.log.mints[-1].at > began, "minted again")
    await run.live()
    refused = [call for call in server.log.calls if call.at >= began and call.code in codes]
    # A key is deleted beside other requests, and its refusal may come after the next mint was sent.
    paths = [call.path for call in refused if call.method != "DELETE"]
    assert len(paths) == len(set(paths)), [(call.method, call.path, call.at - began) for call in refused]
    assert min(mint.at for mint in server.log.mints if mint.at > began) > refused[0].at
