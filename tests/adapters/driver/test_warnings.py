"""Refusals and anomalies are logged when their count is 1, 2, 4, 8 and so on."""

from __future__ import annotations

import logging

import pytest

from listenkey.adapters.driver.warnings import Warnings
from listenkey.core.actions import Anomaly
from listenkey.core.refusal import Refusal, RefusalKind

REFUSAL = Refusal(RefusalKind.RETRY, "503", "HTTP 503, no code")


def test_refusals_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    """Refusals 1, 2, 4 and so on in a row are logged; a granted request resets the count of its kind."""
    warnings = Warnings()
    with caplog.at_level(logging.WARNING, "listenkey"):
        for _ in range(9):
            warnings.refused("minting a key", REFUSAL)
        warnings.granted("minting a key")
        warnings.granted("minting a key")
        warnings.refused("opening a socket", REFUSAL)
        warnings.refused("minting a key", REFUSAL)
    messages = [f"minting a key failed ({count} in a row): HTTP 503, no code" for count in (1, 2, 4, 8)]
    messages += [f"{what} failed (1 in a row): HTTP 503, no code" for what in ("opening a socket", "minting a key")]
    assert caplog.messages == messages


def test_a_refusal_without_words(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal without a message is logged with its code, or with its kind if it has none."""
    with caplog.at_level(logging.WARNING, "listenkey"):
        Warnings().refused("renewing a key", Refusal(RefusalKind.GONE, "100401"))
        Warnings().refused("renewing a key", Refusal(RefusalKind.GONE))
    assert [message.rpartition(" ")[2] for message in caplog.messages] == ["100401", "gone"]


def test_anomalies(caplog: pytest.LogCaptureFixture) -> None:
    """Anomalies are logged when the core's count is 1, 2, 4 and so on."""
    with caplog.at_level(logging.WARNING, "listenkey"):
        warnings = Warnings()
        for count in range(1, 6):
            warnings.anomaly(Anomaly("not gzip", "b''", count))
    assert caplog.messages == [f"not gzip ({count} so far): b''" for count in (1, 2, 4)]
