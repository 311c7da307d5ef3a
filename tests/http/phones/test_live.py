"""The phones' socket over real TCP, from the greeting to its close codes: contract/websocket-api §1-3, §7."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
import trio_websocket
from trio_websocket import ConnectionClosed, WebSocketConnection

from evpower.http.listener.server import ListenerSettings, serve_http
from evpower.http.phones.live_hub import CHANNELS_MAX, OUTBOX, Listener, LiveLimits
from evpower.http.phones.live_messages import Subscribe
from evpower.identifiers import ClientId, StationId
from evpower.network.published import LocationUpdate, StationUpdate
from tests.http.conftest import body_of
from tests.http.fakes import LISTED, LOCATION, World

PATH = "/api/v1/ws/locations"


class Phone:
    """One socket."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket

    async def hear(self) -> Any:
        return json.loads(await self.socket.get_message())

    async def ask(self, message: object) -> Any:
        await self.socket.send_message(message if isinstance(message, str | bytes) else json.dumps(message))
        return await self.hear()

    async def closed_with(self) -> tuple[int, str | None]:
        """The close code and reason; whatever is told before is let pass."""
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                await self.socket.get_message()
        assert ended.value.reason is not None
        return ended.value.reason.code, ended.value.reason.reason


@asynccontextmanager
async def served(world: World, *, send_timeout_s: float = 30) -> AsyncIterator[str]:
    """The application on a free port; its host and port."""
    async with trio.open_nursery() as doors:
        settings = ListenerSettings(drain_s=1, send_timeout_s=send_timeout_s)
        urls = await doors.start(partial(serve_http, world.app, ["127.0.0.1:0"], settings=settings))
        await doors.start(world.hub.end_listeners)
        yield urls[0].removeprefix("http://")
        doors.cancel_scope.cancel()


@asynccontextmanager
async def phone(host: str, path: str = PATH, *, within_s: float = 10, **headers: str) -> AsyncIterator[Phone]:
    """A connected phone."""
    address, _, port = host.rpartition(":")
    with trio.fail_after(within_s):
        async with (
            await trio.open_tcp_stream(address, int(port)) as stream,
            trio.open_nursery() as sockets,
        ):
            extra = [(name.encode(), value.encode()) for name, value in headers.items()]
            socket = await trio_websocket.wrap_client_stream(sockets, stream, host, path, extra_headers=extra)
            yield Phone(socket)
            await socket.aclose()


def all_tasks() -> Iterator[trio.lowlevel.Task]:
    """Every task of this run."""
    root = trio.lowlevel.current_root_task()
    waiting = [] if root is None else [root]
    while waiting:
        task = waiting.pop()
        yield task
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]


@pytest.fixture
async def host(world: World) -> AsyncIterator[str]:
    async with served(world) as host:
        yield host


@pytest.mark.parametrize("path", [PATH, "/api/v1/locations/ws/locations"])
async def test_the_greeting_comes_first_at_both_addresses(host: str, path: str) -> None:
    async with phone(host, f"{path}?client_id=driver-1") as one:
        assert await one.hear() == {
            "type": "connection",
            "status": "connected",
            "client_id": "driver-1",
            "message": "Подключено к обновлениям локаций",
        }


@pytest.mark.parametrize("query", ["", "?client_id="])
async def test_a_phone_without_a_name_is_given_one(host: str, query: str) -> None:
    async with phone(host, PATH + query) as one:
        assert (await one.hear())["client_id"].startswith("id-")


async def test_every_phone_hears_of_locations_from_the_start(world: World, host: str) -> None:
    async with phone(host) as one, phone(host) as two:
        await one.hear()
        await two.hear()
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert [(await each.hear())["location_id"] for each in (one, two)] == ["EVP-LOC-001"] * 2


@pytest.mark.parametrize(
    ("channels", "hears"),
    [
        (["all"], ["location_status_update"]),
        (["location:EVP-LOC-001"], ["location_status_update"]),
        (["location_stations:EVP-LOC-001"], ["station_status_update"]),
        (["station:EVP-001-01"], ["station_status_update"]),
        (["station:EVPCS-001"], ["station_status_update"]),
        (["station:EVPCS-001", "station:EVP-001-01", "location_stations:EVP-LOC-001"], ["station_status_update"]),
        (["station:OTHER", "station:EVP-LOC-001"], []),
        (["location:OTHER", "location_stations:OTHER"], []),
        (["all", "location:EVP-LOC-001"], ["location_status_update"]),
        (["all", "location_stations:EVP-LOC-001"], ["station_status_update", "location_status_update"]),
        ([], []),
    ],
)
async def test_who_gets_what_and_everything_once(
    world: World, host: str, channels: list[str], hears: list[str]
) -> None:
    async with phone(host) as one:
        await one.hear()
        await one.ask({"action": "unsubscribe", "channel": "all"})
        for channel in channels:
            answer = await one.ask({"action": "subscribe", "channel": channel})
            assert answer == {"type": "subscription", "status": "subscribed", "channel": channel}
        world.hub.publish(StationUpdate(LISTED))
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        heard = [(await one.hear())["type"] for _ in hears]
        assert heard == hears
        assert (await one.ask({"action": "ping"}))["type"] == "pong"  # and nothing else had come


async def test_a_serial_number_that_is_another_stations_id_is_that_stations_channel(world: World, host: str) -> None:
    """Field ruling 6.9 and 6.1: the id wins when both match."""
    async with phone(host) as one:
        await one.hear()
        await one.ask({"action": "subscribe", "channel": "station:EVPCS-001"})
        world.hub.publish(StationUpdate(LISTED, is_shadowed=True))
        world.hub.publish(StationUpdate(replace(LISTED, id=StationId("EVPCS-001"), serial_number="N")))
        assert (await one.hear())["serial_number"] == "N"


CHANNELS = [
    "all",
    "location:EVP-LOC-001",
    "location_stations:EVP-LOC-001",
    "station:EVP-001-01",
    "station:EVPCS-001",
]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_unsubscribing_really_ends_delivery(world: World, host: str, channel: str) -> None:
    async with phone(host) as one:
        await one.hear()
        await one.ask({"action": "unsubscribe", "channel": "all"})
        await one.ask({"action": "subscribe", "channel": channel})
        answer = await one.ask({"type": "unsubscribe", "data": {"channel": channel}})
        assert answer == {"type": "subscription", "status": "unsubscribed", "channel": channel}
        world.hub.publish(StationUpdate(LISTED))
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert (await one.ask({"type": "ping"}))["type"] == "pong"


async def test_leaving_all_leaves_a_location_of_ones_own(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        await one.ask({"action": "subscribe", "channel": "location:EVP-LOC-001"})
        await one.ask({"action": "unsubscribe", "channel": "all"})
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert (await one.hear())["location_id"] == "EVP-LOC-001"
        assert (await one.ask({"action": "ping"}))["type"] == "pong"


async def test_what_is_told_comes_in_the_order_it_happened(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        await one.ask({"action": "subscribe", "channel": "location_stations:EVP-LOC-001"})
        news = [StationUpdate(replace(LISTED, serial_number=str(number))) for number in range(100)]
        for each in news:
            world.hub.publish(each)
        assert [(await one.hear())["serial_number"] for _ in news] == [each.station.serial_number for each in news]


async def test_twice_is_no_error(host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        for action, status in (("subscribe", "subscribed"), ("unsubscribe", "unsubscribed")):
            answers = [await one.ask({"action": action, "channel": "location:X"}) for _ in range(2)]
            assert [answer["status"] for answer in answers] == [status, status]


async def test_a_socket_has_a_thousand_channels_and_no_more(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        (listener,) = world.hub._listeners
        for number in range(CHANNELS_MAX - 1):
            world.hub.change(listener, Subscribe(f"location:{number}", subscribed=True))
        full = await one.ask({"action": "subscribe", "channel": "location:EVP-LOC-001"})
        assert full == {"type": "error", "message": "Слишком много подписок"}
        for action, channel in [("subscribe", "location:7"), ("unsubscribe", "all"), ("subscribe", "location:X")]:
            assert (await one.ask({"action": action, "channel": channel}))["type"] == "subscription"


async def test_a_pong_tells_unix_time(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        assert await one.ask({"action": "ping"}) == {"type": "pong", "timestamp": 1795413600.0}


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("{", "Неверный формат JSON"),
        (b"\x00\xff", "Неверный формат JSON"),
        ([1, 2], "Неизвестное действие"),
        ({"action": "steal"}, "Неизвестное действие"),
        ({"action": "subscribe"}, "Не указан канал"),
        ({"action": "subscribe", "channel": "internal"}, "Неизвестный канал"),
    ],
)
async def test_what_is_wrong_is_told_and_the_socket_stays(host: str, message: object, problem: str) -> None:
    async with phone(host) as one:
        await one.hear()
        assert await one.ask(message) == {"type": "error", "message": problem}
        assert (await one.ask({"action": "ping"}))["type"] == "pong"


async def test_a_binary_frame_is_read_as_text(host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        assert (await one.ask(b'{"action":"ping"}'))["type"] == "pong"


def ping_of(size_bytes: int) -> str:
    return '{"action":"ping"}'.ljust(size_bytes)


async def test_a_frame_of_64_kb_is_read(host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        assert (await one.ask(ping_of(64 * 1024)))["type"] == "pong"


@pytest.mark.parametrize("frame", [ping_of(64 * 1024 + 1), ping_of(1024 * 1024), b"\x00" * 1024 * 1024, "Ж" * 32_769])
async def test_a_frame_above_64_kb_is_1009(host: str, frame: str | bytes) -> None:
    async with phone(host) as one:
        await one.hear()
        await one.socket.send_message(frame)
        assert (await one.closed_with())[0] == 1009


async def test_more_than_ten_messages_a_second_are_dropped_and_told(host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        for _ in range(15):
            await one.socket.send_message('{"action":"ping"}')
        kinds = [(await one.hear()) for _ in range(15)]
        assert [kind["type"] for kind in kinds] == ["pong"] * 10 + ["error"] * 5
        assert kinds[-1]["message"] == "rate_limited"


async def test_what_is_dropped_as_too_much_has_no_effect(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        for message in [{"action": "ping"}] * 10 + [{"action": "unsubscribe", "channel": "all"}]:
            await one.socket.send_message(json.dumps(message))
        assert [(await one.hear())["type"] for _ in range(11)][-1] == "error"
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert (await one.hear())["location_id"] == "EVP-LOC-001"


@pytest.mark.parametrize("path", [PATH, "/api/v1/locations/ws/locations"])
async def test_whoever_asks_for_the_socket_without_an_upgrade_is_answered_in_json(world: World, path: str) -> None:
    assert (await body_of(await world.client().get(path), 400))["error"] == "validation_error"


@pytest.mark.parametrize("client_id", ["a%20b", "x" * 65, "%D0%B9", "a'b"])
async def test_a_malformed_client_id_is_1008(host: str, client_id: str) -> None:
    async with phone(host, f"{PATH}?client_id={client_id}") as one:
        assert (await one.closed_with())[0] == 1008


async def test_a_foreign_page_is_1008(host: str) -> None:
    async with phone(host, Origin="https://evil.example") as one:
        assert (await one.closed_with())[0] == 1008


async def test_a_page_of_this_host_and_an_allowed_one_may_listen() -> None:
    world = World(allowed_origins=("https://app.example",))
    async with served(world) as host:
        for origin in (f"http://{host}", "https://app.example"):
            async with phone(host, Origin=origin) as one:
                assert (await one.hear())["type"] == "connection"


def test_20_sockets_of_an_address_and_10_of_a_client_are_allowed() -> None:
    assert LiveLimits() == LiveLimits(per_address=20, per_client=10)


async def test_one_client_has_so_many_sockets_and_no_more() -> None:
    world = World(live_limits=LiveLimits(per_address=20, per_client=1))
    async with served(world) as host, phone(host, f"{PATH}?client_id=a") as one:
        await one.hear()
        async with phone(host, f"{PATH}?client_id=a") as two:
            assert (await two.closed_with())[0] == 1013
        async with phone(host, f"{PATH}?client_id=b") as other:
            assert (await other.hear())["type"] == "connection"


async def test_one_address_has_so_many_sockets_and_room_again_when_one_leaves() -> None:
    world = World(live_limits=LiveLimits(per_address=1, per_client=10))
    async with served(world) as host:
        async with phone(host) as one:
            await one.hear()
            async with phone(host) as two:
                assert (await two.closed_with())[0] == 1013
        await trio.testing.wait_all_tasks_blocked(0.01)
        async with phone(host) as three:
            assert (await three.hear())["type"] == "connection"


async def test_sockets_of_one_client_are_independent(world: World, host: str) -> None:
    async with phone(host, f"{PATH}?client_id=a") as one, phone(host, f"{PATH}?client_id=a") as two:
        await one.hear()
        await two.hear()
        await one.ask({"action": "unsubscribe", "channel": "all"})
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert (await two.hear())["location_id"] == "EVP-LOC-001"


async def test_a_phone_that_does_not_keep_up_is_let_go_and_no_other(world: World) -> None:
    slow, quick = (Listener(ClientId(name), "address") for name in ("slow", "quick"))
    with world.hub.joined(slow), world.hub.joined(quick):
        for _ in range(OUTBOX + 1):
            world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
            quick.outbox.receive_nowait()
    assert (slow.close_with, slow.alive.cancel_called) == ((1013, "too slow"), True)
    assert quick.alive.cancel_called is False


async def test_a_phone_that_reads_nothing_is_cut_off_while_another_hears_everything(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Its send is given up while its outbox still has room: there is no way left for a close frame."""
    async with served(world, send_timeout_s=0.1) as host, phone(host) as slow, phone(host) as quick:
        await slow.hear()
        await quick.hear()
        await slow.ask({"action": "unsubscribe", "channel": "all"})
        await slow.ask({"action": "subscribe", "channel": "location_stations:EVP-LOC-001"})
        long = replace(LISTED, serial_number="x" * 1_000_000)
        for _ in range(50):  # more than the kernel holds, fewer than the outbox does
            world.hub.publish(StationUpdate(long))
        while world.hub.sockets == 2:
            world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
            assert (await quick.hear())["location_id"] == "EVP-LOC-001"
        assert (await slow.closed_with())[0] == 1006
    assert "fell behind" not in caplog.text


async def test_a_phone_that_falls_behind_is_closed_with_a_reason(
    world: World, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with phone(host) as slow:
        await slow.hear()
        for _ in range(OUTBOX + 2):  # the writer has one in hand, and no turn in between
            world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        assert await slow.closed_with() == (1013, "too slow")
    assert caplog.text.count("fell behind") == 1


async def test_a_phone_that_fell_behind_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its socket may stay open until it is given up; what is told until then is not for it."""
    listener = Listener(ClientId("slow"), "address")
    for _ in range(OUTBOX + 10):
        listener.post("news")
    assert caplog.text.count("fell behind") == 1


async def test_a_phone_that_left_is_forgotten(world: World) -> None:
    listener = Listener(ClientId("a"), "address")
    with world.hub.joined(listener):
        assert world.hub.sockets == 1
    world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
    assert world.hub.sockets == 0
    with pytest.raises(trio.WouldBlock):
        listener.outbox.receive_nowait()


async def test_a_shutdown_is_1001_and_lets_nobody_in(world: World, host: str) -> None:
    async with phone(host) as one:
        await one.hear()
        async with trio.open_nursery() as doors:
            await doors.start(world.hub.end_listeners)
            doors.cancel_scope.cancel()
        assert (await one.closed_with())[0] == 1001
    async with phone(host) as late:
        assert (await late.closed_with())[0] == 1013


async def test_silence_for_a_minute_ends_the_socket_and_pushes_do_not_count(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    async with world.app.test_client().websocket(PATH) as socket:
        await socket.receive()
        began = trio.current_time()
        world.hub.publish(LocationUpdate(LOCATION.id, LOCATION.counts))
        await socket.receive()
        with pytest.raises(Exception, match="1000"):
            while True:
                await socket.receive()
        assert trio.current_time() - began == pytest.approx(60)


UPGRADE = (
    f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()
PING = b"\x89\x00"
PONG = b"\x8a\x80\x00\x00\x00\x00"


@asynccontextmanager
async def bytes_of(host: str) -> AsyncIterator[trio.SocketStream]:
    """A phone's socket below its frames, past its greeting: nothing answers by itself."""
    address, _, port = host.rpartition(":")
    async with await trio.open_tcp_stream(address, int(port)) as stream:
        await stream.send_all(UPGRADE)
        heard = b""
        while not heard.endswith('локаций"}'.encode()):
            heard += await stream.receive_some()
        yield stream


async def let_pass(clock: trio.testing.MockClock, seconds: float) -> None:
    """Once everybody waits, so that the time passes for all of them."""
    await trio.testing.wait_all_tasks_blocked(0.02)
    clock.jump(seconds)


async def test_a_phone_is_pinged_every_25_s_and_closed_when_it_answers_none(
    world: World, mock_clock: trio.testing.MockClock
) -> None:
    """Field ruling 6.9; pushes of ours do not count."""
    async with served(world) as host, bytes_of(host) as stream:
        for _ in range(2):
            await let_pass(mock_clock, 24)
            await let_pass(mock_clock, 1)
            assert await stream.receive_some() == PING
        await let_pass(mock_clock, 10)
        assert await stream.receive_some() == b"\x88\x0e\x03\xe8idle timeout"


async def test_an_answer_to_a_ping_is_a_sign_of_life(world: World, mock_clock: trio.testing.MockClock) -> None:
    """Field ruling 6.9: the app never sends a ping itself."""
    async with served(world) as host, bytes_of(host) as stream:
        for _ in range(12):
            await let_pass(mock_clock, 25)
            assert await stream.receive_some() == PING
            await stream.send_all(PONG)
        for _ in range(2):
            await let_pass(mock_clock, 25)
            assert await stream.receive_some() == PING
        await let_pass(mock_clock, 10)
        assert (await stream.receive_some()).endswith(b"idle timeout")


async def test_what_answers_pings_by_itself_stays_without_a_word(
    world: World, mock_clock: trio.testing.MockClock
) -> None:
    """Field ruling 6.9, for a whole socket library, as browsers have; a ping of its own counts too, where none did."""
    async with served(world) as host, phone(host, within_s=1000) as one:
        await one.hear()
        for _ in range(12):
            await let_pass(mock_clock, 25)
        assert (await one.ask({"action": "ping"}))["type"] == "pong"


async def test_no_ping_outlives_its_socket(world: World, mock_clock: trio.testing.MockClock) -> None:
    """Hypercorn's own kept a closed connection open until they were due."""
    async with served(world) as host, phone(host) as one:
        await one.hear()
        await one.socket.aclose()
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert world.hub.sockets == 0
        assert "_ping" not in {task.name.rpartition(".")[2] for task in all_tasks()}


async def test_a_message_every_half_minute_keeps_it_open(world: World, autojump_clock: trio.testing.MockClock) -> None:
    async with world.app.test_client().websocket(PATH) as socket:
        await socket.receive()
        for _ in range(10):
            await trio.sleep(30)
            await socket.send("not even JSON")
            assert "error" in await socket.receive()
