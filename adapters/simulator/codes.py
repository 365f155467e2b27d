"""The venue's error codes that changed in October 2025: those of today, and the former ones."""

from __future__ import annotations

from typing import Literal

Codes = Literal["current", "former"]

NO_SUCH_ORDER = 109421
ORDER_FINISHED = 109422
TOO_FAST = 109429
"""The code of a call above a rate limit of futures."""
BUSY = 100410
"""The code of other rate limits, formerly of futures too, and of the limiter of failing calls."""

FORMER = {109400: 80014, NO_SUCH_ORDER: 80016, ORDER_FINISHED: 80018, 109423: 80019, TOO_FAST: BUSY, 109500: 80012}


def coded(code: int, codes: Codes) -> int:
    """The code of today, or its former one."""
    return FORMER.get(code, code) if codes == "former" else code
