"""Tariff plans and their rules: below the administrators' door and on the control socket."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.administration.tariff_plans import TariffPlans
from evpower.errors import NotFound
from evpower.http.operators.administration import read_change
from evpower.http.operators.shapes.tariff_plans import TariffPlanBody, plan_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.described import described
from evpower.http.wire.rights import needs
from evpower.network_file.described import tariff_plan_schema, tariff_rule_schema
from evpower.staff.rights import Right

WITHIN_S = 20
ID_CHARS_MAX = 255


def tariff_plan_routes(plans: TariffPlans) -> Blueprint:
    """`/tariff-plans`, `/tariff-plans/{id}`, and below it `POST /rules`, `PUT /rules/{rule_id}`."""
    routes = Blueprint("tariff_plans", __name__, url_prefix="/tariff-plans")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Tariff plans", data=list[TariffPlanBody])
    async def list_plans() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data([plan_body(each) for each in await plans.plans()])

    @routes.get("/<plan_id>")
    @needs(Right.READ, filters=True)
    @described("One tariff plan", data=TariffPlanBody)
    async def show(plan_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(plan_body(await plans.plan(_known(plan_id))))

    @routes.post("")
    @needs(Right.NETWORK)
    @described("Make a tariff plan", body=tariff_plan_schema(change=False), data=TariffPlanBody)
    async def create() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(plan_body(await plans.create(body, actor=acting())))

    @routes.put("/<plan_id>")
    @needs(Right.NETWORK)
    @described("Change a tariff plan", body=tariff_plan_schema(change=True), data=TariffPlanBody)
    async def change(plan_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(plan_body(await plans.change(_known(plan_id), body, actor=acting())))

    @routes.post("/<plan_id>/rules")
    @needs(Right.NETWORK)
    @described("Make a rule of a plan", body=tariff_rule_schema(change=False), data=TariffPlanBody)
    async def create_rule(plan_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(plan_body(await plans.create_rule(_known(plan_id), body, actor=acting())))

    @routes.put("/<plan_id>/rules/<rule_id>")
    @needs(Right.NETWORK)
    @described("Change a rule of a plan", body=tariff_rule_schema(change=True), data=TariffPlanBody)
    async def change_rule(plan_id: str, rule_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            return written_data(
                plan_body(await plans.change_rule(_known(plan_id), _known(rule_id), body, actor=acting()))
            )

    return routes


def _known(text: str) -> str:
    """Raises NotFound for an id no row can have."""
    if not text.isprintable() or len(text) > ID_CHARS_MAX:
        raise NotFound
    return text
