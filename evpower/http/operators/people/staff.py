"""Staff below the administrators' door and on the control socket (contract/rest-api §7.7, roadmap/identity §3).

Nobody is deleted, because the ledger names them: DELETE switches off, `activate` switches on.
"""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.http.operators.administration import read_change
from evpower.http.operators.shapes.staff import NewStaffBody, PeopleBody, StaffBody, StaffChangeBody, staff_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.described import described
from evpower.http.wire.kinds import counted
from evpower.http.wire.requests import BodyFields, required_text
from evpower.http.wire.rights import needs
from evpower.sign_in.browsers import Browsers
from evpower.staff.rights import Right, Role
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import Staff

WITHIN_S = 20
PER_PAGE, PER_PAGE_MAX, PAGE_MAX = 50, 500, 10**6


def people_query(fields: BodyFields) -> tuple[int, int]:
    """`?page=&per_page=`; pages begin with 1."""
    page, per_page = (
        fields.optional("page", counted(1, PAGE_MAX)),
        fields.optional("per_page", counted(1, PER_PAGE_MAX)),
    )
    fields.check()
    return page or 1, per_page or PER_PAGE


def staff_routes(staff: Staff) -> tuple[Blueprint, ...]:
    """`/users` for every role, `/operators` for that one alone."""
    return _routes(staff, "users", None), _routes(staff, "operators", "operator")


def _routes(staff: Staff, name: str, role: Role | None) -> Blueprint:
    """`[?page=&per_page=]`, POST, `/{id}`, `POST /{id}/activate`, PUT and DELETE `/{id}/locations/{location_id}`."""
    routes = Blueprint(f"staff_{name}", __name__, url_prefix=f"/{name}")
    of_role = {} if role is None else {"role": role}

    @routes.get("")
    @needs(Right.STAFF)
    @described("People", query=people_query, data=PeopleBody)
    async def list_people() -> Response:
        page, per_page = people_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found, total = await staff.people(role=role, limit=per_page, offset=(page - 1) * per_page)
        people = [staff_body(each) for each in found]
        return written_data({name: people, "total": total, "page": page, "per_page": per_page})

    @routes.get("/<user_id>")
    @needs(Right.STAFF)
    @described("One person", data=StaffBody)
    async def show(user_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(staff_body(await staff.person(user_id, role=role)))

    @routes.post("")
    @needs(Right.STAFF)
    @described("Add a person", body=NewStaffBody, data=StaffBody)
    async def add() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(staff_body(await staff.add({**body, **of_role}, actor=acting())))

    @routes.put("/<user_id>")
    @needs(Right.STAFF)
    @described("Change a person", body=StaffChangeBody, data=StaffBody)
    async def change(user_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(staff_body(await staff.change(user_id, {**body, **of_role}, role=role, actor=acting())))

    @routes.delete("/<user_id>")
    @needs(Right.STAFF)
    @described("Switch a person off", data=StaffBody)
    async def switch_off(user_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            person = await staff.change(user_id, {"is_active": False}, role=role, actor=acting())
        return written_data(staff_body(person))

    @routes.post("/<user_id>/activate")
    @needs(Right.STAFF)
    @described("Switch a person on", data=StaffBody)
    async def switch_on(user_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            person = await staff.change(user_id, {"is_active": True}, role=role, actor=acting())
        return written_data(staff_body(person))

    @routes.put("/<user_id>/locations/<location_id>")
    @needs(Right.STAFF)
    @described("Give a location to a person", data=StaffBody)
    async def grant(user_id: str, location_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(staff_body(await staff.grant(user_id, location_id, role=role, actor=acting())))

    @routes.delete("/<user_id>/locations/<location_id>")
    @needs(Right.STAFF)
    @described("Take a location from a person", data=StaffBody)
    async def withdraw(user_id: str, location_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(staff_body(await staff.withdraw(user_id, location_id, role=role, actor=acting())))

    return routes


def enrolment_routes(second_factor: SecondFactor, browsers: Browsers) -> Blueprint:
    """`POST /users/{id}/totp`, `.../totp/confirm` and `.../link`: for the control socket alone.

    Behind a token they would give a second factor, or another way in, to whoever has stolen the first one.
    """
    routes = Blueprint("staff_enrolment", __name__, url_prefix="/users")

    @routes.post("/<user_id>/totp")
    @needs(Right.STAFF)
    async def enrol(user_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            enrolment = await second_factor.enrol(user_id, actor=acting())
        return written_data({"id": user_id, "secret": enrolment.secret, "uri": enrolment.uri})

    @routes.post("/<user_id>/totp/confirm")
    @needs(Right.STAFF)
    async def confirm(user_id: str) -> Response:
        code = required_text(await read_change(), "code")
        with trio.fail_after(WITHIN_S):
            await second_factor.confirm(user_id, code)
        return written_data({"id": user_id, "has_second_factor": True})

    @routes.post("/<user_id>/link")
    @needs(Right.STAFF)
    async def link(user_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            token = await browsers.make_link(user_id, actor=acting())
        return written_data({"id": user_id, "path": f"/sign-in/{token}"})

    return routes
