"""The report of a comparison as text: compared rows, differences, and the reasons of known ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .comparison import Difference
from .known import Verdict
from .session import Outcome

SHOWN = 3
WIDEST = 240


def report(outcomes: Iterable[Outcome], verdict: Verdict) -> Iterator[str]:
    """Yield the lines of the report."""
    for outcome in outcomes:
        truth = outcome.truth
        yield f"{truth.mode}: {len(truth.fills)} fills, {len(truth.orders)} orders, {len(truth.positions)} positions"
        for reading in outcome.readings:
            counts = ", ".join(f"{count} x {subject}" for subject, count in reading.compared.items())
            yield f"  {reading.client:9} compared {counts or 'nothing'}"
    for known, count in verdict.explained.items():
        yield f"{known.client}'s own, {count} x {known.subject} {known.field}: {known.reason}"
    for known in verdict.needless:
        yield f"NO LONGER NEEDED: {known.client}, {known.subject} {known.field}: {known.reason}"
    alike: defaultdict[tuple[str, ...], list[Difference]] = defaultdict(list)
    for difference in verdict.unknown:
        alike[difference.client, difference.source, difference.subject, difference.field].append(difference)
    for place, found in alike.items():
        client, source, subject, field = place
        yield f"DIFFERENT: {client} {source}: {len(found)} x {subject} {field}"
        for each in found[:SHOWN]:
            yield f"    {each.key or '-'}: true is {each.truth}, {client} has {each.theirs}"[:WIDEST]
    yield "all the same" if verdict.good else f"{len(verdict.unknown)} differences without a reason"
