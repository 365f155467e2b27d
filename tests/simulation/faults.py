"""The faults: their catalogue, lists drawn from a seed, and their text form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from .venues import SWAP, USDM


class Kind(NamedTuple):
    """A fault holds for `shortest` to `longest` seconds; `variants` are listed where there are several ways.

    `harmless`: it loses nothing, so no gap may open. `weight` is its share when faults are drawn, 0 only where it is
    asked for. `reads`: it concerns reads of the account, the journal or the process, and so matters without a socket
    too. `of` is the only venue that has it; empty if all have it. What it leaves behind `lingers` for so many seconds.
    """

    what: str
    shortest: float = 0.0
    longest: float = 0.0
    variants: tuple[str, ...] = ("",)
    harmless: bool = False
    weight: int = 2
    reads: bool = False
    of: str = ""
    lingers: float = 0.0


DEATHS = ("", "storing", "committing")
"""At any step, between two statements of a transaction of the journal, or inside of a COMMIT."""
KINDS: dict[str, Kind] = {
    "drop": Kind("sockets are reset, what was on its way is lost", weight=3),
    "close": Kind("sockets are closed in order", variants=("1000", "1001", "1011"), weight=3),
    "half_open": Kind("sockets stay open and carry nothing any more, either way", weight=3),
    "silent": Kind("sockets are pinged and bring nothing", 20, 200),
    "lose": Kind("frames of fills are never sent", 5, 60, ("one", "one+account", "three", "three+account"), weight=4),
    "truncate": Kind("frames arrive cut short", 2, 20),
    "repeat": Kind("frames come twice", 5, 60, harmless=True),
    "swap": Kind("neighbouring frames change places", 5, 60),
    "stall": Kind("nothing arrives, then all at once", 0.2, 14, weight=3),
    "garbage": Kind("frames that are none"),
    "odd_frames": Kind(
        "frames come in an odd form", 5, 60, ("any", "list", "lines", "mark", "zlib", "plain"), harmless=True
    ),
    "unreadable": Kind("frames come in no form at all", 5, 60, ("any", "byte", "prefix", "base64", "deflate", "cut")),
    "oversized": Kind("a frame that inflates past the limit"),
    "accept_close": Kind("sockets are accepted and closed at once", 2, 120, ("mute", "after a ping"), weight=3),
    "accept_hang": Kind("sockets are accepted and nothing follows", 2, 90),
    "refuse": Kind("handshakes are refused", 2, 120, ("503", "429", "401", "404"), weight=3),
    "partition": Kind("nothing gets through, either way", 0.5, 120, weight=4, reads=True),
    "rest_down": Kind("REST fails", 2, 150, ("timeout", "500", "html", "empty", "limit", "429"), weight=4, reads=True),
    "reads_down": Kind(
        "reads of the account fail", 2, 150, ("timeout", "500", "html", "empty", "limit"), weight=3, reads=True
    ),
    "torn_reads": Kind(
        "sockets are reset, requests inside a read fail, and orders execute",
        8,
        60,
        ("500", "timeout"),
        weight=3,
        reads=True,
    ),
    "rest_slow": Kind("REST takes 1 to 9 seconds a request", 5, 60, reads=True),
    "lag": Kind("REST shows fills late", 20, 200, ("fills", "fills+income"), harmless=True, weight=3, reads=True),
    "blank": Kind("balances are empty strings", 5, 60, reads=True),
    "expire": Kind("all keys end, and sockets hear of it"),
    "expire_silently": Kind("all keys end, nobody hears of it", weight=3),
    "renew_gone": Kind("renewals answer that there is no such key", 60, 400),
    "renew_busy": Kind("renewals fail", 60, 400, ("timeout", "500", "limit")),
    "mint_error": Kind("no key is minted", 5, 120),
    "slow_mint": Kind("minting takes 11 to 20 seconds", 20, 90, ("", "trickle")),
    "same_key": Kind("minting gives the key in use", 20, 90, of=SWAP),
    "revoked": Kind("all keys end while we move to another", variants=("pushed", "silently")),
    "foreign": Kind("the end of a key that is not ours is pushed", harmless=True),
    "stop": Kind("our process stands still", 0.3, 100, weight=4, reads=True),
    "crash": Kind("our process dies at some step, and comes back", variants=DEATHS, weight=6, reads=True),
    "power": Kind("our machine dies at some step, and comes back", variants=DEATHS, weight=3, reads=True),
    "disk_full": Kind("the journal cannot store", 0.5, 20, reads=True),
    "restart": Kind("our process is stopped in order, and comes back", 0.1, 30, reads=True),
    "slow_consumer": Kind("the consumer is busy with one event", 1, 120, harmless=True, reads=True),
    "skew": Kind("the exchange's clock is off by up to a second", 20, 200, harmless=True, reads=True),
    "stale_snapshot": Kind("a successor's first snapshot is older than what was pushed", 5, 60, harmless=True, of=SWAP),
    "stale_reconnect": Kind(
        "sockets are reset; the first snapshots of new ones are older than what was pushed", 5, 60, of=SWAP
    ),
    "shuffle": Kind("pushes of the account come after later ones", 5, 60),
    "rotate": Kind("the user asks for a rotation", harmless=True, reads=True),
    "resync": Kind("the user asks for a read", harmless=True, reads=True),
    "hollow": Kind(
        "there is no list of positions",
        5,
        400,
        ("bare", "empty", "busy", "null", "once", "once []"),
        weight=3,
        reads=True,
    ),
    "odd": Kind("rows cannot be read", 20, 500, ("fill", "order", "position", "income"), weight=3, reads=True),
    "zero": Kind("a fill of quantity 0 is listed", 20, 700, harmless=True, reads=True),
    "unread": Kind("ended orders do not say how much was executed", 20, 700, harmless=True, reads=True),
    "no_income": Kind("income is refused", 20, 500, harmless=True, reads=True),
    "ghosts": Kind("a dozen orders are in no list any more, and denied", harmless=True, reads=True),
    "stumble": Kind("every seventh request of reads fails", 20, 500, ("500", "html"), harmless=True, reads=True),
    "stutter": Kind("requests of reads fail at random", 10, 200, ("500", "timeout", "html", "empty"), reads=True),
    "flap": Kind(
        "sockets are reset every few seconds while reads fail", 30, 300, ("500", "timeout"), weight=3, reads=True
    ),
    "outage": Kind("the venue is down: sockets closed, everything refused", 10, 240, weight=3, reads=True),
    "another_deletes": Kind(
        "another client deletes the key, and may ask for the next",
        5,
        60,
        ("", "replaced", "late", "late, replaced"),
        weight=4,
        of=USDM,
    ),
    "eventless": Kind("sockets open without the list of events that was asked for", 20, 200, weight=3, of=USDM),
    "aged": Kind("sockets are as old as they may get, and cut", weight=3, of=USDM),
    "unknown_outcome": Kind(
        "HTTP 503, after calls were carried out or before",
        5,
        90,
        ("done", "done, no code", "lost", "lost, no code"),
        weight=3,
        reads=True,
        of=USDM,
    ),
    "unavailable": Kind("HTTP 503, failed for certain", 2, 90, ("", "throttled"), reads=True, of=USDM),
    "maintenance": Kind("every call answers that there is maintenance", 10, 120, reads=True, of=USDM),
    "banned": Kind("the address is banned until the end", 10, 240, weight=3, reads=True, of=USDM),
    "crowded": Kind(
        "other programs spend the weight of the address",
        60,
        400,
        ("half", "most"),
        weight=3,
        reads=True,
        of=USDM,
        lingers=60.0,
    ),
    "crowd": Kind(
        "sockets are reset, and a second brings more fills than a list of them shows",
        variants=("of all symbols", "of one"),
        weight=0,
        reads=True,
        of=SWAP,
    ),
}


def kinds_of(venue: str) -> list[str]:
    """Return the kinds of fault of a venue."""
    return [name for name, kind in KINDS.items() if kind.of in ("", venue)]


HARM = frozenset({"lag", "skew", "unread", "no_income", "stumble"})
"""Faults that are harmless alone, but delay reads that other faults cause."""
AFTERMATH = 5.0
"""Shortest time in seconds for which a fault counts as in force, so that fills can be made inside it."""


class Fault(NamedTuple):
    """One fault: it begins at `at`, holds for `seconds`, and `salt` seeds what it draws."""

    kind: str
    at: float
    seconds: float
    variant: str = ""
    salt: int = 0

    @property
    def until(self) -> float:
        """The end of the time in which fills count as inside the fault."""
        return self.at + max(self.seconds, AFTERMATH)

    @property
    def over(self) -> float:
        """When nothing of it is left."""
        return self.at + self.seconds + KINDS[self.kind].lingers

    def __str__(self) -> str:
        return f"{self.kind}@{self.at:g}+{self.seconds:g}:{self.salt}" + (f"={self.variant}" if self.variant else "")


def parse(text: str) -> Fault:
    """Return the fault that `str` wrote so. Raises `ValueError`."""
    head, _, variant = text.partition("=")
    kind, _, rest = head.partition("@")
    at, _, rest = rest.partition("+")
    seconds, _, salt = rest.partition(":")
    if kind not in KINDS:
        raise ValueError(f"fault {kind!r} is not one of {', '.join(KINDS)}")
    return Fault(kind, float(at), float(seconds), variant or KINDS[kind].variants[0], int(salt or 0))


def parse_all(text: str) -> tuple[Fault, ...]:
    """Return the faults of a text, separated by commas; `none` stands for no fault."""
    return () if text in ("", "none") else tuple(parse(each.strip()) for each in text.split(","))


def written(faults: Iterable[Fault]) -> str:
    """Return the text from which `parse_all` reads these faults."""
    return ",".join(map(str, faults)) or "none"


def draw(random: Random, count: int, begin: float, end: float, kinds: Sequence[str]) -> tuple[Fault, ...]:
    """Draw so many faults of these kinds between two times, oldest first; about a third soon follow another."""
    names = list(kinds)
    weights = [KINDS[name].weight or 1 for name in names]
    drawn: list[Fault] = []
    at = begin
    for _ in range(count):
        if not drawn or random.random() < 0.7:
            at = random.uniform(begin, end)
        else:
            at = min(end, at + random.expovariate(1 / 5))
        name = random.choices(names, weights)[0]
        kind = KINDS[name]
        share = random.random() ** 2
        seconds = round(kind.shortest + share * (kind.longest - kind.shortest), 2)
        drawn.append(Fault(name, round(at, 2), seconds, random.choice(kind.variants), random.randrange(1_000_000)))
    return tuple(sorted(drawn, key=lambda fault: fault.at))
