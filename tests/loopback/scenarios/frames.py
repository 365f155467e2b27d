"""Scenarios of frames that are lost, repeated or reordered."""

from __future__ import annotations

from typing import Any

from listenkey.adapters.simulator.server import Server

from ..harness import UNHURRIED, Run
from ..wires import EVERY
from .table import scenario


async def tampered(run: Run, server: Server, name: str, times: int, **params: Any) -> None:
    """Order a fault of frames `times` times, and wait until it was carried out."""
    await run.live()
    for done in range(times):
        server.fault(name, **params)
        await run.until(lambda done=done: carried_out(server, name) > done, f"carried out {name}")  # type: ignore[misc]
        await run.fills_made(4)


def carried_out(server: Server, name: str) -> int:
    """The number of times that a fault was carried out."""
    return sum(event.name == name and event.detail != "begins" for event in server.log.faults)


@scenario("repeated frames", policy=UNHURRIED)
async def repeated(run: Run, server: Server) -> None:
    """A frame that comes twice delivers nothing the second time."""
    await run.live()
    gaps = len(run.consumer.gaps())
    await tampered(run, server, "repeat_frame", 4)
    assert len(run.consumer.gaps()) == gaps


@scenario("reordered frames")
async def reordered(run: Run, server: Server) -> None:
    """Two frames of one order that are swapped within `reorder_window` are delivered in the right order."""
    await tampered(run, server, "reorder_frames", 4, within=0.15)


@scenario("lost frames", policy={"audit_interval": 2})
async def lost(run: Run, server: Server) -> None:
    """A frame lost on a healthy socket is found by the hole, by the cross-check, or at the latest by the audit."""
    await tampered(run, server, "lose_frame", 4)


@scenario("lost frames with their account push", venues=EVERY, policy={"audit_interval": 2})
async def lost_both(run: Run, server: Server) -> None:
    """The audit even finds a last fill whose account push is lost too."""
    await tampered(run, server, "lose_frame", 4, account=True)


@scenario("everything", venues=EVERY, policy={"rotate_after": 2.5, "silence_timeout": 1, "audit_interval": 2})
async def everything(run: Run, server: Server) -> None:
    """Rotations, losses, kills and silence during each other lose and double nothing."""
    await run.live()
    for name in ("lose_frame", "drop_tcp", "reorder_frames", "silent", "expire_key", "lose_frame", "drop_tcp"):
        server.fault(name)
        await run.fills_made(7)
