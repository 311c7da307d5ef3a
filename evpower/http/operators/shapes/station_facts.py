"""What a station was asked and what it holds, as operators read it beside its connectors."""

from __future__ import annotations

from evpower.http.wire.values import Body
from evpower.stations.facts import (
    AvailabilityFact,
    LocalListFact,
    ProfileFact,
    ReservationFact,
    StationFacts,
    TransferFact,
)


def facts_body(facts: StationFacts) -> Body:
    """By kind; a kind of which there is nothing has no key."""
    shown = {
        "availability": [_availability(each) for each in facts.availability],
        "transfers": [_transfer(each) for each in facts.transfers],
        "reservations": [_reservation(each) for each in facts.reservations],
        "charging_profiles": [_profile(each) for each in facts.charging_profiles],
        "local_list": [_local_list(each) for each in facts.local_list],
    }
    return {kind: bodies for kind, bodies in shown.items() if bodies}


def _availability(fact: AvailabilityFact) -> Body:
    return {
        "connector_id": fact.connector_id,
        "wanted": fact.wanted,
        "state": fact.state,
        "requested_at": fact.requested_at,
        "done_at": fact.done_at,
    }


def _transfer(fact: TransferFact) -> Body:
    return {
        "id": fact.id,
        "kind": fact.kind,
        "location": fact.location,
        "file_name": fact.file_name,
        "status": fact.status,
        "steps": [{"at": step.at, "status": step.status} for step in fact.steps],
        "requested_at": fact.requested_at,
        "status_at": fact.status_at,
        "ended_at": fact.ended_at,
    }


def _reservation(fact: ReservationFact) -> Body:
    return {
        "reservation_id": fact.reservation_id,
        "connector_id": fact.connector_id,
        "id_tag": fact.id_tag,
        "expires_at": fact.expires_at,
        "status": fact.status,
        "ended_at": fact.ended_at,
    }


def _profile(fact: ProfileFact) -> Body:
    return {
        "connector_id": fact.connector_id,
        "profile_id": fact.profile_id,
        "purpose": fact.purpose,
        "stack_level": fact.stack_level,
        "profile": fact.profile,
        "set_at": fact.set_at,
    }


def _local_list(fact: LocalListFact) -> Body:
    return {"version": fact.version, "entries": fact.entries, "synced_at": fact.synced_at}
