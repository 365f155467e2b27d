"""Scenarios without a `Run`: streams that end with errors, accounts read once, a journal that spills."""

from __future__ import annotations

import tempfile
from pathlib import Path

import anyio
import pytest

from listenkey.core.events import AccountUpdate
from listenkey.ports.errors import CredentialsRefused, ReadFailed, StreamStopped

from ..harness import PATIENCE, fresh_key, served, streaming, venue_at
from ..soak import Plan, soak
from ..wires import WIRES
from .table import play


@play("bad credentials", wired=False)
async def bad_credentials(transport: str, wire: str) -> None:
    """Credentials that the venue refuses end the stream with a clear error after one attempt."""
    key = fresh_key()
    async with served(key, wire=wire) as server, venue_at(server, transport, key=fresh_key(), policy={}) as venue:
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


@play("account snapshot", wired=False)
async def complete_accounts(transport: str, wire: str) -> None:
    """`account_snapshot` returns the whole account or raises `ReadFailed`; it never returns an empty one instead."""
    key = fresh_key()
    async with (
        served(key, wire=wire, fills_per_second=0, rate_limits=False) as server,
        venue_at(server, transport, key=key, policy={}) as venue,
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
        key, policy = fresh_key(), {"request_timeout": 0.5} if name == "rest_timeout" else {}
        async with (
            served(key, wire=wire, fills_per_second=0, rate_limits=False) as server,
            venue_at(server, transport, key=key, policy=policy) as venue,
        ):
            server.fault(name, seconds=3600)
            with pytest.raises(ReadFailed):
                await venue.account_snapshot()
            server.faults.clear(name)
            if not policy:
                again = await venue.account_snapshot()
                assert [each.asset for each in again.balances] == [each.asset for each in update.balances]


@play("overflow without a journal")
async def overflow(transport: str, wire: str) -> None:
    """Beyond `max_pending` without a journal, pending events come in order, and then the stream ends with an error."""
    key = fresh_key()
    async with (
        served(key, wire=wire, fills_per_second=60) as server,
        streaming(server, transport, key=key, policy={"max_pending": 100}, exact=WIRES[wire].exact) as run,
    ):
        await run.live()
        run.consumer.pause()
        before = len(run.consumer.events)
        await run.until(lambda: server.log.sockets_open == 0, "gave up")
        run.consumer.go_on()
        with anyio.fail_after(PATIENCE):
            await run.consumer.over.wait()
        assert isinstance(run.consumer.error, StreamStopped)
        assert 100 <= len(run.consumer.events) - before <= 102
        verdict = run.verdict()
        assert not verdict.doubled
        assert not run.consumer.wrong
        made = {(fill.order_id, fill.end): place for place, fill in enumerate(server.exchange.fills)}
        places = [made[int(fill.order_id), fill.cumulative_qty] for fill in run.consumer.fills("ws")]
        assert places == sorted(places)


@play("overflow into the journal")
async def spill(transport: str, wire: str) -> None:
    """Beyond `max_pending` with a journal, pending events wait in the file, and all come in order."""
    key = fresh_key()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            served(key, wire=wire, fills_per_second=60) as server,
            streaming(
                server,
                transport,
                key=key,
                policy={"max_pending": 50},
                exact=WIRES[wire].exact,
                journal=Path(folder) / "j",
            ) as run,
        ):
            await run.live()
            run.consumer.pause()
            await run.fills_made(120)
            run.consumer.go_on()
            await run.check()


@play("soak, short")
async def short_soak(transport: str, wire: str) -> None:
    """Kills, silences, rotations and lost frames in any order, also during recoveries, lose nothing."""
    outcome = await soak(transport, Plan(fills=100, troubles=2, rate=20, seed=3, wire=wire))
    assert outcome.good, str(outcome)
    assert set(outcome.troubles.values()) == {2}
