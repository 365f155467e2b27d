"""The account as it was last told: balances and positions, newest word first, and nothing said twice."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from ..events import ZERO, Balance, ConfigUpdate, FundingFee, Position, digest_id
from ..frames import Frame, frame_id
from ..reports import Account, AccountReport, ConfigReport
from ..turn import Turn
from . import narration

REMEMBERED_IDS = 512


class Standing:
    """Balances by asset, positions by symbol and side; each with the exchange time of the push that brought it."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._balances: dict[str, tuple[Balance, int]] = {}
        self._positions: dict[tuple[str, str | None], tuple[Position, int]] = {}
        self._config: dict[str | None, ConfigReport] = {}
        self._whole: tuple[tuple[Balance, ...], tuple[Position, ...]] | None = None
        self._recent: set[str] = set()
        self._oldest_first: deque[str] = deque()
        """The same ids; a dict that loses its first key again and again takes ever longer to find it."""
        self._provisional: deque[FundingFee] = deque(maxlen=REMEMBERED_IDS)
        self._unannounced: deque[tuple[str | None, Decimal, int]] = deque(maxlen=REMEMBERED_IDS)

    def push(self, report: AccountReport, frame: Frame) -> bool:
        """Tell a push, and with it a funding fee, which has no frame of its own; False if it was told before."""
        event_id = frame_id("account_update", frame)
        if self._is_repeat(event_id) or (report.snapshot and self._knows(report)):
            return False
        if report.funding:
            self._tell_funding(report, frame)
        self._turn.deliver(
            narration.account(
                event_id, report.exchange_ts, "ws", report.reason, report.balances, report.positions, frame
            )
        )
        self._note(report)
        self._whole = None
        return True

    def configure(self, report: ConfigReport, frame: Frame) -> None:
        """Tell a symbol's leverage and margin mode, unless they are as they were told."""
        event: ConfigUpdate = narration.config(report, frame)
        known = self._config.get(report.symbol)
        if known is None or _settings(known) != _settings(report):
            self._config[report.symbol] = report
            self._turn.deliver(event)

    def read(self, account: Account) -> None:
        """Tell the whole account, with what was pushed since the read began laid over it, unless told so before."""
        balances = {balance.asset: (balance, account.as_of) for balance in account.balances}
        balances.update({asset: entry for asset, entry in self._balances.items() if entry[1] > account.as_of})
        positions = {_place(position): (position, account.as_of) for position in account.positions}
        for place, entry in self._positions.items():
            if entry[1] > account.as_of:
                if account.one_way:
                    positions = {other: known for other, known in positions.items() if other[0] != place[0]}
                positions[place] = entry
        self._balances, self._positions = balances, positions
        whole = (
            tuple(balance for _, (balance, _) in sorted(balances.items())),
            tuple(position for position, _ in sorted(positions.values(), key=_order) if position.qty != ZERO),
        )
        if whole != self._whole:
            self._whole = whole
            event_id = digest_id("ACCOUNT_UPDATE", account.as_of, whole)
            self._turn.deliver(narration.account(event_id, account.as_of, "poll", None, *whole))

    def held(self, as_of: int) -> tuple[Position, ...]:
        """The positions that are held as far as was told, but for those pushed since this exchange time."""
        return tuple(position for position, ts in self._positions.values() if position.qty != ZERO and ts <= as_of)

    def await_settlement(self, event: FundingFee) -> None:
        """A provisional funding has been told; a final one will replace it."""
        self._provisional.append(event)

    def settle_funding(self, asset: str | None, amount: Decimal, exchange_ts: int) -> str | None:
        """The id of the provisional funding that this final one replaces, None if none was told."""
        for event in self._provisional:
            near = event.exchange_ts is None or abs(event.exchange_ts - exchange_ts) <= SETTLEMENT_MS
            if event.asset == asset and event.amount == amount and near:
                self._provisional.remove(event)
                return event.event_id
        self._unannounced.append((asset, amount, exchange_ts))
        return None

    def _is_settled(self, asset: str, amount: Decimal | None, exchange_ts: int | None) -> bool:
        """Whether the final funding was told before the push that announces it."""
        for row in self._unannounced:
            near = exchange_ts is None or abs(exchange_ts - row[2]) <= SETTLEMENT_MS
            if row[0] == asset and (not amount or row[1] == amount) and near:
                self._unannounced.remove(row)
                return True
        return False

    def wallet(self, asset: str) -> Decimal | None:
        """The wallet balance last told of the asset."""
        entry = self._balances.get(asset)
        return entry[0].wallet_balance if entry is not None else None

    def _is_repeat(self, event_id: str) -> bool:
        if event_id in self._recent:
            return True
        self._recent.add(event_id)
        self._oldest_first.append(event_id)
        if len(self._recent) > REMEMBERED_IDS:
            self._recent.remove(self._oldest_first.popleft())
        return False

    def _knows(self, report: AccountReport) -> bool:
        for balance in report.balances:
            known = self._balances.get(balance.asset)
            if known is None or known[0].wallet_balance != balance.wallet_balance:
                return False
        for position in report.positions:
            held = self._positions.get(_place(position))
            if (held[0].qty if held is not None else ZERO) != position.qty:
                return False
        return True

    def _note(self, report: AccountReport) -> None:
        ts = report.exchange_ts if report.exchange_ts is not None else self._turn.exchange_time() or 0
        for balance in report.balances:
            known = self._balances.get(balance.asset)
            if known is None or known[1] <= ts:
                self._balances[balance.asset] = (balance, ts)
        for position in report.positions:
            place = (position.symbol, position.side)
            if report.one_way:
                places = [(position.symbol, side) for side in ("LONG", "SHORT", None)]
                if any(self._positions[other][1] > ts for other in places if other in self._positions):
                    continue
                for other in places:
                    self._positions.pop(other, None)
            elif place in self._positions and self._positions[place][1] > ts:
                continue
            self._positions[place] = (position, ts)

    def _tell_funding(self, report: AccountReport, frame: Frame) -> None:
        symbol = report.positions[0].symbol if len(report.positions) == 1 else None
        for balance in report.balances:
            amount = balance.change
            if not amount:
                before = self.wallet(balance.asset)
                known = before is not None and balance.wallet_balance is not None
                amount = balance.wallet_balance - before if known else None  # type: ignore[operator]
            event_id = digest_id("FUNDING_FEE", report.exchange_ts, balance.asset, amount, symbol)
            if self._is_repeat(event_id) or self._is_settled(balance.asset, amount, report.exchange_ts):
                continue
            event = FundingFee(
                event_id=event_id,
                exchange_ts=report.exchange_ts,
                source="ws",
                frame=frame,
                amount=amount,
                asset=balance.asset,
                symbol=symbol,
                provisional=True,
            )
            self.await_settlement(event)
            self._turn.deliver(event)


SETTLEMENT_MS = 600_000
"""A funding row names a time within this of the push that announced it."""


def _place(position: Position) -> tuple[str, str | None]:
    return position.symbol, position.side


def _order(entry: tuple[Position, int]) -> tuple[str, str]:
    return entry[0].symbol, entry[0].side or ""


def _settings(report: ConfigReport) -> tuple[int | None, int | None, str | None]:
    return report.long_leverage, report.short_leverage, report.margin_mode
