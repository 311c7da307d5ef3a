"""The whole application over PostgreSQL, and a charger on the other end of a real OCPP-J wire, word by word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import trio
import trio.testing

from evpower.billing.rows.ledger import check_ledger
from evpower.db.pool import Pool
from evpower.errors import EvPowerError
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId
from evpower.ocpp.dialect import usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.registry import StationRegistry
from evpower.server.app import build_app
from evpower.settings.config import Config
from evpower.tags.rows.id_tags import Card
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, NETWORK, STATION, World
from tests.worlds.fakes import CountingIds, SetClock

T = TypeVar("T")
ONE = ConnectorId(1)
OK = {"status": "Accepted"}


class Site:
    """A world whose charger speaks OCPP: its operator asks, the charger answers as the test says."""

    def __init__(self, world: World, peer: Peer, connect: Callable[[], Awaitable[Peer]]) -> None:
        self.world = world
        self.peer = peer
        self._connect = connect
        #: What arrived at the charger: (action, payload).
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._messages = 0

    async def while_charger_answers(self, ask: Callable[[], Awaitable[T]], *replies: Any) -> T:
        """Run `ask` while the charger gives each CALL the next reply: a payload, or (code, description)."""
        answers: list[T] = []
        errors: list[EvPowerError] = []

        async def talk(nursery: trio.Nursery) -> None:
            try:
                answers.append(await ask())
            except EvPowerError as error:
                errors.append(error)
                nursery.cancel_scope.cancel()  # no further reply is waited for

        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(talk, nursery)
                for reply in replies:
                    await self.reply(reply)
        if errors:
            raise errors[0]
        return answers[0]

    async def reply(self, reply: Any) -> None:
        """Hear the next CALL and answer it."""
        _, message_id, action, payload = await self.peer.next_call()
        self.heard.append((action, payload))
        if isinstance(reply, tuple):
            await self.peer.send(4, message_id, *reply, {})
        else:
            await self.peer.send(3, message_id, reply)

    async def operate(self, name: str, arguments: dict[str, Any], *replies: Any) -> dict[str, Any]:
        """The operator's operation; raises as it does."""
        perform = self.world.app.operations.perform
        return await self.while_charger_answers(lambda: perform(STATION, name, arguments), *replies)

    async def command(self, action: str, payload: dict[str, Any], reply: Any) -> dict[str, Any]:
        """The operator's raw command."""
        send = self.world.app.operations.commands.send
        return await self.while_charger_answers(lambda: send(STATION, action, payload), reply)

    async def say(self, action: str, **payload: Any) -> dict[str, Any]:
        """The charger sends a CALL; the payload of the answer."""
        self._messages += 1
        with trio.fail_after(20):
            answer = await self.peer.call(action, payload, f"m{self._messages}")
        assert answer[0] == 3, answer
        assert isinstance(answer[2], dict)
        return answer[2]

    async def status(self, word: str, connector_id: int = 1, error: str = "NoError", **more: Any) -> None:
        await self.say("StatusNotification", connectorId=connector_id, errorCode=error, status=word, **more)

    async def authorize(self, tag: IdTag) -> dict[str, Any]:
        """The verdict on a presented card."""
        info = (await self.say("Authorize", idTag=tag))["idTagInfo"]
        assert isinstance(info, dict)
        return info

    async def begin(self, tag: IdTag, **more: Any) -> tuple[int, dict[str, Any]]:
        """StartTransaction on connector 1 at 1,000 Wh; its transaction id and the verdict."""
        payload = {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": self.now(), **more}
        answer = await self.say("StartTransaction", **payload)
        return int(answer["transactionId"]), answer["idTagInfo"]

    async def start(self, tag: IdTag, **more: Any) -> int:
        """A start that is accepted; its transaction id."""
        transaction_id, verdict = await self.begin(tag, **more)
        assert verdict["status"] == "Accepted"
        return transaction_id

    async def stop(self, transaction_id: int, reason: str, **more: Any) -> dict[str, Any]:
        """StopTransaction after 10 kWh; it is settled."""
        payload = {"meterStop": 11_000, "timestamp": self.now(), "reason": reason, **more}
        answer = await self.say("StopTransaction", transactionId=transaction_id, **payload)
        await self.world.app.settler.work_due()
        return answer

    async def meter(self, transaction_id: int, *sampled: dict[str, str], **more: Any) -> None:
        """MeterValues of connector 1."""
        value = {"timestamp": self.now(), "sampledValue": list(sampled), **more}
        await self.say("MeterValues", connectorId=1, transactionId=transaction_id, meterValue=[value])

    async def card(self, tag: IdTag, **fields: Any) -> None:
        """An operator makes a card of the driver's, who has 500 som."""
        if not await self.world.sql("SELECT 1 FROM clients WHERE id = %s", CLIENT):
            await self.world.give(500_00)
        known = {"status": "Accepted", "parent_id_tag": None, "expiry_date": None, "client_id": ClientId(CLIENT)}
        await self.world.app.tags.put(Card(tag, **{**known, **fields}))

    async def leave(self) -> None:
        """The charger's power or network is gone; it is told to nobody."""
        await trio.aclose_forcefully(self.peer.wire)
        with trio.fail_after(20):
            while self.world.link.is_connected(STATION):
                await trio.testing.wait_all_tasks_blocked(0.001)

    async def come_back(self) -> None:
        """Its socket is open again, nothing said yet."""
        self.peer = await self._connect()

    async def hang_up(self) -> None:
        """The charger's line drops, and its next socket is open, nothing said yet."""
        await trio.aclose_forcefully(self.peer.wire)
        await self.come_back()

    async def reconnect(self) -> None:
        """The charger's line drops, and it is back, booted and idle."""
        await self.hang_up()
        await self.boot()
        await self.configured()

    async def boot(self) -> dict[str, Any]:
        """BootNotification; its answer."""
        return await self.say("BootNotification", chargePointVendor="EvPower", chargePointModel="Test")

    async def configured(self) -> None:
        """The charger answers what it is asked after a boot or reconnect."""
        for connector_id in (0, 1, 2):
            await self.status("Available", connector_id)
        for _ in ("MeterValueSampleInterval", "MeterValuesSampledData"):
            await self.reply(OK)
        connection = cast("StationRegistry", self.world.link).connection(STATION)
        assert connection is not None
        with trio.fail_after(5):
            await connection.ready.wait()
        self.heard.clear()

    async def order(self, reply: Any = OK) -> SessionId:
        """A driver with money starts from the app; the charger answers the RemoteStart. Raises as the app is told."""
        await self.world.give(500_00)
        started = await self.while_charger_answers(lambda: self.world.order(energy_wh=20_000), reply)
        return started.session.session_id

    async def charge(self) -> tuple[SessionId, int]:
        """A charge that runs: the session and its transaction."""
        session_id = await self.order()
        await self.status("Preparing")
        transaction_id = await self.start(await self.world.tag_of(session_id))
        await self.status("Charging")
        return session_id, transaction_id

    async def facts(self, table: str) -> list[dict[str, Any]]:
        """The rows of one of our tables."""
        return await self.world.sql(f"SELECT * FROM evpower.{table} ORDER BY 1, 2")

    def now(self) -> str:
        return self.world.clock.now().isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def open_site(pool: Pool, config: Config | None = None, *, again: bool = False) -> AsyncIterator[Site]:
    """One station whose charger has booted, answered what it is asked after that, and stands idle.

    `again`: another process on the rows an earlier one left. Leaving it checks the ledger.
    """
    clock, registry = SetClock(), StationRegistry(usual(DIALECTS))
    if not again:
        async with by_hand(pool) as conn:
            await conn.execute(NETWORK)
    async with trio.open_nursery() as workers:
        app = build_app(config or Config(), pool, registry, clock, CountingIds(), workers)
        await workers.start(app.journal.run)
        await workers.start(app.lookups.run)
        await workers.start(app.limits.run)
        csms = Csms(workers)
        csms.registry, csms.reports, csms.clock = registry, cast("Any", app.reports), clock

        async def connect() -> Peer:
            return await csms.charger(f"/ws/{STATION}")

        site = Site(World(app, pool, clock, cast("Any", registry)), await connect(), connect)
        await site.boot()
        await site.configured()
        yield site
        # The charger goes first: one that stays silent is waited for as long as its close may take.
        await trio.aclose_forcefully(site.peer.wire)
        workers.cancel_scope.cancel()
    async with by_hand(pool) as conn:
        checked = await check_ledger(conn)
    assert checked.ok, checked.problems
