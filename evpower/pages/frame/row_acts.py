"""What a row of To do offers (§3.1): forms of the station's page, filled in, and the page where a person decides.

The acts are those pages': each form is done once by its key, by who may, and says when its outcome is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from evpower.attention.conditions import Condition, ConditionKind

#: By the names of the station's acts (pages/stations/acts.py); `{}` fields are filled from the row.
STATION_ACTS: Mapping[ConditionKind, tuple[str, ...]] = {
    ConditionKind.CONNECTOR_FAULTED: ("reset", "availability"),
    ConditionKind.STARTS_FAIL: ("reset", "availability"),
    ConditionKind.CONNECTOR_DOUBTFUL: ("reset", "availability"),
    ConditionKind.PASSED_OVER: ("availability",),
    ConditionKind.CHARGING_WITHOUT_SESSION: ("unlock", "reset"),
    ConditionKind.STOP_AWAITED: ("trigger",),
    ConditionKind.FIRMWARE_FAILED: ("firmware",),
    ConditionKind.BOOT_LOOP: ("firmware",),
    ConditionKind.WRONG_CLOCK: ("reset",),
}
#: Of a charge that hangs: its own stop, or the release of what is held (the same act before it began).
STOPPED_HERE = frozenset({ConditionKind.START_HANGS, ConditionKind.STOP_HANGS})
DECIDED_AT: Mapping[ConditionKind, str] = {
    ConditionKind.PAYMENT_PARKED: "/money#parked-{subject}",
    ConditionKind.REFUND_OPEN: "/money#refund-{subject}",
    ConditionKind.PAYMENTS_UNDECIDED: "/money#undecided-{order}",
    ConditionKind.LEDGER_FINDING: "/money#check",
    ConditionKind.DISK_SHORT: "/system",
    ConditionKind.JOURNAL_LAGS: "/system",
    ConditionKind.PROVIDER_FAILING: "/system",
    ConditionKind.REPORT_PARKED: "/questions#parked-{subject}",
    ConditionKind.DOUBT: "/questions#doubt-{subject}",
    ConditionKind.STRANGER_WAITS: "/network/strangers#{subject}",
    ConditionKind.CERTIFICATE_ENDS: "/network/certificates",
}


@dataclass(frozen=True)
class RowAct:
    """A button that is a link; `name` is a text of `do.`."""

    name: str
    address: str


def station_acts(condition: Condition) -> list[RowAct]:
    """Forms of the station's page for what may help."""
    if condition.station_id is None:
        return []
    filled = urlencode({"connector": condition.facts["connector"]}) if "connector" in condition.facts else ""
    at = f"/stations/{quote(condition.station_id, safe='')}/do/"
    return [
        RowAct(name, f"{at}{name}{'?' + filled if filled else ''}") for name in STATION_ACTS.get(condition.kind, ())
    ]


def called_about(condition: Condition) -> str | None:
    """The call sheet of a station that fell silent."""
    if condition.kind is not ConditionKind.STATION_OFFLINE or condition.station_id is None:
        return None
    return f"/stations/{quote(condition.station_id, safe='')}/call-sheet"


def is_stopped_here(condition: Condition) -> bool:
    """Whether the row has a stop of its charge."""
    return condition.kind in STOPPED_HERE and condition.session_id is not None


def is_stopped_again(condition: Condition) -> bool:
    """Whether the row has a stop of a transaction that no session pays for."""
    return condition.kind is ConditionKind.CHARGING_WITHOUT_SESSION and "transaction" in condition.facts


def order_asked_about(condition: Condition) -> str | None:
    """The top-up that the row has a question to its provider about: the one that waits longest."""
    if condition.kind is not ConditionKind.PAYMENTS_UNDECIDED:
        return None
    return str(condition.facts.get("order", "")) or None


def decided_at(condition: Condition) -> str | None:
    """The page where a person decides, if there is one."""
    if is_stopped_again(condition):
        return f"/questions#without-{quote(str(condition.facts['transaction']), safe='')}"
    address = DECIDED_AT.get(condition.kind)
    if address is None:
        return None
    # A row that was over before its facts had an order leads to the whole list.
    names = {"order": condition.facts.get("order", ""), "subject": condition.subject}
    return address.format(**{name: quote(str(value), safe="") for name, value in names.items()})
