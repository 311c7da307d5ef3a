"""The secret of an installation: set, or made once in the state directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evpower.errors import ConfigError
from evpower.settings.config import Config
from evpower.settings.process import ServerSettings
from evpower.settings.sign_in import SignInSettings, SmsSettings
from evpower.sign_in.means import SignInMeans, kept_secret, open_means
from evpower.sign_in.sms import LogSms
from evpower.sign_in.sms_gateway import GatewaySms


def config(state_dir: Path, **sms: str) -> Config:
    return Config(server=ServerSettings(state_dir=str(state_dir)), sms=SmsSettings(**sms))


async def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    async with open_means(config(tmp_path / "state"), lambda size: b"a" * size) as first:
        pass
    async with open_means(config(tmp_path / "state"), lambda size: b"b" * size) as second:
        pass
    assert first.secret == second.secret == b"a" * 32
    [file] = (tmp_path / "state").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_secret_that_is_set_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = replace(config(tmp_path), sign_in=SignInSettings(secret="x" * 32))
    async with open_means(settings) as means:
        assert means.secret == b"x" * 32
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_processes_makes_the_secret(tmp_path: Path) -> None:
    """The second one's draw is made while the first one's file appears."""
    path = tmp_path / "secret"

    def meanwhile(size: int) -> bytes:
        kept_secret(path, lambda size: b"1" * size)
        return b"2" * size

    assert kept_secret(path, meanwhile) == b"1" * 32
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="is not the secret"):
        kept_secret(path, lambda size: b"a" * size)
    assert path.read_bytes() == b"short"


def test_a_secret_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be kept"):
        kept_secret(tmp_path / "file" / "secret", lambda size: b"a" * size)


def test_each_purpose_has_a_key_of_its_own() -> None:
    means = SignInMeans(b"a" * 32, sms=None)
    keys = {means.key_for("codes"), means.key_for("keys"), SignInMeans(b"b" * 32, sms=None).key_for("codes")}
    assert len(keys) == 3
    assert means.secret not in keys
    assert "aaa" not in repr(means)


async def test_the_transport_is_as_configured(tmp_path: Path) -> None:
    async with open_means(config(tmp_path)) as off:
        assert off.sms is None
    async with open_means(config(tmp_path, transport="log")) as log:
        assert isinstance(log.sms, LogSms)
    async with open_means(config(tmp_path, transport="http", url="https://sms.example/{phone}/{text}")) as http:
        assert isinstance(http.sms, GatewaySms)
