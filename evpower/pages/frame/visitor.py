"""Who looks at a page: a person of the staff by their cookie, with the language and the look they chose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast, get_args

from quart import g, request

from evpower.clock import Clock
from evpower.db.failures import DatabaseAway
from evpower.errors import DatabaseUnavailable, Forbidden, Unauthorized
from evpower.sign_in.browsers import Browser, Browsers
from evpower.staff.records import Acting
from evpower.staff.rights import RIGHTS, Extent, Right, Role
from evpower.texts.catalogue import LANGUAGES, Language

COOKIE: Final = "evpower_operator"
LANGUAGE_COOKIE: Final = "evpower_language"
LOOK_COOKIE: Final = "evpower_look"
LOOKS: Final = ("auto", "light", "dark")
#: The network's own language.
USUAL_LANGUAGE: Final[Language] = "ru"
#: While PostgreSQL is away, who was let in so shortly before may go on reading.
BELIEVED_FOR: Final = timedelta(minutes=15)
MOST_BELIEVED: Final = 1000


@dataclass(frozen=True)
class Choices:
    """What everybody may choose, signed in or not."""

    language: Language
    look: str


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, and by which cookie."""

    browser: Browser
    cookie: str

    @property
    def acting(self) -> Acting:
        return self.browser.acting

    def may(self, right: Right, station_id: str | None = None) -> bool:
        """Whether they have the right, at this station when one is named."""
        extent = self.acting.extent(right)
        if extent is Extent.OWN:
            return station_id is None or self.acting.has_station(station_id)
        return extent is not Extent.NONE

    def require(self, right: Right, station_id: str | None = None) -> None:
        """Raises Forbidden that names the roles that may."""
        if not self.may(right, station_id):
            raise Forbidden(reason="no_right", roles=", ".join(roles_with(right)))


def roles_with(right: Right) -> list[Role]:
    """The roles that have a right everywhere."""
    return [role for role in get_args(Role) if RIGHTS[right][role] not in (Extent.NONE, Extent.OWN)]


class Gate:
    """Lets a request in by its cookie."""

    def __init__(self, browsers: Browsers, clock: Clock) -> None:
        self._browsers = browsers
        self._clock = clock
        self._believed: dict[str, tuple[Browser, datetime]] = {}

    async def let_in(self) -> Visitor:
        """The present request's visitor, in `g.visitor`. Raises Unauthorized, Forbidden."""
        cookie = request.cookies.get(COOKIE, "")
        if not cookie:
            raise Unauthorized
        now = self._clock.now()
        try:
            browser = await self._browsers.browser(cookie)
        except (DatabaseUnavailable, DatabaseAway):
            known = self._believed.get(cookie)
            if known is None or now - known[1] > BELIEVED_FOR:
                raise
            browser = known[0]
        except BaseException:
            self._believed.pop(cookie, None)
            raise
        else:
            self._believed.pop(cookie, None)
            while len(self._believed) >= MOST_BELIEVED:
                del self._believed[next(iter(self._believed))]
            self._believed[cookie] = (browser, now)
        g.visitor = Visitor(browser, cookie)
        return cast("Visitor", g.visitor)

    def forget(self, visitor: Visitor) -> None:
        """They signed out."""
        self._believed.pop(visitor.cookie, None)


def visitor() -> Visitor | None:
    """Who is signed in, in the present request."""
    return cast("Visitor | None", g.get("visitor"))


def signed_in() -> Visitor:
    """The same behind the gate."""
    return cast("Visitor", g.visitor)


def choices() -> Choices:
    """The language and the look of the present request."""
    given, look = request.cookies.get(LANGUAGE_COOKIE), request.cookies.get(LOOK_COOKIE, "")
    language = next((each for each in LANGUAGES if each == given), None) or _preferred()
    return Choices(language, look if look in LOOKS else LOOKS[0])


def _preferred() -> Language:
    wanted = request.accept_languages.best_match(list(LANGUAGES))
    return next((each for each in LANGUAGES if each == wanted), USUAL_LANGUAGE)
