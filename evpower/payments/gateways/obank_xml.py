"""OBANK's envelope: one XML document each way (contract/payments §3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.ElementTree import fromstring

XML_BYTES_MAX = 64 * 1024
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
#: What XML 1.0 cannot carry at all, escaped or not.
IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableXml(Exception):
    """No XML, or of a kind that is refused; says nothing of the content, which may hold a card."""


@dataclass(frozen=True)
class Result:
    """One `<result>`: its attributes, and the named values inside it, their names in the one form `auth-key`."""

    attributes: Mapping[str, str]
    values: Mapping[str, str]


def request(point: str, operation: Element) -> bytes:
    """The document that asks for one operation."""
    root = Element("request", {"point": point})
    root.append(operation)
    return DECLARATION + tostring(root, encoding="unicode").encode()


def element(tag: str, attributes: Mapping[str, object], values: Mapping[str, object] | None = None) -> Element:
    """An operation, and its `<attribute name value/>` children, the empty ones left out."""
    operation = Element(tag, {name: _possible(value) for name, value in attributes.items()})
    for name, value in (values or {}).items():
        text = _possible(value)
        if text:
            SubElement(operation, "attribute", {"name": name, "value": text})
    return operation


def read(body: bytes) -> Element:
    """The root of a document from outside, without document types and entities. Raises UnreadableXml."""
    if len(body) > XML_BYTES_MAX:
        raise UnreadableXml
    root: Element | None = None
    with suppress(ParseError, ValueError, LookupError):
        root = fromstring(body, forbid_dtd=True)
    if root is None:
        raise UnreadableXml
    return root


def results(body: bytes) -> list[Result]:
    """Every `<result>` of a `<response>`. Raises UnreadableXml; an answer without any is an empty list."""
    root = read(body)
    return [_result(found) for found in root.iter("result")] if root.tag == "response" else []


def _result(found: Element) -> Result:
    values = {}
    for child in found.iter():
        name = child.get("key") if child.tag == "input" else child.get("name") if child.tag == "attribute" else None
        if name is not None:
            values[name.lower().replace("_", "-")] = child.get("value", "")
    return Result(dict(found.attrib), values)


def _possible(value: object) -> str:
    return IMPOSSIBLE.sub("", str(value))
