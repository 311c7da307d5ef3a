"""The operators' pages over a whole application and PostgreSQL: a browser without JavaScript, and what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, cast

from quart import Response
from quart.testing import QuartClient
from werkzeug.datastructures import Headers

from evpower.identifiers import StationId
from evpower.pages.app import PagesSettings, build_pages_app
from evpower.pages.frame.visitor import COOKIE
from evpower.pages.system import ReadSystem, SystemFacts
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
        self.app = build_pages_app(
            pages_services(world.app, KeptFrames(), read or no_system), world.clock, LongIds(), settings
        )
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


class KeptFrames:
    """No station said anything."""

    async def history(self, station_id: StationId, since: timedelta, limit: int) -> list[dict[str, Any]]:
        """Nothing."""
        return []


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
