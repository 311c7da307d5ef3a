"""What operators ask of a charger, beside a driver's start and stop (OCPP 1.6 §5; duties 33-39).

Commands that end with their answer are here; what has to be followed further has a module of its own
(`availability`, `configuration`, `transfers`, `local_lists`, `connector_reservations`, `charging_profiles`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Literal

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import ChargerOffline, CommandRejected, InvalidRequest, StationNotFound
from evpower.identifiers import ConnectorId, StationId
from evpower.link.ports import CommandLink
from evpower.network.station_records import station_exists

Answer = dict[str, Any]

ACCEPTED = frozenset({"Accepted"})
#: `UnlockFailed` and `NotSupported` are refusals.
UNLOCKED = frozenset({"Unlocked"})
#: The configuration key that is a secret; keys know no case.
PASSWORD_KEY = "authorizationkey"


def refuse_password(key: object) -> None:
    """A password set behind our back would lock the station out. Raises InvalidRequest (see `station_access`)."""
    if isinstance(key, str) and key.lower() == PASSWORD_KEY:
        raise InvalidRequest(("AuthorizationKey", "пароль станции меняется отдельной командой"))


class StationCommands:
    """Commands to chargers, each ending in the charger's answer or in one typed error."""

    def __init__(self, pool: Pool, link: CommandLink) -> None:
        self._pool = pool
        self._link = link

    async def send(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> Answer:
        """One command as it is written; the payload of the answer, whatever status that names.

        Raises InvalidRequest, StationNotFound, or one of `CommandFailure` (duty 39).
        """
        if action == "ChangeConfiguration":
            refuse_password(payload.get("key"))
        with suppress(ChargerOffline):
            return await self._link.command(station_id, action, payload)
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
        raise ChargerOffline

    async def ask(
        self,
        station_id: StationId,
        action: str,
        payload: Mapping[str, Any],
        done: Collection[str] = ACCEPTED,
    ) -> Answer:
        """A command that must end in one of the statuses `done`. Raises CommandRejected for another."""
        answer = await self.send(station_id, action, payload)
        if answer["status"] not in done:
            raise CommandRejected(answer["status"], answer)
        return answer

    async def reset(self, station_id: StationId, kind: Literal["hard", "soft"]) -> Answer:
        """Restart the charger; `hard` does not wait for its charges to end (§5.14)."""
        return await self.ask(station_id, "Reset", {"type": kind.capitalize()})

    async def unlock(self, station_id: StationId, connector_id: ConnectorId) -> Answer:
        """Free a cable that is stuck (§5.18). Never a way to stop a charge (duty 34)."""
        return await self.ask(station_id, "UnlockConnector", {"connectorId": connector_id}, UNLOCKED)

    async def clear_cache(self, station_id: StationId) -> Answer:
        """Make the charger forget which cards it knows (§5.4)."""
        return await self.ask(station_id, "ClearCache", {})

    async def trigger(self, station_id: StationId, message: str, connector_id: ConnectorId | None) -> Answer:
        """Have the charger send a message now (§5.17)."""
        where = {} if connector_id is None else {"connectorId": connector_id}
        return await self.ask(station_id, "TriggerMessage", {"requestedMessage": message, **where})
