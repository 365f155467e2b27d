"""Inspects a life every ten seconds: losses are noticed, calm stays calm, reads go on, and memory is bounded."""

from __future__ import annotations

import math
from random import Random

from listenkey.core.events import Health

from .exchange import Market
from .faults import HARM, KINDS, Fault
from .judge import Judge
from .outcome import CALM_AFTER, NOTICED_WITHIN
from .process import Process
from .setup import EPOCH, Setup
from .venues import SWAP
from .violation import Violation
from .weather import Weather

HEALED_WITHIN = 600.0
"""Seconds after the last fault: a minute between reads, half a minute between mints, 480 s after many failures."""
POLLS_TO_NOTICE = 8
"""Poll intervals until a read must have shown a fill: the next but one may be the first, and some may fail."""
LATE = 2.0
"""Seconds in addition to `probe_after` and `silence_timeout`, for a timer that is late."""
RENEWED = 75.0
"""Seconds in addition to `renew_interval` until a renewal is answered: a minute after a failed one, and time-outs."""
LOOK_EVERY = 10.0
WRITTEN_OFF = 90.0
"""Seconds in addition to two audit intervals, after which an unreadable row is written off: after three reads."""
KNOWN_FOR = 600.0
HAUNTED_FOR = 480.0
"""Seconds in which ten denied orders may be asked for; they are over after a second read, half this time later."""
LAPSE = 60.0
"""Seconds in addition to two audit intervals: a read may take so long, and is looked for every ten seconds."""
SILENCE = 120.0
"""Seconds between two reads while a gap is open: a minute of backoff or 44 s of spacing, and as much again. If a row
cannot be read, the next read comes an audit interval after the last."""


def haunted_for(orders: int) -> float:
    """Return the seconds in which so many denied orders are over."""
    return (math.ceil(orders / 10) + 0.5) * HAUNTED_FOR


class Inspector:
    """Knows which faults were in force, and from that what the stream must have noticed by now."""

    def __init__(self, market: Market, judge: Judge, weather: Weather, setup: Setup) -> None:
        self.process: Process | None = None
        self._market = market
        self._agenda = market.agenda
        self._judge = judge
        self._harmed_at = 0.0
        self._rest_harmed_at = 0.0
        self._rest_well_since = 0.0
        self._otherwise_harmed_at = 0.0
        self._beside_odd_at = 0.0
        self._last_fault_at = 0.0
        self._weather = weather
        self._healed_since: float | None = None
        self._over = False
        self._refusals = 0
        self._counts_failures = setup.venue == SWAP
        policy = setup.policy
        self._silence = policy.probe_after + policy.silence_timeout + LATE
        self._renewed = policy.renew_interval + RENEWED
        self._dead_since: dict[str, float] = {}
        """When each key was first found to be dead while the stream went on with it."""
        self._lapse = 2 * setup.policy.audit_interval + LAPSE
        self._written_off = 2 * setup.policy.audit_interval + WRITTEN_OFF
        interval = setup.policy.poll_interval
        self._polls = setup.mode == "poll"
        self._noticed_within = POLLS_TO_NOTICE * interval if self._polls else NOTICED_WITHIN
        weather.begins.append(self._suffers)
        weather.ends.append(self._suffers)

    def _suffers(self, fault: Fault, random: Random) -> None:
        if not KINDS[fault.kind].harmless or (self._polls and fault.kind in HARM):
            self._harmed_at = max(self._harmed_at, fault.until)
        if fault.kind != "odd" and not KINDS[fault.kind].harmless:
            self._otherwise_harmed_at = max(self._otherwise_harmed_at, fault.until)
        self._last_fault_at = max(self._last_fault_at, fault.until)
        if fault.kind != "odd":
            self._beside_odd_at = max(self._beside_odd_at, fault.until)
        if fault.kind in HARM or KINDS[fault.kind].reads:
            self._rest_harmed_at = max(self._rest_harmed_at, fault.until)

    def begin(self) -> None:
        """Begin to inspect, every ten seconds."""
        self._agenda.after(LOOK_EVERY, self._look)

    def end(self) -> None:
        """The stream is about to end: inspect no more."""
        self._over = True

    def forget(self) -> None:
        """The process has ended: its stream no longer counts as healed."""
        self._healed_since = None

    def _look(self) -> None:
        if self._over:
            return
        judge, now = self._judge, self._agenda.now
        if (crowded := self._market.crowds.newest) >= 0:
            self._harmed_at = max(self._harmed_at, (crowded - EPOCH) / 1000)
        self.check_failures()
        if self.process is not None and self.process.silent_for() > self._silence:
            raise Violation("silence-noticed", f"nothing for {self.process.silent_for():.1f} s")
        self._check_reads(now)
        self._check_keys(now)
        live = judge.whole
        if not live:
            self._healed_since = None
        elif self._healed_since is None:
            self._healed_since = now
        if live and now > self._rest_harmed_at + NOTICED_WITHIN:
            unseen = judge.truth.unseen(self._market.ms - int(self._noticed_within * 1000))
            if unseen:
                raise Violation("gap-said", f"no gap is open, but {unseen[0]} was never delivered")
        quiet_for = now - max(self._harmed_at, 0.0)
        if quiet_for > CALM_AFTER:
            self._check_calm(now)
        self._check_memory(quiet_for)
        self._agenda.after(LOOK_EVERY, self._look)

    def check_failures(self) -> None:
        """Count the calls that the venue has refused since the last inspection."""
        refused = self._market.door.refused
        for at, endpoint, why in refused[self._refusals :]:
            if self._counts_failures and "frequency limit" not in why:
                self._judge.attempts.failed(endpoint, at)
            if endpoint.endswith("/trade/order") and "not exist" in why:
                self._judge.denied.noted(at)
        self._refusals = len(refused)

    def _check_keys(self, now: float) -> None:
        """Raise if a link has long gone on with a dead key: where dead keys open sockets, only a renewal finds that."""
        process, market = self.process, self._market
        if self._polls or process is None or process.over or process.failed or process.stands_still:
            self._dead_since.clear()
            return
        used = {held.key for held in process.sockets.values() if held.conn is not None and held.closing_at is None}
        dead = [key for key in used if not market.keys.valid(key, market.ms)]
        since = self._dead_since
        self._dead_since = {key: max(since.get(key, now), self._harmed_at) for key in dead}
        for at in self._dead_since.values():
            if self._judge.whole and now > at + self._renewed:
                raise Violation("key-death-noticed", f"a link goes on with a key that is dead since {at:.1f}")

    def _check_reads(self, now: float) -> None:
        judge, process = self._judge, self.process
        if process is None or process.over or process.failed or process.stands_still or process.finished:
            judge.moved_at = now
            self._rest_well_since = max(self._rest_well_since, now)
            return
        if not judge.gap_open and judge.health is not Health.BLIND and now - judge.moved_at > self._lapse:
            raise Violation("reads-go-on", f"no gap is open, and nothing was proven since {judge.moved_at:.1f}")
        opened_at = judge.gaps[-1][0] if judge.gaps else 0.0
        wanted_since = max(judge.asked_at, opened_at, self._rest_harmed_at, self._rest_well_since)
        if judge.gap_open and now - wanted_since > max(SILENCE, self._lapse / 2 + LAPSE / 2):
            raise Violation("reads-go-on", f"a gap is open, and no read was asked for since {judge.asked_at:.1f}")
        odd = self._weather.on("odd")
        well_since = max(self._otherwise_harmed_at, self._rest_well_since)
        if odd is not None and min(now - odd.at, now - well_since) > NOTICED_WITHIN:
            until = self._market.ms - int(self._noticed_within * 1000)
            for trade in judge.truth.unseen(until):
                if not self._market.door.spoiling.is_about(trade.order_id, trade.trade_id):
                    raise Violation("reads-go-on", f"no row about {trade} is odd, and it was never delivered")
        if odd is not None:
            newest = self._market.door.spoiling.newest_odd
            since = max(odd.at, newest, self._rest_well_since, self._beside_odd_at + SILENCE)
            if judge.gap_open and newest > 0 and judge.moved_at < since < now - self._written_off:
                raise Violation("reads-go-on", f"a row that cannot be read holds all up, the last since {newest:.1f}")

    def _check_calm(self, now: float) -> None:
        judge = self._judge
        if judge.gaps and judge.gaps[-1][0] > self._harmed_at + CALM_AFTER:
            at, reason = judge.gaps[-1]
            after = at - self._harmed_at
            raise Violation("calm-stays-live", f"a gap opened at {at:.3f} ({reason}), {after:.0f} s after")
        process = self.process
        stands = process is None or process.over or process.failed or process.stands_still or process.finished
        if judge.gap_open and not stands and now > max(judge.gaps[-1][0], self._last_fault_at) + HEALED_WITHIN:
            raise Violation("calm-stays-live", f"a gap is open since {judge.gaps[-1][0]:.3f}")
        if judge.health is Health.BLIND and now > self._harmed_at + HEALED_WITHIN:
            raise Violation("calm-stays-live", f"blind since {judge.blind_since:.3f}")

    def _check_memory(self, quiet_for: float) -> None:
        process = self.process
        if process is None or process.over or quiet_for < HEALED_WITHIN or self._healed_since is None:
            return
        since = self._market.ms - int(KNOWN_FOR * 1000)
        orders, ghosts = self._market.exchange.orders.values(), self._market.door.spoiling.ghosts
        lately = sum(order.id in ghosts and order.updated > self._market.ms - 3_600_000 for order in orders)
        haunted = self._market.ms - int(haunted_for(lately) * 1000)
        needed = sum(order.open or order.updated >= since for order in orders)
        needed += sum(order.id in ghosts and haunted <= order.updated < since for order in orders)
        known = len(process.connection._continuity._orders.by_ref)
        if known > needed + 5:
            raise Violation("memory-bounded", f"{known} orders are known, {needed} are open or ended lately")
        armed = len(process.connection._context.timers._deadlines)
        if armed > 60:
            raise Violation("memory-bounded", f"{armed} timers are armed")
