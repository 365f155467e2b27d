"""The signed text is the sent text, byte for byte, with each kind of key."""

from __future__ import annotations

import sys
from base64 import b64decode
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256

from listenkey.adapters.venues.binance.signing import encoded, signed, signer

FUTURES = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
SPOT = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
VECTORS = [
    (
        FUTURES,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
        "&recvWindow=5000&timestamp=1591702613943",
        "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
    ),
    (
        SPOT,
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    ),
]
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey) -> str:
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return raw.decode()


@pytest.mark.parametrize(("secret", "query", "signature"), VECTORS)
def test_hmac(secret: str, query: str, signature: str) -> None:
    """HMAC signatures are those of the venue's documents."""
    assert signed(query, signer(secret)) == (f"{query}&signature={signature}", signature)


def test_encoded_before_it_is_signed() -> None:
    """Values are percent-encoded before they are signed, in the caller's order, symbols beyond ASCII too."""
    assert encoded({"symbol": "币安人生USDT", "b": "a b+c/d", "a": 5}) == (
        "symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&b=a%20b%2Bc%2Fd&a=5"
    )


@pytest.mark.parametrize("written", ["{}", " {}\n", "\n{}"])
@pytest.mark.parametrize("in_one_line", [False, True])
def test_ed25519(written: str, in_one_line: bool) -> None:
    """An Ed25519 signature verifies over the sent query, and the key's line ends may be escaped, as in a variable."""
    text = pem(ED25519)
    secret = written.format(text.replace("\n", "\\n") if in_one_line else text)
    query, signature = signed("symbol=BTCUSDT&timestamp=5", signer(secret))
    sent = parse_qs(query)["signature"][0]
    assert sent == signature
    ED25519.public_key().verify(b64decode(sent), b"symbol=BTCUSDT&timestamp=5")


def test_rsa() -> None:
    """An RSA signature is PKCS#1 v1.5 with SHA-256, in base64."""
    key = generate_rsa(public_exponent=65537, key_size=2048)
    query, _ = signed("symbol=BTCUSDT&timestamp=5", signer(pem(key)))
    sent = parse_qs(query)["signature"][0]
    key.public_key().verify(b64decode(sent), b"symbol=BTCUSDT&timestamp=5", PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN",
        pem(generate_private_key(SECP256R1())),
        pem(ED25519).replace("PRIVATE", "ENCRYPTED PRIVATE"),
    ],
    ids=["nothing", "cut off", "another curve", "encrypted"],
)
def test_no_such_key(secret: str) -> None:
    """A key of another kind is refused in one line that does not show it."""
    with pytest.raises(ValueError, match="no unencrypted Ed25519 or RSA key") as caught:
        signer(secret)
    assert caught.value.__cause__ is None
    assert str(caught.value).count("\n") == 0


def test_without_what_reads_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A private key needs an extra, which the error names; a plain secret does not."""
    for name in [*sys.modules]:
        if name.startswith("cryptography.hazmat.primitives.asymmetric.ed25519"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    with pytest.raises(ImportError, match=r"listenkey\[keys\]"):
        signer(pem(ED25519))
    assert signed("a=1", signer("plain"))[0].startswith("a=1&signature=")
