"""Each stream logs one line with its settings when it begins, at every venue."""

from __future__ import annotations

import logging
from dataclasses import fields

import anyio
import pytest

from listenkey import Policy, family, open_venue
from listenkey.adapters.venues.registry import VENUES

KEY, SECRET = "an-api-key-of-somebody", "a-secret-of-somebody"


@pytest.mark.parametrize("venue", VENUES)
def test_one_line_says_what_was_chosen(venue: str, caplog: pytest.LogCaptureFixture) -> None:
    """The line names venue, host, limits, each number of the policy, and the readings of the wire, but no secret."""
    caplog.set_level(logging.INFO, "listenkey")
    given = Policy(audit_interval=77)

    async def begin() -> None:
        async with open_venue(
            venue,
            api_key=KEY,
            api_secret=SECRET,
            policy=given,
            rest_url="http://127.0.0.1:1",
            ws_url="ws://127.0.0.1:1/x",
        ) as opened:
            for _ in range(2):
                async with opened.subscribe():
                    pass

    anyio.run(begin)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert len(said) == 2
    assert said[0] == said[1]
    assert said[0].startswith(f"{venue} at 127.0.0.1 by ws; limits: ")
    speaks = family(venue)
    assert all(limit in said[0] for limit in speaks.limits())
    holds = given.over(speaks.dialect(venue).policy)
    assert f"; policy: {' '.join(f'{each.name}={getattr(holds, each.name):g}' for each in fields(Policy))}; " in said[0]
    assert "audit_interval=77 " in said[0]
    assert "; readings: fee and PnL of a frame are of one fill, " in said[0]
    assert "\n" not in said[0]
    assert KEY not in said[0]
    assert SECRET not in said[0]
