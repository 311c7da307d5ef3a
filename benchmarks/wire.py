"""What the benchmark's chargers say: OCPP CALLs as JSON text, of 1.6 where it does not say 2.0.1."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from benchmarks.chargers import ConnectedStation, NextCall

BOOT = b'[2,"b%d","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"Raw socket"}]'
HEARTBEAT = b'[2,"h%d-%d","Heartbeat",{}]'
STATUS = b'[2,"s%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b"}]'
#: Five quantities, the ones a charger is asked for after its boot.
METER_VALUES = (
    b'[2,"%d-%d","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%b","sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    b'{"value":"22000","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"31.8","context":"Sample.Periodic","measurand":"Current.Import","unit":"A"},'
    b'{"value":"230.4","context":"Sample.Periodic","measurand":"Voltage","unit":"V"},'
    b'{"value":"57","context":"Sample.Periodic","measurand":"SoC","unit":"Percent"}]}]}]'
)
#: The same readings with OCPP 2.0.1.
TRANSACTION_EVENT = (
    b'[2,"%d-%d","TransactionEvent",{"eventType":"Updated","timestamp":"%b","triggerReason":"MeterValuePeriodic",'
    b'"seqNo":%d,"transactionInfo":{"transactionId":"%d","chargingState":"Charging"},"evse":{"id":1,"connectorId":1},'
    b'"meterValue":[{"timestamp":"%b","sampledValue":['
    b'{"value":%d,"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}},'
    b'{"value":22000,"context":"Sample.Periodic","measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W"}},'
    b'{"value":31.8,"context":"Sample.Periodic","measurand":"Current.Import","unitOfMeasure":{"unit":"A"}},'
    b'{"value":230.4,"context":"Sample.Periodic","measurand":"Voltage","unitOfMeasure":{"unit":"V"}},'
    b'{"value":57,"context":"Sample.Periodic","measurand":"SoC","unitOfMeasure":{"unit":"Percent"}}]}]}]'
)
STATUS_201 = (
    b'[2,"s%d","StatusNotification",{"timestamp":"2026-01-01T00:00:00Z","evseId":1,"connectorId":1,'
    b'"connectorStatus":"Occupied"}]'
)
AUTHORIZE = b'[2,"a%d-%d","Authorize",{"idTag":"%b"}]'
START = b'[2,"x%d-%d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
STOP = b'[2,"y%d-%d","StopTransaction",{"transactionId":%b,"meterStop":%d,"timestamp":"%b","reason":"Local"}]'
CYCLE_STATUS = b'[2,"s%d-%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b"}]'
#: What a server answers to a start.
ANSWERED_ID = re.compile(rb'"transactionId":\s*(\d+)')
ACCEPTED = b'"Accepted"'
#: Of a charge: the messages before its readings, and after them.
BEFORE_READINGS, AFTER_READINGS = 4, 3
READINGS = 3
MESSAGES_PER_CYCLE = BEFORE_READINGS + READINGS + AFTER_READINGS
REGISTER_START_WH = 1000
WH_PER_SAMPLE = 10


def station_id(number: int) -> str:
    return f"BENCH-{number:05d}"


def transaction_id(number: int) -> int:
    return number + 1


def status(word: str) -> NextCall:
    """Each charger says its connector's word, once."""
    return _once(lambda charger: STATUS % (charger.number, word.encode()))


def heartbeats(messages: int) -> NextCall:
    """`messages` in all; the chargers share them as they are answered."""
    left = messages

    def next_call(charger: ConnectedStation) -> bytes | None:
        nonlocal left
        if left == 0:
            return None
        left -= 1
        return HEARTBEAT % (charger.number, charger.sent)

    return next_call


def heartbeat() -> NextCall:
    """Each charger says that it lives, once."""
    return _once(lambda charger: HEARTBEAT % (charger.number, charger.sent))


def boot_and_status(charger: ConnectedStation) -> bytes | None:
    """What a charger says when the power comes back."""
    if charger.sent == 0:
        return BOOT % charger.number
    return STATUS % (charger.number, b"Available") if charger.sent == 1 else None


def meter_values(messages: int, chargers: int) -> NextCall:
    """Rising registers, `messages` in all; the chargers share them as they are answered."""
    stamp = _stamp()
    left = messages

    def next_call(charger: ConnectedStation) -> bytes | None:
        nonlocal left
        if left == 0:
            return None
        left -= 1
        register_wh = REGISTER_START_WH + WH_PER_SAMPLE * charger.sent
        return METER_VALUES % (charger.number, charger.sent, transaction_id(charger.number), stamp, register_wh)

    return next_call


def occupied() -> NextCall:
    """Each charger of 2.0.1 says that its connector is in use, once."""
    return _once(lambda charger: STATUS_201 % charger.number)


def transaction_events(messages: int, first: int) -> NextCall:
    """As `meter_values`, of chargers of 2.0.1 whose transactions are those from `first` on."""
    stamp = _stamp()
    left = messages

    def next_call(charger: ConnectedStation) -> bytes | None:
        nonlocal left
        if left == 0:
            return None
        left -= 1
        register_wh = REGISTER_START_WH + WH_PER_SAMPLE * charger.sent
        name = transaction_id(first + charger.number)
        said = charger.sent - 1  # its status was its first
        return TRANSACTION_EVENT % (charger.number, charger.sent, stamp, said, name, stamp, register_wh)

    return next_call


def tag(number: int) -> str:
    """The card that is used at this charger."""
    return f"CARD{number:05d}"


class Cycles:
    """Charges one after the other at each charger: a card, a start, readings, a stop, four words of the connector.

    A watt-hour between two readings: what 60 kW can do between them.
    """

    def __init__(self, cycles: int, readings: int = READINGS) -> None:
        self._each = BEFORE_READINGS + readings + AFTER_READINGS
        self._messages = cycles * self._each
        self._sent: dict[int, int] = {}
        self._transactions: dict[int, bytes] = {}

    def __call__(self, charger: ConnectedStation) -> bytes | None:
        sent = self._sent.setdefault(charger.number, 0)
        if sent == self._messages:
            return None
        self._sent[charger.number] += 1
        place = sent % self._each
        if place == BEFORE_READINGS - 1:  # the message after the start
            answered = ANSWERED_ID.search(charger.answer)
            if answered is None or ACCEPTED not in charger.answer:
                raise ValueError(f"a start was answered {charger.answer!r}")
            self._transactions[charger.number] = answered.group(1)
        return self._text(charger, place)

    def _text(self, charger: ConnectedStation, place: int) -> bytes:
        name, card, at = (charger.number, charger.sent), tag(charger.number).encode(), _stamp()
        register_wh = REGISTER_START_WH + charger.sent
        match place if place < BEFORE_READINGS else place - self._each:
            case 0:
                return CYCLE_STATUS % (*name, b"Preparing")
            case 1:
                return AUTHORIZE % (*name, card)
            case 2:
                return START % (*name, card, register_wh, at)
            case 3:
                return CYCLE_STATUS % (*name, b"Charging")
            case -3:
                return STOP % (*name, self._transactions[charger.number], register_wh, at)
            case -2:
                return CYCLE_STATUS % (*name, b"Finishing")
            case -1:
                return CYCLE_STATUS % (*name, b"Available")
            case _:
                return METER_VALUES % (*name, int(self._transactions[charger.number]), at, register_wh)


def _stamp() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def _once(text: NextCall) -> NextCall:
    said: set[int] = set()

    def next_call(charger: ConnectedStation) -> bytes | None:
        if charger.number in said:
            return None
        said.add(charger.number)
        return text(charger)

    return next_call
