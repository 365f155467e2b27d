"""The intake of frames: each is inflated, decoded and searched for secrets, and its reports go where they belong.

Reports that serve the connection go to the supervisor of links, those about the account to continuity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .actions import SendFrame
from .context import Context
from .dialect import Dialect
from .events import GapReason
from .excerpt import excerpt
from .inflate import NotInflatable, Oversized, inflate
from .inputs import FrameReceived, Heard
from .link.link import Link, Phase
from .link.supervisor import Supervisor
from .refusal import RefusalKind
from .reports import (
    AccountReport,
    Acknowledged,
    ClosingSoon,
    ConfigReport,
    Heartbeat,
    KeyExpired,
    KeyInDoubt,
    OrderReport,
    Rejected,
    Report,
    Unreadable,
    Unrecognised,
)
from .secrets import SHORTEST
from .sync.continuity import Continuity
from .sync.holdback import Holdable, Pushed

REPORTED = 48
"""Bytes of a frame that cannot be read, which the operator is shown."""
PROVES_NOTHING = frozenset({Unreadable, Rejected})
"""Reports after which a link is no more proven than before."""
SERVES = frozenset({Heartbeat, Acknowledged, KeyExpired, KeyInDoubt, ClosingSoon})
"""Reports of which no event is made."""
OPENING, PROVING = Phase.OPENING, Phase.PROVING


class Intake:
    """Takes the frames of links that are open; all others are dropped."""

    def __init__(self, context: Context, dialect: Dialect, supervisor: Supervisor, continuity: Continuity) -> None:
        self._context = context
        self._decode = dialect.decode
        self._secrets = context.secrets
        self._max_frame_bytes = context.policy.max_frame_bytes
        self._supervisor = supervisor
        self._pair = supervisor.pair
        self._continuity = continuity
        self._pass_on = continuity.admit
        self._keep = continuity.keep
        self._reports: dict[type, Callable[[Link, Any, bytes | str], None]] = {
            OrderReport: self._account,
            AccountReport: self._pushed,
            ConfigReport: self._account,
            Unrecognised: self._unrecognised,
            Heartbeat: self._heartbeat,
            Acknowledged: self._acknowledged,
            KeyExpired: self._key_expired,
            KeyInDoubt: lambda link, _report, _frame: supervisor.doubt_key(link),
            ClosingSoon: lambda link, _report, _frame: supervisor.closing_soon(link),
            Rejected: self._rejected,
            Unreadable: self._unreadable,
        }

    def take(self, received: FrameReceived) -> None:
        """Read a frame, `bytes` or `str`, and do what it says."""
        link = self._pair.get(received.socket)
        if link is None or link.phase is OPENING:
            return
        link.heard()
        frame: Any = received.data  # the door lets in only these two
        try:
            if isinstance(frame, bytes):
                frame = inflate(frame, self._max_frame_bytes)
            elif len(frame) > self._max_frame_bytes:
                raise Oversized(f"more than {self._max_frame_bytes} characters")
        except NotInflatable as error:
            self._pass_unreadable(link, frame, "not gzip", str(error))
        except Oversized as error:
            self._context.report("oversized frame", str(error))
            self._supervisor.lost(link, GapReason.OVERSIZED)
        else:
            reports = self._decode(frame)
            if len(frame) >= SHORTEST or isinstance(frame, str):  # as no heartbeat is
                first = reports[0] if reports else None
                if (
                    len(reports) > 1
                    or not (type(first) is OrderReport or type(first) is AccountReport)
                    or first.longest >= self._secrets.shortest
                ):
                    frame, reports = self._searched(frame, reports)
            if len(reports) > 1:
                reports = _placed(reports)
            for report in reports:
                if link.phase is PROVING and type(report) not in PROVES_NOTHING:
                    self._supervisor.prove(link)
                if link.alive:
                    self._reports[type(report)](link, report, frame)

    def hear(self, heard: Heard) -> None:
        """A ping or a pong came: a sign of life, and on some venues all that there is."""
        link = self._pair.get(heard.socket)
        if link is not None and link.phase is not OPENING:
            link.heard()
            if link.vouches and link.phase is PROVING:
                self._supervisor.prove(link)

    def _account(self, link: Link, report: Holdable, frame: bytes | str) -> None:
        if link.proven or not self._pair.awaits_proof(link):
            self._pass_on(report, frame, self._pair.leads(link))
        else:
            self._keep(report, frame)

    def _pushed(self, link: Link, report: AccountReport, frame: bytes | str) -> None:
        pushed = Pushed(report, link.socket, report.exchange_ts or self._context.exchange_time() or 0)
        self._account(link, pushed, frame)

    def _unrecognised(self, link: Link, report: Unrecognised, frame: bytes | str) -> None:
        self._pass_on(report, frame, self._pair.leads(link))

    def _heartbeat(self, link: Link, ping: Heartbeat, _frame: bytes | str) -> None:
        self._context.emit(SendFrame(link.socket, ping.reply))

    def _acknowledged(self, link: Link, report: Acknowledged, _frame: bytes | str) -> None:
        if link.acknowledged(report.id):
            self._supervisor.prove(link)

    def _key_expired(self, _link: Link, notice: KeyExpired, _frame: bytes | str) -> None:
        self._supervisor.key_expired(notice.key)
        if notice.key == "":
            self._continuity.doubt("expiry of no key")

    def _rejected(self, link: Link, report: Rejected, _frame: bytes | str) -> None:
        self._context.report("error frame", f"{report.refusal.code}: {report.refusal.message}")
        if link.owns(report.id) or report.refusal.kind is RefusalKind.FATAL:
            self._supervisor.lost(link, GapReason.LOST_SOCKET, report.refusal)
        elif report.refusal.kind is RefusalKind.GONE:
            self._supervisor.key_expired(link.key.value)

    def _unreadable(self, link: Link, report: Unreadable, frame: bytes | str) -> None:
        self._pass_unreadable(link, frame, "unreadable frame", report.why)

    def _pass_unreadable(self, link: Link, frame: bytes | str, name: str, why: str) -> None:
        """On a link that is not proven nothing is in doubt: its proof causes a read, or another link leads."""
        found = excerpt(frame, why, self._secrets, doubtful=link.proven)
        self._context.report(name, f"{why}: {found.beginning[:REPORTED]!r}")
        self._pass_on(found, frame, self._pair.leads(link))

    def _searched(self, frame: bytes | str, reports: tuple[Report, ...]) -> tuple[bytes | str, tuple[Report, ...]]:
        """The frame without what is secret, and what it reports then; what only serves the connection stays exact."""
        for report in reports:
            if type(report) is KeyExpired and report.key is not None:
                self._secrets.name(report.key)
        clean = self._secrets.redact(frame)
        if clean == frame:
            return frame, reports
        decoded = self._decode(clean)
        if len(decoded) != len(reports):
            return clean, decoded
        pairs = zip(reports, decoded, strict=True)
        return clean, tuple(first if type(first) in SERVES else second for first, second in pairs)


def _placed(reports: tuple[Report, ...]) -> tuple[Report, ...]:
    """The reports of one frame, each with its place in it."""
    return tuple(
        msgspec.structs.replace(report, place=place)
        if isinstance(report, (OrderReport, AccountReport, Unrecognised))
        else report
        for place, report in enumerate(reports)
    )
