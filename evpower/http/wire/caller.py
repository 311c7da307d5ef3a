"""Who is calling (contract/rest-api §1.8): a bearer token's subject, or, where the mode believes it, the named client.

A phone's token is checked before its request; what its outcome means is a rule of this file, and each door asks here.
An administrator's name is never taken from a body: the door says who acts (`acting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from quart import Request, Websocket, g, request

from evpower.errors import EvPowerError, Forbidden, InvalidRequest, InvalidToken, ServiceUnavailable, Unauthorized
from evpower.http.wire.requests import REQUIRED, BodyFields, client_id_in_path
from evpower.identifiers import CLIENT_ID, ClientId
from evpower.identity.identity import Identity
from evpower.identity.verifier import Verifier

Mode: TypeAlias = Literal["trust", "optional", "required"]
SCHEME = "bearer"
#: Whose a client id is: an id that was merged is an alias (contract/roadmap/identity §2).
Resolve: TypeAlias = Callable[[ClientId], ClientId]


def _itself(client_id: ClientId) -> ClientId:
    return client_id


@dataclass(frozen=True)
class Caller:
    """What a token says of the present request; `problem` is why one that was sent is not believed.

    Every client that comes out of here is who acts under the id that was given.
    """

    mode: Mode
    identity: Identity | None = None
    problem: EvPowerError | None = None
    resolve: Resolve = _itself

    def client(self, named: ClientId | None) -> ClientId | None:
        """Whose request it is, `named` being the client it names; None: nobody's in particular.

        Raises Forbidden (the token is another's, or of staff), InvalidToken, ServiceUnavailable, Unauthorized.
        """
        named = None if named is None else self.resolve(named)
        # 1. A believed token decides.
        if self.identity is not None:
            if self.identity.kind != "client":
                raise Forbidden
            return self._subject(named)
        # 2. One that is not believed matters where nothing else says who asks.
        if self.problem is not None and (self.mode != "trust" or named is None):
            raise self.problem
        # 3. Without one, the named client is believed, or nobody.
        if self.mode == "required":
            raise Unauthorized
        return named

    def reader(self, named: ClientId | None) -> ClientId | None:
        """Whose request it is where everybody may read something: a token that is not believed is none.

        Raises Forbidden for another's token.
        """
        named = None if named is None else self.resolve(named)
        if self.identity is not None:
            return self._subject(named)
        return None if self.mode == "required" else named

    def paying(self, fields: BodyFields) -> ClientId | None:
        """The client whose money a request moves; None when its field is wrong, which `fields.check` raises.

        Raises what `client` does, and Forbidden for a person without an account.
        """
        client = self.asking(fields)
        self.may_pay()
        if client is None and not fields.has("client_id"):
            fields.wrong("client_id", REQUIRED)
        return client

    def asking(self, fields: BodyFields) -> ClientId | None:
        """The client a request comes from, if it says so. Raises what `client` does."""
        return self.client(_named(fields))

    def person(self) -> Identity:
        """Whose token it is, in every mode. Raises InvalidToken, ServiceUnavailable, Unauthorized."""
        if self.identity is None:
            raise self.problem or Unauthorized
        return self.identity

    def may_pay(self) -> None:
        """Raises Forbidden for a person without an account: they may look, and move no money (identity §1)."""
        if self.identity is not None and self.identity.anonymous:
            raise Forbidden

    def _subject(self, named: ClientId | None) -> ClientId:
        subject = self.resolve(ClientId(cast("Identity", self.identity).subject))
        if named not in (None, subject):
            raise Forbidden
        return subject


#: Who is asked about in a description of a door (`wire/described.py`): nobody in particular.
ANYBODY = Caller("trust")


class Callers:
    """Tells who calls, in one mode; the mode is the operator's (`auth.mode`)."""

    def __init__(self, mode: Mode, verifier: Verifier, resolve: Resolve = _itself) -> None:
        self.mode: Mode = mode
        self._verifier = verifier
        self._resolve = resolve

    async def identify(self) -> None:
        """Before a phone's request: `g.caller`, and `g.identity`, None without a token that is believed."""
        g.caller = await self.of_token(bearer_token(request))
        g.identity = g.caller.identity

    async def of_token(self, token: str | None) -> Caller:
        """Who sends this token; None: there is none."""
        if token is None:
            return Caller(self.mode, resolve=self._resolve)
        try:
            return Caller(self.mode, await self._verifier.verify(token), resolve=self._resolve)
        except (InvalidToken, ServiceUnavailable) as problem:
            return Caller(self.mode, problem=problem, resolve=self._resolve)


def bearer_token(connection: Request | Websocket) -> str | None:
    """The token of the Authorization header; '' for what cannot be one, None without a bearer's header."""
    given = [value.partition(" ") for value in connection.headers.getlist("Authorization")]
    tokens = [token.strip() for scheme, _, token in given if scheme.lower() == SCHEME]
    if not tokens:
        return None
    # Two are no token: a proxy may have looked at the other one.
    return tokens[0] if len(given) == 1 else ""


def caller() -> Caller:
    """Who sent the present request, at a phones' door."""
    return cast("Caller", g.caller)


def client_of_path(text: str) -> ClientId:
    """The client whom a path names and whose request it is. Raises InvalidRequest, and what `Caller.client` does."""
    named = client_id_in_path(text)
    return caller().client(named) or named


def token_client() -> ClientId:
    """The client of the present request's token. Raises Unauthorized without one, and what `Caller.client` does."""
    client = caller().client(None)
    if client is None:
        raise Unauthorized
    return client


def signed_in_client(fields: BodyFields, who: Caller) -> ClientId:
    """Whose request it is where it must be somebody's: a token's client, or `?client_id=` in mode `trust`.

    Raises InvalidRequest, Unauthorized without either, and what `Caller.client` does.
    """
    client = who.asking(fields)
    fields.check()
    if client is None or (who.mode != "trust" and who.identity is None):
        raise Unauthorized
    return client


def asking_client() -> ClientId:
    """Whose the present request is, as `signed_in_client` reads its address, and raises."""
    return signed_in_client(BodyFields(request.args), caller())


def reading_client(fields: BodyFields, who: Caller) -> ClientId | None:
    """The client who looks at what everybody may see, named in the address (`?client_id=`) or by a token.

    Raises InvalidRequest, and Forbidden for another's token.
    """
    client = who.reader(_named(fields))
    fields.check()
    return client


def _named(fields: BodyFields) -> ClientId | None:
    value = fields.optional_identifier("client_id", CLIENT_ID)
    return None if value is None else ClientId(value)


def acting() -> str:
    """Who acts, for what is kept of it: the doors for operators set it (`http/admin.py`, `http/control.py`)."""
    return str(g.actor)


def refuse_actor(body: Mapping[str, Any]) -> None:
    """A body cannot say who acts. Raises InvalidRequest when it tries, so that no caller takes the field for stored."""
    if "actor" in body:
        raise InvalidRequest(("actor", "определяется входом, а не телом запроса"))
