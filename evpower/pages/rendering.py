"""Templates filled in: every text is escaped, a name that is not given is an error, whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from quart import Response, request

import evpower
from evpower.attention.cells import GLYPHS
from evpower.clock import Clock, Ids
from evpower.pages.assets import Asset
from evpower.pages.visitor import choices, visitor
from evpower.pages.wording import Wording
from evpower.staff.rights import Right
from evpower.texts.catalogue import LANGUAGES, Language, load

TEMPLATES = Path(__file__).parent / "templates"
TOPIC = "pages"


class Renderer:
    """The templates, in every language."""

    def __init__(self, clock: Clock, ids: Ids, timezone: ZoneInfo, assets: Mapping[str, Asset]) -> None:
        self._clock = clock
        self._timezone = timezone
        self._texts = {language: load(language, TOPIC) for language in LANGUAGES}
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            glyphs=GLYPHS,
            rights=Right,
            languages=LANGUAGES,
            new_key=ids.new,
            version=evpower.__version__,
            asset=lambda name: assets[name].address,
        )

    def wording(self, language: Language) -> Wording:
        """How figures read now."""
        return Wording(self._texts[language], self._timezone, self._clock.now())

    def text(self, template: str, language: Language, /, **names: Any) -> str:
        """A template as text, such as one row for every viewer of a language."""
        wording = self.wording(language)
        return self._templates.get_template(template).render(t=wording.texts, w=wording, **names)

    def page(self, template: str, /, status: int = 200, **names: Any) -> Response:
        """A whole page for the present request."""
        chosen = choices()
        text = self.text(
            template, chosen.language, chosen=chosen, visitor=visitor(), path=request.full_path.rstrip("?"), **names
        )
        return Response(text, status=status, content_type="text/html; charset=utf-8")
