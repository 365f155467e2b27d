"""The register of secrets: which it knows and for how long, the forms in which it finds them, and what `repr` shows."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from listenkey.core import actions, inputs
from listenkey.core.dialect import Opening
from listenkey.core.events import ExchangeEventKind, Unknown
from listenkey.core.link.keyring import Found
from listenkey.core.reports import Heartbeat, KeyExpired, Unrecognised
from listenkey.core.secrets import FOREIGN, SIGNATURES, Secrets, pieces

KEY = 'Qx/+z~JqZ"\\ab=cdefgh'
STARS = "*" * len(KEY)
PADDING = st.binary(max_size=9)


def test_what_is_found_becomes_as_many_stars() -> None:
    """In text and in bytes a secret becomes stars; other text stays, and text without a secret is returned itself."""
    register = Secrets([KEY])
    assert register.redact(f"a {KEY} b {KEY}") == f"a {STARS} b {STARS}"
    assert register.redact(f"a {KEY} \ud800".encode(errors="surrogatepass")) == f"a {STARS} \ud800".encode(
        errors="surrogatepass"
    )
    calm = "nothing \ud800 here"
    assert register.redact(calm) is calm


@given(PADDING, PADDING, st.sampled_from(["JSON", "URL", "path", "hex", "HEX", "base64", "base64 for URLs", "wide"]))
@example(b"aa", b"", "base64")
def test_it_is_found_in_whatever_form(before: bytes, after: bytes, form: str) -> None:
    """A secret is found in each encoding, even encoded with its surroundings; a second pass changes nothing."""
    whole = before + KEY.encode() + after
    text = {
        "JSON": json.dumps(KEY)[1:-1].replace("/", "\\/"),
        "URL": quote(KEY, safe=""),
        "path": quote(KEY),
        "hex": whole.hex(),
        "HEX": whole.hex().upper(),
        "base64": base64.b64encode(whole).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(whole).decode(),
        "wide": KEY.encode("utf-16-le").decode(),
    }[form]
    register = Secrets([KEY])
    found = register.redact(text)
    assert len(found) == len(text)
    assert found.count("*") >= len(KEY)
    assert register.redact(found) == found


@pytest.mark.parametrize("end", range(len(KEY)))
def test_a_beginning_of_eight_at_the_end_is_found(end: int) -> None:
    """The last eight or more characters are redacted if a secret begins with them: the text may have been cut there."""
    register = Secrets([KEY])
    expected = f"? {'*' * end}" if end >= 8 else f"? {KEY[:end]}"
    assert register.redact(f"? {KEY[:end]}") == expected
    wide = f"? {KEY[:end]}".encode("utf-16-le")
    assert (KEY[:8].encode("utf-16-le") in register.redact(wide)) is False
    repeated = Secrets(["abcdefgh" * 3])
    assert repeated.redact("x" + "abcdefgh" * 2 + "abc") == "x" + "*" * 19
    assert repeated.redact("abcdefgh, " + "abcdefgh"[:end]).startswith("abcdefgh, ")


@given(st.integers(1, 24), st.integers(8, 40), st.booleans(), st.booleans())
@example(overlap=16, length=40, wide=False, first=False)
@example(overlap=12, length=31, wide=True, first=True)
def test_secrets_that_overlap_are_both_hidden(overlap: int, length: int, wide: bool, first: bool) -> None:
    """Where one secret ends in the other's beginning, both are starred, also if the text is cut within them."""
    one = "abcdefghijklmnopqrstuvwx"
    other = one[-overlap:] + "0123456789ABCDEF"
    register = Secrets([one, other] if first else [other, one])
    text = (one + other[overlap:])[:length]
    found = register.redact(f"? {text}".encode("utf-16-le" if wide else "utf-8"))
    hidden = len(text) if len(text) - len(one) + overlap >= 8 else len(one)
    assert found.replace(b"\0", b"").replace(b"*", b"").decode() == f"? {text[hidden:]}"


@pytest.mark.parametrize("form", ["letters", "signs", "signs of pages"])
def test_it_is_found_as_json_may_escape_it(form: str) -> None:
    """A proxy's password may have any letters, and JSON may escape them in several ways."""
    password = 'pässw<örd>&"\t/\\'
    text = {
        "letters": json.dumps(password),
        "signs": json.dumps(password, ensure_ascii=False),
        "signs of pages": "".join(f"\\u{ord(sign):04x}" if sign in "<>&" else sign for sign in json.dumps(password)),
    }[form]
    assert set(Secrets([password]).redact(text[1:-1])) == {"*"}


def test_a_secret_that_repeats_itself_is_found_across_itself() -> None:
    """The second place of the secret begins within the first."""
    assert Secrets(["abcdabcdabcd"]).redact("? abcdabcdabcdabcd !") == f"? {'*' * 16} !"


def test_keys_are_known_for_two_validities() -> None:
    """Keys are known for two validities from their last grant or renewal; the next grant then drops them."""
    register = Secrets()
    register.grant("first-key-1", now=0.0, valid_for=60)
    register.grant("first-key-2", now=0.0, valid_for=60)
    register.grant("first-key-2", now=60.0, valid_for=60)
    register.grant("later-key-3", now=120.0, valid_for=60)
    assert register.redact("first-key-1") == "*" * 11
    register.grant("later-key-4", now=121.0, valid_for=60)
    assert register.redact("first-key-1 first-key-2") == "first-key-1 " + "*" * 11
    register.grant("tiny", now=500.0, valid_for=60)
    assert register.redact("tiny first-key-2 later-key-4") == "tiny first-key-2 later-key-4"
    assert repr(register) == "Secrets(0 known)"


def test_signatures_and_foreign_keys_are_known_as_long_as_they_are_among_the_last() -> None:
    """Only the last ones are known, so that there are never too many to search for."""
    register = Secrets()
    for number in range(SIGNATURES + 1):
        register.sign(f"signature-{number:03}")
    for number in range(FOREIGN + 1):
        register.name(f"foreign-key-{number:03}")
    assert register.redact("signature-000 signature-001") == "signature-000 *************"
    assert register.redact("foreign-key-000 foreign-key-001") == "foreign-key-000 ***************"
    register.name(f"foreign-key-{FOREIGN:03}")
    register.name("x" * 600)
    register.sign("short")
    assert repr(register) == f"Secrets({SIGNATURES + FOREIGN} known)"


def test_the_shortest_says_what_need_not_be_searched() -> None:
    """A text of fewer than eight characters is no secret."""
    register = Secrets(["tiny", ""])
    assert register.shortest > 10**9
    register.sign("0123456789ab")
    assert register.shortest == 12
    register.grant("0123456789", now=0.0, valid_for=1)
    assert register.shortest == 10
    register.name("012345678")
    assert register.shortest == 9
    assert register.redact("tiny") == "tiny"


def test_values_do_not_show_what_they_carry() -> None:
    """`repr` of a value shows neither keys nor frames, only their lengths; everything else is shown."""
    event = Unknown(kind=ExchangeEventKind.UNKNOWN, event_id="u", exchange_ts=1, source="ws", frame=KEY, raw=None)
    carriers = (
        inputs.KeyGranted(1, KEY, 3600.0),
        inputs.FrameReceived(1, KEY.encode()),
        actions.RenewKey(2, KEY),
        actions.DeleteKey(3, KEY),
        actions.OpenSocket(3, KEY),
        actions.SendFrame(3, KEY),
        Heartbeat(KEY),
        KeyExpired(KEY),
        Unrecognised({KEY: KEY}),
        Opening("id", KEY),
        Found(KEY, 0.0, 3600.0),
        event,
    )
    assert not [each for each in carriers if KEY[:8] in repr(each)]
    assert repr(carriers[0]) == "KeyGranted(request=1, key=<str of 20>, valid_for=3600.0, exchange_ms=None)"
    assert repr(KeyExpired(None)) == "KeyExpired(key=None)"
    assert "content=<int>" in repr(Unrecognised(5))


LINES = [
    "-----BEGIN PRIVATE KEY-----",
    "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkK",
    "CwwNDg8QERITFBUWFxgZGhscHR4f",
    "-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
def test_each_line_of_a_private_key_is_secret(end: str) -> None:
    """Each line of the key is starred, with any line ending and also alone; the lines of dashes are not."""
    register = Secrets([end.join(LINES) + end])
    for line in LINES:
        shown = register.redact(f"line: {line}!")
        assert ("*" in shown) is (not line.startswith("-")), shown
    assert LINES[1] not in register.redact(" ".join(LINES))
    assert pieces("one line") == ("one line",)
