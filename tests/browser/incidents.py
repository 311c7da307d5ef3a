"""The three incidents of docs/incidents.md, as somebody answers them who sees EvPower for the first time: from *Now*,
by what the caller says or by what is seen there, in at most three clicks. Enter in the search is one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.eyes import Eyes
from tests.browser.network import CHARGE, DRIVER, PHONE

CLICKS_MAX, SECONDS_MAX = 3, 30
INVOICE = "538478067528"
REFUSED_START = """
INSERT INTO evpower.start_attempts (attempted_at, client_id, station_id, connector_id, door, answer, sentence,
                                    correlation_id)
VALUES (now() - interval '3 minutes', %(driver)s, 'EVP-0001', 1, 'phone', 'station_offline', 'Станция недоступна', 'c1')
"""
PAID = """
WITH paid AS (
    INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, status, payment_provider, created_at)
    VALUES (%(invoice)s, %(invoice)s, %(driver)s, 100, 'processing', 'ODENGI', now() - interval '20 minutes')
    RETURNING id)
INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn, reason, next_check_at)
SELECT id, id, 'qr', 'processing', now() - interval '20 minutes', 10000, 'invoice is not paid',
       now() + interval '1 hour'
FROM paid
"""
#: It says 135 som, and the ledger sold nothing.
RECEIPT = """
WITH numbers AS (INSERT INTO evpower.receipt_numbers VALUES (2026, 1) RETURNING year)
INSERT INTO evpower.receipts (year, serial, session_id, revision, issued_at, energy_wh, minutes, amount_tyiyn)
SELECT year, 1, %(charge)s, 1, now() - interval '1 hour', 10000, 60, 13500 FROM numbers
"""


@dataclass
class Answer:
    """How somebody went from *Now* to the answer, in English; each step is a click."""

    question: str
    steps: list[str]
    #: What is on the page then.
    seen: tuple[str, ...]


DRIVERS_PAGE = f"search {PHONE[-4:]}"
ANSWERS = {
    "refused-start": (
        Answer("It does not start.", [DRIVERS_PAGE], ("Станция недоступна", "station offline", "EVP-0001/1")),
        Answer(
            "Who else could not start?", ["Charges", "choose failed starts", "press Show"], ("station offline", DRIVER)
        ),
    ),
    "wrong-bill": (
        Answer("I paid too much.", [DRIVERS_PAGE, f"open {CHARGE[:8]}"], ("10.000 kWh × 13.5", "135.00", "✘")),
        Answer("The charge has a number.", [f"search {CHARGE[:8]}"], ("10.000 kWh × 13.5", "135.00", "✘")),
    ),
    "missing-payment": (
        Answer("I paid and have nothing.", [DRIVERS_PAGE], (INVOICE, "invoice is not paid", "Ask the provider now")),
        Answer("Which payments hang?", ["Decide"], (INVOICE, "ODENGI")),
    ),
}


def answer_all(eyes: Eyes, database: psycopg.Connection, say: Callable[[str], object]) -> None:
    """Each incident by each way; the page that answers is looked at."""
    for statement in (REFUSED_START, RECEIPT, PAID):
        database.execute(statement, {"driver": DRIVER, "invoice": INVOICE, "charge": CHARGE})
    eyes.choose("en")
    for name, answers in ANSWERS.items():
        for number, answer in enumerate(answers):
            began_s = time.monotonic()
            eyes.open("/")
            for step in answer.steps:
                _take(eyes, step)
            text = eyes.driver.find_element(By.ID, "main").text
            assert not [each for each in answer.seen if each not in text], (answer, text)
            took_s = time.monotonic() - began_s
            assert len(answer.steps) <= CLICKS_MAX
            assert took_s <= SECONDS_MAX
            say(f"{answer.question} {' → '.join(answer.steps)}: {len(answer.steps)} clicks, {took_s:.1f} s\n")
            if number == 0:
                eyes.shot(f"incident-{name}")


def _take(eyes: Eyes, step: str) -> None:
    """One click, and the page that comes of it."""
    word, _, what = step.partition(" ")
    driver, before = eyes.driver, eyes.driver.find_element(By.TAG_NAME, "html")
    if word == "choose":
        eyes.click(By.XPATH, f"//option[.='{what}']")
        return
    if word == "search":
        driver.find_element(By.ID, "search").send_keys(what, Keys.ENTER)
    elif word == "press":
        eyes.click(By.XPATH, f"//main//button[.='{what}']")
    else:
        eyes.click(By.LINK_TEXT, what if word == "open" else step)
    eyes.wait_for_another(before)
