"""Signing in by phone: /api/v1/auth (contract/rest-api §7.1), under the owner's app's names and the later backend's."""

from __future__ import annotations

import re

import trio
from quart import Blueprint, Response, request

from evpower.client_address import neighbourhood
from evpower.errors import InvalidRequest, NotFound, TooManyCodes
from evpower.http.wire.access import client_ip
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.kinds import formed
from evpower.http.wire.problems import problem
from evpower.http.wire.requests import REQUIRED, BodyFields, read_object
from evpower.identifiers import PhoneNumber
from evpower.sign_in.codes import LIFETIME, RESEND_AFTER
from evpower.sign_in.phone_codes import PhoneCodes

#: The app gives up after 10 s.
ANSWER_WITHIN_S = 9
ANY_NUMBER = re.compile(r".{1,40}")
#: How people write a number.
BETWEEN_DIGITS = " -()"


class SignInDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, codes: PhoneCodes) -> None:
        self._codes = codes

    async def send(self) -> Response:
        """`POST /auth/send-otp`: the same answer whosever the phone is, or nobody's."""
        self._must_be_on()
        fields = BodyFields(await read_object())
        phone = self._phone(fields)
        with trio.fail_after(ANSWER_WITHIN_S):
            try:
                await self._codes.send(phone, neighbourhood(client_ip()))
            except TooManyCodes as refusal:
                response = written(problem(refusal))
                response.headers["Retry-After"] = str(refusal.details["retry_after_seconds"])
                return response
        body = {"success": True, "phone": phone, "expires_in_seconds": int(LIFETIME.total_seconds())}
        return written(Answer({**body, "resend_available_in_seconds": int(RESEND_AFTER.total_seconds())}))

    async def may_send(self) -> Response:
        """`GET /auth/otp/status?phone=`."""
        self._must_be_on()
        text = request.args.get("phone")
        if text is None:
            raise InvalidRequest(("phone", REQUIRED))
        # A plus that was not percent-encoded came as a blank.
        phone = self._codes.served(re.sub(r"^ ", "+", text))
        with trio.fail_after(ANSWER_WITHIN_S):
            wait_s = await self._codes.wait_s(phone, neighbourhood(client_ip()))
        return written(Answer({"success": True, "phone": phone, "can_send": wait_s == 0, "wait_seconds": wait_s}))

    def _must_be_on(self) -> None:
        if not self._codes.are_sent:
            raise NotFound

    def _phone(self, fields: BodyFields) -> PhoneNumber:
        """The phone a body names. Raises InvalidRequest."""
        text = fields.required("phone", formed(ANY_NUMBER, squeeze=BETWEEN_DIGITS))
        fields.check()
        assert text is not None
        return self._codes.served(text)


def sign_in_routes(codes: PhoneCodes, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door, routes = SignInDoor(codes), Blueprint("sign_in", __name__, url_prefix=f"{prefix}/auth")
    for path in ("/send-otp", "/otp/send"):
        routes.post(path)(door.send)
    routes.get("/otp/status")(door.may_send)
    return routes
