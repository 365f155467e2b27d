"""What goes wrong, as a table of stories: each says what must hold, and the harness judges the rest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from listenkey.adapters.simulator.server import Server
from listenkey.core.events import AccountUpdate, GapNotice
from listenkey.ports.errors import CredentialsRefused, ReadFailed, StreamStopped

from .harness import Run, fresh_key, served, streaming, venue_at
from .soak import Plan, soak

STALL = float(os.environ.get("LISTENKEY_STALL", "6"))
"""Seconds for which a consumer does not read."""

Story = Callable[[Run, Server], Awaitable[None]]


class Scenario(NamedTuple):
    """A story with the policy, server and venue that it is told in."""

    name: str
    rule: str
    story: Story
    policy: Mapping[str, float]
    server: Mapping[str, Any]
    options: Mapping[str, Any]


TABLE: dict[str, Scenario] = {}


def scenario(
    name: str, *, policy: Mapping[str, float] | None = None, options: Mapping[str, Any] | None = None, **server: Any
) -> Callable[[Story], Story]:
    """Put a story into the table, under a name of its own."""

    def add(story: Story) -> Story:
        assert name not in TABLE
        TABLE[name] = Scenario(name, story.__doc__ or "", story, policy or {}, server, options or {})
        return story

    return add


async def play(chosen: Scenario, transport: str) -> None:
    """Tell the story; at its end everything must be as the exchange says. Raises `AssertionError`."""
    key = fresh_key()
    async with (
        served(key, **chosen.server) as server,
        streaming(
            server,
            transport,
            key=key,
            policy=chosen.policy,
            exact=server.wire.exact,
            **chosen.options,
        ) as run,
    ):
        await chosen.story(run, server)
        await run.check()


# Sockets


@scenario("rotation", policy={"rotate_after": 3, "rotate_jitter": 0, "silence_timeout": 8}, fills_per_second=40)
async def rotation(run: Run, server: Server) -> None:
    """A planned rotation opens no gap, overlaps, and never deletes a key in use; every fill comes by the socket."""
    await run.live()
    fills, gaps = len(run.consumer.fills()), len(run.consumer.gaps())
    await run.until(lambda: len(server.log.openings) >= 3 and server.log.sockets_open == 1, "rotated twice")
    assert server.log.max_sockets_together == 2
    assert server.log.max_sockets_on_one_key == 1
    assert run.consumer.gaps()[gaps:] == []
    assert {fill.source for fill in run.consumer.fills()[fills:]} == {"ws"}
    in_use = {stream.key for stream in server.hub}
    assert len(in_use) == 1
    assert not in_use & {deletion.key for deletion in server.log.deletions}


@scenario("kill")
async def kill(run: Run, server: Server) -> None:
    """A killed connection loses nothing, not even what was filled while it was down."""
    for times in (1, 2):
        await run.live()
        server.fault("drop_tcp", seconds=0.6)
        await run.until(lambda times=times: len(run.consumer.gaps("RECONNECTED")) >= times, "reconnected")  # type: ignore[misc]
    assert set(run.consumer.gaps()) == {"lost_socket"}
    assert sum(event.recovered for event in run.consumer.events if isinstance(event, GapNotice)) > 0


@scenario("silence", policy={"silence_timeout": 1})
async def silence(run: Run, server: Server) -> None:
    """A socket that stays open and brings nothing is dead after `silence_timeout`, whatever TCP says."""
    await run.live()
    gaps = len(run.consumer.gaps("RECONNECTED"))
    server.fault("silent")
    await run.fills_made(5)
    await run.until(lambda: "silent" in run.consumer.gaps("RECONNECTED")[gaps:], "reconnected after the silence")
    assert run.consumer.fills("poll")


@scenario("key expires")
async def key_expires(run: Run, server: Server) -> None:
    """A key that expires while its socket stays open is replaced at once, with a gap open until a read has passed."""
    await run.live()
    server.fault("expire_key")
    await run.until(lambda: "key_gone" in run.consumer.gaps("GAP_CLOSED"), "moved to a new key")
    assert len(server.log.mints) == 2


@scenario("key expires silently")
async def key_expires_silently(run: Run, server: Server) -> None:
    """An audit that finds what the socket should have brought opens a gap and moves to another key and socket."""
    await run.live()
    await run.fills_made(5)
    server.fault("expire_silently")
    await run.until(lambda: len(server.log.openings) >= 2, "moved to another socket")
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "closed the gap")


@scenario("renewal finds no key", policy={"renew_interval": 1})
async def renewal_finds_no_key(run: Run, server: Server) -> None:
    """A 404 on renewal means that the key is gone: mint anew and move over at once."""
    await run.live()
    server.fault("renew_404")
    await run.until(lambda: "key_gone" in run.consumer.gaps("GAP_CLOSED"), "moved to a new key")
    await run.until(lambda: any(each.ok for each in server.log.renewals[-1:]), "renewed the new key")


@scenario("key is the same again", policy={"rotate_after": 2, "rotate_jitter": 0, "audit_interval": 0.5})
async def key_is_the_same_again(run: Run, server: Server) -> None:
    """Where a mint returns the key in use, both links share it for the drain, and nobody deletes it."""
    server.fault("same_key")
    await run.live()
    await run.until(lambda: len(server.log.openings) >= 3 and server.log.sockets_open == 1, "rotated twice")
    assert server.log.max_sockets_on_one_key == 2
    assert not server.log.deletions
    await run.fills_made(10)


@scenario("accept and close", policy={"backoff_initial": 0.25, "backoff_max": 7.5})
async def accept_and_close(run: Run, server: Server) -> None:
    """A server that accepts and closes at once causes no tight loop and no storm of mints.

    The rule is at most 8 openings in 20 s and 0.4 s between any two, with the venue's own policy. Every delay of the
    backoff is proportional to `backoff_initial` and `backoff_max`; a quarter of both makes it 5 s and 0.1 s.
    """
    server.fault("accept_close", count=1000)
    await run.until(lambda: bool(server.log.openings), "opened")
    await run.passes(5)
    times = [opening.at for opening in server.log.openings if opening.at < server.log.openings[0].at + 5]
    assert 2 <= len(times) <= 8
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.1
    assert len(server.log.mints) <= len(server.log.openings) + 1
    server.faults.clear("accept_close")
    await run.live()
    await run.fills_made(5)


@scenario("garbage", policy={"silence_timeout": 8})
async def garbage(run: Run, server: Server) -> None:
    """Frames that are none are counted and the socket lives on; amounts that are none make continuity read."""
    await run.live()
    server.fault("garbage")
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "read after doubtful frames")
    assert len(server.log.openings) == 1
    assert run.consumer.kinds("UNKNOWN")


@scenario("oversized")
async def oversized(run: Run, server: Server) -> None:
    """A frame that inflates beyond `max_frame_bytes` costs the socket, with a gap that says why."""
    await run.live()
    server.fault("oversized", mebibytes=64)
    await run.until(lambda: "oversized" in run.consumer.gaps("RECONNECTED"), "reconnected")


# Frames


async def tampered(run: Run, server: Server, name: str, times: int, **params: Any) -> None:
    """Have frames tampered with, so often, and wait until they were."""
    await run.live()
    for done in range(times):
        server.fault(name, **params)
        await run.until(lambda done=done: _carried_out(server, name) > done, f"carried out {name}")  # type: ignore[misc]
        await run.fills_made(4)


def _carried_out(server: Server, name: str) -> int:
    return sum(event.name == name and event.detail != "begins" for event in server.log.faults)


for _wire in ("modern", "captured"):

    @scenario(f"repeated frames, {_wire}", wire=_wire, policy={"silence_timeout": 8})
    async def repeated(run: Run, server: Server) -> None:
        """A frame that comes twice tells nothing the second time."""
        await run.live()
        gaps = len(run.consumer.gaps())
        await tampered(run, server, "repeat_frame", 5)
        assert len(run.consumer.gaps()) == gaps

    @scenario(f"reordered frames, {_wire}", wire=_wire)
    async def reordered(run: Run, server: Server) -> None:
        """Two frames of one order that changed places within `reorder_window` are told in the right order."""
        await tampered(run, server, "reorder_frames", 4, within=0.15)

    @scenario(f"lost frames, {_wire}", wire=_wire)
    async def lost(run: Run, server: Server) -> None:
        """A frame lost on a healthy socket is found by the hole, by a witness, or at the latest by the audit."""
        await tampered(run, server, "lose_frame", 4)

    @scenario(f"lost frames with their account push, {_wire}", wire=_wire)
    async def lost_both(run: Run, server: Server) -> None:
        """The audit finds even a last fill whose account push is lost with it."""
        await tampered(run, server, "lose_frame", 4, account=True)

    @scenario(f"everything, {_wire}", wire=_wire, policy={"rotate_after": 2.5, "silence_timeout": 1})
    async def everything(run: Run, server: Server) -> None:
        """Rotations, losses, kills and silence one on top of the other lose nothing and double nothing."""
        await run.live()
        for name in ("lose_frame", "drop_tcp", "reorder_frames", "silent", "expire_key", "lose_frame", "drop_tcp"):
            server.fault(name)
            await run.passes(0.7)


# Reads


async def misread(run: Run, server: Server, name: str, **params: Any) -> None:
    """A kill whose read fails: the gap stays open, live fills flow, and it closes when a read passes."""
    await run.live()
    server.fault(name, seconds=2.5, **params)
    server.fault("drop_tcp")
    await run.until(lambda: server.log.sockets_open == 0 or len(server.log.openings) > 1, "lost its socket")
    await run.until(lambda: len(server.log.openings) > 1, "opened another socket")
    await run.until(lambda: _flowing(run), "live fills while the gap is open")
    assert run.consumer.gap_open
    assert server.faults.active(name, server.elapsed())
    await run.until(lambda: not run.consumer.gap_open, "closed the gap")
    assert not server.faults.active(name, server.elapsed())


def _flowing(run: Run) -> bool:
    """Whether the last word is a fill by the socket, in a gap."""
    fills = run.consumer.fills("ws")
    return run.consumer.gap_open and bool(fills) and fills[-1].event_id in run.consumer.in_gap


for _name, _params in (
    ("rest_error", {}),
    ("rest_html", {}),
    ("rest_empty_amounts", {}),
    ("rest_timeout", {"hold": 5.0}),
):

    @scenario(_name, policy={"request_timeout": 1, "hold_limit": 0.5})
    async def failing_reads(run: Run, server: Server, name: str = _name, params: Mapping[str, Any] = _params) -> None:
        """A failed read is never zeros and never an empty account; live fills flow, and the gap waits for a read."""
        await misread(run, server, name, **params)


for _income in (False, True):

    @scenario(f"late fills, {'income too' if _income else 'income at once'}")
    async def late_fills(run: Run, server: Server, income: bool = _income) -> None:
        """What a lagging venue shows later than `backfill_overlap` is found all the same."""
        await run.live()
        server.fault("late_fills", seconds=5, lag=1.5, income=income)
        server.fault("drop_tcp", seconds=0.4)
        await run.until(lambda: bool(run.consumer.gaps("RECONNECTED")), "reconnected")
        await run.passes(2)


@scenario("rate limited", policy={"request_timeout": 4})
async def rate_limited(run: Run, server: Server) -> None:
    """A rate limit that names its end gets no attempt before it."""
    await run.live()
    server.fault("rate_limit", seconds=3, scope="all")
    server.fault("drop_tcp")
    began = server.log.clock()
    codes = (100410, 109429)
    await run.until(lambda: any(call.code in codes for call in server.log.calls), "refused")
    await run.live()
    refused = [call for call in server.log.calls if call.at >= began and call.code in codes]
    paths = [call.path for call in refused]
    assert len(paths) == len(set(paths)), [(call.method, call.path, call.at - began) for call in refused]
    assert min(mint.at for mint in server.log.mints if mint.at > began) > refused[0].at


# Accounts and shapes


async def dropped_once(run: Run, server: Server) -> None:
    """This shape of the venue is understood too, by the socket and by reads."""
    await run.live()
    await run.passes(1.5)
    server.fault("drop_tcp", seconds=0.4)
    await run.until(lambda: bool(run.consumer.gaps("RECONNECTED")), "reconnected")
    await run.passes(1)


@scenario("begins on a busy account", busy=True)
async def begins_busy(run: Run, server: Server) -> None:
    """What happens from the first grant on is owed, of orders too that were running before it."""
    await run.fills_made(20)


scenario("one-way mode", hedge=False)(dropped_once)
scenario("one-way mode, captured", hedge=False, wire="captured")(dropped_once)
scenario("newer fills", fill_shape="newer")(dropped_once)
scenario("symbol required", symbol_required=True)(dropped_once)
scenario("wrapped keys", wrapped_keys=True)(dropped_once)
scenario("snapshots", snapshot_interval=0.5)(dropped_once)


@scenario("polling", options={"mode": "poll"})
async def polling(run: Run, server: Server) -> None:
    """By polling alone every fill comes once, and no key is minted."""
    await run.live()
    await run.passes(3)
    assert not server.log.mints
    assert {fill.source for fill in run.consumer.fills()} == {"poll"}


@scenario("asked to rotate and to read", policy={"silence_timeout": 8})
async def asked(run: Run, server: Server) -> None:
    """`rotate()` moves over without a gap; `resync()` reads now."""
    await run.live()
    gaps = len(run.consumer.gaps())
    run.stream.rotate()
    await run.until(lambda: len(server.log.openings) == 2 and server.log.sockets_open == 1, "rotated")
    reads = _reads(server)
    run.stream.resync()
    await run.until(lambda: _reads(server) > reads, "read")
    assert len(run.consumer.gaps()) == gaps


def _reads(server: Server) -> int:
    return sum(call.path.endswith("/balance") for call in server.log.calls)


@scenario("slow consumer", policy={"renew_interval": 1, "silence_timeout": 2}, fills_per_second=40)
async def slow_consumer(run: Run, server: Server) -> None:
    """While the consumer does not read, pongs and renewals go on in time, and nothing is lost."""
    await run.live()
    run.consumer.pause()
    before = server.log.clock()
    openings, told = len(server.log.openings), len(run.consumer.events)
    await run.passes(STALL)
    assert len(run.consumer.events) <= told + 1
    assert len(server.log.openings) == openings
    pongs = [pong.at for pong in server.log.pongs if pong.at > before]
    assert len(pongs) >= 2 * STALL
    assert max(later - earlier for earlier, later in pairwise([before, *pongs])) < 1.8
    renewals = [renewal for renewal in server.log.renewals if renewal.at > before]
    assert len(renewals) >= STALL / 2
    assert all(renewal.ok for renewal in renewals)
    run.consumer.go_on()


# Without a story to judge


async def bad_credentials(transport: str) -> None:
    """Credentials that the venue refuses end the stream with a clear error after one attempt."""
    key = fresh_key()
    async with served(key) as server, venue_at(server, transport, key=fresh_key(), policy={}) as venue:
        error: Exception | None = None
        async with venue.subscribe() as stream:
            try:
                async for _ in stream:
                    pass
            except CredentialsRefused as refused:
                error = refused
        assert error is not None
        assert "100413" in str(error)
        assert [call.code for call in server.log.calls if call.method == "POST"] == [100413]
        assert not server.log.openings


async def complete_accounts(transport: str) -> None:
    """`account_snapshot` is the whole account, or `ReadFailed`; never an empty one in its place."""
    key = fresh_key()
    async with (
        served(key, fills_per_second=0, rate_limits=False) as server,
        venue_at(server, transport, key=key, policy={"request_timeout": 1}) as venue,
    ):
        server.exchange.trade("BTC-USDT", "BUY", server.exchange.market.instruments["BTC-USDT"].step, now=server.now())
        update = await venue.account_snapshot()
        truth = server.truth()
        assert isinstance(update, AccountUpdate)
        assert update.complete
        assert {each.asset: str(each.wallet_balance) for each in update.balances} == {
            asset: f"{server.exchange.account.book.wallet(asset).balance:.8f}" for asset in truth["wallet"]
        }
        assert [(each.symbol, each.side) for each in update.positions] == [("BTC-USDT", "LONG")]
        for name in ("rest_error", "rest_html", "rest_empty_amounts", "rest_timeout", "bad_credentials"):
            fault = server.fault(name, seconds=60)
            try:
                instead = await venue.account_snapshot()
            except ReadFailed:
                instead = None
            assert instead is None, f"{fault.name} gave {instead}"
            server.faults.clear(name)
        again = await venue.account_snapshot()
        assert [each.wallet_balance for each in again.balances] == [each.wallet_balance for each in update.balances]


async def overflow(transport: str) -> None:
    """Past `max_pending`, without a journal, what is pending comes in order, and then the stream ends with an error."""
    key = fresh_key()
    async with (
        served(key, fills_per_second=60) as server,
        streaming(server, transport, key=key, policy={"max_pending": 100}) as run,
    ):
        await run.live()
        run.consumer.pause()
        before = len(run.consumer.events)
        await run.until(lambda: server.log.sockets_open == 0, "gave up")
        run.consumer.go_on()
        while not run.consumer.ended:
            await run.passes(0.02)
        assert isinstance(run.consumer.error, StreamStopped)
        assert 100 <= len(run.consumer.events) - before <= 102
        verdict = run.verdict()
        assert not verdict.doubled
        assert not run.consumer.wrong
        told = [fill.exchange_ts for fill in run.consumer.fills("ws") if fill.exchange_ts is not None]
        assert told == sorted(told)


async def spill(transport: str) -> None:
    """Past `max_pending`, with a journal, what is pending waits in the file, and everything comes in order."""
    key = fresh_key()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            served(key, fills_per_second=60) as server,
            streaming(server, transport, key=key, policy={"max_pending": 50}, journal=Path(folder) / "j") as run,
        ):
            await run.live()
            run.consumer.pause()
            await run.fills_made(120)
            run.consumer.go_on()
            await run.check()


async def short_soak(transport: str) -> None:
    """Kills, silences, rotations and lost frames in any order, one on top of the other's recovery, lose nothing."""
    outcome = await soak(transport, Plan(fills=120, troubles=2, rate=15, seed=3))
    assert outcome.good, str(outcome)
    assert set(outcome.troubles.values()) == {2}


ALONE: dict[str, Callable[[str], Awaitable[None]]] = {
    "bad credentials": bad_credentials,
    "account snapshot": complete_accounts,
    "overflow without a journal": overflow,
    "overflow into the journal": spill,
    "soak, short": short_soak,
}
