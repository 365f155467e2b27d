"""Certificates for the exchange: the right one, an untrusted one, and one with another name."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

HOST = "exchange.test"


class Certificates(NamedTuple):
    """TLS contexts for a server, and the file with the certificate authority that a client trusts."""

    right: ssl.SSLContext
    untrusted: ssl.SSLContext
    foreign: ssl.SSLContext
    trusted: Path


def certificates(folder: Path) -> Certificates:
    """Make new ones; the trusted one is written into the folder."""
    authority, trusted = trustme.CA(), folder / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    return Certificates(
        _issued(authority, HOST), _issued(trustme.CA(), HOST), _issued(authority, "another.test"), trusted
    )


def _issued(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context
