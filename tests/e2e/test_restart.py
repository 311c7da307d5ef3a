"""The process ends and comes back; chargers and phones go on as if nothing had happened (design §2, §4)."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack, suppress
from decimal import Decimal

import httpx2
import pytest
import trio

from evpower.simulator.station.misbehaviour import Misbehaviour
from tests.e2e.process import Server, poll
from tests.e2e.street import OPENING, WITHIN_S, Phone, charger_at, cost_of

#: From SIGTERM to the exit, when nobody waits for a charger.
ORDINARY_DRAIN_S = 3.0


async def test_a_charge_goes_on_over_a_restart_and_settles_exactly(server: Server) -> None:
    """SIGTERM in the middle of a charge: what flowed while there was no server is on the bill too."""
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(500)
        await server.stop()
        stopped_at_wh = charger.energy_wh()
        await server.start()
        await charger.is_connected()
        status = await phone.until(session_id, lambda status: status["energy_consumed"] * 1000 > stopped_at_wh)
        assert status["status"] == "started"
        answer = await phone.stop(session_id)
    assert Decimal(str(answer["energy_consumed"])) * 1000 == charger.stopped_wh
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_chargers_are_told_that_the_server_goes(server: Server) -> None:
    """1001, so that they come back at once and do not look for a fault of theirs (design §2)."""
    async with charger_at(server) as charger:
        await server.stop()
        with trio.fail_after(10):
            await charger.point.trace.wait_until(lambda: bool(charger.notes))
    assert "code=1001" in charger.notes[0]


async def test_busy_phones_do_not_hold_up_a_restart(server: Server) -> None:
    """Money audit B1: with ordinary keep-alive traffic the whole `server.drain_timeout_s` went by, without chargers."""

    async def ask_on(phone: httpx2.AsyncClient) -> None:
        with suppress(httpx2.TransportError):
            while True:
                (await phone.get("/version")).raise_for_status()

    async with charger_at(server) as charger, AsyncExitStack() as held:
        await charger.is_connected()
        async with trio.open_nursery() as phones:
            for _ in range(8):
                phone = httpx2.AsyncClient(base_url=server.http_url, verify=False)
                phones.start_soon(ask_on, await held.enter_async_context(phone))
            await server.process.wait_for_line("GET /version")
            began = trio.current_time()
            await server.stop()
            assert trio.current_time() - began < ORDINARY_DRAIN_S


async def test_chargers_are_told_last(server: Server) -> None:
    """Money audit B1: a driver's stop waits out its 2 s for a charger; only its answer lets chargers go."""
    phone = Phone(server)
    async with charger_at(server, misbehaviour=Misbehaviour(ignore_remote_stop=True)) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(300)
        answered_at = told_at = 0.0

        async def stop() -> None:
            nonlocal answered_at
            assert (await phone.stop(session_id))["success"]
            answered_at = trio.current_time()

        async def is_told() -> bool:
            return bool(charger.notes)

        async def be_told() -> None:
            nonlocal told_at
            with trio.fail_after(WITHIN_S):
                await poll(is_told)
            told_at = trio.current_time()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop)
            nursery.start_soon(be_told)
            await charger.has_received("RemoteStopTransaction")
            await server.stop()
        assert told_at > answered_at - 1


async def test_a_start_repeated_after_a_restart_is_the_same_start(server: Server) -> None:
    """The phone lost the answer; the key finds it again, and money is held once (billing-rules §8)."""
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        first = await phone.start(key="start-1", amount_som=100)
        await server.kill()
        await server.start()
        second = await phone.start(key="start-1", amount_som=100)
        assert second == first
        assert await phone.balance() == OPENING - 100
        await charger.is_connected()
        await phone.stop(first["session_id"])
        # The kill may have cost an answer, then the charger repeats itself; it is one charge all the same.
        starts = charger.point.trace.sent("StartTransaction")
        assert all(start == starts[0] for start in starts)


async def test_a_second_sigterm_ends_at_once_and_loses_nothing(server: Server) -> None:
    """The first waits for a phone whose stop waits for a charger that obeys nobody; answered, it would end with 0."""
    await server.stop()
    server.environment["EVPOWER_CHARGING_STOP_WAIT_S"] = "8"
    await server.start()
    phone = Phone(server)
    async with charger_at(server, misbehaviour=Misbehaviour(ignore_remote_stop=True)) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(300)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_without_an_answer, phone, session_id)
            await charger.has_received("RemoteStopTransaction")
            server.signal(signal.SIGTERM)
            await server.process.wait_for_line("stopping")
            server.signal(signal.SIGTERM)
            assert await server.ended() == 1
        await server.start()
        assert (await phone.status(session_id))["status"] == "started"
        await charger.point.stop()
        await phone.receipt(session_id)
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_stop_cut_off_by_a_kill_is_finished_by_its_repeat(server: Server) -> None:
    """The charger obeys nobody: the repeat settles by the last reading, the driver's own hand corrects it."""
    phone = Phone(server)
    async with charger_at(server, misbehaviour=Misbehaviour(ignore_remote_stop=True)) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.has_sent("MeterValues")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_without_an_answer, phone, session_id)
            await charger.has_received("RemoteStopTransaction")
            await server.kill()
        await server.start()
        estimate = await phone.stop(session_id)
        assert (estimate["status"], estimate["already_stopped"]) == ("stopped", True)
        await charger.is_connected()
        await charger.point.stop()
        await charger.has_sent("StopTransaction")

        async def is_corrected() -> bool:
            return await phone.balance() == OPENING - cost_of(charger.stopped_wh)

        with trio.fail_after(WITHIN_S):
            await poll(is_corrected)


async def _stop_without_an_answer(phone: Phone, session_id: str) -> None:
    with pytest.raises(httpx2.TransportError):
        await phone.stop(session_id)
