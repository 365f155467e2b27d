"""One line for ccxt: its BingX client talks to a simulated exchange in place of BingX."""

from __future__ import annotations

from typing import Any, TypeVar

from ..simulator.settings import DEFAULT

T = TypeVar("T")


def redirect(client: T, *, rest_url: str, ws_url: str, api_key: str = DEFAULT, api_secret: str = DEFAULT) -> T:
    """Point a BingX client of ccxt, synchronous, asynchronous or pro, at an exchange, and return it.

    From then on the client is in ccxt's sandbox mode, in which ccxt knows only perpetual swaps. The keyword arguments
    are the fields of the first line that `listenkey simulate` prints.
    """
    made: Any = client
    made.apiKey, made.secret = api_key, api_secret
    made.options["defaultType"] = "swap"
    made.urls["test"] = dict.fromkeys(made.urls["test"], f"{rest_url}/openApi")
    made.urls["test"]["ws"] = {"linear": ws_url}
    made.set_sandbox_mode(True)
    return client
