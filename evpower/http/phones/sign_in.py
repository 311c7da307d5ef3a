"""Signing in by phone: /api/v1/auth (contract/rest-api §7.1), under the owner's app's names and the later backend's.

The later backend's cookies (`evp_access`, `evp_refresh`) are not set: tokens travel in headers and bodies alone, so no
page of another site can spend them, and there is nothing that a CSRF token would protect.
"""

from __future__ import annotations

import re

import trio
from quart import Blueprint, Response, request

from evpower.client_address import neighbourhood
from evpower.errors import NotFound
from evpower.http.phones.answer_types.sign_in import (
    CodeSentBody,
    KeySetBody,
    MaySendBody,
    MeBody,
    RefreshedBody,
    SignedInBody,
    SignedOutBody,
)
from evpower.http.phones.sign_in_shapes import key_set_body, me_body, refreshed_body, signed_in_body
from evpower.http.wire.access import client_ip
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import caller
from evpower.http.wire.described import described
from evpower.http.wire.kinds import SWITCH, FieldKind, formed
from evpower.http.wire.requests import BodyFields, read_object
from evpower.sign_in.codes import DIGITS, LIFETIME, RESEND_AFTER
from evpower.sign_in.graph import SignIn

#: The app gives up after 10 s.
ANSWER_WITHIN_S = 9
#: Others may keep our keys for so long; the next one is published earlier than that before it signs.
KEY_SET_MAX_AGE_S = 300
#: How people write a number; in an address a plus that was not percent-encoded comes as a blank, and is put back.
PHONE = formed(re.compile(r".{1,40}"), squeeze=" -()")
PHONE_IN_QUERY = FieldKind(PHONE.schema, lambda value: PHONE.read(re.sub(r"^ ", "+", str(value))))
CODE = formed(re.compile(rf"[0-9]{{{DIGITS}}}"), squeeze=" ")
REFRESH_TOKEN = formed(re.compile(r"[^\x00-\x1f]{1,1000}"))


def phone_of_body(fields: BodyFields) -> str:
    """Whom a code goes to. Raises InvalidRequest."""
    phone = fields.required("phone", PHONE)
    fields.check()
    assert phone is not None
    return phone


def phone_of_query(fields: BodyFields) -> str:
    """Whom a code would go to. Raises InvalidRequest."""
    phone = fields.required("phone", PHONE_IN_QUERY)
    fields.check()
    assert phone is not None
    return phone


def phone_and_code(fields: BodyFields) -> tuple[str, str]:
    """Who signs in, by which code. Raises InvalidRequest."""
    phone, code = fields.required("phone", PHONE), fields.required("code", CODE)
    fields.check()
    assert phone is not None and code is not None  # noqa: PT018
    return phone, code


def token_and_rotate(fields: BodyFields) -> tuple[str, bool]:
    """A refresh token, and whether another one is wanted. Raises InvalidRequest."""
    token, rotate = fields.required("refresh_token", REFRESH_TOKEN), fields.optional("rotate", SWITCH)
    fields.check()
    assert token is not None
    return token, bool(rotate)


def token_to_end(fields: BodyFields) -> str | None:
    """A refresh token, if the phone still has one. Raises InvalidRequest."""
    token = fields.optional("refresh_token", REFRESH_TOKEN)
    fields.check()
    return token


class SignInDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, sign_in: SignIn) -> None:
        self._codes = sign_in.codes
        self._sign_ins = sign_in.sign_ins

    @described("Send a code by SMS", caller="anyone", body=phone_of_body, answer=CodeSentBody, refused=200)
    async def send(self) -> Response:
        """`POST /auth/send-otp`: the same answer whosever the phone is, or nobody's."""
        self._must_be_on()
        phone = self._codes.served(phone_of_body(BodyFields(await read_object())))
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._codes.send(phone, neighbourhood(client_ip()))
        body = {"success": True, "phone": phone, "expires_in_seconds": int(LIFETIME.total_seconds())}
        return written(Answer({**body, "resend_available_in_seconds": int(RESEND_AFTER.total_seconds())}))

    @described("Whether a code can be sent now", caller="anyone", query=phone_of_query, answer=MaySendBody)
    async def may_send(self) -> Response:
        """`GET /auth/otp/status?phone=`."""
        self._must_be_on()
        phone = self._codes.served(phone_of_query(BodyFields(request.args)))
        with trio.fail_after(ANSWER_WITHIN_S):
            wait_s = await self._codes.wait_s(phone, neighbourhood(client_ip()))
        return written(Answer({"success": True, "phone": phone, "can_send": wait_s == 0, "wait_seconds": wait_s}))

    @described("Sign in by the code", caller="anyone", body=phone_and_code, answer=SignedInBody)
    async def sign_in(self) -> Response:
        """`POST /auth/verify-otp`."""
        self._must_be_on()
        text, code = phone_and_code(BodyFields(await read_object()))
        phone = self._codes.served(text)
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(signed_in_body(await self._sign_ins.sign_in(phone, code))))

    @described("A new access token", caller="anyone", body=token_and_rotate, answer=RefreshedBody)
    async def refresh(self) -> Response:
        """`POST /auth/refresh`."""
        token, rotate = token_and_rotate(BodyFields(await read_object()))
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(refreshed_body(await self._sign_ins.refresh(token, rotate=rotate))))

    @described("Sign this phone out", caller="anyone", body=token_to_end, answer=SignedOutBody)
    async def sign_out(self) -> Response:
        """`POST /auth/logout`: it succeeds also for a phone that is signed out already."""
        token = token_to_end(BodyFields(await read_object()))
        if token is not None:
            with trio.fail_after(ANSWER_WITHIN_S):
                await self._sign_ins.sign_out(token)
        return written(Answer({"success": True}))

    @described("Sign every phone of the caller out", answer=SignedOutBody)
    async def sign_out_everywhere(self) -> Response:
        """`POST /auth/logout-all`, for the bearer of a token."""
        identity = caller().person()
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._sign_ins.sign_out_everywhere(identity)
        return written(Answer({"success": True}))

    @described("Who the caller is", answer=MeBody)
    async def me(self) -> Response:
        """`GET /auth/me`, for the bearer of a token: the row as it is now."""
        identity = caller().person()
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(me_body(await self._sign_ins.me(identity))))

    def _must_be_on(self) -> None:
        if not self._codes.are_sent:
            raise NotFound


def sign_in_routes(sign_in: SignIn, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door, routes = SignInDoor(sign_in), Blueprint("sign_in", __name__, url_prefix=f"{prefix}/auth")
    for path in ("/send-otp", "/otp/send"):
        routes.post(path)(door.send)
    for path in ("/verify-otp", "/otp/verify"):
        routes.post(path)(door.sign_in)
    routes.get("/otp/status")(door.may_send)
    routes.post("/refresh")(door.refresh)
    routes.post("/logout")(door.sign_out)
    routes.post("/logout-all")(door.sign_out_everywhere)
    routes.get("/me")(door.me)
    return routes


def key_set_routes(sign_in: SignIn) -> Blueprint:
    """`/.well-known/jwks.json`, for whoever checks our tokens (RFC 7517); no prefix."""
    routes = Blueprint("key_set", __name__)

    @routes.get("/.well-known/jwks.json")
    @described("The keys our tokens are checked with", caller="anyone", answer=KeySetBody)
    async def key_set() -> Response:
        response = written(Answer(key_set_body(sign_in.keys.key_set())))
        response.headers["Cache-Control"] = f"public, max-age={KEY_SET_MAX_AGE_S}"
        return response

    return routes
