"""The first log line of a stream: the venue's limits, the policy, and how its wire is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from ...core.dialect import Dialect, SilentDialect
from ...core.policy import Mode, Policy


def chosen(host: str, dialect: Dialect, policy: Policy, mode: Mode, limits: Sequence[str]) -> str:
    """Return the line. `host` is the name of the REST host, `limits` are short texts about the venue's limits."""
    numbers = " ".join(f"{field.name}={getattr(policy, field.name):g}" for field in fields(policy))
    proof = "a sign of life and a renewal" if isinstance(dialect, SilentDialect) else "what comes on it"
    readings = (
        f"fee and PnL of a frame are {'of the order so far' if dialect.cumulative_costs else 'of one fill'}",
        f"lists are exact to {dialect.time_grain_ms} ms",
        f"a socket is proven by {proof}",
        f"available balances are {'counted' if dialect.counts_available else 'derived'}",
    )
    bears = f"{dialect.failing_calls.calls} failing calls in {dialect.failing_calls.window:g} s"
    return (
        f"{dialect.name} at {host} by {mode}; limits: {', '.join((*limits, bears))}; "
        f"policy: {numbers}; readings: {', '.join(readings)}"
    )


def doubt(policy: Policy, ping_seconds: float) -> str | None:
    """The warning for a policy that would give up working sockets; None for another policy."""
    if policy.silence_timeout > ping_seconds:
        return None
    return (
        f"silence_timeout={policy.silence_timeout:g} is too short: the venue pings every {ping_seconds:g} s, so that "
        "sockets that live will be given up"
    )
