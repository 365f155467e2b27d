"""A venue for its user; `open_venue` puts the parts together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from random import SystemRandom
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Self

import anyio

from ...core.account import translate
from ...core.connection import Connection
from ...core.events import AccountUpdate
from ...core.ids import digest_id
from ...core.policy import MODES, WAYS, Mode, Policy
from ...core.refusal import Refusal
from ...core.secrets import Secrets
from ...ports.errors import CredentialsRefused, ListenKeyError, ReadFailed, RequestRefused, StreamStopped
from ...ports.journal import OwnedJournal
from ...ports.observer import Observer
from ...ports.questions import QuestionStore
from ..executors.tasks import TaskExecutor
from ..venues.family import Services
from ..venues.registry import family
from .chosen import chosen, doubt
from .clock import SystemClock
from .driver import Driver
from .exclusive import exclusive
from .opener import Opener
from .stream import Subscription

if TYPE_CHECKING:
    from ...ports.journal import Journal
    from ..recording.recorder import Recorder
    from ..transports.names import Transport

_log = logging.getLogger("listenkey")


class Venue:
    """One account at one venue. Close it, or use it as an async context manager, when done."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        transport: Transport,
        services: Services,
        *,
        journal: Journal | None = None,
        observer: Observer | None = None,
        recorder: Recorder | None = None,
        address: str = "",
    ) -> None:
        self._connect = connect
        self._transport = transport
        self._executor = TaskExecutor(transport.http, SystemClock())
        self._services = services
        self._journal = journal
        self._observers = tuple(each for each in (recorder, observer) if each is not None)
        self._recorder = recorder
        self._address = address
        self._streams: dict[Driver, ExitStack] = {}
        """The open streams, each with its journal and recorder."""
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def subscribe(self) -> Subscription:
        """The account's stream. Leaving the context closes sockets and deletes keys, in three seconds at most.

        Entering raises `ListenKeyError` if the venue is closed, if the transport does not run on this event loop, and
        if another stream has the same journal or recording.
        """
        return Subscription(self._begin, self._end)

    def _begin(self) -> Driver:
        self._check()
        with ExitStack() as alone:
            alone.enter_context(exclusive(self._journal, self._recorder))
            connection = self._connect()
            driver = Driver(
                connection,
                self._executor,
                self._services.keys,
                self._services.reader,
                Opener(self._transport.dialer, self._services.handshake, connection.policy, self._executor),
                clock=SystemClock(),
                failure=self._failure,
                journal=self._journal,
                observers=self._observers,
                address=self._address,
            )
            self._streams[driver] = alone.pop_all()
        return driver

    def _end(self, driver: Driver) -> None:
        if (alone := self._streams.pop(driver, None)) is not None:
            alone.close()

    def _check(self) -> None:
        """Raise `ListenKeyError` if the venue is closed, or the transport does not run on this event loop."""
        if self._closed:
            raise ListenKeyError("the venue is closed: open another one")
        self._transport.check()

    async def account_snapshot(self) -> AccountUpdate:
        """Read the whole account now and return it. Raises `ReadFailed`; a failure never gives an empty account."""
        self._check()
        try:
            account = await self._executor.run(self._services.reader.read(None))
        except RequestRefused as error:
            failure = ReadFailed(f"the account could not be read: {error}")
        else:
            content = (account.balances, account.positions)
            event_id = digest_id("ACCOUNT_UPDATE", account.as_of, content)
            whole = all(row.kind != "position" for row in account.odd)
            return translate.account(event_id, account.as_of, "poll", None, *content, complete=whole)
        raise failure  # not `from` the refusal: frames of its traceback contain the signed query

    async def close(self) -> None:
        """End the streams in order, then close the connections, the journal and the recording; idempotent.

        All are closed even if this is cancelled.
        """
        self._closed = True
        with ExitStack() as last:
            if self._recorder is not None:
                last.callback(self._recorder.close)
            if self._journal is not None:
                last.callback(self._journal.close)
            try:
                async with anyio.create_task_group() as tasks:
                    for driver in self._streams:
                        driver.backlog.close()
                        tasks.start_soon(driver.stop)
            finally:
                await self._transport.close()

    def _failure(self, refusal: Refusal) -> Exception:
        text = f"{refusal.message or 'refused'} (code {refusal.code})"
        if refusal.code in self._services.credential_codes:
            return CredentialsRefused(f"the venue refuses the credentials: {text}")
        return StreamStopped(f"the stream cannot go on: {text}")


def open_venue(
    venue: str,
    *,
    api_key: str,
    api_secret: str,
    rest_url: str | None = None,
    ws_url: str | None = None,
    transport: str = "aiohttp",
    mode: Mode = "ws",
    policy: Policy | None = None,
    journal: str | PathLike[str] | Journal | None = None,
    record: str | PathLike[str] | None = None,
    seed: int | None = None,
    http_session: Any = None,
    proxy: str | None = None,
    ssl_context: SSLContext | None = None,
    source_address: str | None = None,
    observer: Observer | None = None,
) -> Venue:
    """Return one account at a venue, unconnected: "bingx-swap" or "binance-usdm", or the demo environment of either,
    "bingx-swap-vst" and "binance-usdm-testnet".

    `rest_url` and `ws_url` are given both or neither. `transport` is "aiohttp" (asyncio) or "websockets" (asyncio and
    trio). `mode="poll"` needs no socket: it reads the account every `poll_interval`. With a `journal`, a file or a
    `Journal` of your own, delivered events survive the process. `record` names a new file for all inputs and actions of
    the core, without secrets. `seed` fixes the jitter. `http_session`, `proxy`, `ssl_context` and `source_address` (an
    IP address of this machine) go to the transport; a proxy is a URL with `http`, `https`, or with the extra `socks`
    `socks5`, or "env" for those that the environment names. The `observer` is called with every input of a stream, its
    time, and its actions.

    Raises `ValueError` for what is not allowed, `ImportError` when an extra is missing, `JournalRefused` for a journal
    that cannot be used or is another account's, `OSError` for a recording that cannot be made.
    """
    from ..transports.environment import proxies
    from ..transports.names import open_transport
    from ..transports.route import passwords

    speaks = family(venue)
    hosts = speaks.hosts(venue, rest_url, ws_url)
    if not api_key or not api_secret:
        raise ValueError("api_key and api_secret must not be empty")
    if mode not in MODES:
        raise ValueError(f"mode must be {WAYS}, not {mode!r}")
    if policy is not None and not isinstance(policy, Policy):
        raise ValueError(f"policy must be a listenkey.Policy, such as Policy(audit_interval=60), not {policy!r}")
    dialect = speaks.dialect(venue)
    effective = (policy or Policy()).over(dialect.policy)
    if rest_url is None and mode == "ws" and (doubtful := doubt(effective, speaks.PING_SECONDS)) is not None:
        _log.warning(doubtful)
    ways = proxies(proxy, *hosts)
    network = open_transport(
        transport, http_session=http_session, proxy=ways, source_address=source_address, ssl_context=ssl_context
    )
    secrets = Secrets((api_key, api_secret, *(password for way in dict.fromkeys(ways) for password in passwords(way))))
    recorder = None
    if record is not None:
        from ..recording.recorder import Recorder

        recorder = Recorder(record, secrets=secrets)
    with ExitStack() as unless_opened:
        if recorder is not None:
            unless_opened.callback(recorder.discard)
        events = _journal(journal, venue, speaks.host(hosts.rest_url), api_key, unless_opened)
        services = speaks.services(
            hosts,
            api_key=api_key,
            api_secret=api_secret,
            policy=effective,
            secrets=secrets,
            store=events if isinstance(events, QuestionStore) else None,
        )
        unless_opened.pop_all()

    def connect() -> Connection:
        _log.info(chosen(speaks.host(hosts.rest_url), dialect, effective, mode, speaks.limits()))
        drawn = SystemRandom().getrandbits(64) if seed is None else seed
        if recorder is not None:
            recorder.begin(dialect, effective, drawn, mode)
        return Connection(dialect, effective, seed=drawn, mode=mode, secrets=secrets)

    address = hosts.rest_url
    return Venue(connect, network, services, journal=events, observer=observer, recorder=recorder, address=address)


def _journal(
    journal: str | PathLike[str] | Journal | None, venue: str, host: str, api_key: str, unless_opened: ExitStack
) -> Journal | None:
    """Return the journal, claimed for this account; one that is opened here is closed if opening the venue fails."""
    if isinstance(journal, (str, PathLike)):
        from ..journal.sqlite import SqliteJournal

        journal = SqliteJournal(journal)
        unless_opened.callback(journal.close)
    if isinstance(journal, OwnedJournal):
        journal.claim(venue, host, api_key)
    return journal
