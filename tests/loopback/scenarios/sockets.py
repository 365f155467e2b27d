"""Scenarios of sockets that are replaced, killed, silent or refused, and of keys that end while sockets are open."""

from __future__ import annotations

from listenkey.adapters.simulator.server import Server
from listenkey.core.events import GapNotice

from ..harness import UNHURRIED, Run, down, read_at_rest, silent
from ..wires import EVERY
from .table import scenario

FILL_LISTS = ("/fillHistory", "/allFillOrders")
"""The ends of the paths of lists of fills."""
MOST_SILENCES = 5
"""On a slow machine no fill may be made in the two seconds of a silence: then there is another one."""


@scenario("rotation", policy={"rotate_after": 1.5, "rotate_jitter": 0, "audit_interval": 0, **UNHURRIED})
async def rotation(run: Run, server: Server) -> None:
    """A planned rotation opens no gap, overlaps, and never deletes a key in use; every fill comes by the socket.

    Only fills after the last read count: on a slow machine a read may be faster than a frame.
    """
    await run.live()
    gaps = len(run.consumer.gaps())

    def read_at() -> float:
        return max(call.at for call in server.log.calls if call.path.endswith(FILL_LISTS))

    def rotated() -> bool:
        since = read_at()
        return server.log.sockets_open == 1 and sum(opening.at > since for opening in server.log.openings) >= 2

    await run.until(rotated, "rotated twice, and nothing was read meanwhile")
    made_since = server.now() - 1000 * (server.log.clock() - read_at())
    fills = [fill for fill in run.consumer.fills() if (fill.exchange_ts or 0) > made_since]
    assert server.log.max_sockets_together == 2
    assert server.log.max_sockets_on_one_key == 1
    assert run.consumer.gaps()[gaps:] == []
    assert {fill.source for fill in fills} == {"ws"}
    in_use = {stream.key for stream in server.hub}
    assert len(in_use) == 1
    assert not in_use & {deletion.key for deletion in server.log.deletions}
    await read_at_rest(run, server)


@scenario("kill", venues=EVERY, policy=UNHURRIED)
async def kill(run: Run, server: Server) -> None:
    """A killed connection loses nothing, not even fills made while it was down."""
    for _ in range(2):
        await run.live()
        await down(run, server)
    assert set(run.consumer.gaps()) == {"lost_socket"}
    assert sum(event.recovered for event in run.consumer.events if isinstance(event, GapNotice)) > 0


@scenario("silence", venues=EVERY, policy={"silence_timeout": 2, "audit_interval": 0})
async def silence(run: Run, server: Server) -> None:
    """A socket that stays open without frames is given up after `silence_timeout`, although TCP works."""
    await run.live()
    silences = 0
    while not run.consumer.fills("poll") and silences < MOST_SILENCES:
        await silent(run, server)
        silences += 1
    assert run.consumer.fills("poll")
    await read_at_rest(run, server)


@scenario("key expires", venues=EVERY)
async def key_expires(run: Run, server: Server) -> None:
    """A key that expires while its socket stays open is replaced at once, with a gap open until a read has passed."""
    await run.live()
    server.fault("expire_key")
    await run.until(lambda: "key_gone" in run.consumer.gaps("GAP_CLOSED"), "moved to a new key")
    await run.fills_made(5)
    assert len(server.log.mints) == 2


@scenario("key expires silently", policy={"audit_interval": 2})
async def key_expires_silently(run: Run, server: Server) -> None:
    """An audit that finds events that the socket missed opens a gap, and the stream moves to another key and socket."""
    await run.live()
    await run.fills_made(5)
    server.fault("expire_silently")
    await run.until(lambda: len(server.log.openings) >= 2, "moved to another socket")
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "closed the gap")


@scenario("renewal finds no key", venues=EVERY, policy={"renew_interval": 0.7})
async def renewal_finds_no_key(run: Run, server: Server) -> None:
    """After a 404 on renewal the key is gone: a new one is minted and its link used at once."""
    await run.live()
    server.fault("renew_404")
    await run.until(lambda: "key_gone" in run.consumer.gaps("GAP_CLOSED"), "moved to a new key")
    await run.until(lambda: any(each.ok for each in server.log.renewals[-1:]), "renewed the new key")


@scenario("key is the same again", policy={"rotate_after": 1.5, "rotate_jitter": 0, "audit_interval": 0.5})
async def key_is_the_same_again(run: Run, server: Server) -> None:
    """If a mint returns the key in use, both links share it for the drain, and it is not deleted."""
    server.fault("same_key")
    await run.live()
    await run.until(lambda: len(server.log.openings) >= 3 and server.log.sockets_open == 1, "rotated twice")
    assert server.log.max_sockets_on_one_key == 2
    assert not server.log.deletions
    await run.fills_made(10)


@scenario("accept and close")
async def accept_and_close(run: Run, server: Server) -> None:
    """A server that accepts and closes at once causes no storm of mints, and later sockets stay open. The delays
    between sockets are tested in `tests/core/link/test_reconnecting.py`.
    """
    server.fault("accept_close", count=1000)
    await run.until(lambda: len(server.log.openings) >= 4, "opened again and again")
    assert len(server.log.mints) <= len(server.log.openings) + 1
    server.faults.clear("accept_close")
    await run.live()
    await run.fills_made(5)


@scenario("garbage")
async def garbage(run: Run, server: Server) -> None:
    """Invalid frames are counted and the socket stays open; invalid amounts cause a read."""
    await run.live()
    server.fault("garbage")
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "read after doubtful frames")
    assert len(server.log.openings) == 1
    assert run.consumer.kinds("UNKNOWN")


@scenario("oversized")
async def oversized(run: Run, server: Server) -> None:
    """A frame that inflates beyond `max_frame_bytes` ends the socket, and the gap has the reason."""
    await run.live()
    server.fault("oversized", mebibytes=64)
    await run.until(lambda: "oversized" in run.consumer.gaps("RECONNECTED"), "reconnected")
