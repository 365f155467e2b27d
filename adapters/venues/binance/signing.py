"""Signs requests: the query as it is sent, byte for byte, with HMAC-SHA256 or with an Ed25519 or RSA key.

The registration of the API key decides which. A private key is given as a PEM text in place of the secret; its line
ends may be written `\\n`, as in a variable of the environment.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote

Params = Mapping[str, str | int]
Sign = Callable[[str], str]
"""A function that returns the signature of a query, not yet percent-encoded."""
PEM = "-----BEGIN"


def encoded(params: Params) -> str:
    """The query to be signed, with everything but letters, digits and `-._~` percent-encoded."""
    return "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in params.items())


def signed(query: str, sign: Sign) -> tuple[str, str]:
    """Return the query with its signature as last parameter, and the signature itself."""
    signature = sign(query)
    return f"{query}&signature={quote(signature, safe='')}", signature


def signer(secret: str) -> Sign:
    """Return the function that signs with this secret.

    Raises `ValueError`, in one line, for a PEM text that is no unencrypted Ed25519 or RSA key, and `ImportError` if
    the library for it is not installed.
    """
    if secret.lstrip().startswith(PEM):
        return _key_signer(secret)
    key = secret.encode()
    return lambda query: hmac.new(key, query.encode(), hashlib.sha256).hexdigest()


def _key_signer(secret: str) -> Sign:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ImportError("a private key as the secret needs the extra listenkey[keys]") from None
    try:
        key = load_pem_private_key(secret.strip().replace("\\n", "\n").encode(), password=None)
    except Exception:  # its message may quote the key
        key = None
    if isinstance(key, Ed25519PrivateKey):
        private = key
        return lambda query: b64encode(private.sign(query.encode())).decode()
    if isinstance(key, RSAPrivateKey):
        rsa = key
        return lambda query: b64encode(rsa.sign(query.encode(), PKCS1v15(), SHA256())).decode()
    raise ValueError("api_secret begins like a private key in PEM and is no unencrypted Ed25519 or RSA key")
