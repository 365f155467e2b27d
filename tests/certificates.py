"""Certificates for servers on loopback, and those who trust them."""

from __future__ import annotations

import ssl
from functools import cache
from typing import NamedTuple

import trustme


class Certificate(NamedTuple):
    """One that nobody trusts but who is asked to."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


@cache
def trusting() -> ssl.SSLContext:
    """The TLS context that a transport makes by default, one for all: making it takes longer than most tests."""
    return ssl.create_default_context()


def certificate(host: str = "127.0.0.1") -> Certificate:
    """A new one for this name or address, by a new authority."""
    authority = trustme.CA()
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(host).configure_cert(server)
    authority.configure_trust(trusting)
    return Certificate(server, trusting)
