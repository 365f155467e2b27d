"""1, 100 and 1,000 accounts in one process on one core: memory, idle CPU, throughput and fairness."""

from __future__ import annotations

from .measure import Row, Target, apart, figure

SUBJECT = "scale"
AUDIT_EVERY = 120.0
KIB = 1024


def run(quick: bool = False) -> list[Row]:
    """Measure each crowd, in processes of its own."""
    crowds = ((3, 0.3, 0.1),) if quick else ((1, 3.0, 1.5), (100, 3.0, 2.0), (1000, 6.0, 6.0))
    rows: list[Row] = []
    for accounts, idle, busy in crowds:
        last = accounts == crowds[-1][0]
        found = [apart("crowd", "run", str(accounts), str(idle), str(busy)) for _ in range(_rounds(quick, accounts))]
        traced = apart("crowd", "trace", str(accounts), "0", "0")
        if accounts > 1:
            rows.append(
                figure(
                    SUBJECT,
                    f"memory an account, of {accounts:,}",
                    "KiB",
                    [each["resident"] / KIB for each in found],
                    target=Target(most=64) if last else None,
                    note=f"resident, beyond its socket; by tracemalloc {traced['traced'] / KIB:.1f} KiB",
                )
            )
        audits = [each["audit"] * accounts / AUDIT_EVERY for each in found]
        shares = [(each["idle"] - each["pinging"] + audit) * 100 for each, audit in zip(found, audits, strict=True)]
        rows += [
            figure(
                SUBJECT,
                f"idle CPU of {accounts:,}",
                "%",
                shares,
                target=Target(most=5) if last else None,
                note=f"pings of 5 s and audits of 120 s (an audit costs {found[0]['audit'] * 1e6:.0f} us); taken off: "
                f"{found[0]['pinging'] * 100:.1f} % for making the pings",
            ),
            figure(
                SUBJECT,
                f"events of {accounts:,}",
                "events/s",
                [each["events"] for each in found],
                note="a second of CPU, through driver, backlog and consumer",
            ),
        ]
        if accounts > 1:
            fair = [each["least"] / each["most"] for each in found]
            note = "each has a frame ready at all times; a turn is 64 frames, and the window some turns"
            rows.append(figure(SUBJECT, f"fairness among {accounts:,}", "least/most", fair, note=note))
    return rows


def _rounds(quick: bool, accounts: int) -> int:
    return 1 if quick else 3 if accounts < 1000 else 2
