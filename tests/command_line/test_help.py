"""`--help` in the terminal's language: every text is in the catalogue, the English one is the code's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from evpower.cli import main
from evpower.command_line.help_texts import ROOT, commands, option_key, options, translate
from evpower.texts.catalogue import LANGUAGES, Language, load
from tests.command_line.control_server import run

ENGLISH = load("en", "help")
LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")


def shown() -> Iterator[tuple[str, str]]:
    """Every text of the parser as it is now, with its key."""
    for path, context in commands(main):
        yield f"commands.{path or ROOT}", context.command.help or ""
        for option in options(context):
            yield option_key(ENGLISH, path, option), option.help or ""


#: As the code has it: nothing has run the parser yet.
OF_THE_CODE = list(shown())


def test_english_is_what_the_code_says() -> None:
    for key, text in OF_THE_CODE:
        assert LINE_BREAK.sub(" ", inspect.cleandoc(text)).strip() == ENGLISH(key), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_parser_is_of_the_catalogue(language: Language) -> None:
    texts = load(language, "help")
    translate(main, texts)
    assert [(key, said) for key, said in shown() if said != texts(key)] == []
    assert {key for key, _ in shown()} == set(texts.sentences)


@pytest.mark.parametrize(("locale", "said"), [("ru_RU.UTF-8", "Остановить"), ("ky_KG.UTF-8", "Жүрүп"), ("C", "Stop a")])
def test_help_is_in_the_language_of_the_terminal(monkeypatch: pytest.MonkeyPatch, locale: str, said: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    for arguments in (("session", "--help"), ("session", "stop", "-h")):
        assert said in run(*arguments).stdout
