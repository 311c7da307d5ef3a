"""The demo's payment providers: the sandbox of docs/sandbox.md, unless providers are configured.

Both on this machine, so that no play money reaches a real provider and no real money the demo's clients by accident.
"""

from __future__ import annotations

from dataclasses import replace

from evpower.clock import RandomIds, SystemClock
from evpower.settings.config import Config
from evpower.settings.payments import ObankSettings, OdengiSettings
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings

DIRECTORY = "sandbox"
#: A quarter of a minute is too long for a spectator.
POLL_INTERVAL_S = 2.0


def has_providers(config: Config) -> bool:
    """Whether the operator has configured a provider: then the demo imitates none."""
    return config.odengi.is_on or config.obank.is_on


def sandbox_settings(config: Config) -> SandboxSettings:
    """Free ports; a seed of its own for each run, because an id once paid must not come again."""
    seed = int(SystemClock().now().timestamp())
    return SandboxSettings(directory=config.state_dir.absolute() / DIRECTORY, seed=seed)


def with_sandbox(config: Config, sandbox: Sandbox) -> Config:
    """The settings of a server that is paid through the sandbox."""
    payments = config.payments
    return replace(
        config,
        payments=replace(
            payments,
            public_url=payments.public_url or _called_at(config),
            poll_interval_s=min(payments.poll_interval_s, POLL_INTERVAL_S),
        ),
        odengi=OdengiSettings(url=sandbox.odengi_url, sid=sandbox.settings.sid, secret=sandbox.secret, test=True),
        obank=ObankSettings(
            url=sandbox.obank_url,
            point=sandbox.settings.point,
            service=sandbox.settings.service,
            certificate=str(sandbox.point_file),
            certificate_password=sandbox.certificate_password,
            ca_certificate=str(sandbox.authority_file),
            h2h=True,
            notify_key=RandomIds().new(),
        ),
    )


def _called_at(config: Config) -> str:
    """Where the providers call the server back; nowhere when the operating system chooses the port: then it asks."""
    bind = config.http.bind[0]
    return f"http://{bind}" if bind.is_loopback and bind.port else ""
