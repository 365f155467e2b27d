"""The account id in a balance's rows, and the host in an address."""

from __future__ import annotations

from typing import Any

import pytest

from listenkey.adapters.venues.bingx.hosts import HOSTS
from listenkey.adapters.venues.bingx.open import host
from listenkey.adapters.venues.bingx.rows import account_id

ONE, NOBODY = {"userId": "123", "asset": "USDT"}, {"userId": "", "asset": "USDC"}


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([ONE, NOBODY], "123"),
        ({"balance": ONE}, "123"),
        ({"balance": [NOBODY, ONE, ONE]}, "123"),
        ([{"userId": 123}], "123"),
        ([NOBODY, {"asset": "USDT"}, {"userId": None}], None),
        ([ONE, {"userId": "124"}], None),
        ([], None),
    ],
)
def test_whose_account_a_balance_names(data: Any, named: str | None) -> None:
    """The account id is the only one in the rows, or None if there is none or several."""
    assert account_id(data) == named


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (HOSTS["bingx-swap"].rest_url, "open-api.bingx.com"),
        ("https://open-api.bingx.pro", "open-api.bingx.com"),
        ("https://open-api.bingx.io/", "open-api.bingx.com"),
        (HOSTS["bingx-swap-vst"].rest_url, "open-api-vst.bingx.com"),
        ("https://Open-API-VST.BingX.pro.:443", "open-api-vst.bingx.com"),
        ("http://127.0.0.1:8765", "127.0.0.1"),
        ("http://[::1]:8765", "::1"),
    ],
)
def test_which_host_an_address_is(url: str, name: str) -> None:
    """A host is without scheme and port, fallback names count as the first name, and environments differ."""
    assert host(url) == name
