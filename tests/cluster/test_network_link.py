"""A charger of another process is asked through a row (design §7); every way that ends keeps its type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import trio

from evpower.cluster.remote_commands import COMMAND_WITHIN_S, read_answer, written
from evpower.cluster.rows import charger_commands
from evpower.cluster.rows.charger_commands import Asked
from evpower.cluster.rows.processes import take_stations
from evpower.errors import EvPowerError, InvalidRequest
from evpower.events import Event, GapInEvents, StationChanged
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.commands import Command, ListEntry, Reserve, Restart, SendList, SetPassword
from evpower.link.errors import (
    ChargerNotReady,
    ChargerOffline,
    CommandFailure,
    CommandNotKnown,
    CommandRefused,
    CommandTimedOut,
    UnreadableAnswer,
)
from evpower.link.ports import CommandResult, Outcome
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import STATION
from tests.worlds.fakes import NOON
from tests.worlds.two_processes import A, B, Two, two_processes

WITHIN_S = 20.0
END_LISTENING = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND query IN ('LISTEN evpower', 'SELECT 1')
"""
DEADLINE = NOON + timedelta(seconds=COMMAND_WITHIN_S)


@pytest.fixture
async def two(database_url: str, nursery: trio.Nursery) -> AsyncIterator[Two]:
    """They hear each other."""
    async with two_processes(database_url) as two:
        await two.listen(nursery)
        yield two
        nursery.cancel_scope.cancel()


@pytest.fixture
async def deaf(database_url: str) -> AsyncIterator[Two]:
    """Neither hears a word of the other."""
    async with two_processes(database_url) as two:
        yield two


async def start(two: Two) -> CommandResult:
    with trio.fail_after(WITHIN_S):
        return await two.link.remote_start(STATION, ConnectorId(1), IdTag("tag"))


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_a_start_ends_there_as_it_ends_here(two: Two, outcome: Outcome, nursery: trio.Nursery) -> None:
    await nursery.start(two.executor.run)
    two.at_a.outcome = outcome
    assert (await start(two)).outcome is outcome
    assert two.at_a.started == [(STATION, 1, "tag")]
    assert two.at_b.started == []


async def test_a_stop_reaches_the_process_with_the_socket(two: Two, nursery: trio.Nursery) -> None:
    await nursery.start(two.executor.run)
    with trio.fail_after(WITHIN_S):
        assert await two.link.remote_stop(STATION, WireTransactionId("7")) == CommandResult(Outcome.ACCEPTED)
    assert two.at_a.stopped == [(STATION, "7")]


@pytest.mark.parametrize(
    "error",
    [
        ChargerOffline(),
        ChargerNotReady(boot="Pending"),
        CommandTimedOut(),
        CommandRefused("NotSupported", "no", {"a": 1}),
        UnreadableAnswer(problems=[], answer={}),
        InvalidRequest(("type", "wrong")),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_operators_command_raises_there_what_it_raises_here(
    two: Two, error: EvPowerError, nursery: trio.Nursery
) -> None:
    await nursery.start(two.executor.run)
    two.at_a.replies["Reset"] = error
    with trio.fail_after(WITHIN_S), pytest.raises(type(error)) as raised:
        await two.link.command(STATION, "Reset", {"type": "Soft"})
    assert (str(raised.value), raised.value.details) == (str(error), error.details)


ASKS: list[tuple[Command[Any], tuple[str, dict[str, Any]], dict[str, Any]]] = [
    (Restart("hard"), ("Reset", {"type": "Hard"}), {"status": "Rejected", "vendor": Decimal("1.50")}),
    (
        Reserve(7, ConnectorId(1), "TAG", NOON.astimezone(timezone(timedelta(hours=6))), None),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "2026-11-23T12:00:00+06:00", "idTag": "TAG", "reservationId": 7},
        ),
        {"status": "Accepted"},
    ),
    (
        SendList(3, full=False, entries={"A": ListEntry("Accepted", NOON), "B": None}),
        (
            "SendLocalList",
            {
                "listVersion": 3,
                "updateType": "Differential",
                "localAuthorizationList": [
                    {"idTag": "A", "idTagInfo": {"status": "Accepted", "expiryDate": "2026-11-23T06:00:00Z"}},
                    {"idTag": "B"},
                ],
            },
        ),
        {"status": "VersionMismatch"},
    ),
]


@pytest.mark.parametrize(("command", "sent", "reply"), ASKS, ids=lambda part: type(part).__name__)
async def test_what_is_asked_there_is_answered_as_here(
    two: Two,
    command: Command[Any],
    sent: tuple[str, dict[str, Any]],
    reply: dict[str, Any],
    nursery: trio.Nursery,
) -> None:
    """The row has our words; OCPP's are written where the socket is."""
    await nursery.start(two.executor.run)
    two.at_a.replies[sent[0]] = reply
    with trio.fail_after(WITHIN_S):
        there = await two.link.ask(STATION, command)
    assert two.at_a.commanded == [sent]
    assert there == await two.at_a.ask(STATION, command)


async def test_what_is_asked_raises_there_what_it_raises_here(two: Two, nursery: trio.Nursery) -> None:
    await nursery.start(two.executor.run)
    two.at_a.replies["Reset"] = CommandRefused("NotSupported", "no", {"a": 1})
    with trio.fail_after(WITHIN_S), pytest.raises(CommandRefused) as raised:
        await two.link.ask(STATION, Restart("soft"))
    assert raised.value.details["call_error"] == {"code": "NotSupported", "description": "no", "details": {"a": 1}}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("whistle", {}),
        ("ask", {"command": "Whistle", "arguments": {}}),
        ("ask", {"command": "Restart", "arguments": {"kind": "gentle"}}),
    ],
)
async def test_what_another_version_asks_is_refused_and_harms_nobody(
    two: Two, kind: str, payload: dict[str, Any], nursery: trio.Nursery
) -> None:
    result = await two.executor._result_of(Asked("c", STATION, kind, written(payload), DEADLINE))
    with pytest.raises(CommandNotKnown):
        read_answer(result)
    assert two.at_a.commanded == []


async def test_a_failure_another_version_names_is_a_failure(two: Two) -> None:
    with pytest.raises(CommandFailure, match="нет"):
        read_answer(written({"failure": "Whistled", "message": "нет", "details": {}}))


async def test_a_command_nobody_takes_times_out_at_its_deadline_and_is_never_executed(
    two: Two, nursery: trio.Nursery
) -> None:
    async with asked(two) as results:
        two.advance(COMMAND_WITHIN_S)
    assert results == [CommandResult(Outcome.TIMED_OUT)]
    async with by_hand(two.pool_a) as conn:  # nor by one whose clock is behind
        assert await charger_commands.take(conn, A, NOON) == []


async def test_a_command_whose_process_died_before_it_took_it_ends_as_offline(two: Two) -> None:
    async with asked(two) as results:
        await two.a_is_silent()
    assert results[0].outcome is Outcome.OFFLINE
    assert not two.link.is_connected(STATION)


async def test_a_command_is_taken_once(two: Two) -> None:
    command = Asked("c", STATION, "remote_stop", written({"transaction_id": "1"}), DEADLINE)
    async with by_hand(two.pool_a) as one, by_hand(two.pool_b) as other:
        await charger_commands.ask(one, command, asked_by=B, process_id=A, now=NOON)
        taken = await charger_commands.take(one, A, NOON)
        assert taken == [replace(command, deadline=taken[0].deadline)]
        assert await charger_commands.take(other, A, NOON) == []
        assert not await charger_commands.withdraw(other, "c")


async def test_a_password_on_its_way_to_a_charger_is_in_no_row_once_it_was_taken(
    two: Two, nursery: trio.Nursery
) -> None:
    await nursery.start(two.executor.run)
    payload = {"key": "AuthorizationKey", "value": "0123456789abcdef"}
    with trio.fail_after(WITHIN_S):
        await two.link.ask(STATION, SetPassword(payload["value"]))
    assert two.at_a.commanded == [("ChangeConfiguration", payload)]
    async with by_hand(two.pool_a) as conn:
        rows = await (await conn.execute("SELECT to_json(c)::text AS row FROM evpower.charger_commands c")).fetchall()
    assert len(rows) == 1
    assert "0123456789abcdef" not in rows[0]["row"]


async def test_a_command_whose_words_are_all_lost_is_executed_and_answered_all_the_same(
    deaf: Two, nursery: trio.Nursery
) -> None:
    """Both sides look at the rows by themselves, too."""
    await nursery.start(deaf.executor.run)
    assert (await start(deaf)).outcome is Outcome.ACCEPTED
    assert deaf.at_a.started == [(STATION, 1, "tag")]


async def test_a_start_is_asked_of_the_charger_once_when_its_process_dies_over_it(two: Two) -> None:
    """Taken and never answered: whoever asked hears that the charger is away, and nobody takes it again."""
    async with asked(two) as results:
        async with by_hand(two.pool_a) as conn:
            assert len(await charger_commands.take(conn, A, NOON)) == 1
        await two.a_is_silent()
    assert results == [CommandResult(Outcome.OFFLINE, "its process went away")]
    async with by_hand(two.pool_a) as conn:
        assert await charger_commands.take(conn, A, NOON) == []


@pytest.mark.parametrize(
    "word", ["", "x", "- began nothing", "- settled s one STATION", "- connected p", "\x00", "- new -"]
)
async def test_a_notification_that_means_nothing_harms_nobody(two: Two, word: str) -> None:
    two.hearing_b.hear(word)
    assert two.link.is_connected(STATION)


async def test_the_longest_names_there_may_be_are_told(two: Two, nursery: trio.Nursery) -> None:
    """PostgreSQL takes notifications of less than 8,000 bytes; a commit with a longer one would fail."""
    heard = await _events_of(two, nursery)
    longest = StationId("S" * 50)
    async with by_hand(two.pool_a) as conn:
        await conn.execute(
            "INSERT INTO stations (id, serial_number, location_id, connectors_count) VALUES (%s, %s, 'EVP-LOC-001', 1)",
            (longest, longest),
        )
        await take_stations(conn, {longest: ""}, NOON)
        await conn.execute("UPDATE stations SET is_available = true WHERE id = %s", (longest,))
    with trio.fail_after(WITHIN_S):
        while await heard.receive() != StationChanged(longest):
            pass
    assert two.b.owner(longest) == A


async def test_who_lost_the_connection_it_listens_on_compares_everything_when_it_listens_again(
    two: Two, nursery: trio.Nursery
) -> None:
    """What happened meanwhile is told by nobody, so it must be looked for."""
    heard = await _events_of(two, nursery)
    async with by_hand(two.pool_a) as conn:
        ended = await (await conn.execute(END_LISTENING)).fetchall()
    assert len(ended) == 2
    async with by_hand(two.pool_b) as conn:
        await take_stations(conn, {STATION: ""}, NOON)
    with trio.fail_after(WITHIN_S):
        while await heard.receive() != GapInEvents():
            pass
    await two.b.look()
    assert two.b.owner(STATION) is None


async def _events_of(two: Two, nursery: trio.Nursery) -> trio.MemoryReceiveChannel[Event]:
    """What B tells its own, from now on."""
    send, receive = trio.open_memory_channel[Event](100)

    async def follow(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with two.bus_b.subscribe(lambda event: True) as events:
            task_status.started()
            async for event in events:
                await send.send(event)

    await nursery.start(follow)
    return receive


@asynccontextmanager
async def asked(two: Two) -> AsyncIterator[list[CommandResult]]:
    """A start whose row stands there and is not taken yet; at the end of the block, with its result."""
    results: list[CommandResult] = []

    async def ask() -> None:
        results.append(await start(two))

    async with trio.open_nursery() as asking:
        asking.start_soon(ask)
        await _until_asked(two)
        yield results


async def _until_asked(two: Two) -> None:
    with trio.fail_after(WITHIN_S):
        while True:
            async with by_hand(two.pool_b) as conn:
                if await (await conn.execute("SELECT 1 AS one FROM evpower.charger_commands")).fetchone():
                    return
            await trio.lowlevel.checkpoint()
