"""The checks of a call's credentials: API key header, signature of query and body as sent, and timestamp."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

from ..signature import sign
from .errors import Refusal, invalid, missing

SIGNATURE = "signature"
AHEAD_MS = 1000
WINDOW_MS, LONGEST_WINDOW_MS = 5000, 60_000
PEM = "-----BEGIN"


def parameters(query: str, body: bytes) -> dict[str, str]:
    """All parameters of a call, from its query and its form. Raises `Refusal` for a body that is no text."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refusal(-1100, "Illegal characters found in a parameter.") from None
    return dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(text, keep_blank_values=True))


def check_key(credentials: Mapping[str, str], given: str | None, hint: str = "") -> str:
    """Return the secret of the API key. Raises `Refusal` if the key is missing or unknown."""
    if not given:
        raise Refusal(-2014, "API-key format invalid.")
    if given not in credentials:
        raise Refusal(-2015, "Invalid API-key, IP, or permissions for action." + (f" {hint}" if hint else ""))
    return credentials[given]


def check_signature(secret: str, query: str, body: bytes, hint: str = "") -> None:
    """Raise `Refusal` unless the signature of query and body together, as they were sent, fits the secret."""
    given, parts = "", []
    for text in (query, body.decode()):
        kept = []
        for part in text.split("&"):
            name, _, value = part.partition("=")
            if name == SIGNATURE:
                given = unquote(value)
            elif part:
                kept.append(part)
        parts.append("&".join(kept))
    if not given:
        raise missing(SIGNATURE)
    if not _is_signed(secret, "".join(parts), given):
        raise Refusal(-1022, "Signature for this request is not valid." + (f" {hint}" if hint else ""))


def check_timestamp(params: Mapping[str, str], now: int, *, tolerant: bool) -> None:
    """Raise `Refusal` for a timestamp that is no number, or is too far from `now`, ms (unless `tolerant`)."""
    stamp, window = params.get("timestamp", ""), params.get("recvWindow", "") or str(WINDOW_MS)
    if not stamp.isdecimal():
        raise missing("timestamp")
    if not window.isdecimal():
        raise invalid("recvWindow")
    if int(window) > LONGEST_WINDOW_MS:
        raise Refusal(-1131, "recvWindow must be less than 60000.")
    if tolerant:
        return
    if int(stamp) >= now + AHEAD_MS:
        raise Refusal(-1021, f"Timestamp for this request was {AHEAD_MS}ms ahead of the server's time.")
    if now - int(stamp) > int(window):
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _is_signed(secret: str, text: str, given: str) -> bool:
    if not secret.lstrip().startswith(PEM):
        return hmac.compare_digest(sign(secret, text).encode(), given.encode())
    try:
        return _is_signed_by(secret, text.encode(), b64decode(given, validate=True))
    except binascii.Error:
        return False


def _is_signed_by(pem: str, text: bytes, signature: bytes) -> bool:
    """True if the signature was made with the Ed25519 or RSA key in a PEM text, which may be private or public."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    data = pem.strip().replace("\\n", "\n").encode()
    key = load_pem_private_key(data, password=None) if b"PRIVATE" in data else load_pem_public_key(data)
    if isinstance(key, (Ed25519PrivateKey, RSAPrivateKey)):
        key = key.public_key()
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, text)
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, text, PKCS1v15(), SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True
