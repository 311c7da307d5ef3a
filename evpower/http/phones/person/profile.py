"""Who a person is: /api/v1/profile (contract/rest-api §7.5)."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import partial
from typing import Any, cast

import trio
from quart import Blueprint, Response

from evpower.accounts.profiles import ClientProfiles, Profile, ProfileChange
from evpower.http.phones.answer_types.profile import ClientProfileBody, StaffProfileBody
from evpower.http.phones.person.newcomers import Newcomers
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, asking_client, caller, signed_in_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import FieldKind, WrongValue, formed
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.values import known
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId
from evpower.money import som_number
from evpower.staff.records import Own, StaffRecord
from evpower.staff.service import Staff

ANSWER_WITHIN_S = 9
ASKING = partial(signed_in_client, who=ANYBODY)
NAME_CHARS_MAX = 100
NAME_PATTERN = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{NAME_CHARS_MAX}}}")
EMAIL = formed(
    re.compile(r"(?=.{3,254}$)[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f\ud800-\udfff]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
    wrong="не похоже на адрес электронной почты",
)


def _read_name(value: Any) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if NAME_PATTERN.fullmatch(name) is None:
        raise WrongValue(f"от 1 до {NAME_CHARS_MAX} символов")
    return name


def _read_birthday(value: Any) -> date:
    """A day, or a moment of it; without an offset it is read as it stands."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise WrongValue("ожидается дата ISO 8601") from None
    return moment if moment.tzinfo else moment.date()


NAME = FieldKind({"type": "string", "pattern": r"\S"}, _read_name)
BIRTHDAY = FieldKind({"type": "string", "description": "ISO 8601, a day or a moment of it"}, _read_birthday)


def profile_change(fields: BodyFields) -> ProfileChange:
    """What a client wants changed. Raises InvalidRequest with every wrong field."""
    name, email = fields.optional("name", NAME), fields.optional("email", EMAIL)
    birthday = fields.optional("birthday", BIRTHDAY)
    fields.check()
    return ProfileChange(name, email, birthday)


class ProfileDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, profiles: ClientProfiles, staff: Staff, newcomers: Newcomers, idempotency: Idempotency) -> None:
        self._profiles = profiles
        self._staff = staff
        self._newcomers = newcomers
        self._idempotency = idempotency

    @described("Who the caller is", query=ASKING, answer=ClientProfileBody | StaffProfileBody)
    async def read(self) -> Response:
        """`GET /profile`."""
        identity = caller().identity
        with trio.fail_after(ANSWER_WITHIN_S):
            # Staff may come with a token of another issuer, which cannot say that it is theirs.
            if identity is not None and (identity.kind == "staff" or not identity.ours):
                staff = await self._staff.with_own(identity.subject)
                if staff is not None:
                    return written(Answer(staff_profile_body(*staff)))
            client_id = asking_client()
            profile = await self._profiles.known(client_id)
            if profile is None:
                await self._newcomers.admit(client_id)
                profile = await self._profiles.read(client_id)
        return written(Answer(client_profile_body(profile)))

    @described(
        "Change name, e-mail or birthday",
        query=ASKING,
        body=profile_change,
        answer=ClientProfileBody,
        refused=200,
        keyed=True,
    )
    async def change(self) -> Response:
        """`PUT /profile`: what is left out stays, and so does the phone."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        change = profile_change(fields)
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._newcomers.admit(client_id)
            work = partial(self._change, client_id, change)
            claim = claim_of_request(client_id, fields)
            return written(await self._idempotency.answer(claim, KeyedWork(work, lambda _effect: work(None))))

    async def _change(self, client_id: ClientId, change: ProfileChange, claim: IdempotencyClaim | None) -> Answer:
        return Answer(client_profile_body(await self._profiles.change(client_id, change, claim)))


def profile_routes(
    profiles: ClientProfiles, staff: Staff, newcomers: Newcomers, idempotency: Idempotency, *, prefix: str
) -> Blueprint:
    """The routes below `prefix`."""
    door = ProfileDoor(profiles, staff, newcomers, idempotency)
    routes = Blueprint("profile", __name__, url_prefix=prefix)
    routes.get("/profile")(door.read)
    routes.put("/profile")(door.change)
    return routes


def client_profile_body(profile: Profile) -> ClientProfileBody:
    """A client; null stands nowhere (§1.3)."""
    body = {
        "success": True,
        "user_type": "client",
        "client_id": profile.client_id,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
        "balance": som_number(profile.balance_tyiyn),
        "status": profile.status,
        "birthday": None if profile.birthday is None else profile.birthday.isoformat(),
    }
    return cast("ClientProfileBody", known(body))


def staff_profile_body(member: StaffRecord, own: Own) -> StaffProfileBody:
    """A member of the staff, under the field names of a client."""
    body = {
        "success": True,
        "user_type": "admin",
        "client_id": member.id,
        "email": member.email,
        "phone": member.phone,
        "role": member.role,
        "is_active": member.is_active,
        "admin_id": member.admin_id,
        "stations_count": len(own.stations),
        "locations_count": len(own.locations),
    }
    return cast("StaffProfileBody", known(body))
