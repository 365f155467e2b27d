"""A promise that was not kept."""

from __future__ import annotations

INVARIANTS = {
    "no-fill-lost": "once healed, every fill since the stream began has been consumed",
    "no-fill-twice": "no part of an order comes twice; across a restart only what was not marked, as redelivered",
    "payments-kept": "each payment since the stream began is delivered once, and as the exchange booked it",
    "ends-delivered": "whoever has heard of an order hears that it is over",
    "order-kept": "with no gap open, fills of an order come one after the other and nothing overtakes them",
    "sequence-kept": "the consumer gets what was stored, all of it, in its order",
    "stored-whole": "a death leaves each transaction whole or not at all, and all that were committed",
    "only-the-truth": "fills, balances and positions are delivered as the exchange had them",
    "last-word-true": "the last delivered balance and position is the exchange's once settled, never older than before",
    "amounts-true": "prices, fees and PnL are true or null as delivered, true once proven, and every null has a reason",
    "full-is-full": "a complete account holds all that the exchange holds, unless newer pushes say otherwise",
    "reads-go-on": "without a gap the watermark moves every two audit intervals; with REST well reads are asked for",
    "ledger-true": "the books agree with the exchange's own, amount for amount, and never drift while no gap is open",
    "watermark-honest": "what is marked as proven has been delivered",
    "heard-is-delivered": "a frame that cannot be read comes as UNKNOWN, a fill in a frame of odd form as a fill",
    "gap-said": "a link that brings nothing is noticed, by an audit at the latest",
    "silence-noticed": "a link that brings nothing at all, not even pings, is left within `silence_timeout`",
    "gap-closed-by-read": "a gap closes by a read that was asked for after the link was proven",
    "read-before-frames": "after an interruption nothing from the socket is delivered before the read",
    "calm-stays-live": "without a fault no gap opens and the stream stays live",
    "key-gone-is-true": "a gap says that the key is gone only if it is",
    "live-is-fresh": "without a socket, LIVE is delivered while the last read is younger than two intervals, only then",
    "reads-only": "without a socket no key is minted and nothing is opened",
    "one-mint": "one mint is in flight at a time",
    "live-key-kept": "no key is deleted that an open socket uses",
    "shared-key-kept": "a key that others may hold is not deleted",
    "key-death-noticed": "a link whose key is dead is left by the next renewal, if no audit was sooner",
    "no-key-left": "a key that came too late is deleted",
    "two-sockets": "at most two sockets are in use",
    "attempts-bounded": "mints, handshakes and failing calls keep to their limits",
    "deadline-ahead": "after every call the deadline is ahead",
    "never-raises": "the door never raises, whatever comes in",
    "never-gives-up": "no recoverable fault ends the stream",
    "memory-bounded": "finished orders are forgotten",
    "healed-in-time": "after the last fault the stream is whole again within the stated time",
    "same-again": "a seed gives the same life every time",
}


class Violation(AssertionError):
    """Names the invariant that was broken, what was seen, and when."""

    def __init__(self, invariant: str, what: str) -> None:
        assert invariant in INVARIANTS, invariant
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.what = what
