"""Who is staff: people added, changed, switched off and on, and given locations.

Nobody is deleted, because the ledger names them. Every change is logged with its author (`security` logger).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from evpower.clock import Clock, Ids
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import AlreadyExists, Forbidden, InvalidRequest, LocationNotFound, NotFound
from evpower.staff.records import Acting, Own, StaffMember, StaffRecord
from evpower.staff.rights import Role
from evpower.staff.rows import people as rows

log = logging.getLogger("security")

#: A `sub` as the contract allows it (identity §1).
STAFF_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
E_164 = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")
PHONE_TAKEN = "Этот номер телефона уже есть у другого сотрудника"
UNKNOWN = "Сотрудник не найден"
NOT_STAFF = "Доступ только для сотрудников"
SWITCHED_OFF = "Учётная запись сотрудника отключена"


class Staff:
    """The people of `users`."""

    def __init__(self, pool: Pool, clock: Clock, ids: Ids) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids

    async def acting(self, subject: str, phone: str | None) -> Acting:
        """Who acts with a verified token: the person whose id is its `sub`, or else who has its phone number.

        Raises Forbidden for who is no staff, or no more.
        """
        async with reading(self._pool) as conn:
            member = await rows.find(conn, subject, phone)
            if member is None:
                raise Forbidden(NOT_STAFF, reason="not_staff")
            if not member.is_active:
                raise Forbidden(SWITCHED_OFF, reason="inactive")
            own = await rows.read_own(conn, member.id) if member.role == "operator" else None
        return Acting(member.actor, member, own)

    async def active(self, subject: str, phone: str | None) -> StaffMember | None:
        """The person of a verified token, found the same way; None for who is no staff, or no more."""
        async with reading(self._pool) as conn:
            member = await rows.find(conn, subject, phone)
        return member if member is not None and member.is_active else None

    async def people(self, *, role: Role | None, limit: int, offset: int) -> tuple[tuple[StaffRecord, ...], int]:
        """A page of them, switched off ones too, and how many there are."""
        async with reading(self._pool) as conn:
            return await rows.list_staff(conn, role, limit, offset)

    async def person(self, staff_id: str, *, role: Role | None = None) -> StaffRecord:
        """One of them, of this role alone when one is given. Raises NotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_staff(conn, staff_id)
        if found is None or role not in (None, found.role):
            raise NotFound(UNKNOWN)
        return found

    async def with_own(self, staff_id: str) -> tuple[StaffRecord, Own] | None:
        """One of them with what is their own; None for who is not of the staff."""
        async with reading(self._pool) as conn:
            found = await rows.read_staff(conn, staff_id)
            return None if found is None else (found, await rows.read_own(conn, found.id))

    async def add(self, given: Mapping[str, Any], *, actor: str) -> StaffRecord:
        """`role`, and a `phone` or the `id` that the person's tokens bear; `email`.

        Raises InvalidRequest naming every wrong field, AlreadyExists when the id or the phone number is somebody's.
        """
        role, phone, email = _read(given)
        staff_id = given.get("id") or self._ids.new()
        if phone is None and not given.get("id"):
            raise InvalidRequest(("phone", "нужен телефон или id: по ним сотрудник узнаётся при входе"))
        if not isinstance(staff_id, str) or not STAFF_ID.fullmatch(staff_id):
            raise InvalidRequest(("id", "недопустимый идентификатор"))
        async with unit_of_work(self._pool) as uow:
            if not await rows.add(uow.conn, staff_id, role, phone, email, self._clock.now()):
                raise AlreadyExists("Сотрудник с таким id или телефоном уже есть")
            _log(uow, "added", staff_id, actor, f", role={role}")
        return await self.person(staff_id)

    async def change(
        self, staff_id: str, given: Mapping[str, Any], *, role: Role | None = None, actor: str
    ) -> StaffRecord:
        """`role`, `phone`, `email`, `is_active`: what is named changes, null empties. Only a person of this `role`.

        Raises NotFound, AlreadyExists, InvalidRequest naming every wrong field.
        """
        async with unit_of_work(self._pool) as uow:
            member = await self._lock(uow, staff_id, role)
            now = {"role": member.role, "phone": member.phone, "email": member.email}
            new_role, phone, email = _read({**now, **given})
            is_active = given.get("is_active", member.is_active)
            if not isinstance(is_active, bool):
                raise InvalidRequest(("is_active", "должно быть true или false"))
            if phone is not None and await rows.phone_taken(uow.conn, staff_id, phone):
                raise AlreadyExists(PHONE_TAKEN)
            changed = replace(member, role=new_role, phone=phone, email=email, is_active=is_active)
            await rows.change(uow.conn, changed, self._clock.now())
            _log(uow, "changed", staff_id, actor, f", role={new_role}, is_active={is_active}")
        return await self.person(staff_id)

    async def grant(self, staff_id: str, location_id: str, *, role: Role | None = None, actor: str) -> StaffRecord:
        """Give a location to a person. Raises NotFound, LocationNotFound."""
        async with unit_of_work(self._pool) as uow:
            await self._lock(uow, staff_id, role)
            if not await rows.location_exists(uow.conn, location_id):
                raise LocationNotFound(f"Локация {location_id} не найдена")
            await rows.grant(uow.conn, staff_id, location_id, actor, self._clock.now())
            _log(uow, "granted", staff_id, actor, f", location={location_id}")
        return await self.person(staff_id)

    async def withdraw(self, staff_id: str, location_id: str, *, role: Role | None = None, actor: str) -> StaffRecord:
        """Take a granted location away. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            await self._lock(uow, staff_id, role)
            await rows.withdraw(uow.conn, staff_id, location_id)
            _log(uow, "withdrawn", staff_id, actor, f", location={location_id}")
        return await self.person(staff_id)

    async def _lock(self, uow: UnitOfWork, staff_id: str, role: Role | None) -> StaffMember:
        member = await rows.lock(uow.conn, staff_id)
        if member is None or role not in (None, member.role):
            raise NotFound(UNKNOWN)
        return member


def _read(given: Mapping[str, Any]) -> tuple[Role, str | None, str | None]:
    """Raises InvalidRequest."""
    role, phone, email = given.get("role"), given.get("phone"), given.get("email")
    wrong = []
    if role not in get_args(Role):
        wrong.append(("role", f"одно из: {', '.join(get_args(Role))}"))
    if phone is not None and not (isinstance(phone, str) and E_164.fullmatch(phone)):
        wrong.append(("phone", "ожидается номер вида +996XXXXXXXXX"))
    if email is not None and not (isinstance(email, str) and EMAIL.fullmatch(email)):
        wrong.append(("email", "ожидается адрес электронной почты"))
    if wrong:
        raise InvalidRequest(*wrong)
    return cast("Role", role), phone, email


def _log(uow: UnitOfWork, what: str, staff_id: str, actor: str, more: str) -> None:
    uow.after_commit(lambda: log.info("staff %s: id=%s%s, actor=%s", what, staff_id, more, actor))
