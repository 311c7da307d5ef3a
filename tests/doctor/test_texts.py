"""What the doctor says is of the catalogue: every sentence that the code makes, with its places, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from evpower.command_line.offline.examining import STATE_WIDTH
from evpower.doctor.finding import CHECKS, State, in_words, sentence
from evpower.texts.catalogue import LANGUAGES, Language, load
from tests.texts.test_catalogue import places

PACKAGE = Path(__file__).parents[2] / "evpower"
MAKER = PACKAGE / "doctor/finding.py"
FILES = [*sorted((PACKAGE / "doctor").rglob("*.py")), PACKAGE / "command_line/offline/examining.py"]
#: Words for a value of the code, and no sentence.
STATES = {f"states.{each}" for each in get_args(State)}
ENGLISH = load("en", "doctor")


def calls(name: str) -> Iterator[ast.Call]:
    for file in FILES:
        if file == MAKER:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def made() -> Iterator[tuple[str, set[str | None]]]:
    """Each sentence that the code makes: its key and the names of its places."""
    for call in calls("sentence"):
        (key,) = call.args
        assert isinstance(key, ast.Constant), ast.unparse(call)
        yield str(key.value), {each.arg for each in call.keywords}


def test_every_sentence_is_of_the_catalogue_with_its_places() -> None:
    """A key that is missing, or a place that is not filled, would end the command with a fault."""
    found = list(made())
    assert len(found) > 80
    for key, filled in found:
        assert key in ENGLISH, key
        assert filled == places(ENGLISH.sentences[key]), key


def test_the_catalogue_has_nothing_that_the_code_does_not_use() -> None:
    assert set(ENGLISH.sentences) == {key for key, _ in made()} | STATES


def test_no_sentence_is_made_in_another_way() -> None:
    assert [ast.unparse(each) for each in calls("Sentence")] == []


def test_tables_are_checks() -> None:
    tables = {key.partition(".")[0] for key in ENGLISH.sentences if "." in key}
    assert tables == {*CHECKS, "states"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_state_has_a_name_that_its_column_has_room_for(language: Language) -> None:
    texts = load(language, "doctor")
    names = [texts.word("states", each) for each in get_args(State)]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < STATE_WIDTH


def test_a_part_of_a_sentence_is_in_its_language() -> None:
    found = sentence("secrets.short", name=sentence("secrets.password", setting="redis.url"), least=12)
    assert in_words(found, load("en", "doctor")) == "redis.url's password has fewer than 12 characters"
    assert in_words(found, load("ru", "doctor")) == "пароль в redis.url: меньше 12 символов"


def test_a_brace_in_a_value_stays_as_it_is() -> None:
    """A refused setting shows what was written."""
    assert in_words(sentence("settings.problem", problem="x: {y} is no address"), ENGLISH) == "x: {y} is no address"


def test_a_key_that_no_language_has_is_a_fault() -> None:
    with pytest.raises(KeyError):
        in_words(sentence("no.such_key"), ENGLISH)
