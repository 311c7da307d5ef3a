"""The stations' TLS door: our certificate, which a reload replaces, and what a station's own certificate says of it.

Security profiles 2 and 3 of the OCPP 1.6 security white paper share one door: a certificate is asked for, not insisted
on, and a station that shows none must know its password. A broken handshake ends that socket, as any broken stream.
"""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from evpower.errors import ConfigError
from evpower.ocpp.door.stream import DirectListener

log = logging.getLogger("security")

#: Strong suites first; the last two are those the white paper obliges a central system to offer to small stations.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384:!aNULL:!eNULL"


@dataclass(frozen=True)
class TlsFiles:
    """Paths of PEM files: our certificate with its chain, its key, and the authorities of stations' certificates."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    #: The station CA's certificate; it may be made while we run, and counts from the next reload.
    station_ca: Path | None = None


class TlsIdentity:
    """What the door shows to new connections; a reload never touches those that are open."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises ConfigError naming what is wrong with the files."""
        self._files = files
        self.context = load_context(files)

    def reload(self) -> bool:
        """Read the files again; return whether they were loaded. If not, it is logged and the old certificate stays."""
        try:
            self.context = load_context(self._files)
        except ConfigError as error:
            log.error("TLS certificate not reloaded, the old one stays: %s", error)
            return False
        log.info("TLS certificate reloaded: %s", self._files.certificate)
        return True


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """A context for new connections. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(CIPHERS)
    try:
        # An encrypted key must not ask for its passphrase at an unattended terminal.
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigError([f"ocpp.tls_certificate, ocpp.tls_key: cannot be used: {_reason(error)}"]) from None
    if files.client_ca is not None:
        _trust(context, files.client_ca, "ocpp.tls_client_ca")
    if files.station_ca is not None and not _is_missing(files.station_ca):
        _trust(context, files.station_ca, "ocpp.station_ca_certificate")
        # Our own CA may have an issuer that is not in the file; what our CA signed is valid all the same.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _trust(context: ssl.SSLContext, authorities: Path, setting: str) -> None:
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        raise ConfigError([f"{setting}: cannot be used: {_reason(error)}"]) from None
    context.verify_mode = ssl.CERT_OPTIONAL


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # it is there; loading it says what is wrong
    return False


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__


class TlsListener(trio.abc.Listener[trio.abc.Stream]):
    """A TCP listener whose streams speak TLS; the handshake happens at the first read, under the reader's time-out."""

    def __init__(self, listener: DirectListener, identity: TlsIdentity) -> None:
        self._listener = listener
        self._identity = identity
        # trio.serve_listeners looks here when the process runs out of file descriptors.
        self.socket = listener.socket

    async def accept(self) -> trio.abc.Stream:
        stream = await self._listener.accept()
        # Stations drop the connection without TLS's own goodbye; the WebSocket above has one.
        return trio.SSLStream(stream, self._identity.context, server_side=True, https_compatible=True)

    async def aclose(self) -> None:
        await self._listener.aclose()


@dataclass(frozen=True)
class ShownCertificate:
    """A verified certificate of a peer: its common names and DNS names, its number (hexadecimal), its first moment."""

    names: frozenset[str]
    serial_number: str
    not_before: datetime


def certificate_of(stream: trio.abc.Stream) -> ShownCertificate | None:
    """The peer's; None when it showed none. After the handshake."""
    if not isinstance(stream, trio.SSLStream):
        return None
    certificate: dict[str, Any] | None = stream.getpeercert()
    if not certificate:
        return None
    subject = (pair for part in certificate.get("subject", ()) for pair in part)
    names = {value for name, value in subject if name == "commonName"}
    names |= {value for name, value in certificate.get("subjectAltName", ()) if name == "DNS"}
    return ShownCertificate(
        frozenset(names),
        f"{int(certificate['serialNumber'], 16):x}",
        datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notBefore"]), UTC),
    )
