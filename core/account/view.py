"""The account as it was last delivered: balances and positions, by the newest report, and nothing delivered twice."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple, TypeVar

import msgspec

from ..context import Context
from ..events import ZERO, AccountUpdate, Balance, ConfigUpdate, Position
from ..frames import Frame
from ..ids import digest_id, frame_id
from ..reports import Account, AccountReport, ConfigReport
from . import newest, translate
from .funding import Funding
from .newest import DISPUTED, NEWS, SAME, Entry, Newest, Stamp
from .recent import RecentIds

_PositionKey = tuple[str, str | None]
_Row = TypeVar("_Row", Balance, Position)


class PushOutcome(Enum):
    """The result of a push."""

    KNOWN = auto()
    """It came before, or repeats the account, and holds nothing new: the cross-check ignores it."""
    FIRST = auto()
    CONTRADICTED = auto()
    """Another link has reported something else of the same moment."""


KNOWN, FIRST, CONTRADICTED = PushOutcome


class ReadOutcome(NamedTuple):
    """The result of a read."""

    overtaken: bool
    """A push that was delivered, or that says something else, is newer: the read is not the account at one moment."""
    disputed: bool
    """A push of the same grain differs from the read, which a later read decides."""


class AccountView:
    """Balances by asset, positions by symbol and side, or by symbol alone where the account nets them.

    `grain` is that of the venue's lists, ms; with `available`, what can be spent is a figure of its own.
    """

    def __init__(self, context: Context, *, grain: int = 1, available: bool = False) -> None:
        self._context = context
        self._grain = grain
        self._balances: Newest[str, Balance] = Newest(newest.funds if available else newest.wallet)
        self._positions: Newest[_PositionKey, Position] = Newest(newest.position)
        self._nets = False
        """True if the account nets its positions, by the last row of any."""
        self._delivered_ts = -1
        """Exchange time of the newest push that was delivered."""
        self._whole = False
        """True if the account was delivered whole, and no side of a position has gone since without being named."""
        self._config: dict[str | None, ConfigReport] = {}
        self._newest_ts = -1
        """Exchange time of the newest push that was heard: none that is newer was heard before."""
        self._recent = RecentIds()
        self.funding = Funding(context, self._recent)

    def push(self, report: AccountReport, frame: Frame, *, link: int, arrived_ts: int) -> PushOutcome:
        """Deliver what of a push is news, and with it a funding fee, which has no frame of its own.

        What names no time of its own is as new as its arrival, `arrived_ts`. `link` is the socket that brought it.
        """
        event_id, ts = frame_id("account_update", frame, report.place), report.exchange_ts
        if ts is None:  # the same text later is another word
            event_id, ts = digest_id("ACCOUNT_UPDATE", arrived_ts, event_id), arrived_ts
        if self._newest_ts < ts <= self._newest_ts + AHEAD_MS:
            self._newest_ts = ts
        elif event_id in self._recent:
            return KNOWN
        else:
            ts = self._believed(ts)
            self._newest_ts = max(self._newest_ts, ts)
        self._recent.add(event_id)
        balances, positions = report.balances, report.positions
        grain = self._grain
        stamp = Stamp(ts, ts + ts // grain * grain + grain, link)
        wallets = self._wallets(report) if report.funding else ()
        news = not (balances or positions or report.snapshot)
        contradicted = False
        dropped: tuple[Balance | Position, ...] = ()
        for balance in balances:
            verdict = self._balances.weigh(balance, balance.asset, stamp, balance.change)
            if verdict is NEWS:
                news = True
            elif verdict is not SAME:
                dropped += (balance,)
                contradicted = contradicted or verdict is DISPUTED
        if positions and report.one_way is not self._nets:
            self._change_over()
        for position in positions:
            key = (position.symbol, None if self._nets else position.side)
            known = self._positions.get(key) if self._nets else None
            verdict = self._positions.weigh(position, key, stamp)
            if verdict is NEWS:
                news = True
                if known is not None and known.side != position.side:
                    self._whole = False
            elif verdict is not SAME:
                dropped += (position,)
                contradicted = contradicted or verdict is DISPUTED
        if wallets:
            self.funding.push(report, frame, wallets, dropped)
        if dropped:
            balances, positions = _without(dropped, balances), _without(dropped, positions)
        if news:
            if ts > self._delivered_ts:
                self._delivered_ts = ts
            event = AccountUpdate(
                event_id=event_id,
                exchange_ts=report.exchange_ts,
                source="ws",
                frame=frame,
                reason=report.reason,
                balances=balances,
                positions=positions,
                complete=False,
            )
            self._context.deliver(event)
        if contradicted:
            return CONTRADICTED
        return FIRST if news or not report.snapshot else KNOWN

    def configure(self, report: ConfigReport, frame: Frame) -> None:
        """Deliver a symbol's leverage and margin mode, unless they are as delivered before."""
        event: ConfigUpdate = translate.config(report, frame)
        known = self._config.get(report.symbol)
        if known is None or _settings(known) != _settings(report):
            self._config[report.symbol] = report
            self._context.deliver(event)

    def read(self, account: Account, *, whole: bool = True) -> ReadOutcome:
        """Deliver the whole account, newer pushes in place of its rows, if that is not what was delivered.

        One that is not `whole`, since the row of a position cannot be read, is delivered as far as it goes.
        """
        as_of = Stamp.of_read(account.as_of, self._grain)
        if account.positions and account.one_way is not self._nets:
            self._change_over()
        before = () if whole else self._positions.rows()
        owned = self._balances.merge(((balance.asset, balance) for balance in account.balances), as_of)
        held = self._positions.merge(
            (((each.symbol, None if self._nets else each.side), each) for each in account.positions), as_of
        )
        if owned.news or held.news or (whole and not self._whole):
            self._whole = whole
            open_now = [position for position in self._positions.rows() if position.qty != ZERO]
            shown = {(position.symbol, position.side) for position in open_now}
            closed = [_flat(each, self._nets) for each in before if each.qty and (each.symbol, each.side) not in shown]
            rows = (
                tuple(sorted(map(_unchanged, self._balances.rows()), key=lambda balance: balance.asset)),
                tuple(sorted((*open_now, *closed), key=lambda position: (position.symbol, position.side or ""))),
            )
            event_id = digest_id("ACCOUNT_UPDATE", account.as_of, rows)
            self._context.deliver(translate.account(event_id, account.as_of, "poll", None, *rows, complete=whole))
        overtaken = self._delivered_ts > account.as_of or owned.overtaken or held.overtaken
        return ReadOutcome(overtaken, owned.disputed or held.disputed)

    def held(self, as_of: int) -> tuple[Entry[Position], ...]:
        """Return the delivered open positions, but for those pushed since this exchange time, ms."""
        known = self._positions.until(Stamp.of_read(as_of, self._grain))
        return tuple(entry for entry in known if entry.row.qty != ZERO)

    def wallet(self, asset: str) -> Decimal | None:
        """The newest wallet balance of the asset."""
        known = self._balances.get(asset)
        return known.wallet_balance if known is not None else None

    def _wallets(self, report: AccountReport) -> list[Decimal | None]:
        return [self.wallet(balance.asset) for balance in report.balances]

    def _believed(self, ts: int) -> int:
        """The time that a push names; its arrival, if that would be far ahead of the exchange's clock."""
        now = self._context.exchange_time()
        return ts if now is None or ts <= now + AHEAD_MS else now

    def _change_over(self) -> None:
        """The account nets its positions from now on, or no more: what is known of them is kept elsewhere."""
        self._nets = not self._nets
        self._positions.move(_netted if self._nets else _hedged)


AHEAD_MS = 60_000
"""No push is so much later than the exchange's clock says: else nothing would be newer than it for ever."""


def _without(dropped: Sequence[Balance | Position], rows: tuple[_Row, ...]) -> tuple[_Row, ...]:
    return tuple(row for row in rows if row not in dropped)


def _netted(position: Position) -> tuple[tuple[_PositionKey, Position], ...]:
    """Where the account nets, a symbol has one position."""
    return (((position.symbol, None), position),)


def _hedged(position: Position) -> tuple[tuple[_PositionKey, Position], ...]:
    """Else it has two, and where it had one the other was none."""
    symbol = position.symbol
    return tuple(
        ((symbol, side), position if side == position.side else Position(symbol=symbol, side=side, qty=ZERO))
        for side in ("LONG", "SHORT")
    )


def _flat(position: Position, nets: bool) -> Position:
    """The position closed; where the account nets its positions it has no side then."""
    return Position(symbol=position.symbol, side=None if nets else position.side, qty=ZERO)


def _unchanged(balance: Balance) -> Balance:
    """Return the balance without its change, which the push has delivered."""
    return balance if balance.change is None else msgspec.structs.replace(balance, change=None)


def _settings(report: ConfigReport) -> tuple[int | None, int | None, str | None]:
    return report.long_leverage, report.short_leverage, report.margin_mode
