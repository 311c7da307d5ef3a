"""Asks the responders and the provider that are set, each bounded, and nobody else."""

from __future__ import annotations

import logging
import ssl
from base64 import b64encode
from collections.abc import Collection
from urllib.parse import urlsplit

import httpx2
import msgspec
import trio

from evpower.outgoing_http import ServiceAnswer, ServiceUnanswered, Transport, open_client, post
from evpower.plug_and_charge.ocsp import CertificateQuestion, is_about, request_about

log = logging.getLogger("security")

#: A station's message waits for it, and the station for the answer.
WITHIN_S = 10.0
LIMITS = httpx2.Limits(max_connections=20, max_keepalive_connections=0)
#: OCPP 2.0.1's own, of what is handed on.
OCSP_CHARS_MAX = 5500
EXI_CHARS_MAX = 5600


class PlugAndCharge:
    """Certificates of cars and contracts. What is asked and answered is never logged."""

    def __init__(self, responders: Collection[str], contract_provider: str, transport: Transport | None = None) -> None:
        """`responders` are origins (`http://ocsp.example`): a station names the address, and sends us nowhere else."""
        self._responders = frozenset(responders)
        self._contract_provider = contract_provider
        self._transport = transport

    async def certificate_status(self, question: CertificateQuestion) -> str | None:
        """The responder's answer (base64 of DER); None when it may not be asked, or has none (M06)."""
        if not self._responders:
            return None
        if _origin(question.responder_url) not in self._responders:
            log.warning("an OCSP responder that is not among ocpp.ocsp_responders was not asked")
            return None
        try:
            request = request_about(question)
        except ValueError as error:
            log.warning("a station asks for the status of a certificate that there cannot be: %s", error)
            return None
        answer = await self._post(question.responder_url, request, "application/ocsp-request", "OCSP responder")
        if answer is None or not is_about(answer.body, question):
            return None
        written = b64encode(answer.body).decode()
        return written if len(written) <= OCSP_CHARS_MAX else None

    async def contract(self, schema_version: str, action: str, exi_request: str) -> str | None:
        """The provider's answer to a car that wants its contract certificate; None without a provider, or one (M01)."""
        if not self._contract_provider:
            return None
        asked = {"iso15118SchemaVersion": schema_version, "action": action, "exiRequest": exi_request}
        content, kind = msgspec.json.encode(asked), "application/json"
        answer = await self._post(self._contract_provider, content, kind, "provider of contract certificates")
        response = None if answer is None else answer.json().get("exiResponse")
        return response if isinstance(response, str) and 0 < len(response) <= EXI_CHARS_MAX else None

    async def _post(self, url: str, content: bytes, kind: str, whom: str) -> ServiceAnswer | None:
        timeout = httpx2.Timeout(WITHIN_S)
        with trio.move_on_after(WITHIN_S):
            try:
                async with open_client({}, ssl.create_default_context(), timeout, LIMITS, self._transport) as http:
                    answer = await post(http, url, content, {"Content-Type": kind})
            except ServiceUnanswered as error:
                log.warning("%s: no answer: %s", whom, error)
                return None
            if answer.status == 200:
                return answer
            log.warning("%s: HTTP %d", whom, answer.status)
            return None
        log.warning("%s: no answer in time", whom)
        return None


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()
