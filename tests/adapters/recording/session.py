"""A session to record: a connection on virtual time, an exchange that answers at once, and many kinds of frames."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import msgspec

from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.wire import Wire, packed
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import Balance
from listenkey.core.policy import Policy
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account
from listenkey.core.secrets import Secrets

EPOCH = 1_700_000_000_000
CANARIES = tuple(f"CANARY{number}{'7f3a' * 15}" for number in range(8))
FOREIGN = "FOREIGN" + "9b2c" * 14
SECRET = "APISECRET" + "5d1e" * 12
POLICY = Policy(max_frame_bytes=20_000)


class Session:
    """Feeds a connection and its recorder; the listen keys are the canaries in order."""

    def __init__(self, path: Path, *, seed: int = 5, checkpoint: inputs.Checkpoint | None = None) -> None:
        self.recorder = Recorder(path, secrets=Secrets([SECRET]))
        dialect = SwapDialect()
        self.recorder.begin(dialect, POLICY, seed, "ws")
        self.connection = Connection(dialect, POLICY, seed=seed)
        self.exchange = Exchange(now=EPOCH, seed=seed)
        self.wire = Wire(seed=seed)
        self.now = 100.0
        self.keys = cycle(CANARIES)
        self.key = CANARIES[0]
        self.sockets: list[int] = []
        self.done: list[actions.Action] = []
        self.feed(inputs.Start(checkpoint))

    @property
    def ms(self) -> int:
        return EPOCH + int((self.now - 100.0) * 1000)

    def feed(self, received: inputs.Input) -> None:
        waiting = [received]
        while waiting:
            received = waiting.pop(0)
            ordered = self.connection.handle(received, now=self.now)
            self.recorder(self.now, received, ordered)
            self.done += ordered
            for action in ordered:
                waiting += self._answers(action)

    def passes(self, seconds: float) -> None:
        until = self.now + seconds
        while self.connection.deadline <= until:
            self.now = max(self.now, self.connection.deadline)
            self.feed(inputs.Tick())
        self.now = until

    def says(self, data: bytes | str) -> None:
        """Receive a frame on each open socket."""
        for socket in tuple(self.sockets):
            self.feed(inputs.FrameReceived(socket, data))

    def trades(self) -> None:
        self.exchange.trade("BTC-USDT", "BUY", Decimal("0.01"), now=self.ms, parts=2, position_side="LONG")
        for push in self.exchange.due(self.ms + 10):
            self.says(packed(self.wire.frame(push)))

    def names_key(self, how: int) -> None:
        """Receive a frame with the key: in its field or another, whole or cut, packed or plain, small or too large."""
        notice = {"e": "listenKeyExpired", "E": self.ms, "listenKey": FOREIGN if how % 2 else self.key}
        account = {"e": "ACCOUNT_UPDATE", "E": self.ms, "listenKey": self.key, "a": {"m": "ORDER", "B": [], "P": []}}
        frames: list[bytes | str] = [
            packed(notice),
            msgspec.json.encode(notice).decode(),
            packed(account),
            packed({"e": "SOMETHING", "what": {"of": [self.key, self.key]}}),
            packed(f"not json, but {self.key}"),
            packed(notice)[:-9],
            gzip.compress(self.key.encode(), 0, mtime=0)[:-4],
            b"plain " + self.key.encode(),
            f"text {self.key} {SECRET}",
            packed("x" * 30_000 + self.key),
            self.key * 400,
        ]
        self.says(frames[how % len(frames)])

    def breaks(self) -> None:
        for socket in tuple(self.sockets):
            self.sockets.remove(socket)
            self.feed(inputs.SocketClosed(socket, 1006))

    def _answers(self, action: actions.Action) -> Iterable[inputs.Input]:
        match action:
            case actions.CreateKey(request):
                self.key = next(self.keys)
                return [inputs.KeyGranted(request, self.key, 3600.0, self.ms)]
            case actions.RenewKey(request, key):
                refusal = Refusal(RefusalKind.GONE, "404", f"no {key}")
                return [inputs.Refused(request, refusal) if request % 3 == 0 else inputs.KeyRenewed(request)]
            case actions.DeleteKey(request):
                return [inputs.KeyDeleted(request)]
            case actions.OpenSocket(socket):
                self.sockets.append(socket)
                return [inputs.SocketOpened(socket), inputs.FrameReceived(socket, packed("Ping"))]
            case actions.CloseSocket(socket):
                if socket in self.sockets:
                    self.sockets.remove(socket)
                return [inputs.SocketClosed(socket, 1000)]
            case actions.ReadAccount(request, since):
                if request % 5 == 0:
                    return [inputs.Refused(request, Refusal(RefusalKind.RETRY, None, "busy", 2.0))]
                wallet = Balance(asset="USDT", wallet_balance=Decimal("100000.5"))
                account = Account(
                    as_of=self.ms,
                    exchange_ms=self.ms,
                    since=since,
                    whole=True,
                    settled=True,
                    moving=frozenset({"7", "8"}),
                    balances=(wallet,),
                )
                return [inputs.AccountRead(request, account)]
        return []
