"""The owner of a journal: which API keys may use it, which must prove their account, and which are refused."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from listenkey.adapters.journal import JournalRefused, SqliteJournal, verify
from listenkey.core.reports import OrderRef
from listenkey.ports.errors import StreamStopped
from listenkey.ports.journal import OwnedJournal

from .test_journal_inspection import T, fill, order
from .test_journal_schema import ONE

VENUE, HOST, KEY, USER = "bingx-swap", "open-api.bingx.com", "api-key-of-the-first", "1341158271307522053"
KNOWN = OrderRef("BTC-USDT", "1")
BOTH_WAYS = ("SqliteJournal(path, adopt=True)", "watch --adopt-journal")


class Claim(NamedTuple):
    """The venue, host and API key of a stream, the venue's answers about the account, and the option `adopt`."""

    venue: str = VENUE
    host: str = HOST
    api_key: str = KEY
    user: str | None = USER
    found: frozenset[OrderRef] = frozenset()
    adopt: bool = False


Opener = Callable[[bool], SqliteJournal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.journal"


def started(path: Path, claim: Claim) -> bool:
    """Claim and recognise a journal; return True if it was recognised without the venue's answer."""
    with closing(SqliteJournal(path, adopt=claim.adopt)) as journal:
        journal.claim(claim.venue, claim.host, claim.api_key)
        at_once = journal.recognised
        if not at_once and not journal.witnesses(claim.user):
            assert claim.found == frozenset()
        journal.recognise(claim.user, claim.found)
        assert journal.recognised
        return at_once


def written(path: Path, first: Claim) -> None:
    """Write a journal with two orders and one fill, which is not dealt with."""
    started(path, first)
    with closing(SqliteJournal(path)) as journal:
        journal.begin(T)
        journal.append([order("1"), order("2"), fill("2", "1", "1")], T)
        journal.mark(2)


@pytest.fixture
def owned(path: Path) -> Iterator[Path]:
    written(path, Claim())
    yield path
    assert verify(path) == []


def test_it_is_the_port(path: Path) -> None:
    """A `SqliteJournal` is an `OwnedJournal`, which is how the driver finds journals with an owner."""
    with closing(SqliteJournal(path)) as journal:
        assert isinstance(journal, OwnedJournal)


def test_its_account_goes_on(owned: Path) -> None:
    """A known API key is recognised at once, a new one after the venue names the same account, and then it is known."""
    assert started(owned, Claim())
    assert not started(owned, Claim(api_key="new"))
    assert started(owned, Claim(api_key="new"))
    assert started(owned, Claim())


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (Claim(venue="bingx-swap-vst"), "is of an account of bingx-swap, not of bingx-swap-vst"),
        (Claim(venue="bingx-swap-vst", adopt=True), "is of an account of bingx-swap, not of bingx-swap-vst"),
        (Claim(host="127.0.0.1"), "was written at open-api.bingx.com, not at 127.0.0.1"),
        (Claim(api_key="other", user="7"), "is of another account than the API key"),
        (Claim(api_key="other", user="7", adopt=True), "is of another account than the API key"),
        (Claim(host="127.0.0.1", user="7", adopt=True), "is of another account than the API key"),
        (Claim(api_key="other", user=None), "has not seen this API key"),
    ],
    ids=str,
)
def test_others_are_refused(owned: Path, claim: Claim, said: str) -> None:
    """Another account is refused in one line, and the journal stays as it was and usable by its own account."""
    with pytest.raises(JournalRefused) as caught:
        started(owned, claim)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(owned) in str(caught.value)
    with closing(SqliteJournal(owned)) as journal:
        assert [entry.serial for entry in journal.unmarked()] == [3]
    assert started(owned, Claim())


def test_what_may_be_adopted_names_how(owned: Path) -> None:
    """If the account may be the same one, the error says how to adopt the journal."""
    for claim in (Claim(host="127.0.0.1"), Claim(api_key="other", user=None)):
        with pytest.raises(JournalRefused) as caught:
            started(owned, claim)
        assert all(way in str(caught.value) for way in BOTH_WAYS)


def test_without_two_ids_an_order_shows_it(path: Path) -> None:
    """If one of the two account ids is unknown, a new API key is proven by an order that the venue knows."""
    written(path, Claim(user=None))
    with closing(SqliteJournal(path)) as journal:
        journal.claim(VENUE, HOST, "new")
        assert journal.witnesses(None) == journal.witnesses(USER) == [OrderRef("BTC-USDT", "2"), KNOWN]
    for user in (None, USER):
        with pytest.raises(JournalRefused, match="nothing shows whose it is"):
            started(path, Claim(api_key="new", user=user))
    assert not started(path, Claim(api_key="new", user=USER, found=frozenset({KNOWN})))
    with pytest.raises(JournalRefused, match="another account"):  # since then the id is known
        started(path, Claim(api_key="third", user="7"))


@pytest.mark.parametrize("claim", [Claim(api_key="new", user=None), Claim(host="127.0.0.1")], ids=str)
def test_adopting_takes_it_on_trust(owned: Path, claim: Claim, caplog: pytest.LogCaptureFixture) -> None:
    """An API key without proof, or another host, is adopted with one warning, and is known from then on."""
    with caplog.at_level(logging.WARNING, "listenkey"):
        assert not started(owned, claim._replace(adopt=True))
    assert caplog.messages == [f"{owned}: the journal was adopted for another API key or place of its account"]
    assert started(owned, claim)


def test_a_journal_of_before_adopts_the_first(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A journal without an owner is used at once, with one warning, and belongs to that account from then on."""
    shutil.copy(ONE, path)
    with caplog.at_level(logging.WARNING, "listenkey"):
        assert started(path, Claim())
        assert started(path, Claim())
    assert caplog.messages == [f"{path}: the journal did not know whose it is; from now on it is this account's"]
    with pytest.raises(JournalRefused, match="another account"):
        started(path, Claim(api_key="other", user="7"))
    assert verify(path) == []


def test_it_is_nobodys_until_an_api_key_has_proven_well(path: Path) -> None:
    """A claim by an API key that the venue has not answered does not make the journal that account's."""
    with closing(SqliteJournal(path)) as journal:
        journal.claim(VENUE, HOST, "mistyped")
        assert journal.recognised
    with closing(SqliteJournal(path)) as journal:
        journal.claim("bingx-swap-vst", "open-api-vst.bingx.com", KEY)
        assert journal.recognised


def test_the_id_may_come_later(path: Path) -> None:
    """An account id that comes after the first recognition is stored, and another account is refused."""
    with closing(SqliteJournal(path)) as journal:
        journal.claim(VENUE, HOST, KEY)
        journal.recognise(None)
        journal.recognise(USER)
    with pytest.raises(JournalRefused, match="another account"):
        started(path, Claim(api_key="other", user="7"))


def test_another_account_behind_the_same_api_key(owned: Path) -> None:
    """If the venue names another account for a known API key, the running stream stops."""
    with closing(SqliteJournal(owned)) as journal:
        journal.claim(VENUE, HOST, KEY)
        journal.recognise(None)
        with pytest.raises(StreamStopped, match="another account than the venue now names"):
            journal.recognise("7")


def test_one_claim_at_a_time(owned: Path) -> None:
    """An open journal may be claimed again with the same venue, host and API key, but not with others."""
    with closing(SqliteJournal(owned)) as journal:
        journal.claim(VENUE, HOST, "new")
        journal.claim(VENUE, HOST, "new")
        for other in ((VENUE, HOST, KEY), ("bingx-swap-vst", HOST, "new")):
            with pytest.raises(JournalRefused):
                journal.claim(*other)
        assert not journal.recognised


def test_the_file_names_nobody(owned: Path, tmp_path: Path) -> None:
    """The file has salted digests of account and API key, which differ between two files of one account."""
    written(tmp_path / "other.journal", Claim())
    digests = []
    for path in (owned, tmp_path / "other.journal"):
        content = path.read_bytes()
        assert KEY.encode() not in content
        assert USER.encode() not in content
        with closing(SqliteJournal(path)) as journal:
            digests += [journal._owner._account, *journal._owner._keys]
    assert len(set(digests)) == 4
