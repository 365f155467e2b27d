"""Values that pass the door: the beginning, deletions, buffers, answers, and views of links."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from typing import Any

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection, Misuse
from listenkey.core.events import HealthChange
from listenkey.core.link.link import Phase
from listenkey.core.link.view import KeyView, LinkView
from listenkey.core.policy import Policy
from listenkey.core.refusal import UNREACHED

from .scripted import NEVER, ScriptedWorld, connected, empty_account, no, scripted
from .toy import Toy
from .world import EPOCH, FATAL, RETRY

# What a connection is made of


def test_the_name_of_a_venue_is_no_dialect() -> None:
    """It is refused with the function that takes names."""
    name: Any = "toy"
    with pytest.raises(Misuse, match="not its name: 'toy' is for `open_venue`"):
        Connection(name)


# The beginning


def test_the_beginning_is_said_once() -> None:
    """`Begin` comes with the first key that has the exchange's time, and never again."""
    world = scripted(rotate_after=20).run(200)
    assert world.count(inputs.KeyGranted) > 3
    assert world.seen(actions.Begin) == [actions.Begin(EPOCH + 100)]
    assert world.connection.began == EPOCH + 100


def test_a_stream_that_polls_begins_with_its_first_read() -> None:
    """`Begin` comes before the events that the first read makes due."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(asked, actions.ReadAccount)
    done = connection.handle(asked.read(empty_account(EPOCH, None)), now=1)
    assert done[0] == actions.Begin(EPOCH)
    assert {type(action) for action in done[1:]} == {actions.Deliver, actions.MarkProven}


def test_a_stream_that_resumes_begins_no_more() -> None:
    """The journal has the beginning already, so no `Begin` comes."""
    connection = Connection(Toy())
    (minted,) = connection.handle(inputs.Start(inputs.Checkpoint(EPOCH - 5000, EPOCH - 1000)), now=0)[-1:]
    assert isinstance(minted, actions.CreateKey)
    done = connection.handle(minted.granted("K1", 3600, EPOCH), now=1)
    assert [type(action) for action in done] == [actions.OpenSocket]
    assert connection.began == EPOCH - 5000


# Deletions


def stopped(*, deletes: float) -> ScriptedWorld:
    """A stopped stream whose key is reported as deleted so many seconds later."""
    world = connected(request_timeout=10)
    world.exchange.deletions.append(no(after=deletes))
    world.feed(inputs.Stop())
    world.run(11)
    (deletion,) = world.seen(actions.DeleteKey)
    assert deletion.key == "K1"
    return world


def test_a_deletion_is_waited_for() -> None:
    """The connection is finished only when its last key is known to be deleted."""
    world = stopped(deletes=5)
    assert not world.connection.finished
    world.run(14)
    assert not world.connection.finished
    world.run(16)
    assert world.connection.finished
    assert world.connection.deadline == math.inf


def test_a_deletion_that_nobody_answers_is_over_in_time() -> None:
    """An unanswered deletion is given up after `request_timeout`, and a later answer is dropped."""
    world = stopped(deletes=math.inf)
    world.run(19)
    assert not world.connection.finished
    world.run(21)
    assert world.connection.finished
    (deletion,) = world.seen(actions.DeleteKey)
    assert world.feed(deletion.deleted()) == []
    assert world.connection.finished


def test_a_deletion_that_is_refused_is_over() -> None:
    """A refused deletion is not repeated."""
    for refusal in (RETRY, FATAL):
        world = stopped(deletes=math.inf)
        (deletion,) = world.seen(actions.DeleteKey)
        assert world.feed(inputs.Refused(deletion.request, refusal)) == []
        assert world.connection.finished


def test_a_deletion_holds_nothing_up_while_the_stream_lives() -> None:
    """The key of a lost link is deleted while the next mint is under way."""
    world = connected()
    world.exchange.deletions.append(NEVER)
    world.drop()
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.health == "LIVE"


# Answers


def test_actions_make_their_answers() -> None:
    """Each action builds its answer with its own number, equal to the input written out."""
    mint, renewal, deletion = actions.CreateKey(1), actions.RenewKey(2, "K"), actions.DeleteKey(3, "K")
    opening, read = actions.OpenSocket(4, "K"), actions.ReadAccount(5, None)
    account = empty_account(EPOCH, None)
    assert mint.granted("K", 60.0) == inputs.KeyGranted(1, "K", 60.0, None)
    assert mint.granted("K", 60.0, EPOCH) == inputs.KeyGranted(1, "K", 60.0, EPOCH)
    assert mint.refused(FATAL) == inputs.Refused(1, FATAL)
    assert renewal.renewed() == inputs.KeyRenewed(2)
    assert renewal.renewed("L") == inputs.KeyRenewed(2, "L")
    assert renewal.refused(RETRY) == inputs.Refused(2, RETRY)
    assert deletion.deleted() == inputs.KeyDeleted(3)
    assert opening.opened() == inputs.SocketOpened(4)
    assert opening.received("ping") == inputs.FrameReceived(4, "ping")
    assert opening.heard() == inputs.Heard(4)
    assert opening.closed() == inputs.SocketClosed(4)
    assert opening.closed(1006) == inputs.SocketClosed(4, 1006)
    assert opening.closed(None, FATAL) == inputs.SocketClosed(4, None, FATAL)
    assert actions.CloseSocket(4).closed() == inputs.SocketClosed(4, 1000)
    assert read.read(account) == inputs.AccountRead(5, account)
    assert read.refused(RETRY) == inputs.Refused(5, RETRY)


# Frames


@pytest.mark.parametrize("frame", [b"ping 7", gzip.compress(b"fill A 1/3", mtime=0), b"", b"\xff"])
@pytest.mark.parametrize("buffer", [bytearray, memoryview, lambda data: memoryview(data + data)[: len(data)]])
def test_a_frame_may_lie_in_any_buffer(frame: bytes, buffer: Callable[[bytes], Any]) -> None:
    """A frame may be in any buffer, which may be used again after the call."""
    world, twin = connected(), connected()
    data = buffer(frame)
    done = world.feed(inputs.FrameReceived(world.leader, data))
    if isinstance(data, bytearray):
        data[:] = b"0" * len(data)
    assert done == twin.feed(inputs.FrameReceived(twin.leader, frame))
    assert world.run(60).log[-20:] == twin.run(60).log[-20:]


def released() -> memoryview:
    view = memoryview(b"ping")
    view.release()
    return view


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "a frame must be bytes or str, not NoneType"),
        (7, "a frame must be bytes or str, not int"),
        ([112], "a frame must be bytes or str, not list"),
        ({"ping": 1}, "a frame must be bytes or str, not dict"),
        (released(), "a frame must be bytes or str: operation forbidden on released memoryview object"),
    ],
)
def test_what_is_no_frame_is_misuse(data: Any, message: str) -> None:
    """It is refused before anything else is done: no timer fires, no link is touched, and time does not pass."""
    world, twin = connected(), connected()
    world.mute.add(world.leader)
    twin.mute.add(twin.leader)
    with pytest.raises(Misuse, match=message):
        world.connection.handle(inputs.FrameReceived(world.leader, data), now=500)
    assert world.run(60).log == twin.run(60).log


# Views


def test_links_are_shown_as_they_were() -> None:
    """A view is a value: it does not change later, has no key in it, and refers to nothing of the connection."""
    world = connected(10.2)
    (before,) = world.connection.links
    assert isinstance(before, LinkView)
    assert before.key == KeyView(before.key.number, asked_at=0.0, valid_for=3600.0, failing=False, gone=False)
    assert (before.phase, before.proven, before.quiet, before.distrusted) == (Phase.LIVE, True, False, None)
    assert (round(before.opened_at, 6), round(before.heard_at, 6)) == (0.2, 5.3)
    assert "K1" not in repr(before)
    world.mute.add(world.leader)
    world.run(19)
    (after,) = world.connection.links
    assert (before.quiet, after.quiet) == (False, True)
    assert before._replace(quiet=True, heard_at=after.heard_at) == after


# The end


@pytest.mark.parametrize("reach", [connected, lambda: scripted().run(0.15), lambda: scripted(mints=[no(FATAL)]).run(5)])
def test_the_end_is_said_last(reach: Callable[[], ScriptedWorld]) -> None:
    """`Finish` comes after everything else, the change of health too; only keys may still be deleted after it."""
    world = reach()
    world.feed(inputs.Stop())
    world.run(60)
    said = [thing for _, thing in world.log if isinstance(thing, actions.Action)]
    end = next(number for number, action in enumerate(said) if isinstance(action, actions.Finish))
    assert {type(action) for action in said[end + 1 :]} <= {actions.DeleteKey}
    healths = [action for action in said if isinstance(action, actions.Deliver)]
    if healths:
        assert isinstance(healths[-1].event, HealthChange)
        assert said.index(healths[-1]) == end - 1


def test_a_request_that_never_left_is_refused_like_any_other() -> None:
    """An action's own answer is enough for the connection, even if the request never left."""
    connection = Connection(Toy(), Policy(backoff_initial=1))
    (mint,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(mint, actions.CreateKey)
    refusal = RETRY.__class__(RETRY.kind, UNREACHED)
    assert connection.handle(mint.refused(refusal), now=1) == []
    assert connection.state == "BACKOFF"
