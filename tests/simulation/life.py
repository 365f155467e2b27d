"""One life, from its seed to its verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording import Recorder
from listenkey.adapters.simulator.seeds import seeded
from listenkey.core import inputs
from listenkey.core.events import Health

from .agenda import Agenda
from .exchange import Market
from .faults import HARM, KINDS, Fault
from .judge import Judge
from .network import Network
from .process import Crash, Process, without_an_event_loop
from .setup import Setup
from .truth import Truth
from .violation import Violation
from .weather import Weather

HEALED_WITHIN = 600.0
"""Seconds after the last fault: a minute between reads, half a minute between mints, 480 s after too many failures."""
NOTICED_WITHIN = 200.0
"""An audit every 120 s looks at what is older than 5 s; one that fails is repeated within 60 s."""
SILENT_FOR = 17.0
"""`silence_timeout`, and a little for one that was late."""
CALM_AFTER = 300.0
LOOK_EVERY = 10.0
BEFORE = 300.0
"""Seconds for which the account was used before the stream."""
KNOWN_FOR = 600.0
RESTARTS_WITHIN = 20.0
CRASH_WITHIN = 5.0


class Outcome(NamedTuple):
    """What a life came to; times are lists of virtual seconds."""

    seed: int
    violation: str | None
    hours: float
    faults: Counter[str]
    made: int
    inside: int
    inside_each: bool
    delivered: int
    restarts: int
    gaps: int
    blind: list[float]
    detected: list[float]
    recovered: list[float]
    latencies: list[float]
    digest: str


class Life:
    """A world with one account, one stream, and the faults of its setup."""

    def __init__(self, setup: Setup, folder: Path, record: Path | None = None) -> None:
        self.setup = setup
        self.agenda = Agenda(-BEFORE)
        self.weather = Weather(self.agenda, setup.faults)
        self.network = Network(self.agenda, self.weather, setup.seed)
        self.market = Market(self.agenda, self.network, self.weather, setup)
        self.network.server = self.market
        self.judge = Judge(self.agenda, self.market, Truth(self.market, merges=setup.wire == "captured"))
        self.restarts = 0
        self.inside: Counter[int] = Counter()
        self._folder = folder
        self._recorder = Recorder(record) if record is not None else None
        self._random = seeded(setup.seed, "process")
        self._crash_in: int | None = None
        self._harmed_at = 0.0
        self._healed_since: float | None = None
        self._rest_harmed_at = 0.0
        self._process: Process | None = None
        self._refusals = 0
        self._began_in_lag = False
        """The lists lagged behind the balance when the books were opened, so that they never agree: a known limit."""
        self._lagged_until = 0.0
        self.weather.begins.append(self._begins)
        self.weather.ends.append(self._ends)

    def run(self) -> Outcome:
        """Live it. A violation is part of the outcome."""
        violation = None
        try:
            self._run_until(0.0)
            self._launch()
            self.agenda.after(LOOK_EVERY, self._look)
            self._run_until(self.setup.length)
            self._come_to_rest()
        except Violation as error:
            violation = f"{error} (at {self.agenda.now:.3f} s)"
        finally:
            if self._process is not None and not self._process.over:
                self._process._vanish()
            if self._recorder is not None:
                self._recorder.close()
        return self._outcome(violation)

    # The course of a life

    def _run_until(self, when: float) -> None:
        agenda = self.agenda
        while agenda.step(when):
            pass

    def _launch(self) -> None:
        if self._process is not None and not self._process.over:
            return
        journal = SqliteJournal(self._folder / "life.journal") if self.setup.journal else None
        self._process = Process(
            self.agenda,
            self.network,
            self.setup,
            self.judge,
            self._random,
            number=self.restarts,
            point=self._point,
            died=self._died,
            journal=journal,
            recorder=self._recorder,
        )
        self._process.start()
        clears = self.weather.clears("lag")
        self._began_in_lag = clears > self.agenda.now or self.agenda.now < self._lagged_until

    def _died(self) -> None:
        self._crash_in = None
        self._gone()
        self.agenda.after(self._random.uniform(0.05, RESTARTS_WITHIN), self._launch)

    def _gone(self) -> None:
        """The process is over; what is known of it is what the journal holds."""
        self.restarts += 1
        self._healed_since = None
        if self.setup.journal:
            journal = SqliteJournal(self._folder / "life.journal")
            self.judge.lost_in_a_crash(journal._mark)
            journal.close()
        else:
            self.judge.new_stream()
        self.judge.new_process()

    def _point(self) -> None:
        if self._crash_in is not None:
            self._crash_in -= 1
            if self._crash_in <= 0:
                self._crash_in = None
                raise Crash

    # Faults that concern the process, and fills inside all of them

    def _begins(self, fault: Fault, random: Random) -> None:
        process = self._process
        if not KINDS[fault.kind].harmless:
            self._harmed_at = max(self._harmed_at, fault.until)
        if fault.kind in HARM or "rest" in fault.kind or fault.kind in ("reads_down", "outage", "partition", "blank"):
            self._rest_harmed_at = max(self._rest_harmed_at, fault.until)
        self._plan_fills(fault, random)
        if process is None or process.over:
            return
        match fault.kind:
            case "stop":
                process.stand_still(fault.seconds)
            case "crash":
                self._crash_in = random.randint(1, 60)
                self.agenda.after(CRASH_WITHIN, self._crash_now, self.restarts)
            case "restart":
                self.agenda.after(0.0, process.gate, None, lambda: process.feed(inputs.Stop()))
                self.agenda.after(3.0, self._ended, process, fault.seconds)
            case "slow_consumer":
                process.busy(fault.seconds)
            case "rotate" | "same_key" | "slow_mint":
                process.gate(None, lambda: process.feed(inputs.Rotate()))
            case "resync":
                process.gate(None, lambda: process.feed(inputs.Resync()))

    def _ends(self, fault: Fault, random: Random) -> None:
        if not KINDS[fault.kind].harmless:
            self._harmed_at = max(self._harmed_at, fault.until)
        if fault.kind == "lag":
            self._lagged_until = self.agenda.now + 5

    def _crash_now(self, restarts: int) -> None:
        if self._crash_in is not None and self.restarts == restarts and self._process is not None:
            self._crash_in = None
            self._process.die()

    def _ended(self, process: Process, seconds: float) -> None:
        """The driver gives an orderly end three seconds."""
        if process is self._process and not process.over:
            process._vanish()
            self._gone()
            self.agenda.after(seconds, self._launch)

    def _plan_fills(self, fault: Fault, random: Random) -> None:
        span = fault.until - fault.at
        for _ in range(random.randint(2, 6)):
            self.agenda.after(random.random() * span, self.market.act, self.market.flow.trade)
        self.agenda.at(fault.until - 0.02, self._count, fault, len(self.market.exchange.fills))

    def _count(self, fault: Fault, before: int) -> None:
        if len(self.market.exchange.fills) == before:
            self.market.force_fill()
        self.inside[len(self.inside)] = len(self.market.exchange.fills) - before

    # What is looked at from time to time

    def _look(self) -> None:
        judge, now = self.judge, self.agenda.now
        self._check_failures()
        if self._process is not None and self._process.silent_for() > SILENT_FOR:
            raise Violation("silence-noticed", f"nothing for {self._process.silent_for():.1f} s")
        live = judge.whole
        if not live:
            self._healed_since = None
        elif self._healed_since is None:
            self._healed_since = now
        if live and now > self._rest_harmed_at + NOTICED_WITHIN:
            unseen = judge.truth.unseen(self.market.ms - int(NOTICED_WITHIN * 1000))
            if unseen:
                raise Violation("gap-said", f"no gap is open, but {unseen[0]} was never told")
        quiet_for = now - max(self._harmed_at, 0.0)
        if quiet_for > CALM_AFTER:
            self._check_calm(now)
        self._check_memory(quiet_for)
        self.agenda.after(LOOK_EVERY, self._look)

    def _check_failures(self) -> None:
        refused = self.market.refused
        for at, endpoint, _why in refused[self._refusals :]:
            if "frequency limit" not in _why:
                self.judge.failed(endpoint, at)
        self._refusals = len(refused)

    def _check_calm(self, now: float) -> None:
        judge = self.judge
        if judge.gaps and judge.gaps[-1][0] > self._harmed_at + CALM_AFTER:
            at, reason = judge.gaps[-1]
            raise Violation(
                "calm-stays-live", f"a gap opened at {at:.3f} ({reason}), {at - self._harmed_at:.0f} s after"
            )
        if judge.health is Health.BLIND and now > self._harmed_at + HEALED_WITHIN:
            raise Violation("calm-stays-live", f"blind since {judge.blind_since:.3f}")

    def _check_memory(self, quiet_for: float) -> None:
        process = self._process
        if process is None or process.over or quiet_for < HEALED_WITHIN or self._healed_since is None:
            return
        since = self.market.ms - int(KNOWN_FOR * 1000)
        needed = sum(order.open or order.updated >= since for order in self.market.exchange.orders.values())
        known = len(process.connection._continuity._ground.orders)
        if known > needed + 5:
            raise Violation("memory-bounded", f"{known} orders are known, {needed} are open or ended lately")
        armed = len(process.connection._turn.timers._deadlines)
        if armed > 60:
            raise Violation("memory-bounded", f"{armed} timers are armed")

    def _come_to_rest(self) -> None:
        """The last fault is over: a little more activity, then none, and all must be well."""
        last = max((fault.at + fault.seconds for fault in self.setup.faults), default=0.0)
        self._run_until(max(self.agenda.now, last) + 30)
        self.market.flow.hush()
        limit = max(self.setup.length, last) + HEALED_WITHIN
        while not self._is_whole():
            if self.agenda.now > limit:
                raise self._not_healed()
            self._run_until(self.agenda.now + 1.0)
        self._run_until(self.agenda.now + 15.0)
        process = self._process
        assert process is not None
        process.gate(None, lambda: process.feed(inputs.Resync()))
        self._run_until(self.agenda.now + 60.0)
        self._check_failures()
        if not self._is_whole():
            raise self._not_healed()
        if self._began_in_lag:
            return
        whole_stream = self.restarts == 0
        self.judge.truth.check_books(process.connection, whole_stream=whole_stream)

    def _is_whole(self) -> bool:
        judge = self.judge
        return judge.whole and judge.caught_up and not judge.truth.missing(self.market.ms, eaten=True)

    def _not_healed(self) -> Violation:
        judge = self.judge
        missing = judge.truth.missing(self.market.ms, eaten=True)
        if judge.whole and missing:
            return Violation("no-fill-lost", f"{len(missing)} of {len(self.market.exchange.fills)}, first {missing[0]}")
        state = self._process.connection.state if self._process is not None else None
        return Violation("healed-in-time", f"{judge.health}, gap {judge.gap_open}, {state}, {len(missing)} missing")

    def _times(self) -> tuple[list[float], list[float]]:
        """For faults that nothing else disturbed: until a gap was open, and from their end until all was well."""
        detected, recovered = [], []
        harmful = [fault for fault in self.setup.faults if not KINDS[fault.kind].harmless]
        for fault in harmful:
            end = fault.at + fault.seconds
            opened = next((at for at, _ in self.judge.gaps if fault.at <= at <= end + NOTICED_WITHIN), None)
            if opened is None:
                continue
            healed = next((at for at in self.judge.healed_at if at > max(opened, end)), None)
            if healed is not None and not any(
                fault is not other and other.at + other.seconds > fault.at - CALM_AFTER and other.at < healed
                for other in harmful
            ):
                detected.append(opened - fault.at)
                recovered.append(healed - end)
        return detected, recovered

    def _outcome(self, violation: str | None) -> Outcome:
        judge, setup = self.judge, self.setup
        detected, recovered = self._times()
        digest = hashlib.blake2b("\n".join(judge.digest).encode(), digest_size=8).hexdigest()
        return Outcome(
            seed=setup.seed,
            violation=violation,
            hours=self.agenda.now / 3600,
            faults=Counter(fault.kind for fault in setup.faults),
            made=len(self.market.exchange.fills),
            inside=sum(self.inside.values()),
            inside_each=all(self.inside.values()) and (len(self.inside) == len(setup.faults) or violation is not None),
            delivered=judge.delivered,
            restarts=self.restarts,
            gaps=len(judge.gaps),
            blind=judge.blind_times,
            detected=detected,
            recovered=recovered,
            latencies=judge.latencies[:: max(1, len(judge.latencies) // 200)],
            digest=digest,
        )


def live(setup: Setup, record: Path | None = None) -> Outcome:
    """The outcome of a life."""
    with TemporaryDirectory(prefix="life-", dir=_SCRATCH) as folder, without_an_event_loop():
        return Life(setup, Path(folder), record).run()


_SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
