"""One charge, its receipt as JSON and PDF, and the table for a spreadsheet (history page §1)."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from evpower.history.export import HEADER, ExportedCharge, table
from evpower.history.rows import curves as curve_rows
from tests.history.doors import OTHER, charged, get, lay_out, phone_of
from tests.history.test_keeping import estimated
from tests.worlds.charging import CLIENT, World

ROW = ExportedCharge(
    receipt="2026-000001",
    started_at=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
    ended_at=datetime(2026, 11, 23, 6, 41, tzinfo=UTC),
    location_name="ТЦ; «Дордой»",
    location_address="Ысык-Көл",
    station_id="EVP-001-01",
    connector_id=1,
    energy_kwh=Decimal("15.000"),
    amount=Decimal("202.50"),
    debt_amount=Decimal("0.00"),
    status="stopped",
    session_id="s-1",
)


async def second_example(world: World) -> str:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 15_000)
    return session_id


async def test_a_charge_has_its_curve_its_rates_and_its_postings(world: World) -> None:
    session_id = await second_example(world)
    charge = (await get(phone_of(world), f"/history/charging/{session_id}"))["data"]
    assert charge["amount"] == 202.5
    assert charge["curve"][-1]["kwh"] == 15
    assert charge["pricing"] == {"rate_per_kwh": 13.5, "rate_per_minute": 0, "session_fee": 0, "currency": "KGS"}
    assert charge["payers"] == [{"client_id": CLIENT, "amount": 202.5}]
    assert [(each["entry"], each["account"], each["amount"]) for each in charge["postings"]] == [
        ("reserve", "client", -270),
        ("reserve", "held", 270),
        ("settle", "held", -270),
        ("settle", "revenue", 202.5),
        ("settle", "client", 67.5),
    ]


@pytest.mark.parametrize("path", ["", "/receipt"])
async def test_what_is_another_clients_is_not_found(world: World, path: str) -> None:
    session_id = await second_example(world)
    phone = phone_of(world)
    for wrong, asking in ((session_id, OTHER), ("no-such-session", CLIENT), ("%20", CLIENT)):
        refusal = await get(phone, f"/history/charging/{wrong}{path}", 404, asking)
        assert refusal["error"] == "session_not_found"


async def test_the_receipt_of_the_second_worked_example(world: World) -> None:
    session_id = await second_example(world)
    answer = await get(phone_of(world), f"/history/charging/{session_id}/receipt")
    receipt = answer["receipt"]
    assert (receipt["number"], receipt["kind"], receipt["amount"]) == ("2026-000001", "receipt", 202.5)
    assert receipt["lines"][0]["text"] == "15 кВт⋅ч × 13,5 = 202,50"
    assert answer["corrections"] == []


async def test_a_running_charge_has_no_receipt_yet(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    refusal = await get(phone_of(world), f"/history/charging/{session_id}/receipt", 404)
    assert (refusal["error"], refusal["reason"]) == ("not_found", "no_receipt")


async def test_a_correction_is_a_second_document_that_names_the_first(world: World) -> None:
    session_id, wire_id = await estimated(world)
    await world.end(wire_id, 4_000)
    await world.app.settler.work_due()
    answer = await get(phone_of(world), f"/history/charging/{session_id}/receipt")
    assert answer["receipt"]["energy_kwh"] == 2
    (correction,) = answer["corrections"]
    assert (correction["kind"], correction["number"], correction["corrects"]) == (
        "correction",
        "2026-000002",
        "2026-000001",
    )
    assert correction["energy_kwh"] == 3


async def test_a_receipt_that_could_not_be_written_down_is_made_when_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("no curve")

    with monkeypatch.context() as patched:
        patched.setattr(curve_rows, "read_metered_charge", fail)
        session_id = await second_example(world)
    receipt = (await get(phone_of(world), f"/history/charging/{session_id}/receipt"))["receipt"]
    assert (receipt["number"], receipt["amount"]) == ("2026-000001", 202.5)


async def test_a_pdf_has_the_kyrgyz_letters_and_is_the_same_each_time(world: World) -> None:
    await world.sql("UPDATE locations SET address = 'Ңаңдай, Ысык-Көл көчөсү, Үч-Эмчек'")
    session_id, wire_id = await estimated(world)
    await world.end(wire_id, 4_000)
    await world.app.settler.work_due()
    phone, path = phone_of(world), f"/api/v1/history/charging/{session_id}/receipt?format=pdf&client_id={CLIENT}"
    response = await phone.get(path)
    pdf = await response.get_data(as_text=False)
    assert (response.status_code, response.content_type) == (200, "application/pdf")
    assert pdf == await (await phone.get(path)).get_data(as_text=False)
    with warnings.catch_warnings(), pypdfium2.PdfDocument(pdf) as document:
        first, second = (page.get_textpage().get_text_bounded() for page in document)
    assert "Бишкек, Ңаңдай, Ысык-Көл көчөсү, Үч-Эмчек" in " ".join(first.split())
    assert "Чек № 2026-000001" in first
    assert "2 кВт⋅ч × 13,5 = 27,00" in first
    assert "Уточнение № 2026-000002" in second
    assert "к чеку № 2026-000001" in second


def rows_of(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_a_table_has_bishkeks_times_and_decimal_commas() -> None:
    header, row = rows_of(table([ROW], ZoneInfo("Asia/Bishkek")))
    assert header == list(HEADER)
    assert row[:5] == ["2026-000001", "2026-11-23 12:00:00", "2026-11-23 12:41:00", "41", "ТЦ; «Дордой»"]
    assert row[8:10] == ["15,000", "202,50"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t"])
def test_no_cell_of_a_table_is_a_formula(begin: str) -> None:
    _, row = rows_of(table([replace(ROW, location_name=f"{begin}1+1")], ZoneInfo("UTC")))
    assert row[4] == f"'{begin}1+1"


async def test_an_export_has_the_charges_of_its_time(world: World) -> None:
    await lay_out(world, 3)
    session_id = await charged(world)
    phone = phone_of(world)
    response = await phone.get(f"/api/v1/history/export?format=csv&client_id={CLIENT}&from=2026-11-01&to=2027-01-01")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = rows_of(await response.get_data(as_text=False))[1:]
    assert [(row[0], row[-1]) for row in rows] == [("2026-000001", session_id)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-01-01"}, "to"),
        ({"to": "2026-01-01"}, "from"),
        ({"from": "2026-01-01", "to": "2027-01-03"}, "to"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "to"),
        ({"from": "2026-01-01", "to": "2026-01-02", "format": "xlsx"}, "format"),
    ],
)
async def test_an_export_without_a_time_or_of_too_long_a_time_is_refused(
    world: World, query: dict[str, str], field: str
) -> None:
    refusal = await get(phone_of(world), "/history/export", 400, CLIENT, **query)
    assert [each["field"] for each in refusal["detail"]] == [field]


async def test_too_many_rows_are_refused(world: World) -> None:
    await lay_out(world, 10_001)
    refusal = await get(phone_of(world), "/history/export", 400, CLIENT, **{"from": "2026-01-01", "to": "2027-01-01"})
    assert refusal["detail"][0]["field"] == "to"
