"""Faults in seeded order, alone or several at once, while fills are made; at the end the exchange's truth judges."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from ..loopback.truth import Verdict
from .certificates import Certificates
from .faults import FAULTS
from .lane import TRANSPORTS, Lane, Suffered, lane

PATIENCE = 150.0
"""Seconds in which a stream must recover: after some failures the next read is a minute later, and may fail too."""
TOGETHER = (1, 1, 2, 2, 3)
NEVER = {100001, 100412, 100413, 100419}
"""Codes that must not come: signatures are right and complete under all faults."""
CRASH = re.compile(r"Traceback|Exception ignored|Warning|never retrieved")


STILL = frozenset({"exchange_stopped"})
"""Faults during which no fills are made, not even later."""


class Plan(NamedTuple):
    """The plan of a storm; `seconds` None means: each fault once."""

    seed: int
    faults: tuple[str, ...] = tuple(FAULTS)
    seconds: float | None = None
    rate: float = 4.0
    """Fills per second. Each read goes back ten minutes, and takes the longer the more fills there are."""
    patience: float = PATIENCE
    """Seconds in which a stream must be whole again after a fault."""
    together: tuple[int, ...] = TOGETHER
    """The numbers of faults that begin within a second, of which one is drawn."""


class Kind(NamedTuple):
    """The faults of one name: their number, their effects, and the fills made meanwhile."""

    times: int
    bitten: int
    fills: int


class Outcome(NamedTuple):
    """The outcome of a storm."""

    transport: str
    plan: Plan
    verdict: Verdict
    kinds: dict[str, Kind]
    wrong: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def good(self) -> bool:
        """True if nothing went wrong and the verdict on the fills found no error."""
        return not self.wrong and not self.verdict.wrong

    def __str__(self) -> str:
        v = self.verdict
        inside = sum(kind.fills for kind in self.kinds.values())
        said = f"made {v.made} delivered {v.delivered} lost {v.lost} doubled {v.doubled} ledger {v.ledger}"
        lines = [f"{self.transport}: {said}; {sum(k.times for k in self.kinds.values())} faults, {inside} fills inside"]
        for name, kind in self.kinds.items():
            lines.append(f"{name:17} {kind.times:3} times, bit {kind.bitten:5}, {kind.fills:5} fills inside")
        return "\n  ".join([*lines, *self.notes, *self.wrong[:10], *v.wrong[:20]])


def command(plan: Plan, transport: str) -> str:
    """Return the command that repeats the storm."""
    line = f"python -m tests.chaos --seed {plan.seed} --transport {transport} --rate {plan.rate:g}"
    if plan.seconds is not None:
        line += f" --minutes {plan.seconds / 60:g}"
    if plan.faults != tuple(FAULTS):
        line += f" --faults {','.join(plan.faults)}"
    if plan.together != TOGETHER:
        line += f" --together {','.join(map(str, plan.together))}"
    return line


def secured(plan: Plan, transport: str) -> tuple[bool, bool]:
    """Return which of REST and socket uses TLS: one of them, and on the other transport the other."""
    by_rest = (plan.seed + TRANSPORTS.index(transport)) % 2 == 0
    return by_rest, not by_rest


async def storm(transport: str, plan: Plan, papers: Certificates) -> Outcome:
    """Run the storm of one transport."""
    secure = secured(plan, transport)
    async with lane(transport, papers, seed=plan.seed, rate=plan.rate, secure=secure) as way:
        await way.whole(plan.patience)
        await way.exchange.quiet(False)
        await asyncio.sleep(1)
        rng = Random(f"{plan.seed} {transport}")
        wrong: list[str] = []
        for group in _groups(plan, rng):
            await asyncio.gather(*(_suffer(way, name, Random(rng.random())) for name in group))
            try:
                await way.whole(plan.patience)
            except AssertionError as error:
                wrong.append(f"after {', '.join(group)}: {error}")
                break
            await asyncio.sleep(rng.uniform(0.2, 0.6))
        verdict, truth = await way.settle(plan.patience)
        code = await way.client.process.end()
        if code:
            wrong.append(f"the client ended with {code}: {way.last_words}")
        kinds = _kinds(way, truth)
        wrong += [
            f"no fill was made inside {name}" for name, kind in kinds.items() if not (kind.fills or name in STILL)
        ]
        return Outcome(transport, plan, verdict, kinds, (*wrong, *amiss(way, truth)), _notes(way, truth))


def _groups(plan: Plan, rng: Random) -> Iterator[Sequence[str]]:
    until = time.monotonic() + (plan.seconds or 0)
    while True:
        names = list(plan.faults)
        rng.shuffle(names)
        while names:
            size = rng.choice(plan.together)
            yield names[:size]
            names = names[size:]
            if plan.seconds is not None and time.monotonic() >= until:
                return
        if plan.seconds is None:
            return


async def _suffer(way: Lane, name: str, rng: Random) -> None:
    """Carry out a fault, if necessary again, until a fill has been made during it."""
    await asyncio.sleep(rng.uniform(0, 1))
    made = False
    while not made:
        began = way.exchange.now()
        bitten = await FAULTS[name](way, rng)
        ended = way.exchange.now()
        way.suffered.append(Suffered(name, began, ended, bitten))
        made = name in STILL or any(began <= row["ts"] <= ended for row in (await way.exchange.truth())["fills"])


def _kinds(way: Lane, truth: dict[str, Any]) -> dict[str, Kind]:
    times = [row["ts"] for row in truth["fills"]]
    found: dict[str, Kind] = {}
    for each in way.suffered:
        count, bitten, fills = found.get(each.name, Kind(0, 0, 0))
        inside = sum(each.began <= ts <= each.ended for ts in times)
        found[each.name] = Kind(count + 1, bitten + each.bitten, fills + inside)
    return dict(sorted(found.items()))


def amiss(way: Lane, truth: dict[str, Any]) -> list[str]:
    """Return the errors besides those of fills: refused calls, crashes, and secrets in the client's output."""
    calls = Counter(call["code"] for call in truth["log"]["calls"])
    wrong = list(way.client.wrong)
    wrong += [f"the exchange refused {calls[code]} calls with {code}" for code in sorted(NEVER & set(calls))]
    wrong += [f"the client said: {line}" for line in way.client.process.said if CRASH.search(line)]
    secrets = [way.key, way.key[::-1], *(mint["key"] for mint in truth["log"]["mints"])]
    said = "\n".join(way.client.process.said)
    wrong += ["the client said a secret" for secret in secrets if secret in said]
    return wrong


def _notes(way: Lane, truth: dict[str, Any]) -> tuple[str, ...]:
    gaps = Counter(way.client.gaps())
    slowest = max(way.calm_after, default=0)
    counters = truth["log"]["counters"]
    said = Counter(re.sub(r" \(\d+ in a row\)", "", line) for line in way.client.process.said)
    return (
        f"gaps: {', '.join(f'{count} {reason}' for reason, count in sorted(gaps.items())) or 'none'}",
        f"{counters['mints']} keys, {counters['openings']} sockets, {way.proxy.accepted} connections by the proxy",
        f"whole again within {slowest:.1f} s of the end of any fault",
        *(f"said {count:3} times: {line}" for line, count in said.most_common(8)),
    )
