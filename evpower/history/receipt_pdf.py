"""A charge's documents as one PDF, a page each: the same bytes whenever it is made.

A5, because it is read on a phone. DejaVu Sans has the Cyrillic and the Kyrgyz letters; its licence is beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from evpower.history.receipt import ChargeReceipt, EnergyAt, ReceiptBoundary, ReceiptContent, decimal_text

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
A5_MM = (148, 210)
LABEL_MM, LINE_MM = 46, 6
TITLE_PT, TEXT_PT, SMALL_PT = 14, 9, 7.5


def receipt_pdf(documents: Sequence[ChargeReceipt], timezone: ZoneInfo) -> bytes:
    """The receipt and its corrections; times are those of the network's zone."""
    pdf = FPDF(format=A5_MM)
    pdf.set_creation_date(documents[0].issued_at)
    pdf.set_producer("EvPower")
    pdf.set_title(f"Чек № {documents[0].number}")
    pdf.set_lang("ru")
    pdf.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
    pdf.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
    for document in documents:
        pdf.add_page()
        _Page(pdf, timezone).write(document)
    return bytes(pdf.output())


class _Page:
    """One document on the open page."""

    def __init__(self, pdf: FPDF, timezone: ZoneInfo) -> None:
        self._pdf = pdf
        self._timezone = timezone

    def write(self, document: ChargeReceipt) -> None:
        content = document.content
        title = f"Чек № {document.number}" if document.corrects is None else f"Уточнение № {document.number}"
        self._text(title, TITLE_PT, bold=True)
        if document.corrects is not None:
            self._text(f"к чеку № {document.corrects}", TEXT_PT)
        self._text(self._time(document.issued_at), TEXT_PT)
        self._rule()
        self._place(content)
        if "suspended_by_site_minutes" in content:
            self._row("Ждал мощности, не в счёте", f"{content['suspended_by_site_minutes']} мин")
        self._rule()
        for line in content["lines"]:
            self._text(line["text"], TEXT_PT)
        for boundary in content.get("rate_boundaries", ()):
            self._text(self._boundary(boundary), SMALL_PT)
        self._row("Итого", _som(content["amount"]), bold=True)
        self._rule()
        self._money(content)
        if content["estimated"]:
            self._text("По последнему показанию: станция ещё не сообщила об окончании зарядки.", SMALL_PT)
        self._text(f"Сессия {content['session_id']}", SMALL_PT)
        if "evidence" in content:
            self._text(f"Показания подписаны счётчиком: {content['evidence']}", SMALL_PT)

    def _boundary(self, boundary: ReceiptBoundary) -> str:
        """By which readings the energy was divided where the price changed."""
        before, after = boundary["before"], boundary["after"]
        around = f"{self._energy_at(before)} и {self._energy_at(after)}"
        estimate = ", по оценке" if boundary["estimated"] else ""
        return f"Смена цены {self._energy_at(boundary)}: между показаниями {around}{estimate}"

    def _energy_at(self, of: EnergyAt) -> str:
        return f"{self._time(datetime.fromisoformat(of['at']))} — {_number(of['energy_kwh'])} кВт⋅ч"

    def _place(self, content: ReceiptContent) -> None:
        station = content["station"]
        connector = f"№ {station['connector_id']} {station.get('connector_type', '')}".strip()
        self._row("Место", content["location"]["name"])
        self._row("Адрес", content["location"]["address"])
        self._row("Станция", f"{station['id']}, {station['model']}".rstrip(", "))
        self._row("Разъём", connector)
        self._row("Начало", self._time(datetime.fromisoformat(content["started_at"])))
        if "ended_at" in content:
            self._row("Окончание", self._time(datetime.fromisoformat(content["ended_at"])))
        self._row("Длительность", f"{content['duration_minutes']} мин")
        self._row("Энергия", f"{_number(content['energy_kwh'])} кВт⋅ч")

    def _money(self, content: ReceiptContent) -> None:
        for label, amount in (
            ("Зарезервировано", content["reserved_amount"]),
            ("Возвращено", content["refunded_amount"]),
            ("Доплачено", content["additional_charge"]),
            ("Долг", content["debt_amount"]),
        ):
            if amount:
                self._row(label, _som(amount))

    def _row(self, label: str, value: str, *, bold: bool = False) -> None:
        self._pdf.set_font(FAMILY, "B" if bold else "", TEXT_PT)
        self._pdf.cell(LABEL_MM, LINE_MM, label)
        self._pdf.multi_cell(0, LINE_MM, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _text(self, text: str, size_pt: float, *, bold: bool = False) -> None:
        self._pdf.set_font(FAMILY, "B" if bold else "", size_pt)
        self._pdf.multi_cell(0, LINE_MM + (2 if bold else 0), text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _rule(self) -> None:
        y_mm = self._pdf.get_y() + 2
        self._pdf.line(self._pdf.l_margin, y_mm, self._pdf.w - self._pdf.r_margin, y_mm)
        self._pdf.set_y(y_mm + 2)

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._timezone):%d.%m.%Y %H:%M:%S}"


def _som(amount: float) -> str:
    return f"{Decimal(str(amount)):.2f}".replace(".", ",") + " сом"


def _number(value: float) -> str:
    return decimal_text(Decimal(str(value)))
