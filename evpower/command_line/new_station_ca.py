"""A new station CA: a key that only its owner reads and its certificate, both or neither, never over an older one."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from evpower.clock import RandomBytes
from evpower.errors import EvPowerError
from evpower.security.station_ca import key_pem_of, new_station_ca, pem_of, serial_number_of
from evpower.settings.config import Config
from evpower.settings.state_directory import make_private


class StationCaNotMade(EvPowerError):
    """Nothing was written; the message says why."""

    code = "station_ca_not_made"


@dataclass(frozen=True)
class NewStationCa:
    """What was made and where it lies."""

    certificate: str
    key: str
    name: str
    fingerprint: str
    not_after: datetime


def make_station_ca(config: Config, name: str, years: int, *, now: datetime, random_bytes: RandomBytes) -> NewStationCa:
    """Make the CA in the state directory. Raises StationCaNotMade."""
    certificate, key = config.station_ca
    if config.ocpp.station_ca_certificate:
        raise StationCaNotMade(f"the settings name another: ocpp.station_ca_certificate is {certificate}")
    folder = certificate.parent
    if folder.exists():
        raise StationCaNotMade(f"{folder} exists already; stations trust what it signed, so it is not written over")
    try:
        made = new_station_ca(name, serial_number_of(random_bytes), now, years)
    except ValueError as error:
        raise StationCaNotMade(f"not a name for an authority: {error}") from None
    try:
        _write(folder, {key.name: key_pem_of(made.key), certificate.name: pem_of(made.certificate).encode()})
    except OSError as error:
        raise StationCaNotMade(f"{folder} cannot be written: {error.strerror}") from None
    return NewStationCa(
        certificate=str(certificate),
        key=str(key),
        name=name,
        fingerprint=made.certificate.fingerprint(hashes.SHA256()).hex(),
        not_after=made.certificate.not_valid_after_utc,
    )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """All files, or no folder: it gets its name when they are on the disk; another's is never taken.

    Their owner is the owner of the state directory: root makes them for the server's own user.
    """
    make_private(folder.parent)
    owner = folder.parent.stat()
    # Mode 0700, so no other user reads it meanwhile.
    unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            descriptor = os.open(unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
                os.fsync(descriptor)
        os.chown(unfinished, owner.st_uid, owner.st_gid)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
