"""One life, from its seed to its verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from listenkey.adapters.journal import SqliteJournal, Summary, summary, verify
from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.simulator.seeds import seeded
from listenkey.core import inputs

from .agenda import Agenda
from .amounts import Amounts
from .disk import Disk
from .faults import DEATHS, Fault
from .inside import Inside
from .inspector import HEALED_WITHIN, Inspector, haunted_for
from .journal import Fate
from .judge import Judge
from .markets import market_of
from .network import Network
from .outcome import Outcome, times
from .process import Process
from .services import adapted
from .setup import Setup
from .truth import Truth
from .violation import Violation
from .weather import Weather

BEFORE = 300.0
"""Seconds for which the account is in use before the stream begins."""
RESTARTS_WITHIN = 20.0
CRASH_WITHIN = 15.0
SHORTEST_RETAINED = 900.0
AGAIN = 0.25
"""Share of restarts in which the process dies again while it begins."""


class Life:
    """A world with one account, one stream, and the faults of its setup."""

    def __init__(self, setup: Setup, folder: Path, record: Path | None = None) -> None:
        self.setup = setup
        self.agenda = Agenda(-BEFORE)
        self.weather = Weather(self.agenda, setup.faults)
        self.network = Network(self.agenda, self.weather, setup.seed)
        self.market = market_of(self.network, self.weather, setup)
        self.network.server = self.market
        amounts = Amounts(setup, exact=self.market.exact)
        truth = Truth(self.market, amounts, setup)
        self.judge = Judge(self.agenda, self.market, truth, setup)
        self.inspector = Inspector(self.market, self.judge, self.weather, setup)
        self.restarts = 0
        self.inside = Inside(self.market)
        self._file = folder / "life.journal"
        self._recorder = Recorder(record) if record is not None else None
        self._random = seeded(setup.seed, "process")
        self._fate = Fate(lambda: self.weather.on("disk_full") is not None)
        self._process: Process | None = None
        self.weather.begins.append(self._begins)

    def run(self) -> Outcome:
        """Run the life; a violation is part of its outcome."""
        violation = None
        try:
            self._run_until(0.0)
            self._launch()
            self.inspector.begin()
            self._run_until(self.setup.length)
            self._come_to_rest()
        except Violation as error:
            violation = f"{error} (at {self.agenda.now:.3f} s)"
        finally:
            if self._process is not None:
                self._process.leave()
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
        journal = None
        if self.setup.journal:
            retain = SHORTEST_RETAINED if self.setup.cramped else 3600
            journal = SqliteJournal(self._file, durability=self.setup.durability, retain=retain)
        self._process = self.inspector.process = Process(
            self.agenda,
            self.network,
            self.setup,
            self.judge,
            self._random,
            number=self.restarts,
            fate=self._fate,
            died=self._died,
            journal=journal,
            recorder=self._recorder,
        )
        self._process.start()

    def _died(self) -> None:
        self._fate.steps = None
        again = self._random.random() < AGAIN
        self._gone()
        self.agenda.after(self._random.uniform(0.05, RESTARTS_WITHIN), self._relaunch, again)

    def _relaunch(self, again: bool) -> None:
        if again:
            self._fate.steps = self._random.randint(1, 30)
            self._fate.where = self._random.choice(DEATHS)
            self.agenda.after(CRASH_WITHIN, self._crash_now, self.restarts)
        self._launch()

    def _gone(self) -> None:
        """The process has ended: only what its journal holds is known of the stream."""
        self.restarts += 1
        self.market.door.process_ended(self.market.ms)
        self.inspector.forget()
        process = self._process
        assert process is not None
        if process.journal is not None:
            may_forget = self._fate.power and self.setup.durability == "process"
            self.judge.survived(process, self._found(), may_forget=may_forget)
        else:
            self.judge.new_stream()
        self._fate.power = False
        self.judge.new_process()

    def _found(self) -> Summary:
        """The journal as the next run will find it; read from a copy, because opening it recovers it."""
        with TemporaryDirectory(dir=self._file.parent) as folder:
            copy = Path(folder) / self._file.name
            Disk(copy, self._random).restore(Disk(self._file, self._random).now())
            SqliteJournal(copy).close()
            findings = verify(copy)
            if findings:
                raise Violation("stored-whole", f"the journal after a death: {findings[0]}")
            return summary(copy)

    # Faults that concern the process, and fills inside all of them

    def _begins(self, fault: Fault, random: Random) -> None:
        process = self._process
        self.inside.plan(fault, random)
        if process is None or process.over:
            return
        match fault.kind:
            case "stop":
                process.stand_still(fault.seconds)
            case "crash" | "power":
                self._fate.steps = random.randint(1, 8 if fault.variant else 60)
                self._fate.where = fault.variant
                self._fate.power = fault.kind == "power"
                self.agenda.after(CRASH_WITHIN, self._crash_now, self.restarts)
            case "restart":
                self.agenda.after(0.0, process.gate, None, lambda: process.feed(inputs.Stop()))
                self.agenda.after(3.0, self._ended, process, fault.seconds)
            case "slow_consumer":
                process.consumer.busy(fault.seconds)
            case "rotate" | "same_key" | "slow_mint" | "revoked" | "stale_snapshot":
                process.gate(None, lambda: process.feed(inputs.Rotate()))
            case "resync":
                process.gate(None, lambda: process.feed(inputs.Resync()))

    def _crash_now(self, restarts: int) -> None:
        if self._fate.steps is not None and self.restarts == restarts and self._process is not None:
            self._fate.steps = None
            self._process.die()

    def _ended(self, process: Process, seconds: float) -> None:
        """Three seconds after an orderly end began the process is gone, and a new one follows."""
        if process is self._process and not process.over:
            process.leave()
            self._gone()
            self.agenda.after(seconds, self._launch)

    # The end

    def _come_to_rest(self) -> None:
        """After the last fault: some more activity, then none; the stream must become whole, and all sums be true."""
        judge = self.judge
        last = max((fault.over for fault in self.setup.faults), default=0.0)
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
        self.inspector.check_failures()
        if not self._is_whole():
            raise self._not_healed()
        is_denied, begun = judge.truth.is_denied, self.agenda.now
        haunted = haunted_for(sum(map(is_denied, judge.truth.unended())))
        while unended := judge.truth.unended():
            if self.agenda.now > begun + max(HEALED_WITHIN, haunted if all(map(is_denied, unended)) else 0.0):
                raise Violation("ends-delivered", f"orders {unended} are over, and nobody has heard of it")
            self._run_until(self.agenda.now + 10.0)
        judge.truth.money.check_last_words()
        judge.truth.amounts.check((event for event, _ in judge.deliveries.events), restarted=self.restarts > 0)
        judge.truth.money.check_payments()
        judge.truth.money.check_books(process.connection, whole_stream=self.restarts == 0)
        if not process.connection.policy.delete_keys:  # other clients keep the key
            self.inspector.end()
            process.gate(None, lambda: process.feed(inputs.Stop()))
            self._run_until(self.agenda.now + 5.0)

    def _is_whole(self) -> bool:
        judge = self.judge
        return judge.whole and judge.deliveries.caught_up and not judge.truth.missing(self.market.ms, eaten=True)

    def _not_healed(self) -> Violation:
        judge = self.judge
        missing = judge.truth.missing(self.market.ms, eaten=True)
        if judge.whole and missing:
            return Violation("no-fill-lost", f"{len(missing)} of {len(self.market.exchange.fills)}, first {missing[0]}")
        state = self._process.connection.state if self._process is not None else None
        return Violation("healed-in-time", f"{judge.health}, gap {judge.gap_open}, {state}, {len(missing)} missing")

    def _outcome(self, violation: str | None) -> Outcome:
        judge, setup = self.judge, self.setup
        detected, recovered = times(judge, setup.faults)
        digest = hashlib.blake2b("\n".join(judge.digest).encode(), digest_size=8).hexdigest()
        return Outcome(
            seed=setup.seed,
            mode=setup.mode,
            violation=violation,
            hours=self.agenda.now / 3600,
            faults=Counter(fault.kind for fault in setup.faults),
            made=len(self.market.exchange.fills),
            inside=sum(self.inside.made),
            inside_each=all(self.inside.made) and (len(self.inside.made) == len(setup.faults) or violation is not None),
            delivered=judge.delivered,
            restarts=self.restarts,
            survived=self._fate.survived,
            gaps=len(judge.gaps),
            blind=judge.blind_times,
            detected=detected,
            recovered=recovered,
            latencies=judge.latencies[:: max(1, len(judge.latencies) // 200)],
            digest=digest,
        )


def live(setup: Setup, record: Path | None = None) -> Outcome:
    """Run one life and return its outcome."""
    with TemporaryDirectory(prefix="life-", dir=_SCRATCH) as folder, adapted(setup.fill_rows):
        return Life(setup, Path(folder), record).run()


_SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
