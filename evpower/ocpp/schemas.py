"""A standard's own JSON schemas, for commands to stations: strict in what we send; problems are named by field.

The schemas are those of the `ocpp` package. They are read with exact decimals, because 21.4 as a binary float is no
multiple of 0.1. Formats (times, addresses) are checked for what we send only.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from evpower.errors import InvalidRequest

#: Too many or too long fields in an answer do no harm; stations add fields of their own (duty 14).
HARMLESS_IN_ANSWERS = frozenset({"additionalProperties", "maxLength"})
#: The commands that are remembered: those after a boot are some dozens.
FITTING_KEPT = 1000
IN_RUSSIAN = {
    "enum": "допустимы только: {}",
    "maxLength": "не длиннее {} символов",
    "multipleOf": "должно быть кратно {}",
    "minItems": "не меньше {} элементов",
    "maxItems": "не больше {} элементов",
    "type": "должно быть типа {}",
    "format": "должно иметь формат {}",
}


def _is_time(value: object) -> bool:
    """A time without its zone means another moment to every station."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and ":" in value)


_formats = FormatChecker(formats=())
_formats.checks("date-time", raises=ValueError)(_is_time)
_formats.checks("uri", raises=ValueError)(_is_address)


Problem = tuple[str, str]


@dataclass(frozen=True)
class Schemas:
    """One version's: of the requests in `commands` and of their answers."""

    #: The folder of the `ocpp` package that has them.
    package: str
    #: What a central system may ask of a station.
    commands: tuple[str, ...]
    #: Rules that are only in the standard's text: every (field, rule) that a payload which fits its schema breaks.
    broken_rules: Callable[[str, Mapping[str, Any]], list[Problem]]
    #: After the action's name, in the file names of requests.
    request_suffix: str = ""
    #: Commands, as they are sent, that were found to fit.
    _fitting: set[tuple[str, bytes]] = field(default_factory=set, compare=False, repr=False)

    def check_command(self, action: str, payload: Mapping[str, Any]) -> None:
        """Raises InvalidRequest naming the known actions, or every wrong field of the payload by its path."""
        if action not in self.commands:
            raise InvalidRequest(("action", f"нет такой команды станции; известны: {', '.join(self.commands)}"))
        validator = _validator(self.package, f"{action}{self.request_suffix}", strict=True)
        problems = list(_problems(validator.iter_errors(payload))) or self.broken_rules(action, payload)
        if problems:
            raise InvalidRequest(*problems)

    def check_sent(self, action: str, payload: Mapping[str, Any], text: bytes) -> None:
        """The same of a payload that is sent as `text`: what each station is asked after its boot is checked once."""
        if (action, text) in self._fitting:
            return
        self.check_command(action, payload)
        if len(self._fitting) == FITTING_KEPT:
            self._fitting.clear()
        self._fitting.add((action, text))

    def wrong_in_answer(self, action: str, answer: Mapping[str, Any]) -> list[Problem]:
        """What is unusable in a station's answer, as (field, what is wrong); harmless oddities are accepted."""
        errors = self._of_answer(action).iter_errors(answer)
        return list(_problems(error for error in errors if error.validator not in HARMLESS_IN_ANSWERS))

    def read_kindly(self, action: str, answer: dict[str, Any]) -> Iterator[str]:
        """Set right in place what can only be meant one way; yields each oddity (duty 14)."""
        for error in list(self._of_answer(action).iter_errors(answer)):
            *way, last = error.absolute_path or (None,)
            meant = _meant(error)
            if last is None or meant is None:
                continue
            holder = functools.reduce(lambda within, step: within[step], way, answer)
            yield f"{_written(error.absolute_path)}: {holder[last]!r} written for {meant!r}"
            holder[last] = meant

    def _of_answer(self, action: str) -> Draft4Validator:
        # An answer's times are the reader's to judge: stations omit the zone.
        return _validator(self.package, f"{action}Response", strict=False)


def _meant(error: ValidationError) -> Any:
    """The value a text means: a boolean, a whole number, an enumeration value in other case; else None."""
    if not isinstance(error.instance, str):
        return None
    text = error.instance.strip().lower()
    match error.validator, error.validator_value:
        case "type", "boolean":
            return {"true": True, "false": False}.get(text)
        case "type", "integer":
            return int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else None
        case "enum", values:
            return next((value for value in values if value.lower() == text), None)
    return None


@functools.cache
def _validator(package: str, schema: str, *, strict: bool) -> Draft4Validator:
    text = (resources.files(package) / "schemas" / f"{schema}.json").read_text("utf-8-sig")
    return Draft4Validator(json.loads(text, parse_float=Decimal), format_checker=_formats if strict else None)


def _problems(errors: Iterable[ValidationError]) -> Iterator[Problem]:
    for error in errors:
        path = list(error.absolute_path)
        if error.validator == "required":
            missing = error.message.split("'")[1]
            yield _written([*path, missing]), "обязательное поле"
        elif error.validator == "additionalProperties":
            for extra in sorted(error.instance.keys() - error.schema["properties"].keys()):
                yield _written([*path, extra]), "неизвестное поле"
        else:
            text = IN_RUSSIAN.get(str(error.validator), error.message)
            yield _written(path), text.format(_shown(error.validator_value))


def _written(path: Iterable[str | int]) -> str:
    """`chargingSchedule.chargingSchedulePeriod[0].limit`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "body"


def _shown(allowed: object) -> str:
    return ", ".join(map(str, allowed)) if isinstance(allowed, list) else str(allowed)
