"""Bodies of signing in (contract/rest-api §7.1)."""

from __future__ import annotations

from typing import cast

from evpower.http.phones.answer_types.sign_in import (
    KeySetBody,
    MeBody,
    RefreshedBody,
    SignedInBody,
    UserBody,
)
from evpower.http.wire.values import instant, known
from evpower.money import som_number
from evpower.sign_in.people import Person
from evpower.sign_in.service import Refreshed, SignedIn
from evpower.sign_in.tokens import ACCESS_LIFETIME, TYPES

EXPIRES_IN_S = int(ACCESS_LIFETIME.total_seconds())


def signed_in_body(signed_in: SignedIn) -> SignedInBody:
    """What the phone keeps."""
    return {
        "success": True,
        "access_token": signed_in.access_token,
        "refresh_token": signed_in.refresh_token,
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN_S,
        "user": user_body(signed_in.person),
        "user_type": TYPES[signed_in.person.kind],
        "is_new_user": signed_in.is_new,
    }


def refreshed_body(refreshed: Refreshed) -> RefreshedBody:
    """A new access token."""
    body: RefreshedBody = {
        "success": True,
        "access_token": refreshed.access_token,
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN_S,
    }
    if refreshed.refresh_token is not None:
        body["refresh_token"] = refreshed.refresh_token
    return body


def me_body(person: Person) -> MeBody:
    """Who the caller is."""
    return {"success": True, "user": user_body(person), "user_type": TYPES[person.kind]}


def user_body(person: Person) -> UserBody:
    """A person as the app knows one; what is not known is left out."""
    created_at = instant(person.created_at)
    if person.kind == "staff":
        staff = {"id": person.id, "phone": person.phone, "email": person.email, "role": person.role}
        return cast("UserBody", known({**staff, "is_active": person.is_active, "created_at": created_at}))
    client = {"id": person.id, "phone": person.phone, "name": person.name, "status": person.status}
    balance = som_number(person.balance_tyiyn or 0)
    return cast("UserBody", known({**client, "balance": balance, "created_at": created_at}))


def key_set_body(keys: tuple[dict[str, str], ...]) -> KeySetBody:
    """A JWKS document."""
    return cast("KeySetBody", {"keys": list(keys)})
