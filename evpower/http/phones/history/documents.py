"""One charge: its curve, postings and receipt; and the charges of a time as a table."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, request

from evpower.errors import SessionNotFound
from evpower.history.bill_evidence import Evidence
from evpower.history.documents import Documents
from evpower.history.service import History
from evpower.http.phones.answer_types.history import EvidenceBody, ReceiptsBody, WholeChargeBody
from evpower.http.phones.history.fields import moment, one_of, own, whose
from evpower.http.phones.history.shapes import evidence_body, receipts_body, whole_body
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, caller
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, session_id_or_none
from evpower.identifiers import ClientId, SessionId

#: A PDF waits for a thread.
ANSWER_WITHIN_S = 9
PDF, CSV, XML = "application/pdf", "text/csv", "application/xml"


def document_query(fields: BodyFields, who: Caller, *, other: str) -> tuple[ClientId, str]:
    """Whose document, and in which form: JSON, or the other one."""
    client_id, form = whose(fields, who), fields.optional("format", one_of(("json", other)))
    fields.check()
    assert client_id is not None
    return client_id, form or "json"


def export_query(fields: BodyFields, who: Caller, timezone: ZoneInfo) -> tuple[ClientId, datetime, datetime]:
    """Whose charges, from when, and until when, which is not in."""
    client_id, since = whose(fields, who), fields.required("from", moment(timezone))
    before, _ = fields.required("to", moment(timezone)), fields.optional("format", one_of(("csv",)))
    fields.check()
    assert client_id is not None and since is not None and before is not None  # noqa: PT018
    return client_id, since, before


class DocumentDoor:
    """Wire to service and back."""

    def __init__(self, documents: Documents, evidence: Evidence, history: History) -> None:
        self._documents = documents
        self._evidence = evidence
        self._history = history

    @described("A charge with its curve and postings", query=partial(own, who=ANYBODY), answer=WholeChargeBody)
    async def whole(self, session_id: str) -> Response:
        """`GET /history/charging/{session_id}`."""
        client_id = own(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await self._documents.whole(client_id, _known(session_id))
        return written(Answer({"success": True, "data": whole_body(found, client_id, self._history.now())}))

    @described(
        "The numbered receipt of a charge",
        query=partial(document_query, who=ANYBODY, other="pdf"),
        answer=ReceiptsBody,
        also=(PDF,),
    )
    async def receipt(self, session_id: str) -> Response:
        """`GET /history/charging/{session_id}/receipt`."""
        client_id, form = document_query(BodyFields(request.args), caller(), other="pdf")
        known_id = _known(session_id)
        with trio.fail_after(ANSWER_WITHIN_S):
            if form == "json":
                return written(Answer(receipts_body(await self._documents.receipts(client_id, known_id))))
            pdf = await self._documents.receipt_pdf(client_id, known_id)
        return Response(pdf, content_type=PDF, headers={"Content-Disposition": 'inline; filename="receipt.pdf"'})

    @described(
        "What the bill of a charge can be checked by",
        query=partial(document_query, who=ANYBODY, other="xml"),
        answer=EvidenceBody,
        also=(XML,),
    )
    async def evidence(self, session_id: str) -> Response:
        """`GET /history/charging/{session_id}/evidence`; `xml` is what the transparency software opens."""
        client_id, form = document_query(BodyFields(request.args), caller(), other="xml")
        known_id = _known(session_id)
        with trio.fail_after(ANSWER_WITHIN_S):
            if form == "json":
                return written(Answer(evidence_body(await self._evidence.of(client_id, known_id))))
            xml = await self._evidence.transparency_file(client_id, known_id)
        return Response(xml, content_type=XML, headers={"Content-Disposition": 'attachment; filename="charge.xml"'})

    @described(
        "A client's charges as a table",
        query=partial(export_query, who=ANYBODY, timezone=ZoneInfo("UTC")),
        media_type=CSV,
    )
    async def export(self) -> Response:
        """`GET /history/export`."""
        client_id, since, before = export_query(BodyFields(request.args), caller(), self._documents.timezone)
        with trio.fail_after(ANSWER_WITHIN_S):
            table = await self._documents.table(client_id, since, before)
        headers = {"Content-Disposition": 'attachment; filename="charging.csv"'}
        return Response(table, content_type=f"{CSV}; charset=utf-8", headers=headers)


def _known(text: str) -> SessionId:
    """Raises SessionNotFound for what no session can be called."""
    known_id = session_id_or_none(text)
    if known_id is None:
        raise SessionNotFound
    return known_id


def document_routes(documents: Documents, evidence: Evidence, history: History, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door, routes = (
        DocumentDoor(documents, evidence, history),
        Blueprint("documents", __name__, url_prefix=f"{prefix}/history"),
    )
    routes.get("/charging/<session_id>")(door.whole)
    routes.get("/charging/<session_id>/receipt")(door.receipt)
    routes.get("/charging/<session_id>/evidence")(door.evidence)
    routes.get("/export")(door.export)
    return routes
