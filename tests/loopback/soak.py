"""Hours of trouble in minutes: every fill against the exchange's truth, on every transport.

    python -m tests.loopback.soak [--fills 2000] [--minutes N] [--troubles 20] [--rate 15] [--seed N]
                                  [--transport aiohttp|websockets] [--wire NAME]

Each transport has an exchange of its own, and all run at once. `--troubles` is the number of kills, and also of
silences, rotations and lost frames, in seeded order, spread over the fills; with `--minutes` they go on until the end.
The outcome is one line per transport; the exit code is 1 if a fill was lost or doubled, or sums do not match.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from typing import NamedTuple

from listenkey.adapters.simulator.server import Server

from .harness import Run, fresh_key, served, streaming
from .truth import Verdict
from .wires import DEFAULT, WIRES

TRANSPORTS = ("aiohttp", "websockets")
POLICY = {"silence_timeout": 1, "healthy_after": 0.5, "backoff_max": 0.5, "rotate_after": 0}
DOWN, DOWN_EVERY = 0.4, 4
"""Seconds for which the exchange cannot be reached after a kill, and the number of kills for one such outage. The more
calls fail, the longer a stream waits: at most 15 in eight minutes may fail, since the venue bans at 20."""
KINDS = ("kill", "silence", "rotation", "lost frame")


class Plan(NamedTuple):
    """The amounts of a soak. `seconds` None means: until all troubles and fills are done."""

    fills: int
    troubles: int
    rate: float
    seed: int
    wire: str = DEFAULT
    seconds: float | None = None


class Outcome(NamedTuple):
    """The outcome of a run."""

    transport: str
    verdict: Verdict
    troubles: dict[str, int]
    wrong: list[str]
    seconds: float

    @property
    def good(self) -> bool:
        """True if everything adds up."""
        return not self.wrong and not self.verdict.wrong

    def __str__(self) -> str:
        verdict = self.verdict
        troubles = ", ".join(f"{count} {kind}s" for kind, count in self.troubles.items())
        counts = f"made {verdict.made} delivered {verdict.delivered} lost {verdict.lost} doubled {verdict.doubled}"
        lines = [f"{self.transport}: {counts} ledger {verdict.ledger}; {troubles}; {self.seconds:.0f} s"]
        return "\n  ".join([*lines, *self.wrong[:10], *verdict.wrong[:20]])


async def soak(transport: str, plan: Plan) -> Outcome:
    """Run one transport."""
    key, began = fresh_key(), time.monotonic()
    done = dict.fromkeys(KINDS, 0)
    async with (
        served(key, fills_per_second=plan.rate, seed=plan.seed, wire=plan.wire) as server,
        streaming(server, transport, key=key, policy=POLICY, exact=WIRES[plan.wire].exact) as run,
    ):
        await run.live()
        for kind in _troubles(plan, began):
            await _suffer(run, server, kind, done[kind])
            done[kind] += 1
            share = plan.fills * sum(done.values()) / max(1, plan.troubles * len(KINDS))
            if plan.seconds is None:
                await run.until(lambda share=share: len(server.exchange.fills) >= share, "made its fills")  # type: ignore[misc]
        verdict = await run.settle()
        wrong = list(run.consumer.wrong)
        try:
            run.check_log()
        except AssertionError as error:
            wrong.append(f"at the exchange's doors: {error!r}")
        return Outcome(transport, verdict, done, wrong, time.monotonic() - began)


def _troubles(plan: Plan, began: float) -> list[str] | _Endless:
    rng = random.Random(plan.seed)
    if plan.seconds is not None:
        return _Endless(rng, began + plan.seconds)
    troubles = [kind for kind in KINDS for _ in range(plan.troubles)]
    rng.shuffle(troubles)
    return troubles


class _Endless:
    """An iterable of troubles until the time is up."""

    def __init__(self, rng: random.Random, until: float) -> None:
        self._rng, self._until = rng, until

    def __iter__(self) -> _Endless:
        return self

    def __next__(self) -> str:
        if time.monotonic() >= self._until:
            raise StopIteration
        return self._rng.choice(KINDS)


async def _suffer(run: Run, server: Server, kind: str, done: int) -> None:
    """Make one trouble, and wait until the stream has noticed it; its recovery overlaps with the next trouble."""
    openings = len(server.log.openings)
    lost = _lost(server)
    match kind:
        case "kill":
            server.fault("drop_tcp", seconds=DOWN if done % DOWN_EVERY == 0 else None)
        case "silence":
            server.fault("silent")
        case "rotation":
            await run.until(lambda: run.stream.state == "CONNECTED", "connected")
            run.stream.rotate()
        case "lost frame":
            server.fault("lose_frame")
    if kind == "lost frame":
        await run.until(lambda: _lost(server) > lost, "lost a frame")
    else:
        await run.until(lambda: len(server.log.openings) > openings, f"another socket after a {kind}")
    await run.until(lambda: run.stream.state == "CONNECTED", "connected")


def _lost(server: Server) -> int:
    return sum(event.name == "lose_frame" and event.detail != "begins" for event in server.log.faults)


async def soak_all(transports: tuple[str, ...], plan: Plan) -> list[Outcome]:
    """Run all transports at once."""
    return list(await asyncio.gather(*(soak(transport, plan) for transport in transports)))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.loopback.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--fills", type=int, default=2000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--troubles", type=int, default=20, help="so many of each kind")
    parser.add_argument("--rate", type=float, default=15.0, help="fills per second")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--transport", choices=TRANSPORTS)
    parser.add_argument("--wire", choices=WIRES, default=DEFAULT)
    given = parser.parse_args()
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    seconds = None if given.minutes is None else given.minutes * 60
    plan = Plan(given.fills, given.troubles, given.rate, seed, given.wire, seconds)
    print(f"seed {seed}", flush=True)
    outcomes = asyncio.run(soak_all((given.transport,) if given.transport else TRANSPORTS, plan))
    for outcome in outcomes:
        print(outcome, flush=True)
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
