"""Sentences by key, in Russian, Kyrgyz and English.

A topic is a folder beside this file (`command_line`, `doctor`, `pages`), with a file for each language. A key is the
path of tables to its sentence, `session.title`; a sentence has named places, `{amount}`. `tests/texts` holds the
languages of each topic to the same keys and places.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

Language: TypeAlias = Literal["ru", "ky", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FOLDER = Path(__file__).parent
FALLBACK: Language = "en"
#: The environment's names for the language of messages, as POSIX asks them in turn.
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


@dataclass(frozen=True)
class Catalogue:
    """The sentences of one topic in one language."""

    language: Language
    sentences: Mapping[str, str]

    def __call__(self, key: str, /, **places: object) -> str:
        """The sentence of `key` with its places filled. Raises KeyError for a key that no language has."""
        return self.sentences[key].format(**places) if places else self.sentences[key]

    def word(self, table: str, value: str) -> str:
        """The name of a value in a table, such as a phase; the value itself where the table has no name for it."""
        return self.sentences.get(f"{table}.{value}", value)

    def __contains__(self, key: str) -> bool:
        return key in self.sentences


def load(language: Language, topic: str) -> Catalogue:
    """A topic's sentences; English ones where the language has none. Raises FileNotFoundError for no such topic."""
    sentences = dict(read(FALLBACK, topic))
    if language != FALLBACK:
        sentences.update(read(language, topic))
    return Catalogue(language, sentences)


def read(language: Language, topic: str) -> Iterator[tuple[str, str]]:
    """What a topic's file of a language has, and nothing else."""
    tables = tomllib.loads((FOLDER / topic / f"{language}.toml").read_text(encoding="utf-8"))
    return _flat(tables, "")


def language_of(environment: Mapping[str, str]) -> Language:
    """The language of a terminal, by the first of `LOCALES` that is set: `ru_RU.UTF-8` is Russian, `C` English."""
    locale = next((environment[name] for name in LOCALES if environment.get(name)), "")
    named = locale.partition(".")[0].partition("_")[0].lower()
    return next((each for each in LANGUAGES if each == named), FALLBACK)


def _flat(table: Mapping[str, object], above: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value)
