"""The one map from what went wrong to an HTTP status and the contract's error envelope (contract/rest-api §1.5-1.6)."""

from __future__ import annotations

import logging
from http import HTTPStatus

import trio
from quart import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from evpower.db.failures import DatabaseAway
from evpower.errors import (
    AlreadyExists,
    DatabaseUnavailable,
    EvPowerError,
    Forbidden,
    IdempotencyMismatch,
    InvalidRequest,
    InvalidToken,
    NotFound,
    Refusal,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.values import jsonable

logger = logging.getLogger("evpower.http")

#: The first class that fits decides. A refusal is an answer, not a failure: the seed's phone repeats every non-2xx of a
#: start. A top-up's is 400 all the same (`phones/payments.py`).
STATUS_OF: tuple[tuple[type[EvPowerError], int], ...] = (
    (Refusal, 200),
    (InvalidRequest, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (IdempotencyMismatch, 409),
    (AlreadyExists, 409),
    (TooManyRequests, 429),
    (ServiceUnavailable, 503),
    (DatabaseUnavailable, 503),
)
#: What the framework itself refuses, with the contract's codes.
HTTP_PROBLEMS = {
    400: ("validation_error", "Некорректный запрос"),
    404: ("not_found", "Не найдено"),
    405: ("method_not_allowed", "Метод не поддерживается"),
    408: ("timeout", "Время ожидания запроса истекло"),
    413: ("request_too_large", "Запрос слишком большой"),
    431: ("request_too_large", "Заголовки запроса слишком большие"),
    501: ("invalid_request", "Такая форма запроса не поддерживается"),
}
INTERNAL = ("internal_error", "Внутренняя ошибка сервера")
UNAVAILABLE = ("service_unavailable", "Сервис временно недоступен")
#: RFC 6750 §3: a token is asked for, and the one that was sent is not believed (identity §1).
CHALLENGE = "Bearer"
CHALLENGE_INVALID = 'Bearer error="invalid_token"'
TIMED_OUT = ("timeout", "Сервер не успел ответить. Проверьте состояние и повторите")


def envelope(code: str, message: str, **details: object) -> dict[str, object]:
    """`success: false`, the machine-readable code, the sentence for the driver, and further facts, at the top level.

    A fact that is not known is left out: the app's schemas take no null there (field ruling 6.5).
    """
    facts = {key: jsonable(value) for key, value in details.items() if value is not None}
    return {"success": False, "error": code, "message": message, **facts}


def problem(error: Exception) -> Answer:
    """The answer an error becomes; what is not known here is a fault of ours, logged with its traceback."""
    if isinstance(error, EvPowerError):
        status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
        if status < 500 or isinstance(error, ServiceUnavailable):
            return Answer(envelope(error.code, error.message, **error.details), status)
    if isinstance(error, DatabaseUnavailable | DatabaseAway):
        logger.error("Database unavailable: %s", error)
        return Answer(envelope(*UNAVAILABLE), HTTPStatus.SERVICE_UNAVAILABLE)
    if isinstance(error, trio.TooSlowError):
        logger.error("Request ran out of time", exc_info=error)
        return Answer(envelope(*TIMED_OUT), HTTPStatus.SERVICE_UNAVAILABLE)
    logger.error("Unhandled error", exc_info=error)
    return Answer(envelope(*INTERNAL), HTTPStatus.INTERNAL_SERVER_ERROR)


def http_problem(error: HTTPException) -> Answer:
    """A refusal of the framework: no such route, wrong method, body too large."""
    status = error.code or 500
    return Answer(envelope(*HTTP_PROBLEMS.get(status, ("invalid_request", error.name))), status)


async def answer_error(error: Exception) -> Response:
    """The application's only error handler."""
    if not isinstance(error, HTTPException):
        response = written(problem(error))
        if isinstance(error, Unauthorized):
            response.headers["WWW-Authenticate"] = CHALLENGE_INVALID if isinstance(error, InvalidToken) else CHALLENGE
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(error.details["retry_after"])
        return response
    response = written(http_problem(error))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response
