"""One reading of everything that the page shows."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import trio

from evpower.db.unit_of_work import reading
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.watch.traffic import Traffic
from evpower.pages.system import DatabaseState, SettingInForce, SystemFacts
from evpower.server.process import Process
from evpower.server.rows.system import read_database_facts
from evpower.settings.config import SETTINGS, Config
from evpower.worker import contain

log = logging.getLogger("evpower.pages")

#: PostgreSQL that takes longer is away for this page.
DATABASE_WITHIN_S = 4.0
FAILURE = "the page of the system could not ask PostgreSQL"


async def read_system(process: Process, traffic: Traffic, failed_logins: FailedLogins) -> SystemFacts:
    """Everything that can be said now; what PostgreSQL would have said is None while it is away."""
    config, app, pool = process.config, process.app, process.pool.usage
    disk = await trio.to_thread.run_sync(shutil.disk_usage, config.state_dir)
    return SystemFacts(
        process_id=process.processes.me,
        database=await _database(process),
        pool_size=pool.size,
        pool_in_use=pool.in_use,
        pool_waiting=pool.waiting,
        journal_lag_s=app.journal.lag_s,
        free_bytes=disk.free,
        total_bytes=disk.total,
        backup=await trio.to_thread.run_sync(_backup, config.operator.backup_path),
        redis_up=None if app.redis is None else app.redis.is_there,
        providers=app.payments.providers(),
        provider_calls={name: tuple(calls) for name, calls in app.payments.calls.recent.items()},
        refused_sockets={reason.value: count for reason, count in traffic.refusals.items()},
        failed_logins=failed_logins.total,
        slowed_addresses=failed_logins.slowed(),
        lines=tuple(reversed(process.recent_lines.lines)),
        settings=settings_in_force(config),
    )


async def _database(process: Process) -> DatabaseState | None:
    facts: DatabaseState | None = None
    with contain(log, "%s", FAILURE), trio.fail_after(DATABASE_WITHIN_S):
        async with reading(process.pool) as conn:
            facts = await read_database_facts(conn, process.clock.now())
    return facts


def _backup(path: str) -> tuple[str, datetime | None] | None:
    """The named file's age; of a folder that of its newest file."""
    if not path:
        return None
    place = Path(path)
    files = [each for each in place.iterdir() if each.is_file()] if place.is_dir() else [place]
    times = [each.stat().st_mtime for each in files if each.exists()]
    return path, datetime.fromtimestamp(max(times), UTC) if times else None


def settings_in_force(config: Config) -> Sequence[SettingInForce]:
    """Every setting; a secret is `set` or `not set`, never shown."""
    shown = []
    for name, setting in SETTINGS.items():
        section, _, key = name.partition(".")
        value = getattr(getattr(config, section), key)
        is_secret = not setting.repr
        text = ("set" if value else "not set") if is_secret else _text(value)
        shown.append(SettingInForce(name, text, is_secret, value == setting.default))
    return shown


def _text(value: object) -> str:
    if isinstance(value, tuple | list | frozenset | set):
        return ", ".join(sorted(map(str, value)) if isinstance(value, frozenset | set) else map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
