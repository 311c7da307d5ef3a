"""What Dockerfile and compose.yaml claim, as far as reading them shows it."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

import evpower
from artefacts.lock import ROOT
from evpower.errors import ConfigError
from evpower.settings.config import Config, load
from tests.house.test_service_unit import setting

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: `name:version`, the version to its last number.
PINNED = re.compile(r"[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?")


def instructions(stage: int) -> list[tuple[str, str]]:
    """Each instruction of a stage with its argument, continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    stages = re.split(r"^(?=FROM )", whole, flags=re.MULTILINE)[1:]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in stages[stage].splitlines()]


def arguments(instruction: str) -> list[str]:
    return [argument for name, argument in instructions(-1) if name == instruction]


def test_every_image_is_of_one_version() -> None:
    bases = [argument.split()[0] for stage in (0, 1) for name, argument in instructions(stage) if name == "FROM"]
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert len(bases) == 2
    assert [image for image in bases + others if not PINNED.fullmatch(image)] == []


def test_what_installs_is_left_behind() -> None:
    """The last stage takes the environment from the first, and runs no pip."""
    assert "--from=install /opt/evpower /opt/evpower" in arguments("COPY")
    assert "pip install" not in " ".join(arguments("RUN"))


def test_every_byte_that_is_installed_is_locked() -> None:
    installs = re.findall(r"pip install[^\n&]*", DOCKERFILE)
    assert installs
    assert [each for each in installs if "--require-hashes" not in each and "--no-deps" not in each] == []
    assert "--index-url" not in DOCKERFILE


def test_the_build_sees_what_make_dist_made_and_nothing_else() -> None:
    assert IGNORED == ["*", "!dist/requirements.lock", "!dist/evpower-*.whl"]
    copied = [word for name, argument in instructions(0) if name == "COPY" for word in argument.split()[:-1]]
    assert {f"!{word}" for word in copied} == set(IGNORED[1:])
    assert fnmatch(f"dist/evpower-{evpower.__version__}-py3-none-any.whl", copied[1])


def test_it_runs_as_a_user_without_rights() -> None:
    assert arguments("USER") == ["10001:10001"]
    last = [name for name, _ in instructions(-1)]
    assert not {"RUN", "COPY", "ADD"} & set(last[last.index("USER") :])


def test_it_says_whether_it_is_well() -> None:
    [check] = arguments("HEALTHCHECK")
    assert f"{Config().http.bind[0]}/readyz" in check
    assert re.search(r"--start-period=\d+s", check)


def test_its_state_is_a_volume() -> None:
    [volume] = arguments("VOLUME")
    environment = dict(word.split("=", 1) for word in " ".join(arguments("ENV")).split())
    assert environment["EVPOWER_STATE_DIR"] == volume == "/var/lib/evpower"
    assert SERVICES["evpower"]["volumes"] == [f"state:{volume}"]


def test_its_ports_are_the_servers() -> None:
    ports = [int(port) for port in arguments("EXPOSE")[0].split()]
    assert ports == [Config().http.bind[0].port, Config().ocpp.bind[0].port]


def test_the_settings_are_ours_and_start_a_server_once_it_knows_whom_to_believe() -> None:
    environment = dict(word.split("=", 1) for word in " ".join(arguments("ENV")).split())
    given = {**environment, **SERVICES["evpower"]["environment"]}
    ours = {name: re.sub(r"\$\{[^}]*\}", "word", value) for name, value in given.items() if name.startswith("EVPOWER_")}
    with pytest.raises(ConfigError, match=re.escape("auth.mode")):
        load(None, ours)
    config = load(None, {**ours, "EVPOWER_AUTH_MODE": "required", "EVPOWER_AUTH_JWT_SECRET": "s" * 32})
    assert config.http.public_url == "https://word"
    assert not [warning for warning in config.warnings if "EVPOWER_" in warning]
    assert config.database.url == "postgresql://evpower:word@postgres:5432/evpower"
    assert config.redis.url == "redis://valkey:6379/0"


def test_evpower_listens_on_its_loopback_and_caddy_stands_there() -> None:
    """So that nobody on the containers' network speaks past Caddy, and the file in config/ is right as it is."""
    assert SERVICES["caddy"]["network_mode"] == "service:evpower"
    assert all(bind.is_loopback for bind in (*Config().http.bind, *Config().ocpp.bind))
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["evpower"]
    assert SERVICES["evpower"]["ports"] == ["80:80", "443:443"]


def test_no_password_stands_in_the_file() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"PASSWORD: (.*)", text) == ["${POSTGRES_PASSWORD:?a password for the database}"]
    assert re.findall(r"://\w+:(.+)@postgres", text) == ["${POSTGRES_PASSWORD:?a password for the database}"]


def test_evpower_waits_for_what_it_needs_and_has_time_to_end() -> None:
    needed = SERVICES["evpower"]["depends_on"]
    assert {name: each["condition"] for name, each in needed.items()} == dict.fromkeys(
        ("postgres", "valkey"), "service_healthy"
    )
    assert all("healthcheck" in SERVICES[name] for name in needed)
    assert SERVICES["evpower"]["stop_grace_period"] == f"{setting('TimeoutStopSec')}s"
    assert SERVICES["evpower"]["ulimits"]["nofile"] == int(setting("LimitNOFILE"))


@pytest.mark.parametrize("name", ["evpower", "valkey"])
def test_they_may_write_nothing_but_their_volumes_and_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_named_volume_is_declared_and_the_rest_is_in_the_checkout() -> None:
    mounted = [each.split(":")[0] for service in SERVICES.values() for each in service.get("volumes", ())]
    assert {each for each in mounted if not each.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / each).exists() for each in mounted if each.startswith("."))


def test_the_image_bears_the_version() -> None:
    assert SERVICES["evpower"]["image"] == f"evpower:{evpower.__version__}"
