"""Transcripts: commands to a world on virtual time, and under each what the connection asked for and delivered.

    # a remark
    kill                    a command; several lines are carried out one after the other
    ----
    8.000  GAP_OPENED lost_socket
    = BACKOFF SUSPECT       the state and the health afterwards

Times are seconds of the world, orders have the names that the transcript gave them, and ends of proven time are in
seconds of exchange time since the world began. Heartbeats and their answers are left out.

    begin l|z [poll] [silent] [NAME=VALUE ...]  a stream begins; l: frames with a fill's own quantity, z: without;
                                          silent: dead keys open sockets, and nothing comes that is not asked for
    wait SECONDS                          time passes
    place NAME SIDE QTY [PRICE]           an order; without a price a market order
    fill NAME QTY [PRICE]                 a part of it is executed
    cancel|deny NAME, amend NAME QTY      it is cancelled; the venue does not know it any more; its quantity changes
    transfer|fund AMOUNT                  money moves
    lose [N]|delay SECONDS|repeat         what becomes of the next frame, or of the one N frames later
    kill, deafen, sleep SECONDS           sockets break; they bring nothing any more; our process stands still
    down, up                              nobody is reached at the venue any more; again
    read takes SECONDS|lags MS|fails|hangs  how reads go from now on; `read well` as at first
    expire                                the venue says that the key has expired
    takeover, bereave                     another client deletes the key and makes the next one; it only deletes it
    rotate, resync, stop, restart         as the user may; a restart is with a journal, after a kill
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from listenkey.core import actions, inputs
from listenkey.core.events import (
    AccountUpdate,
    BalanceChange,
    ExchangeEvent,
    Fill,
    FillRevised,
    FundingFee,
    GapNotice,
    HealthChange,
    OrderState,
)
from listenkey.core.plain import canonical
from listenkey.core.policy import Mode
from listenkey.core.reports import KeyExpired

from .trading import REFUSED, UNANSWERED, Plan, TradingWorld, trading
from .world import EPOCH

RULE = "----"
POLICY = {"rotate_jitter": 0.0}


class Transcript:
    """The world of a transcript, and the commands that it knows."""

    def __init__(self) -> None:
        self._world: TradingWorld | None = None
        self._names: dict[str, str] = {}
        self._said = 0

    @property
    def world(self) -> TradingWorld:
        assert self._world is not None, "a transcript opens with `begin`"
        return self._world

    def retold(self, text: str) -> str:
        """Return a transcript with the output that its commands have now."""
        return "\n".join(self._block(block.splitlines()) for block in text.strip().split("\n\n")).strip() + "\n"

    def _block(self, block: list[str]) -> str:
        commands = block[: block.index(RULE)] if RULE in block else block
        for line in commands:
            if not line.startswith("#"):
                self._obey(line.split())
        if all(line.startswith("#") for line in commands):
            return "\n".join([*commands, ""])
        state = f"= {self.world.connection.state} {self.world.health}"
        return "\n".join([*commands, RULE, *self._news(), state, ""])

    def _news(self) -> Iterator[str]:
        log = self.world.log
        for now, action in log[self._said :]:
            if isinstance(action, actions.Action) and (line := self._words(action)):
                yield f"{now:.3f}  {line}"
        self._said = len(log)

    def _obey(self, words: list[str]) -> None:
        verb, rest = words[0], words[1:]
        if verb == "begin":
            self._begin(*rest)
            return
        obey: Callable[..., object] = getattr(self, f"_{'silence' if verb == 'deafen' else verb}")
        obey(*rest)

    def _begin(self, wire: str, *more: str) -> None:
        mode: Mode = "poll" if "poll" in more else "ws"
        policy = {name: float(value) for name, _, value in (each.partition("=") for each in more if "=" in each)}
        self._world = trading(wire=wire, mode=mode, silent="silent" in more, **(POLICY | policy))  # type: ignore[arg-type]

    def _wait(self, seconds: str) -> None:
        self.world.passes(float(seconds))

    def _place(self, name: str, side: str, qty: str, price: str | None = None) -> None:
        self._names[name] = self.world.exchange.place(qty, side=side, price=price)

    def _fill(self, name: str, qty: str, price: str = "100") -> None:
        self.world.exchange.fill(self._names[name], qty, price)

    def _cancel(self, name: str) -> None:
        self.world.exchange.cancel(self._names[name])

    def _deny(self, name: str) -> None:
        self.world.exchange.forget(self._names[name])

    def _amend(self, name: str, qty: str) -> None:
        self.world.exchange.amend(self._names[name], qty=qty)

    def _transfer(self, amount: str) -> None:
        self.world.exchange.transfer(amount)

    def _fund(self, amount: str) -> None:
        self.world.exchange.fund(amount)

    def _lose(self, after: str = "0") -> None:
        self.world.exchange.lose(after=int(after))

    def _delay(self, seconds: str) -> None:
        self.world.exchange.delay(float(seconds))

    def _repeat(self) -> None:
        self.world.exchange.delay(0.01, 0.02)

    def _kill(self) -> None:
        self.world.drop_all()

    def _silence(self) -> None:
        self.world.silence()

    def _sleep(self, seconds: str) -> None:
        self.world.sleep_until(self.world.now + float(seconds))

    def _down(self) -> None:
        self.world.exchange.reachable = False

    def _up(self) -> None:
        self.world.exchange.reachable = True

    def _read(self, how: str, amount: str = "") -> None:
        plans = {"well": Plan(), "fails": REFUSED, "hangs": UNANSWERED}
        if how in plans:
            self.world.exchange.plan = plans[how]
        else:
            self.world.exchange.plan = Plan(takes=float(amount)) if how == "takes" else Plan(lag=int(amount))

    def _expire(self) -> None:
        self.world.exchange.say(KeyExpired(self.world.seen(actions.OpenSocket)[-1].key))

    def _takeover(self) -> None:
        self.world.exchange.key = "foreign"

    def _bereave(self) -> None:
        self.world.exchange.key = None

    def _rotate(self) -> None:
        self.world.feed(inputs.Rotate())

    def _resync(self) -> None:
        self.world.feed(inputs.Resync())

    def _stop(self) -> None:
        self.world.feed(inputs.Stop())

    def _restart(self) -> None:
        self.world.restart()

    def _words(self, action: actions.Action) -> str:
        match action:
            case actions.Deliver(event):
                return self._event(event)
            case actions.Begin(exchange_ms):
                return f"begin at {_at(exchange_ms)}"
            case actions.CreateKey():
                return "create key"
            case actions.RenewKey():
                return f"renew key {action.key}"
            case actions.DeleteKey():
                return f"delete key {action.key}"
            case actions.OpenSocket(socket):
                return f"open socket {socket} with {action.key}"
            case actions.SendPing(socket):
                return f"ping socket {socket}"
            case actions.CloseSocket(socket):
                return f"close socket {socket}"
            case actions.ReadAccount(_, since, orders):
                named = " ".join(sorted(self._name(ref.order_id) for ref in orders))
                whole = "" if since is None and orders else " from now on" if since is None else f" since {_at(since)}"
                return f"read account{whole}{' with ' if named else ''}{named}"
            case actions.MarkProven(until):
                return f"proven until {_at(until)}"
            case actions.Report(anomaly):
                return f"report {anomaly.name}: {anomaly.detail}"
            case actions.Finish(error):
                return f"finish {error.message if error else ''}".rstrip()
        return ""

    def _event(self, event: ExchangeEvent) -> str:
        kind = event.kind.value
        match event:
            case FillRevised():
                return f"{kind} {self._name(event.order_id)} up to {_plain(event.cumulative_qty)}, {_costs(event)}"
            case Fill():
                start = event.cumulative_qty - event.fill_qty
                interval = f"({_plain(start)}, {_plain(event.cumulative_qty)}]"
                return f"{kind} {self._name(event.order_id)} {interval} {_costs(event)}, {event.source}"
            case OrderState():
                done = f"{_plain(event.cumulative_qty)}/{_plain(event.qty)}"
                return f"{kind} {self._name(event.order_id)} {event.status} {done}, {event.source}"
            case AccountUpdate():
                held = [f"{row.asset} {_plain(row.wallet_balance)}" for row in event.balances]
                held += [f"{row.symbol} {row.side or 'flat'} {_plain(row.qty)}" for row in event.positions]
                whole = "whole, " if event.complete else ""
                return f"{kind} {', '.join(held) or 'nothing'}, {whole}{event.source}"
            case FundingFee() | BalanceChange():
                return f"{kind} {_plain(event.amount)}, {event.source}"
            case GapNotice():
                closed = (
                    ""
                    if kind == "GAP_OPENED"
                    else f", {event.recovered} fills" + ("" if event.proven else ", unproven")
                )
                return f"{kind} {event.reason.value}{closed}"
            case HealthChange():
                return f"{kind} {event.health.value}"
        return kind

    def _name(self, order_id: str) -> str:
        return {known: name for name, known in self._names.items()}.get(order_id, order_id)


def _plain(amount: Decimal | None) -> str:
    return "null" if amount is None else canonical(amount)


def _costs(fill: Fill | FillRevised) -> str:
    return f"at {_plain(fill.fill_price)} fee {_plain(fill.fee)} pnl {_plain(fill.realized_pnl)}"


def _at(exchange_ms: int) -> str:
    return f"{(exchange_ms - EPOCH) / 1000:.3f}"


def retold(path: Path) -> str:
    """Return the text of the transcript as its commands make it now."""
    return Transcript().retold(path.read_text())
