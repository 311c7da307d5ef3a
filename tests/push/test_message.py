"""What a person reads: every event in three languages, and nothing of the person in it."""

from __future__ import annotations

import pytest

from evpower.push.events import KINDS, EventName, Facts
from evpower.push.message import TEXTS, write_message
from evpower.push.recipient import LOCALES, Locale
from tests.worlds.fakes import NOON

FACTS: Facts = {
    "energy_wh": 15_000,
    "cost_tyiyn": 202_50,
    "refund_tyiyn": 67_50,
    "balance_tyiyn": 30_00,
    "amount_tyiyn": 100_00,
    "rate_tyiyn": 3_00,
    "cap_tyiyn": 30_00,
    "at": "21:20",
    "session_id": "S-1",
    "station_id": "EVP-001-01",
    "place": "ТЦ Дордой Плаза",
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", KINDS)
def test_every_event_has_words_in_every_language(event: EventName, locale: Locale) -> None:
    message = write_message(event, {**FACTS, "connector_id": 1}, locale, NOON)
    assert message.title
    assert message.body
    assert "{" not in message.body
    assert "—" not in message.body
    assert all(isinstance(value, str) for value in message.data.values())
    assert message.data["event"] == event


def test_a_completed_charge_names_energy_sum_and_refund() -> None:
    bodies = [write_message("charging_completed", FACTS, locale, NOON).body for locale in LOCALES]
    assert bodies == [
        "15 кВт⋅ч, 202,5 сом. Возвращено: 67,5 сом",
        "15 кВт⋅с, 202,5 сом. Кайтарылды: 67,5 сом",
        "15 kWh, 202.5 som. Returned: 67.5 som",
    ]


def test_the_notice_of_a_fee_names_its_time_its_price_and_its_cap() -> None:
    body = write_message("idle_fee_starts_at", FACTS, "ru", NOON).body
    assert body == "С 21:20 простой стоит 3 сом в минуту, не больше 30 сом. ТЦ Дордой Плаза"


def test_an_error_names_the_refund() -> None:
    assert "67,5" in write_message("charging_error", FACTS, "ru", NOON).body


def test_a_fact_that_is_missing_fails_nothing() -> None:
    assert write_message("charging_completed", {}, "ru", NOON).body == "— кВт⋅ч, — сом. Возвращено: — сом"


def test_what_somebody_wrote_as_a_name_is_no_pattern_and_is_cut() -> None:
    body = write_message(
        "station_offline", {"station_id": "{x}", "place": "{0.__class__}" + "y" * 500}, "en", NOON
    ).body
    assert body.startswith("Station {x}. {0.__class__}y")
    assert len(body) < 150


def test_only_ids_are_beside_the_text() -> None:
    """No sum, no name: what a phone shows on its lock screen is the text alone."""
    assert set(write_message("charging_completed", FACTS, "ru", NOON).data) == {"event", "session_id", "station_id"}


def test_every_language_names_the_same_facts() -> None:
    for event, texts in TEXTS.items():
        named = {locale: {part.split("}")[0] for part in body.split("{")[1:]} for locale, (_, body) in texts.items()}
        assert len({frozenset(names) for names in named.values()}) == 1, event
