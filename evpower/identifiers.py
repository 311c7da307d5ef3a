"""A type for every id, so that one is never passed for another."""

from __future__ import annotations

import re
from typing import NewType

ClientId = NewType("ClientId", str)
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: A client's phone, in E.164's writing (safe by default 9); the same as `clients_phone_is_e164` of the table.
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
StationId = NewType("StationId", str)
#: What a station of ours may be called wherever somebody outside names it.
STATION_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
#: What a phone may call a station: its id, or its serial number, which is any line of text (field ruling 6.1).
STATION_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
#: What a phone may call a location: its id, which is any line of text too.
LOCATION_ID = STATION_NAME
#: One run of `evpower serve`.
ProcessId = NewType("ProcessId", str)
SessionId = NewType("SessionId", str)
IdTag = NewType("IdTag", str)
#: OCPP's connector number: 0 is the station itself.
ConnectorId = NewType("ConnectorId", int)
#: Our own key of a station's transaction (`evpower.ocpp_transactions.id`).
TransactionKey = NewType("TransactionKey", int)
#: What the station calls the transaction; OCPP 1.6 uses a positive 32-bit integer, stored as text (design §9.13).
WireTransactionId = NewType("WireTransactionId", str)
#: A telephone number in E.164, with its plus.
PhoneNumber = NewType("PhoneNumber", str)
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
