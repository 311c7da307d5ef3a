"""Catalogues: every language says the same things; what it has not is said in English."""

from __future__ import annotations

from string import Formatter

import pytest

from evpower.texts.catalogue import FALLBACK, FOLDER, LANGUAGES, Catalogue, language_of, load, read

TOPICS = sorted(folder.name for folder in FOLDER.iterdir() if any(folder.glob("*.toml")))


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_there_are_topics() -> None:
    assert "command_line" in TOPICS


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_key_of_a_topic_and_no_other(topic: str, language: str) -> None:
    assert language in LANGUAGES
    assert set(dict(read(language, topic))) == set(dict(read(FALLBACK, topic)))


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_has_the_same_places_in_every_language_and_is_not_empty(topic: str, language: str) -> None:
    assert language in LANGUAGES
    english = dict(read(FALLBACK, topic))
    for key, sentence in read(language, topic):
        assert sentence.strip(), key
        assert places(sentence) == places(english[key]), key


@pytest.mark.parametrize("topic", TOPICS)
def test_russian_and_kyrgyz_are_no_copies_of_english(topic: str) -> None:
    """A key whose sentence is the same everywhere is a sign, a unit or a name; a whole catalogue of them is none."""
    english = dict(read(FALLBACK, topic))
    for language in ("ru", "ky"):
        same = [key for key, sentence in read(language, topic) if sentence == english[key]]
        assert len(same) * 5 <= len(english), f"{language}: {same}"


def test_a_language_without_a_sentence_says_it_in_english() -> None:
    texts = load("ru", "command_line")
    assert texts("error", message="x") == "Ошибка: x"
    assert set(texts.sentences) >= set(dict(read(FALLBACK, "command_line")))


def test_a_key_that_no_language_has_is_a_fault() -> None:
    with pytest.raises(KeyError):
        load("en", "command_line")("no.such.key")


def test_a_value_without_a_name_is_shown_as_it_is() -> None:
    texts = Catalogue("en", {"phases.ended": "has ended"})
    assert texts.word("phases", "ended") == "has ended"
    assert texts.word("phases", "of_tomorrow") == "of_tomorrow"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ky_KG.UTF-8"}, "ky"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "ru"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "ky_KG"}, "ky"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": ""}, "ru"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "run"}, "en"),
        ({}, "en"),
    ],
)
def test_a_terminal_s_language_is_that_of_its_messages(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language
