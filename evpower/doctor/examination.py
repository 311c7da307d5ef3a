"""Looks at everything: reads the facts, and has each check judge them. With the server running or stopped."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.migrate import schema_state
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.doctor import dialling, machine, machine_read, network, outside, settings_read, stores
from evpower.doctor.certificate_files import certificates
from evpower.doctor.finding import Finding, Sentence, Value, in_order, sentence, unknown
from evpower.doctor.network import NetworkFacts, PhoneLost
from evpower.doctor.rows.database import count_stations, ending_certificates, read_server
from evpower.doctor.server_facts import ServerFacts
from evpower.doctor.settings_read import FileFacts
from evpower.network.station_records import without_credentials
from evpower.server.descriptors import OTHERS
from evpower.settings.config import SETTINGS, Config
from evpower.tags.service import Tags

STATIONS_NOTICE_DAYS = 30


@dataclass(frozen=True)
class DatabaseAnswer:
    """What the database said: facts for several checks. `network` is None without EvPower's tables."""

    facts: stores.DatabaseFacts
    ahead_s: float
    network: NetworkFacts | None = None
    stations: int | None = None
    ending: Sequence[str] = ()


async def ask_database(pool: Pool, which: Value, clock: Clock, *, is_private: bool) -> DatabaseAnswer:
    """Everything there is to ask of it; nothing is changed."""
    async with reading(pool) as conn:
        server = await read_server(conn)
        ahead_s = (server.at - clock.now()).total_seconds()
    schema = await schema_state(pool)
    facts = stores.DatabaseFacts(
        which, server.major, server.size_bytes, schema.pending, schema.unknown, server.connections_max, is_private
    )
    if schema.pending or schema.unknown:
        return DatabaseAnswer(facts, ahead_s)
    async with reading(pool) as conn:
        bare, stations = await without_credentials(conn), await count_stations(conn)
        ending = await ending_certificates(conn, clock.now() + timedelta(days=STATIONS_NOTICE_DAYS))
    cards = await Tags(pool, clock).phone_numbers()
    lost = [PhoneLost(**asdict(each)) for each in await BillingService(pool, clock).displaced_phones()]
    return DatabaseAnswer(facts, ahead_s, NetworkFacts(bare, cards, lost), stations, ending)


async def examine(
    config: Config,
    file: FileFacts,
    clock: Clock,
    database: DatabaseAnswer | Sentence,
    server: ServerFacts | None,
) -> list[Finding]:
    """Every check. `database` is its answer, or why there is none; `server` is None while none runs."""
    now = clock.now()
    findings = settings_read.file_read(file) + settings_read.unsafe(config) + settings_read.weak_secrets(config)
    answer = None if isinstance(database, Sentence) else database
    if isinstance(database, Sentence):
        findings.append(stores.no_database(database, is_set=bool(config.database.url)))
    else:
        findings += stores.database(database.facts, config.database.pool_size, server_runs=server is not None)
    findings += await _redis(config)
    findings += _machine(config, answer, server)
    findings += [outside.certificate(each, now) for each in certificates(config, now)]
    findings += outside.stations_certificates(answer.ending if answer else (), STATIONS_NOTICE_DAYS)
    findings += await _public(config, now)
    failing = server.failing if server else {}
    findings += [outside.provider(each) for each in await dialling.providers(config, failing, now)]
    findings += _proxies(config, server)
    rows = server.network if server else answer.network if answer else None
    findings += network.stations(
        rows, anonymous=config.anonymous_stations, from_anywhere=config.ocpp.allow_anonymous is True
    )
    findings += network.cards(rows) + network.clients(rows)
    return in_order(findings)


def file_facts(config: Config, variables: Sequence[str], usual: Path) -> FileFacts:
    """Of the file that was read; `usual` is where it would be expected."""
    if config.file is None:
        return FileFacts(None, variables, unread=usual if usual.exists() else None)
    written = tomllib.loads(config.file.read_text(encoding="utf-8"))
    names = [f"{section}.{key}" for section, keys in written.items() for key, value in keys.items() if value]
    secret = [name for name in names if name in SETTINGS and not SETTINGS[name].repr]
    return FileFacts(config.file, variables, config.file.stat().st_mode, secret)


def _machine(config: Config, answer: DatabaseAnswer | None, server: ServerFacts | None) -> list[Finding]:
    jumped_s = server.clock_jumped_s if server else None
    clock = machine.ClockFacts(answer.ahead_s if answer else None, machine_read.clock_is_synchronized(), jumped_s)
    places = {config.state_dir.absolute(), *([Path(config.log.file).absolute().parent] if config.log.file else [])}
    needed = config.ocpp.max_connections + config.database.pool_size + OTHERS
    hard = machine_read.file_limit() if server is None else server.file_limit
    stations = answer.stations if answer else None
    return [
        *machine.clock(clock),
        *(machine.disk(place, *machine_read.disk_room(place)) for place in sorted(places)),
        *machine.file_limits(hard, needed, stations, config.ocpp.max_connections, of_server=server is not None),
    ]


def _proxies(config: Config, server: ServerFacts | None) -> list[Finding]:
    behind = bool(config.http.public_url)
    at_home = all(each.is_loopback for each in config.ocpp.bind) and not config.ocpp.tls_bind
    seen, chargers = (server.seen, server.chargers) if server else (None, None)
    return outside.proxies(seen, chargers, behind_a_proxy=behind, chargers_behind=behind and at_home)


async def _redis(config: Config) -> list[Finding]:
    version, error = await dialling.redis_version(config.redis.url) if config.redis.url else ("", "")
    return [stores.redis(bool(config.redis.url), version, error)]


async def _public(config: Config, now: datetime) -> list[Finding]:
    url = config.http.public_url
    if not url.startswith("https://"):
        return []
    error, facts = await dialling.public_certificate(url)
    if facts is None:
        found = sentence("certificates.unreached", url=url, error=error)
        return [unknown("certificates", found, sentence("certificates.from_outside"))]
    return [outside.certificate(facts, now)]
