"""A key that several streams of a process use is deleted by the last of them, and a deleted key is not used."""

from __future__ import annotations

import math
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.driver.keys_in_use import KeysInUse
from listenkey.adapters.driver.requests import Requests
from listenkey.adapters.driver.warnings import Warnings
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.core import actions, inputs
from listenkey.core.refusal import RefusalKind
from listenkey.ports.keys import Grant
from listenkey.ports.service import Service, wait

from .test_driver import Nobody

pytestmark = pytest.mark.anyio
ADDRESSES = ("https://one.test", "https://other.test")
Deed = tuple[int, str, str]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["use", "let go", "leave"]), st.sampled_from("KL"))))
def test_a_key_may_be_deleted_when_no_other_stream_has_it(deeds: list[Deed]) -> None:
    """A stream may delete a key if no other stream at its address uses it; at another address it is another key."""
    streams = [KeysInUse(ADDRESSES[0]), KeysInUse(ADDRESSES[0]), KeysInUse(ADDRESSES[1])]
    used: list[set[str]] = [set(), set(), set()]
    for number, what, key in deeds:
        stream, others = streams[number], {0: used[1], 1: used[0], 2: set()}[number]
        if what == "use":
            stream.use(key)
            used[number].add(key)
        elif what == "let go":
            used[number].discard(key)
            with stream.letting_go(key) as alone:
                assert alone is (key not in others)
        else:
            used[number].clear()
            stream.leave()
    for stream in streams:
        stream.leave()


@pytest.mark.parametrize(
    ("story", "believed"),
    [
        ("mint delete deleted granted", False),
        ("mint delete granted deleted", False),
        ("delete mint deleted granted", False),
        ("delete mint granted deleted", False),
        ("delete deleted mint granted", True),
        ("mint granted delete deleted", True),
    ],
)
def test_a_key_that_was_being_deleted_while_it_was_granted_is_not_believed(story: str, believed: bool) -> None:
    """A key granted while another stream deletes it is not used, since the venue may have done either first.

    A key that was granted before the deletion began is used, and not deleted.
    """
    leaving, coming = KeysInUse(ADDRESSES[0]), KeysInUse(ADDRESSES[0])
    leaving.use("K")
    found: list[bool] = []
    with ExitStack() as deletion, ExitStack() as mint:
        for step in story.split():
            match step:
                case "mint":
                    doubtful = mint.enter_context(coming.minting())
                case "granted":
                    found.append(coming.minted("K", doubtful))
                    mint.close()
                case "delete":
                    alone = deletion.enter_context(leaving.letting_go("K"))
                case "deleted":
                    deletion.close()
    assert found == [believed]
    assert alone is (story != "mint granted delete deleted")
    with coming.minting() as doubtful:
        assert coming.minted("K", doubtful)
    coming.leave()


class Desk(Nobody):
    """A venue whose key is being deleted by another stream while it is granted."""

    def create(self) -> Service[Grant]:
        other = KeysInUse(ADDRESSES[0])
        with other.letting_go("K"):
            yield from wait(-math.inf)
        return Grant("K", 3600.0, None)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_core_hears_that_it_may_ask_again() -> None:
    """The core gets a refusal with `RETRY` in place of a key that was being deleted."""
    desk, heard = Desk(), list[inputs.Input]()
    executor = TaskExecutor(desk, SystemClock())
    requests = Requests(executor, desk, desk, heard.append, Warnings(lambda: False), in_use=KeysInUse(ADDRESSES[0]))
    await requests.create(actions.CreateKey(1))
    (answer,) = heard
    assert isinstance(answer, inputs.Refused)
    assert answer.refusal.kind is RefusalKind.RETRY
