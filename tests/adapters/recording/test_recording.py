"""A recording replays without a difference, contains no secret, and never ends a stream."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey import open_venue
from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording.recorder import MAGIC, Recorder
from listenkey.adapters.recording.replay import UnusableRecording, replay, steps
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import inputs
from listenkey.core.events import ExchangeEventKind, Fill
from listenkey.core.policy import Policy

from ...surroundings.account import Customer, Place, Service
from ...surroundings.life import venue_of
from .session import CANARIES, FOREIGN, SECRET, Session

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), st.sampled_from([0.1, 1.0, 9.0, 70.0])),
        st.tuples(st.just("names_key"), st.integers(0, 21)),
        st.tuples(st.just("says"), st.one_of(st.binary(max_size=60), st.text(max_size=60))),
        st.sampled_from([("trades",), ("breaks",)]),
    ),
    max_size=25,
)


def a_long_session(path: Path) -> Session:
    session = Session(path)
    for how in range(22):
        session.passes(3.0 * how)
        session.trades()
        session.names_key(how)
        if how % 5 == 4:
            session.breaks()
        if how % 7 == 6:
            session.feed(inputs.Rotate())
    session.passes(400)
    session.feed(inputs.Stop())
    session.recorder.close()
    return session


@given(STEPS, st.integers())
@settings(deadline=None, max_examples=60)
def test_what_was_recorded_replays_without_a_difference_and_shows_no_secret(script: list[Any], seed: int) -> None:
    """A recording of any inputs in any order replays without a difference and contains no secret."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.rec")
        session = Session(path, seed=seed)
        for name, *details in script:
            getattr(session, name)(*details)
        session.recorder.close()
        assert replay(path) is None
        content = path.read_bytes()
        assert not any(secret.encode() in content for secret in (*CANARIES, FOREIGN, SECRET))


def test_keys_become_placeholders_of_their_length_and_the_frames_stay_whole(tmp_path: Path) -> None:
    """The file has no key or secret and no long part of one, and it still has the frames."""
    path = tmp_path / "run.rec"
    a_long_session(path)
    assert replay(path) is None
    content = path.read_bytes()
    for secret in (*CANARIES, FOREIGN, SECRET):
        assert secret.encode() not in content
        assert secret[:24].encode() not in content
    assert b"ORDER_TRADE_UPDATE" in content
    assert steps(path) > 100


@pytest.mark.parametrize("hash_seed", ["1", "2", "3"])
def test_a_replay_is_the_same_in_another_process(tmp_path: Path, hash_seed: str) -> None:
    """A replay does not depend on how a process hashes its strings."""
    path = tmp_path / "run.rec"
    a_long_session(path)
    script = f"from listenkey.adapters.recording.replay import replay; print(replay({str(path)!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "None\n"


def test_a_run_that_resumes_is_recorded_with_what_it_was_given(tmp_path: Path) -> None:
    """A recording of a resumed run has its checkpoint, so that it replays without a difference."""
    fill = Fill(
        kind=ExchangeEventKind.PARTIAL_FILL,
        event_id="fill:BTC-USDT:1:0.5",
        exchange_ts=1_699_999_999_000,
        source="ws",
        frame=b"{}",
        symbol="BTC-USDT",
        order_id="1",
        client_order_id=None,
        side="BUY",
        position_side="LONG",
        order_type="LIMIT",
        status="PARTIALLY_FILLED",
        price=Decimal("64000.10"),
        qty=Decimal(1),
        cumulative_qty=Decimal("0.50"),
        fill_qty=Decimal("0.50"),
        fill_price=Decimal("64000.10"),
        trade_id=None,
        fee=None,
        fee_asset=None,
        realized_pnl=None,
        liquidation=False,
    )
    path = tmp_path / "run.rec"
    session = Session(path, checkpoint=inputs.Checkpoint(1_699_999_990_000, 1_699_999_998_000, (fill,)))
    session.passes(30)
    session.recorder.close()
    assert replay(path) is None


def test_two_runs_fit_in_one_file(tmp_path: Path) -> None:
    """A file may have several runs, as when a venue is subscribed to more than once."""
    path = tmp_path / "run.rec"
    session = a_long_session(path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.removeprefix(MAGIC))
    assert replay(path) is None
    assert steps(path) % 2 == 0
    assert session.connection.finished


def test_a_last_record_that_was_cut_does_not_count(tmp_path: Path) -> None:
    """A file that is cut at any byte replays without a difference up to the last whole record."""
    path = tmp_path / "run.rec"
    session = Session(path)
    session.trades()
    session.recorder.close()
    whole = path.read_bytes()
    lengths = []
    for size in range(len(MAGIC) + 500, len(whole), 7):
        path.write_bytes(whole[:size])
        assert replay(path) is None
        lengths.append(steps(path))
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0]


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    """A replay with another seed gives another run, and the report names the first step that differs."""
    path = tmp_path / "run.rec"
    a_long_session(path)
    content = path.read_bytes()
    assert content.count(b"\xa15\xa4mode") == 1
    path.write_bytes(content.replace(b"\xa15\xa4mode", b"\xa16\xa4mode"))
    difference = replay(path)
    assert difference is not None
    assert difference.expected != difference.got
    assert f"record {difference.record}, at {difference.now:.6f} s" in str(difference)


def test_an_action_more_or_less_is_a_difference(tmp_path: Path) -> None:
    """An action that is only in the replay is a difference."""
    path = tmp_path / "run.rec"
    recorder = Recorder(path)
    recorder.begin(SwapDialect(), Policy(), 0, "ws")
    recorder(1.0, inputs.Start(), [])
    recorder.close()
    difference = replay(path)
    assert difference is not None
    assert difference.expected == "nothing more"
    assert "CreateKey" in difference.got


def test_misuse_in_a_recording_is_a_difference(tmp_path: Path) -> None:
    """A step that raises in the replay is a difference."""
    path = tmp_path / "run.rec"
    recorder = Recorder(path)
    recorder.begin(SwapDialect(), Policy(), 0, "poll")
    recorder(float("nan"), inputs.Tick(), [])
    recorder.close()
    difference = replay(path)
    assert difference is not None
    assert "Misuse" in difference.got


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"", "not a recording"),
        (b"SQLite format 3\x00 and more than that", "not a recording"),
        (b"listenkey recording 1\n\x00\x00\x00\x01H\x80", "listenkey 0.1, which listenkey 0.1 replays"),
        (b"listenkey recording 3\n", "or a later one"),
        (MAGIC, "nothing was recorded"),
        (MAGIC + b"\x00\x00\x00\x01S\x90", "record 1 is damaged"),
        (MAGIC + b"\x00\x00\x00\x01H\x80", "record 1 is damaged"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    """A file that is no recording is refused in one line that names it."""
    path = tmp_path / "run.rec"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableRecording, match=why) as caught:
        replay(path)
    assert "\n" not in str(caught.value)
    assert "run.rec" in str(caught.value)


def test_an_unknown_venue_is_refused(tmp_path: Path) -> None:
    """A recording of an unknown venue is refused, unless its dialect is given."""
    path = tmp_path / "run.rec"
    recorder = Recorder(path)
    recorder.begin(SwapDialect("my-own"), Policy(), 0, "ws")
    recorder.close()
    with pytest.raises(UnusableRecording, match="my-own"):
        replay(path)
    assert replay(path, dialect=SwapDialect("my-own")) is None


def test_an_existing_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """An existing file is refused and not changed."""
    path = tmp_path / "run.rec"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="exists"):
        Recorder(path)
    assert path.read_text() == "precious"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Only its owner may read a recording, because it shows all that the account did."""
    Recorder(tmp_path / "run.rec").close()
    assert (tmp_path / "run.rec").stat().st_mode & 0o077 == 0


def no_space(recorder: Recorder) -> None:
    """Make all later writes fail as on a full disk."""
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), recorder._file.fileno())


def no_file(recorder: Recorder) -> None:
    """Make all later writes and the closing fail, as on a disk that was taken out."""
    os.close(recorder._file.fileno())


FAILURES = {"No space left": no_space, "Bad file descriptor": no_file}


@pytest.mark.parametrize("why", FAILURES)
def test_a_disk_that_fails_ends_the_recording_and_not_the_stream(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    """A disk that fails ends the recording with one warning that has its path and the reason, and raises nothing."""
    path = tmp_path / "run.rec"
    session = Session(path)
    FAILURES[why](session.recorder)
    session.trades()
    session.trades()
    session.recorder.begin(SwapDialect(), Policy(), 1, "ws")
    session.recorder.close()
    (line,) = caplog.messages
    assert f"{path} ends here" in line
    assert why in line


def test_a_file_that_cannot_be_closed_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file whose closing fails, as on a network disk, gives one warning and no exception."""
    recorder = Recorder(tmp_path / "run.rec")
    no_file(recorder)
    for _ in range(2):
        recorder.close()
    (line,) = caplog.messages
    assert f"{recorder.path} may not be whole" in line


@pytest.mark.parametrize("what", ["removed", "its folder removed", "moved", "replaced"])
def test_a_file_that_is_not_where_it_was_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """If the file was moved, removed or replaced, closing gives one warning; until then it is written."""
    path = tmp_path / "folder" / "run.rec"
    path.parent.mkdir()
    session = Session(path)
    if what in ("moved", "replaced"):
        path.rename(tmp_path / "elsewhere")
    else:
        path.unlink()
    if what == "replaced":
        path.touch()
    if what == "its folder removed":
        path.parent.rmdir()
    session.trades()
    session.recorder.close()
    assert caplog.messages == [f"the recording {path} was moved, removed or replaced while it was written"]
    session.recorder.discard()
    if what == "moved":
        assert replay(tmp_path / "elsewhere") is None


def test_a_recording_that_cannot_begin_leaves_no_file(tmp_path: Path) -> None:
    """If not even the first line can be written, the venue does not open, and no file is left."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, before[1]))
    try:
        with pytest.raises(OSError, match="recording cannot be made: File too large") as refused:
            open_venue("bingx-swap", api_key="k", api_secret="s", record=tmp_path / "run.rec")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


def test_a_stream_goes_on_without_its_recording(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After its recording has failed a stream delivers fills, and its venue is closed in order."""
    customer = Customer("A", Place("bingx-swap", "open-api.bingx.com"), "user-1", 1000)
    recorder = Recorder(tmp_path / "run.rec")

    async def story() -> None:
        service = Service(customer, customer.api_keys[0])
        async with venue_of(service, recorder=recorder) as venue, venue.subscribe() as stream:
            while stream.proven_until is None:
                await anext(stream)
            no_space(recorder)
            fill = customer.trade()
            async for event in stream:
                if isinstance(event, Fill):
                    assert event.order_id == fill.order_id
                    return

    anyio.run(story)
    assert [line.count("No space left") for line in caplog.messages] == [1]
    assert not customer.sockets


def test_what_cannot_be_written_ends_the_recording_and_not_the_stream(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A value that cannot be encoded, as a time beyond 64 bits, ends the recording with one warning."""
    path = tmp_path / "run.rec"
    session = Session(path)
    session.recorder(session.now, inputs.KeyGranted(99, "x" * 64, 60.0, 1 << 70), [])
    session.trades()
    assert len(caplog.records) == 1
    assert replay(path) is None


@pytest.mark.parametrize("journal", [None, "a folder"])
def test_a_venue_records_to_a_new_file_and_closes_it(tmp_path: Path, journal: str | None) -> None:
    """A venue creates its recording and closes it; an existing file is refused, and a failed opening leaves none."""
    path = tmp_path / "run.rec"
    details: dict[str, Any] = {"api_key": "k" * 64, "api_secret": "s" * 64, "record": path}
    if journal is not None:
        with pytest.raises(Exception, match="journal"):
            open_venue("bingx-swap", journal=tmp_path, **details)
        assert not path.exists()
        return
    venue = open_venue("bingx-swap", **details)
    anyio.run(venue.close)
    assert path.read_bytes() == MAGIC
    with pytest.raises(FileExistsError):
        open_venue("bingx-swap", **details)


@pytest.mark.parametrize("owner", ["of a file", "of its own"])
def test_credentials_that_are_none_leave_nothing_open(tmp_path: Path, owner: str) -> None:
    """Credentials that are refused leave no recording, and no journal open except one that the user opened."""
    path = tmp_path / "run.journal"
    kept = SqliteJournal(path) if owner == "of its own" else None
    details: dict[str, Any] = {"api_key": "k" * 64, "record": tmp_path / "run.rec", "journal": kept or path}
    with pytest.raises(ValueError, match="PEM"):
        open_venue("binance-usdm", api_secret="-----BEGIN NOTHING", **details)
    assert not (tmp_path / "run.rec").exists()
    anyio.run(open_venue("binance-usdm", api_secret="s" * 64, **details).close)


def test_policy_and_mode_are_part_of_the_recording(tmp_path: Path) -> None:
    """A recording has the seed, the mode and the policy of its run."""
    path = tmp_path / "run.rec"
    recorder = Recorder(path)
    recorder.begin(SwapDialect(), Policy(poll_interval=3), 1 << 80, "poll")
    recorder.close()
    run = path.read_bytes()[len(MAGIC) + 5 :]
    made_with = msgspec.msgpack.decode(run)
    assert (made_with["seed"], made_with["mode"]) == (str(1 << 80), "poll")
    assert made_with["policy"]["poll_interval"] == 3
