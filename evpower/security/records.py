"""A station's credentials, certificate requests and security events, as reports and arrivals touch them."""

from __future__ import annotations

from evpower.security.rows.certificates import under_way
from evpower.security.rows.credentials import put_in_force
from evpower.security.rows.refused_logins import note_refused_login
from evpower.security.rows.security_events import SecurityEvent, add_event, note_dropped
from evpower.security.rows.trust import certificate_ended, end_certificates, ended_since, see_profile

__all__ = [
    "SecurityEvent",
    "add_event",
    "certificate_ended",
    "end_certificates",
    "ended_since",
    "note_dropped",
    "note_refused_login",
    "put_in_force",
    "see_profile",
    "under_way",
]
