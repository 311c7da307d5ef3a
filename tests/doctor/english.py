"""A sentence of the doctor as English has it; in every other language it has all of its values too."""

from __future__ import annotations

from evpower.doctor.finding import Sentence, Value, in_words
from evpower.texts.catalogue import FALLBACK, LANGUAGES, load

CATALOGUES = {language: load(language, "doctor") for language in LANGUAGES}


def english(value: Value | None) -> str:
    """Empty for None. Fails for a sentence whose values are not all in it, in any language."""
    if value is None:
        return ""
    for texts in CATALOGUES.values():
        text = in_words(value, texts)
        assert "{" not in text, text
        assert [each for each in values(value) if each not in text] == [], text
    return in_words(value, CATALOGUES[FALLBACK])


def values(value: Value) -> list[str]:
    if not isinstance(value, Sentence):
        return [str(value)]
    return [text for each in value.places.values() for text in values(each)]
