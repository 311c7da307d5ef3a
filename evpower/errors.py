"""The kinds of error EvPower raises on purpose, and the errors that several rooms raise or catch.

EvPowerError
├─ ConfigError              a setting is wrong; one message names every wrong value (exit code 2)
├─ DatabaseUnavailable      PostgreSQL cannot be reached, or did not start
│  └─ DatabaseUnreachable   the configured one does not answer at our start (exit code 2)
├─ RedisAway                what is only cached there must be had otherwise
├─ InvalidRequest           input that cannot be read: HTTP 400 with a list of fields
│  └─ StaleTimestamp        a provider's call that says it was made long ago
├─ ServiceUnavailable       what the request needs is away for now: HTTP 503
├─ Unauthorized             the caller is not identified: HTTP 401
│  └─ InvalidToken          a bearer token that is not believed
├─ IdempotencyMismatch      a key was reused with another body, or its first request is still running: HTTP 409
├─ AlreadyExists            what should be created exists already: HTTP 409
├─ Forbidden                not the owner: HTTP 403
├─ TooManyRequests          one address calls too often: HTTP 429
├─ NotFound                 an unknown id: HTTP 404
│  └─ SessionNotFound, StationNotFound, LocationNotFound, ClientNotFound, PaymentNotFound
└─ Refusal                  a business refusal of a POST: HTTP 200 with `success: false`, 400 for a top-up (§1.6)
   ├─ ConnectorNotFound, SessionAlreadyActive, PaymentPending, DebtOpen
   └─ ProviderFailure       how a call to a payment provider can fail (payments/gateway.py)
      └─ ProviderError, ProviderUnavailable, ProviderTimeout

What one room alone decides is in that room's `errors.py` (`charging`, `billing`, `link`, `sign_in`, `security`,
`favorites`, `push`), or beside the only function that raises it (`payments`, `db/migrate.py`).

An error has its machine-readable `code`, the Russian sentence for the driver (`message`) and its context fields
(`details`, JSON-ready, som as numbers). Which HTTP status it becomes is decided by `http/wire/problems.py` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from evpower.money import som_number


class EvPowerError(Exception):
    """The root: anything else that escapes is a fault of ours."""

    code: ClassVar[str] = "internal_error"
    message: str = "Внутренняя ошибка сервера"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        if message is not None:
            self.message = message
        self.details: Mapping[str, Any] = details
        super().__init__(self.message)


class ConfigError(EvPowerError):
    """Settings that cannot be used; `problems` has one line for each."""

    code = "config_error"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DatabaseUnavailable(EvPowerError):
    """PostgreSQL cannot be reached or did not start; the message says which and where to look."""

    code = "service_unavailable"


class DatabaseUnreachable(DatabaseUnavailable):
    """The configured database does not answer at our start; the message says why."""


class RedisAway(EvPowerError):
    """Redis does not answer, or is not asked because it did not a moment ago."""


class InvalidRequest(EvPowerError):
    """Input that cannot be read; `fields` is a list of (field, what is wrong)."""

    code = "validation_error"
    message = "Некорректные данные запроса"

    def __init__(self, *fields: tuple[str, str]) -> None:
        self.fields = fields
        super().__init__(detail=[{"field": field, "message": text} for field, text in fields])


class StaleTimestamp(InvalidRequest):
    """A provider's call whose X-Timestamp is too far from now (contract/payments §2.6, second form)."""

    code = "stale_timestamp"


class ServiceUnavailable(EvPowerError):
    """Something this request needs is away for now; the message in the log says what."""

    code = "service_unavailable"
    message = "Сервис временно недоступен"


class Unauthorized(EvPowerError):
    code = "unauthorized"
    message = "Требуется авторизация"


class InvalidToken(Unauthorized):
    """A bearer token that is not believed; which check failed is in the log alone (contract/roadmap/identity §1)."""


class IdempotencyMismatch(EvPowerError):
    code = "invalid_request"
    message = "Idempotency-Key уже использован с другим запросом"


class AlreadyExists(EvPowerError):
    """The message names what is there already; nothing was changed."""

    code = "already_exists"


class Forbidden(EvPowerError):
    code = "forbidden"
    message = "Доступ запрещён"


class TooManyRequests(EvPowerError):
    """More than is allowed; there is room again after so many seconds."""

    code = "rate_limit_exceeded"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Слишком много запросов. Попробуйте через {retry_after_s} секунд", retry_after=retry_after_s)


class NotFound(EvPowerError):
    code = "not_found"
    message = "Не найдено"


class SessionNotFound(NotFound):
    code = "session_not_found"
    message = "Сессия зарядки не найдена"


class StationNotFound(NotFound):
    code = "station_not_found"
    message = "Станция не найдена"


class LocationNotFound(NotFound):
    """The message names the location; the code is the contract's `not_found`."""


class ClientNotFound(NotFound):
    """Only where an administrator names a client; a driver's own id is always known (contract/rest-api §1.8)."""

    code = "client_not_found"
    message = "Клиент не найден"


class PaymentNotFound(NotFound):
    """Unknown, or another client's: the two are not distinguished (contract/rest-api §5.4)."""

    code = "payment_not_found"
    message = "Платеж не найден"

    def __init__(self) -> None:
        super().__init__(status=0, status_text="processing")


class Refusal(EvPowerError):
    """A business refusal: nothing was changed, and the reason is returned to the driver."""


class DebtOpen(Refusal):
    """An account with a debt does not end (contract/roadmap/identity §2)."""

    code = "forbidden"

    def __init__(self, debt_tyiyn: int) -> None:
        super().__init__("Сначала погасите задолженность", reason="debt", debt_amount=som_number(debt_tyiyn))


class ConnectorNotFound(Refusal):
    code = "connector_not_found"
    message = "Коннектор не найден"


class SessionAlreadyActive(Refusal):
    code = "session_already_active"
    message = "У вас уже есть активная сессия зарядки"


class PaymentPending(Refusal):
    """A top-up or a refund is not finished, and what is asked must wait for it."""

    code = "payment_pending"
    message = "Пополнение или возврат ещё не завершены"


class ProviderFailure(Refusal):
    """A call to a payment provider that did not end in an answer we may use (billing/gateway.py).

    `tls` is why TLS failed, empty when it did not. It is for operators: a phone's answer does not have it.
    """

    def __init__(self, message: str | None = None, *, tls: str = "", **details: Any) -> None:
        self.tls = tls
        super().__init__(message, **details)

    @property
    def last_word(self) -> str:
        """The code, with the reason when TLS failed: for logs, and what is kept of a payment for people to look at."""
        return f"{self.code} ({self.tls})" if self.tls else self.code


class ProviderError(ProviderFailure):
    """The provider refused for good; nothing will be paid by this call."""

    code = "provider_error"
    message = "Платёжная система отклонила запрос"


class ProviderUnavailable(ProviderFailure):
    """Nothing was sent: the provider is switched off, or no connection could be made."""

    code = "provider_unavailable"
    message = "Платёжная система временно недоступна"


class ProviderTimeout(ProviderFailure):
    """The outcome is unknown: it may have happened."""

    code = "provider_timeout"
    message = "Платёжная система не ответила вовремя"
