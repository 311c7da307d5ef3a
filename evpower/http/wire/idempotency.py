"""Idempotency-Key: the same request twice has one effect and one answer (billing-rules §8, design §9.7).

A request runs through these steps, in this order:
1. a twin still running in this process is waited for, at most 5 s, then 409;
2. a key used for another request is 409;
3. a key with a stored answer is answered from the store; when its first request may still be running at another
   process, that answer is waited for, at most 5 s;
4. a key whose effect was committed but whose answer was lost (we died, or the answer was a 5xx) is rebuilt;
5. otherwise the work is done; its service claims the key in the same unit of work as the effect. When another
   process was faster, its claim undoes ours, and 2 to 4 are done again.
Answers are stored, refusals too; failures (5xx) are not.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import trio
from quart import request

from evpower.db.failures import DatabaseAway
from evpower.errors import DatabaseUnavailable, IdempotencyMismatch, InvalidRequest, Refusal
from evpower.http.wire.answers import Answer
from evpower.http.wire.problems import problem
from evpower.http.wire.requests import BodyFields
from evpower.idempotency.claim import TWIN_WAIT_S, IdempotencyClaim, StoredAnswer
from evpower.identifiers import ClientId

logger = logging.getLogger("evpower.http")

HEADER = "Idempotency-Key"
#: The app sends a UUID; anything printable of a sane length is accepted.
KEY = re.compile(r"[\x21-\x7e]{1,200}")
#: How often a twin of another process looks for the answer.
LOOK_EVERY_S = 0.1
STILL_RUNNING = "Предыдущий запрос с этим Idempotency-Key ещё выполняется"


class KeyStore(Protocol):
    """Where keys and answers are kept for 7 days (`evpower.idempotency.keys` in the server)."""

    async def find(self, client_id: ClientId, key: str) -> StoredAnswer | None:
        """What is known of a key; None when it was never used."""
        ...

    async def store_answer(self, claim: IdempotencyClaim, answer: Mapping[str, Any], status: int) -> None:
        """Keep an answer, also for a key that was never claimed (a refusal); a key keeps its first answer."""
        ...


@dataclass(frozen=True)
class KeyedWork:
    """What a request does, and how its answer is found again when only the effect survived: a session or a top-up."""

    run: Callable[[IdempotencyClaim | None], Awaitable[Answer]]
    rebuild: Callable[[Any], Awaitable[Answer]]


@dataclass(frozen=True)
class _Running:
    claim: IdempotencyClaim
    done: trio.Event


def key_of_request() -> str | None:
    """The present request's key; InvalidRequest when it is unusable."""
    key = request.headers.get(HEADER)
    if key is None or KEY.fullmatch(key):
        return key
    raise InvalidRequest((HEADER, "от 1 до 200 печатных символов ASCII"))


def claim_of_request(
    client_id: ClientId, fields: BodyFields, *, left_out: Collection[str] = (), seen: Mapping[str, str] | None = None
) -> IdempotencyClaim | None:
    """The claim the present request makes; None without a key. The fields were read and checked.

    `left_out` are fields of which not even a hash may be kept, `seen` is what may be kept in their place.
    """
    key = key_of_request()
    if key is None:
        return None
    body = {name: value for name, value in fields.known().items() if name not in left_out}
    return IdempotencyClaim(client_id, key, request.method, request.path, body_hash({**body, **(seen or {})}))


def body_hash(body: Mapping[str, Any]) -> str:
    """A hash of the parsed body: key order, blanks and `1` against `1.0` make no difference."""
    return hashlib.sha256(msgspec.json.encode(_canonical(body), order="sorted")).hexdigest()


def _canonical(value: Any) -> Any:
    """The value with each number tagged, so that 1 and "1" differ; objects are tagged too, so none passes for a tag."""
    if isinstance(value, Mapping):
        return {"object": {key: _canonical(part) for key, part in value.items()}}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return {"number": _exactly(Decimal(value))}
    return value


def _exactly(value: Decimal) -> str:
    """The same text for the same number; not `normalize`, which rounds to 28 digits and overflows."""
    sign, digits, exponent = value.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    power = int(exponent) + len(digits) - len(significant) if significant else 0
    return f"{'-' if sign and significant else ''}{significant}e{power}"


class Idempotency:
    """Runs keyed requests; knows which keys are running in this process."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._running: dict[tuple[ClientId, str], _Running] = {}

    async def answer(self, claim: IdempotencyClaim | None, work: KeyedWork) -> Answer:
        """The answer to a request, from the work or from what the key remembers; raises what the work raises."""
        if claim is None:
            return await work.run(None)
        scope = (claim.client_id, claim.key)
        await self._wait_for_twin(claim)
        running = self._running[scope] = _Running(claim, trio.Event())
        try:
            return await self._answer_once(claim, work)
        finally:
            del self._running[scope]
            running.done.set()

    async def _wait_for_twin(self, claim: IdempotencyClaim) -> None:
        """Returns when no twin is running; a woken waiter may find that another one was faster."""
        with trio.move_on_after(TWIN_WAIT_S):
            while twin := self._running.get((claim.client_id, claim.key)):
                if twin.claim != claim:
                    raise IdempotencyMismatch
                await twin.done.wait()
            return
        raise IdempotencyMismatch(STILL_RUNNING)

    async def _answer_once(self, claim: IdempotencyClaim, work: KeyedWork) -> Answer:
        stored = await self._remembered(claim)
        if stored is None:
            try:
                return await self._kept(claim, work.run(claim))
            except IdempotencyMismatch as mismatch:  # claimed at another process since we looked
                overtaken = mismatch
            stored = await self._remembered(claim)
            if stored is None:
                raise overtaken
        if stored.status_code is not None and stored.response is not None:
            return Answer(stored.response, stored.status_code)
        return await self._kept(claim, work.rebuild(stored.effect))

    async def _remembered(self, claim: IdempotencyClaim) -> StoredAnswer | None:
        """What the key remembers, with the answer of a twin that may be running at another process waited for.

        Raises IdempotencyMismatch when it was used for another request.
        """
        stored = await self._store.find(claim.client_id, claim.key)
        if stored is None:
            return None
        if stored.claim != claim:
            raise IdempotencyMismatch
        until = trio.current_time() + stored.wait_s
        while stored.wait_s > 0 and trio.current_time() < until:
            await trio.sleep(LOOK_EVERY_S)
            stored = await self._store.find(claim.client_id, claim.key) or stored
        return stored

    async def _kept(self, claim: IdempotencyClaim, answering: Awaitable[Answer]) -> Answer:
        """An answer made now, and stored; a refusal is an answer."""
        try:
            answer = await answering
        except Refusal as refusal:
            answer = problem(refusal)
        await self._store_answer(claim, answer)
        return answer

    async def _store_answer(self, claim: IdempotencyClaim, answer: Answer) -> None:
        """A lost answer can be rebuilt, so failing to store it must not turn a success into a failure."""
        try:
            await self._store.store_answer(claim, answer.body, answer.status)
        except (DatabaseUnavailable, DatabaseAway) as error:
            logger.warning("Answer not stored: client_id=%s, key=%s: %s", claim.client_id, claim.key, error)
