"""`python -m tests.window`: the real window of `examples/tk_window.py` over a simulated account, on a display.

It is opened, shows a fill, is closed by its button, and leaves no key behind. Exits with 1 if that takes too long.
"""

from __future__ import annotations

import importlib
import sys
import time
import tkinter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from listenkey.adapters.testing.exchange import SimulatedExchange

PATIENCE = 120.0


def seen(exchange: SimulatedExchange) -> bool:
    """True if the window has shown a fill of the exchange, and has gone."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    example: Any = importlib.import_module("tk_window")
    window = example.opened(example.Watched("bingx-swap", **exchange.access))
    root: tkinter.Tk = window.root
    (text,) = root.winfo_children()
    assert isinstance(text, tkinter.Text)
    end = time.monotonic() + PATIENCE
    steps: list[tuple[str, Callable[[], object]]] = [
        ("LIVE", lambda: exchange.trade("BTC-USDT", "BUY", Decimal("0.5"))),
        (" 0.5 at ", window.close),
    ]

    def watch() -> None:
        if steps and steps[0][0] in text.get("1.0", "end"):
            steps.pop(0)[1]()
        if time.monotonic() > end:
            root.destroy()
        elif steps:
            root.after(50, watch)

    root.after(50, watch)
    root.mainloop()
    return not steps and time.monotonic() < end


def main() -> int:
    """Run it; the exit code."""
    with SimulatedExchange() as exchange:
        shown = seen(exchange)
        log = exchange.truth()["log"]
    deleted = {deletion["key"] for deletion in log["deletions"]} >= {mint["key"] for mint in log["mints"]}
    print("the window was shown, and its key deleted" if shown and deleted else "the window was not as it should be")
    return 0 if shown and deleted else 1


if __name__ == "__main__":
    sys.exit(main())
