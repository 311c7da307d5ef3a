"""OBANK's XML replies (contract/payments §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from xml.etree import ElementTree as ET

from evpower.simulator.providers.obank.cards import TEXTS
from evpower.simulator.providers.obank.operations import NOT_FOUND, CardOperation

TIME = "%Y-%m-%dT%H:%M:%S%z"


def response(*results: ET.Element) -> bytes:
    """The document of one or several results."""
    root = ET.Element("response")
    root.extend(results)
    return _written(root)


def result(operation: CardOperation, now: datetime, inputs: Mapping[str, str]) -> ET.Element:
    """One operation as it is, with the keys of its `<data>`."""
    element = ET.Element("result", {"id": str(operation.number), "state": str(operation.state)})
    element.set("substate", str(operation.substate))
    element.set("code", str(operation.code))
    element.set("final", str(int(operation.is_final)))
    element.set("trans", str(operation.trans))
    element.set("service", operation.service)
    element.set("sum", str(operation.sum))
    element.set("server_time", now.strftime(TIME))
    if inputs:
        data = ET.SubElement(element, "data")
        for key, value in inputs.items():
            ET.SubElement(data, "input", {"key": key, "value": value})
    if operation.code in TEXTS:
        _attribute(element, "provider-error-text", TEXTS[operation.code])
    if operation.returned:
        _attribute(element, "cancelled-sum", str(operation.returned))
    return element


def not_found(number: int, now: datetime) -> ET.Element:
    """The answer to a status query for an operation that is not there."""
    answer = {"id": str(number), "state": str(NOT_FOUND), "substate": "0", "code": "0", "final": "0"}
    return ET.Element("result", {**answer, "server_time": now.strftime(TIME)})


def error(text: str) -> bytes:
    """The root `<error>` of a request that was not understood, or not now."""
    root = ET.Element("error")
    root.text = text
    return _written(root)


def error_detail(code: int, text: str) -> ET.Element:
    """An operation that was understood and is impossible."""
    element = ET.Element("error-detail", {"code": str(code), "desc": text})
    element.text = text
    return element


def _attribute(element: ET.Element, name: str, value: str) -> None:
    ET.SubElement(element, "attribute", {"name": name, "value": value})


def _written(root: ET.Element) -> bytes:
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
