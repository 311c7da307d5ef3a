"""What stations of OCPP 2.0.1 can do beside what those of 1.6 can: their display, monitors, customers, themselves.

The operations are those of `http/operators/arguments/device.py`. Of two there is no form: a network profile is a JSON
document, and what a station keeps of a customer is shown and kept nowhere, while the answers of forms are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from evpower.identifiers import StationId
from evpower.link import device_commands as commands
from evpower.pages.stations.station_act import Doers, Does, FormField, Given, StationAct, operation, written_as
from evpower.staff.rights import Right

OCPP_201 = "2.0.1"
SEVERITIES = tuple(str(severity) for severity in range(10))
MESSAGE_ID, CHECKSUM = FormField("message_id", "number"), FormField("checksum", "text")


def _act(
    name: str,
    asked: str,
    *fields: FormField,
    arguments: Callable[[Given], Mapping[str, Any]] | None = None,
    is_danger: bool = False,
    rights: tuple[Right, ...] = (Right.COMMAND,),
    does: Does | None = None,
) -> StationAct:
    """An act whose fields bear the names of its operation's arguments, unless `arguments` says which they are."""

    def as_named(given: Given) -> Mapping[str, Any]:
        return written_as(fields, given)

    doing = does or operation(asked, arguments or as_named)
    return StationAct(name, fields, doing, rights=rights, is_danger=is_danger, version=OCPP_201)


async def _read_device(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
    """How much it has reported: thousands of variables are no answer, and the configuration's tab shows them."""
    reported = await do.operations.perform(station, "read-device", given)
    return f"variables: {len(reported['variables'])}"


def _monitor(given: Given) -> Mapping[str, Any]:
    return {"monitors": [{**given, "severity": int(given["severity"])}]}


DEVICE_ACTS: Sequence[StationAct] = (
    _act(
        "show_message",
        "set-display-message",
        MESSAGE_ID,
        FormField("text", "text"),
        FormField("priority", "choice", get_args(commands.MessagePriority)),
        FormField("state", "choice", get_args(commands.MessageState), is_needed=False),
        FormField("until", "moment", is_needed=False),
    ),
    _act("read_messages", "display-messages"),
    _act("hide_message", "clear-display-message", MESSAGE_ID),
    _act(
        "read_device", "read-device", FormField("inventory", "choice", get_args(commands.Inventory)), does=_read_device
    ),
    _act("monitoring_base", "set-monitoring-base", FormField("base", "choice", get_args(commands.MonitoringBase))),
    _act(
        "monitoring_level",
        "set-monitoring-level",
        FormField("severity", "choice", SEVERITIES),
        arguments=lambda given: {"severity": int(given["severity"])},
    ),
    _act(
        "set_monitor",
        "set-monitors",
        FormField("variable", "text"),
        FormField("kind", "choice", get_args(commands.MonitorKind)),
        FormField("value", "figure"),
        FormField("severity", "choice", SEVERITIES),
        FormField("monitor_id", "number", is_needed=False),
        arguments=_monitor,
    ),
    _act("read_monitors", "monitors"),
    _act(
        "clear_monitor",
        "clear-monitors",
        FormField("monitor_id", "number"),
        arguments=lambda given: {"monitor_ids": [given["monitor_id"]]},
    ),
    _act(
        "read_profiles",
        "charging-profiles",
        FormField("connector", "connector_or_station", is_needed=False),
        arguments=lambda given: {"connector_id": given.get("connector")},
    ),
    _act(
        "forget_customer",
        "customer-information",
        FormField("id_tag", "text", is_needed=False),
        FormField("customer_identifier", "text", is_needed=False),
        arguments=lambda given: {"report": False, "forget": True, **given},
        is_danger=True,
        rights=(Right.COMMAND, Right.CLIENTS),
    ),
    _act("publish_firmware", "publish-firmware", FormField("location", "text"), CHECKSUM),
    _act("unpublish_firmware", "unpublish-firmware", CHECKSUM),
)
