"""Templates filled in: every text is escaped, a name that is not given is an error, whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import trio
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from quart import Response, request

import evpower
from evpower.attention.cells import GLYPHS
from evpower.case_files.timeline import Step
from evpower.clock import Clock, Ids
from evpower.pages.frame.assets import Asset
from evpower.pages.frame.dots import Dots, marks
from evpower.pages.frame.row_acts import (
    called_about,
    decided_at,
    is_stopped_again,
    is_stopped_here,
    order_asked_about,
    station_acts,
)
from evpower.pages.frame.sparkline import sparkline
from evpower.pages.frame.visitor import choices, visitor
from evpower.pages.frame.wording import Wording
from evpower.staff.rights import Right
from evpower.texts.catalogue import LANGUAGES, Catalogue, Language, load

#: Facts of a step that have names, and the table of them.
NAMED = {"cause": "causes", "door": "doors", "by": "actors", "actor": "actors"}
#: What is written in one go, in a quarter of a millisecond.
CHARS_AT_ONCE = 2000
TEMPLATES = Path(__file__).parents[1] / "templates"
TOPIC = "pages"
#: What the command line says of a charge and a client, the pages say in the same words.
COMMAND_LINE = "command_line"


def step_sentence(step: Step, words: Catalogue, wording: Wording) -> str:
    """What a step of a charge says."""
    return words(f"steps.{step.kind}", **dict(_shown(*fact, words, wording) for fact in step.facts.items()))


def _shown(name: str, value: str | int | datetime | None, words: Catalogue, wording: Wording) -> tuple[str, str]:
    if name.endswith("_tyiyn"):
        return name.removesuffix("_tyiyn"), wording.som(value if isinstance(value, int) else None)
    if isinstance(value, datetime):
        return name, wording.clock(value)
    if name in NAMED and isinstance(value, str):
        return name, words.word(NAMED[name], value)
    return name, "–" if value is None else str(value)


class Renderer:
    """The templates, in every language."""

    def __init__(self, clock: Clock, ids: Ids, timezone: ZoneInfo, assets: Mapping[str, Asset]) -> None:
        self._clock = clock
        self._timezone = timezone
        self.dots = Dots()
        self._texts = {language: load(language, TOPIC) for language in LANGUAGES}
        self._words = {language: load(language, COMMAND_LINE) for language in LANGUAGES}
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            auto_reload=False,  # a template does not change while we run: no look at its file for each row
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            glyphs=GLYPHS,
            rights=Right,
            languages=LANGUAGES,
            dot=self.dots.dot,
            dots=self.dots.dots,
            marks=marks,
            sparkline=sparkline,
            station_acts=station_acts,
            is_stopped_here=is_stopped_here,
            is_stopped_again=is_stopped_again,
            called_about=called_about,
            decided_at=decided_at,
            order_asked_about=order_asked_about,
            new_key=ids.new,
            step_sentence=step_sentence,
            version=evpower.__version__,
            asset=lambda name: assets[name].address,
        )

    def wording(self, language: Language, unknown_since: datetime | None = None) -> Wording:
        """How figures read now."""
        return Wording(self._texts[language], self._timezone, self._clock.now(), unknown_since)

    def text(self, template: str, language: Language, /, **names: Any) -> str:
        """A template as text, such as a row for all viewers of a language; `away_since` while the database is away."""
        return "".join(self._filled(template, language, names))

    async def text_in_parts(self, template: str, language: Language, /, **names: Any) -> str:
        """The same, for lists that take milliseconds: everything else in the process has its turn in between."""
        await trio.lowlevel.checkpoint()
        parts, chars = list[str](), 0
        for part in self._filled(template, language, names):
            parts.append(part)
            chars += len(part)
            if chars > CHARS_AT_ONCE:
                chars = 0
                await trio.lowlevel.checkpoint()
        return "".join(parts)

    def _filled(self, template: str, language: Language, names: Mapping[str, Any]) -> Iterator[str]:
        wording = self.wording(language, names.get("away_since"))
        given = {"away_since": None, **names}
        return self._templates.get_template(template).generate(
            given, t=wording.texts, w=wording, words=self._words[language]
        )

    def page(self, template: str, /, status: int = 200, **names: Any) -> Response:
        """A whole page for the present request."""
        return _answer(self.text(template, choices().language, **_of_request(), **names), status)

    async def page_in_parts(self, template: str, /, status: int = 200, **names: Any) -> Response:
        """The same, for what may show a network of thousands."""
        return _answer(await self.text_in_parts(template, choices().language, **_of_request(), **names), status)


def _of_request() -> dict[str, Any]:
    return {"chosen": choices(), "visitor": visitor(), "path": request.full_path.rstrip("?")}


def _answer(text: str, status: int) -> Response:
    return Response(text, status=status, content_type="text/html; charset=utf-8")
