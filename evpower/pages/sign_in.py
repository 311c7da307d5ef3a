"""`/sign-in`: by a one-time link, or by a code to the phone; `/second-factor`, `/sign-out`, `/choices`."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.errors import EvPowerError, Forbidden, InvalidRequest, TooManyRequests, Unauthorized
from evpower.http.wire.access import client_ip
from evpower.pages.frame.forms import form_text, own_path
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.visitor import COOKIE, LANGUAGE_COOKIE, LOOK_COOKIE, LOOKS, Gate, signed_in
from evpower.sign_in.browsers import COOKIE_LIFETIME, Browsers
from evpower.sign_in.errors import CodeExpired, SmsNotSent, TooManyCodes, WrongCode
from evpower.sign_in.phone_codes import PhoneCodes
from evpower.staff.second_factor import SecondFactor
from evpower.texts.catalogue import LANGUAGES

WITHIN_S = 20
A_YEAR_S = 365 * 86_400


def sign_in_routes(
    browsers: Browsers, codes: PhoneCodes, second_factor: SecondFactor, gate: Gate, render: Renderer
) -> Blueprint:
    """The doors to the pages, open to everybody."""
    routes = Blueprint("sign_in", __name__)

    def form(problem: str | None = None, phone: str = "", *, code_sent: bool = False, status: int = 200) -> Response:
        following = own_path(request.args.get("next", "/"))
        names = {"problem": problem, "phone": phone, "code_sent": code_sent, "next": following}
        return render.page("sign_in.html", status, sms=codes.are_sent, **names)

    @routes.get("/sign-in")
    async def ask() -> Response:
        return form()

    @routes.get("/sign-in/<token>")
    async def link(token: str) -> Response:
        # A preview of a chat reads a link; only a form uses it up.
        return render.page("sign_in_link.html", token=token)

    @routes.post("/sign-in/<token>")
    async def use_link(token: str) -> Any:
        try:
            with trio.fail_after(WITHIN_S):
                found = await browsers.by_link(token)
        except Unauthorized:
            return form("link_used", status=401)
        return _let_in(found.cookie, "/")

    @routes.post("/sign-in")
    async def by_phone() -> Any:
        if not codes.are_sent:
            return form("no_sms", status=404)
        phone_text, code = await form_text("phone", 20), (await form_text("code", 10)).replace(" ", "")
        try:
            phone = codes.served("".join(phone_text.split()))
            with trio.fail_after(WITHIN_S):
                if not code:
                    await codes.send(phone, client_ip())
                    return form(phone=phone, code_sent=True)
                found = await browsers.by_code(phone, code)
        except InvalidRequest:
            return form("phone", phone_text, status=400)
        except (WrongCode, CodeExpired):
            return form("code", phone_text, code_sent=True, status=401)
        except (TooManyCodes, TooManyRequests):
            return form("too_many", phone_text, code_sent=True, status=429)
        except SmsNotSent:
            return form("not_sent", phone_text, status=503)
        return _let_in(found.cookie, own_path(await form_text("next")))

    @routes.post("/choices")
    async def choose() -> Any:
        response: Any = redirect(own_path(await form_text("next")), 303)
        language, look = await form_text("language"), await form_text("look")
        if language in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=A_YEAR_S, samesite="Strict", httponly=True)
        if look in LOOKS:
            response.set_cookie(LOOK_COOKIE, look, max_age=A_YEAR_S, samesite="Strict", httponly=True)
        return response

    @routes.post("/sign-out")
    async def sign_out() -> Any:
        visitor = await gate.let_in()
        with trio.fail_after(WITHIN_S):
            await browsers.sign_out(visitor.browser)
        gate.forget(visitor)
        response: Any = redirect("/sign-in", 303)
        response.delete_cookie(COOKIE, samesite="Strict", httponly=True)
        return response

    @routes.get("/second-factor")
    async def ask_code() -> Response:
        await gate.let_in()
        return render.page("second_factor.html", problem=None, next=own_path(request.args.get("next", "/")))

    @routes.post("/second-factor")
    async def show_code() -> Any:
        visitor, following = await gate.let_in(), own_path(await form_text("next"))
        member = visitor.acting.member
        assert member is not None, "a browser is signed in as a person"
        try:
            with trio.fail_after(WITHIN_S):
                await second_factor.elevate(member, visitor.cookie, (await form_text("code", 10)).replace(" ", ""))
        except (Forbidden, TooManyRequests) as refusal:
            status = 429 if isinstance(refusal, TooManyRequests) else 403
            return render.page("second_factor.html", status, problem=_reason(refusal), next=following)
        return redirect(following, 303)

    return routes


def _reason(refusal: EvPowerError) -> str:
    return str(refusal.details.get("reason", "too_many"))


def _let_in(cookie: str, following: str) -> Any:
    """On with the cookie, which no script reads and no other site's link sends."""
    response: Any = redirect(following, 303)
    secure = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(COOKIE_LIFETIME.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=secure,
    )
    return response


async def require_second_factor(second_factor: SecondFactor) -> None:
    """Before a write of the present request. Raises Forbidden with `reason: totp_required`."""
    visitor = signed_in()
    if visitor.acting.member is not None:
        await second_factor.require(visitor.acting.member, visitor.cookie)
