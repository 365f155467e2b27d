"""The pure parts of Binance's wire: shared keys, weights and bans, signatures, readings, faults."""

from __future__ import annotations

import re
import string
from base64 import b64encode
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from listenkey.adapters.simulator.binance import limits
from listenkey.adapters.simulator.binance.errors import Refusal
from listenkey.adapters.simulator.binance.faults import FAULTS, GARBAGE
from listenkey.adapters.simulator.binance.garbage import garbage
from listenkey.adapters.simulator.binance.keys import SharedKeys
from listenkey.adapters.simulator.binance.limits import Limits
from listenkey.adapters.simulator.binance.readings import Readings, readings
from listenkey.adapters.simulator.binance.signature import check_signature, check_timestamp, parameters
from listenkey.adapters.simulator.faults import Fault, Faults, parse_fault

HOUR = 3_600_000


def test_everybody_is_given_the_same_key() -> None:
    """An account has one key of 64 letters and digits, valid for an hour after it was last obtained or extended."""
    keys = SharedKeys()
    key = keys.obtain("account", 0)
    assert len(key) == 64
    assert set(key) <= set(string.ascii_letters + string.digits)
    assert keys.obtain("account", HOUR - 1) == key
    assert keys.extend("account", 2 * HOUR - 2) == key
    assert keys.current("account", 3 * HOUR - 3) == key
    assert keys.expired(3 * HOUR - 3) == []
    assert keys.extend("account", 3 * HOUR - 2) is None
    assert keys.expired(3 * HOUR - 2) == [key]
    assert keys.obtain("account", 3 * HOUR) != key


def test_owners_have_keys_of_their_own() -> None:
    """Each owner has its own key, and a deletion ends only that one."""
    keys = SharedKeys()
    first, second = keys.obtain("a", 0), keys.obtain("b", 0)
    assert first != second
    assert keys.delete(first, 1)
    assert keys.current("a", 1) is None
    assert keys.current("b", 1) == second
    assert keys.owners() == ["a", "b"]


@pytest.mark.parametrize("pushed", [True, False])
def test_a_deletion_is_an_expiry_or_silence(pushed: bool) -> None:
    """A deletion is pushed as an expiry, or with `pushed=False` not at all, and a second one finds no key."""
    keys = SharedKeys(pushed=pushed)
    key = keys.obtain("account", 0)
    assert keys.delete(key, 5)
    assert not keys.delete(key, 5)
    assert not keys.valid(key, 5)
    assert keys.expired(5) == ([key] if pushed else [])


def test_weight_is_of_an_address_and_a_minute_of_the_clock() -> None:
    """An address has a weight of 2400 in a minute of the clock; a call beyond it is refused with the seconds left."""
    weights = Limits(Readings())
    for _ in range(60):
        weights.admit("a", 40, 90_000)
    assert weights.headers("a", 90_000) == {"X-MBX-USED-WEIGHT-1M": "2400"}
    with pytest.raises(Refusal) as refused:
        weights.admit("a", 1, 90_000)
    assert (refused.value.code, refused.value.status, refused.value.headers) == (-1003, 429, {"Retry-After": "30"})
    weights.admit("b", 1, 90_000)
    weights.admit("a", 1, 120_000)
    assert weights.headers("a", 120_000) == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_who_goes_on_is_banned_and_longer_each_time() -> None:
    """The eleventh call beyond the limit bans the address for two minutes, and the next ban is twice as long."""
    weights, now, spans = Limits(Readings(retry_after="missing")), 0, []
    for _ in range(2):
        weights.admit("a", 2400, now)
        refusals = []
        for _ in range(11):
            with pytest.raises(Refusal) as refused:
                weights.admit("a", 1, now)
            refusals.append(refused.value)
        assert [each.status for each in refusals] == [429] * 10 + [418]
        assert not refusals[-1].headers
        until = int(refusals[-1].message.partition("banned until ")[2].split(".")[0])
        spans.append(until - now)
        with pytest.raises(Refusal, match="banned until"):
            weights.admit("a", 1, until - 1)
        now = until
    assert spans == [120_000, 240_000]


def test_orders_are_counted_by_account() -> None:
    """An account may place 300 orders in ten seconds and 1200 in a minute, in windows of the clock."""
    orders = Limits(Readings())
    for second in range(4):
        orders.order("account", 300, second * 10_000)
    assert orders.order_headers("account", 30_000) == {
        "X-MBX-ORDER-COUNT-10S": "300",
        "X-MBX-ORDER-COUNT-1M": "1200",
    }
    for now, span in ((30_000, "10 SECOND"), (40_000, "1 MINUTE")):
        with pytest.raises(Refusal, match=span):
            orders.order("account", 1, now)
    orders.order("account", 1, 60_000)
    assert limits.ORDERS["1M"][1] == 1200


def test_without_limits_everything_is_counted_and_nothing_refused() -> None:
    """Without limits no call is refused; `used_weight="unknown"` gives the testnet's header of -1."""
    weights = Limits(Readings(used_weight="unknown"), enabled=False)
    weights.admit("a", 5000, 0)
    weights.order("account", 5000, 0)
    assert weights.headers("a", 0) == {"X-MBX-USED-WEIGHT-1M": "-1"}


SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
SIGNED = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (f"{SIGNED}&signature={SIGNATURE}", b""),
        ("", f"{SIGNED}&signature={SIGNATURE}".encode()),
        (SIGNED[:50], f"{SIGNED[50:]}&signature={SIGNATURE}".encode()),
    ],
)
def test_a_signature_is_of_query_and_body_together(query: str, body: bytes) -> None:
    """The published signature holds for its parameters in the query, in the body, or split without a separator."""
    check_signature(SECRET, query, body)
    with pytest.raises(Refusal) as refused:
        check_signature("other", query, body)
    assert refused.value.code == -1022


def test_keys_of_other_kinds_sign_too() -> None:
    """Ed25519 and RSA signatures are checked by the public or the private key, and a wrong one is refused."""
    ed, rsa = Ed25519PrivateKey.generate(), generate_private_key(65537, 2048)
    given: dict[Ed25519PrivateKey | RSAPrivateKey, bytes] = {
        ed: ed.sign(SIGNED.encode()),
        rsa: rsa.sign(SIGNED.encode(), PKCS1v15(), SHA256()),
    }
    for key, signature in given.items():
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        query = f"{SIGNED}&signature={quote(b64encode(signature).decode(), safe='')}"
        for pem in (public, private, private.replace("\n", "\\n")):
            check_signature(pem, query, b"")
            for wrong in (query.replace("BUY", "SELL"), f"{SIGNED}&signature=no-base64!"):
                with pytest.raises(Refusal, match="Signature"):
                    check_signature(pem, wrong, b"")


def test_what_is_not_signed_is_refused() -> None:
    """A call without a signature is refused with -1102."""
    with pytest.raises(Refusal) as refused:
        check_signature(SECRET, SIGNED, b"")
    assert refused.value.code == -1102


@pytest.mark.parametrize(
    ("params", "tolerant", "code"),
    [
        ({}, False, -1102),
        ({"timestamp": "x"}, False, -1102),
        ({"timestamp": "95000"}, False, None),
        ({"timestamp": "94999"}, False, -1021),
        ({"timestamp": "94999", "recvWindow": "5001"}, False, None),
        ({"timestamp": "100999"}, False, None),
        ({"timestamp": "101000"}, False, -1021),
        ({"timestamp": "1"}, True, None),
        ({"timestamp": "100000", "recvWindow": "60001"}, True, -1131),
        ({"timestamp": "100000", "recvWindow": "x"}, False, -1130),
    ],
)
def test_a_timestamp_is_near_the_servers_time(params: dict[str, str], tolerant: bool, code: int | None) -> None:
    """A timestamp may be less than a second ahead and at most recvWindow old, by default five seconds."""
    if code is None:
        check_timestamp(params, 100_000, tolerant=tolerant)
        return
    with pytest.raises(Refusal) as refused:
        check_timestamp(params, 100_000, tolerant=tolerant)
    assert refused.value.code == code


def test_parameters_are_text() -> None:
    """The parameters of a query and a form are joined, and bytes that are no text are refused."""
    assert parameters("a=1&b=%20", b"c=2") == {"a": "1", "b": " ", "c": "2"}
    with pytest.raises(Refusal):
        parameters("", b"\xff")


def test_every_fact_has_its_readings() -> None:
    """Each reading of a fact can be chosen; the first is the default, and an unknown one is refused."""
    for name, hint in get_type_hints(Readings).items():
        allowed = get_args(hint)
        assert len(allowed) > 1
        assert getattr(readings({}), name) == allowed[0]
        for reading in allowed:
            assert getattr(readings({name: reading}), name) == reading
        with pytest.raises(ValueError, match=" or ".join(allowed)):
            readings({name: "neither"})
    with pytest.raises(ValueError, match="key_of"):
        readings({"weather": "fine"})


def test_faults_are_of_a_venue() -> None:
    """A fault of another venue is unknown to this one, and each fault has its own parameters with their bounds."""
    faults = Faults([parse_fault("eventless@1+2", FAULTS)], FAULTS)
    assert [each.name for each in faults.begin(1.0)] == ["eventless"]
    assert faults.active("eventless", 2.0) is not None
    assert faults.active("eventless", 3.0) is None
    faults.order("mint_error", at=4.0, count=2, code=-1000)
    faults.begin(4.0)
    taken = faults.take("mint_error", 4.0)
    assert taken is not None
    assert taken["code"] == -1000
    faults.clear("mint_error")
    assert faults.take("mint_error", 4.0) is None
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("same_key", {}),
        ("mint_error", {"code": 1}),
        ("garbage", {"kind": "x"}),
    ]
    for name, params in wrong:
        with pytest.raises(ValueError, match=name):
            Fault(name=name, params=params, kinds=FAULTS)
    assert set(GARBAGE) == {"", *garbage()}


def test_the_page_lists_every_reading() -> None:
    """The page's table lists each fact with its readings, the default first, as the code does."""
    page = (Path(__file__).parents[3] / "docs" / "trading-on-binance.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (`[^|]+) \| ", page, re.MULTILINE))
    assert {name: tuple(said.strip().replace("`", "").split(", ")) for name, said in rows.items()} == {
        name: get_args(hint) for name, hint in get_type_hints(Readings).items()
    }
