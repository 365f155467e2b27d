"""Access to the simulated venue: API keys, signatures of queries and bodies, and timestamps."""

from __future__ import annotations

import pytest

from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.parameters import parameters
from listenkey.adapters.simulator.signature import check_key, check_signature, check_timestamp, sign


def test_signatures() -> None:
    """A signature is lower-case hex over the raw or decoded query as sent, with the signature at any place in it."""
    unsorted = "timestamp=1&recvWindow=0"
    check_signature("secret", f"{unsorted}&signature={sign('secret', unsorted)}")
    with pytest.raises(OrderRefused) as refused:
        check_signature("secret", f"{unsorted}&signature={sign('secret', 'recvWindow=0&timestamp=1')}")
    assert refused.value.code == 100001
    query = "recvWindow=0&symbol=BTC-USDT&timestamp=1696751141337"
    good = sign("secret", query)
    check_signature("secret", f"{query}&signature={good}")
    check_signature("secret", f"signature={good}&{query}")
    encoded = "a=%5B1%5D&timestamp=1"
    check_signature("secret", f"{encoded}&signature={sign('secret', 'a=[1]&timestamp=1')}")
    for bad in (good.upper(), "0" * 64):
        with pytest.raises(OrderRefused) as refused:
            check_signature("secret", f"{query}&signature={bad}")
        assert refused.value.code == 100001
    for missing in ("", query, f"{query}&signature="):
        with pytest.raises(OrderRefused) as refused:
            check_signature("secret", missing)
        assert refused.value.code == 100412


def test_api_keys() -> None:
    """Each API key has its own secret, and a refusal has a hint at the right credentials."""
    credentials = {"key": "secret", "other": "another"}
    assert [check_key(credentials, key) for key in credentials] == ["secret", "another"]
    for wrong in (None, "", "KEY", "secret"):
        with pytest.raises(OrderRefused, match="API management page") as refused:
            check_key(credentials, wrong)
        assert refused.value.code == 100413
        with pytest.raises(OrderRefused, match=r"^Incorrect apiKey, look in the drawer$"):
            check_key(credentials, wrong, "look in the drawer")
    with pytest.raises(OrderRefused, match=r"mismatch, look in the drawer$"):
        check_signature("secret", "timestamp=1&signature=0", hint="look in the drawer")


SORTED = "price=60000.10&quantity=5&symbol=BTC-USDT&timestamp=1&z=true"
BODIES = [
    "z=true&timestamp=1&symbol=BTC-USDT&quantity=5&price=60000.10&signature={}",
    "signature={}&price=60000.10&quantity=5&symbol=BTC%2DUSDT&timestamp=1&z=true",
    '{{"z":true,"timestamp":1,"symbol":"BTC-USDT","quantity":5,"price":60000.10,"none":null,"signature":"{}"}}',
    ' {{"symbol": "BTC-USDT", "quantity": "5", "price": "60000.10", "timestamp": "1", "z": "true", "signature": "{}"}}',
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_signed_in_the_order_of_its_names(body: str) -> None:
    """A form or JSON body is signed in the order of its names, with its numbers as they are written."""
    signed = body.format(sign("secret", SORTED))
    check_signature("secret", "", signed.encode())
    values = {"price": "60000.10", "quantity": "5", "symbol": "BTC-USDT", "timestamp": "1", "z": "true"}
    assert parameters("", signed.encode()).values == values | {"signature": sign("secret", SORTED)}
    for text in (SORTED.replace("price", "Price"), "&".join(reversed(SORTED.split("&")))):
        with pytest.raises(OrderRefused) as refused:
            check_signature("secret", "", body.format(sign("secret", text)).encode())
        assert refused.value.code == 100001


def test_a_query_and_a_body_are_signed_together() -> None:
    """A query and a body are signed together in the order of their names; an empty body does not count."""
    text = "quantity=5&symbol=BTC-USDT&timestamp=1"
    signature = sign("secret", text)
    check_signature("secret", f"timestamp=1&signature={signature}", b"symbol=BTC-USDT&quantity=5")
    check_signature("secret", "timestamp=1", f'{{"symbol":"BTC-USDT","quantity":5,"signature":"{signature}"}}'.encode())
    unsorted = "timestamp=1&symbol=BTC-USDT"
    for empty in (b"", b"{}", b" "):
        check_signature("secret", f"{unsorted}&signature={sign('secret', unsorted)}", empty.strip())


@pytest.mark.parametrize("body", [b"{", b'{"a":1} x', b'{"a":' + b"[" * 20_000, b"\xff"])
def test_a_body_that_is_no_parameters(body: bytes) -> None:
    """A body that cannot be read is refused as invalid parameters."""
    with pytest.raises(OrderRefused) as refused:
        parameters("", body)
    assert refused.value.code == 109400


@pytest.mark.parametrize(
    ("params", "ok"),
    [
        ({"timestamp": "100000"}, True),
        ({"timestamp": "105000"}, True),
        ({"timestamp": "94999"}, False),
        ({"timestamp": "99000", "recvWindow": "500"}, False),
        ({"timestamp": "90000", "recvWindow": "20000"}, True),
        ({"timestamp": "soon"}, False),
        ({}, False),
    ],
)
def test_timestamps(params: dict[str, str], ok: bool) -> None:
    """A timestamp must be within recvWindow of the venue's clock, by default 5 s, or it is refused with 100421."""
    if ok:
        check_timestamp(params, 100_000, tolerant=False)
        return
    with pytest.raises(OrderRefused) as refused:
        check_timestamp(params, 100_000, tolerant=False)
    assert refused.value.code == 100421
