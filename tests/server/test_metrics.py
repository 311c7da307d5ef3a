"""The figures for Prometheus: readable, moving, without drivers, and there when PostgreSQL is not (design §8)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

import evpower
from evpower.attempts.service import Attempts
from evpower.billing.books.nightly_check import LedgerChecks
from evpower.billing.service import BillingService
from evpower.charging.settler import Settler
from evpower.clock import ClockWatch
from evpower.db.pool import Pool, open_pool
from evpower.db.redis_link import RedisLink
from evpower.errors import InvalidToken
from evpower.events import EventBus, StationChanged
from evpower.favorites.watches import WatchStep
from evpower.history.keeping import Keeping, NotKept
from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.identity.graph import TokenRules, build_tokens
from evpower.identity.token import Check
from evpower.metering.journal import Journal, MeterRow
from evpower.metering.meter_value import MeterReport
from evpower.navigation.roads import RouterAnswer
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS, MASKING, read_signed
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.server import StationServer
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.shared.stored import read_schedules
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.watch.tracer import Tracer
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.ocpp.wire.outcome import Answered, CallFailed
from evpower.payments.gateway import Gateways
from evpower.payments.graph import build_payments
from evpower.payments.top_up import TopUpRules
from evpower.power.keeper import PowerKeeper
from evpower.push.outbox import PushOutbox
from evpower.rate_limits.limits import KINDS, Counted, RateLimit
from evpower.rate_limits.service import RateLimits
from evpower.reservations.ends import KINDS as KINDS_OF_END
from evpower.reservations.ends import EndName
from evpower.reservations.starts import ReservationUse
from evpower.server.metrics import exposition
from evpower.server.metrics.exposition import Counting, Metrics
from evpower.sign_in.phone_codes import CodeOutcome
from evpower.sign_in.service import RefreshOutcome
from evpower.webhooks.deliverer import WebhookOutcome
from tests.db.proxy import open_proxy
from tests.ocpp.fakes import FakeReports
from tests.worlds import token_issuer
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, STATION, open_world
from tests.worlds.fakes import NOON, CountingIds, FakeLink, SetClock
from tests.worlds.provider import ScriptedProvider
from tests.worlds.redis_server import QUICK, RedisServer, is_away


class Scene:
    """The services that count, and their figures as Prometheus reads them."""

    def __init__(
        self, pool: Pool, redis: RedisLink | None = None, *, kept_s: float = 0, clock: SetClock | None = None
    ) -> None:
        self.clock = clock or SetClock()
        self.journal = Journal(pool)
        self.bus = EventBus()
        self.tracer = Tracer(pool, self.clock, MASKING, record=False)
        self.server = StationServer(
            FakeReports(),
            StationRegistry(usual(DIALECTS)),
            self.clock,
            CountingIds(),
            PasswordChecker(b"test"),
            OcppSettings(),
            DIALECTS,
            Traffic(known_actions(DIALECTS)),
            failed_logins=FailedLogins(),
        )
        self.billing = BillingService(pool, self.clock)
        gateways = Gateways(qr=ScriptedProvider("ODENGI"))
        self.payments = build_payments(pool, self.clock, CountingIds(), self.billing, gateways, TopUpRules())
        self.codes: Counter[CodeOutcome] = Counter()
        self.refreshes: Counter[RefreshOutcome] = Counter()
        self.messages: Counter[tuple[str, str]] = Counter()
        self.webhooks: Counter[WebhookOutcome] = Counter()
        self.watch_steps: Counter[WatchStep] = Counter()
        self.reservation_ends: Counter[EndName] = Counter()
        self.not_kept: Counter[NotKept] = Counter()
        self.skill: dict[int, float] = {}
        self.router_asked: Counter[RouterAnswer] = Counter()
        self.tokens = build_tokens(TokenRules(token_issuer.SECRET), self.clock).verifier
        self.rate_limits = RateLimits(self.clock, redis)
        keeping = Keeping(self.clock, ZoneInfo("Asia/Bishkek"), read_signed, enabled=False)
        push = PushOutbox(self.clock, is_on=False)
        self.counting = Counting(
            pool=pool,
            journal=self.journal,
            bus=self.bus,
            server=self.server,
            tracer=self.tracer,
            payments=self.payments,
            billing=self.billing,
            settler=Settler(
                pool,
                self.clock,
                self.billing,
                keeping,
                ReservationUse.over(self.clock, push, self.bus),
                self.bus,
                push,
            ),
            idle_fees={},
            attempts=Attempts(pool, self.clock),
            rate_limits=self.rate_limits,
            watch=ClockWatch(self.clock),
            sign_in_codes=self.codes,
            refreshed_tokens=self.refreshes,
            push_outcomes=self.messages,
            webhook_outcomes=self.webhooks,
            watch_steps=self.watch_steps,
            reservation_ends=self.reservation_ends,
            not_kept=self.not_kept,
            power=PowerKeeper(
                pool, self.clock, FakeLink(self.clock), ZoneInfo("Asia/Bishkek"), read_schedules, enabled=True
            ),
            forecast_skill=lambda: self.skill,
            router_asked=self.router_asked,
            refused_tokens=self.tokens.failures,
            heartbeat_timeout_s=300,
            redis=redis,
        )
        self.metrics = Metrics(self.counting, database_kept_s=kept_s)

    async def read(self) -> dict[str, float]:
        """Every sample, `name{label=value}` in the order of labels' names."""
        return dict(samples((await self.metrics.text()).decode()))


def samples(text: str) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            yield f"{sample.name}{{{labels}}}" if labels else sample.name, sample.value


@pytest.fixture
def scene(pool: Pool) -> Scene:
    return Scene(pool)


def row(raw: bytes = b"[]") -> MeterRow:
    return MeterRow(STATION, MeterReport(ConnectorId(1), None, (), raw), NOON)


async def test_a_server_that_has_done_nothing_says_so(scene: Scene) -> None:
    read = await scene.read()
    assert read[f"evpower_build_info{{version={evpower.__version__}}}"] == 1
    assert read["evpower_uptime_seconds"] == 0
    for version in ("1.6", "2.0.1"):
        assert read[f"evpower_connected_chargers{{version={version}}}"] == 0
        assert read[f"evpower_ocpp_errors_sent_total{{code=InternalError,version={version}}}"] == 0
    assert {read[f"evpower_refused_sockets_total{{reason={reason}}}"] for reason in Refusal} == {0}
    assert read["evpower_database_up"] == 1
    assert read["process_resident_memory_bytes"] > 0


async def test_every_figure_has_a_type_and_a_meaning(scene: Scene) -> None:
    for family in text_string_to_metric_families((await scene.metrics.text()).decode()):
        assert family.type != "unknown", family.name
        assert family.documentation, family.name


async def test_the_page_for_operators_names_every_figure_and_no_other(pool: Pool) -> None:
    scene = Scene(pool, RedisLink("redis://127.0.0.1:1"))
    await LedgerChecks(pool, ClockWatch(scene.clock), scene.billing, ZoneInfo("Asia/Bishkek")).work_due()
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(evpower_\w+)` \|", page, re.MULTILINE))
    families = text_string_to_metric_families((await scene.metrics.text()).decode())
    exposed = {family.name: family.type for family in families if family.name.startswith("evpower_")}
    ending = {"counter": "_total", "info": "_info"}
    assert documented == {name + ending.get(kind, "") for name, kind in exposed.items()}


def test_the_page_for_operators_names_every_kind_of_leniency() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    table = page.partition("### Kinds of leniency")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} - {"kind"} == set(Kind)


async def test_uptime_is_by_the_clock(scene: Scene) -> None:
    scene.clock.advance(90)
    assert (await scene.read())["evpower_uptime_seconds"] == 90


async def test_what_passes_at_the_chargers_door(scene: Scene) -> None:
    traffic = scene.server.traffic
    calls, newer = traffic.calls_in("1.6"), traffic.calls_in("2.0.1")
    for took_s in (0.004, 0.02, 45):
        calls.call_answered("MeterValues", took_s)
    newer.call_answered("MeterValues", 0.004)
    calls.call_sent("Reset")
    calls.call_ended("Reset", Answered(b'{"status":"Accepted"}'))
    calls.call_ended("Reset", CallFailed("GenericError", "", b"{}"))
    newer.errors_sent["InternalError"] += 2
    traffic.refusals[Refusal.UNKNOWN_STATION] += 1
    traffic.leniencies_of(STATION)[Kind.NO_ZONE] += 7
    read = await scene.read()
    assert read["evpower_ocpp_calls_received_total{action=MeterValues,version=1.6}"] == 3
    assert read["evpower_ocpp_calls_received_total{action=MeterValues,version=2.0.1}"] == 1
    answer = "evpower_ocpp_answer_seconds"
    assert [
        read[f"{answer}_bucket{{action=MeterValues,le={le},version=1.6}}"] for le in ("0.0025", "0.005", "30.0", "+Inf")
    ] == [
        0,
        1,
        2,
        3,
    ]
    assert read[f"{answer}_count{{action=MeterValues,version=1.6}}"] == 3
    assert read[f"{answer}_sum{{action=MeterValues,version=1.6}}"] == pytest.approx(45.024)
    assert read["evpower_ocpp_calls_sent_total{action=Reset,version=1.6}"] == 1
    assert read["evpower_ocpp_commands_total{action=Reset,outcome=accepted,version=1.6}"] == 1
    assert read["evpower_ocpp_commands_total{action=Reset,outcome=failed,version=1.6}"] == 1
    assert read["evpower_ocpp_errors_received_total{code=GenericError,version=1.6}"] == 1
    assert read["evpower_ocpp_errors_sent_total{code=InternalError,version=2.0.1}"] == 2
    assert read["evpower_refused_sockets_total{reason=unknown_station}"] == 1
    assert read[f"evpower_leniencies_total{{kind=no_zone,station={STATION}}}"] == 7


async def test_a_failed_login_counts(scene: Scene) -> None:
    await scene.server.failed_logins.failed("192.0.2.1", "CP-1", "wrong password")
    assert (await scene.read())["evpower_failed_logins_total"] == 1


async def test_the_journals_commits_and_its_failures_count(scene: Scene) -> None:
    async with trio.open_nursery() as workers:
        await workers.start(scene.journal.run)
        await scene.journal.meter_values(row())
        await scene.journal.meter_values(row())
        with pytest.raises(Exception, match="json"):
            await scene.journal.meter_values(row(b"{broken"))
        workers.cancel_scope.cancel()
    read = await scene.read()
    names = ("batches", "rows", "failed_rows")
    assert [read[f"evpower_journal_{name}_total"] for name in names] == [2, 2, 1]


async def test_the_pools_connections_and_who_waits_for_one(database_url: str) -> None:
    async with open_pool(database_url, size=2) as pool, pool.connection(), trio.open_nursery() as borrowers:
        assert pool.usage == (2, 1, 0)

        async def borrow() -> None:
            async with pool.connection():
                await trio.sleep_forever()

        for _ in range(3):
            borrowers.start_soon(borrow)
        with trio.fail_after(30):
            while pool.usage != (2, 2, 2):  # noqa: ASYNC110 - nothing reports that the second connection is made
                await trio.sleep(0.01)
        borrowers.cancel_scope.cancel()
    assert pool.usage.waiting == 0


async def test_an_event_a_subscriber_was_too_slow_for_counts(scene: Scene) -> None:
    with scene.bus.subscribe(lambda _: True, backlog=1):
        for _ in range(3):
            scene.bus.publish(StationChanged(StationId("S")))
    assert (await scene.read())["evpower_events_dropped_total"] == 1


async def test_redis_is_there_and_its_losses_count(pool: Pool, redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, QUICK)
    scene = Scene(pool, link)
    names = ("evpower_redis_up", "evpower_redis_losses_total")
    figures = []
    async with trio.open_nursery() as workers:
        await workers.start(link.run)
        figures.append([(await scene.read())[name] for name in names])
        redis_server.kill()
        await is_away(link)
        figures.append([(await scene.read())[name] for name in names])
        workers.cancel_scope.cancel()
    assert figures == [[1, 0], [0, 1]]


async def test_without_redis_nothing_is_said_of_it(scene: Scene) -> None:
    assert not [name for name in await scene.read() if "redis" in name]


async def test_a_session_is_in_its_phase_and_unsettled_between_its_end_and_its_bill(pool: Pool) -> None:
    async with open_world(pool) as world:
        scene = Scene(pool)
        await world.give(500_00)
        session_id = (await world.order(energy_wh=5_000)).session.session_id
        phases = []
        begun = await world.begin(await world.tag_of(session_id))
        phases.append((await scene.read())["evpower_sessions{phase=charging}"])
        world.clock.advance(3600)
        await world.end(begun.wire_transaction_id, 2_000)
        read = await scene.read()
        phases += [read["evpower_sessions{phase=charging}"], read["evpower_unsettled_sessions"]]
        await world.app.settler.work_due()
        phases.append((await scene.read())["evpower_unsettled_sessions"])
        assert phases == [1, 0, 1, 0]
        await world.end(begun.wire_transaction_id, 2_000)
        await world.app.reports.park(STATION, "StopTransaction", "nobody's", b"{}")
        assert (await scene.read())["evpower_parked_reports"] == 1


async def test_charges_without_a_session_are_counted(pool: Pool) -> None:
    """Field ruling 4.1."""
    async with open_world(pool) as world:
        scene = Scene(pool)
        assert (await scene.read())["evpower_charging_without_session"] == 0
        await world.begin(IdTag("UNKNOWN"))
        await world.say("Charging")
        assert (await scene.read())["evpower_charging_without_session"] == 1


async def test_accounts_that_end_are_counted_and_an_erasure_that_does_not_come_is_seen(pool: Pool) -> None:
    async with open_world(pool) as world:
        scene = Scene(pool)
        names = ["evpower_accounts_to_erase", "evpower_accounts_to_pay_out", "evpower_erasure_overdue_seconds"]
        figures = [[(await scene.read())[name] for name in names]]
        await world.give(5_00)
        await world.app.accounts.request_deletion(CLIENT, "test")
        figures.append([(await scene.read())[name] for name in names])
        scene.clock.advance(30 * 24 * 3600 + 60)
        figures.append([(await scene.read())[name] for name in names])
        world.clock.advance(30 * 24 * 3600 + 60)
        await world.app.erasure.work_due()
        figures.append([(await scene.read())[name] for name in names])
        await world.app.accounts.pay_out(CLIENT, 5_00, "transfer", "operator ann")
        figures.append([(await scene.read())[name] for name in names])
        assert figures == [[0, 0, 0], [1, 1, 0], [1, 1, 60], [0, 1, 0], [0, 0, 0]]


async def test_no_driver_is_named(pool: Pool) -> None:
    async with open_world(pool) as world:
        scene = Scene(pool)
        await world.give(500_00)
        session_id = (await world.order(energy_wh=5_000)).session.session_id
        tag = await world.tag_of(session_id)
        await world.charge(session_id, 1_000)
        text = (await scene.metrics.text()).decode()
        assert not [secret for secret in (CLIENT, tag, session_id) if secret in text]


async def test_without_the_database_the_rest_is_told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_proxy(database_url) as proxy, open_pool(proxy.url, size=2) as pool:
        scene = Scene(pool)
        assert (await scene.read())["evpower_database_up"] == 1
        monkeypatch.setattr(exposition, "DATABASE_WITHIN_S", 0.2)
        proxy.cut()
        scene.server.traffic.calls_in("1.6").call_answered("Heartbeat", 0.001)
        for _ in range(2):  # the connection that breaks, and the one that never comes
            read = await scene.read()
            assert read["evpower_database_up"] == 0
            assert read["evpower_ocpp_calls_received_total{action=Heartbeat,version=1.6}"] == 1
            assert read["evpower_provider_up{provider=ODENGI}"] == 1
            asked = ("evpower_sessions", "evpower_unsettled", "evpower_parked", "evpower_top_ups{", "evpower_oldest")
            assert not [name for name in read if name.startswith(asked)]
        proxy.mend()
        monkeypatch.setattr(exposition, "DATABASE_WITHIN_S", 10)
        assert (await scene.read())["evpower_database_up"] == 1


async def test_a_token_that_is_not_believed_counts_by_the_check_it_fails(scene: Scene) -> None:
    for text in ("a.b.c", "a.b", token_issuer.by_secret({"aud": "x"}), token_issuer.by_secret({"aud": "y"})):
        with pytest.raises(InvalidToken):
            await scene.tokens.verify(text)
    read = await scene.read()
    counted = {check: read[f"evpower_refused_tokens_total{{check={check}}}"] for check in get_args(Check)}
    assert {check: count for check, count in counted.items() if count} == {"header": 1, "form": 1, "aud": 2}


async def test_what_became_of_codes_for_signing_in(scene: Scene) -> None:
    scene.codes["sent"] += 3
    scene.codes["wrong"] += 1
    read = await scene.read()
    assert read["evpower_sign_in_codes_total{outcome=sent}"] == 3
    assert read["evpower_sign_in_codes_total{outcome=wrong}"] == 1
    assert read["evpower_sign_in_codes_total{outcome=limited}"] == 0


async def test_reservations_are_counted_by_their_end(scene: Scene) -> None:
    scene.reservation_ends["no_show"] += 1
    read = await scene.read()
    assert {end: read[f"evpower_reservations_total{{end={end}}}"] for end in KINDS_OF_END} == {
        end: int(end == "no_show") for end in KINDS_OF_END
    }


async def test_who_waits_for_a_connector_and_what_a_settlement_could_not_keep(scene: Scene) -> None:
    scene.watch_steps["notified"] += 2
    scene.not_kept["signed_value"] += 3
    read = await scene.read()
    assert {step: read[f"evpower_watches_total{{step={step}}}"] for step in ("made", "ended", "notified", "over")} == {
        "made": 0,
        "ended": 0,
        "notified": 2,
        "over": 0,
    }
    assert [read[f"evpower_not_kept_total{{what={what}}}"] for what in ("charge", "signed_value")] == [0, 3]


async def test_what_became_of_refresh_tokens(scene: Scene) -> None:
    scene.refreshes["refreshed"] += 3
    scene.refreshes["reuse"] += 1
    read = await scene.read()
    assert read["evpower_sign_in_refreshes_total{outcome=refreshed}"] == 3
    assert read["evpower_sign_in_refreshes_total{outcome=reuse}"] == 1
    assert read["evpower_sign_in_refreshes_total{outcome=logout}"] == 0


async def test_what_became_of_messages_to_phones(scene: Scene) -> None:
    scene.messages["fcm", "sent"] += 3
    scene.messages["webpush", "ended"] += 1
    read = await scene.read()
    assert read["evpower_push_total{kind=fcm,outcome=sent}"] == 3
    assert read["evpower_push_total{kind=webpush,outcome=ended}"] == 1
    assert read["evpower_push_total{kind=webpush,outcome=later}"] == 0


async def test_refused_requests_are_counted_by_kind(scene: Scene) -> None:
    assert {(await scene.read())[f"evpower_requests_refused_total{{kind={kind}}}"] for kind in KINDS} == {0}
    for _ in range(3):
        await scene.rate_limits.take(Counted(RateLimit("new_client", 1), "192.0.2.1"))
    read = await scene.read()
    assert (read["evpower_requests_refused_total{kind=new_client}"], read["evpower_requests_counted_alone_total"]) == (
        2,
        0,
    )


async def test_what_became_of_events_to_operators_systems_and_where_they_go(scene: Scene, pool: Pool) -> None:
    scene.webhooks["later"] += 2
    async with by_hand(pool) as conn:
        await conn.execute(
            "INSERT INTO evpower.webhook_endpoints (id, url, events, secret, created_at, created_by, disabled_at, "
            "disabled_reason) VALUES ('a', 'https://a', '{doubt}', 'x', now(), 't', NULL, NULL), "
            "('b', 'https://b', '{doubt}', 'x', now(), 't', now(), 'gone')"
        )
        await conn.execute("SELECT evpower.announce('doubt', 'doubt', '1', now(), '{}')")
    read = await scene.read()
    assert read["evpower_webhooks_out_total{outcome=later}"] == 2
    assert read["evpower_webhooks_out_total{outcome=gone}"] == 0
    states = ("enabled", "disabled")
    assert [read[f"evpower_webhooks_out_endpoints{{state={state}}}"] for state in states] == [1, 1]
    assert read["evpower_webhooks_out_waiting"] == 1, "none for who is disabled"


async def test_the_skill_of_forecasts_and_questions_to_the_router_are_figures(scene: Scene) -> None:
    scene.skill |= {15: 0.25, 1440: -0.5}
    scene.router_asked["failed"] += 2
    read = await scene.read()
    assert read["evpower_forecast_skill{horizon_min=15}"] == 0.25
    assert read["evpower_forecast_skill{horizon_min=1440}"] == -0.5
    assert read["evpower_router_requests_total{outcome=failed}"] == 2
    assert read["evpower_router_requests_total{outcome=answered}"] == 0
