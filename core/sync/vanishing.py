"""Positions that a read does not list any more: closed, or missing from the answer.

A delivered position that is in no list has vanished. Delivered fills, or a push, explain it. Without either, an answer
without any list is no answer, and the read fails; an empty list is believed at the second read that has one. The same
where none was delivered yet, as after a restart, and the balances of the very same read show an unrealised profit.
Margin that no open order can have bound is a weaker sign: then any list without positions is believed the second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ..account.orders import Orders
from ..account.view import AccountView
from ..books.cross_check import CrossCheck
from ..books.projection import PositionKey
from ..events import Position
from ..reports import Account
from .backfill import Finding


class Answer(NamedTuple):
    """The part of a read that may be delivered; `whole` if it has all that is held."""

    account: Account
    whole: bool
    doubted: bool
    """Positions have vanished without a reason; the next read may say so too."""


class Vanishing:
    """Remembers whether the read before has shown no position where some were held."""

    def __init__(self, orders: Orders, view: AccountView, cross_check: CrossCheck) -> None:
        self._orders = orders
        self._view = view
        self._cross_check = cross_check
        self._doubted = False

    def judge(self, account: Account, findings: Iterable[Finding]) -> Answer | None:
        """Return the part of the read that may be delivered; None if it is no answer at all."""
        if account.positions_listed == "rows" and not account.odd:
            self._doubted = False
            return Answer(account, True, False)
        entries = self._view.held(account.as_of)
        held = tuple(entry.row for entry in entries)
        vanished: tuple[Position, ...] = ()
        unknown = account.positions_listed != "rows" and not entries
        belied = unknown and any(balance.unrealized_pnl for balance in account.balances)
        unlikely = belied or (unknown and _binds_margin(account))
        if account.positions_listed != "rows":
            moves = self._moves(findings) if entries else {}
            vanished = tuple(
                entry.row for entry in entries if not self._cross_check.is_flat(entry.row, moves, entry.stamp.ts)
            )
        if (vanished or belied) and account.positions_listed == "hollow":
            return None
        doubted = (bool(vanished) or unlikely) and not self._doubted
        self._doubted = doubted
        hidden, whole = _hidden(account, held)
        whole = whole and not (unlikely and doubted)
        kept = (*hidden, *vanished) if doubted else hidden
        if not kept and whole:
            return Answer(account, True, False)
        return Answer(
            msgspec.structs.replace(account, positions=(*account.positions, *kept), settled=False), whole, doubted
        )

    def _moves(self, findings: Iterable[Finding]) -> dict[PositionKey, Decimal]:
        """Return how far fills that are about to be delivered move each position."""
        moves: defaultdict[PositionKey, Decimal] = defaultdict(Decimal)
        for finding in findings:
            order = self._orders.by_ref.get(finding.ref)
            for start, end, row in finding.fills:
                qty = end - start if order is None else order.coverage.missing(start, end)
                towards = finding.report.position_side  # a row may name a side though the account nets its positions
                gains = row.side == ("SELL" if towards == "SHORT" else "BUY")
                moves[row.symbol, towards] += qty if gains else -qty
        return moves


def _binds_margin(account: Account) -> bool:
    """True if margin is bound, and by no order that is open, or whose row cannot be read."""
    ordered = account.open_orders or any(row.kind == "order" for row in account.odd)
    return not ordered and any(balance.used_margin for balance in account.balances)


def _hidden(account: Account, held: Iterable[Position]) -> tuple[tuple[Position, ...], bool]:
    """Return the delivered positions whose rows cannot be read, and whether these are all of them."""
    listed = {(position.symbol, position.side) for position in account.positions}
    odd = [row for row in account.odd if row.kind == "position"]
    kept = tuple(
        position
        for position in held
        if (position.symbol, position.side) not in listed
        and any(row.symbol in (None, position.symbol) and row.side in (None, position.side) for row in odd)
    )
    return kept, Counter(row.symbol for row in odd) <= Counter(position.symbol for position in kept)
