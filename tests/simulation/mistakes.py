"""The deliberate bugs: the changes of the source, the faults under which each shows, the invariants that catch it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .venues import SWAP, USDM
from .violation import INVARIANTS


class Change(NamedTuple):
    """A text that is exactly once in a file, and the text that replaces it."""

    path: str
    old: str
    new: str


class Bug(NamedTuple):
    """A bug, the kinds of fault under which it shows in a mode, and the invariants that may catch it.

    `given` are fields of a setup without which it does not show; they replace those that are drawn.
    """

    what: str
    changes: tuple[Change, ...]
    kinds: str
    caught_by: tuple[str, ...]
    mode: str = "ws"
    given: Mapping[str, Any] = MappingProxyType({})
    venue: str = SWAP


BUGS: dict[str, Bug] = {
    "covered-interval": Bug(
        "covered intervals ignored",
        (
            Change(
                "core/account/coverage.py",
                "        low = max(start, self.contiguous)\n",
                "        return [(start, end)]\n        low = max(start, self.contiguous)\n",
            ),
        ),
        "rotate,drop,repeat",
        ("no-fill-twice",),
    ),
    "early-snapshot": Bug(
        "snapshot read before the socket is proven",
        (
            Change(
                "core/link/effects.py",
                "        self._pair.open(cause.key)\n",
                "        self._pair.open(cause.key)\n        self._observer.connected()\n",
            ),
            Change(
                "core/link/effects.py",
                "        self._arm_rotation()\n        self._observer.connected()\n\n    def open_gap(",
                "        self._arm_rotation()\n\n    def open_gap(",
            ),
        ),
        "drop,close,accept_hang",
        ("gap-closed-by-read", "no-fill-lost", "watermark-honest"),
    ),
    "no-hold": Bug(
        "held frames released before the read",
        (
            Change(
                "core/sync/continuity.py",
                "        self._holdback.hold()\n        self._reconciler.schedule.link_proven()\n",
                "        self._reconciler.schedule.link_proven()\n",
            ),
        ),
        "drop,close,partition",
        ("read-before-frames",),
    ),
    "live-key": Bug(
        "live key deleted after rotation",
        (
            Change(
                "core/link/effects.py",
                "    def hand_over(self, _cause: Cause) -> None:\n        self._drop_leader()\n",
                "    def hand_over(self, _cause: Cause) -> None:\n        self._drop_leader()\n"
                "        self._context.emit(DeleteKey(0, self._leader.key.value))\n",
            ),
            Change(
                "core/link/effects.py",
                "from ..actions import Finish\n",
                "from ..actions import DeleteKey, Finish\n",
            ),
        ),
        "rotate",
        ("live-key-kept",),
    ),
    "break-before-make": Bug(
        "old link closed before the successor is proven",
        (
            Change(
                "core/link/effects.py",
                "        self._pair.open_successor(cause.key)\n",
                "        self._pair.open_successor(cause.key)\n        self._leader.close()\n",
            ),
        ),
        "rotate",
        ("calm-stays-live",),
    ),
    "backoff-reset": Bug(
        "backoff reset on connect",
        (
            Change(
                "core/link/effects.py",
                "        self._context.arm((Timer.HEALTHY, 0), self._context.policy.healthy_after)\n",
                "        self._backoff.reset()\n",
            ),
        ),
        "accept_close",
        ("attempts-bounded",),
    ),
    "no-delay": Bug(
        "no jitter and no delay after a clean close",
        (
            Change(
                "core/link/effects.py",
                "        self._context.arm((Timer.DELAY, 0), max(delay, self._floor))\n",
                "        delay = 0.001 if _cause.refusal is None else delay\n"
                "        self._context.arm((Timer.DELAY, 0), delay)\n",
            ),
        ),
        "accept_close",
        ("attempts-bounded",),
    ),
    "no-silence": Bug(
        "silence timer never armed",
        (
            Change(
                "core/link/link.py",
                "        self._timers.arm(self._quiet, at)\n",
                "        return\n",
            ),
        ),
        "half_open",
        ("silence-noticed",),
    ),
    "foreign-expiry": Bug(
        "expiry of a foreign key obeyed",
        (
            Change(
                "core/link/supervisor.py",
                "        key = leader if value is None else self._keyring.get(value)\n",
                "        key = leader\n",
            ),
        ),
        "foreign",
        ("key-gone-is-true",),
    ),
    "unreadable-swallowed": Bug(
        "a frame that cannot be read is logged and nothing else",
        (
            Change(
                "core/intake.py",
                "        self._pass_on(found, frame, ",
                "        return\n        self._pass_on(found, frame, ",
            ),
        ),
        "garbage,truncate,unreadable",
        ("heard-is-delivered",),
    ),
    "unreadable-not-read": Bug(
        "a frame that cannot be read is delivered, and the account is not read",
        (
            Change(
                "core/sync/continuity.py",
                "        if found.doubtful:\n",
                "        if False:\n",
            ),
        ),
        "unreadable",
        ("heard-is-delivered",),
    ),
    "left-out": Bug(
        "what is left out of UNKNOWN is never delivered",
        (
            Change(
                "core/account/unknowns.py",
                "            if left.newest is None:\n                self._arm()\n",
                "",
            ),
        ),
        "garbage,truncate,unreadable",
        ("heard-is-delivered",),
    ),
    "list-swallowed": Bug(
        "a frame that is not one object is logged and nothing else",
        (
            Change(
                "adapters/venues/bingx/swap.py",
                "        return reports(frame, content, self.decode, depth) "
                "if isinstance(content, Unreadable) else (content,)\n",
                "        return () if isinstance(content, Unreadable) else (content,)\n",
            ),
        ),
        "odd_frames",
        ("heard-is-delivered", "calm-stays-live"),
    ),
    "renewal-gone": Bug(
        "renewal failure treated as key gone",
        (
            Change(
                "core/link/keyring.py",
                "            if key.request == request and refusal.kind is RefusalKind.GONE:\n",
                "            if key.request == request:\n",
            ),
        ),
        "renew_busy",
        ("key-gone-is-true",),
    ),
    "frame-watermark": Bug(
        "watermark moved by frames",
        (
            Change(
                "core/sync/continuity.py",
                "        if self._orders.take(report, frame) and self._orders.complete:\n",
                "        without_base = self._orders.take(report, frame)\n"
                "        if report.exchange_ts and self._orders.proven_until and not self._holdback.holding:\n"
                "            if report.exchange_ts > self._orders.proven_until:\n"
                "                self._orders.prove(report.exchange_ts)\n"
                "                self._context.emit(MarkProven(report.exchange_ts))\n"
                "        if without_base and self._orders.complete:\n",
            ),
            Change(
                "core/sync/continuity.py",
                "from ..account import translate\n",
                "from ..account import translate\nfrom ..actions import MarkProven\n",
            ),
        ),
        "lose,drop",
        ("watermark-honest", "no-fill-lost"),
    ),
    "empty-account": Bug(
        "failed read delivered as empty account",
        (
            Change(
                "core/sync/reconciler.py",
                "        never_passed = self._orders.proven_until is None\n",
                "        never_passed = self._orders.proven_until is None\n"
                "        ms = self._context.exchange_time() or 0\n"
                "        since = asked.since\n"
                "        empty = Account(as_of=ms, exchange_ms=ms, since=since, whole=True, settled=True)\n"
                "        self._view.read(empty)\n",
            ),
        ),
        "reads_down,rest_down",
        ("only-the-truth", "full-is-full"),
    ),
    "marked-early": Bug(
        "event marked before the consumer returns",
        (
            Change(
                "adapters/driver/backlog.py",
                "            self._taken = self._serials.popleft()\n",
                "            self._taken = self._serials.popleft()\n"
                "            if self._journal is not None:\n"
                "                self._journal.mark(self._taken)\n",
            ),
        ),
        "crash",
        ("no-fill-lost",),
    ),
    "late-key": Bug(
        "late key not deleted",
        (
            Change(
                "core/link/keyring.py",
                "            if value not in self._keys:\n                self._delete(value)\n",
                "",
            ),
        ),
        "slow_mint",
        ("no-key-left",),
    ),
    "early-cancel": Bug(
        "cancel overtaking a held fill",
        (
            Change(
                "core/account/order.py",
                "        return (report.cumulative_qty if claim is None else claim[0]) > self.coverage.top\n",
                '        return report.status != "CANCELED" and '
                "(report.cumulative_qty if claim is None else claim[0]) > self.coverage.top\n",
            ),
        ),
        "lose,swap",
        ("order-kept",),
    ),
    "half-stored": Bug(
        "what events prove stored in another transaction, before them",
        (
            Change(
                "adapters/journal/sqlite.py",
                "                connection.executemany(_INSERT,",
                '                connection.execute("UPDATE state SET proven_until = ?", (proven,))\n'
                '                connection.execute("COMMIT")\n'
                '                connection.execute("BEGIN IMMEDIATE")\n'
                "                connection.executemany(_INSERT,",
            ),
        ),
        "crash",
        ("stored-whole",),
    ),
    "no-sync": Bug(
        "a journal that should survive a power cut does not sync",
        (Change("adapters/journal/schema.py", "'FULL' if durability == 'power' else 'NORMAL'", "'NORMAL'"),),
        "power",
        ("stored-whole",),
    ),
    "paid-again": Bug(
        "payments forgotten over a restart",
        (
            Change(
                "core/sync/memory.py",
                "        elif isinstance(event, (FundingFee, BalanceChange)):\n"
                "            self._income.recall(event)\n",
                "",
            ),
        ),
        "crash,restart",
        ("payments-kept",),
    ),
    "last-to-come": Bug(
        "the last word to arrive wins, whatever its stamp",
        (
            Change(
                "core/account/newest.py",
                "            if stamp.age <= known.stamp.age:\n",
                "            if stamp.link is None and stamp.age <= known.stamp.age:\n",
            ),
        ),
        "stale_snapshot,stale_reconnect,shuffle",
        ("last-word-true",),
    ),
    "ever-live": Bug(
        "without a socket, LIVE however old the last read is",
        (
            Change(
                "core/sync/lapse.py",
                "        return self._context.now < self._fresh_until\n",
                "        return self._fresh_until > 0\n",
            ),
        ),
        "reads_down",
        ("live-is-fresh",),
        mode="poll",
    ),
    "stop-is-fill": Bug(
        "FILLED with nothing executed taken for all of it",
        (
            Change(
                "adapters/venues/bingx/vocabulary.py",
                '    if found == 0 and state == "FILLED" and positive(paid) is not None:\n',
                '    if found == 0 and state == "FILLED":\n',
            ),
            Change(
                "adapters/venues/bingx/fastpath.py",
                '        or (status == "FILLED" and average_price and not cumulative_qty)\n',
                '        or (status == "FILLED" and not cumulative_qty)\n',
            ),
        ),
        "resync,slow_consumer",
        ("only-the-truth", "calm-stays-live", "healed-in-time"),
    ),
    "stop-never-ends": Bug(
        "FILLED with nothing executed not delivered at all",
        (
            Change(
                "core/account/translate.py",
                '    return report.status in STATES or (report.status == "FILLED" and report.cumulative_qty == ZERO)\n',
                "    return report.status in STATES\n",
            ),
        ),
        "resync,slow_consumer",
        ("ends-delivered",),
    ),
    "amended-away": Bug(
        "an order amended down to what was executed not delivered as over",
        (
            Change(
                "core/account/translate.py",
                '    return report.status == "FILLED" and ZERO < report.cumulative_qty >= delivered\n',
                "    return False\n",
            ),
        ),
        "resync,slow_consumer",
        ("ends-delivered",),
        given={"rate": 0.1},
    ),
    "denied-for-ever": Bug(
        "an order that the venue denies asked for again in every read",
        (
            Change(
                "adapters/venues/bingx/order_reader.py",
                "        while left and (room := (yield from self._room(shown)) - reserved) > 0:\n",
                "        while left and (room := len(left)):\n",
            ),
            Change("core/sync/denials.py", "            elif since <= shown_until:\n", "            elif since < 0:\n"),
        ),
        "resync,slow_consumer",
        ("ends-delivered", "live-is-fresh", "calm-stays-live", "healed-in-time"),
        mode="poll",
        given={"closed_stops": "unknown"},
    ),
    "denied-with-fills": Bug(
        "the fills of an order that the venue denies left aside",
        (
            Change(
                "core/sync/reconciler.py",
                "        account = self._odd.mend(self._denials.shown_by_fills(account))\n",
                "        account = self._odd.mend(account)\n",
            ),
        ),
        "resync,drop,restart",
        ("calm-stays-live", "healed-in-time"),
        given={"closed_stops": "unknown", "triggered": "own"},
    ),
    "short-list": Bug(
        "a list of fills that ends where the venue's memory ends taken for whole",
        (
            Change(
                "adapters/venues/bingx/lists.py",
                "        return found[::-1] if newest_first else found, len(found) != MOST_FILLS\n",
                "        return found[::-1] if newest_first else found, len(found) <= MOST_FILLS\n",
            ),
        ),
        "restart,crash,outage",
        ("watermark-honest", "no-fill-lost", "gap-said"),
        given={"closed_stops": "unknown", "triggered": "own", "fill_rows": 8, "journal": True},
    ),
    "full-second": Bug(
        "a list of fills that is full within one second taken for whole",
        (
            Change(
                "adapters/venues/bingx/lists.py",
                "            if are_all:\n",
                "            if are_all or end - start <= SECOND:\n",
            ),
        ),
        "crowd",
        ("watermark-honest", "no-fill-lost", "gap-said"),
        given={"closed_stops": "unknown", "triggered": "own", "fill_rows": 8},
    ),
    "figures-of-one": Bug(
        "a frame after an interruption delivered with the fee and the PnL of its last part",
        (
            Change(
                "core/account/orders.py",
                "        if doubted > order.sure_in:\n",
                "        if doubted > self._generation:\n",
            ),
        ),
        "torn_reads",
        ("amounts-true",),
        given={"wire": "captured"},
    ),
    "settled-early": Bug(
        "what was missed taken for shown by any read that passed",
        (
            Change(
                "core/sync/reconciler.py",
                "            orders.clear_doubts(asked.asked_at - context.policy.backfill_overlap, self._odd.aside)\n",
                "            orders.clear_doubts(asked.asked_at, self._odd.aside)\n",
            ),
        ),
        "lag,lag,lag,lag,lag,torn_reads,torn_reads,drop",
        ("amounts-true",),
        given={"wire": "captured", "fill_rows": None, "rate": 0.1},
    ),
    "never-put-right": Bug(
        "delivered fills never compared with the venue's rows",
        (
            Change(
                "core/sync/revisions.py",
                "            stretch = rows.stretch(fill)\n",
                "            stretch = rows.stretch(fill)[:0]\n",
            ),
        ),
        "torn_reads,lose",
        ("amounts-true",),
        given={"wire": "captured"},
    ),
    "forgotten-by-restart": Bug(
        "fills that were delivered without figures forgotten by the next run",
        (
            Change(
                "core/sync/memory.py",
                "                self._revisions.add(fill)\n",
                "                pass\n",
            ),
        ),
        "torn_reads,crash",
        ("amounts-true",),
        given={"wire": "captured", "journal": True, "fill_rows": None},
    ),
    "no-opening-price": Bug(
        "the first fill of an order that was part-filled before the stream delivered without a price",
        (
            Change(
                "core/sync/backfill.py",
                "        order.value(report.cumulative_qty, report.average_price)\n",
                "",
            ),
        ),
        "restart",
        ("amounts-true",),
        given={"wire": "captured", "journal": False, "pending": 100_000},
    ),
    "hollow-believed": Bug(
        "no list of positions taken for no positions",
        (
            Change(
                "core/sync/vanishing.py",
                '        if account.positions_listed != "rows":\n',
                '        if account.positions_listed == "never":\n',
            ),
        ),
        "hollow",
        ("full-is-full",),
    ),
    "empty-beginning": Bug(
        "a first list of positions without any believed against the balances beside it",
        (
            Change(
                "core/sync/vanishing.py",
                "not entries\n",
                "False\n",
            ),
        ),
        "hollow,restart",
        ("full-is-full",),
        mode="poll",
    ),
    "empty-believed": Bug(
        "an empty list of positions believed at once",
        (
            Change(
                "core/sync/vanishing.py",
                "        doubted = (bool(vanished) or unlikely) and not self._doubted\n",
                "        doubted = False\n",
            ),
        ),
        "hollow",
        ("full-is-full",),
    ),
    "failing-is-no-news": Bug(
        "reads that fail on and on open no gap",
        (
            Change(
                "core/sync/lapse.py",
                "        if self._failing or self._polls:\n",
                "        if self._failing is not None:\n",
            ),
        ),
        "reads_down,hollow",
        ("reads-go-on",),
    ),
    "burst-of-reads": Bug(
        "failing reads use up all that may fail, and then there are none for minutes",
        (
            Change("core/sync/schedule.py", "import Backoff, SpacedLimit\n", "import Backoff, FailureLimit\n"),
            Change(
                "core/sync/schedule.py",
                "        self._failures = SpacedLimit(context.failing_calls)\n",
                "        self._failures = FailureLimit(context.failing_calls)\n",
            ),
            Change(
                "adapters/venues/bingx/pace.py",
                "(SpacedLimit(bears, REPEATED), SpacedLimit(bears)) if is_read else ()",
                "(SpacedLimit(bears), SpacedLimit(bears))[:0]",
            ),
        ),
        "flap",
        ("reads-go-on",),
    ),
    "no-repeat": Bug(
        "a request that failed in passing is not repeated",
        (
            Change(
                "adapters/venues/bingx/rest.py",
                'may_repeat = endpoint.method == "GET" and',
                'may_repeat = endpoint.method == "never" and',
            ),
        ),
        "stumble",
        ("calm-stays-live", "reads-go-on"),
    ),
    "zero-is-odd": Bug(
        "a fill of quantity 0 keeps reads from passing",
        (
            Change(
                "core/sync/odd.py",
                '            elif row.kind != "fill" or row.qty != ZERO:\n',
                "            else:\n",
            ),
        ),
        "zero",
        ("calm-stays-live",),
    ),
    "unread-is-odd": Bug(
        "an order that is over and whose fills add up keeps reads from passing",
        (
            Change(
                "core/sync/odd.py",
                "        if report is None:\n            return None\n        if account.whole",
                "        if report is None or row.kind:\n            return None\n        if account.whole",
            ),
        ),
        "unread",
        ("calm-stays-live",),
    ),
    "row-fails-all": Bug(
        "one row that cannot be read fails the whole read",
        (
            Change(
                "core/sync/reconciler.py",
                "        answer = self._vanishing.judge(account, findings)\n",
                "        answer = None if self._odd.any_left else self._vanishing.judge(account, findings)\n",
            ),
        ),
        "odd",
        ("reads-go-on",),
        mode="poll",
    ),
    "odd-for-ever": Bug(
        "a row that cannot be read is never written off",
        (
            Change(
                "core/sync/odd.py",
                "            if reads + 1 >= READS and now",
                "            if reads < 0 and now",
            ),
        ),
        "odd",
        ("reads-go-on",),
        given={"rate": 0.001},
    ),
    "odd-no-more": Bug(
        "a row that cannot be read is written off at once",
        (
            Change(
                "core/sync/odd.py",
                "            if reads + 1 >= READS and now - since",
                "            if reads < READS or now - since",
            ),
        ),
        "odd",
        ("watermark-honest", "no-fill-lost"),
        mode="poll",
    ),
    "questions-forgotten": Bug(
        "a new process asks ten times more for denied orders",
        (
            Change(
                "adapters/venues/bingx/questions.py",
                "[] if self._store is None else list(self._store.questions())",
                "[]",
            ),
        ),
        "ghosts,restart",
        ("attempts-bounded",),
        given={"journal": True},
    ),
    "income-or-nothing": Bug(
        "no read passes while income is refused",
        (
            Change(
                "adapters/venues/bingx/lists.py",
                "            if error.refusal.kind is RefusalKind.FATAL:\n                self._unlisted",
                '            if error.refusal.code == "never":\n                self._unlisted',
            ),
        ),
        "no_income",
        ("calm-stays-live",),
    ),
    "ghosts-at-once": Bug(
        "all orders in no list asked for at once",
        (
            Change(
                "adapters/venues/bingx/order_reader.py",
                "        while left and (room := (yield from self._room(shown)) - reserved) > 0:\n",
                "        while left and (room := len(left)):\n",
            ),
            Change(
                "adapters/venues/bingx/rest.py",
                "again=not is_unknown_order(verdict))",
                "again=True)",
            ),
        ),
        "ghosts",
        ("attempts-bounded", "calm-stays-live", "healed-in-time", "reads-go-on"),
    ),
    "opened-early": Bug(
        "books opened while the cost of a fill is not known",
        (
            Change(
                "core/books/ledger.py",
                "            if sums.opening is None and balance.asset in unclear:\n                continue\n",
                "",
            ),
        ),
        "restart",
        ("ledger-true",),
        given={"income_trades": "bare", "wire": "captured", "journal": False, "pending": 100_000, "rate": 0.1},
    ),
    "probe-never-sent": Bug(
        "an idle stream is not asked for life, and waited for",
        (
            Change(
                "core/link/supervisor.py",
                "        if self.pair.of(socket).fell_quiet(lateness):\n",
                "        if self.pair.of(socket).fell_quiet(lateness) and False:\n",
            ),
        ),
        "resync,slow_consumer",
        ("calm-stays-live",),
        venue=USDM,
    ),
    "idle-is-dead": Bug(
        "an idle stream taken for dead",
        (Change("adapters/venues/binance/facts.py", '"probe_after": 30.0,', '"probe_after": 0.0,'),),
        "resync,slow_consumer",
        ("calm-stays-live",),
        venue=USDM,
    ),
    "never-quiet": Bug(
        "a stream that was asked for life is never found dead",
        (
            Change(
                "core/link/link.py",
                "            self._quiet_at = self._context.now + self._half\n"
                "            self._context.arm(self._quiet, self._half)\n",
                "",
            ),
        ),
        "half_open",
        ("silence-noticed",),
        venue=USDM,
    ),
    "others-key": Bug(
        "the account's key deleted, which others use",
        (
            Change(
                "core/link/keyring.py",
                "        if not self._context.policy.delete_keys:\n            return\n",
                "",
            ),
        ),
        "rotate,restart,drop",
        ("shared-key-kept",),
        venue=USDM,
    ),
    "another-renewed": Bug(
        "a renewal that names another key taken for ours",
        (
            Change(
                "core/link/keyring.py",
                "        if key is None or value is None or value == key.value:\n",
                "        if key is None or value is None or value:\n",
            ),
        ),
        "another_deletes",
        ("key-death-noticed",),
        given={"rate": 0.001, "facts": {"deletion": "silent"}},
        venue=USDM,
    ),
    "nameless-renewal": Bug(
        "a renewal that names no key taken for ours",
        (
            Change(
                "adapters/venues/binance/keys.py",
                'self._named = listen_key((yield from self._rest.key("POST"))) if found is None else found',
                "self._named = key if found is None else found",
            ),
        ),
        "another_deletes",
        ("key-death-noticed",),
        given={"rate": 0.001, "facts": {"deletion": "silent", "renewal": "empty"}},
        venue=USDM,
    ),
    "pongs-vouch": Bug(
        "a gap begins where the socket was last heard, though its key was dead by then",
        (
            Change(
                "core/link/link.py",
                "self.key.proven_at if gone else self.heard_at",
                "self.heard_at",
            ),
        ),
        "another_deletes,expire_silently",
        ("gap-said",),
        given={"rate": 0.001, "facts": {"deletion": "silent"}},
        venue=USDM,
    ),
    "unproven-delivered": Bug(
        "what comes on a socket that is not proven yet delivered before the read",
        (
            Change(
                "core/intake.py",
                "        if link.proven or not self._pair.awaits_proof(link):\n",
                "        if link.proven or link.alive:\n",
            ),
        ),
        "rest_slow,rest_slow,rest_slow,drop,drop,crash",
        ("read-before-frames", "order-kept"),
        given={"rate": 0.3},
        venue=USDM,
    ),
    "paged-by-time": Bug(
        "fills paged by their times",
        (
            Change(
                "adapters/venues/binance/lists.py",
                "            if len(rows) >= self._fills_size:\n                last = parting(rows, first, last)\n",
                "            if len(rows) >= self._fills_size:\n"
                '                found, first = found + rows, rows[-1]["time"] + 1\n',
            ),
        ),
        "restart,crash,outage",
        ("watermark-honest", "no-fill-lost", "gap-said", "calm-stays-live", "healed-in-time"),
        given={"page": 4, "journal": True, "rate": 0.1},
        venue=USDM,
    ),
    "no-events": Bug(
        "no list of events asked for",
        (
            Change(
                "adapters/venues/binance/keys.py",
                "&events={'/'.join(EVENTS)}\"",
                "\" + '/'.join(EVENTS)[:0]",
            ),
        ),
        "resync,slow_consumer",
        ("calm-stays-live", "gap-said", "healed-in-time"),
        given={"facts": {"no_events": "none"}},
        venue=USDM,
    ),
    "one-asset": Bug(
        "what a fill gained booked in the asset of its fee",
        (
            Change(
                "adapters/venues/binance/words.py",
                '    if fee_asset not in (None, "BNB"):\n',
                "    if fee_asset != symbol:\n",
            ),
        ),
        "resync,slow_consumer",
        ("calm-stays-live",),
        given={"facts": {"fees": "BNB"}},
        venue=USDM,
    ),
    "ban-ignored": Bug(
        "requests go on while the address is banned",
        (
            Change(
                "adapters/venues/binance/rest.py",
                "        if is_too_fast(verdict):\n",
                "        if verdict.code is None:\n",
            ),
        ),
        "banned",
        ("attempts-bounded",),
        venue=USDM,
    ),
    "overspent": Bug(
        "the weight of an address not counted",
        (
            Change(
                "adapters/venues/binance/pace.py",
                "            free = max(self._locked_until, self._frees(REQUESTS * self._limit - weight, now))\n",
                "            free = self._locked_until\n",
            ),
        ),
        "crowded,crowded,torn_reads,torn_reads,torn_reads",
        ("attempts-bounded",),
        given={"rate": 0.1, "page": 4, "facts": {"used_weight": "counted"}},
        venue=USDM,
    ),
}

assert all(name in INVARIANTS for bug in BUGS.values() for name in bug.caught_by)
