"""Certificates for the exchange: the right one, one that nobody vouches for, and one of another name."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

HOST = "exchange.test"


class Certificates(NamedTuple):
    """Contexts for a server, and the file of those that a client trusts."""

    right: ssl.SSLContext
    untrusted: ssl.SSLContext
    foreign: ssl.SSLContext
    trusted: Path


def certificates(folder: Path) -> Certificates:
    """New ones. Raises `FileNotFoundError` where there is no openssl command."""
    right, foreign = (_made(folder, name, host) for name, host in (("right", HOST), ("foreign", "another.test")))
    untrusted = _made(folder, "untrusted", HOST)
    trusted = folder / "trusted.pem"
    trusted.write_text((folder / "right.pem").read_text() + (folder / "foreign.pem").read_text())
    return Certificates(right, untrusted, foreign, trusted)


def _made(folder: Path, name: str, host: str) -> ssl.SSLContext:
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={host}/O={name}"]
    command += ["-addext", f"subjectAltName=DNS:{host}", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
