"""`evpower ca init` works without a server; `evpower certificates` and trusted roots are asked of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evpower.cli import main
from evpower.security.station_ca import load_station_ca
from tests.command_line.control_server import FakeControl, serving

OPERATIONS = "/control/stations/EVP-001-01/operations"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EVPOWER_CONFIG", "EVPOWER_CONTROL_SOCKET", "EVPOWER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EVPOWER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("evpower.command_line.control.SYSTEM_SOCKET", tmp_path / "system.sock")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[FakeControl]:
    (tmp_path / "state").mkdir()
    with serving(tmp_path / "state" / "evpower.sock") as control:
        yield control


def run(*arguments: str, **options: str) -> Result:
    return CliRunner().invoke(main, list(arguments), **options)  # type: ignore[arg-type]


def files_of(state_dir: Path) -> list[str]:
    return sorted(str(path.relative_to(state_dir)) for path in state_dir.rglob("*"))


def test_a_station_ca_is_made_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    made = json.loads(run("ca", "init", "--name", "Бишкек", "--years", "5", "--json").stdout)
    certificate, key = Path(made["certificate"]), Path(made["key"])
    assert files_of(tmp_path / "state") == ["ca", "ca/station-ca.key", "ca/station-ca.pem"]
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    read = load_station_ca(certificate, key, datetime.now(UTC)).certificate
    assert (read.subject.rfc4514_string(), made["name"]) == ("CN=Бишкек", "Бишкек")
    assert read.not_valid_after_utc == datetime.fromisoformat(made["not_after"])


def test_it_belongs_to_the_owner_of_the_state_directory(tmp_path: Path) -> None:
    """Root makes it for the server's own user; anybody else can only make it for himself."""
    owner = 65_534 if os.geteuid() == 0 else os.geteuid()
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    os.chown(state_dir, owner, -1)
    assert run("ca", "init").exit_code == 0
    assert {path.stat().st_uid for path in state_dir.rglob("*")} == {owner}


def test_a_station_ca_is_never_written_over(tmp_path: Path) -> None:
    assert run("ca", "init").exit_code == 0
    before = (tmp_path / "state/ca/station-ca.key").read_bytes()
    result = run("ca", "init", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]) == (1, "station_ca_not_made")
    assert (tmp_path / "state/ca/station-ca.key").read_bytes() == before


def test_where_an_external_ca_is_set_none_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CERTIFICATE", "KEY"):
        monkeypatch.setenv(f"EVPOWER_OCPP_STATION_CA_{name}", str(tmp_path / name))
    result = run("ca", "init")
    assert (result.exit_code, "the settings name another" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_no_certificate_can_have_makes_nothing(tmp_path: Path, name: str) -> None:
    result = run("ca", "init", "--name", name)
    assert (result.exit_code, "not a name for an authority" in result.stderr) == (1, True)
    assert not (tmp_path / "state").exists()


def test_a_disk_that_fails_leaves_no_half_of_a_ca(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("ca", "init")
    assert (result.exit_code, "No space left on device" in result.stderr) == (1, True)
    assert files_of(tmp_path / "state") == []


ROW = {"station_id": "EVP-001-01", "state": "delivered", "common_name": "EVP-001-01", "not_after": "2027-01-01"}


@pytest.mark.parametrize("days", ["30d", "30"])
def test_expiring_certificates_are_asked_for_by_days(control: FakeControl, days: str) -> None:
    control.succeed("/control/certificates?expiring_within_days=30", [ROW])
    result = run("certificates", "--expiring-within", days)
    assert (result.exit_code, "EVP-001-01" in result.stdout, "2027-01-01" in result.stdout) == (0, True, True)


def test_all_certificates_are_the_data_in_json(control: FakeControl) -> None:
    control.succeed("/control/certificates", [ROW])
    assert json.loads(run("certificates", "--json").stdout) == [ROW]


@pytest.mark.parametrize("days", ["soon", "-1d", "30h", "1000000"])
def test_what_is_no_number_of_days_is_wrong_usage(control: FakeControl, days: str) -> None:
    assert run("certificates", f"--expiring-within={days}").exit_code == 2
    assert control.asked == []


def test_without_a_server_there_is_nothing_to_list() -> None:
    assert run("certificates").exit_code == 3


def test_a_root_is_installed_from_its_file(control: FakeControl, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("PEM")
    control.succeed(f"{OPERATIONS}/install-certificate", {"status": "Accepted"})
    assert run("station", "trust", "EVP-001-01", str(tmp_path / "root.pem"), "--for", "manufacturer").exit_code == 0
    sent = json.loads(control.asked[0][2])
    assert sent == {"certificate": "PEM", "certificate_type": "ManufacturerRootCertificate"}


def test_a_root_is_deleted_by_its_file_or_its_serial_number(control: FakeControl) -> None:
    control.succeed(f"{OPERATIONS}/delete-certificate", {"status": "Accepted"})
    assert run("station", "distrust", "EVP-001-01", "-", input="PEM").exit_code == 0
    assert run("station", "distrust", "EVP-001-01", "--serial", "0a").exit_code == 0
    assert [json.loads(body) for *_, body in control.asked] == [{"certificate": "PEM"}, {"serial_number": "0a"}]
    assert run("station", "distrust", "EVP-001-01").exit_code == 2


def test_trusted_roots_are_a_table(control: FakeControl) -> None:
    held = {"certificateType": "ManufacturerRootCertificate", "serialNumber": "0a", "hashAlgorithm": "SHA256"}
    control.succeed(f"{OPERATIONS}/installed-certificates", {"certificates": [held]})
    result = run("station", "trusted", "EVP-001-01")
    assert (result.exit_code, "ManufacturerRootCertificate" in result.stdout) == (0, True)
