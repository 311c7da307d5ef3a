"""An event in the words of one person's language, and what its phone is given beside them.

Nothing of a person is in a message: no phone number, no address, no card (§3). The place is the location's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from evpower.money import som_text
from evpower.push.events import EventName, Facts
from evpower.push.recipient import Locale

#: Of a location's name: a message must fit (RFC 8291 §4), whatever somebody wrote there.
PLACE_CHARS_MAX = 100
#: What a phone needs to open the right page; everything is text, as FCM wants it.
DATA = ("session_id", "station_id", "connector_id", "reservation_id", "reservation_status")


@dataclass(frozen=True)
class PushMessage:
    """What is sent to one device; worthless after `expires_at`."""

    event: EventName
    title: str
    body: str
    data: Mapping[str, str]
    expires_at: datetime

    def ttl_s(self, now: datetime) -> int:
        """For how many seconds a service may keep it."""
        return max(0, int((self.expires_at - now).total_seconds()))


class _Words(dict[str, str]):
    """What a sentence may name; a fact that is not known is a dash, never an error."""

    def __missing__(self, name: str) -> str:
        return "—"


Texts = Mapping[Locale, tuple[str, str]]
TEXTS: Mapping[EventName, Texts] = {
    "charging_started": {
        "ru": ("Зарядка началась", "{place}"),
        "ky": ("Кубаттоо башталды", "{place}"),
        "en": ("Charging has started", "{place}"),
    },
    "charging_limit_near": {
        "ru": ("Зарядка скоро завершится", "Достигнуто 90 % лимита: {energy} кВт⋅ч. {place}"),
        "ky": ("Кубаттоо жакында бүтөт", "Чектин 90 % толду: {energy} кВт⋅с. {place}"),
        "en": ("Charging will end soon", "90 % of the limit is reached: {energy} kWh. {place}"),
    },
    "charging_completed": {
        "ru": ("Зарядка завершена", "{energy} кВт⋅ч, {cost} сом. Возвращено: {refund} сом"),
        "ky": ("Кубаттоо аяктады", "{energy} кВт⋅с, {cost} сом. Кайтарылды: {refund} сом"),
        "en": ("Charging is complete", "{energy} kWh, {cost} som. Returned: {refund} som"),
    },
    "charging_error": {
        "ru": ("Зарядка не состоялась", "Возвращено: {refund} сом. {place}"),
        "ky": ("Кубаттоо болгон жок", "Кайтарылды: {refund} сом. {place}"),
        "en": ("Charging failed", "Returned: {refund} som. {place}"),
    },
    "idle_fee_starts_at": {
        "ru": ("Освободите место", "С {at} простой стоит {rate} сом в минуту, не больше {cap} сом. {place}"),
        "ky": ("Орунду бошотуңуз", "Саат {at} баштап туруу мүнөтүнө {rate} сом, эң көбү {cap} сом. {place}"),
        "en": ("Please free the place", "From {at} waiting costs {rate} som a minute, at most {cap} som. {place}"),
    },
    "low_balance_warning": {
        "ru": ("Низкий баланс", "На счёте {balance} сом. Пополните баланс"),
        "ky": ("Баланс аз калды", "Эсепте {balance} сом бар. Балансты толуктаңыз"),
        "en": ("Low balance", "{balance} som left. Please top up"),
    },
    "payment_confirmed": {
        "ru": ("Баланс пополнен", "Зачислено {amount} сом"),
        "ky": ("Баланс толукталды", "{amount} сом түштү"),
        "en": ("Balance topped up", "{amount} som credited"),
    },
    "connector_free": {
        "ru": ("Разъём освободился", "{place}"),
        "ky": ("Туташтыргыч бошоду", "{place}"),
        "en": ("A connector is free", "{place}"),
    },
    "reservation_expiring": {
        "ru": ("Бронь скоро закончится", "Осталось 3 минуты. {place}"),
        "ky": ("Бронь жакында бүтөт", "3 мүнөт калды. {place}"),
        "en": ("Your reservation will end soon", "3 minutes left. {place}"),
    },
    "reservation_ended": {
        "ru": ("Бронь завершена", "{place}"),
        "ky": ("Бронь аяктады", "{place}"),
        "en": ("Your reservation has ended", "{place}"),
    },
    "reservation_moved": {
        "ru": ("Бронь перенесена на другой разъём", "Станция {station}, разъём {connector}. {place}"),
        "ky": ("Бронь башка туташтыргычка которулду", "{station} станциясы, {connector}-туташтыргыч. {place}"),
        "en": ("Your reservation has another connector", "Station {station}, connector {connector}. {place}"),
    },
    "new_session": {
        "ru": ("Новая зарядка", "Станция {station}. {place}"),
        "ky": ("Жаңы кубаттоо", "{station} станциясы. {place}"),
        "en": ("New charge", "Station {station}. {place}"),
    },
    "session_completed": {
        "ru": ("Зарядка завершена", "Станция {station}: {energy} кВт⋅ч, {cost} сом"),
        "ky": ("Кубаттоо аяктады", "{station} станциясы: {energy} кВт⋅с, {cost} сом"),
        "en": ("Charge completed", "Station {station}: {energy} kWh, {cost} som"),
    },
    "station_offline": {
        "ru": ("Станция не на связи", "Станция {station}. {place}"),
        "ky": ("Станция байланышта эмес", "{station} станциясы. {place}"),
        "en": ("Station offline", "Station {station}. {place}"),
    },
    "test": {
        "ru": ("EvPower", "Уведомления работают"),
        "ky": ("EvPower", "Билдирмелер иштейт"),
        "en": ("EvPower", "Notifications work"),
    },
}


def _kwh(energy_wh: int) -> str:
    return f"{energy_wh / 1000:.3f}".rstrip("0").rstrip(".")


#: How a fact is written into a sentence, and under which name.
_WRITTEN: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "energy_wh": ("energy", _kwh),
    "cost_tyiyn": ("cost", som_text),
    "refund_tyiyn": ("refund", som_text),
    "balance_tyiyn": ("balance", som_text),
    "amount_tyiyn": ("amount", som_text),
    "rate_tyiyn": ("rate", som_text),
    "cap_tyiyn": ("cap", som_text),
}


def write_message(event: EventName, facts: Facts, locale: Locale, expires_at: datetime) -> PushMessage:
    """The message of an event in this language; decimals have a comma but in English."""
    words = _Words(place=str(facts.get("place", ""))[:PLACE_CHARS_MAX], station=str(facts.get("station_id", "")))
    words["connector"] = str(facts.get("connector_id", "—"))
    if "at" in facts:
        words["at"] = str(facts["at"])
    for fact, (name, write) in _WRITTEN.items():
        if isinstance(value := facts.get(fact), int):
            words[name] = write(value) if locale == "en" else write(value).replace(".", ",")
    title, body = TEXTS[event][locale]
    data = {"event": event, **{name: str(facts[name]) for name in DATA if name in facts}}
    return PushMessage(event, title, body.format_map(words).strip(), data, expires_at)
