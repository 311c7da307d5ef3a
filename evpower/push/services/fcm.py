"""Messages to the app: Firebase Cloud Messaging, HTTP v1 (the old `fcm/send` is gone)."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlencode

import httpx2
import jwt
import msgspec
import trio

from evpower.clock import Clock
from evpower.outgoing_http import ServiceAnswer, ServiceUnanswered, post
from evpower.push.delivery import DeliveryOutcome, Target, retry_after_s
from evpower.push.message import PushMessage
from evpower.push.services.service_account import ServiceAccount

log = logging.getLogger("evpower.push")

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
FORM = "application/x-www-form-urlencoded"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LASTS = timedelta(hours=1)
#: An access token is used until so long before its end.
MARGIN_S = 60
#: Of an answer that does not say it.
TOKEN_LASTS_S = 3600


class Fcm:
    """Implements `DeliveryService` for registration tokens."""

    def __init__(self, http: httpx2.AsyncClient, url: str, account: ServiceAccount, clock: Clock) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/v1/projects/{account.project_id}/messages:send"
        self._account = account
        self._clock = clock
        self._access: tuple[str, float] | None = None
        self._asking = trio.Lock()

    async def deliver(self, target: Target, message: PushMessage) -> DeliveryOutcome:
        content = msgspec.json.encode({"message": self._body(target, message)})
        try:
            access = await self._access_token()
            answer = await self._post(content, access)
            if answer.status == 401:
                answer = await self._post(content, await self._access_token(instead_of=access))
        except ServiceUnanswered as error:
            return DeliveryOutcome("later", str(error))
        return self._outcome(answer)

    def _body(self, target: Target, message: PushMessage) -> dict[str, object]:
        ttl_s = message.ttl_s(self._clock.now())
        return {
            "token": target.address,
            "notification": {"title": message.title, "body": message.body},
            "data": dict(message.data),
            "android": {"ttl": f"{ttl_s}s", "priority": "high", "collapse_key": message.event},
            "apns": {"headers": {"apns-expiration": str(int(message.expires_at.timestamp()))}},
        }

    async def _post(self, content: bytes, access: str) -> ServiceAnswer:
        headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}
        return await post(self._http, self._url, content, headers)

    def _outcome(self, answer: ServiceAnswer) -> DeliveryOutcome:
        status, (code, is_about_token) = answer.status, _error_of(answer)
        if answer.is_success:
            return DeliveryOutcome("sent")
        if code == "UNREGISTERED":
            return DeliveryOutcome("ended", "unregistered")
        if code == "SENDER_ID_MISMATCH":
            return DeliveryOutcome("ended", "sender_id_mismatch")
        if status == 400:
            # A message that we write wrongly must not end every device there is.
            return DeliveryOutcome("ended", "invalid_token") if is_about_token else DeliveryOutcome("dead", "HTTP 400")
        wait_s = retry_after_s(answer.retry_after, self._clock.now())
        return DeliveryOutcome("later", f"HTTP {status} {code}".strip(), wait_s)

    async def _access_token(self, *, instead_of: str | None = None) -> str:
        """A token that is good for a while, another one than `instead_of`. Raises ServiceUnanswered."""
        async with self._asking:
            if self._access is not None:
                access, until_s = self._access
                if access != instead_of and trio.current_time() < until_s:
                    return access
            asked_at_s = trio.current_time()
            access, lasts_s = await self._ask_access()
            self._access = access, asked_at_s + lasts_s - MARGIN_S
            return access

    async def _ask_access(self) -> tuple[str, float]:
        now, account = self._clock.now(), self._account
        claims = {
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION_LASTS).timestamp()),
        }
        assertion = jwt.encode(claims, account.private_key, algorithm="RS256", headers={"kid": account.private_key_id})
        form = urlencode({"grant_type": GRANT, "assertion": assertion}).encode()
        answer = await post(self._http, account.token_uri, form, {"Content-Type": FORM})
        body = answer.json()
        access, lasts_s = body.get("access_token"), body.get("expires_in", TOKEN_LASTS_S)
        if not answer.is_success or not isinstance(access, str) or not isinstance(lasts_s, int):
            log.error("FCM: the service account gets no access token: HTTP %d", answer.status)
            raise ServiceUnanswered(f"no access token: HTTP {answer.status}")
        return access, lasts_s


class _Violation(msgspec.Struct):
    field: str = ""


class _Detail(msgspec.Struct, rename="camel"):
    """`google.firebase.fcm.v1.FcmError`, or `google.rpc.BadRequest`."""

    error_code: str = ""
    field_violations: list[_Violation] = []


class _Error(msgspec.Struct):
    message: str = ""
    details: list[_Detail] = []


def _error_of(answer: ServiceAnswer) -> tuple[str, bool]:
    """FCM's own code of an error, and whether it finds fault with the registration token."""
    try:
        error = msgspec.convert(answer.json().get("error", {}), _Error)
    except msgspec.ValidationError:
        return "", False
    code = next((detail.error_code for detail in error.details if detail.error_code), "")
    fields = {violation.field for detail in error.details for violation in detail.field_violations}
    return code, "message.token" in fields or "registration token" in error.message
