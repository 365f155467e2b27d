"""The mutants that may survive, each with the reason why no test can or must notice it."""

from __future__ import annotations

from pathlib import Path

LIST = Path(__file__).with_name("survivors.txt")
Key = tuple[str, str, str]


def reasons(text: str | None = None) -> dict[Key, str]:
    """Return the reasons by function and change. Raises `ValueError` for a malformed entry."""
    listed: dict[Key, str] = {}
    for block in (LIST.read_text(encoding="utf-8") if text is None else text).split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        function, before, after, *reason = [*lines, "", ""]
        key = (function, before.removeprefix("- "), after.removeprefix("+ "))
        if before[:2] != "- " or after[:2] != "+ " or not any(reason) or key in listed:
            raise ValueError(f"not an entry of its own with a change and a reason: {block!r}")
        listed[key] = " ".join(line.strip() for line in reason).strip()
    return listed
