"""Tariff plans and their rules, as administrators see and change them; which price holds is `billing/pricing.py`'s.

Fields are those of a fleet file. Nothing is deleted: a plan or a rule that holds no more is `is_active: false`. Charges
that run keep the price they began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.administration.records import TariffPlanRecord
from evpower.administration.rows import entities as administration
from evpower.administration.rows import tariff_plans as rows
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import AlreadyExists, InvalidRequest, NotFound
from evpower.events import GapInEvents
from evpower.network_file.changes import Change, given_fields, log_change, naming
from evpower.network_file.file import read_tariff_plan
from evpower.network_file.service import NetworkFile, lock_imports
from evpower.network_file.tables import TARIFF_PLANS, TARIFF_RULES

OWN_DOOR = "правила изменяются отдельно: /tariff-plans/{id}/rules"


class TariffPlans:
    """Every change is one unit of work, logged with who made it; after its commit no old price is shown."""

    def __init__(self, pool: Pool, clock: Clock, network_file: NetworkFile) -> None:
        self._pool = pool
        self._clock = clock
        self._network_file = network_file

    async def plans(self) -> tuple[TariffPlanRecord, ...]:
        """Every plan with its rules, those that count first."""
        async with reading(self._pool) as conn:
            return await rows.read_plans(conn)

    async def plan(self, plan_id: str) -> TariffPlanRecord:
        """One plan. Raises NotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_plans(conn, plan_id)
        if not found:
            raise NotFound("Тарифный план не найден")
        return found[0]

    async def create(self, body: Mapping[str, Any], *, actor: str) -> TariffPlanRecord:
        """`rules` among its fields. Raises AlreadyExists, InvalidRequest naming every wrong field."""
        change = Change.creating(body)
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            if await rows.known_plan(uow.conn, change.id) is not None:
                raise AlreadyExists(f"Тарифный план {change.id} уже есть")
            await self._write(uow, change.given, new_rules=True)
            uow.after_commit(lambda: log_change("tariff plan", change.id, "created", change, actor))
        return await self.plan(change.id)

    async def change(self, plan_id: str, body: Mapping[str, Any], *, actor: str) -> TariffPlanRecord:
        """Of the plan itself; its rules stay. Raises NotFound, InvalidRequest naming every wrong field."""
        change = Change.of(plan_id, body, TARIFF_PLANS)
        if "rules" in change.given:
            raise InvalidRequest(("rules", OWN_DOOR))
        async with unit_of_work(self._pool) as uow:
            stored = await self._stored(uow, plan_id)
            await self._write(uow, {**vars(stored), **change.given})
            await administration.empty(uow.conn, TARIFF_PLANS, {"id": plan_id}, change.emptied, self._clock.now())
            uow.after_commit(lambda: log_change("tariff plan", plan_id, "changed", change, actor))
        return await self.plan(plan_id)

    async def create_rule(self, plan_id: str, body: Mapping[str, Any], *, actor: str) -> TariffPlanRecord:
        """The whole plan; a rule without an id gets one. Raises NotFound, AlreadyExists, InvalidRequest."""
        async with unit_of_work(self._pool) as uow:
            stored = await self._stored(uow, plan_id)
            if body.get("id") is None:
                body = {**body, "id": await self._free_id(uow, plan_id)}
                change = Change(given_fields(body))
            else:
                change = Change.creating(body)
            with naming("rules[0].", "tariff_rules."):
                await self._write(uow, {**vars(stored), "rules": [change.given]}, new_rules=True)
            uow.after_commit(lambda: log_change("tariff rule", change.id, "created", change, actor))
        return await self.plan(plan_id)

    async def change_rule(self, plan_id: str, rule_id: str, body: Mapping[str, Any], *, actor: str) -> TariffPlanRecord:
        """The whole plan. Raises NotFound, InvalidRequest naming every wrong field."""
        change = Change.of(rule_id, body, TARIFF_RULES)
        async with unit_of_work(self._pool) as uow:
            stored = await self._stored(uow, plan_id)
            rule = (await rows.known_rules(uow.conn, [rule_id])).get(rule_id)
            if rule is None or rule.tariff_plan_id != plan_id:
                raise NotFound("Правило тарифа не найдено")
            known = {"id": rule.id, "name": rule.name, "tariff_type": rule.tariff_type, "price": rule.price}
            with naming("rules[0].", "tariff_rules."):
                await self._write(uow, {**vars(stored), "rules": [{**known, **change.given}]})
            await administration.empty(uow.conn, TARIFF_RULES, {"id": rule_id}, change.emptied, self._clock.now())
            uow.after_commit(lambda: log_change("tariff rule", rule_id, "changed", change, actor))
        return await self.plan(plan_id)

    async def _stored(self, uow: UnitOfWork, plan_id: str) -> rows.KnownPlan:
        await lock_imports(uow.conn)
        stored = await rows.known_plan(uow.conn, plan_id)
        if stored is None:
            raise NotFound("Тарифный план не найден")
        return stored

    async def _free_id(self, uow: UnitOfWork, plan_id: str) -> str:
        """As a fleet file would name the next rule."""
        number = 1
        while await rows.known_rules(uow.conn, [f"{plan_id}-{number}"]):
            number += 1
        return f"{plan_id}-{number}"

    async def _write(self, uow: UnitOfWork, plan: Mapping[str, Any], *, new_rules: bool = False) -> None:
        """A new rule never takes one of another plan over."""
        fleet = read_tariff_plan(plan)
        if new_rules and (taken := await rows.known_rules(uow.conn, [rule.id for rule in fleet.tariff_plans[0].rules])):
            raise AlreadyExists(f"Правило тарифа {', '.join(sorted(taken))} уже есть")
        everything = GapInEvents()  # any station may have this plan
        await self._network_file.write(uow, fleet, everything)
