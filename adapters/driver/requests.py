"""The requests of a connection to its venue's services; each comes back as an answer or a refusal."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import msgspec

from ...core import actions, inputs
from ...core.refusal import PUT_OFF, Refusal, RefusalKind
from ...ports.errors import RequestRefused
from ...ports.keys import KeyService
from ...ports.reader import AccountReader
from ..executors.tasks import TaskExecutor
from .keys_in_use import KeysInUse
from .warnings import Warnings

READING = "reading the account"
GIVEN_UP = Refusal(RefusalKind.RETRY, None, "given up before it was answered")

DELETED = Refusal(RefusalKind.RETRY, None, "the key that was granted may have been deleted by another stream since")

Refusable = actions.CreateKey | actions.RenewKey | actions.ReadAccount

_log = logging.getLogger("listenkey")


class Requests:
    """Carries out requests; each has at most one answer, which goes to `feed`. Only refusals are caught."""

    def __init__(
        self,
        executor: TaskExecutor,
        keys: KeyService,
        reader: AccountReader,
        feed: Callable[[inputs.Input], None],
        warnings: Warnings,
        recognise: Callable[[str | None], None] = lambda account_id: None,
        in_use: KeysInUse | None = None,
    ) -> None:
        self._run, self._keys, self._reader = executor.run, keys, reader
        self._recognise = recognise
        """Called when the venue has answered to the API key, with the account's id or None."""
        self._feed = feed
        self._in_use = KeysInUse("") if in_use is None else in_use
        self._warnings = warnings
        self._reading: anyio.CancelScope | None = None
        """The scope of the read under way."""

    async def create(self, action: actions.CreateKey) -> None:
        """Mint a key."""

        async def ask() -> inputs.Input:
            with self._in_use.minting() as doubtful:
                grant = await self._run(self._keys.create())
                if not self._in_use.minted(grant.key, doubtful):
                    raise RequestRefused(DELETED)
            granted = action.granted(*grant)
            try:
                self._recognise(None)
            except Exception:
                self._feed(granted)  # else it would not be deleted
                raise
            return granted

        await self._answer("minting a key", action, ask)

    async def renew(self, action: actions.RenewKey) -> None:
        """Extend a key's validity."""

        async def ask() -> inputs.Input:
            named = await self._run(self._keys.renew(action.key))
            if named is not None:
                self._in_use.use(named)
            return action.renewed(named)

        await self._answer("renewing a key", action, ask)

    async def read(self, action: actions.ReadAccount) -> None:
        """Read the account; a read that is still under way is cancelled."""

        async def ask() -> inputs.Input:
            account = await self._run(self._reader.read(action.since, action.orders, purpose=action.purpose))
            self._recognise(account.account_id)
            if account.account_id is not None:  # recordings need not contain it
                account = msgspec.structs.replace(account, account_id=None)
            return action.read(account)

        if self._reading is not None:
            self._reading.cancel()
        with anyio.CancelScope() as reading:
            self._reading = reading
            try:
                await self._answer(READING, action, ask)
            finally:
                if self._reading is reading:
                    self._reading = None
            return
        self._warnings.refused(READING, GIVEN_UP)

    async def delete(self, action: actions.DeleteKey) -> None:
        """Try to delete a key, unless another stream of this process uses it."""
        try:
            with self._in_use.letting_go(action.key) as alone:
                if alone:
                    await self._run(self._keys.delete(action.key))
                else:
                    _log.info("a listen key is not deleted, since another stream of this process uses it")
        except RequestRefused as error:
            _log.info("a listen key could not be deleted: %s", self._warnings.clean(str(error)))
        finally:
            self._feed(action.deleted())

    async def _answer(self, what: str, action: Refusable, ask: Callable[[], Awaitable[inputs.Input]]) -> None:
        try:
            received = await ask()
        except RequestRefused as error:
            self._feed(action.refused(error.refusal))
            if error.refusal.code != PUT_OFF:  # that is no failure, and the core reports it
                self._warnings.refused(what, error.refusal)
        else:
            self._feed(received)
            self._warnings.granted(what)
