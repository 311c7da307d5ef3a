"""The operators' pages over a whole application and PostgreSQL: a browser without JavaScript, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, cast

import trio
from quart import Response
from quart.testing import QuartClient
from werkzeug.datastructures import Headers

from evpower.identifiers import StationId
from evpower.link.ports import SocketNow
from evpower.pages.app import PagesSettings, build_pages_app
from evpower.pages.frame.visitor import COOKIE
from evpower.pages.stations.routes import StationWire
from evpower.pages.system import LogLine, ReadSystem, SystemFacts
from evpower.server.doors import pages_services
from evpower.settings.config import Config
from evpower.staff.rights import Role
from tests.worlds.charging import World
from tests.worlds.fakes import CountingIds

ORIGIN = {"Origin": "http://localhost"}


class Browser:
    """One browser with its cookies; `text` is the page it is at."""

    def __init__(self, world: World, config: Config | None = None, read: ReadSystem | None = None) -> None:
        self.world = world
        config = config or Config()
        settings = PagesSettings(config.billing.timezone, admin_allow=config.http.admin_allow)
        self.frames, self.sockets = KeptFrames(), NoSockets()
        wire = StationWire(self.frames, self.sockets, world.link, ("ws://0.0.0.0:9000/ws/{station_id}",))
        self.lines: list[LogLine] = []
        services = pages_services(world.app, wire, config, world.clock, read or no_system, lambda: self.lines)
        self.app = build_pages_app(services, world.clock, LongIds(), settings)
        self.client = cast("QuartClient", self.app.test_client())
        self.text = ""

    async def sign_in(self, role: Role = "superadmin", name: str = "aida") -> Browser:
        """As a person who is added for it, by a one-time link, in English."""
        self.client.set_cookie("localhost", "evpower_language", "en")
        await self.world.app.staff.add({"id": name, "role": role}, actor="test")
        token = await self.world.app.browsers.make_link(name, actor="test")
        assert (await self.post(f"/sign-in/{token}")).status_code == 303
        return self

    async def get(self, path: str, status: int = 200, **headers: str) -> Page:
        """The page at an address."""
        response = await self.client.get(path, headers=headers)
        self.text = await response.get_data(as_text=True)
        assert response.status_code == status, self.text
        return Page(self.text, response.headers)

    @property
    def cookie(self) -> str:
        """The cookie of the sign-in."""
        assert self.client.cookie_jar is not None
        return next(each.value or "" for each in self.client.cookie_jar if each.name == COOKIE)

    async def send(self, path: str, form: Mapping[str, str]) -> Response:
        """A form as it stands on its page."""
        return await self.post(path, sent_from=ORIGIN, **form)

    async def post(self, path: str, *, sent_from: Mapping[str, str] = ORIGIN, **form: str) -> Response:
        """A form, sent from one of our pages."""
        response: Any = await self.client.post(path, form=form, headers=dict(sent_from))
        self.text = await response.get_data(as_text=True)
        answered: Response = response
        return answered


async def no_system() -> SystemFacts:
    """No process runs here."""
    raise NotImplementedError


class NoSockets:
    """Sockets of this process; none but those that a test puts here."""

    def __init__(self) -> None:
        self.now: dict[str, SocketNow] = {}

    def socket_now(self, station_id: StationId) -> SocketNow | None:
        return self.now.get(station_id)


class KeptFrames:
    """Frames that a test puts here, and a follower that gets those which come later."""

    was_cut = False
    is_recording = True

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self._coming, self._come = trio.open_memory_channel[dict[str, Any]](100)

    def passes(self, frame: dict[str, Any]) -> None:
        """A frame passes now."""
        self._coming.send_nowait(frame)

    async def check_station(self, station_id: StationId) -> None:
        """Every station is there."""

    async def history(
        self, station_id: StationId, since: datetime | timedelta, limit: int, *, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Those of the time."""
        kept = [each for each in self.kept if isinstance(since, timedelta) or each["at"] >= since]
        return [each for each in kept if until is None or each["at"] < until][-limit:]

    @contextmanager
    def follow(self, station_id: StationId) -> Iterator[KeptFrames]:
        """What passes from now on."""
        yield self

    async def next(self) -> dict[str, Any]:
        return await self._come.receive()


class LongIds(CountingIds):
    """As long as those of a running server, so that they may be keys of forms."""

    def new(self) -> str:
        return f"00000000-0000-4000-8000-{super().new():0>12}"


class Page(HTMLParser):
    """What a reader sees of a page: its words, its links, its forms with their fields."""

    def __init__(self, html: str, headers: Headers) -> None:
        super().__init__()
        self.html = html
        self.headers = headers
        self.words: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag in ("script", "img", "iframe"):
            self.loaded.append(given.get("src", "inline"))
        if tag == "link":
            self.loaded.append(given.get("href", ""))
        if tag == "form":
            self.forms.append({"": given.get("action", "")})
        if tag in ("input", "button", "select", "textarea") and self.forms and "name" in given:
            self.forms[-1][given["name"]] = given.get("value", "")

    def form(self, action: str) -> dict[str, str]:
        """The fields of the first form with this address."""
        found = next(form for form in self.forms if form[""] == action)
        return {name: value for name, value in found.items() if name}
