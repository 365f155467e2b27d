"""A private key may be given in place of the secret; it is used unchanged, and none of its lines is shown."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import listenkey
from listenkey.adapters.cli.credentials import credentials
from listenkey.adapters.cli.exits import Failure
from listenkey.adapters.cli.secrecy import KEY_VARIABLE, SECRET_VARIABLE, redacted

PEM = (
    Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
BODY = PEM.splitlines()[1]


@pytest.fixture(params=["real line ends", "written line ends"], name="secret")
def fixture_secret(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    secret = PEM if request.param == "real line ends" else PEM.replace("\n", "\\n")
    monkeypatch.setenv(KEY_VARIABLE, "an-api-key")
    monkeypatch.setenv(SECRET_VARIABLE, secret)
    return secret


def test_the_variable_is_taken_as_it_is(secret: str) -> None:
    """The private key is read from its variable unchanged, with its spaces and line ends."""
    assert credentials() == ("an-api-key", secret)


def test_no_line_of_it_is_shown(secret: str) -> None:
    """A text that holds the private key or a part of it is shown without the key's lines."""
    for text in (secret, BODY, f"line 2: {BODY[:40]}...{BODY}"):
        assert BODY not in redacted(text)


def test_other_secrets_have_no_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is no private key, and any API key, may have printable ASCII characters only, and no spaces."""
    for key, secret in (("an-api-key", "a secret"), (PEM, "secret"), ("an-api-key", "-----BEGIN é")):
        monkeypatch.setenv(KEY_VARIABLE, key)
        monkeypatch.setenv(SECRET_VARIABLE, secret)
        with pytest.raises(Failure, match="printable ASCII"):
            credentials()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_venue_opens_with_it(secret: str) -> None:
    """A venue opens with a private key, and refuses a damaged one at once with an error that does not show it."""
    listenkey.open_venue("binance-usdm", api_key="an-api-key", api_secret=secret)
    with pytest.raises(ValueError, match="Ed25519 or RSA") as caught:
        listenkey.open_venue("binance-usdm", api_key="an-api-key", api_secret=secret.replace(BODY[:8], "AAAAAAAA"))
    assert BODY[8:] not in str(caught.value)
